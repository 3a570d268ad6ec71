//! Certificates, requests for them and answers with them: what enrolment reads, at both ends.

use std::cell::RefCell;
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use city_gateway::decoders as gateway;
use rcgen::string::Ia5String;
use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData, SanType};
use sync_agent::decoders as agent;

use crate::golden::{self, CITY};
use crate::privacy::assert_quiet;
use crate::{Target, scratch};

use super::as_text;

/// Code of the terminal.
const TERMINAL: &str = "DG0001";

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "key-request",
            decodes: "PKCS#10 request of a terminal, base64: the gateway's SigningRequest",
            inputs: 3000,
            seeds: request_seeds,
            run: request,
        },
        Target {
            name: "key-certificate",
            decodes: "a client's certificate in a handshake, DER: the gateway's TerminalCertificate",
            inputs: 4000,
            seeds: || vec![MADE.certificate.clone(), MADE.anonymous.clone()],
            run: certificate,
        },
        Target {
            name: "key-answer",
            decodes: "answer of EST, base64 of CMS: the agent's certificate of an answer",
            inputs: 3000,
            seeds: answer_seeds,
            run: answer,
        },
        Target {
            name: "key-files",
            decodes: "terminal.cert.pem, city-ca.pem and city-anchors.jws on the terminal's disk",
            inputs: 2000,
            seeds: file_seeds,
            run: files,
        },
        Target {
            name: "key-headers",
            decodes: "HTTP Basic of an enrolment, an operator's cookie and code, Origin and Host",
            inputs: 5000,
            seeds: header_seeds,
            run: headers,
        },
    ]
}

struct Made {
    request: Vec<u8>,
    certificate: Vec<u8>,
    anonymous: Vec<u8>,
    public_key: Vec<u8>,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let key =
        KeyPair::from_pem(golden::text("terminal_key_pem")).expect("the vectors hold the terminal's key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names are good names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, TERMINAL);
    let name = Ia5String::try_from(format!("spiffe://city/terminal/{TERMINAL}")).expect("plain characters");
    params.subject_alt_names = vec![SanType::URI(name)];
    let anonymous = CertificateParams::new(vec!["city.test".to_owned()]).expect("a good name");
    Made {
        request: params.serialize_request(&key).expect("a request can be made").der().to_vec(),
        certificate: params.self_signed(&key).expect("a certificate can be made").der().to_vec(),
        anonymous: anonymous.self_signed(&key).expect("a certificate can be made").der().to_vec(),
        public_key: key.subject_public_key_info(),
    }
});

fn request_seeds() -> Vec<Vec<u8>> {
    let text = STANDARD.encode(&MADE.request);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(as_text).collect();
    vec![text.clone().into_bytes(), lines.join("\r\n").into_bytes(), MADE.request.clone()]
}

fn request(bytes: &[u8]) {
    // As it comes, and as DER, which a change of base64 seldom reaches.
    for body in [bytes.to_vec(), STANDARD.encode(bytes).into_bytes()] {
        match gateway::signing_request(&body, TERMINAL) {
            Ok(public_key) => {
                assert_eq!(public_key, MADE.public_key, "a key was proven by somebody who does not hold it")
            }
            Err(error) => assert_quiet(&error),
        }
    }
}

fn certificate(der: &[u8]) {
    if let Some((code, fingerprint, public_key)) = gateway::terminal_certificate(der) {
        assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        assert_eq!(fingerprint, sync_protocol::sha256_hex(der));
        assert!(sync_protocol::TerminalPublicKey::from_spki_der(&public_key).is_ok());
    }
    let _ = gateway::est_answer(&[der, &MADE.certificate]);
}

fn answer_seeds() -> Vec<Vec<u8>> {
    let of =
        |certificates: &[&[u8]]| gateway::est_answer(certificates).expect("certificates can be put together");
    let (own, other) = (MADE.certificate.as_slice(), MADE.anonymous.as_slice());
    let texts = [of(&[own]), of(&[other, own]), of(&[other])];
    let der = STANDARD.decode(texts[0].replace("\r\n", "")).expect("base64");
    texts.into_iter().map(String::into_bytes).chain([der, b"<html>".to_vec()]).collect()
}

fn answer(bytes: &[u8]) {
    for body in [bytes.to_vec(), STANDARD.encode(bytes).into_bytes()] {
        if let Some(der) = agent::certificate_of_answer(&body, TERMINAL, &MADE.public_key) {
            let read = gateway::terminal_certificate(&der);
            assert!(
                read.is_none_or(|(code, _, key)| code == TERMINAL && key == MADE.public_key),
                "a certificate of somebody else was kept"
            );
        }
    }
}

fn file_seeds() -> Vec<Vec<u8>> {
    let pem = |der: &[u8]| {
        let text = STANDARD.encode(der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(as_text).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")).into_bytes()
    };
    let statement = sync_protocol::AnchorStatement::new("n-1", 1_795_300_000_000, &[&MADE.anonymous]);
    let both = [pem(&MADE.certificate), pem(&MADE.anonymous)].concat();
    vec![
        pem(&MADE.certificate),
        both,
        statement.sign(&golden::city_key()).into_bytes(),
        MADE.certificate.clone(),
    ]
}

fn files(bytes: &[u8]) {
    thread_local! {
        static KEYS: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
    }
    KEYS.with_borrow_mut(|folder| {
        let keys = folder.get_or_insert_with(scratch::folder).path();
        for name in ["terminal.cert.pem", "city-ca.pem", "city-anchors.jws"] {
            std::fs::write(keys.join(name), bytes).expect("a file can be written");
        }
        if let Some((earliest, latest)) = agent::renewal_of(keys) {
            assert!(earliest <= latest, "time goes on");
        }
        if let Some((count, _)) = agent::anchors_in(keys, &CITY) {
            assert!(count > 0, "no authority is no list of authorities");
        }
    });
}

fn header_seeds() -> Vec<Vec<u8>> {
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text)).into_bytes();
    let token = "A".repeat(43);
    vec![
        basic("DG0001:01234-56789-ABCDE-FGHJK-MNPQR"),
        basic("DG0001:"),
        format!("a=b; __Host-desk={token}").into_bytes(),
        b"https://city.example:7080\ncity.example:7080".to_vec(),
        b"123 456".to_vec(),
    ]
}

fn headers(bytes: &[u8]) {
    let text = as_text(bytes);
    let _ = gateway::code_is_good(b"a secret of twenty b", &text, i64::from_le_bytes([bytes.len() as u8; 8]));
    let mut lines = text.lines();
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let (Ok(value), Ok(host)) = (HeaderValue::try_from(first), HeaderValue::try_from(second)) else { return };
    let all = [
        (header::AUTHORIZATION, value.clone()),
        (header::COOKIE, value.clone()),
        (header::ORIGIN, value),
        (header::HOST, host),
    ];
    let headers: HeaderMap = all.into_iter().collect();
    if let Some((terminal, hash)) = gateway::enrolment_credentials(&headers) {
        assert!(terminal.len() == 6 && hash.is_none_or(|hash| hash.len() == 64));
    }
    if let Some(token) = gateway::session_token(&headers) {
        assert!(token.len() == 43 && first.contains(token));
    }
    for authority in [None, Some(second)] {
        if gateway::is_our_own_page(&headers, authority) {
            assert_eq!(
                first.strip_prefix("https://"),
                Some(second),
                "a form of another page was taken for our own"
            );
        }
    }
}
