//! Signed messages. The payload is fuzzed behind a true signature: what a city or a terminal with a fault, or with a
//! stolen key, could say. A message as it travels is fuzzed too: nobody can change one and be believed.

use std::sync::LazyLock;

use sync_protocol::ranges::RangeSet;
use sync_protocol::{
    AnchorStatement, DocumentKey, DocumentNumber, DocumentPublicKey, HelloAnswer, Manifest, Receipt, Stamp,
    limits, stamp_in,
};

use crate::Target;
use crate::golden::{self, CITY, TERMINAL};
use crate::privacy::assert_error_quiet;

use super::as_text;

pub(super) fn targets() -> Vec<Target> {
    let signed = |name, decodes, seeds, run| Target { name, decodes, inputs: 3000, seeds, run };
    vec![
        signed(
            "protocol-manifest",
            "payload of a manifest, signed by a terminal: Manifest",
            || [golden::json("manifest"), golden::json("void")].concat(),
            manifest,
        ),
        signed(
            "protocol-receipt",
            "payload of a receipt, signed by the city: Receipt",
            || [golden::json("receipt"), golden::json("incomplete_receipt")].concat(),
            receipt,
        ),
        signed(
            "protocol-hello-answer",
            "payload of an answer to hello, signed by the city: HelloAnswer, RangeSet",
            || golden::json("hello"),
            hello_answer,
        ),
        signed(
            "protocol-anchors",
            "payload of a statement of anchors, signed by the city: AnchorStatement",
            anchors_seeds,
            anchors,
        ),
        signed(
            "protocol-jws",
            "a signed message as it travels, changed on its way: every kind",
            || JWS.iter().map(|jws| jws.clone().into_bytes()).collect(),
            jws,
        ),
        signed(
            "protocol-stamp",
            "what stands behind the code on an issued document, typed or scanned: Stamp, DocumentNumber",
            || vec![STAMP.1.clone().into_bytes(), format!("https://city.example/d/{}", STAMP.1).into_bytes()],
            stamp,
        ),
        Target {
            name: "protocol-ranges",
            decodes: "received ranges in any order, overlapping, inverted: RangeSet",
            inputs: 5000,
            seeds: range_seeds,
            run: ranges,
        },
    ]
}

/// A key for documents, and something that it signed.
static STAMP: LazyLock<(DocumentPublicKey, String)> = LazyLock::new(|| {
    let key = DocumentKey::generate();
    let stamp = Stamp {
        number: DocumentNumber::read("ZM-7K3M-9Q2T").expect("a number"),
        item: "insurance-certificate".into(),
        item_version: 1,
        issued_at_s: 1_795_400_000,
        valid_days: 90,
        name: "陈＊".into(),
        person_number: "990*************42".into(),
        facts: vec![("months".into(), "208".into())],
        rows: 12,
        content: [7; 32],
    };
    let text = stamp.sign(&key).expect("small enough");
    (key.public(), text)
});

/// Nobody can write one that is believed, but for the letters that mean the same.
fn stamp(bytes: &[u8]) {
    let text = as_text(bytes);
    let within = stamp_in(&text);
    assert!(text.contains(within));
    if let Ok(read) = Stamp::read(within, std::slice::from_ref(&STAMP.0)) {
        assert_eq!(within.to_ascii_uppercase(), STAMP.1, "{read:?}");
    }
    if let Some(number) = DocumentNumber::read(&text) {
        assert_eq!(DocumentNumber::read(&number.to_string()), Some(number));
    }
}

fn manifest(payload: &[u8]) {
    let jws = golden::signed_by_terminal("kiosk-manifest+jws", payload);
    match Manifest::verify(&jws, &TERMINAL.public()) {
        Ok(manifest) => {
            assert!(
                manifest.blobs.len() <= limits::MAX_BLOBS && manifest.bytes <= limits::MAX_CIPHERTEXT as u64
            );
            assert!(manifest.seq >= 1 && i64::try_from(manifest.seq).is_ok(), "a place fits a database");
            assert_eq!(manifest.case_id.len(), 36);
            assert_eq!(Manifest::unverified(&jws).as_ref(), Ok(&manifest));
            let again = manifest.sign(&TERMINAL);
            assert_eq!(Manifest::verify(&again, &TERMINAL.public()), Ok(manifest));
        }
        Err(error) => assert_error_quiet(&error),
    }
}

fn receipt(payload: &[u8]) {
    let jws = golden::signed_by_city("kiosk-receipt+jws", payload);
    match Receipt::verify(&jws, &CITY) {
        Ok(receipt) => {
            assert_eq!(Receipt::verify(&receipt.sign(&golden::city_key()), &CITY).as_ref(), Ok(&receipt));
            let Receipt { terminal, incarnation, seq, case_id, sha256, .. } = &receipt;
            assert!(receipt.matches(terminal, incarnation, *seq, case_id, sha256));
            assert!(!receipt.matches(terminal, incarnation, seq.wrapping_add(1), case_id, sha256));
        }
        Err(error) => assert_error_quiet(&error),
    }
}

