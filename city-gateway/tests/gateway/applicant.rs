//! A terminal that asks for certificates the way EST says, and operators who let it. Answers are read with the
//! openssl program, so that not only our own two ends understand each other.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use city_gateway::operator::{self, Ask, Told};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use reqwest::Response;
use sync_protocol::TerminalKey;

use crate::support::{City, Terminal, described};

/// Runs openssl, which must succeed.
pub fn openssl(arguments: &[&str], folder: &Path, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the Debian package openssl is installed");
    // Some commands do not read their input to the end.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {complaint}");
    output.stdout
}

/// The certificates (PEM, with what openssl says about them) in an answer of EST.
pub async fn certificates_in(response: Response) -> String {
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(headers["content-type"], "application/pkcs7-mime; smime-type=certs-only");
    assert_eq!(headers["content-transfer-encoding"], "base64");
    let text: String = response.text().await.unwrap().split_whitespace().collect();
    let der = STANDARD.decode(text).unwrap();
    let printed = openssl(&["pkcs7", "-inform", "DER", "-print_certs"], Path::new("/"), &der);
    String::from_utf8(printed).unwrap()
}

/// Only the PEM blocks, which clients of TLS want.
pub fn pem_only(printed: &str) -> String {
    let mut inside = false;
    let lines = printed.lines().filter(|line| {
        inside |= line.starts_with("-----BEGIN");
        let keep = inside;
        inside &= !line.starts_with("-----END");
        keep
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// A request (base64 of PKCS#10) for this terminal.
pub fn request(terminal: &str, key: &TerminalKey) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, terminal);
    let pair = KeyPair::from_pem(&key.to_pem()).unwrap();
    STANDARD.encode(params.serialize_request(&pair).unwrap().der())
}

impl City {
    /// What the operators' door says.
    pub async fn operator(&self, ask: Ask) -> Told {
        operator::ask(&self.path("state"), &ask).await.unwrap()
    }

    /// A voucher for a terminal.
    pub async fn voucher(&self, terminal: &str) -> String {
        let ask = Ask::IssueVoucher { terminal: terminal.into(), valid_hours: 1 };
        match self.operator(ask).await {
            Told::Voucher { voucher, .. } => voucher,
            other => panic!("{other:?}"),
        }
    }

    pub async fn revoke(&self, terminal: &str) {
        let told = self.operator(Ask::Revoke { terminal: terminal.into() }).await;
        assert!(matches!(told, Told::Lines(_)), "{told:?}");
    }

    /// What happened to the list, in words.
    pub async fn events(&self) -> Vec<String> {
        let events = self.gateway().registry().events(0, 1000).await.unwrap();
        events.into_iter().map(|event| format!("{} {}", event.terminal, event.event)).collect()
    }

    pub fn enrolment_url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.gateway().enrolment().unwrap().port())
    }

    /// Sends a request for a certificate with a voucher.
    pub async fn ask_to_enrol(&self, terminal: &str, voucher: &str, body: String) -> Response {
        let call = self.client(None).post(self.enrolment_url("/.well-known/est/simpleenroll"));
        let call = call.header("content-type", "application/pkcs10").basic_auth(terminal, Some(voucher));
        let response = call.body(body).send().await.unwrap();
        described("post", "/.well-known/est/simpleenroll", response).await
    }

    /// Enrols a new terminal.
    pub async fn enrolled(&self, terminal: &str) -> Terminal {
        let (key, voucher) = (TerminalKey::generate(), self.voucher(terminal).await);
        let answer = self.ask_to_enrol(terminal, &voucher, request(terminal, &key)).await;
        let certificate = pem_only(&certificates_in(answer).await);
        self.terminal_of(terminal, key, &certificate)
    }
}

impl Terminal {
    /// Asks for another certificate with the one it has.
    pub async fn ask_to_renew(&self, city: &City, body: String) -> Response {
        let call = self.client.post(city.url("/.well-known/est/simplereenroll"));
        let response = call.header("content-type", "application/pkcs10").body(body).send().await.unwrap();
        described("post", "/.well-known/est/simplereenroll", response).await
    }
}
