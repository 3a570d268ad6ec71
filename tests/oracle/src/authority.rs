//! The authorities of one run: the city's, the terminals', and a stranger's.

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Makes one of this name.
    pub fn new(name: &str) -> Result<Self> {
        let mut params = dated()?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Its certificate (PEM).
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// Its key (PEM).
    pub fn key(&self) -> String {
        self.0.key().serialize_pem()
    }

    /// Certificate and key (PEM) of a server on this machine.
    pub fn server(&self) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let name = SanType::DnsName("localhost".try_into()?);
        Ok((self.certify(&key, name, ExtendedKeyUsagePurpose::ServerAuth)?, key.serialize_pem()))
    }

    /// A certificate (PEM) for the terminal with this code and this key (PEM).
    pub fn terminal(&self, code: &str, key_pem: &str) -> Result<String> {
        let key = KeyPair::from_pem(key_pem).context("the terminal's key")?;
        let name = SanType::URI(format!("spiffe://city/terminal/{code}").try_into()?);
        self.certify(&key, name, ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn certify(&self, key: &KeyPair, name: SanType, purpose: ExtendedKeyUsagePurpose) -> Result<String> {
        let mut params = dated()?;
        params.subject_alt_names = vec![name];
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &self.0)?.pem())
    }
}

fn dated() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::days(1);
    params.not_after = now + Duration::days(365);
    Ok(params)
}
