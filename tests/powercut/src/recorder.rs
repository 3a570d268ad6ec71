//! What a terminal does to its disk, in one order: writes, syncs, names. One thread records; the others pass through.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kiosk_store::{DiskStep, SyncFate, decide_syncs, watch_disk};

use crate::broken_sync::{BrokenSync, Remains, Says};
use crate::chance::Chance;
use crate::vfs;

/// A file or a folder, whatever its name is at the moment.
pub type NodeId = u32;

/// The folder in which everything happens.
pub const ROOT: NodeId = 0;

/// A file's bytes or a folder's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Bytes.
    File(Vec<u8>),
    /// Names and what they name.
    Folder(BTreeMap<String, NodeId>),
}

/// One change, or one sync that returned.
#[derive(Clone, Debug)]
pub enum Op {
    /// Bytes went to a file.
    Write {
        /// Which file.
        node: NodeId,
        /// Where, in bytes.
        offset: u64,
        /// What.
        bytes: Box<[u8]>,
    },
    /// A file got this length.
    Truncate {
        /// Which file.
        node: NodeId,
        /// Length in bytes.
        length: u64,
    },
    /// A new file or folder got a name.
    Link {
        /// In which folder.
        folder: NodeId,
        /// Which name.
        name: String,
        /// What it names.
        node: NodeId,
    },
    /// A name in a folder was replaced by another, in one step.
    Rename {
        /// In which folder.
        folder: NodeId,
        /// The name before.
        from: String,
        /// The name after.
        to: String,
        /// What it names.
        node: NodeId,
    },
    /// A name is gone.
    Unlink {
        /// From which folder.
        folder: NodeId,
        /// Which name.
        name: String,
    },
    /// Everything done to this file or folder so far is on disk.
    Sync {
        /// Which file or folder.
        node: NodeId,
    },
    /// A sync that did not do its work.
    BrokenSync {
        /// Which file or folder.
        node: NodeId,
        /// What its caller heard.
        says: Says,
        /// What reached the disk of what it should have covered.
        remains: Remains,
    },
}

impl Op {
    /// The file or folder that is changed or synced.
    pub fn target(&self) -> NodeId {
        match self {
            Self::Write { node, .. } | Self::Truncate { node, .. } => *node,
            Self::Sync { node } | Self::BrokenSync { node, .. } => *node,
            Self::Link { folder, .. } | Self::Rename { folder, .. } | Self::Unlink { folder, .. } => *folder,
        }
    }
}

/// A recorded stretch of a terminal's life.
#[derive(Debug)]
pub struct Log {
    /// Every node that ever was; those made during the recording are empty here and have no name yet.
    pub nodes: Vec<Node>,
    /// What happened, in order.
    pub ops: Vec<Op>,
}

