//! The gateway's keys, read once at start. The opener's key goes to the opener alone.
//!
//! Deliberately absent: any way to write a key, and key material in errors or `Debug`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sync_protocol::{AgeOpener, CityReceiptKey};

/// What the listener for terminals needs.
pub(crate) struct TlsKeys {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    /// Who may certify terminals.
    pub(crate) terminal_ca: Arc<RootCertStore>,
}

/// Everything in the folder of keys.
pub(crate) struct Keys {
    pub(crate) tls: TlsKeys,
    pub(crate) receipt: CityReceiptKey,
    pub(crate) opener: AgeOpener,
}

/// A key or certificate that cannot be used. Names the file, never what is in it.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct KeyError {
    path: PathBuf,
    why: String,
}

impl Keys {
    pub(crate) fn load(folder: &Path) -> Result<Self, KeyError> {
        let chain = certificates(&folder.join("gateway.cert.pem"))?;
        let path = folder.join("gateway.key.pem");
        let key = PrivateKeyDer::from_pem_slice(&secret(&path)?)
            .map_err(|_| refuse(&path, "not a private key in PEM"))?;
        let path = folder.join("terminal-ca.pem");
        let mut terminal_ca = RootCertStore::empty();
        for certificate in certificates(&path)? {
            terminal_ca.add(certificate).map_err(|_| refuse(&path, "not a CA certificate"))?;
        }
        let path = folder.join("city-receipt.key.pem");
        let receipt = CityReceiptKey::from_pem(&text(&path)?).map_err(|error| refuse(&path, error))?;
        let path = folder.join("city-seal.key");
        let opener = AgeOpener::from_identities(&text(&path)?).map_err(|error| refuse(&path, error))?;
        let terminal_ca = Arc::new(terminal_ca);
        Ok(Self { tls: TlsKeys { chain, key, terminal_ca }, receipt, opener })
    }
}

pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, KeyError> {
    let pem = fs::read(path).map_err(|error| refuse(path, error))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| refuse(path, "not certificates in PEM"))?;
    if chain.is_empty() { Err(refuse(path, "no certificate in it")) } else { Ok(chain) }
}

fn secret(path: &Path) -> Result<Vec<u8>, KeyError> {
    let mode = fs::metadata(path).map_err(|error| refuse(path, error))?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "a private key can be read by other accounts");
    }
    fs::read(path).map_err(|error| refuse(path, error))
}

pub(crate) fn text(path: &Path) -> Result<String, KeyError> {
    String::from_utf8(secret(path)?).map_err(|_| refuse(path, "not text"))
}

pub(crate) fn refuse(path: &Path, why: impl ToString) -> KeyError {
    KeyError { path: path.into(), why: why.to_string() }
}
