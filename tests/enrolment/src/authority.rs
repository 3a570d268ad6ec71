//! Authorities whose certificates have any dates a test wants.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

/// Validity in days from today.
#[derive(Clone, Copy, Debug)]
pub struct Days {
    /// First day.
    pub from: i64,
    /// Last day.
    pub until: i64,
}

/// A certificate authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// Its certificate.
    pub pem: String,
    /// Its key.
    pub key_pem: String,
}

impl Authority {
    /// Makes one. All of them have the same name, as an authority that was replaced by its successor.
    #[expect(clippy::new_without_default, reason = "no two of them are equal")]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let key_pem = key.serialize_pem();
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let pem = issuer.pem();
        Self { issuer, pem, key_pem }
    }

    /// Certificate and key (PEM) of a server on this machine.
    pub fn server(&self, days: Days) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let name = SanType::DnsName("localhost".try_into().expect("a name"));
        (self.certify(&key, name, ExtendedKeyUsagePurpose::ServerAuth, days), key.serialize_pem())
    }

    /// A certificate (PEM) for a terminal with this key (PEM).
    pub fn terminal(&self, code: &str, key_pem: &str, days: Days) -> String {
        let key = KeyPair::from_pem(key_pem).expect("a key");
        let name = SanType::URI(format!("spiffe://city/terminal/{code}").try_into().expect("a name"));
        self.certify(&key, name, ExtendedKeyUsagePurpose::ClientAuth, days)
    }

    fn certify(&self, key: &KeyPair, name: SanType, purpose: ExtendedKeyUsagePurpose, days: Days) -> String {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        let now = OffsetDateTime::now_utc();
        params.not_before = now + Duration::days(days.from);
        params.not_after = now + Duration::days(days.until);
        params.subject_alt_names = vec![name];
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        params.signed_by(key, &self.issuer).expect("a certificate").pem()
    }
}
