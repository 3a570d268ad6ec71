//! The delivery log: verified receipts, retries, and what a restored city forgets.

use kiosk_store::*;

fn receipt(seq: u64, status: AcknowledgementStatus) -> Acknowledgement {
    Acknowledgement {
        incarnation: "i1".into(),
        seq,
        receipt: format!("receipt {seq}"),
        status,
        complete: true,
        at_ms: seq as i64,
    }
}

fn accepted(seqs: impl IntoIterator<Item = u64>) -> Vec<Acknowledgement> {
    seqs.into_iter().map(|seq| receipt(seq, AcknowledgementStatus::Accepted)).collect()
}

#[test]
fn receipts_become_ranges_and_survive() {
    let folder = tempfile::tempdir().unwrap();
    assert!(DeliveryReader::open(folder.path()).unwrap().is_none());
    let mut delivery = Delivery::open(folder.path()).unwrap();
    delivery.record_receipts(&accepted([1, 2, 3, 7, 9, 10])).unwrap();
    delivery.record_receipts(&[receipt(4, AcknowledgementStatus::ConflictRecorded)]).unwrap();
    assert_eq!(delivery.acknowledged("i1").unwrap(), [(1, 4), (7, 7), (9, 10)]);
    assert!(delivery.acknowledged("i2").unwrap().is_empty(), "another life of the queue");
    drop(delivery);
    let reader = DeliveryReader::open(folder.path()).unwrap().unwrap();
    assert_eq!(reader.acknowledged("i1").unwrap(), [(1, 4), (7, 7), (9, 10)]);
    assert!(reader.is_acknowledged("i1", 7).unwrap() && !reader.is_acknowledged("i1", 8).unwrap());
    assert_eq!(reader.last_acknowledged("i1").unwrap(), Some(10));
    assert_eq!(reader.acknowledgement("i1", 3).unwrap(), Some(receipt(3, AcknowledgementStatus::Accepted)));
    let counts = reader.counts("i1").unwrap();
    assert_eq!((counts.acknowledged, counts.conflicts), (7, 1));
}

#[test]
fn attempts_are_kept_until_a_receipt_comes() {
    let folder = tempfile::tempdir().unwrap();
    let mut delivery = Delivery::open(folder.path()).unwrap();
    let attempt = |seq, failures, side_lane| Attempt {
        seq,
        failures,
        next_attempt_ms: 99,
        side_lane,
        last_error: "status-400".into(),
    };
    delivery.record_attempts("i1", &[attempt(3, 1, false), attempt(4, 2, false)]).unwrap();
    delivery.record_attempts("i1", &[attempt(4, 3, true)]).unwrap();
    assert_eq!(delivery.attempts("i1").unwrap(), [attempt(3, 1, false), attempt(4, 3, true)]);
    let reader = DeliveryReader::open(folder.path()).unwrap().unwrap();
    assert_eq!((reader.counts("i1").unwrap().retrying, reader.counts("i1").unwrap().side_lane), (2, 1));
    delivery.record_receipts(&accepted([4])).unwrap();
    assert_eq!(delivery.attempts("i1").unwrap(), [attempt(3, 1, false)]);
}

#[test]
fn a_new_epoch_forgets_only_what_was_not_durable_and_keeps_the_proof() {
    let folder = tempfile::tempdir().unwrap();
    let mut delivery = Delivery::open(folder.path()).unwrap();
    assert_eq!(delivery.epoch().unwrap(), None);
    delivery.set_epoch("e1").unwrap();
    delivery.record_receipts(&accepted(1..=6)).unwrap();
    assert_eq!(delivery.forget_not_durable("i1", 4, "e2", 77).unwrap(), 2);
    assert_eq!(delivery.acknowledged("i1").unwrap(), [(1, 4)]);
    assert_eq!(delivery.epoch().unwrap().as_deref(), Some("e2"));
    let db = rusqlite::Connection::open(folder.path().join("delivery.db")).unwrap();
    let proofs: i64 =
        db.query_row("SELECT count(*) FROM former_acknowledgement", [], |row| row.get(0)).unwrap();
    assert_eq!(proofs, 2);
    assert!(db.execute_batch("DELETE FROM former_acknowledgement").is_err());
    delivery.record_receipts(&accepted([5, 6])).unwrap();
    assert_eq!(delivery.acknowledged("i1").unwrap(), [(1, 6)]);
}

