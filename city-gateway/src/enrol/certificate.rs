//! What a terminal's certificate says, read once when a connection is made.

use rustls::pki_types::CertificateDer;
use sync_protocol::{TerminalPublicKey, sha256_hex};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::store::registry::NewCertificate;

/// Start of the name in a terminal's certificate; its code follows.
pub(crate) const NAME: &str = "spiffe://city/terminal/";

/// A certificate that names exactly one terminal and holds a key of the kind terminals have.
#[derive(Clone)]
pub(crate) struct TerminalCertificate {
    /// Code of the terminal.
    pub(crate) code: String,
    /// Its key, with which it signs manifests.
    pub(crate) key: TerminalPublicKey,
    /// SHA-256 of the DER, hex.
    pub(crate) fingerprint: String,
    /// SubjectPublicKeyInfo, DER.
    pub(crate) public_key: Vec<u8>,
    not_before_ms: i64,
    not_after_ms: i64,
    der: Vec<u8>,
}

impl TerminalCertificate {
    /// `None` when it is not one.
    pub(crate) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate.subject_alternative_name().ok()??;
        let mut codes = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix(NAME),
            _ => None,
        });
        let code = codes.next().filter(|code| is_terminal_code(code))?.to_owned();
        // A certificate for two terminals would let one speak for the other.
        if codes.next().is_some() {
            return None;
        }
        let public_key = certificate.public_key().raw.to_vec();
        let key = TerminalPublicKey::from_spki_der(&public_key).ok()?;
        let validity = certificate.validity();
        Some(Self {
            code,
            key,
            fingerprint: sha256_hex(der),
            public_key,
            not_before_ms: validity.not_before.timestamp().saturating_mul(1000),
            not_after_ms: validity.not_after.timestamp().saturating_mul(1000),
            der: der.to_vec(),
        })
    }

    /// As it goes onto the list.
    pub(crate) fn for_the_list(&self, listed_at_ms: i64) -> NewCertificate {
        NewCertificate {
            terminal: self.code.clone(),
            fingerprint: self.fingerprint.clone(),
            public_key: self.public_key.clone(),
            not_before_ms: self.not_before_ms,
            not_after_ms: self.not_after_ms,
            listed_at_ms,
            certificate: self.der.clone(),
        }
    }
}

/// Six characters of A-Z and 0-9.
pub(crate) fn is_terminal_code(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
