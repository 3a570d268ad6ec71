//! What damage, a full disk and lost files get: a typed error or a whole queue, never a silent change.

mod support;

use kiosk_store::*;
use rusqlite::Connection;
use support::*;

fn filled(records: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fill(&mut Outbox::open(folder.path(), TERMINAL).unwrap(), records);
    folder
}

fn raw(folder: &tempfile::TempDir) -> Connection {
    Connection::open(folder.path().join("outbox.db")).unwrap()
}

fn refused(folder: &tempfile::TempDir) -> StoreError {
    Outbox::open(folder.path(), TERMINAL).err().expect("the damage is noticed")
}

#[test]
fn sealed_rows_cannot_be_changed_with_sql() {
    let folder = filled(2);
    Outbox::open(folder.path(), TERMINAL)
        .unwrap()
        .set_print_state(&case_id(1), PrintState::Printing)
        .unwrap();
    let db = raw(&folder);
    for sql in [
        "UPDATE record SET ciphertext = x'00' WHERE seq = 1",
        "UPDATE record SET seq = 9 WHERE seq = 2",
        "DELETE FROM record",
        "UPDATE record SET case_number = 'other'",
        "DELETE FROM print",
        "UPDATE print SET seq = 2",
        "INSERT INTO print (seq, state) VALUES (2, 'eaten')",
        "INSERT INTO record SELECT 3, 'x', kind, manifest, manifest_hash, manifest_hash, sha256, 0, x'00', 'x', \
         NULL, NULL FROM record WHERE seq = 2",
        "DELETE FROM meta",
        "UPDATE meta SET value = 'x'",
        "INSERT OR REPLACE INTO record SELECT seq, case_id, kind, manifest, manifest_hash, prev_hash, sha256, \
         finalised_at_ms, x'00', case_number, item, verification FROM record WHERE seq = 2",
        "INSERT INTO record SELECT 4, 'x', kind, manifest, manifest_hash, manifest_hash, sha256, 0, x'00', \
         case_number, item, verification FROM record WHERE seq = 2",
        "INSERT INTO record SELECT 3, 'x', kind, manifest, manifest_hash, prev_hash, sha256, 0, x'00', \
         case_number, item, verification FROM record WHERE seq = 2",
    ] {
        assert!(db.execute_batch(sql).is_err(), "{sql}");
    }
    drop(db);
    Outbox::open(folder.path(), TERMINAL).unwrap().verify_all().unwrap();
}

#[test]
fn a_changed_last_record_is_noticed_at_open_an_earlier_one_by_following_the_chain() {
    for (column, value) in
        [("ciphertext", "x'00'"), ("manifest", "'other'"), ("sha256", "prev_hash"), ("prev_hash", "sha256")]
    {
        let folder = filled(3);
        raw(&folder)
            .execute_batch(&format!(
                "DROP TRIGGER record_is_sealed_update; UPDATE record SET {column} = {value} WHERE seq = 3"
            ))
            .unwrap();
        let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
        assert!(outbox.must_repair(), "{column}");
        let error = outbox.commit(record(outbox.next_slot())).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "nothing is chained to it: {error}");
        let folder = filled(3);
        raw(&folder)
            .execute_batch(&format!(
                "DROP TRIGGER record_is_sealed_update; UPDATE record SET {column} = {value} WHERE seq = 1"
            ))
            .unwrap();
        let outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
        assert!(matches!(outbox.verify_all(), Err(StoreError::Corrupt { .. })), "{column}");
        assert!(matches!(outbox.reopen().err(), Some(StoreError::Corrupt { .. })), "{column}");
    }
}

#[test]
fn a_removed_record_is_noticed() {
    let folder = filled(3);
    raw(&folder)
        .execute_batch(
            "DROP TRIGGER record_is_sealed_delete; PRAGMA foreign_keys = OFF; DELETE FROM record WHERE seq = 2",
        )
        .unwrap();
    assert!(matches!(refused(&folder), StoreError::Corrupt { .. }));
}

#[test]
fn a_file_that_is_no_database_is_a_typed_error() {
    let folder = filled(1);
    for end in ["-wal", "-shm"] {
        std::fs::remove_file(folder.path().join(format!("outbox.db{end}"))).unwrap();
    }
    std::fs::write(folder.path().join("outbox.db"), "<html>not a database</html>".repeat(200)).unwrap();
    let error = refused(&folder);
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
    assert!(OutboxReader::open(folder.path()).is_err());
    let kept = std::fs::read(folder.path().join("outbox.db")).unwrap();
    assert!(kept.starts_with(b"<html>"), "evidence is never overwritten");
}

#[test]
fn flipped_bytes_in_the_file_are_noticed() {
    let folder = filled(40);
    // Everything into the main file, so that the flip lands in a page that is read.
    raw(&folder).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let path = folder.path().join("outbox.db");
    let whole = std::fs::read(&path).unwrap();
    let needle = b"sealed content 17";
    let at = whole.windows(needle.len()).position(|window| window == needle).unwrap();
    let mut flipped = whole.clone();
    flipped[at] ^= 1;
    std::fs::write(&path, flipped).unwrap();
    let outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    assert!(matches!(outbox.verify_all(), Err(StoreError::Corrupt { .. })));
}

