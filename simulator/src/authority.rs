//! The demo's own authorities and keys: everything that enrolment and a real city would provide.
//!
//! The signing keys of the authorities are not kept: nothing more is ever signed by them.

use anyhow::Context;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use sync_protocol::{CityReceiptKey, SealKeyPair, TerminalKey};
use time::{Duration, OffsetDateTime};

use crate::network::ImpostorIdentities;

const VALID_DAYS: i64 = 3650;

/// Files of one folder: name and contents.
pub type Files = Vec<(&'static str, String)>;

/// Everything that is made once for a demo.
pub struct Identities {
    /// For the terminal's `keys` folder.
    pub terminal: Files,
    /// For the gateway's.
    pub gateway: Files,
    /// For the network switch.
    pub network: ImpostorIdentities,
}

type Authority = Issuer<'static, KeyPair>;

/// Makes all keys and certificates for a terminal with this code.
pub fn make(terminal_code: &str) -> anyhow::Result<Identities> {
    let (city_ca, city) = authority("莞家演示 · 城市")?;
    let (terminal_ca, terminals) = authority("莞家演示 · 终端")?;
    let (_, unknown) = authority("陌生机构")?;

    let terminal_key = TerminalKey::generate().to_pem();
    let terminal_uri = format!("spiffe://city/terminal/{terminal_code}");
    let pair =
        KeyPair::from_pem(&terminal_key).context("the terminal's key does not suit its certificate")?;
    let mut params = leaf(terminal_code, ExtendedKeyUsagePurpose::ClientAuth)?;
    params.subject_alt_names.push(SanType::URI(terminal_uri.as_str().try_into()?));
    let terminal_cert = params.signed_by(&pair, &terminals)?;

    let (gateway_cert, gateway_key) = server("city-gateway", &city)?;
    let seal = SealKeyPair::generate();
    let receipt = CityReceiptKey::generate();
    Ok(Identities {
        terminal: vec![
            ("terminal.key.pem", terminal_key.to_string()),
            ("terminal.cert.pem", terminal_cert.pem()),
            ("city-ca.pem", city_ca.pem()),
            ("city-seal.pub", seal.recipient.clone()),
            ("city-receipt.pub.pem", receipt.public().to_pem()),
        ],
        gateway: vec![
            ("gateway.key.pem", gateway_key),
            ("gateway.cert.pem", gateway_cert),
            ("terminal-ca.pem", terminal_ca.pem()),
            ("city-ca.pem", city_ca.pem()),
            ("city-seal.key", seal.identity.to_string()),
            ("city-receipt.key.pem", receipt.to_pem().to_string()),
        ],
        network: ImpostorIdentities {
            trusted: server("portal", &city)?,
            stranger: server("stranger", &unknown)?,
        },
    })
}

fn params(name: &str) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(VALID_DAYS);
    Ok(params)
}

fn authority(name: &str) -> anyhow::Result<(Certificate, Authority)> {
    let mut params = params(name)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate, Issuer::new(params, key)))
}

fn leaf(name: &str, purpose: ExtendedKeyUsagePurpose) -> anyhow::Result<CertificateParams> {
    let mut params = params(name)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    Ok(params)
}

/// Certificate and key (PEM) of a server on this machine.
fn server(name: &str, issuer: &Authority) -> anyhow::Result<(String, String)> {
    let mut params = leaf(name, ExtendedKeyUsagePurpose::ServerAuth)?;
    let ip = std::net::IpAddr::from([127, 0, 0, 1]);
    params.subject_alt_names = vec![SanType::DnsName("localhost".try_into()?), SanType::IpAddress(ip)];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
