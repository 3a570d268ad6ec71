//! Unsigned JSON that crosses the network: records, hellos, questions; and what is inside a seal.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sync_protocol::{
    Answer, HelloRequest, ProtocolError, QueryReply, QueryRequest, Question, Rating, SealedRecord,
    Submission, limits,
};

use crate::Target;
use crate::golden;
use crate::privacy::{assert_error_quiet, assert_quiet};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "protocol-record",
            decodes: "body of PUT /v1/records/{case_id}, and a record of a courier folder: SealedRecord",
            inputs: 5000,
            seeds: record_seeds,
            run: record,
        },
        Target {
            name: "protocol-hello-request",
            decodes: "body of POST /v1/hello: HelloRequest",
            inputs: 5000,
            seeds: || golden::json("hello_request"),
            run: hello_request,
        },
        Target {
            name: "protocol-submission",
            decodes: "what a terminal sealed: Submission, Rating",
            inputs: 5000,
            seeds: submission_seeds,
            run: submission,
        },
        Target {
            name: "protocol-question",
            decodes: "live questions and answers, sealed and around the seal: Question, Answer, QueryRequest, QueryReply",
            inputs: 5000,
            seeds: question_seeds,
            run: question,
        },
    ]
}

fn record_seeds() -> Vec<Vec<u8>> {
    let record = SealedRecord {
        manifest: golden::text("manifest_jws").into(),
        ciphertext: golden::bytes("ciphertext"),
    };
    let empty = SealedRecord { manifest: golden::text("void_jws").into(), ciphertext: Vec::new() };
    vec![record.to_json(), empty.to_json(), serde_json::to_vec(&record).expect("a record becomes JSON")]
}

fn record(bytes: &[u8]) {
    match SealedRecord::from_json(bytes) {
        Ok(record) => {
            assert!(
                record.manifest.len() <= limits::MAX_MANIFEST
                    && record.ciphertext.len() <= limits::MAX_CIPHERTEXT
            );
            // By hand nothing is escaped, so what has to be cannot come back; a signed manifest never has to be.
            let plain = !record.manifest.chars().any(|c| c.is_control() || matches!(c, '"' | '\\'));
            let again = SealedRecord::from_json(&record.to_json());
            assert!(!plain || again.as_ref() == Ok(&record), "a record is read as it was written");
            assert!(again.is_ok(), "what is written is always readable");
            assert_quiet(&format!("{record:?}"));
        }
        Err(error) => assert_error_quiet(&error),
    }
}

fn hello_request(bytes: &[u8]) {
    match HelloRequest::from_json(bytes) {
        Ok(hello) => {
            assert!(hello.earlier.len() <= limits::MAX_EARLIER);
            let again = HelloRequest::from_json(&json(&hello));
            assert!(again == Ok(hello) || matches!(again, Err(ProtocolError::TooLarge { .. })));
        }
        Err(error) => assert_error_quiet(&error),
    }
}

fn submission_seeds() -> Vec<Vec<u8>> {
    let rating = Rating {
        version: 2,
        about: "6f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d".into(),
        case_number: "DG0001-7K3M9Q-5".into(),
        stars: 5,
    };
    [golden::json("submission"), vec![rating.to_plaintext().to_vec()]].concat()
}

fn submission(bytes: &[u8]) {
    match Submission::from_plaintext(bytes) {
        Ok(submission) => {
            let again = Submission::from_plaintext(&submission.to_plaintext());
            assert_same(again.as_ref(), &submission);
        }
        Err(error) => assert_error_quiet(&error),
    }
    match Rating::from_plaintext(bytes) {
        Ok(rating) => {
            assert!((1..=5).contains(&rating.stars));
            assert_eq!(Rating::from_plaintext(&rating.to_plaintext()).as_ref(), Ok(&rating));
        }
        Err(error) => assert_error_quiet(&error),
    }
}

fn question_seeds() -> Vec<Vec<u8>> {
    let request = QueryRequest {
        version: 2,
        ticket: "1f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d".into(),
        within_ms: 5000,
        question: golden::text("question_sealed").into(),
    };
    let reply = QueryReply { ticket: request.ticket.clone(), answer: golden::text("answer_sealed").into() };
    let fetch = r#"{"ticket":"t","terminal":"DG0001","reply_to":"age1","body":{"kind":"fetch","item":"i","fetch":"f",
        "arguments":{"phone":"13800000000","deep":[[{"a":1.5}]]}}}"#;
    [golden::json("question"), golden::json("answer"), vec![json(&request), json(&reply), fetch.into()]]
        .concat()
}

fn question(bytes: &[u8]) {
    match Question::from_plaintext(bytes) {
        Ok(question) => {
            let again = Question::from_plaintext(&question.to_plaintext());
            if !matches!(again, Err(ProtocolError::TooLarge { .. })) {
                assert_same(again.as_ref(), &question);
            }
        }
        Err(error) => assert_error_quiet(&error),
    }
    match Answer::from_plaintext(bytes) {
        Ok(answer) => {
            let again = Answer::from_plaintext(&answer.to_plaintext());
            if !matches!(again, Err(ProtocolError::TooLarge { .. })) {
                assert_same(again.as_ref(), &answer);
            }
        }
        Err(error) => assert_error_quiet(&error),
    }
    read_again::<QueryRequest>(bytes);
    read_again::<QueryReply>(bytes);
}

/// Whatever JSON is understood is understood the same after it was written again.
fn read_again<T: Serialize + DeserializeOwned + PartialEq>(bytes: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<T>(bytes) {
        assert!(serde_json::from_slice::<T>(&json(&read)).is_ok_and(|again| again == read));
    }
}

/// The same, said without showing either: both may hold what a resident wrote. No form asks for a fraction, and JSON
/// readers may differ in its last digit.
#[track_caller]
fn assert_same<T: PartialEq + Serialize>(again: Result<&T, &ProtocolError>, first: &T) {
    let same = again == Ok(first) || serde_json::to_value(first).is_ok_and(|value| holds_fraction(&value));
    assert!(same, "what is read is read the same after it was written again");
}

fn holds_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(holds_fraction),
        Value::Object(members) => members.values().any(holds_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

fn json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("messages become JSON")
}
