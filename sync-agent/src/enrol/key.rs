//! The terminal's key. Behind a trait, so that a TPM can hold it: whoever holds it signs, nobody takes it out.

use std::path::Path;

use rcgen::string::Ia5String;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData, SanType};
use sync_protocol::TerminalKey;

use super::exchange::EnrolError;
use super::files::{self, KEY};

/// Start of the name in a terminal's certificate; its code follows.
pub(crate) const NAME: &str = "spiffe://city/terminal/";

/// Whoever holds the terminal's key.
pub trait TerminalKeyHolder: Send + Sync {
    /// SubjectPublicKeyInfo, DER.
    fn public_key(&self) -> Vec<u8>;

    /// A PKCS#10 request (DER) for a certificate of this terminal, signed with the key.
    fn signing_request(&self, terminal: &str) -> Result<Vec<u8>, EnrolError>;
}

/// The key lies in a file that only the terminal's own account can read.
pub(crate) struct FileKey(KeyPair);

impl FileKey {
    /// Reads the key, and makes one when there is none. It is on disk before anybody hears of it: when the answer to
    /// a request is lost, the next request is made with the same key.
    pub(crate) fn open_or_make(keys: &Path) -> Result<Self, EnrolError> {
        if !keys.join(KEY).exists() {
            files::write(keys, KEY, TerminalKey::generate().to_pem().as_bytes())
                .map_err(EnrolError::Files)?;
            tracing::info!("a key was made for this terminal");
        }
        Self::open(keys)
    }

    /// Reads the key.
    pub(crate) fn open(keys: &Path) -> Result<Self, EnrolError> {
        let pem = std::fs::read_to_string(keys.join(KEY)).map_err(EnrolError::Files)?;
        KeyPair::from_pem(&pem).map(Self).map_err(|_| EnrolError::Key)
    }
}

impl TerminalKeyHolder for FileKey {
    fn public_key(&self) -> Vec<u8> {
        self.0.subject_public_key_info()
    }

    fn signing_request(&self, terminal: &str) -> Result<Vec<u8>, EnrolError> {
        let make = || -> Result<Vec<u8>, rcgen::Error> {
            let mut params = CertificateParams::new(Vec::new())?;
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, terminal);
            let name = Ia5String::try_from(format!("{NAME}{terminal}"))?;
            params.subject_alt_names = vec![SanType::URI(name)];
            Ok(params.serialize_request(&self.0)?.der().to_vec())
        };
        make().map_err(|_| EnrolError::Key)
    }
}
