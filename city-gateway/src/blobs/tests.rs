//! Blobs on real files and a real index: interrupted at every step, raced, damaged, lost.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::store::contract::arrival;
use crate::store::registry::Standing;
use crate::store::sqlite::{SqliteStore, WriterLimits};
use crate::store::{InboxStore, Page};

const TERMINAL: &str = "DG0001";

/// Counts steps and stops for ever at one of them, as a killed process does.
#[derive(Default)]
pub(super) struct Steps {
    /// Steps that are still taken; below nothing, all are.
    left: Option<AtomicI64>,
    /// Rung when it stopped.
    stopped: Notify,
}

impl Steps {
    pub(super) async fn pass(&self) {
        if let Some(left) = &self.left
            && left.fetch_sub(1, Ordering::SeqCst) <= 0
        {
            self.stopped.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

struct City {
    folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
}

impl City {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("state"), WriterLimits::default()).unwrap();
        Self { folder, store: Arc::new(store) }
    }

    fn bytes_folder(&self) -> PathBuf {
        self.folder.path().join("blobs")
    }

    fn blobs(&self, steps: Option<i64>) -> Arc<Blobs> {
        let bytes = BlobBytes::folder(&self.bytes_folder()).unwrap();
        let index = Arc::clone(&self.store) as _;
        let mut blobs = Blobs::new(index, bytes, BlobLimits::default(), Arc::default());
        blobs.steps.left = steps.map(AtomicI64::new);
        Arc::new(blobs)
    }

    /// Files of pieces, known or not.
    fn pieces(&self) -> usize {
        let Ok(terminals) = std::fs::read_dir(self.bytes_folder().join("pieces")) else { return 0 };
        terminals.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }

    fn whole(&self, sha256: &str) -> PathBuf {
        self.bytes_folder().join(BlobBytes::whole_key(sha256))
    }
}

/// Three pieces, the last one small.
fn blob() -> (Bytes, String) {
    let content: Vec<u8> = (0..2 * MIN_CHUNK + 1_000).map(|at| (at * 7 % 251) as u8).collect();
    let content = Bytes::from(content);
    let sha256 = hash(std::slice::from_ref(&content));
    (content, sha256)
}

/// Sends a blob as a terminal does: asks, goes on from there, until it is whole. Returns the bytes sent.
async fn send(blobs: &Arc<Blobs>, content: &Bytes, sha256: &str) -> Result<u64, BlobError> {
    let length = content.len() as u64;
    let mut sent = 0;
    blobs.begin(TERMINAL, sha256, length, Standing::Listed).await?;
    loop {
        let at = match blobs.held(TERMINAL, sha256).await? {
            Held::Whole { .. } => return Ok(sent),
            Held::Part { held, .. } => held,
            other => panic!("{other:?}"),
        };
        let end = length.min(at + MIN_CHUNK);
        sent += end - at;
        blobs.add(TERMINAL, sha256, at, content.slice(at as usize..end as usize)).await?;
    }
}

#[tokio::test]
async fn a_blob_comes_in_pieces_and_counts_when_it_is_whole() {
    let city = City::new();
    let blobs = city.blobs(None);
    let (content, sha256) = blob();
    assert_eq!(send(&blobs, &content, &sha256).await.unwrap(), content.len() as u64);
    assert_eq!(std::fs::read(city.whole(&sha256)).unwrap(), content);
    assert_eq!(city.pieces(), 0);
    // Again it costs nothing.
    assert_eq!(send(&blobs, &content, &sha256).await.unwrap(), 0);
}

/// Killed at each step in turn: what was acknowledged is still there, at most one piece is sent again, and nothing
/// is left lying around.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_step_it_goes_on() {
    let (content, sha256) = blob();
    for steps in 0.. {
        let city = City::new();
        let doomed = city.blobs(Some(steps));
        let stopped = {
            let sending = send(&doomed, &content, &sha256);
            tokio::select! {
                done = sending => {
                    done.unwrap();
                    false
                }
                () = doomed.steps.stopped.notified() => true,
            }
        };
        let before = match doomed.index.held(TERMINAL, &sha256).await.unwrap() {
            Held::Part { held, .. } => held,
            Held::Whole { length } => length,
            other => panic!("{other:?}"),
        };
        let blobs = city.blobs(None);
        let sent = send(&blobs, &content, &sha256).await.unwrap();
        assert_eq!(sent, content.len() as u64 - before, "after {steps} steps");
        assert_eq!(std::fs::read(city.whole(&sha256)).unwrap(), content, "after {steps} steps");
        // Two hours later nothing is young any more.
        blobs.sweep(now_ms() + 2 * 60 * 60 * 1000).await.unwrap();
        assert_eq!(city.pieces(), 0, "after {steps} steps");
        if !stopped {
            assert!(steps >= 8, "only {steps} steps were found");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_copies_of_a_piece_leave_one() {
    let city = City::new();
    let blobs = city.blobs(None);
    let (content, sha256) = blob();
    blobs.begin(TERMINAL, &sha256, content.len() as u64, Standing::Listed).await.unwrap();
    let mut racing = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (blobs, sha256) = (Arc::clone(&blobs), sha256.clone());
        // Some longer, some damaged: only one may count, and then the others leave nothing.
        let piece = content.slice(..(MIN_CHUNK + number % 3) as usize);
        racing.spawn(async move { blobs.add(TERMINAL, &sha256, 0, piece).await.unwrap() });
    }
    let added = racing.join_all().await;
    assert_eq!(added.iter().filter(|added| matches!(added, Added::At(_))).count(), 1);
    assert_eq!(city.pieces(), 1);
    send(&blobs, &content, &sha256).await.unwrap();
    assert_eq!(std::fs::read(city.whole(&sha256)).unwrap(), content);
}

#[tokio::test]
async fn what_is_another_blob_begins_again() {
    let city = City::new();
    let blobs = city.blobs(None);
    let (content, sha256) = blob();
    blobs.begin(TERMINAL, &sha256, content.len() as u64, Standing::Listed).await.unwrap();
    let wrong = Bytes::from(vec![9; MIN_CHUNK as usize]);
    assert_eq!(blobs.add(TERMINAL, &sha256, 0, wrong).await.unwrap(), Added::At(MIN_CHUNK));
    let rest = content.slice(MIN_CHUNK as usize..);
    assert_eq!(blobs.add(TERMINAL, &sha256, MIN_CHUNK, rest).await.unwrap(), Added::BeganAgain);
    assert!(!city.whole(&sha256).exists());
    assert_eq!(send(&blobs, &content, &sha256).await.unwrap(), content.len() as u64);
}

#[tokio::test]
async fn a_piece_damaged_where_it_lies_is_noticed() {
    let city = City::new();
    let blobs = city.blobs(None);
    let (content, sha256) = blob();
    blobs.begin(TERMINAL, &sha256, content.len() as u64, Standing::Listed).await.unwrap();
    let piece = content.slice(..MIN_CHUNK as usize);
    blobs.add(TERMINAL, &sha256, 0, piece).await.unwrap();
    let key = blobs.index.pieces(TERMINAL, &sha256).await.unwrap().remove(0).key;
    let file = city.bytes_folder().join(key);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[77] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let rest = content.slice(MIN_CHUNK as usize..);
    assert_eq!(blobs.add(TERMINAL, &sha256, MIN_CHUNK, rest).await.unwrap(), Added::BeganAgain);
    send(&blobs, &content, &sha256).await.unwrap();
}

#[tokio::test]
async fn a_whole_blob_that_is_gone_is_asked_for_again() {
    let city = City::new();
    let blobs = city.blobs(None);
    let (content, sha256) = blob();
    let mut record = arrival(TERMINAL, 1, "a", "x");
    record.blobs = vec![(sha256.clone(), content.len() as u64)];
    city.store.accept(record).await.unwrap();
    send(&blobs, &content, &sha256).await.unwrap();
    let status = async || city.store.page(Page::After(0), 9).await.unwrap()[0].status.as_str();
    assert_eq!(status().await, "received");
    std::fs::remove_file(city.whole(&sha256)).unwrap();
    assert_eq!(blobs.held(TERMINAL, &sha256).await.unwrap(), Held::Nothing);
    assert_eq!(status().await, "incomplete");
    assert_eq!(send(&blobs, &content, &sha256).await.unwrap(), content.len() as u64);
    assert_eq!(status().await, "received");
}

#[tokio::test]
async fn what_a_killed_process_was_writing_is_cleared() {
    let city = City::new();
    let blobs = city.blobs(None);
    let (content, sha256) = blob();
    send(&blobs, &content, &sha256).await.unwrap();
    blobs.begin(TERMINAL, "a", content.len() as u64, Standing::Listed).await.unwrap();
    blobs.add(TERMINAL, "a", 0, content.slice(..MIN_CHUNK as usize)).await.unwrap();
    let half = city.bytes_folder().join(format!("{}#1", BlobBytes::whole_key(&sha256)));
    std::fs::write(&half, b"half").unwrap();
    bytes::clear_unfinished(&city.bytes_folder(), std::time::Duration::ZERO).unwrap();
    assert!(!half.exists() && city.whole(&sha256).exists());
    assert_eq!(city.pieces(), 1);
}

#[tokio::test]
async fn pieces_have_sizes() {
    let city = City::new();
    let blobs = city.blobs(None);
    let (content, sha256) = blob();
    blobs.begin(TERMINAL, &sha256, content.len() as u64, Standing::Listed).await.unwrap();
    let add = async |from: usize, to: usize| {
        blobs.add(TERMINAL, &sha256, from as u64, content.slice(from..to)).await.unwrap()
    };
    assert_eq!(add(0, 1_000).await, Added::TooSmall);
    let longer = Bytes::from(vec![0; content.len() + 1]);
    assert_eq!(blobs.add(TERMINAL, &sha256, 0, longer).await.unwrap(), Added::TooLong);
    let here = Held::Part { held: 0, length: content.len() as u64 };
    assert_eq!(add(5, MIN_CHUNK as usize + 5).await, Added::Elsewhere(here));
    assert_eq!(add(0, content.len()).await, Added::At(content.len() as u64));
    assert_eq!(city.pieces(), 0);
}

#[tokio::test]
async fn the_sweep_removes_what_nobody_names_and_nothing_else() {
    let city = City::new();
    let blobs = city.blobs(None);
    let (content, sha256) = blob();
    let other = content.slice(1..);
    let other_hash = hash(std::slice::from_ref(&other));
    send(&blobs, &content, &sha256).await.unwrap();
    send(&blobs, &other, &other_hash).await.unwrap();
    let mut record = arrival(TERMINAL, 1, "a", "x");
    record.blobs = vec![(sha256.clone(), content.len() as u64)];
    city.store.accept(record).await.unwrap();
    blobs.sweep(now_ms()).await.unwrap();
    assert!(city.whole(&other_hash).exists());
    blobs.sweep(now_ms() + 31 * 24 * 60 * 60 * 1000).await.unwrap();
    assert!(!city.whole(&other_hash).exists());
    assert_eq!(blobs.held(TERMINAL, &other_hash).await.unwrap(), Held::Nothing);
    assert!(city.whole(&sha256).exists());
}
