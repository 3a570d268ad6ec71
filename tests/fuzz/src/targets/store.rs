//! The terminal's databases after the disk changed bytes of them.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use kiosk_store::{
    Acknowledgement, AcknowledgementStatus, Attempt, AuditCode, AuditEvent, AuditLog, BegunBecause, Delivery,
    DeliveryReader, NewRecord, NewVoid, Outbox, OutboxReader, PrintState, RecordKind, SealedBlob, Slot, Stub,
    Sync,
};
use rusqlite::Connection;
use sync_protocol::sha256_hex;

use crate::{Target, scratch};

/// Code of the terminal.
const TERMINAL: &str = "DG0001";

/// The files that are changed.
pub(super) const FILES: [&str; 3] = ["outbox.db", "delivery.db", "audit-kiosk.db"];

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "store-bytes",
        decodes: "outbox.db, delivery.db and audit-kiosk.db with changed bytes: readers, writers, checks and repair",
        inputs: 500,
        seeds,
        run,
    }]
}

/// A state folder with two lives of a queue, records with and without a blob, and what the city said of them.
pub(super) static STATE: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = scratch::folder();
    let state = folder.path();
    let mut outbox = Outbox::open(state, TERMINAL).expect("an outbox can be made");
    for life in 0..2 {
        for _ in 0..2 {
            outbox.commit(record(outbox.next_slot(), life)).expect("a record can be kept");
        }
        if life == 0 {
            outbox.begin_incarnation(BegunBecause::CopiedDisk, 1_795_300_000_000).expect("a life can begin");
        }
    }
    let life = outbox.incarnation().to_owned();
    let mut delivery = Delivery::open(state).expect("a delivery log can be made");
    delivery.record_receipts(&[receipt(&life)]).expect("a receipt can be noted");
    delivery.record_attempts(&life, &[attempt()]).expect("an attempt can be noted");
    delivery.record_sync(&sync(&life)).expect("a sync can be noted");
    let mut audit = AuditLog::open(state, "kiosk").expect("a chain can be made");
    let event = AuditEvent::ConsentGiven { item: AuditCode::or_dash("hotline-12345"), version: 1 };
    audit.record_all(&[(1, event), (2, event)]).expect("events can be noted");
    drop((outbox, delivery, audit));
    // Out of the log and into the file, where the changes are made.
    for name in FILES {
        let db = Connection::open(state.join(name)).expect("our own file can be opened");
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("the log can be emptied");
    }
    folder
});

fn record(slot: Slot, life: u8) -> NewRecord {
    let case_id = format!("00000000-0000-4000-8{life:03x}-{:012x}", slot.seq);
    let ciphertext = format!("sealed content {}", slot.seq).repeat(20).into_bytes();
    let blob = SealedBlob { sha256: sha256_hex(b"a sealed photo"), bytes: b"a sealed photo".to_vec() };
    let stub = Stub {
        case_id: case_id.clone(),
        case_number: format!("DG0001-{}", slot.seq),
        item: "hotline-12345".into(),
        verification: "V".into(),
        finalised_at_ms: 1_795_300_000_000,
        print: PrintState::NotPrinted,
    };
    NewRecord {
        case_id,
        kind: RecordKind::Case,
        manifest: format!("header.manifest-{}-{}.signature", slot.seq, slot.prev_hash),
        sha256: sha256_hex(&ciphertext),
        ciphertext,
        finalised_at_ms: 1_795_300_000_000,
        blobs: if slot.seq == 1 { vec![blob] } else { Vec::new() },
        stub: Some(stub),
        slot,
    }
}

fn receipt(life: &str) -> Acknowledgement {
    Acknowledgement {
        incarnation: life.into(),
        seq: 1,
        status: AcknowledgementStatus::Accepted,
        receipt: "a.b.c".into(),
        complete: true,
        at_ms: 1_795_300_000_000,
    }
}

fn attempt() -> Attempt {
    Attempt {
        seq: 2,
        failures: 3,
        next_attempt_ms: 1_795_300_000_000,
        side_lane: true,
        last_error: "status-500".into(),
    }
}

fn sync(life: &str) -> Sync {
    Sync {
        incarnation: life.into(),
        now_ms: 1_795_300_000_000,
        city_ahead_ms: -5,
        epoch: "e-1".into(),
        durable_seq: 1,
        continuity: Some("token".into()),
        begin_incarnation: false,
    }
}

/// Changes of bytes: which file, where (24 bits), to what.
const CHANGE: usize = 5;

