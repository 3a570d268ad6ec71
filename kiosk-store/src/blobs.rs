//! The blob folder: content-addressed files that exist in full, synced, before any row names them.

use std::fs::{DirEntry, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::StoreError;
use crate::connection::{make_folder, sync_folder};
use crate::disk_watch::{DiskStep, Precaution, is_left_out, saw, sync};
use crate::hash::sha256_hex;
use crate::outbox::{CommitStep, SealedBlob};

/// Name of the folder inside the state folder.
pub(crate) const FOLDER: &str = "blobs";
/// How the name of a blob ends that is still being written.
const BEGUN: &str = ".part";

/// Writes the blobs: temporary file → write → fsync → rename → fsync of the folder. The caller commits afterwards.
pub(crate) fn store(
    state: &Path,
    blobs: &[SealedBlob],
    step: &mut dyn FnMut(CommitStep),
) -> Result<(), StoreError> {
    if blobs.is_empty() {
        return Ok(());
    }
    let folder = state.join(FOLDER);
    make_folder(&folder)?;
    for blob in blobs {
        let path = path_of(&folder, &blob.sha256);
        if is_complete(&path, blob) {
            continue;
        }
        let temporary = folder.join(format!(".{}{BEGUN}", blob.sha256));
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o660)
            .open(&temporary)
            .map_err(StoreError::io("making a blob"))?;
        saw(DiskStep::FileMade(&temporary));
        saw(DiskStep::FileEmptied(&temporary));
        file.write_all(&blob.bytes).map_err(StoreError::io("writing a blob"))?;
        saw(DiskStep::FileWritten(&temporary, &blob.bytes));
        step(CommitStep::BlobWritten);
        if !is_left_out(Precaution::BlobSync) {
            sync(&file, DiskStep::FileSynced(&temporary)).map_err(StoreError::io("syncing a blob"))?;
        }
        step(CommitStep::BlobSynced);
        std::fs::rename(&temporary, &path).map_err(StoreError::io("naming a blob"))?;
        saw(DiskStep::Renamed { from: &temporary, to: &path });
        step(CommitStep::BlobNamed);
    }
    sync_folder(&folder)?;
    // The folder itself may be new.
    sync_folder(state)?;
    step(CommitStep::FolderSynced);
    Ok(())
}

/// Reads a blob and checks it against its name.
pub(crate) fn read(state: &Path, sha256: &str) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    File::open(path_of(&state.join(FOLDER), sha256))
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(StoreError::io("reading a blob"))?;
    if sha256_hex(&[&bytes]) == sha256 { Ok(bytes) } else { Err(StoreError::HashMismatch("blob")) }
}

/// The files of the folder, blobs that were only begun included.
pub(crate) fn names(state: &Path) -> Result<Vec<String>, StoreError> {
    let folder = match std::fs::read_dir(state.join(FOLDER)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        folder => folder.map_err(StoreError::io("listing blobs"))?,
    };
    let name = |entry: std::io::Result<DirEntry>| Ok(entry?.file_name().into_string().unwrap_or_default());
    folder.map(name).collect::<Result<_, _>>().map_err(StoreError::io("listing blobs"))
}

/// Whether a file of the folder is a blob that was only begun.
pub(crate) fn is_begun(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(BEGUN)
}

/// Removes a blob; one that is not there is as good as removed.
pub(crate) fn remove(state: &Path, sha256: &str) -> Result<(), StoreError> {
    let path = path_in(state, sha256);
    match std::fs::remove_file(&path) {
        Ok(()) => saw(DiskStep::Removed(&path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::io("removing a blob")(error)),
    }
    Ok(())
}

/// Where a blob of this state folder lies.
pub(crate) fn path_in(state: &Path, sha256: &str) -> PathBuf {
    path_of(&state.join(FOLDER), sha256)
}

fn path_of(folder: &Path, sha256: &str) -> PathBuf {
    folder.join(sha256)
}

/// The same blob may already lie there from an earlier record, or from a commit that was cut off.
fn is_complete(path: &Path, blob: &SealedBlob) -> bool {
    std::fs::read(path).is_ok_and(|found| found == blob.bytes)
}
