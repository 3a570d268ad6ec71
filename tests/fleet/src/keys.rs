//! The temporary city's authorities and keys, and certificates for as many terminals as are wanted: what enrolment
//! would issue, made without its door.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::RootCertStore;
use rustls::crypto::ring::sign::any_ecdsa_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use sync_protocol::{CityReceiptKey, CityReceiptPublicKey, SealKeyPair, TerminalKey};
use time::{Duration, OffsetDateTime};

/// What terminals need to know of the city, and the authority that certifies them.
pub struct CityKeys {
    terminals: Issuer<'static, KeyPair>,
    /// Who certified the gateway.
    pub authorities: RootCertStore,
    /// With which receipts are checked.
    pub receipt: CityReceiptPublicKey,
    /// To whom records are sealed.
    pub recipient: String,
}

/// One terminal's key and certificate.
pub struct Identity {
    /// Its code.
    pub code: String,
    /// Its key, for manifests.
    pub key: TerminalKey,
    /// The same for TLS, with its certificate.
    pub certified: Arc<CertifiedKey>,
}

impl CityKeys {
    /// Makes everything, and writes what the gateway needs into this folder.
    pub fn make(folder: &Path) -> Result<Self> {
        let (city_ca, city) = authority("城市")?;
        let (terminal_ca, terminals) = authority("终端")?;
        let mut params = leaf("city-gateway", ExtendedKeyUsagePurpose::ServerAuth)?;
        params.subject_alt_names = vec![SanType::DnsName("localhost".try_into()?)];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &city)?;
        let (seal, receipt) = (SealKeyPair::generate(), CityReceiptKey::generate());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        for (name, text) in [
            ("gateway.key.pem", key.serialize_pem()),
            ("gateway.cert.pem", certificate.pem()),
            ("terminal-ca.pem", terminal_ca.pem()),
            ("city-ca.pem", city_ca.pem()),
            ("city-seal.key", seal.identity.to_string()),
            ("city-receipt.key.pem", receipt.to_pem().to_string()),
        ] {
            let mut options = fs::OpenOptions::new();
            let mut file = options.create_new(true).write(true).mode(0o600).open(folder.join(name))?;
            std::io::Write::write_all(&mut file, text.as_bytes())?;
        }
        let mut authorities = RootCertStore::empty();
        authorities.add(city_ca.der().clone())?;
        Ok(Self { terminals, authorities, receipt: receipt.public(), recipient: seal.recipient.clone() })
    }

    /// A key and a certificate as enrolment issues them.
    pub fn enrol(&self, code: &str) -> Result<Identity> {
        let key = TerminalKey::generate();
        let pem = key.to_pem();
        let pair = KeyPair::from_pem(&pem).context("the terminal's key does not suit its certificate")?;
        let mut params = leaf(code, ExtendedKeyUsagePurpose::ClientAuth)?;
        let name = format!("spiffe://city/terminal/{code}");
        params.subject_alt_names = vec![SanType::URI(name.as_str().try_into()?)];
        let certificate: CertificateDer<'static> = params.signed_by(&pair, &self.terminals)?.der().clone();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())?);
        let certified = Arc::new(CertifiedKey::new(vec![certificate], any_ecdsa_type(&private)?));
        Ok(Identity { code: code.to_owned(), key, certified })
    }
}

/// The code of the terminal with this number: six characters, different up to 60 million.
pub fn code(number: usize) -> String {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut text = [b'0'; 6];
    let mut rest = number;
    for place in text[1..].iter_mut().rev() {
        *place = DIGITS[rest % 36];
        rest /= 36;
    }
    text[0] = b'F';
    text.iter().map(|&byte| char::from(byte)).collect()
}

fn params(name: &str) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::hours(1);
    params.not_after = now + Duration::days(90);
    Ok(params)
}

fn authority(name: &str) -> Result<(rcgen::Certificate, Issuer<'static, KeyPair>)> {
    let mut params = params(name)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate, Issuer::new(params, key)))
}

fn leaf(name: &str, purpose: ExtendedKeyUsagePurpose) -> Result<CertificateParams> {
    let mut params = params(name)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    Ok(params)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_differ_and_are_codes() {
        let codes: HashSet<String> = (0..200_000).map(code).collect();
        assert_eq!(codes.len(), 200_000);
        let good = |code: &String| {
            code.len() == 6 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        };
        assert!(codes.iter().all(good));
    }
}
