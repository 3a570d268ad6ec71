//! Seals, keys, and what belongs to the bytes of blobs.

use std::sync::LazyLock;

use sync_protocol::{
    AgeOpener, AgeSealer, BlobState, CityReceiptKey, CityReceiptPublicKey, Opener, SealKeyPair, Sealer,
    TerminalKey, TerminalPublicKey, limits, read_checksum, write_checksum,
};

use crate::Target;
use crate::golden;
use crate::privacy::assert_error_quiet;

use super::as_text;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "protocol-seal",
            decodes: "ciphertext of a record, a question, an answer: AgeOpener",
            inputs: 3000,
            seeds: seal_seeds,
            run: seal,
        },
        Target {
            name: "protocol-keys",
            decodes: "key files and keys inside certificates: PEM, SEC1, SubjectPublicKeyInfo, age keys",
            inputs: 2000,
            seeds: key_seeds,
            run: keys,
        },
        Target {
            name: "protocol-blob",
            decodes: "headers of tus: Upload-Checksum, Upload-Offset and Upload-Length: read_checksum, BlobState",
            inputs: 5000,
            seeds: blob_seeds,
            run: blob,
        },
    ]
}

static OPENER: LazyLock<AgeOpener> = LazyLock::new(|| {
    AgeOpener::from_identities(golden::text("city_seal_identity"))
        .expect("the vectors hold the city's identity")
});

fn seal_seeds() -> Vec<Vec<u8>> {
    // Sealed for the city, for somebody else, and nothing.
    let sealer = AgeSealer::from_recipients(golden::text("city_seal_recipient")).expect("a good recipient");
    let short = sealer.seal(b"").expect("nothing can be sealed");
    vec![golden::bytes("ciphertext"), golden::bytes("question_sealed"), golden::bytes("answer_sealed"), short]
}

fn seal(bytes: &[u8]) {
    match OPENER.open(bytes) {
        Ok(plaintext) => assert!(plaintext.len() < bytes.len(), "a seal only adds"),
        Err(error) => assert_error_quiet(&error),
    }
}

fn key_seeds() -> Vec<Vec<u8>> {
    let SealKeyPair { identity, recipient } = SealKeyPair::generate();
    let commented = format!("# the city\n\n{recipient}{recipient}");
    let texts = ["terminal_key_pem", "city_receipt_key_pem", "city_receipt_public_pem", "city_seal_identity"];
    let texts = texts.into_iter().map(|name| golden::text(name).as_bytes().to_vec());
    let made = rcgen::KeyPair::generate().expect("a key can be made");
    let spki = rcgen::PublicKeyData::subject_public_key_info(&made);
    texts
        .chain([identity.as_bytes().to_vec(), commented.into(), golden::bytes("terminal_public_sec1"), spki])
        .collect()
}

fn keys(bytes: &[u8]) {
    for key in [TerminalPublicKey::from_sec1(bytes), TerminalPublicKey::from_spki_der(bytes)] {
        match key {
            Ok(key) => assert_eq!(TerminalPublicKey::from_sec1(&key.to_sec1()), Ok(key)),
            Err(error) => assert_error_quiet(&error),
        }
    }
    let text = as_text(bytes);
    if let Ok(key) = TerminalKey::from_pem(&text) {
        assert_eq!(TerminalKey::from_pem(&key.to_pem()).map(|key| key.public()), Ok(key.public()));
    }
    if let Ok(key) = CityReceiptKey::from_pem(&text) {
        assert_eq!(CityReceiptKey::from_pem(&key.to_pem()).map(|key| key.kid()), Ok(key.kid()));
    }
    if let Ok(key) = CityReceiptPublicKey::from_pem(&text) {
        assert_eq!(CityReceiptPublicKey::from_pem(&key.to_pem()), Ok(key));
    }
    if let Err(error) = AgeOpener::from_identities(&text) {
        assert_error_quiet(&error);
        assert!(!error.to_string().contains("AGE-SECRET"), "an error repeats a secret key");
    }
    if let Ok(sealer) = AgeSealer::from_recipients(&text) {
        assert!(sealer.seal(b"x").is_ok(), "whoever is accepted can be sealed to");
    }
}

fn blob_seeds() -> Vec<Vec<u8>> {
    let numbers =
        |offset: u64, length: u64, chunk: u64| [offset, length, chunk].map(u64::to_le_bytes).concat();
    vec![
        write_checksum(b"piece").into_bytes(),
        b"sha1 AAAA".to_vec(),
        numbers(0, 600_001, 1),
        numbers(u64::MAX - 3, u64::MAX, u64::MAX),
        numbers(5, 4, 262_144),
    ]
}

fn blob(bytes: &[u8]) {
    match read_checksum(&as_text(bytes)) {
        Ok(digest) => assert!(as_text(bytes).starts_with("sha256 ") && digest.len() == 32),
        Err(error) => assert_error_quiet(&error),
    }
    let Some((numbers, _)) = bytes.split_first_chunk::<24>() else { return };
    let number = |at: usize| numbers[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
    let state = BlobState { offset: number(0), length: number(8) };
    match state.next_piece(number(16)) {
        Some(piece) => {
            assert!(piece.start == state.offset && piece.start < piece.end && piece.end <= state.length);
            assert!(piece.end - piece.start <= limits::MAX_CHUNK, "a piece has a limit");
        }
        None => assert!(state.offset >= state.length),
    }
}
