//! The audit chain: what it writes, that it cannot carry personal data, and that every change of a row is named.

use kiosk_store::*;
use rusqlite::Connection;

fn events() -> Vec<(i64, AuditEvent)> {
    let record = AuditId::parse("6f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d").unwrap();
    let item = AuditCode::new("hotline-12345").unwrap();
    vec![
        (1, AuditEvent::SessionStarted),
        (2, AuditEvent::ItemOpened { item }),
        (3, AuditEvent::CardReadFailed { cause: CardReadFailedCause::NotACard }),
        (4, AuditEvent::CaseFinalised { record, item, seq: 7, took: 12 }),
        (5, AuditEvent::SessionEnded { reason: SessionEndedReason::Finished, length: 93_000 }),
    ]
}

#[test]
fn events_are_written_as_declared_and_the_chain_holds() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(AuditLog::verify(folder.path(), "kiosk").unwrap(), None);
    let mut log = AuditLog::open(folder.path(), "kiosk").unwrap();
    log.record_all(&events()).unwrap();
    drop(log);
    let mut log = AuditLog::open(folder.path(), "kiosk").unwrap();
    log.record(6, &AuditEvent::SessionWiped).unwrap();
    let rows = AuditLog::read(folder.path(), "kiosk", 3, 2).unwrap();
    assert_eq!((rows[0].name.as_str(), rows[0].fields.as_str()), ("card_read_failed", "cause=not-a-card"));
    assert_eq!(
        rows[1].fields,
        "record=6f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d item=hotline-12345 seq=7 took=12"
    );
    let report = AuditLog::verify(folder.path(), "kiosk").unwrap().unwrap();
    assert_eq!((report.rows, report.first_broken), (6, None));
}

#[test]
fn the_first_broken_row_is_named() {
    for (sql, broken) in [
        ("UPDATE event SET at_ms = 9 WHERE seq = 2", 2),
        ("UPDATE event SET fields = 'item=other' WHERE seq = 2", 2),
        ("UPDATE event SET name = 'session_wiped' WHERE seq = 4", 4),
        ("UPDATE event SET hash = (SELECT hash FROM event WHERE seq = 1) WHERE seq = 5", 5),
        ("DELETE FROM event WHERE seq = 3", 3),
        ("DELETE FROM event WHERE seq = 1", 1),
        ("DELETE FROM event WHERE seq = 3; UPDATE event SET seq = seq - 1 WHERE seq > 3", 3),
    ] {
        let folder = tempfile::tempdir().unwrap();
        AuditLog::open(folder.path(), "kiosk").unwrap().record_all(&events()).unwrap();
        let db = Connection::open(folder.path().join("audit-kiosk.db")).unwrap();
        assert!(db.execute_batch(sql).is_err(), "not without breaking the seal first: {sql}");
        db.execute_batch("DROP TRIGGER event_is_fixed_update; DROP TRIGGER event_is_fixed_delete").unwrap();
        db.execute_batch(sql).unwrap();
        let report = AuditLog::verify(folder.path(), "kiosk").unwrap().unwrap();
        assert_eq!(report.first_broken, Some(broken), "{sql}");
    }
}

#[test]
fn a_damaged_end_is_noticed_at_open() {
    let folder = tempfile::tempdir().unwrap();
    AuditLog::open(folder.path(), "agent").unwrap().record(1, &AuditEvent::HelloOk { waiting: 3 }).unwrap();
    let db = Connection::open(AuditLog::path(folder.path(), "agent")).unwrap();
    db.execute_batch("DROP TRIGGER event_is_fixed_update; UPDATE event SET fields = 'waiting=0'").unwrap();
    let error = AuditLog::open(folder.path(), "agent").err().unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(error.to_string().contains("row 1"), "{error}");
}

#[test]
fn an_event_of_another_process_and_a_second_writer_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = AuditLog::open(folder.path(), "kiosk").unwrap();
    let foreign = AuditEvent::HelloOk { waiting: 0 };
    assert!(matches!(log.record(1, &foreign), Err(StoreError::OtherChain("hello_ok"))));
    assert!(matches!(AuditLog::open(folder.path(), "kiosk").err(), Some(StoreError::AnotherWriter(_))));
    AuditLog::open(folder.path(), "agent").unwrap().record(1, &foreign).unwrap();
}

#[test]
fn no_value_can_carry_a_person() {
    for private in [
        "990001199001011005",
        "99000119900101100X",
        "99000119900101100x",
        "13800000000",
        "1990-01-01",
        "19900101",
        "陈桂英",
        "Chan Kwai Ying",
        "",
        "a=b c",
        "line\nbreak",
    ] {
        assert_eq!(AuditCode::new(private), None, "{private}");
        assert_eq!(AuditCode::or_dash(private).as_str(), "-");
    }
    assert!(AuditCode::new(&"a".repeat(AuditCode::MAX + 1)).is_none());
    for fine in ["hotline-12345", "DG0001", "114419007330010F3440111031001"] {
        assert_eq!(AuditCode::new(fine).unwrap().as_str(), fine);
    }
    for no_id in [
        "",
        "990001199001011005",
        "6f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3",
        "+f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d",
    ] {
        assert_eq!(AuditId::parse(no_id), None, "{no_id}");
    }
    assert_eq!(AuditId::or_nil("x").to_string(), "00000000-0000-0000-0000-000000000000");
}

#[test]
fn every_event_has_words_a_process_and_a_role() {
    assert!(AUDIT_EVENTS.len() >= 20);
    for info in AUDIT_EVENTS {
        assert!(!info.zh.is_ascii() && info.en.is_ascii(), "{}", info.name);
        assert!(
            ["kiosk", "agent"].contains(&info.process)
                && ["citizen", "terminal", "city"].contains(&info.role)
        );
    }
    for (_, event) in events() {
        assert!(AUDIT_EVENTS.contains(event.info()));
    }
    assert_eq!(AuditEvent::SessionStarted.info().zh, "开始一次使用");
}
