//! Certificates and requests made with the openssl program: which are let in, and which are not.

use std::path::Path;

use reqwest::StatusCode;
use sync_protocol::{HelloReply, TerminalKey};

use crate::applicant::{certificates_in, openssl, pem_only};
use crate::support::{City, hello_request};

/// What `openssl ca` needs: it is the one command that takes any dates.
const CONFIGURATION: &str = "
[ca]
default_ca = any
[any]
dir = .
database = ./index
serial = ./serial
new_certs_dir = .
default_md = sha256
policy = policy
unique_subject = no
copy_extensions = none
[policy]
commonName = supplied
[req]
distinguished_name = name
[name]
[terminal]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = URI:spiffe://city/terminal/DG0001
[no_purpose]
subjectAltName = URI:spiffe://city/terminal/DG0001
[server]
extendedKeyUsage = serverAuth
subjectAltName = URI:spiffe://city/terminal/DG0001
[other]
extendedKeyUsage = clientAuth
subjectAltName = URI:spiffe://city/terminal/DG0002
[nameless]
extendedKeyUsage = clientAuth
[twofold]
extendedKeyUsage = clientAuth
subjectAltName = URI:spiffe://city/terminal/DG0001, URI:spiffe://city/terminal/DG0002
[dns]
extendedKeyUsage = clientAuth
subjectAltName = DNS:DG0001
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[no_authority]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
";

/// An authority run with openssl, in a folder of its own.
struct Openssl<'a>(&'a Path);

impl Openssl<'_> {
    fn run(&self, arguments: &str) -> Vec<u8> {
        let words: Vec<_> = arguments.split_whitespace().collect();
        openssl(&words, self.0, b"")
    }

    fn start(&self) {
        std::fs::create_dir_all(self.0).unwrap();
        let write = |name: &str, text: &str| std::fs::write(self.0.join(name), text).unwrap();
        write("c", CONFIGURATION);
        write("index", "");
        write("serial", "1000");
        for authority in ["ca", "strange"] {
            self.run(&format!(
                "req -x509 -config c -extensions authority -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                 -keyout {authority}.key -out {authority}.pem -subj /CN=authority -days 3650"
            ));
        }
    }

    /// Key and request under a name.
    fn key(&self, name: &str, kind: &str) {
        self.run(&format!(
            "req -new -config c -newkey {kind} -nodes -keyout {name}.key -out {name}.csr -subj /CN=any"
        ));
    }

    /// A certificate, and the identity (chain and key) for a client of TLS.
    fn certify(&self, name: &str, by: &str, section: &str, dates: &str) -> String {
        self.run(&format!(
            "ca -batch -notext -config c -cert {by}.pem -keyfile {by}.key -extensions {section} -in {name}.csr \
             -out {name}.pem {dates}"
        ));
        self.identity(name)
    }

    fn identity(&self, name: &str) -> String {
        let read = |end: &str| std::fs::read_to_string(self.0.join(format!("{name}.{end}"))).unwrap();
        format!("{}{}", read("pem"), read("key"))
    }
}

const EC: &str = "ec -pkeyopt ec_paramgen_curve:P-256";
const NOW: &str = "-days 30";
const LONG_AGO: &str = "-startdate 20100101000000Z -enddate 20110101000000Z";
const FAR_AHEAD: &str = "-startdate 20450101000000Z -enddate 20460101000000Z";

/// Says hello as `DG0001`; `None` when the connection is refused.
async fn hello(city: &City, identity: &str) -> Option<StatusCode> {
    let client = city.client(Some(identity));
    let call = client.post(city.url("/v1/hello")).json(&hello_request("DG0001"));
    let response = call.send().await.ok()?;
    let status = response.status();
    if status.is_success() {
        let _: HelloReply = response.json().await.unwrap();
    }
    Some(status)
}

/// A city whose terminals are certified by openssl's authority.
async fn city() -> (City, std::path::PathBuf) {
    let mut city = City::prepare();
    let folder = city.path("openssl");
    Openssl(&folder).start();
    std::fs::copy(folder.join("ca.pem"), city.path("keys/terminal-ca.pem")).unwrap();
    std::fs::copy(folder.join("ca.key"), city.path("keys/terminal-ca.key.pem")).unwrap();
    city.restart().await;
    (city, folder)
}

