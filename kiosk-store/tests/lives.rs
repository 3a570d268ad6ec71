//! Voids, new lives of the queue, room given back, and the reserve.

mod support;

use std::collections::BTreeSet;

use kiosk_store::*;
use rusqlite::Connection;
use support::*;

fn damage(folder: &tempfile::TempDir, row: u64) {
    let db = Connection::open(folder.path().join("outbox.db")).unwrap();
    db.execute_batch(&format!(
        "DROP TRIGGER record_is_sealed_update; UPDATE record SET ciphertext = x'00' WHERE seq = {row}"
    ))
    .unwrap();
}

fn void(damaged: &Damaged, number: u64) -> NewVoid {
    NewVoid {
        incarnation: damaged.incarnation.clone(),
        seq: damaged.seq,
        case_id: case_id(number),
        manifest: format!("header.void-of-{}.signature", damaged.seq),
        at_ms: 7,
    }
}

#[test]
fn a_damaged_record_is_closed_and_the_rest_flows_on() {
    let folder = tempfile::tempdir().unwrap();
    fill(&mut Outbox::open(folder.path(), TERMINAL).unwrap(), 4);
    damage(&folder, 2);
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    assert!(!outbox.must_repair(), "the end of the chain is whole");
    assert!(outbox.verify_all().is_err());
    let damaged = outbox.damaged().unwrap();
    assert_eq!(damaged.iter().map(|damaged| damaged.seq).collect::<Vec<_>>(), [2]);
    assert_eq!(damaged[0].case_id, case_id(2));
    let before = record(Slot { seq: 1, prev_hash: "0".repeat(64) });
    assert_eq!(damaged[0].prev_hash, sha256(before.manifest.as_bytes()));

    outbox.close_with_void(&void(&damaged[0], 200)).unwrap();
    assert!(outbox.close_with_void(&void(&damaged[0], 201)).is_err(), "closed once");
    assert!(outbox.damaged().unwrap().is_empty());
    outbox.verify_all().unwrap();
    fill(&mut outbox, 1);
    let reader = OutboxReader::open(folder.path()).unwrap().unwrap();
    let sent = reader.record(2).unwrap().unwrap();
    assert_eq!((sent.seq, sent.kind, sent.case_id), (2, RecordKind::Void, case_id(200)));
    assert_eq!((sent.ciphertext.len(), sent.sha256), (0, sha256(b"")));
    assert_eq!(reader.records(1, 10).unwrap().len(), 5, "no place is left out");
    assert_eq!(reader.record(3).unwrap().unwrap().kind, RecordKind::Case);
}

#[test]
fn a_damaged_last_record_begins_a_new_life_and_the_old_one_is_still_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    fill(&mut outbox, 3);
    let old = outbox.incarnation().to_owned();
    drop(outbox);
    damage(&folder, 3);
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    assert!(outbox.must_repair());
    for (number, damaged) in outbox.damaged().unwrap().iter().enumerate() {
        outbox.close_with_void(&void(damaged, 300 + number as u64)).unwrap();
    }
    let watching = OutboxReader::open(folder.path()).unwrap().unwrap();
    assert!(watching.is_current());
    outbox.begin_incarnation(BegunBecause::Repaired, 5).unwrap();
    assert!(!watching.is_current(), "a reader of the old life notices the new one");
    assert_ne!(outbox.incarnation(), old);
    assert_eq!(outbox.next_slot(), Slot { seq: 1, prev_hash: "0".repeat(64) });
    outbox.commit(other_record(outbox.next_slot(), 101)).unwrap();
    outbox.commit(other_record(outbox.next_slot(), 102)).unwrap();
    outbox.verify_all().unwrap();

    let new = OutboxReader::open(folder.path()).unwrap().unwrap();
    assert_eq!(new.incarnations().unwrap(), [old.clone(), outbox.incarnation().to_owned()]);
    assert_eq!(new.head().unwrap(), 2);
    assert_eq!(new.record(1).unwrap().unwrap().case_id, case_id(101));
    let before = OutboxReader::open_incarnation(folder.path(), &old).unwrap().unwrap();
    assert_eq!((before.head().unwrap(), before.is_current()), (3, true));
    assert_eq!(before.record(3).unwrap().unwrap().kind, RecordKind::Void);
    assert!(before.record(4).unwrap().is_none(), "the next life is not this one");
    assert_eq!(before.list(10).unwrap().len(), 3);

    drop(outbox);
    let again = Outbox::open(folder.path(), TERMINAL).unwrap();
    assert_eq!((again.incarnation(), again.head()), (new.incarnation(), 2));
}