#[test]
fn the_last_answer_of_the_city_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut delivery = Delivery::open(folder.path()).unwrap();
    assert_eq!(delivery.last_sync_ms().unwrap(), None);
    let sync = Sync {
        incarnation: "life".into(),
        now_ms: 1_795_300_000_000,
        city_ahead_ms: -250,
        epoch: "e-1".into(),
        durable_seq: 0,
        continuity: None,
        begin_incarnation: false,
    };
    delivery.record_sync(&sync).unwrap();
    let reader = DeliveryReader::open(folder.path()).unwrap().unwrap();
    assert!(!reader.is_city_silent().unwrap());
    delivery.record_silence().unwrap();
    assert!(reader.is_city_silent().unwrap());
    delivery.record_sync(&sync).unwrap();
    assert!(!reader.is_city_silent().unwrap());
    assert_eq!(reader.last_sync_ms().unwrap(), Some(1_795_300_000_000));
    assert_eq!(reader.city_ahead_ms().unwrap(), Some(-250));
}

#[test]
fn a_damaged_log_is_put_aside_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut delivery = Delivery::open(folder.path()).unwrap();
    delivery.record_receipts(&accepted([1])).unwrap();
    assert!(matches!(Delivery::put_aside(folder.path()), Err(StoreError::AnotherWriter(_))));
    drop(delivery);
    std::fs::write(folder.path().join("delivery.db"), b"damaged".repeat(1000)).unwrap();
    std::fs::remove_file(folder.path().join("delivery.db-wal")).unwrap();
    assert_eq!(Delivery::open(folder.path()).err().unwrap().kind(), StoreErrorKind::Corrupt);
    for number in 1..=2 {
        Delivery::put_aside(folder.path()).unwrap();
        assert!(folder.path().join(format!("delivery.db.damaged-{number}")).exists());
        drop(Delivery::open(folder.path()).unwrap());
    }
    assert!(Delivery::open(folder.path()).unwrap().acknowledged("i1").unwrap().is_empty());
}

#[test]
fn the_tpms_counter_is_remembered_with_what_follows_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut delivery = Delivery::open(folder.path()).unwrap();
    let reader = || DeliveryReader::open(folder.path()).unwrap().unwrap();
    assert_eq!(reader().tpm_memory().unwrap(), None);
    let memory = TpmMemory { counter: u64::MAX, boot_id: "boot-1".into() };
    delivery.remember_tpm(Some(&memory), None).unwrap();
    assert_eq!(reader().tpm_memory().unwrap(), Some(memory));
    assert!(!reader().must_leave("life-1").unwrap());
    // The counter is gone, and the life of the queue has to end: both or neither.
    delivery.remember_tpm(None, Some("life-1")).unwrap();
    assert_eq!(reader().tpm_memory().unwrap(), None);
    assert!(reader().must_leave("life-1").unwrap() && !reader().must_leave("life-2").unwrap());
    // What is remembered later takes nothing of it back.
    delivery.remember_tpm(Some(&TpmMemory { counter: 1, boot_id: String::new() }), None).unwrap();
    assert!(reader().must_leave("life-1").unwrap());
    let db = rusqlite::Connection::open(folder.path().join("delivery.db")).unwrap();
    db.execute("UPDATE meta SET value = '1x' WHERE key = 'tpm_counter'", []).unwrap();
    assert_eq!(reader().tpm_memory().unwrap(), None, "a damaged value is none");
}
