//! Takes in a courier folder: the records of a terminal that has no network, carried here by a person. Each goes the
//! way of one that came over the network, and its receipt is written back into the folder.
//!
//! Nothing in the folder is trusted: the terminal's certificate must lead to a trusted authority, every manifest must
//! be signed with a key of that terminal, every blob must have the hash that names it, and no name or link leads out
//! of the folder.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use serde::{Deserialize, Serialize};
use sync_protocol::courier::{self, Consignment};
use sync_protocol::{BlobRef, Manifest, SealedRecord, limits, sha256_hex};

use crate::blobs::{Added, BlobError};
use crate::enrol::{TerminalCertificate, TerminalVerifier};
use crate::refusal::Refusal;
use crate::store::blobs::{Begun, Held};
use crate::store::registry::Standing;
use crate::terminals::Terminals;

/// Troubles that are told one by one; the rest are counted.
const TOLD: usize = 20;

/// Wait before a record is tried again that the gateway was too busy for.
const BUSY_WAIT: Duration = Duration::from_millis(500);

/// So often a busy gateway is waited for, for one record.
const BUSY_TRIES: u32 = 120;

/// Steps after which a blob that comes no further is given up: more than it has pieces.
const BLOB_STEPS: u64 = 4 + 2 * (limits::MAX_BLOB / limits::MAX_CHUNK);

/// How far the taking in of a folder is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourierProgress {
    /// Records that the city holds now, receipts written.
    pub records: u64,
    /// Of these, the ones it held before.
    pub again: u64,
    /// Of these, the ones put into quarantine.
    pub aside: u64,
    /// Blobs that were taken.
    pub blobs: u64,
    /// Records and blobs that were not taken.
    pub refused: u64,
    /// Why, for the first ones.
    pub troubles: Vec<String>,
    /// Whether it has ended.
    pub ended: bool,
    /// Why it ended before its end.
    pub failed: Option<String>,
}

/// Why a folder was not taken to its end. Taking it again goes on where it ended.
#[derive(Debug, thiserror::Error)]
enum CourierError {
    #[error("{path}: {cause}")]
    Folder { path: String, cause: io::ErrorKind },
    #[error("{0} leads out of the folder")]
    Link(String),
    #[error("this is no courier folder: {0}")]
    NoConsignment(String),
    #[error("the certificate in the folder is not one that the city issued to this terminal")]
    NotOurs,
    #[error("the gateway cannot keep records now: {0}")]
    Store(String),
}

/// Takes in one folder at a time.
pub(crate) struct Courier {
    terminals: Arc<Terminals>,
    verifier: TerminalVerifier,
    progress: Mutex<Option<CourierProgress>>,
}

/// Whose records these are, and what its certificate is worth now.
struct Sender {
    certificate: TerminalCertificate,
    standing: Standing,
}

impl Courier {
    pub(crate) fn new(terminals: Arc<Terminals>, verifier: TerminalVerifier) -> Self {
        Self { terminals, verifier, progress: Mutex::default() }
    }

    /// Begins to take in a folder. `false` when another one is being taken in.
    pub(crate) fn begin(self: &Arc<Self>, folder: PathBuf) -> bool {
        {
            let mut progress = self.locked();
            if progress.as_ref().is_some_and(|progress| !progress.ended) {
                return false;
            }
            *progress = Some(CourierProgress::default());
        }
        let courier = Arc::clone(self);
        tokio::spawn(async move {
            let ended = courier.take(&folder).await;
            courier.note(|progress| {
                progress.ended = true;
                progress.failed = ended.as_ref().err().map(ToString::to_string);
            });
            match ended {
                Ok(()) => tracing::info!("a courier folder was taken in"),
                Err(error) => tracing::warn!(%error, "a courier folder was not taken to its end"),
            }
        });
        true
    }

