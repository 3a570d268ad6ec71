//! A department's server in every mood: it takes cases, loses its answers, says no, says later, says nothing, or speaks
//! another language. What it was sent it judges by itself: the signature with `openssl`, the seal with `age`.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use city_gateway::relay::{DepartmentConfig, RelayConfig, Way};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;
use sync_protocol::{CaseDelivery, SealKeyPair, sha256_hex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::City;

/// What the server does with a request, after it has read all of it.
#[derive(Debug, Clone)]
pub enum Mood {
    /// Stores it and says so.
    Takes,
    /// Stores it, and the answer is lost.
    LosesAnswer,
    /// Answers this, and stores nothing.
    Says(u16, &'static str),
    /// Stores nothing and says nothing, until the other side gives up.
    Silent,
    /// Answers what is no HTTP.
    Garbage,
}

/// One request as it came.
#[derive(Clone)]
pub struct Seen {
    pub key: String,
    pub body: Vec<u8>,
    pub at: Instant,
}

/// The server, and what it knows.
pub struct Department {
    pub address: SocketAddr,
    pub seal: SealKeyPair,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    /// What it stored: how often it came, by id.
    pub stored: Arc<Mutex<BTreeMap<String, usize>>>,
    /// Moods one after the other; the last one stays.
    pub moods: Arc<Mutex<VecDeque<Mood>>>,
}

impl Department {
    pub async fn start(city: &City) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &city.server_ca).unwrap();
        std::fs::write(city.path("server-ca.pem"), city.server_ca.pem()).unwrap();
        let tls =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
                )
                .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let department = Self {
            address: listener.local_addr().unwrap(),
            seal: SealKeyPair::generate(),
            seen: Arc::default(),
            stored: Arc::default(),
            moods: Arc::new(Mutex::new(VecDeque::from([Mood::Takes]))),
        };
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let (seen, stored, moods) =
            (Arc::clone(&department.seen), Arc::clone(&department.stored), Arc::clone(&department.moods));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                let (seen, stored, moods) = (Arc::clone(&seen), Arc::clone(&stored), Arc::clone(&moods));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let Some(request) = read(&mut stream).await else { return };
                    seen.lock().unwrap().push(request.clone());
                    let mood = next(&moods);
                    let delivery: CaseDelivery = serde_json::from_slice(&request.body).unwrap();
                    let id = payload(&delivery.note)["id"].as_str().unwrap().to_owned();
                    if matches!(mood, Mood::Takes | Mood::LosesAnswer) {
                        *stored.lock().unwrap().entry(id).or_default() += 1;
                    }
                    let answer = match mood {
                        Mood::Takes => "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n".to_owned(),
                        Mood::LosesAnswer => return,
                        Mood::Says(status, more) => {
                            format!(
                                "HTTP/1.1 {status} Said\r\n{more}connection: close\r\ncontent-length: 2\r\n\r\nno"
                            )
                        }
                        Mood::Silent => {
                            // Ends when the gateway does.
                            let _ = stream.read(&mut [0; 64]).await;
                            return;
                        }
                        Mood::Garbage => "\u{1}\u{2}\u{3} 220 smtp.example ESMTP\r\n\r\n".to_owned(),
                    };
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        department
    }

    pub fn feels(&self, moods: impl IntoIterator<Item = Mood>) {
        *self.moods.lock().unwrap() = moods.into_iter().collect();
    }

    /// As it stands in a configuration.
    pub fn configured(&self, city: &City, code: &str, name: &str) -> DepartmentConfig {
        let url = format!("https://localhost:{}/cases", self.address.port());
        self.by(city, code, name, Way::Webhook { url, ca: city.path("server-ca.pem") })
    }

    /// The same by another way.
    pub fn by(&self, city: &City, code: &str, name: &str, way: Way) -> DepartmentConfig {
        let recipient = city.path(&format!("{code}.pub"));
        std::fs::write(&recipient, &self.seal.recipient).unwrap();
        DepartmentConfig { code: code.into(), names: vec![name.into()], seal_to: Some(recipient), way }
    }

    pub fn stored(&self) -> Vec<String> {
        self.stored.lock().unwrap().keys().cloned().collect()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A relay that does not wait long.
pub fn hasty(department: Vec<DepartmentConfig>) -> RelayConfig {
    RelayConfig {
        department,
        timeout_seconds: 1,
        lease_seconds: 7,
        refusals: 3,
        first_wait_ms: 5,
        longest_wait_ms: 50,
        look_ms: 20,
        ..RelayConfig::default()
    }
}

fn next(moods: &Mutex<VecDeque<Mood>>) -> Mood {
    let mut moods = moods.lock().unwrap();
    if moods.len() > 1 { moods.pop_front().unwrap() } else { moods[0].clone() }
}

async fn read(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    assert!(text.starts_with("POST /cases HTTP/1.1\r\n"), "{text}");
    let header = |name: &str| {
        let line = text.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
        line.and_then(|line| line.split_once(": ")).map(|(_, value)| value.to_owned()).unwrap()
    };
    assert_eq!(header("content-type"), "application/json");
    let length: usize = header("content-length").parse().unwrap();
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Seen { key: header("idempotency-key"), body: bytes.split_off(head), at: Instant::now() })
}

/// What a note says, without believing it.
pub fn payload(note: &str) -> Value {
    let part = note.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Judges a delivery with programs that share nothing with the gateway; returns the note and what was sealed.
pub fn judged(city: &City, department: &SealKeyPair, delivery: &CaseDelivery) -> (Value, Value) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (signed, signature) = delivery.note.rsplit_once('.').unwrap();
    std::fs::write(at("key.pem"), city.receipt_key.to_pem()).unwrap();
    std::fs::write(at("signed"), signed).unwrap();
    std::fs::write(at("signature"), URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args(["pkeyutl", "-verify", "-pubin", "-rawin", "-inkey"]).arg(at("key.pem"));
    openssl.arg("-in").arg(at("signed")).arg("-sigfile").arg(at("signature"));
    let said = openssl.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    let header = signed.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("EdDSA"), Some("kiosk-delivery+jws")));
    let note = payload(&delivery.note);
    let sealed = STANDARD.decode(&delivery.sealed).unwrap();
    assert_eq!(note["sealed_sha256"], sha256_hex(&sealed));
    let opened = unsealed(&at("identity"), &department.identity, &sealed);
    (note, serde_json::from_slice(&opened).unwrap())
}

fn unsealed(file: &Path, identity: &str, sealed: &[u8]) -> Vec<u8> {
    std::fs::write(file, identity).unwrap();
    let mut age = Command::new("age");
    age.arg("-d").arg("-i").arg(file).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut age = age.spawn().unwrap();
    age.stdin.take().unwrap().write_all(sealed).unwrap();
    let output = age.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// Waits until something holds.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