#[tokio::test]
async fn certificates_made_elsewhere_are_let_in_or_not() {
    let (city, folder) = city().await;
    let made = Openssl(&folder);
    let ok = Some(StatusCode::OK);
    for (name, kind, by, section, dates, expected) in [
        ("good", EC, "ca", "terminal", NOW, ok),
        ("expired", EC, "ca", "terminal", LONG_AGO, ok),
        ("early", EC, "ca", "terminal", FAR_AHEAD, ok),
        ("purposeless", EC, "ca", "no_purpose", NOW, ok),
        ("other", EC, "ca", "other", NOW, Some(StatusCode::FORBIDDEN)),
        ("stranger", EC, "strange", "terminal", NOW, None),
        ("server", EC, "ca", "server", NOW, None),
        ("nameless", EC, "ca", "nameless", NOW, None),
        ("twofold", EC, "ca", "twofold", NOW, None),
        ("dns", EC, "ca", "dns", NOW, None),
        ("rsa", "rsa:2048", "ca", "terminal", NOW, None),
        ("p384", "ec -pkeyopt ec_paramgen_curve:P-384", "ca", "terminal", NOW, None),
    ] {
        made.key(name, kind);
        let identity = made.certify(name, by, section, dates);
        assert_eq!(hello(&city, &identity).await, expected, "{name}");
    }
}

#[tokio::test]
async fn chains_made_elsewhere_are_let_in_or_not() {
    let (city, folder) = city().await;
    let made = Openssl(&folder);
    for (between, section, expected) in
        [("sub", "authority", Some(StatusCode::OK)), ("nosub", "no_authority", None)]
    {
        made.key(between, EC);
        made.certify(between, "ca", section, NOW);
        let leaf = format!("under-{between}");
        made.key(&leaf, EC);
        let own = made.certify(&leaf, between, "terminal", NOW);
        let chain =
            format!("{}{own}", std::fs::read_to_string(folder.join(format!("{between}.pem"))).unwrap());
        // The leaf comes first.
        let leaf_pem = std::fs::read_to_string(folder.join(format!("{leaf}.pem"))).unwrap();
        let identity = format!("{leaf_pem}{}", chain.replacen(&leaf_pem, "", 1));
        assert_eq!(hello(&city, &identity).await, expected, "{between}");
    }
    // Signed with its own key.
    made.run(&format!(
        "req -x509 -config c -extensions terminal -newkey {EC} -nodes -keyout own.key -out own.pem \
         -subj /CN=authority -days 30"
    ));
    assert_eq!(hello(&city, &made.identity("own")).await, None);
    // The authority's own certificate is no terminal's.
    assert_eq!(hello(&city, &made.identity("ca")).await, None);
    // A good certificate with another's key.
    made.key("good", EC);
    made.certify("good", "ca", "terminal", NOW);
    made.key("thief", EC);
    let good = std::fs::read_to_string(folder.join("good.pem")).unwrap();
    let key = std::fs::read_to_string(folder.join("thief.key")).unwrap();
    let identity = reqwest::Identity::from_pem(format!("{good}{key}").as_bytes());
    let refused = match identity {
        Err(_) => true,
        Ok(identity) => {
            let ca = std::fs::read(city.path("keys/city-ca.pem")).unwrap();
            let ca = reqwest::Certificate::from_pem(&ca).unwrap();
            let client = reqwest::Client::builder().tls_certs_only([ca]).identity(identity).build();
            match client {
                Err(_) => true,
                Ok(client) => client.post(city.url("/v1/hello")).send().await.is_err(),
            }
        }
    };
    assert!(refused);
}

#[tokio::test]
async fn requests_made_elsewhere_are_answered_or_not() {
    let (city, folder) = city().await;
    let made = Openssl(&folder);
    let body = |name: &str| {
        let der = made.run(&format!("req -in {name}.csr -outform DER"));
        String::from_utf8(openssl(&["base64"], &folder, &der)).unwrap()
    };
    made.run(&format!(
        "req -new -config c -newkey {EC} -nodes -keyout new.key -out new.csr -subj /CN=DG0001 \
         -addext subjectAltName=URI:spiffe://city/terminal/DG0001 -addext basicConstraints=CA:TRUE"
    ));
    let answer = city.ask_to_enrol("DG0001", &city.voucher("DG0001").await, body("new")).await;
    let certificate = pem_only(&certificates_in(answer).await);
    // A wish to be an authority is not granted.
    let text = openssl(&["x509", "-noout", "-text"], &folder, certificate.as_bytes());
    assert!(!String::from_utf8(text).unwrap().contains("CA:TRUE"));
    let key = std::fs::read_to_string(folder.join("new.key")).unwrap();
    let terminal = city.terminal_of("DG0001", TerminalKey::from_pem(&key).unwrap(), &certificate);
    assert_ne!(terminal.hello(&city).await.catalog_version, "");

    made.key("rsa", "rsa:2048");
    made.key("p384", "ec -pkeyopt ec_paramgen_curve:P-384");
    made.key("nobody", EC);
    for (name, status) in [
        ("rsa", StatusCode::BAD_REQUEST),
        ("p384", StatusCode::BAD_REQUEST),
        ("nobody", StatusCode::FORBIDDEN),
    ] {
        let answer = city.ask_to_enrol("DG0001", &city.voucher("DG0001").await, body(name)).await;
        assert_eq!(answer.status(), status, "{name}");
    }
}