#[test]
fn a_life_without_records_takes_the_new_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    let watching = OutboxReader::open(folder.path()).unwrap().unwrap();
    let before = outbox.incarnation().to_owned();
    outbox.begin_incarnation(BegunBecause::CopiedDisk, 1).unwrap();
    assert_ne!(outbox.incarnation(), before, "another disk may have said something under that name");
    assert!(!watching.is_current(), "a reader of the old name notices");
    fill(&mut outbox, 1);
    let reader = OutboxReader::open(folder.path()).unwrap().unwrap();
    assert_eq!(reader.incarnations().unwrap(), [outbox.incarnation()]);
    assert_eq!(reader.head().unwrap(), 1);
    let db = Connection::open(folder.path().join("outbox.db")).unwrap();
    assert!(db.execute("UPDATE incarnation SET name = 'another'", []).is_err(), "with a record it is fixed");
}

/// The image was put back to before the first record, whose receipt is there: what comes now has no receipt yet.
#[test]
fn an_empty_older_image_takes_no_receipt_for_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    let before = outbox.incarnation().to_owned();
    accepted(&folder, &before, 1, AcknowledgementStatus::Accepted);
    drop(outbox);
    outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    assert!(outbox.must_repair());
    outbox.begin_incarnation(BegunBecause::Repaired, 1).unwrap();
    outbox.commit(record(outbox.next_slot())).unwrap();
    let delivery = DeliveryReader::open(folder.path()).unwrap().unwrap();
    assert!(!delivery.is_acknowledged(outbox.incarnation(), 1).unwrap());
}

fn accepted(folder: &tempfile::TempDir, incarnation: &str, seq: u64, status: AcknowledgementStatus) {
    let receipt = Acknowledgement {
        incarnation: incarnation.into(),
        seq,
        receipt: "receipt".into(),
        status,
        complete: true,
        at_ms: 1,
    };
    Delivery::open(folder.path()).unwrap().record_receipts(&[receipt]).unwrap();
}

/// The city took these over, and says that it holds them for good.
fn durable(folder: &tempfile::TempDir, incarnation: &str, seq: u64) {
    (1..=seq).for_each(|seq| accepted(folder, incarnation, seq, AcknowledgementStatus::Accepted));
    let mut delivery = Delivery::open(folder.path()).unwrap();
    delivery.set_epoch("e-1").unwrap();
    let sync = Sync {
        incarnation: incarnation.into(),
        now_ms: 1,
        city_ahead_ms: 0,
        epoch: "e-1".into(),
        durable_seq: seq,
        continuity: None,
        begin_incarnation: false,
    };
    delivery.record_sync(&sync).unwrap();
}

#[test]
fn only_what_is_durable_and_old_enough_gives_its_room_back() {
    const FOR_EVER: i64 = i64::MAX;
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    let mut first = record(outbox.next_slot());
    first.blobs = vec![blob("only here"), blob("twice")];
    outbox.commit(first).unwrap();
    fill(&mut outbox, 1);
    let mut third = record(outbox.next_slot());
    third.blobs = vec![blob("twice")];
    outbox.commit(third).unwrap();
    assert_eq!(outbox.purge(FOR_EVER, 1).unwrap(), 0, "no delivery log, nothing durable");
    durable(&folder, outbox.incarnation(), 2);
    assert_eq!(outbox.purge(0, 1).unwrap(), 0, "too young");
    assert_eq!(outbox.purge(FOR_EVER, 1).unwrap(), 2);
    assert_eq!(outbox.purge(FOR_EVER, 1).unwrap(), 0, "once");
    outbox.verify_all().unwrap();
    assert!(outbox.damaged().unwrap().is_empty());
    let reader = OutboxReader::open(folder.path()).unwrap().unwrap();
    assert!(reader.record(1).unwrap().is_none());
    assert!(reader.record(3).unwrap().is_some());
    // Who asks the city about it later still knows its name; of what is here there is nothing to ask.
    let known_as = reader.given_back(1).unwrap();
    assert!(matches!(&known_as[..], [(case_id, hash)] if !case_id.is_empty() && hash.len() == 64));
    assert!(reader.given_back(3).unwrap().is_empty() && reader.given_back(4).unwrap().is_empty());
    assert!(reader.blob(&sha256(b"only here")).is_err());
    assert!(reader.blob(&sha256(b"twice")).is_ok(), "the third record still needs it");
    assert_eq!(reader.head().unwrap(), 3);
    drop(outbox);
    assert_eq!(Outbox::open(folder.path(), TERMINAL).unwrap().next_slot().seq, 4);
}

