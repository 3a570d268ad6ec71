//! Writes `vectors/golden-2.json` anew: made-up keys, messages of version 2 signed with them, and sealed contents. Run it
//! only when the protocol changes on purpose; the tests compare against the stored file. `golden.json` holds what the
//! first release wrote and is never written again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sync_protocol::{
    AgeSealer, Answer, AnswerBody, BlobRef, CaseProgress, CityReceiptKey, ClockEvidence, Command,
    EarlierAnswer, EarlierQueue, HelloAnswer, HelloRequest, Ledger, Manifest, NO_PREVIOUS, PROTOCOL_VERSION,
    ProgressState, ProgressStep, Question, QuestionBody, Receipt, ReceiptStatus, RecordKind, SealKeyPair,
    Sealer, Submission, TerminalKey, sha256_hex,
};

fn main() {
    let terminal = TerminalKey::generate();
    let city = CityReceiptKey::generate();
    let seal = SealKeyPair::generate();
    let submission = submission();
    let plaintext = submission.to_plaintext();
    let sealer = AgeSealer::from_recipients(&seal.recipient).expect("a fresh recipient");
    let ciphertext = sealer.seal(&plaintext).expect("a small content");
    let manifest = manifest(&ciphertext);
    let receipt = receipt(&manifest);
    let hello = HelloAnswer {
        version: PROTOCOL_VERSION,
        terminal: manifest.terminal.clone(),
        server_time_ms: 1_795_300_000_250,
        epoch: "e-1".into(),
        received: vec![(1, 4), (7, 9)],
        durable_seq: 4,
        catalog_version: manifest.catalog_version.clone(),
        send_allowance: 32,
        retry_after_s: 0,
        nonce: Some("9c1185a5c5e9fc54".into()),
        continuity: Some("6d0ce6d7a1b24f0e".into()),
        earlier: vec![EarlierAnswer {
            incarnation: "0f1d7b9c4e6a8d04".into(),
            received: vec![(1, 12)],
            durable_seq: 12,
        }],
        commands: vec![Command::BeginIncarnation, Command::FetchCatalog, Command::RenewCertificate],
    };
    let void = void(&manifest, &manifest.sign(&terminal));
    let incomplete = Receipt { complete: false, ..receipt.clone() };
    let session = SealKeyPair::generate();
    let question = question(&session.recipient);
    let answer = answer();
    let to_session = AgeSealer::from_recipients(&session.recipient).expect("a fresh recipient");
    let vectors = json!({
        "note": "Made-up keys and data, for tests only. Written by examples/write-vectors.rs.",
        "terminal_key_pem": terminal.to_pem().as_str(),
        "terminal_public_sec1": STANDARD.encode(terminal.public().to_sec1()),
        "city_receipt_key_pem": city.to_pem().as_str(),
        "city_receipt_public_pem": city.public().to_pem(),
        "city_receipt_kid": city.kid(),
        "city_seal_identity": seal.identity.as_str(),
        "city_seal_recipient": seal.recipient,
        "submission": serde_json::from_slice::<serde_json::Value>(&plaintext).expect("just written"),
        "ciphertext": STANDARD.encode(&ciphertext),
        "manifest": manifest,
        "manifest_jws": manifest.sign(&terminal),
        "manifest_hash": Manifest::hash(&manifest.sign(&terminal)),
        "receipt": receipt,
        "receipt_jws": receipt.sign(&city),
        "hello": hello,
        "hello_jws": hello.sign(&city),
        "hello_request": hello_request(&manifest),
        "void": void,
        "void_jws": void.sign(&terminal),
        "incomplete_receipt": incomplete,
        "incomplete_receipt_jws": incomplete.sign(&city),
        "session_identity": session.identity.as_str(),
        "question": question,
        "question_sealed": STANDARD.encode(sealer.seal(&question.to_plaintext()).expect("small")),
        "answer": answer,
        "answer_sealed": STANDARD.encode(to_session.seal(&answer.to_plaintext()).expect("small")),
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/golden-2.json");
    let text = serde_json::to_string_pretty(&vectors).expect("plain JSON") + "\n";
    std::fs::write(path, text).expect("the vectors folder is writable");
}

fn submission() -> Submission {
    let object = |value: serde_json::Value| value.as_object().cloned().expect("an object");
    Submission {
        version: PROTOCOL_VERSION,
        case_id: "6f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d".into(),
        case_number: "DG0001-7K3M9Q-5".into(),
        item: "hotline-12345".into(),
        item_version: 3,
        language: "zh-Hans".into(),
        finalised_at_ms: 1_795_300_000_000,
        identification: "id-card".into(),
        applicant: object(json!({"document": "mainland", "name": "𬱖㛃", "number": "990001199001011005",
            "sex": "female", "birth": "1990-01-01", "address": "示例市示例街道1号"})),
        answers: object(
            json!({"kind": "noise", "where": ["park", "street"], "what": "路灯不亮", "phone": "13800000000"}),
        ),
        consent_version: 1,
        about: None,
    }
}

fn manifest(ciphertext: &[u8]) -> Manifest {
    Manifest {
        version: PROTOCOL_VERSION,
        kind: RecordKind::Case,
        terminal: "DG0001".into(),
        incarnation: "2f1d7b9c4e6a8d05".into(),
        seq: 1,
        case_id: "6f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d".into(),
        about: None,
        voids: None,
        case_number: "DG0001-7K3M9Q-5".into(),
        verification: "Q7W4E9R2".into(),
        item: "hotline-12345".into(),
        item_version: 3,
        catalog_version: "c0ffee".into(),
        prev_hash: NO_PREVIOUS.into(),
        sha256: sha256_hex(ciphertext),
        bytes: ciphertext.len() as u64,
        blobs: vec![BlobRef { sha256: sha256_hex(b"a sealed photo"), bytes: 14 }],
        clock: ClockEvidence {
            wall_ms: 1_795_300_000_000,
            monotonic_ms: 86_400_000,
            boot_id: "8d9f3c1e-2b4a-4c6d-8e0f-1a2b3c4d5e6f".into(),
            last_sync_age_s: Some(61),
        },
    }
}

fn receipt(manifest: &Manifest) -> Receipt {
    Receipt {
        version: PROTOCOL_VERSION,
        epoch: "e-1".into(),
        terminal: manifest.terminal.clone(),
        incarnation: manifest.incarnation.clone(),
        seq: manifest.seq,
        case_id: manifest.case_id.clone(),
        sha256: manifest.sha256.clone(),
        status: ReceiptStatus::Accepted,
        complete: true,
        server_time_ms: 1_795_300_000_200,
    }
}

/// Stands in the next place, whose record was lost.
fn void(before: &Manifest, before_jws: &str) -> Manifest {
    Manifest {
        kind: RecordKind::Void,
        seq: 2,
        case_id: "7f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d".into(),
        voids: Some(sha256_hex(b"the manifest that stood here")),
        case_number: String::new(),
        verification: String::new(),
        prev_hash: Manifest::hash(before_jws),
        sha256: sha256_hex(b""),
        bytes: 0,
        blobs: Vec::new(),
        ..before.clone()
    }
}

fn hello_request(manifest: &Manifest) -> HelloRequest {
    HelloRequest {
        version: PROTOCOL_VERSION,
        terminal: manifest.terminal.clone(),
        incarnation: manifest.incarnation.clone(),
        finalised_seq: 9,
        oldest_unacked_age_s: Some(3600),
        agent_version: "0.2.0".into(),
        clock: manifest.clock.clone(),
        nonce: Some("9c1185a5c5e9fc54".into()),
        head_hash: Some(sha256_hex(b"the manifest at 9")),
        continuity: Some("5d0ce6d7a1b24f0d".into()),
        tpm_counter: Some(42),
        earlier: vec![EarlierQueue { incarnation: "0f1d7b9c4e6a8d04".into(), finalised_seq: 12 }],
        ledger: Some(Ledger {
            issued: 21,
            acknowledged: 19,
            waiting: 2,
            side_lane: 1,
            voided: 1,
            waiting_bytes: 40_960,
        }),
        catalog_version: Some("c0ffee".into()),
        disk_used_percent: Some(17),
    }
}

const TICKET: &str = "1f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d";

fn question(reply_to: &str) -> Question {
    Question {
        ticket: TICKET.into(),
        terminal: "DG0001".into(),
        reply_to: reply_to.trim().into(),
        body: QuestionBody::CaseProgress {
            case_number: "DG0001-7K3M9Q-5".into(),
            verification: "Q7W4E9R2".into(),
        },
    }
}

fn answer() -> Answer {
    Answer {
        ticket: TICKET.into(),
        server_time_ms: 1_795_300_000_300,
        body: AnswerBody::CaseProgress(CaseProgress {
            case_number: "DG0001-7K3M9Q-5".into(),
            item: "hotline-12345".into(),
            state: ProgressState::SupplementRequested,
            steps: vec![ProgressStep {
                reason: String::new(),
                state: ProgressState::SupplementRequested,
                at_ms: 1_795_300_000_200,
                note: "请补交照片".into(),
            }],
        }),
    }
}
