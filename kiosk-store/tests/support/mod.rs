//! Records made up for the tests of the store.
#![allow(dead_code, reason = "each test file uses its part")]

use kiosk_store::{NewRecord, Outbox, PrintState, RecordKind, SealedBlob, Slot, Stub};
use sha2::{Digest, Sha256};

pub const TERMINAL: &str = "DG0001";

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn case_id(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

pub fn record(slot: Slot) -> NewRecord {
    let number = slot.seq;
    let ciphertext = format!("sealed content {number}").repeat(20).into_bytes();
    NewRecord {
        case_id: case_id(number),
        kind: RecordKind::Case,
        manifest: format!("header.manifest-{number}-{}.signature", slot.prev_hash),
        sha256: sha256(&ciphertext),
        ciphertext,
        finalised_at_ms: 1_795_300_000_000 + number as i64,
        blobs: Vec::new(),
        stub: Some(Stub {
            case_id: case_id(number),
            case_number: format!("DG0001-{number}"),
            item: "hotline-12345".into(),
            verification: format!("V{number}"),
            finalised_at_ms: 1_795_300_000_000 + number as i64,
            print: PrintState::NotPrinted,
        }),
        slot,
    }
}

/// A record with another id than its place gives it, for a second life of the queue.
pub fn other_record(slot: Slot, number: u64) -> NewRecord {
    let mut other = record(slot);
    other.case_id = case_id(number);
    if let Some(stub) = &mut other.stub {
        stub.case_id = case_id(number);
    }
    other
}

pub fn blob(text: &str) -> SealedBlob {
    SealedBlob { sha256: sha256(text.as_bytes()), bytes: text.as_bytes().to_vec() }
}

pub fn fill(outbox: &mut Outbox, records: u64) {
    for _ in 0..records {
        outbox.commit(record(outbox.next_slot())).unwrap();
    }
}