fn seeds() -> Vec<Vec<u8>> {
    let change = |file: u8, at: u32, to: u8| -> [u8; CHANGE] {
        let [_, high, middle, low] = at.to_be_bytes();
        [file, high, middle, low, to]
    };
    // The head of a file, the head of its first page, and one byte of every page of each file.
    let mut seeds = vec![change(0, 16, 0).to_vec(), change(0, 100, 0).to_vec(), change(1, 28, 255).to_vec()];
    for (file, name) in FILES.iter().enumerate() {
        let length = fs::metadata(STATE.path().join(name)).map_or(0, |found| found.len());
        let pages = (0..length / 4096).map(|page| (page * 4096) as u32);
        seeds.extend(
            pages
                .flat_map(|at| [change(file as u8, at + 3, 1), change(file as u8, at + 4000, 0x80)])
                .map(Vec::from),
        );
    }
    seeds
}

fn run(bytes: &[u8]) {
    let folder = scratch::folder();
    scratch::copy_all(STATE.path(), folder.path());
    for (file, name) in FILES.iter().enumerate() {
        let path = folder.path().join(name);
        let Ok(mut content) = fs::read(&path) else { continue };
        let (changes, _) = bytes.as_chunks::<CHANGE>();
        for [which, high, middle, low, to] in changes.iter().take(64) {
            let at = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
            if usize::from(*which) % FILES.len() == file && !content.is_empty() {
                let at = at % content.len();
                content[at] = *to;
            }
        }
        fs::write(&path, content).expect("a file can be written");
    }
    exercise(folder.path());
}

/// Everything a terminal does with its databases. Whatever they hold, it is done or refused with a sentence.
pub(super) fn exercise(state: &Path) {
    read(state);
    if let Ok(mut outbox) = Outbox::open(state, TERMINAL) {
        write(&mut outbox);
    }
    if let Ok(mut delivery) = Delivery::open(state) {
        for life in ["", "no such life"] {
            let _ = (delivery.acknowledged(life), delivery.incomplete(life), delivery.attempts(life));
        }
        let _ = (delivery.epoch(), delivery.last_sync_ms(), delivery.set_epoch("e-2"));
        let _ = (delivery.record_receipts(&[receipt("l")]), delivery.record_attempts("l", &[attempt()]));
        let _ = (delivery.record_sync(&sync("l")), delivery.record_silence());
    }
    for process in ["kiosk", "agent"] {
        let _ = (AuditLog::verify(state, process), AuditLog::read(state, process, 0, 50));
        let _ = AuditLog::open(state, process);
    }
}

fn read(state: &Path) {
    let Ok(Some(newest)) = OutboxReader::open(state) else { return };
    let delivery = DeliveryReader::open(state).ok().flatten();
    for life in newest.incarnations().unwrap_or_default() {
        if let Some(delivery) = &delivery {
            let _ = (delivery.counts(&life), delivery.acknowledged(&life), delivery.incomplete(&life));
            let _ =
                (delivery.last_acknowledged(&life), delivery.durable_seq(&life), delivery.continuity(&life));
            let _ =
                (delivery.attempts(&life), delivery.must_leave(&life), delivery.acknowledgement(&life, 1));
        }
        let Ok(Some(queue)) = OutboxReader::open_incarnation(state, &life) else { continue };
        let head = queue.head().unwrap_or(0);
        for seq in [0, 1, 2, 3, 4, head, head.saturating_add(1), u64::MAX] {
            let _ = (queue.record(seq), queue.finalised_at_ms(seq), queue.manifest_hash(seq));
            let _ = (queue.records(seq, 8), queue.bytes_between(seq, head), queue.bytes_between(1, seq));
            for blob in queue.blobs_of(seq).unwrap_or_default() {
                if let Ok(bytes) = queue.blob(&blob.sha256) {
                    assert_eq!(
                        sha256_hex(&bytes),
                        blob.sha256,
                        "a blob that is read is the one that was asked for"
                    );
                }
            }
        }
        let _ = (queue.list(8), queue.stubs(8), queue.given_back(1), queue.is_current());
    }
    if let Some(delivery) = &delivery {
        let _ =
            (delivery.epoch(), delivery.last_sync_ms(), delivery.is_city_silent(), delivery.city_ahead_ms());
    }
}

fn write(outbox: &mut Outbox) {
    let _ = (outbox.verify_all(), outbox.must_repair(), outbox.head());
    let _ = (
        outbox.recent_stub(1_795_300_000_001, 600_000),
        outbox.holds("00000000-0000-4000-8000-000000000001"),
    );
    for (number, lost) in outbox.damaged().unwrap_or_default().into_iter().enumerate() {
        let _ = outbox.close_with_void(&NewVoid {
            incarnation: lost.incarnation,
            seq: lost.seq,
            case_id: format!("00000000-0000-4000-9000-{number:012x}"),
            manifest: "a.void.b".into(),
            at_ms: 1_795_300_000_001,
        });
    }
    let _ = outbox.purge(i64::MAX, 1_795_300_000_001);
    let _ = outbox.sweep();
    if outbox.commit(record(outbox.next_slot(), 9)).is_ok() {
        assert!(outbox.head() > 0, "what was kept has a place");
    }
    let _ = outbox.begin_incarnation(BegunBecause::Repaired, 1_795_300_000_002);
}