fn hello_answer(payload: &[u8]) {
    let jws = golden::signed_by_city("kiosk-hello+jws", payload);
    match HelloAnswer::verify(&jws, &CITY) {
        Ok(answer) => {
            assert!(answer.earlier.len() <= limits::MAX_EARLIER);
            check_ranges(&answer.received);
            answer.earlier.iter().for_each(|earlier| check_ranges(&earlier.received));
            assert_eq!(HelloAnswer::verify(&answer.sign(&golden::city_key()), &CITY), Ok(answer));
        }
        Err(error) => assert_error_quiet(&error),
    }
}

fn anchors_seeds() -> Vec<Vec<u8>> {
    let statement = AnchorStatement::new("n-1", 1_795_300_000_000, &[b"der".as_slice(), b"other"]);
    vec![serde_json::to_vec(&statement).expect("a statement becomes JSON")]
}

fn anchors(payload: &[u8]) {
    let jws = golden::signed_by_city("kiosk-anchors+jws", payload);
    match AnchorStatement::verify(&jws, &CITY) {
        Ok(statement) => {
            assert!((1..=limits::MAX_ANCHORS).contains(&statement.anchors.len()));
            assert_eq!(statement.certificates().len(), statement.anchors.len());
            assert!(
                AnchorStatement::verify_answer(&jws, &CITY, "another number").is_err()
                    || statement.nonce == "another number"
            );
        }
        Err(error) => assert_error_quiet(&error),
    }
}

/// True messages of every kind.
static JWS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let of = |name| golden::text(name).to_owned();
    let anchors = golden::signed_by_city("kiosk-anchors+jws", &anchors_seeds()[0]);
    let names = ["manifest_jws", "void_jws", "receipt_jws", "incomplete_receipt_jws", "hello_jws"];
    names.into_iter().map(of).chain([anchors]).collect()
});

fn jws(bytes: &[u8]) {
    let text = as_text(bytes);
    let believed = [
        Manifest::verify(&text, &TERMINAL.public()).map(drop),
        Receipt::verify(&text, &CITY).map(drop),
        HelloAnswer::verify(&text, &CITY).map(drop),
        AnchorStatement::verify(&text, &CITY).map(drop),
    ];
    let count = believed.iter().filter(|believed| believed.is_ok()).count();
    assert!(count <= 1, "one message is of one kind");
    assert!(count == 0 || JWS.iter().any(|jws| *jws == text), "a changed message was believed");
    believed.iter().filter_map(|believed| believed.as_ref().err()).for_each(assert_error_quiet);
    // Read without belief: only that it ends.
    let _ = (Manifest::unverified(&text), Receipt::unverified(&text));
}

fn range_seeds() -> Vec<Vec<u8>> {
    let of = |spans: &[(u64, u64)]| -> Vec<u8> {
        spans.iter().flat_map(|(first, last)| [first.to_le_bytes(), last.to_le_bytes()]).flatten().collect()
    };
    vec![
        of(&[(1, 4), (7, 9)]),
        of(&[(5, 3), (0, 0), (u64::MAX, u64::MAX)]),
        of(&[(0, u64::MAX), (10, 20), (20, 30), (31, 31)]),
        of(&[(1, u64::MAX - 1), (u64::MAX - 2, u64::MAX)]),
    ]
}

fn ranges(bytes: &[u8]) {
    let number = |at: &[u8]| at.try_into().map_or(0, u64::from_le_bytes);
    let spans: Vec<(u64, u64)> =
        bytes.chunks_exact(16).take(256).map(|pair| (number(&pair[..8]), number(&pair[8..]))).collect();
    check_ranges(&spans);
}

/// A set holds what was said and nothing more, at every place where that could be wrong.
fn check_ranges(spans: &[(u64, u64)]) {
    let set = RangeSet::from(spans);
    let said = |at: u64| spans.iter().any(|&(first, last)| first <= at && at <= last);
    let edges = spans.iter().take(256).flat_map(|&(first, last)| {
        [
            first.saturating_sub(1),
            first,
            first.saturating_add(1),
            last.saturating_sub(1),
            last,
            last.saturating_add(1),
        ]
    });
    for at in edges {
        assert_eq!(set.contains(at), said(at), "at {at}");
    }
    let kept = set.to_vec();
    assert!(kept.len() <= spans.len(), "a set never has more ranges than were said");
    assert!(
        kept.windows(2).all(|pair| pair[0].1 < pair[1].0 && pair[1].0 - pair[0].1 > 1),
        "neither overlap nor touch"
    );
    assert!(
        set.missing_ranges(u64::MAX)
            .all(|(first, last)| first <= last && !set.contains(first) && !set.contains(last))
    );
    let reach = set.contiguous();
    assert!(reach == 0 || (set.contains(1) && set.contains(reach)));
    assert!(reach == u64::MAX || !set.contains(reach + 1));
    assert_eq!(RangeSet::from(kept), set);
}
