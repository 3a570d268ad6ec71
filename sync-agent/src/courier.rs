//! The way without a network: [`export`] copies what the city does not have into a folder that a person carries there,
//! [`take_receipts`] believes what the city wrote into it. Both can be broken off at any moment and begun again.

mod export;
mod receipts;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use kiosk_store::StoreError;

use crate::AgentError;

pub use export::{Exported, export};
pub use receipts::{Taken, take_receipts};

/// Why a courier folder could not be written or read to its end. What was done until then counts.
#[derive(Debug, thiserror::Error)]
pub enum CourierError {
    /// The queue or the delivery log cannot be used. While the agent runs, only the agent writes the log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key is missing or broken.
    #[error(transparent)]
    Key(#[from] AgentError),
    /// The folder cannot be written or read: full, write-protected or pulled out.
    #[error(
        "{path}: {cause}; free some space or take another stick, then begin again: what is there is kept"
    )]
    Folder {
        /// Which file.
        path: String,
        /// Why.
        cause: io::ErrorKind,
    },
    /// The state folder has no queue.
    #[error("there is no queue in the terminal's state folder")]
    NoQueue,
    /// The folder belongs to another terminal.
    #[error("the folder holds the records of terminal {0}; take another folder")]
    OtherTerminal(String),
}

fn folder_error(path: &Path) -> impl Fn(io::Error) -> CourierError {
    let path = path.display().to_string();
    move |error| CourierError::Folder { path: path.clone(), cause: error.kind() }
}

/// Writes a file in one step: it is there whole or not at all, whenever the stick is pulled.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CourierError> {
    let failed = folder_error(path);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(&failed)?;
    let part = part_of(path);
    let mut file = File::create(&part).map_err(&failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(&failed)?;
    fs::rename(&part, path).map_err(&failed)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(&failed)
}

fn part_of(path: &Path) -> PathBuf {
    path.with_extension("part")
}