struct Recorder {
    root: PathBuf,
    chance: Chance,
    log: Log,
    /// Names as the running processes see them, relative to the root.
    names: BTreeMap<PathBuf, NodeId>,
    broken: Option<BrokenSync>,
    /// Syncs since that one was armed.
    syncs: usize,
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Begins to record everything below `root` that this thread does. What lies there now counts as being on disk.
pub fn start(root: &Path, seed: u64) -> Result<()> {
    vfs::install();
    let root = root.canonicalize().context("the folder to record")?;
    let mut names = BTreeMap::new();
    let nodes = read_tree(&root, &mut names)?;
    let chance = Chance::new(seed, &[0x5a17]);
    let log = Log { nodes, ops: Vec::new() };
    RECORDER.set(Some(Recorder { root, chance, log, names, broken: None, syncs: 0 }));
    vfs::forget_randomness();
    watch_disk(Some(Box::new(store_step)));
    decide_syncs(Some(Box::new(|step| match step {
        DiskStep::FileSynced(path) | DiskStep::FolderSynced(path) => about_to_sync_path(path),
        _ => SyncFate::Honest,
    })));
    Ok(())
}

/// Lets a sync from now on break, the one of this number.
pub fn arm(broken: BrokenSync) {
    with(|recorder| (recorder.broken, recorder.syncs) = (Some(broken), 0));
}

/// The sync that was armed, and whether it broke.
pub fn broken() -> Option<BrokenSync> {
    with(|recorder| recorder.broken).flatten()
}

/// Ends the recording and checks that the log explains what lies in the folder now, byte for byte: a change that went
/// past the recorder would make every verdict worthless.
pub fn stop() -> Result<Log> {
    watch_disk(None);
    decide_syncs(None);
    vfs::forget_randomness();
    let recorder = RECORDER.take().context("nothing is being recorded")?;
    let mut names = BTreeMap::new();
    let found = read_tree(&recorder.root, &mut names)?;
    let replayed = crate::disk::after_all(&recorder.log);
    ensure!(
        names.keys().eq(recorder.names.keys()),
        "the log does not explain the names: {:?} on disk, {:?} recorded",
        names.keys(),
        recorder.names.keys()
    );
    for (path, node) in &names {
        let Node::File(found) = &found[*node as usize] else { continue };
        let recorded = &replayed[recorder.names[path] as usize];
        ensure!(
            *recorded == Node::File(found.clone()),
            "something wrote to {} past the recorder",
            path.display()
        );
    }
    Ok(recorder.log)
}

/// How much has been recorded; the place of a promise in the log.
pub fn position() -> usize {
    with(|recorder| recorder.log.ops.len()).unwrap_or(0)
}

/// Locks and shared memory mean nothing after a cut.
pub fn is_transient(name: &str) -> bool {
    name.ends_with("-shm") || name.ends_with(".lock")
}

fn with<T>(record: impl FnOnce(&mut Recorder) -> T) -> Option<T> {
    RECORDER.with_borrow_mut(|recorder| recorder.as_mut().map(record))
}

fn with_path<T>(path: &Path, record: impl FnOnce(&mut Recorder, PathBuf) -> Option<T>) -> Option<T> {
    with(|recorder| {
        let path = path.strip_prefix(&recorder.root).ok()?.to_owned();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if is_transient(name) { None } else { record(recorder, path) }
    })
    .flatten()
}

impl Recorder {
    fn folder_of(&self, path: &Path) -> NodeId {
        self.names[path.parent().unwrap_or(Path::new(""))]
    }

