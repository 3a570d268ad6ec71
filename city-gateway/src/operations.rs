//! What an operator does with the program beside serving: copy the store, put a copy back, say what outlives the
//! machine, and make a new sealing key.

mod postgres;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use axum::body::Bytes;
use clap::Subcommand;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::blobs::bytes::BlobBytes;
use crate::blobs::hash;
use crate::config::{Config, StoreKind};
use crate::durable_notes::{self, Note};
use crate::keys;
use crate::store::sqlite::{self, DatabaseCopy};
use crate::terminals::now_ms;

/// How long a command waits for the running gateway to take a note.
const TAKEN: Duration = Duration::from_secs(10);

/// Folder of the blobs inside a copy.
const BLOBS: &str = "blobs";

/// Whether the blob with this hash and length is there, or could be brought back.
type HasBlob = Box<dyn FnMut(&str, u64) -> bool + Send>;

/// A command.
#[derive(Subcommand, Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Copies the store, blobs included, into a folder, while the gateway runs; then tells it that what is in the
    /// copy outlives this machine. Choose a folder on another machine or disk: terminals throw away what is safe.
    Backup {
        /// The folder; blobs that are in it already are not copied again.
        #[arg(long)]
        to: PathBuf,
    },
    /// Puts a copy back. The gateway must not run, and the state folder must have no database.
    Restore {
        /// The folder of the copy.
        #[arg(long)]
        from: PathBuf,
    },
    /// Tells the gateway that everything it held at a time outlives this machine: after the database's log up to
    /// then was archived.
    MarkDurable {
        /// `now`, or a time like 2026-11-22T08:00:00Z.
        #[arg(long)]
        up_to: String,
    },
    /// Begins a new epoch, after the database was put back in some other way; terminals then send again what is not
    /// durable. The gateway must not run.
    NewEpoch,
    /// The city's keys.
    #[command(subcommand)]
    Key(Key),
}

/// The city's keys.
#[derive(Subcommand, Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Makes a new sealing key. What is sealed to older ones is still opened.
    Rotate,
    /// Makes a new key that signs documents for residents. What older ones signed stays good.
    Documents,
}

impl Operation {
    /// Does it; returns what to print.
    pub async fn run(self, config: &Config) -> anyhow::Result<Vec<String>> {
        let state = &config.paths.state;
        if config.store.kind == StoreKind::Postgres {
            return postgres::run(self, config).await;
        }
        match self {
            Self::Backup { to } => back_up(config, &to).await,
            Self::Restore { from } => restore(config, &from).await,
            Self::MarkDurable { up_to } => {
                let note = Note::UpTo { at_ms: time_ms(&up_to)? };
                Ok(vec![told(&note, state).await?])
            }
            Self::NewEpoch => {
                let state = state.clone();
                let epoch = tokio::task::spawn_blocking(move || sqlite::begin_epoch(&state)).await??;
                durable_notes::clear(&config.paths.state)?;
                Ok(vec![format!("The store has the new epoch {epoch}.")])
            }
            Self::Key(key) => new_key(key, config),
        }
    }
}

fn new_key(key: Key, config: &Config) -> anyhow::Result<Vec<String>> {
    if key == Key::Documents {
        let public = keys::new_document_key(&config.paths.keys)?;
        return Ok(vec![
            format!("New key for documents:\n{}", public.trim()),
            "Start every gateway anew with it, then publish keys/city-document.pub.pem.".into(),
        ]);
    }
    let recipient = keys::rotate_seal_key(&config.paths.keys)?;
    Ok(vec![
        format!("New sealing key: {}", recipient.trim()),
        "Start the gateway anew, then give keys/city-seal.pub to the terminals.".into(),
        "Keep the older keys in city-seal.key: terminals may have sealed to them for months.".into(),
    ])
}

async fn back_up(config: &Config, to: &Path) -> anyhow::Result<Vec<String>> {
    let (mut lines, note) = copy_store(config, to).await?;
    lines.push(told(&note, &config.paths.state).await?);
    Ok(lines)
}

