//! The gateway's keys, read once at start. The opener's key goes to the opener alone.
//!
//! What is written here is a new key for seals or documents, beside the older ones. Deliberately absent: key material in errors
//! or `Debug`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sync_protocol::{AgeOpener, CityReceiptKey, DocumentKey, DocumentPublicKey, SealKeyPair};
use zeroize::Zeroizing;

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
    /// The same once more, for the thread that opens questions.
    pub(crate) questions: AgeOpener,
    pub(crate) documents: DocumentKeys,
}

/// What signs documents, and what checks them. A city that issues none has neither.
#[derive(Default)]
pub(crate) struct DocumentKeys {
    pub(crate) key: Option<DocumentKey>,
    /// The newest first; documents live longer than keys.
    pub(crate) public: Vec<DocumentPublicKey>,
}

const DOCUMENT_KEY: &str = "city-document.key.pem";
const DOCUMENT_PUBLIC: &str = "city-document.pub.pem";

impl DocumentKeys {
    fn load(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(DOCUMENT_KEY);
        let there = |path: &Path| path.try_exists().map_err(|error| refuse(path, error));
        let key = match there(&path)? {
            true => Some(DocumentKey::from_pem(&text(&path)?).map_err(|error| refuse(&path, error))?),
            false => None,
        };
        let path = folder.join(DOCUMENT_PUBLIC);
        let mut public = match there(&path)? {
            true => {
                let pem = fs::read_to_string(&path).map_err(|error| refuse(&path, error))?;
                DocumentPublicKey::all_from_pem(&pem).map_err(|error| refuse(&path, error))?
            }
            false => Vec::new(),
        };
        let own = key.as_ref().map(DocumentKey::public);
        if let Some(own) = own.filter(|own| !public.contains(own)) {
            public.insert(0, own);
        }
        Ok(Self { key, public })
    }
}

/// Makes a new key for documents. What older ones signed stays good: their public halves stay in the file. Returns the
/// new public half.
pub(crate) fn new_document_key(folder: &Path) -> Result<String, KeyError> {
    let older = DocumentKeys::load(folder)?;
    let key = DocumentKey::generate();
    let newest = key.public().to_pem();
    let public = std::iter::once(newest.clone()).chain(older.public.iter().map(DocumentPublicKey::to_pem));
    // The public half first: a document that nobody can check must never be signed.
    replace(&folder.join(DOCUMENT_PUBLIC), public.collect::<String>().as_bytes(), 0o644)?;
    replace(&folder.join(DOCUMENT_KEY), key.to_pem().as_bytes(), 0o600)?;
    Ok(newest)
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
        let identities = Zeroizing::new(text(&path)?);
        let opener = AgeOpener::from_identities(&identities).map_err(|error| refuse(&path, error))?;
        let questions = AgeOpener::from_identities(&identities).map_err(|error| refuse(&path, error))?;
        let terminal_ca = Arc::new(terminal_ca);
        let documents = DocumentKeys::load(folder)?;
        Ok(Self { tls: TlsKeys { chain, key, terminal_ca }, receipt, opener, questions, documents })
    }
}

/// Makes a new sealing key in front of the older ones, which go on opening what was sealed to them. Returns the new
/// recipient, which alone is in `city-seal.pub` from now on.
pub(crate) fn rotate_seal_key(folder: &Path) -> Result<String, KeyError> {
    let path = folder.join("city-seal.key");
    let older = Zeroizing::new(text(&path)?);
    AgeOpener::from_identities(&older).map_err(|error| refuse(&path, error))?;
    let pair = SealKeyPair::generate();
    let identities = Zeroizing::new(format!("{}{}", *pair.identity, *older));
    // The identity first: a recipient without it would close what nobody can open.
    replace(&path, identities.as_bytes(), 0o600)?;
    replace(&folder.join("city-seal.pub"), pair.recipient.as_bytes(), 0o644)?;
    Ok(pair.recipient)
}

/// Replaces a file in one step that a power cut cannot halve.
fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), KeyError> {
    let under_way = path.with_extension("under-way");
    let write = || {
        let mut file =
            fs::OpenOptions::new().create(true).write(true).truncate(true).mode(mode).open(&under_way)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&under_way, path)?;
        fs::File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
    };
    write().map_err(|error| refuse(path, error))
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

#[cfg(test)]
mod tests {
    use sync_protocol::{AgeSealer, Opener, Sealer};

    use super::*;

    #[test]
    fn after_a_rotation_old_and_new_seals_open() {
        let folder = tempfile::tempdir().unwrap();
        let first = SealKeyPair::generate();
        fs::write(folder.path().join("city-seal.key"), first.identity.as_bytes()).unwrap();
        let second = rotate_seal_key(folder.path()).unwrap();
        let third = rotate_seal_key(folder.path()).unwrap();
        let path = folder.path().join("city-seal.key");
        let opener = AgeOpener::from_identities(&fs::read_to_string(&path).unwrap()).unwrap();
        for recipient in [&first.recipient, &second, &third] {
            let sealed = AgeSealer::from_recipients(recipient).unwrap().seal(b"x").unwrap();
            assert_eq!(opener.open(&sealed).unwrap().as_slice(), b"x");
        }
        // Terminals seal to the newest alone.
        assert_eq!(fs::read_to_string(folder.path().join("city-seal.pub")).unwrap(), third);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_new_document_key_leaves_the_older_ones_to_check_by() {
        let folder = tempfile::tempdir().unwrap();
        assert!(DocumentKeys::load(folder.path()).unwrap().key.is_none());
        let first = new_document_key(folder.path()).unwrap();
        let second = new_document_key(folder.path()).unwrap();
        let keys = DocumentKeys::load(folder.path()).unwrap();
        let public: Vec<_> = keys.public.iter().map(DocumentPublicKey::to_pem).collect();
        assert_eq!(public, [second.clone(), first]);
        assert_eq!(keys.key.unwrap().public().to_pem(), second);
        let mode = fs::metadata(folder.path().join(DOCUMENT_KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // Only the private half was carried over: it brings its public one.
        fs::remove_file(folder.path().join(DOCUMENT_PUBLIC)).unwrap();
        assert_eq!(DocumentKeys::load(folder.path()).unwrap().public.len(), 1);
    }

    #[test]
    fn a_broken_key_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("city-seal.key");
        fs::write(&path, "not a key\n").unwrap();
        assert!(rotate_seal_key(folder.path()).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "not a key\n");
    }
}