    /// How far it is; nothing when none was begun since the gateway started.
    pub(crate) fn progress(&self) -> Option<CourierProgress> {
        self.locked().clone()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Option<CourierProgress>> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut CourierProgress)) {
        if let Some(progress) = self.locked().as_mut() {
            change(progress);
        }
    }

    /// Notes what stays behind; the rest is taken all the same.
    fn refuse(&self, file: &Path, why: &dyn std::fmt::Display) -> Result<(), CourierError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.note(|progress| {
            progress.refused += 1;
            if progress.troubles.len() < TOLD {
                progress.troubles.push(format!("{name}: {why}"));
            }
        });
        Ok(())
    }

    async fn take(&self, folder: &Path) -> Result<(), CourierError> {
        let sender = self.sender(folder).await?;
        let records = folder.join(courier::RECORDS);
        for life in names(&records, courier::is_incarnation)? {
            let lives = records.join(&life);
            for name in names(&lives, |name| name.strip_suffix(".json").is_some_and(is_position))? {
                self.take_record(folder, &sender, &lives.join(name)).await?;
            }
        }
        Ok(())
    }

    /// The certificate stands in place of the handshake that did not happen.
    async fn sender(&self, folder: &Path) -> Result<Sender, CourierError> {
        let bytes = read_within(&folder.join(courier::CONSIGNMENT), limits::MAX_CONSIGNMENT)?;
        let no = |error: &dyn std::fmt::Display| CourierError::NoConsignment(error.to_string());
        let consignment = Consignment::from_json(&bytes).map_err(|error| no(&error))?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(consignment.certificates.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| no(&"its certificates cannot be read"))?;
        let (leaf, above) = chain.split_first().ok_or_else(|| no(&"it holds no certificate"))?;
        self.verifier.verify_client_cert(leaf, above, UnixTime::now()).map_err(|_| CourierError::NotOurs)?;
        let certificate = TerminalCertificate::read(leaf).ok_or(CourierError::NotOurs)?;
        if certificate.code != consignment.terminal {
            return Err(CourierError::NotOurs);
        }
        let standing = self.terminals.allow_list.standing(&certificate).await;
        let standing = standing.map_err(|error| CourierError::Store(error.to_string()))?;
        tracing::info!(terminal = %certificate.code, ?standing, "a courier folder is taken in");
        Ok(Sender { certificate, standing })
    }

    /// What is wrong with one record does not keep the others out.
    async fn take_record(&self, folder: &Path, sender: &Sender, file: &Path) -> Result<(), CourierError> {
        let body = match read_within(file, limits::MAX_RECORD_BODY) {
            Ok(body) => body,
            Err(error) => return self.refuse(file, &error),
        };
        let mut tries = 0;
        loop {
            let record = match SealedRecord::from_json(&body) {
                Ok(record) => record,
                Err(error) => return self.refuse(file, &error),
            };
            match self.keep(folder, sender, record).await? {
                Ok(()) => return Ok(()),
                Err(Refusal::Later { .. }) if tries < BUSY_TRIES => tries += 1,
                Err(refusal @ (Refusal::Later { .. } | Refusal::Fault)) => {
                    return Err(CourierError::Store(refusal.to_string()));
                }
                Err(refusal) => return self.refuse(file, &refusal),
            }
            tokio::time::sleep(BUSY_WAIT).await;
        }
    }

    /// Record, then blobs, then the receipt: so it says whether the record is complete.
    async fn keep(
        &self,
        folder: &Path,
        sender: &Sender,
        record: SealedRecord,
    ) -> Result<Result<(), Refusal>, CourierError> {
        let terminals = &self.terminals;
        let kept = terminals.keep(&sender.certificate, sender.standing, record, None).await;
        let (manifest, acceptance) = match kept {
            Ok(kept) => kept,
            Err(refusal) => return Ok(Err(refusal)),
        };
        for blob in &manifest.blobs {
            self.take_blob(folder, sender, blob).await?;
        }
        let receipt = match terminals.receipt_of(&manifest, &acceptance).await {
            Ok(receipt) => receipt,
            Err(refusal) => return Ok(Err(refusal)),
        };
        write_receipt(folder, &manifest, &receipt)?;
        self.note(|progress| {
            progress.records += 1;
            progress.again += u64::from(acceptance.again);
            progress.aside += u64::from(matches!(acceptance.kept, crate::store::Kept::Quarantine(_)));
        });
        Ok(Ok(()))
    }

    async fn take_blob(&self, folder: &Path, sender: &Sender, blob: &BlobRef) -> Result<(), CourierError> {
        let file = folder.join(courier::blob_file(&blob.sha256));
        let bytes = match read_within(&file, limits::MAX_BLOB as usize) {
            Ok(bytes) if bytes.len() as u64 == blob.bytes && sha256_hex(&bytes) == blob.sha256 => bytes,
            Ok(_) => return self.refuse(&file, &"it is damaged"),
            Err(error) => return self.refuse(&file, &error),
        };
        match self.add_blob(sender, blob, &Bytes::from(bytes)).await {
            Ok(true) => {
                self.note(|progress| progress.blobs += 1);
                Ok(())
            }
            Ok(false) => self.refuse(&file, &"the city's store of blobs did not take it"),
            Err(error) => Err(CourierError::Store(error.to_string())),
        }
    }

    /// Piece by piece, as if it came over the network, from where the city is. `true` when it is whole.
    async fn add_blob(&self, sender: &Sender, blob: &BlobRef, bytes: &Bytes) -> Result<bool, BlobError> {
        let (blobs, code) = (&self.terminals.blobs, &sender.certificate.code);
        let begun = blobs.begin(code, &blob.sha256, blob.bytes, sender.standing).await?;
        let Begun::Held(mut held) = begun else { return Ok(false) };
        for _ in 0..BLOB_STEPS {
            let start = match held {
                Held::Whole { .. } => return Ok(true),
                Held::Part { held, .. } => held,
                Held::Nothing | Held::Leaving => return Ok(false),
            };
            let end = blob.bytes.min(start + limits::MAX_CHUNK);
            let piece = bytes.slice(start as usize..end as usize);
            held = match blobs.add(code, &blob.sha256, start, piece).await? {
                Added::At(at) if at == blob.bytes => Held::Whole { length: at },
                Added::At(at) => Held::Part { held: at, length: blob.bytes },
                Added::Elsewhere(held) => held,
                Added::BeganAgain => Held::Part { held: 0, length: blob.bytes },
                Added::TooLong | Added::TooSmall => return Ok(false),
            };
        }
        Ok(false)
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> CourierError {
    let path = path.display().to_string();
    move |error| CourierError::Folder { path: path.clone(), cause: error.kind() }
}

fn is_position(name: &str) -> bool {
    name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Names in a folder that have the right shape, in their order; a link is no folder. None when there is no folder.
fn names(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, CourierError> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found if !found.as_ref().is_ok_and(fs::Metadata::is_dir) => {
            return Err(CourierError::Link(folder.display().to_string()));
        }
        _ => {}
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let name = entry.map_err(failed(folder))?.file_name();
        found.extend(name.to_str().filter(|name| wanted(name)).map(str::to_owned));
    }
    found.sort();
    Ok(found)
}

/// Reads a file of the folder, never more than it may have.
fn read_within(path: &Path, limit: usize) -> Result<Vec<u8>, CourierError> {
    let found = fs::symlink_metadata(path).map_err(failed(path))?;
    if !found.is_file() {
        return Err(CourierError::Link(path.display().to_string()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed(path))?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed(path))?;
    if bytes.len() > limit {
        return Err(CourierError::Folder {
            path: path.display().to_string(),
            cause: io::ErrorKind::FileTooLarge,
        });
    }
    Ok(bytes)
}

/// In one step, so that a pulled stick leaves a whole receipt or none.
fn write_receipt(folder: &Path, manifest: &Manifest, receipt: &str) -> Result<(), CourierError> {
    let path = folder.join(courier::receipt_file(&manifest.incarnation, manifest.seq));
    let Some(parent) = path.parent() else { return Ok(()) };
    // One after the other, so that nothing is made behind a link.
    for made in [&folder.join(courier::RECEIPTS), parent] {
        match fs::create_dir(made) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(made)(error)),
            _ => {}
        }
        if !fs::symlink_metadata(made).is_ok_and(|made| made.is_dir()) {
            return Err(CourierError::Link(made.display().to_string()));
        }
    }
    let part = path.with_extension("part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&part)(error)),
        _ => {}
    }
    let mut file = File::create_new(&part).map_err(failed(&part))?;
    file.write_all(receipt.as_bytes()).and_then(|()| file.sync_all()).map_err(failed(&part))?;
    fs::rename(&part, &path).map_err(failed(&path))?;
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed(parent))
}