#[test]
fn what_power_cuts_left_in_the_blob_folder_is_swept_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    assert_eq!(outbox.sweep().unwrap(), 0, "there is no folder yet");
    for blobs in [["given back", "twice"], ["kept", "twice"]] {
        let mut next = record(outbox.next_slot());
        next.blobs = blobs.map(blob).into();
        outbox.commit(next).unwrap();
    }
    durable(&folder, outbox.incarnation(), 1);
    assert_eq!(outbox.purge(i64::MAX, 1).unwrap(), 1);
    // As cuts leave it: the blob not yet removed, one that was being written, one whose record was never committed.
    let blobs = folder.path().join("blobs");
    let names = [sha256(b"given back"), format!(".{}.part", sha256(b"begun")), sha256(b"not committed")];
    names.iter().for_each(|name| std::fs::write(blobs.join(name), "bytes").unwrap());
    assert_eq!(outbox.sweep().unwrap(), 2);
    let left: BTreeSet<_> = std::fs::read_dir(&blobs)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    // Whoever lost a row must not lose its blob as well.
    let kept = [sha256(b"kept"), sha256(b"twice"), sha256(b"not committed")];
    assert_eq!(left, BTreeSet::from(kept));
    assert_eq!(outbox.sweep().unwrap(), 0);
}

/// By place it is durable, but another record has that place.
#[test]
fn what_was_kept_aside_as_a_conflict_is_never_given_back_and_sent_again_after_a_restore() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    fill(&mut outbox, 70);
    let life = outbox.incarnation().to_owned();
    durable(&folder, &life, 70);
    let db = Connection::open(folder.path().join("delivery.db")).unwrap();
    db.execute("UPDATE acknowledgement SET status = 'conflict-recorded' WHERE seq <= 66", []).unwrap();
    drop(db);
    assert_eq!(outbox.purge(i64::MAX, 1).unwrap(), 4);
    assert_eq!(outbox.purge(i64::MAX, 1).unwrap(), 0);
    let mut delivery = Delivery::open(folder.path()).unwrap();
    assert_eq!(delivery.forget_not_durable(&life, 70, "e-2", 2).unwrap(), 66);
    assert_eq!(delivery.acknowledged(&life).unwrap(), [(67, 70)]);
}

#[test]
fn what_an_earlier_life_of_the_city_called_durable_counts_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    fill(&mut outbox, 2);
    durable(&folder, outbox.incarnation(), 2);
    Delivery::open(folder.path()).unwrap().set_epoch("e-2").unwrap();
    assert_eq!(outbox.purge(i64::MAX, 1).unwrap(), 0);
}

#[test]
fn the_reserve_is_given_up_once_for_a_case_that_is_already_begun() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    assert!(outbox.keep_reserve(1 << 20).unwrap());
    assert!(folder.path().join("reserve").exists());
    outbox.limit_pages(1).unwrap();
    let full = loop {
        let mut large = record(outbox.next_slot());
        large.ciphertext = vec![7; 50_000];
        large.sha256 = sha256(&large.ciphertext);
        if let Err(error) = outbox.commit(large) {
            break error;
        }
    };
    // The limit of the test is on pages, not on the disk, so the second try fails like the first: said, nothing lost.
    assert_eq!(full.kind(), StoreErrorKind::DiskFull);
    assert!(!folder.path().join("reserve").exists(), "it was given up for the second try");
    outbox.limit_pages(0).unwrap();
    fill(&mut outbox, 1);
    outbox.verify_all().unwrap();
}