/// Makes the copy; returns what to print, and what to tell the gateway.
pub(crate) async fn copy_store(config: &Config, to: &Path) -> anyhow::Result<(Vec<String>, Note)> {
    let (state, folder) = (config.paths.state.clone(), to.to_owned());
    let copy = tokio::task::spawn_blocking(move || sqlite::back_up(&state, &folder)).await??;
    let mut lines = Vec::new();
    if config.blobs.s3.is_none() {
        let from = BlobBytes::open(&config.blobs, &config.paths.state)?;
        let (copied, lost) = copy_blobs(&copy, &from, &BlobBytes::folder(&to.join(BLOBS))?).await?;
        lines.push(format!("{copied} blobs are new in the copy."));
        if lost > 0 {
            lines.push(format!("{lost} blobs are gone or damaged and not in the copy; look at the alarms."));
        }
    } else {
        lines.push("Blobs lie in a bucket, which has copies of its own; they are not copied.".into());
    }
    let report = tokio::task::spawn_blocking(move || copy.seal()).await??;
    lines.push(format!("The copy in {} holds {} queues.", to.display(), report.marks.len()));
    Ok((lines, Note::copy(report.epoch, report.marks)))
}

/// Copies what the copy of the database names and is not there yet. Returns how many are new, and how many are lost.
async fn copy_blobs(copy: &DatabaseCopy, from: &BlobBytes, to: &BlobBytes) -> anyhow::Result<(u64, u64)> {
    let (mut copied, mut lost, mut after) = (0, 0, String::new());
    loop {
        let whole = copy.whole_after(&after, 1000)?;
        let Some((last, _)) = whole.last() else { return Ok((copied, lost)) };
        after.clone_from(last);
        for (sha256, bytes) in whole {
            let key = BlobBytes::whole_key(&sha256);
            if to.size(&key).await? == Some(bytes) {
                continue;
            }
            match from.get(&key).await?.filter(|found| hash(std::slice::from_ref(found)) == sha256) {
                Some(found) => {
                    to.put(&key, vec![found]).await?;
                    copied += 1;
                }
                None => {
                    tracing::error!(alarm = true, %sha256, "a blob is gone or damaged");
                    copy.without_blob(&sha256)?;
                    lost += 1;
                }
            }
        }
    }
}

async fn restore(config: &Config, from: &Path) -> anyhow::Result<Vec<String>> {
    let mut lost = 0_u64;
    let there: HasBlob = if config.blobs.s3.is_some() {
        Box::new(|_, _| true)
    } else {
        let (source, target) =
            (BlobBytes::folder(&from.join(BLOBS))?, BlobBytes::open(&config.blobs, &config.paths.state)?);
        let runtime = tokio::runtime::Handle::current();
        Box::new(move |sha256: &str, bytes: u64| {
            runtime.block_on(bring_back(&source, &target, sha256, bytes)).unwrap_or(false)
        })
    };
    let (folder, state) = (from.to_owned(), config.paths.state.clone());
    let (epoch, missing) = tokio::task::spawn_blocking(move || {
        let mut there = there;
        let counted = |sha256: &str, bytes: u64| {
            let found = there(sha256, bytes);
            lost += u64::from(!found);
            found
        };
        sqlite::restore(&folder, &state, counted).map(|epoch| (epoch, lost))
    })
    .await??;
    durable_notes::clear(&config.paths.state)?;
    let mut lines =
        vec![format!("The copy is back. Terminals will send again what came after it; epoch {epoch}.")];
    if missing > 0 {
        lines.push(format!("{missing} blobs were not in the copy and are asked for again."));
    }
    Ok(lines)
}

async fn bring_back(from: &BlobBytes, to: &BlobBytes, sha256: &str, bytes: u64) -> anyhow::Result<bool> {
    let key = BlobBytes::whole_key(sha256);
    if to.size(&key).await? == Some(bytes) {
        return Ok(true);
    }
    let found: Option<Bytes> = from.get(&key).await?;
    match found.filter(|found| hash(std::slice::from_ref(found)) == sha256) {
        Some(found) => {
            to.put(&key, vec![found]).await.map(|()| true).context("a blob could not be brought back")
        }
        None => Ok(false),
    }
}

/// Leaves a note and waits a little for the gateway to take it.
async fn told(note: &Note, state: &Path) -> anyhow::Result<String> {
    let file = note.leave(state).with_context(|| format!("cannot write into {}", state.display()))?;
    let until = Instant::now() + TAKEN;
    while file.exists() {
        if Instant::now() > until {
            return Ok("No gateway runs here; it will be noted as durable when one starts.".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok("The gateway has noted it as durable.".into())
}

fn time_ms(text: &str) -> anyhow::Result<i64> {
    if text == "now" {
        return Ok(now_ms());
    }
    let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) else {
        bail!("{text} is neither `now` nor a time like 2026-11-22T08:00:00Z");
    };
    let at_ms = i64::try_from(time.unix_timestamp_nanos() / 1_000_000)?;
    if at_ms > now_ms() {
        bail!("{text} has not come yet");
    }
    Ok(at_ms)
}
