//! A city of its own for each test: certificates, keys, a catalog, a gateway on free ports, and terminals
//! that speak to it over real TLS. Every key is made here and thrown away with the folder.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use city_gateway::desk::Retention;
use city_gateway::relay::RelayConfig;
use city_gateway::{
    BlobPlace, CityPages, Config, Documents, Enrolment, Gateway, Limits, Listen, Paths, Store, Telemetry,
};
use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Map, Value, json};
use sync_protocol::{
    AgeSealer, CityReceiptKey, CityReceiptPublicKey, ClockEvidence, HelloAnswer, HelloReply, HelloRequest,
    Manifest, NO_PREVIOUS, PROTOCOL_VERSION, Rating, Receipt, ReceiptReply, RecordKind, SealKeyPair,
    SealedRecord, Sealer, Submission, TerminalKey, sha256_hex,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

#[path = "description.rs"]
mod description;
pub use description::described;

/// The code of the item in `item.toml`.
pub const ITEM: &str = "test-appeal";

/// Its version.
pub const ITEM_VERSION: u32 = 3;

/// A name, a phone number and words that must never be seen outside a seal.
pub const NAME: &str = "欧阳测试";
pub const PHONE: &str = "13812341234";
pub const WORDS: &str = "只有城市能看的话";

/// A made-up number of a made-up place, with its check digit.
pub fn id_number() -> String {
    const START: &str = "99000119900101123";
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = START.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{START}{}", b"10X98765432"[(sum % 11) as usize] as char)
}

type Ca = CertifiedIssuer<'static, KeyPair>;

pub fn ca() -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Another name than the certificates it signs have: OpenSSL takes those for self-signed otherwise.
    params.distinguished_name.push(DnType::CommonName, "test authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The city.
pub struct City {
    folder: tempfile::TempDir,
    pub server_ca: Ca,
    terminal_ca: Ca,
    pub receipt_key: CityReceiptPublicKey,
    pub recipient: String,
    gateway: Option<Gateway>,
    /// Where terminals go when the gateway is a process of its own.
    pub outside: Option<SocketAddr>,
}

impl City {
    /// Makes the folders and starts the gateway.
    pub async fn start() -> Self {
        let mut city = Self::prepare();
        city.restart().await;
        city
    }

    /// Makes the folders only.
    pub fn prepare() -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let (server_ca, terminal_ca) = (ca(), ca());
        let keys = folder.path().join("keys");
        let items = folder.path().join("catalog/items");
        std::fs::create_dir_all(&keys).unwrap();
        std::fs::create_dir_all(&items).unwrap();
        std::fs::write(items.join(format!("{ITEM}.toml")), include_str!("item.toml")).unwrap();

        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &server_ca).unwrap();
        let (seal, receipt) = (SealKeyPair::generate(), CityReceiptKey::generate());
        for (name, text) in [
            ("gateway.key.pem", key.serialize_pem()),
            ("gateway.cert.pem", certificate.pem()),
            ("terminal-ca.pem", terminal_ca.pem()),
            ("terminal-ca.key.pem", terminal_ca.key().serialize_pem()),
            ("city-ca.pem", server_ca.pem()),
            ("city-seal.key", seal.identity.to_string()),
            ("city-receipt.key.pem", receipt.to_pem().to_string()),
        ] {
            std::fs::write(keys.join(name), text).unwrap();
        }
        let (receipt_key, recipient) = (receipt.public(), seal.recipient.clone());
        Self { folder, server_ca, terminal_ca, receipt_key, recipient, gateway: None, outside: None }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn config(&self) -> Config {
        let anywhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
        Config {
            listen: Listen { terminals: anywhere, enrolment: Some(anywhere), city: anywhere },
            paths: Paths {
                state: self.path("state"),
                keys: self.path("keys"),
                catalog: self.path("catalog"),
                catalog_repository: None,
            },
            // Most tests make their certificates themselves.
            enrolment: Enrolment { trust_unlisted: true, ..Enrolment::default() },
            limits: Limits::default(),
            store: Store::default(),
            blobs: BlobPlace::default(),
            city: CityPages { open_feed: true, ..CityPages::default() },
            retention: Retention::default(),
            telemetry: Telemetry::default(),
            relay: RelayConfig::default(),
            documents: Documents::default(),
            registers: HashMap::new(),
        }
    }

    /// Stops the gateway when it runs, and starts it on the same folders.
    pub async fn restart(&mut self) {
        self.restart_with(self.config()).await;
    }

    /// Stops the gateway when it runs.
    pub async fn stop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await.unwrap();
        }
    }

    pub async fn restart_with(&mut self, config: Config) {
        self.stop().await;
        self.outside = None;
        self.gateway = Some(Gateway::start(&config).await.unwrap());
    }

    /// Without trust in what is not on the list, as a city runs.
    pub fn strict(&self) -> Config {
        let mut config = self.config();
        config.enrolment.trust_unlisted = false;
        config
    }

    /// A client as a browser is: trusts the city, follows no redirect by itself.
    pub fn browser_client(&self) -> reqwest::Client {
        let ca = reqwest::Certificate::from_pem(self.server_ca.pem().as_bytes()).unwrap();
        let builder = reqwest::Client::builder().tls_certs_only([ca]).no_proxy();
        builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
    }

    pub fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().unwrap()
    }

    /// A terminal that the city certified.
    pub fn terminal(&self, code: &str) -> Terminal {
        self.certified(code, &format!("spiffe://city/terminal/{code}"))
    }

    /// Someone the city certified under another name.
    pub fn certified(&self, code: &str, name: &str) -> Terminal {
        self.terminal_named(code, name, &self.terminal_ca)
    }

    /// A terminal with any name in its certificate, certified by anybody.
    pub fn terminal_named(&self, code: &str, name: &str, ca: &Ca) -> Terminal {
        let any_dates = CertificateParams::new(Vec::new()).unwrap();
        self.terminal_with(code, name, ca, any_dates, TerminalKey::generate())
    }

    /// A terminal that the city certified from the one year to the other.
    pub fn terminal_dated(&self, code: &str, from: i32, until: i32) -> Terminal {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let name = format!("spiffe://city/terminal/{code}");
        self.terminal_with(code, &name, &self.terminal_ca, params, TerminalKey::generate())
    }

    /// A terminal that has its key already.
    pub fn golden_terminal(&self, code: &str, key: &str) -> Terminal {
        let key = TerminalKey::from_pem(key).unwrap();
        let any_dates = CertificateParams::new(Vec::new()).unwrap();
        let name = format!("spiffe://city/terminal/{code}");
        self.terminal_with(code, &name, &self.terminal_ca, any_dates, key)
    }

    fn terminal_with(
        &self,
        code: &str,
        name: &str,
        ca: &Ca,
        mut params: CertificateParams,
        key: TerminalKey,
    ) -> Terminal {
        let pem = key.to_pem();
        let pair = KeyPair::from_pem(&pem).unwrap();
        params.subject_alt_names = vec![SanType::URI(Ia5String::try_from(name).unwrap())];
        let certificate = params.signed_by(&pair, ca).unwrap();
        self.terminal_of(code, key, &certificate.pem())
    }

    /// A terminal with this key and this certificate.
    pub fn terminal_of(&self, code: &str, key: TerminalKey, certificate: &str) -> Terminal {
        let identity = format!("{certificate}{}", *key.to_pem());
        let client = self.client(Some(&identity));
        let sealer = AgeSealer::from_recipients(&self.recipient).unwrap();
        Terminal { code: code.into(), key, client, sealer, identity, trusted: self.server_ca.der().clone() }
    }

    /// A client that trusts the city, with a certificate or without.
    pub fn client(&self, identity: Option<&str>) -> reqwest::Client {
        let ca = reqwest::Certificate::from_pem(self.server_ca.pem().as_bytes()).unwrap();
        let mut builder = reqwest::Client::builder().tls_certs_only([ca]).timeout(Duration::from_secs(30));
        if let Some(identity) = identity {
            builder = builder.identity(reqwest::Identity::from_pem(identity.as_bytes()).unwrap());
        }
        builder.build().unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        let address = self.outside.unwrap_or_else(|| self.gateway().terminals());
        format!("https://localhost:{}{path}", address.port())
    }

    pub async fn page(&self, path: &str) -> reqwest::Response {
        let url = format!("http://{}{path}", self.gateway().city());
        reqwest::Client::builder().no_proxy().build().unwrap().get(url).send().await.unwrap()
    }

    pub async fn records(&self) -> Vec<Value> {
        let answer: Value = self.page("/city/inbox.json").await.json().await.unwrap();
        answer["records"].as_array().unwrap().clone()
    }

    /// Waits until no record is waiting for the opener.
    pub async fn all_decided(&self) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let records = self.records().await;
            if !records.is_empty() && records.iter().all(|record| record["status"] != "received") {
                return records;
            }
            assert!(Instant::now() < deadline, "records are still waiting for the opener");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every byte the gateway has written.
    pub fn written(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.path("state")).unwrap().map(|file| file.unwrap().path());
        // Sockets are no files.
        files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
    }
}