    fn make(&mut self, path: PathBuf, node: Node) -> NodeId {
        if let Some(known) = self.names.get(&path) {
            return *known;
        }
        let id = self.log.nodes.len() as NodeId;
        self.log.nodes.push(node);
        self.log.ops.push(Op::Link { folder: self.folder_of(&path), name: name_of(&path), node: id });
        self.names.insert(path, id);
        id
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned()
}

pub(crate) fn fill(bytes: &mut [u8]) -> bool {
    with(|recorder| recorder.chance.fill(bytes)).is_some()
}

pub(crate) fn file_made(path: &Path) -> Option<NodeId> {
    with_path(path, |recorder, path| Some(recorder.make(path, Node::File(Vec::new()))))
}

pub(crate) fn written(node: NodeId, offset: u64, bytes: &[u8]) {
    with(|recorder| recorder.log.ops.push(Op::Write { node, offset, bytes: bytes.into() }));
}

pub(crate) fn truncated(node: NodeId, length: u64) {
    with(|recorder| recorder.log.ops.push(Op::Truncate { node, length }));
}

pub(crate) fn synced(node: NodeId) {
    with(|recorder| recorder.log.ops.push(Op::Sync { node }));
}

/// Whether a sync answered EIO.
pub fn has_failed() -> bool {
    broken().is_some_and(|broken| broken.says == Says::Error && broken.at.is_some())
}

/// What becomes of the sync of a file or folder that is about to be made.
pub(crate) fn about_to_sync(node: NodeId) -> SyncFate {
    with(|recorder| {
        let number = recorder.syncs;
        recorder.syncs += 1;
        let Some(broken) = recorder.broken.as_mut().filter(|broken| broken.number == number) else {
            return SyncFate::Honest;
        };
        broken.at = Some(recorder.log.ops.len());
        recorder.log.ops.push(Op::BrokenSync { node, says: broken.says, remains: broken.remains });
        match broken.says {
            Says::Error => SyncFate::Fails,
            Says::Done => SyncFate::Lies,
        }
    })
    .unwrap_or(SyncFate::Honest)
}

fn about_to_sync_path(path: &Path) -> SyncFate {
    with_path(path, |recorder, path| recorder.names.get(&path).copied())
        .map_or(SyncFate::Honest, about_to_sync)
}

pub(crate) fn sync_folder_around(node: NodeId) -> SyncFate {
    let path = with(|recorder| {
        recorder.names.iter().find(|(_, known)| **known == node).map(|(path, _)| recorder.root.join(path))
    });
    path.flatten().map_or(SyncFate::Honest, |path| sync_folder_of(&path))
}

pub(crate) fn sync_folder_of(path: &Path) -> SyncFate {
    let Some(folder) = with_path(path, |recorder, path| Some(recorder.folder_of(&path))) else {
        return SyncFate::Honest;
    };
    let fate = about_to_sync(folder);
    if fate == SyncFate::Honest {
        synced(folder);
    }
    fate
}

pub(crate) fn removed(path: &Path) {
    with_path(path, |recorder, path| {
        recorder.names.remove(&path)?;
        recorder.log.ops.push(Op::Unlink { folder: recorder.folder_of(&path), name: name_of(&path) });
        Some(())
    });
}

/// What the store did beside SQLite.
fn store_step(step: DiskStep<'_>) {
    match step {
        DiskStep::FolderMade(path) => {
            with_path(path, |recorder, path| Some(recorder.make(path, Node::Folder(BTreeMap::new()))));
        }
        DiskStep::FileMade(path) => {
            file_made(path);
        }
        DiskStep::FileEmptied(path) => {
            with_path(path, |recorder, path| recorder.names.get(&path).copied())
                .into_iter()
                .for_each(|node| truncated(node, 0));
        }
        DiskStep::FileWritten(path, bytes) => {
            with_path(path, |recorder, path| recorder.names.get(&path).copied())
                .into_iter()
                .for_each(|node| written(node, 0, bytes));
        }
        DiskStep::FileSynced(path) | DiskStep::FolderSynced(path) => {
            with_path(path, |recorder, path| recorder.names.get(&path).copied()).into_iter().for_each(synced);
        }
        DiskStep::Renamed { from, to } => renamed(from, to),
        DiskStep::Removed(path) => removed(path),
    }
}

/// The store renames only within a folder.
fn renamed(from: &Path, to: &Path) {
    with_path(from, |recorder, from| {
        let to = to.strip_prefix(&recorder.root).ok()?.to_owned();
        let node = recorder.names.remove(&from)?;
        let folder = recorder.folder_of(&from);
        assert_eq!(folder, recorder.folder_of(&to), "a rename across folders needs a model of its own");
        recorder.log.ops.push(Op::Rename { folder, from: name_of(&from), to: name_of(&to), node });
        recorder.names.insert(to, node);
        Some(())
    });
}

/// Everything below a folder: its own node first, then what is in it.
fn read_tree(root: &Path, names: &mut BTreeMap<PathBuf, NodeId>) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    read_into(root, PathBuf::new(), &mut nodes, names)?;
    Ok(nodes)
}

fn read_into(
    root: &Path,
    path: PathBuf,
    nodes: &mut Vec<Node>,
    names: &mut BTreeMap<PathBuf, NodeId>,
) -> Result<NodeId> {
    let id = nodes.len() as NodeId;
    names.insert(path.clone(), id);
    let real = root.join(&path);
    if !real.is_dir() {
        nodes.push(Node::File(std::fs::read(&real)?));
        return Ok(id);
    }
    nodes.push(Node::Folder(BTreeMap::new()));
    let mut inside: Vec<_> = std::fs::read_dir(&real)?.collect::<Result<_, _>>()?;
    inside.sort_by_key(std::fs::DirEntry::file_name);
    for entry in inside {
        let name = entry.file_name().into_string().ok().context("a name that is no text")?;
        if is_transient(&name) {
            continue;
        }
        let child = read_into(root, path.join(&name), nodes, names)?;
        if let Node::Folder(within) = &mut nodes[id as usize] {
            within.insert(name, child);
        }
    }
    Ok(id)
}
