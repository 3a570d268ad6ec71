//! The outbox as its two users see it: the kiosk that writes, the agent that reads.

mod support;

use kiosk_store::*;
use support::*;

#[test]
fn what_was_committed_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    assert!(OutboxReader::open(folder.path()).unwrap().is_none(), "nothing there yet");
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    let reader = OutboxReader::open(folder.path()).unwrap().expect("made by the writer");
    assert_eq!((outbox.head(), reader.head().unwrap()), (0, 0));
    assert_eq!(reader.incarnation(), outbox.incarnation());
    assert_eq!(outbox.incarnation().len(), 32);

    let mut first = record(outbox.next_slot());
    first.blobs = vec![blob("a sealed photo"), blob("another")];
    let (manifest, ciphertext) = (first.manifest.clone(), first.ciphertext.clone());
    outbox.commit(first).unwrap();
    assert_eq!(outbox.next_slot(), Slot { seq: 2, prev_hash: sha256(manifest.as_bytes()) });
    assert_eq!(reader.head().unwrap(), 1, "a reader sees it at once, while the writer is open");
    let stored = reader.record(1).unwrap().unwrap();
    assert_eq!((stored.manifest, stored.ciphertext), (manifest, ciphertext));
    assert_eq!(stored.kind, RecordKind::Case);
    assert_eq!(reader.blob(&sha256(b"a sealed photo")).unwrap(), b"a sealed photo");
    assert!(reader.blob(&sha256(b"never stored")).is_err());

    let mut rating = record(outbox.next_slot());
    (rating.kind, rating.stub) = (RecordKind::Rating, None);
    outbox.commit(rating).unwrap();
    fill(&mut outbox, 3);
    let page: Vec<u64> = reader.records(2, 3).unwrap().iter().map(|record| record.seq).collect();
    assert_eq!(page, [2, 3, 4]);
    assert!(reader.records(6, 10).unwrap().is_empty());
    let list = reader.list(10).unwrap();
    assert_eq!(list.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [5, 4, 3, 2, 1]);
    assert_eq!((list[3].kind, list[3].case_number.as_deref()), (RecordKind::Rating, None));
    assert_eq!(list[4].case_number.as_deref(), Some("DG0001-1"));
    outbox.verify_all().unwrap();
}

#[test]
fn the_queue_goes_on_after_a_restart_and_knows_its_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    fill(&mut outbox, 2);
    let (incarnation, slot) = (outbox.incarnation().to_owned(), outbox.next_slot());
    drop(outbox);
    assert!(matches!(Outbox::open(folder.path(), "DG0002").err(), Some(StoreError::OtherTerminal)));
    let outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    assert_eq!((outbox.incarnation(), outbox.next_slot()), (incarnation.as_str(), slot));
    let other = tempfile::tempdir().unwrap();
    let fresh = Outbox::open(other.path(), TERMINAL).unwrap();
    assert_ne!(fresh.incarnation(), incarnation, "a new queue has a new name");
}

#[test]
fn a_second_writer_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let first = Outbox::open(folder.path(), TERMINAL).unwrap();
    let second = Outbox::open(folder.path(), TERMINAL).err().unwrap();
    assert!(matches!(second, StoreError::AnotherWriter("outbox.db")));
    assert_eq!(second.kind(), StoreErrorKind::Retry);
    drop(first);
    Outbox::open(folder.path(), TERMINAL).unwrap();
    let delivery = Delivery::open(folder.path()).unwrap();
    assert!(matches!(Delivery::open(folder.path()).err(), Some(StoreError::AnotherWriter("delivery.db"))));
    drop(delivery);
}

#[test]
fn only_the_next_slot_and_true_hashes_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    let stale = outbox.next_slot();
    fill(&mut outbox, 1);
    assert!(matches!(outbox.commit(record(stale)), Err(StoreError::SlotTaken)));
    let mut wrong = record(outbox.next_slot());
    wrong.ciphertext.push(0);
    assert!(matches!(outbox.commit(wrong), Err(StoreError::HashMismatch("ciphertext"))));
    let mut wrong = record(outbox.next_slot());
    wrong.blobs = vec![SealedBlob { sha256: sha256(b"x"), bytes: b"y".to_vec() }];
    assert!(matches!(outbox.commit(wrong), Err(StoreError::HashMismatch("blob"))));
    assert_eq!(outbox.head(), 1);
}

#[test]
fn a_reader_of_another_time_notices_a_new_file() {
    let folder = tempfile::tempdir().unwrap();
    drop(Outbox::open(folder.path(), TERMINAL).unwrap());
    let reader = OutboxReader::open(folder.path()).unwrap().unwrap();
    assert!(reader.is_current());
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.path().join(format!("outbox.db{end}")));
    }
    assert!(!reader.is_current());
    drop(Outbox::open(folder.path(), TERMINAL).unwrap());
    assert!(!reader.is_current());
    assert!(OutboxReader::open(folder.path()).unwrap().unwrap().is_current());
}

#[test]
fn stubs_hold_what_printing_again_needs() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    assert_eq!(outbox.recent_stub(0, i64::MAX).unwrap(), None);
    fill(&mut outbox, 2);
    for print in [PrintState::Printing, PrintState::Failed, PrintState::Confirmed(2), PrintState::NotPrinted]
    {
        outbox.set_print_state(&case_id(2), print).unwrap();
        assert_eq!(outbox.stub(&case_id(2)).unwrap().unwrap().print, print);
    }
    assert!(matches!(outbox.set_print_state(&case_id(9), PrintState::Failed), Err(StoreError::NotFound)));
    assert_eq!(outbox.stub(&case_id(9)).unwrap(), None);
    assert_eq!(outbox.stub(&case_id(1)).unwrap().unwrap().case_number, "DG0001-1");
    let at = 1_795_300_000_002;
    let offered = |now: i64| outbox.recent_stub(now, 600_000).unwrap().map(|stub| stub.case_id);
    assert_eq!(offered(at), Some(case_id(2)));
    assert_eq!(offered(at + 600_000), Some(case_id(2)));
    assert_eq!(offered(at + 600_001), None);
    assert_eq!(offered(at - 60_000), Some(case_id(2)), "the clock was set back a little");
    assert_eq!(offered(at - 86_400_000), None, "a clock set back a day offers nothing");
    assert!(outbox.holds(&case_id(2)).unwrap() && !outbox.holds(&case_id(3)).unwrap());
}

#[test]
fn admission_closes_without_room_or_without_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(admission(folder.path(), 1), Admission::Open);
    assert_eq!(admission(folder.path(), u64::MAX), Admission::Closed(ClosedBecause::DiskFull));
    assert_eq!(admission(&folder.path().join("gone"), 1), Admission::Closed(ClosedBecause::Unwritable));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the probe leaves nothing");
}
