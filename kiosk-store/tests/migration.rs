//! An outbox that an earlier release made and filled is carried over whole.

mod support;

use kiosk_store::*;
use rusqlite::{Connection, params};
use support::*;

/// Print states of the cases an earlier release left; the record after them is a rating.
const PRINTED: [(&str, u8); 4] = [("not-printed", 0), ("printing", 0), ("confirmed", 2), ("failed", 0)];

/// Makes the file as the release with only the first migration did.
fn of_the_first_release(folder: &std::path::Path) -> Vec<NewRecord> {
    let db = Connection::open(folder.join("outbox.db")).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    db.execute_batch(include_str!("../migrations/outbox-0001.sql")).unwrap();
    db.execute_batch(
        "PRAGMA user_version = 1; INSERT INTO meta VALUES ('terminal', 'DG0001'), ('incarnation', 'a-life');",
    )
    .unwrap();
    let mut records: Vec<NewRecord> = Vec::new();
    let mut slot = Slot { seq: 1, prev_hash: "0".repeat(64) };
    for print in PRINTED.map(Some).into_iter().chain([None]) {
        let made = record(slot);
        let (seq, hash) = (made.slot.seq, sha256(made.manifest.as_bytes()));
        let kind = if print.is_some() { "case" } else { "rating" };
        db.execute(
            "INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                seq as i64,
                made.case_id,
                kind,
                made.manifest,
                hash,
                made.slot.prev_hash,
                made.sha256,
                made.finalised_at_ms,
                made.ciphertext
            ],
        )
        .unwrap();
        if let (Some((state, level)), Some(stub)) = (print, &made.stub) {
            let columns = params![
                seq as i64,
                stub.case_number,
                stub.item,
                stub.verification,
                stub.finalised_at_ms,
                state,
                level
            ];
            db.execute("INSERT INTO stub VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", columns).unwrap();
        }
        db.execute("INSERT INTO blob VALUES (?1, ?2, 7)", params![seq as i64, hash]).unwrap();
        slot = Slot { seq: seq + 1, prev_hash: hash };
        records.push(made);
    }
    records
}

#[test]
fn records_stubs_and_print_states_of_an_earlier_release_are_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let before = of_the_first_release(folder.path());
    assert!(OutboxReader::open(folder.path()).unwrap().is_none(), "the agent, started first, waits");
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    let reader = OutboxReader::open(folder.path()).unwrap().unwrap();
    assert_eq!(reader.record(2).unwrap().unwrap().manifest, before[1].manifest);
    outbox.verify_all().unwrap();
    assert_eq!((outbox.incarnation(), outbox.head()), ("a-life", 5));
    let states = [PrintState::NotPrinted, PrintState::Printing, PrintState::Confirmed(2), PrintState::Failed];
    for (made, print) in before.iter().zip(states) {
        let expected = Stub { print, ..made.stub.clone().unwrap() };
        assert_eq!(outbox.stub(&made.case_id).unwrap(), Some(expected));
    }
    assert_eq!(outbox.stub(&case_id(5)).unwrap(), None, "a rating has no stub");
    assert!(matches!(outbox.set_print_state(&case_id(5), PrintState::Failed), Err(StoreError::NotFound)));
    assert_eq!(reader.records(1, 9).unwrap().len(), 5, "a reader from before goes on reading");
    for (made, stored) in before.iter().zip(reader.records(1, 9).unwrap()) {
        assert_eq!((&made.manifest, &made.ciphertext), (&stored.manifest, &stored.ciphertext));
    }
    assert_eq!(reader.list(9).unwrap()[4].case_number.as_deref(), Some("DG0001-1"));
    assert_eq!(reader.stubs(9).unwrap().len(), 4);

    fill(&mut outbox, 1);
    outbox.set_print_state(&case_id(1), PrintState::Confirmed(1)).unwrap();
    outbox.set_print_state(&case_id(4), PrintState::Confirmed(1)).unwrap();
    assert_eq!(outbox.stub(&case_id(4)).unwrap().unwrap().print, PrintState::Confirmed(1));
    drop(outbox);
    let outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    outbox.verify_all().unwrap();
    assert_eq!(outbox.stub(&case_id(1)).unwrap().unwrap().print, PrintState::Confirmed(1));
    let db = Connection::open(folder.path().join("outbox.db")).unwrap();
    assert!(db.execute_batch("UPDATE record SET item = 'other'").is_err(), "sealed again");
}
