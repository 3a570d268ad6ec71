//! What an operator's command tells the running gateway about durability: a small file in a folder of the state
//! folder. The gateway takes it within seconds; when none runs, the file waits for the next one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::store::lives::TerminalBook;
use crate::store::{Place, StoreError};

const FOLDER: &str = "durable-notes";

/// How often the gateway looks.
const LOOK: Duration = Duration::from_secs(2);

/// What is noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Note {
    /// A copy holds these queues up to these positions.
    Copy {
        /// Life of the store that was copied.
        epoch: String,
        /// Terminal, life of its queue, position.
        marks: Vec<(String, String, u64)>,
    },
    /// Everything that was held at this time, milliseconds since 1970.
    UpTo {
        /// The time.
        at_ms: i64,
    },
}

impl Note {
    /// What a copy holds.
    pub(crate) fn copy(epoch: String, marks: Vec<Place>) -> Self {
        let marks = marks.into_iter().map(|mark| (mark.terminal, mark.incarnation, mark.seq)).collect();
        Self::Copy { epoch, marks }
    }

    /// Leaves it for the gateway; returns the file, which is gone when it was taken.
    pub(crate) fn leave(&self, state: &Path) -> io::Result<PathBuf> {
        let folder = state.join(FOLDER);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let name = uuid::Uuid::new_v4().simple().to_string();
        let (under_way, file) =
            (folder.join(format!("{name}.under-way")), folder.join(format!("{name}.json")));
        let mut handle = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&under_way)?;
        handle.write_all(&serde_json::to_vec(self)?)?;
        handle.sync_all()?;
        fs::rename(&under_way, &file)?;
        File::open(&folder)?.sync_all()?;
        Ok(file)
    }
}

/// Forgets notes that speak of a database that is no longer there.
pub(crate) fn clear(state: &Path) -> io::Result<()> {
    match fs::remove_dir_all(state.join(FOLDER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes notes until told to stop.
pub(crate) async fn run(
    state: PathBuf,
    book: std::sync::Arc<dyn TerminalBook>,
    epoch: String,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        if let Err(error) = take(&state, &*book, &epoch).await {
            tracing::error!(%error, "a note about durability could not be taken; it is tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Takes what lies there.
pub(crate) async fn take(state: &Path, book: &dyn TerminalBook, epoch: &str) -> anyhow::Result<()> {
    let files = match fs::read_dir(state.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    for file in files {
        let file = file?.path();
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        match serde_json::from_slice::<Note>(&fs::read(&file)?) {
            Ok(note) => {
                let queues = apply(note, book, epoch).await?;
                tracing::info!(queues, "queues are known to outlive the machine further than before");
            }
            Err(error) => tracing::error!(alarm = true, %error, "a note about durability cannot be read"),
        }
        fs::remove_file(&file)?;
    }
    Ok(())
}

async fn apply(note: Note, book: &dyn TerminalBook, epoch: &str) -> Result<u64, StoreError> {
    match note {
        Note::Copy { epoch: copied, .. } if copied != epoch => {
            tracing::warn!(alarm = true, "a copy of another life of this store does not count here");
            Ok(0)
        }
        Note::Copy { marks, .. } => {
            let place = |(terminal, incarnation, seq)| Place { terminal, incarnation, seq };
            book.mark_durable(marks.into_iter().map(place).collect()).await
        }
        Note::UpTo { at_ms } => book.mark_durable_up_to(at_ms).await,
    }
}