/// A terminal with a certificate.
pub struct Terminal {
    pub code: String,
    pub key: TerminalKey,
    pub client: reqwest::Client,
    pub sealer: AgeSealer,
    /// Certificate and key, PEM.
    pub identity: String,
    trusted: CertificateDer<'static>,
}

impl Terminal {
    /// A bare TLS connection that speaks HTTP/1.1, for requests no client would send.
    pub async fn connect(&self, city: &City) -> TlsStream<TcpStream> {
        self.connect_to(city.gateway().terminals()).await
    }

    /// The same to a gateway that is a process of its own.
    pub async fn connect_to(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.trusted.clone()).unwrap();
        let certificate = CertificateDer::from_pem_slice(self.identity.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.identity.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate], key)
            .unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    /// A manifest for a content at a place.
    pub fn manifest(&self, seq: u64, kind: RecordKind, ciphertext: &[u8]) -> Manifest {
        Manifest {
            version: PROTOCOL_VERSION,
            kind,
            terminal: self.code.clone(),
            incarnation: "life-1".into(),
            seq,
            case_id: case_id(seq),
            about: None,
            voids: None,
            case_number: format!("{}-{seq}", self.code),
            verification: format!("{}-V{seq}", self.code),
            item: ITEM.into(),
            item_version: ITEM_VERSION,
            catalog_version: "any".into(),
            prev_hash: NO_PREVIOUS.into(),
            sha256: sha256_hex(ciphertext),
            bytes: ciphertext.len() as u64,
            blobs: Vec::new(),
            clock: clock(),
        }
    }

    /// What a resident would have submitted.
    pub fn submission(&self, seq: u64) -> Submission {
        let object = |value: Value| value.as_object().unwrap().clone();
        let applicant = json!({ "document": "resident-id-card", "name": NAME, "number": id_number() });
        Submission {
            version: PROTOCOL_VERSION,
            case_id: case_id(seq),
            case_number: format!("{}-{seq}", self.code),
            item: ITEM.into(),
            item_version: ITEM_VERSION,
            language: "zh-Hans".into(),
            finalised_at_ms: 1_795_327_500_000,
            identification: "id-card".into(),
            applicant: object(applicant),
            answers: object(json!({ "words": WORDS, "phone": PHONE })),
            consent_version: 1,
            about: None,
        }
    }

    /// A whole, good case.
    pub fn case(&self, seq: u64) -> (Manifest, SealedRecord) {
        self.sealed(seq, RecordKind::Case, &self.submission(seq).to_plaintext())
    }

    /// A case with other answers.
    pub fn case_with(&self, seq: u64, answers: Map<String, Value>) -> (Manifest, SealedRecord) {
        let mut submission = self.submission(seq);
        submission.answers = answers;
        self.sealed(seq, RecordKind::Case, &submission.to_plaintext())
    }

    /// A rating of the case at another place.
    pub fn rating(&self, seq: u64, about: u64, stars: u8) -> (Manifest, SealedRecord) {
        let case_number = format!("{}-{seq}", self.code);
        let rating = Rating { version: PROTOCOL_VERSION, about: case_id(about), case_number, stars };
        let ciphertext = self.sealer.seal(&rating.to_plaintext()).unwrap();
        let mut manifest = self.manifest(seq, RecordKind::Rating, &ciphertext);
        manifest.about = Some(case_id(about));
        (manifest.clone(), SealedRecord { manifest: manifest.sign(&self.key), ciphertext })
    }

    /// Anything, sealed and signed.
    pub fn sealed(&self, seq: u64, kind: RecordKind, plaintext: &[u8]) -> (Manifest, SealedRecord) {
        let ciphertext = self.sealer.seal(plaintext).unwrap();
        let manifest = self.manifest(seq, kind, &ciphertext);
        (manifest.clone(), SealedRecord { manifest: manifest.sign(&self.key), ciphertext })
    }

    /// Sends a record and returns what came back.
    pub async fn put(&self, city: &City, case_id: &str, record: &SealedRecord) -> reqwest::Response {
        let request = self.client.put(city.url(&format!("/v1/records/{case_id}"))).body(record.to_json());
        let response = request.header("content-type", "application/json").send().await.unwrap();
        described("put", "/v1/records/{case_id}", response).await
    }

    /// Sends a record that must get a receipt; returns it as it came, and checked.
    pub async fn deliver(
        &self,
        city: &City,
        manifest: &Manifest,
        record: &SealedRecord,
    ) -> (String, Receipt) {
        let response = self.put(city, &manifest.case_id, record).await;
        assert_eq!(response.status(), 200);
        let reply: ReceiptReply = response.json().await.unwrap();
        let receipt = Receipt::verify(&reply.receipt, &city.receipt_key).unwrap();
        let Manifest { terminal, incarnation, seq, case_id, sha256, .. } = manifest;
        assert!(receipt.matches(terminal, incarnation, *seq, case_id, sha256));
        (reply.receipt, receipt)
    }

    /// Says hello and returns the checked answer.
    pub async fn hello(&self, city: &City) -> HelloAnswer {
        self.say(city, &hello_request(&self.code)).await
    }

    /// Says this hello and returns the checked answer.
    pub async fn say(&self, city: &City, hello: &HelloRequest) -> HelloAnswer {
        let response = self.client.post(city.url("/v1/hello")).json(hello).send().await.unwrap();
        let reply: HelloReply = described("post", "/v1/hello", response).await.json().await.unwrap();
        HelloAnswer::verify(&reply.hello, &city.receipt_key).unwrap()
    }

    /// Asks for the receipt of a record as things stand.
    pub async fn receipt(&self, city: &City, case_id: &str) -> Option<(String, Receipt)> {
        let url = city.url(&format!("/v1/records/{case_id}/receipt"));
        let response = self.client.get(url).send().await.unwrap();
        let response = described("get", "/v1/records/{case_id}/receipt", response).await;
        if response.status() == 404 {
            return None;
        }
        let reply: ReceiptReply = response.json().await.unwrap();
        let receipt = Receipt::verify(&reply.receipt, &city.receipt_key).unwrap();
        Some((reply.receipt, receipt))
    }
}

pub fn hello_request(code: &str) -> HelloRequest {
    HelloRequest {
        version: PROTOCOL_VERSION,
        terminal: code.into(),
        incarnation: "life-1".into(),
        finalised_seq: 1,
        oldest_unacked_age_s: None,
        agent_version: "test".into(),
        clock: clock(),
        nonce: None,
        head_hash: None,
        continuity: None,
        tpm_counter: None,
        earlier: Vec::new(),
        ledger: None,
        catalog_version: None,
        disk_used_percent: None,
    }
}

/// One id for each place.
pub fn case_id(seq: u64) -> String {
    format!("00000000-0000-4000-8000-{seq:012}")
}

fn clock() -> ClockEvidence {
    ClockEvidence {
        wall_ms: 1_795_327_500_000,
        monotonic_ms: 5,
        boot_id: "boot".into(),
        last_sync_age_s: None,
    }
}
