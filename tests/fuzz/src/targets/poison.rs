//! Any content at all inside a good seal: it is accepted without being judged, and judging it hurts nobody.

use std::cell::RefCell;

use axum::body::Body;
use axum::http::Request;
use city_gateway::store::Outcome;
use serde_json::json;
use sync_protocol::{
    AgeSealer, ClockEvidence, Manifest, NO_PREVIOUS, RecordKind, SealedRecord, Sealer, sha256_hex,
};

use crate::privacy::{PRIVATE, assert_quiet};
use crate::{Target, golden};

use super::gateway::World;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "gateway-content",
        decodes: "what was sealed, after the opener opened it: accepted whatever it is, then judged",
        inputs: 600,
        seeds,
        run: |content| drop(judge(content)),
    }]
}

/// Stands in the examples for the record's own id.
const OWN_ID: &str = "00000000-0000-4000-8000-000000000000";

fn seeds() -> Vec<Vec<u8>> {
    let [name, number, words, phone, _] = PRIVATE;
    let submission = json!({
        "version": 2, "case_id": OWN_ID, "case_number": "DG0001-7K3M9Q-5", "item": "test-appeal", "item_version": 3,
        "language": "zh-Hans", "finalised_at_ms": 1_795_300_000_000_i64, "identification": "id-card",
        "applicant": {"document": "resident-id-card", "name": name, "number": number},
        "answers": {"words": words, "phone": phone}, "consent_version": 1,
    });
    let rating = json!({"version": 2, "about": OWN_ID, "case_number": "DG0001-7K3M9Q-5", "stars": 5});
    [submission, rating, json!({}), json!([[[[]]]])].map(|content| content.to_string().into_bytes()).to_vec()
}

struct Sender {
    world: World,
    sealer: AgeSealer,
    seq: u64,
}

/// Seals, sends and has it judged.
fn judge(content: &[u8]) -> Outcome {
    thread_local! {
        static SENDER: RefCell<Option<Sender>> = const { RefCell::new(None) };
    }
    SENDER.with_borrow_mut(|sender| {
        let sender = sender.get_or_insert_with(|| Sender {
            world: World::build(),
            sealer: AgeSealer::from_recipients(golden::text("city_seal_recipient"))
                .expect("a good recipient"),
            seq: 0,
        });
        sender.seq += 1;
        let case_id = format!("{:08x}-0000-4000-8000-000000000001", sender.seq);
        let content = match std::str::from_utf8(content) {
            Ok(text) => text.replace(OWN_ID, &case_id).into_bytes(),
            Err(_) => content.to_vec(),
        };
        let ciphertext = sender.sealer.seal(&content).expect("a small content");
        let manifest = manifest(sender.seq, &case_id, &ciphertext).sign(&golden::TERMINAL);
        let record = SealedRecord { manifest, ciphertext };
        let request = Request::put(format!("/v1/records/{case_id}")).body(Body::from(record.to_json()));
        let (status, _) = sender.world.answer(request.expect("a good request"));
        assert_eq!(status, 200, "what is inside a seal is nobody's business on the way in");
        let judged = sender.world.runtime.block_on(sender.world.city.open_records());
        let mut judged = judged.expect("the store answers");
        assert_eq!(judged.len(), 1, "one record came, and one was judged");
        let (_, outcome) = judged.remove(0);
        match &outcome {
            Outcome::DeadLetter { detail, .. } => assert_quiet(detail.as_deref().unwrap_or_default()),
            Outcome::Follows { summary, person, .. } => assert_quiet(&format!("{summary} {person:?}")),
            Outcome::Opened { summary, person } => assert_quiet(&format!("{summary} {person:?}")),
        }
        outcome
    })
}

fn manifest(seq: u64, case_id: &str, ciphertext: &[u8]) -> Manifest {
    Manifest {
        version: 2,
        kind: RecordKind::Case,
        terminal: "DG0001".into(),
        incarnation: "0f1d7b9c4e6a8d04".into(),
        seq,
        case_id: case_id.to_owned(),
        about: None,
        voids: None,
        case_number: "DG0001-7K3M9Q-5".into(),
        verification: "Q7W4E9R2".into(),
        item: "test-appeal".into(),
        item_version: 3,
        catalog_version: "c0ffee".into(),
        prev_hash: NO_PREVIOUS.into(),
        sha256: sha256_hex(ciphertext),
        bytes: ciphertext.len() as u64,
        blobs: Vec::new(),
        clock: ClockEvidence {
            wall_ms: 1_795_300_000_000,
            monotonic_ms: 1,
            boot_id: "boot".into(),
            last_sync_age_s: None,
        },
    }
}

/// A good content is opened, and any other becomes a dead letter.
pub(super) fn reaches() {
    let seeds = seeds();
    let good = judge(&seeds[0]);
    assert!(
        matches!(good, Outcome::Opened { person: Some(_), .. }),
        "the good example is not opened: {good:?}"
    );
    for poison in [&seeds[2][..], b"", b"\xff\xfe", b"{"] {
        assert!(matches!(judge(poison), Outcome::DeadLetter { .. }));
    }
}
