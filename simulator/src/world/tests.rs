//! The made files are what the programs will read.

use super::*;
use std::os::unix::fs::PermissionsExt;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sync_protocol::{
    AgeOpener, AgeSealer, CityReceiptKey, CityReceiptPublicKey, DocumentKey, DocumentPublicKey, Opener,
    Sealer, TerminalKey,
};

const PORTS: PortNumbers = PortNumbers { network: 1001, terminals: 1002, city: 1003 };

fn options() -> WorldOptions {
    WorldOptions {
        catalog: "/catalog".into(),
        publisher: None,
        documents: "/programs/render-document".into(),
        typing: Some("/programs/chinese-input".into()),
        min_free_mib: 7,
        quick: true,
        devices: serde_json::json!({ "ups": { "server": "127.0.0.1:3493", "name": "kiosk" } }),
        settings: vec!["waits.idle_s=2".into(), "terminal.place=别处".into()],
    }
}

fn read(world: &World, path: &str) -> String {
    std::fs::read_to_string(world.folder().join(path)).unwrap()
}

#[test]
fn configuration_parses_and_settings_win() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).unwrap();
    world.furnish(&PORTS, &options()).unwrap();
    let terminal: toml::Table = toml::from_str(&read(&world, "terminal/terminal.toml")).unwrap();
    assert_eq!(terminal["terminal"]["code"].as_str(), Some("DG0001"));
    assert_eq!(terminal["terminal"]["place"].as_str(), Some("别处"));
    assert_eq!(terminal["waits"]["idle_s"].as_integer(), Some(2));
    assert_eq!(terminal["store"]["min_free_mib"].as_integer(), Some(7));
    assert_eq!(terminal["sync"]["retry_base_ms"].as_integer(), Some(50));
    assert_eq!(terminal["typing"]["program"].as_str(), Some("/programs/chinese-input"));
    assert_eq!(terminal["panel"]["diagonal_inch"].as_float(), Some(21.5));
    assert_eq!(terminal["city"]["url"].as_str(), Some("https://localhost:1001"));
    assert_eq!(terminal["city"]["verify_url"].as_str(), Some("http://127.0.0.1:1003/v/"));
    assert_eq!(terminal["devices"]["ups"]["name"].as_str(), Some("kiosk"));
    let gateway: toml::Table = toml::from_str(&read(&world, "gateway/gateway.toml")).unwrap();
    assert_eq!(gateway["listen"]["terminals"].as_str(), Some("127.0.0.1:1002"));
    assert_eq!(terminal["paths"]["catalog"].as_str(), Some("/catalog"));
    assert!(gateway["paths"].get("catalog_repository").is_none());
    let wrong = WorldOptions { settings: vec!["nonsense".into()], ..options() };
    assert!(world.furnish(&PORTS, &wrong).is_err());
}

#[test]
fn without_a_signature_the_demo_works_on_the_plain_folder() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).unwrap();
    world.furnish(&PORTS, &options()).unwrap();
    let root = folder.path().join("terminal/keys/catalog-root.json");
    std::fs::write(&root, "from an earlier run").unwrap();
    let failing = WorldOptions { publisher: Some("/bin/false".into()), ..options() };
    world.furnish(&PORTS, &failing).unwrap();
    let terminal: toml::Table = toml::from_str(&read(&world, "terminal/terminal.toml")).unwrap();
    assert_eq!(terminal["paths"]["catalog"].as_str(), Some("/catalog"));
    assert!(!root.exists(), "the agent must leave the project's own folder alone");
}

#[test]
fn keys_fit_each_other_stay_the_same_and_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(&folder.path().join("new")).unwrap();
    world.furnish(&PORTS, &options()).unwrap();
    let sealed =
        AgeSealer::from_recipients(&read(&world, "terminal/keys/city-seal.pub")).unwrap().seal(b"x").unwrap();
    let opener = AgeOpener::from_identities(&read(&world, "gateway/keys/city-seal.key")).unwrap();
    assert_eq!(opener.open(&sealed).unwrap().as_slice(), b"x");
    let receipt = CityReceiptKey::from_pem(&read(&world, "gateway/keys/city-receipt.key.pem")).unwrap();
    let public = CityReceiptPublicKey::from_pem(&read(&world, "terminal/keys/city-receipt.pub.pem")).unwrap();
    assert_eq!(receipt.public(), public);
    let document = DocumentKey::from_pem(&read(&world, "gateway/keys/city-document.key.pem")).unwrap();
    let public = read(&world, "gateway/keys/city-document.pub.pem");
    assert_eq!(DocumentPublicKey::all_from_pem(&public).unwrap(), [document.public()]);
    let key = read(&world, "terminal/keys/terminal.key.pem");
    TerminalKey::from_pem(&key).unwrap();

    // rustls accepts key and chain of every party, and each chain under its authority.
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let certificate = |path: &str| CertificateDer::from_pem_slice(read(&world, path).as_bytes()).unwrap();
    let key = |path: &str| PrivateKeyDer::from_pem_slice(read(&world, path).as_bytes()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate("terminal/keys/city-ca.pem")).unwrap();
    rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![certificate("terminal/keys/terminal.cert.pem")],
            key("terminal/keys/terminal.key.pem"),
        )
        .unwrap();
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate("gateway/keys/gateway.cert.pem")],
            key("gateway/keys/gateway.key.pem"),
        )
        .unwrap();

    let before = read(&world, "terminal/keys/terminal.cert.pem");
    world.furnish(&PORTS, &options()).unwrap();
    assert_eq!(read(&world, "terminal/keys/terminal.cert.pem"), before);
    let mode =
        |path: &str| std::fs::metadata(world.folder().join(path)).unwrap().permissions().mode() & 0o777;
    for file in ["terminal/keys/terminal.key.pem", "gateway/keys/city-seal.key", "terminal/terminal.toml"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
    assert_eq!(mode("terminal/keys"), 0o700);
}

#[test]
fn a_fresh_start_removes_only_what_a_demo_made() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path()).unwrap();
    world.furnish(&PORTS, &options()).unwrap();
    let before = read(&world, "terminal/keys/terminal.cert.pem");
    world.clear().unwrap();
    assert!(!world.terminal_config().exists());
    world.furnish(&PORTS, &options()).unwrap();
    assert_ne!(read(&world, "terminal/keys/terminal.cert.pem"), before);

    std::fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let refusal = world.clear().unwrap_err().to_string();
    assert!(refusal.contains("thesis.txt"), "{refusal}");
    assert!(world.terminal_config().exists());
}

#[test]
fn an_overlong_folder_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(&folder.path().join("x".repeat(120))).unwrap();
    assert!(world.screen_socket().unwrap_err().to_string().contains("too long"));
}