#[test]
fn a_missing_log_or_index_after_a_clean_end_loses_nothing() {
    for ends in [&["-shm"][..], &["-wal"], &["-wal", "-shm"]] {
        let folder = filled(3);
        for end in ends {
            std::fs::remove_file(folder.path().join(format!("outbox.db{end}"))).unwrap();
        }
        let outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
        assert_eq!(outbox.head(), 3, "{ends:?}");
        outbox.verify_all().unwrap();
    }
}

#[test]
fn an_emptied_log_is_survived() {
    let folder = filled(3);
    std::fs::write(folder.path().join("outbox.db-wal"), b"").unwrap();
    assert_eq!(Outbox::open(folder.path(), TERMINAL).unwrap().head(), 3);
}

#[test]
fn an_outbox_that_lost_its_end_is_noticed_by_its_receipts() {
    let folder = filled(2);
    let incarnation = OutboxReader::open(folder.path()).unwrap().unwrap().incarnation().to_owned();
    let acknowledge = |seq| {
        let receipt = Acknowledgement {
            incarnation: incarnation.clone(),
            seq,
            receipt: "a.b.c".into(),
            status: AcknowledgementStatus::Accepted,
            complete: true,
            at_ms: 1,
        };
        Delivery::open(folder.path()).unwrap().record_receipts(&[receipt]).unwrap();
    };
    acknowledge(2);
    drop(Outbox::open(folder.path(), TERMINAL).unwrap());
    acknowledge(3);
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    assert!(outbox.must_repair());
    assert!(outbox.commit(record(outbox.next_slot())).is_err(), "place 3 would be used twice");
    outbox.begin_incarnation(BegunBecause::CopiedDisk, 1).unwrap();
    assert_ne!(outbox.incarnation(), incarnation);
    outbox.commit(other_record(outbox.next_slot(), 100)).unwrap();
    assert_eq!((outbox.head(), outbox.next_slot().seq), (1, 2));
}

#[test]
fn a_full_disk_is_said_and_survived() {
    let folder = filled(2);
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    outbox.limit_pages(1).unwrap();
    let mut stored = 0;
    let error = loop {
        let mut large = record(outbox.next_slot());
        large.ciphertext = vec![7; 100_000];
        large.sha256 = sha256(&large.ciphertext);
        match outbox.commit(large) {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 100, "the limit holds");
    };
    assert!(matches!(error, StoreError::DiskFull), "{error}");
    assert_eq!((error.kind(), error.remedy()), (StoreErrorKind::DiskFull, StoreRemedy::CloseUntilRoom));
    let head = outbox.head();
    assert_eq!(
        OutboxReader::open(folder.path()).unwrap().unwrap().head().unwrap(),
        head,
        "nothing half written"
    );
    outbox.limit_pages(0).unwrap();
    fill(&mut outbox, 1);
    assert_eq!(outbox.head(), head + 1, "with room again it goes on");
    outbox.verify_all().unwrap();
}

#[test]
fn after_a_failed_write_the_store_must_be_reopened() {
    let folder = filled(1);
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    // The blob folder cannot be made because a file has its name.
    std::fs::write(folder.path().join("blobs"), b"in the way").unwrap();
    let mut with_blob = record(outbox.next_slot());
    with_blob.blobs = vec![blob("photo")];
    let error = outbox.commit(with_blob).unwrap_err();
    assert_eq!((error.kind(), error.remedy()), (StoreErrorKind::Io, StoreRemedy::Reopen), "{error}");
    assert!(matches!(outbox.commit(record(outbox.next_slot())), Err(StoreError::MustReopen)));
    std::fs::remove_file(folder.path().join("blobs")).unwrap();
    let mut outbox = outbox.reopen().unwrap();
    assert!(!outbox.holds(&case_id(2)).unwrap());
    fill(&mut outbox, 1);
    assert!(outbox.holds(&case_id(2)).unwrap());
}

/// After a sync that failed, Linux keeps the pages readable and never writes them again: a log that can be read need not
/// be on the disk. So an opening puts what it finds into the database file, with syncs of its own.
#[test]
fn what_an_opening_finds_does_not_rest_on_the_log() {
    let [dead, again, without_log] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let mut outbox = Outbox::open(dead.path(), TERMINAL).unwrap();
    fill(&mut outbox, 3);
    let copy = |from: &tempfile::TempDir, name: &str, to: &tempfile::TempDir| {
        std::fs::copy(from.path().join(name), to.path().join(name)).unwrap();
    };
    // A process that was killed: nothing was written back.
    copy(&dead, "outbox.db", &again);
    copy(&dead, "outbox.db-wal", &again);
    let found = Outbox::open(again.path(), TERMINAL).unwrap();
    assert_eq!(found.head(), 3);
    copy(&again, "outbox.db", &without_log);
    assert_eq!(Outbox::open(without_log.path(), TERMINAL).unwrap().head(), 3);
}
