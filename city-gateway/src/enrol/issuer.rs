//! Making certificates for terminals. Behind a trait, so that a hardware module can hold the key.

use std::path::Path;

use rcgen::string::Ia5String;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, SanType,
    SerialNumber, SubjectPublicKeyInfo,
};
use rustls::pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::certificate::NAME;
use crate::keys::{self, KeyError};

/// A certificate begins this long before it was made, so that another machine of the city whose clock is a little
/// behind does not find it in the future.
const EARLIER: Duration = Duration::hours(1);

/// Whoever holds the key of the terminals' authority.
pub(crate) trait Issuer: Send + Sync {
    /// A certificate for this terminal and this key (SubjectPublicKeyInfo, DER), valid from about now.
    fn issue(
        &self,
        terminal: &str,
        public_key: &[u8],
        now: OffsetDateTime,
    ) -> Result<CertificateDer<'static>, IssueError>;
}

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    /// The maker of certificates refused.
    #[error("certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// No random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// The key lies in a file.
pub(crate) struct FileIssuer {
    issuer: rcgen::Issuer<'static, KeyPair>,
    valid: Duration,
}

impl FileIssuer {
    /// Reads the key and finds its certificate among the trusted authorities: one that terminals' certificates
    /// would not be accepted from cannot be made the issuing one by mistake.
    pub(crate) fn load(
        path: &Path,
        authorities: &[CertificateDer<'_>],
        certificate_days: u16,
    ) -> Result<Self, KeyError> {
        let key = KeyPair::from_pem(&keys::text(path)?)
            .map_err(|_| keys::refuse(path, "not a private key in PKCS#8 PEM"))?;
        let own = key.public_key_raw();
        let certificate = authorities.iter().find(|der| {
            X509Certificate::from_der(der)
                .is_ok_and(|(_, ca)| *ca.public_key().subject_public_key.data == *own)
        });
        let certificate =
            certificate.ok_or_else(|| keys::refuse(path, "its certificate is not in terminal-ca.pem"))?;
        let issuer = rcgen::Issuer::from_ca_cert_der(certificate, key)
            .map_err(|_| keys::refuse(path, "its certificate cannot be used"))?;
        Ok(Self { issuer, valid: Duration::days(i64::from(certificate_days)) })
    }
}

impl Issuer for FileIssuer {
    fn issue(
        &self,
        terminal: &str,
        public_key: &[u8],
        now: OffsetDateTime,
    ) -> Result<CertificateDer<'static>, IssueError> {
        let mut serial = [0_u8; 16];
        getrandom::fill(&mut serial)?;
        // Positive and of one length.
        serial[0] = serial[0] & 0x3f | 0x40;
        let mut params = CertificateParams::new(Vec::new())?;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, terminal);
        params.subject_alt_names = vec![SanType::URI(Ia5String::try_from(format!("{NAME}{terminal}"))?)];
        params.not_before = now - EARLIER;
        params.not_after = now + self.valid;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = SubjectPublicKeyInfo::from_der(public_key)?;
        Ok(params.signed_by(&key, &self.issuer)?.der().clone())
    }
}
