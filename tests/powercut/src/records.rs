//! Made-up records, sealed as far as a disk can tell.

use kiosk_store::{PrintState, RecordKind, Stub};
use sha2::{Digest, Sha256};

use crate::chance::Chance;
use crate::story::{Handed, Story};
use crate::terminal::{ITEM, TERMINAL};

/// What a made-up resident entered; none of it may be found on the disk.
pub const ENTERED: [&str; 2] = ["测试甲乙丙丁", "990001209912319997"];

/// A sealed record: random bytes over what the resident entered, as a cipher leaves them. Cases have none, one or two
/// blobs, most of them small and some the size of a photo.
pub fn make_record(chance: &mut Chance, story: &Story, kind: RecordKind, at_ms: i64) -> Handed {
    let at = story.handed.len();
    let (high, low) = (chance.next(), chance.next());
    let case_id = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    );
    let length = match (kind, chance.below(16)) {
        (RecordKind::Rating | RecordKind::Void, _) => 400,
        (RecordKind::Case, 0) => 30_000,
        (RecordKind::Case, _) => 900 + chance.below(4000),
    };
    let ciphertext = sealed(chance, length);
    let is_case = kind == RecordKind::Case;
    let blobs = if is_case && chance.once_in(2) { 1 + chance.below(2) } else { 0 };
    let blobs = (0..blobs)
        .map(|_| {
            let length = if chance.once_in(6) { 300_000 } else { 200 + chance.below(9000) };
            let bytes = sealed(chance, length);
            (sha256(&bytes), bytes)
        })
        .collect();
    let sha256 = sha256(&ciphertext);
    let stub = is_case.then(|| Stub {
        case_id: case_id.clone(),
        case_number: format!("{TERMINAL}-{at:06}-7"),
        item: ITEM.into(),
        verification: format!("V{low:012x}"),
        finalised_at_ms: at_ms,
        print: PrintState::NotPrinted,
    });
    let manifest = format!("eyJhbGciOiJFUzI1NiJ9.{case_id}{sha256}{}.{}", "m".repeat(600), "s".repeat(86));
    Handed { case_id, kind, manifest, ciphertext, sha256, finalised_at_ms: at_ms, blobs, stub }
}

fn sealed(chance: &mut Chance, length: usize) -> Vec<u8> {
    let entered = ENTERED.join(" ").into_bytes();
    let mut bytes = vec![0; length];
    chance.fill(&mut bytes);
    for (byte, entered) in bytes.iter_mut().zip(entered.iter().cycle()) {
        *byte ^= entered;
    }
    bytes
}

/// SHA-256 in hex, as the store writes it.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
