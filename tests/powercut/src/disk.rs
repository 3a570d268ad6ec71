//! The model of a disk: what was synced is there after a cut, everything else may be there, in any combination.
//!
//! Harsher than a journalling file system: names are pending until their folder is synced, however often the file was;
//! a file may have grown without its bytes; writes are torn at sectors of 512 or 4096 bytes; nothing keeps its order
//! without a sync. Milder than a broken disk: a write does not damage bytes beside it (SQLite assumes the same and calls
//! it powersafe overwrite), and a sync that returned is believed, unless the log says that it broke.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::broken_sync::Remains;
use crate::chance::{Chance, mix};
use crate::recorder::{Log, Node, NodeId, Op, ROOT};
use crate::variants;

/// What became of a change that no sync covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// All of it reached the disk.
    Whole,
    /// None of it.
    Lost,
    /// The file has the length, but not the bytes.
    LengthOnly,
    /// Some sectors of a write reached the disk.
    Torn {
        /// Size of a sector in bytes.
        sector: u32,
        /// Which of them.
        kept: Kept,
    },
}

/// Which sectors of a torn write reached the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The first so many.
    First(u32),
    /// All but the first so many.
    AfterFirst(u32),
    /// Those whose bit is set, by the sector's number modulo 64.
    Scattered(u64),
}

impl Kept {
    fn keeps(self, sector: u64) -> bool {
        match self {
            Self::First(count) => sector < u64::from(count),
            Self::AfterFirst(count) => sector >= u64::from(count),
            Self::Scattered(mask) => mask >> (sector % 64) & 1 == 1,
        }
    }
}

impl Fate {
    fn key(self) -> u64 {
        match self {
            Self::Whole => 1,
            Self::Lost => 2,
            Self::LengthOnly => 3,
            Self::Torn { sector, kept } => {
                let (kind, number) = match kept {
                    Kept::First(count) => (4, u64::from(count)),
                    Kept::AfterFirst(count) => (5, u64::from(count)),
                    Kept::Scattered(mask) => (6, mask),
                };
                mix(mix(number ^ kind) ^ u64::from(sector))
            }
        }
    }
}

/// The disk at one moment of a log.
pub struct Disk<'a> {
    log: &'a Log,
    at: usize,
    /// What is safe.
    safe: Vec<Node>,
    /// Fingerprints of `safe`.
    keys: Vec<u64>,
    /// What is under way: indices into the log, in order.
    pending: Vec<usize>,
}

impl<'a> Disk<'a> {
    /// The disk before anything happened.
    pub fn new(log: &'a Log) -> Self {
        let keys = (0..log.nodes.len() as u64).map(mix).collect();
        Self { log, at: 0, safe: log.nodes.clone(), keys, pending: Vec::new() }
    }

    /// Lets time pass until `at` changes have been made.
    pub fn advance(&mut self, at: usize) {
        assert!(self.at <= at, "time does not go back");
        for index in self.at..at {
            match &self.log.ops[index] {
                Op::Sync { node } => self.settle(*node, |_| Fate::Whole),
                Op::BrokenSync { node, remains, .. } => self.break_sync(index, *node, *remains),
                _ => self.pending.push(index),
            }
        }
        self.at = at;
    }

    /// Nothing that is pending for this file or folder changes its fate any more.
    fn settle(&mut self, node: NodeId, mut fate: impl FnMut(&Op) -> Fate) {
        let covered: Vec<usize> =
            self.pending.extract_if(.., |op| self.log.ops[*op].target() == node).collect();
        for op in covered {
            let fate = fate(&self.log.ops[op]);
            if fate != Fate::Lost {
                apply(&mut self.safe[node as usize], &self.log.ops[op], fate);
                fold(&mut self.keys[node as usize], op, fate);
            }
        }
    }

    /// After a sync of a file that failed, Linux calls the pages clean and never writes them again, while who reads
    /// them still finds them; so no later sync covers them (Rebello and others, "Can Applications Recover from fsync
    /// Failures?", USENIX ATC 2020). A lie about a file is taken to be as bad. Names are another matter: they are in the
    /// file system's journal, which a later sync writes, or the file system stops.
    fn break_sync(&mut self, index: usize, node: NodeId, remains: Remains) {
        if matches!(self.safe[node as usize], Node::Folder(_)) {
            return;
        }
        match remains {
            Remains::Nothing => self.settle(node, |_| Fate::Lost),
            Remains::Everything => self.settle(node, |_| Fate::Whole),
            Remains::Drawn(seed) => {
                let mut chance = Chance::new(seed, &[index as u64]);
                self.settle(node, |op| variants::any(op, &mut chance));
            }
        }
    }

    /// Changes that no sync covers yet.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = &'a Op> {
        self.pending.iter().map(|index| &self.log.ops[*index])
    }

    /// What lies on the disk when the power is cut now and the pending changes have these fates.
    pub fn image(&self, fates: &[Fate]) -> Image<'_> {
        assert_eq!(fates.len(), self.pending.len(), "each pending change has a fate");
        let mut keys = BTreeMap::new();
        let mut reached: BTreeMap<NodeId, Vec<(usize, Fate)>> = BTreeMap::new();
        for (&op, &fate) in self.pending.iter().zip(fates) {
            if fate == Fate::Lost {
                continue;
            }
            let node = self.log.ops[op].target();
            fold(keys.entry(node).or_insert(self.keys[node as usize]), op, fate);
            reached.entry(node).or_default().push((op, fate));
        }
        Image { disk: self, reached, keys }
    }
}

/// What lies on the disk after a cut.
pub struct Image<'a> {
    disk: &'a Disk<'a>,
    reached: BTreeMap<NodeId, Vec<(usize, Fate)>>,
    keys: BTreeMap<NodeId, u64>,
}

/// A name in an image.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Path below the root.
    pub path: String,
    /// What it names.
    pub node: NodeId,
    /// Fingerprint of its bytes within this log; equal fingerprints mean equal bytes.
    pub key: u64,
    /// Whether it is a folder.
    pub is_folder: bool,
}

impl Image<'_> {
    /// Bytes or names of a node.
    pub fn node(&self, node: NodeId) -> Cow<'_, Node> {
        let safe = &self.disk.safe[node as usize];
        let Some(reached) = self.reached.get(&node) else { return Cow::Borrowed(safe) };
        let mut changed = safe.clone();
        for (op, fate) in reached {
            apply(&mut changed, &self.disk.log.ops[*op], *fate);
        }
        Cow::Owned(changed)
    }

    /// Everything that can be reached by a name, folders before what is in them.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.entries_of(ROOT, "", &mut entries);
        entries
    }

    fn entries_of(&self, folder: NodeId, path: &str, entries: &mut Vec<Entry>) {
        let node = self.node(folder);
        let Node::Folder(names) = node.as_ref() else { return };
        for (name, &node) in names {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let key = self.keys.get(&node).copied().unwrap_or(self.disk.keys[node as usize]);
            let is_folder = matches!(self.disk.safe[node as usize], Node::Folder(_));
            entries.push(Entry { path: path.clone(), node, key, is_folder });
            if is_folder {
                self.entries_of(node, &path, entries);
            }
        }
    }
}

/// The nodes after a whole log without a cut.
pub fn after_all(log: &Log) -> Vec<Node> {
    let mut nodes = log.nodes.clone();
    for op in &log.ops {
        apply(&mut nodes[op.target() as usize], op, Fate::Whole);
    }
    nodes
}

fn fold(key: &mut u64, op: usize, fate: Fate) {
    *key = mix(*key ^ mix((op as u64) << 8 | 1) ^ fate.key().rotate_left(17));
}

fn apply(node: &mut Node, op: &Op, fate: Fate) {
    if fate == Fate::Lost {
        return;
    }
    match (node, op) {
        (Node::File(file), Op::Write { offset, bytes, .. }) => write(file, *offset as usize, bytes, fate),
        (Node::File(file), Op::Truncate { length, .. }) => file.resize(*length as usize, 0),
        (Node::Folder(names), Op::Link { name, node, .. }) => {
            names.insert(name.clone(), *node);
        }
        (Node::Folder(names), Op::Rename { from, to, node, .. }) => {
            // The name before may never have reached the disk, or may name another file by now.
            if names.get(from) == Some(node) {
                names.remove(from);
            }
            names.insert(to.clone(), *node);
        }
        (Node::Folder(names), Op::Unlink { name, .. }) => {
            names.remove(name);
        }
        (_, Op::Sync { .. } | Op::BrokenSync { .. }) => {}
        (node, op) => unreachable!("{op:?} does not fit {node:?}"),
    }
}

fn write(file: &mut Vec<u8>, offset: usize, bytes: &[u8], fate: Fate) {
    let end = offset + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    match fate {
        Fate::Whole => file[offset..end].copy_from_slice(bytes),
        Fate::Lost | Fate::LengthOnly => {}
        Fate::Torn { sector, kept } => {
            let sector = sector as usize;
            let first = offset / sector;
            for number in first..end.div_ceil(sector) {
                let (from, to) = ((number * sector).max(offset), ((number + 1) * sector).min(end));
                if kept.keeps((number - first) as u64) {
                    file[from..to].copy_from_slice(&bytes[from - offset..to - offset]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_op(offset: u64, bytes: &[u8]) -> Op {
        Op::Write { node: 1, offset, bytes: bytes.into() }
    }

    fn link() -> Op {
        Op::Link { folder: ROOT, name: "file".into(), node: 1 }
    }

    fn log(ops: Vec<Op>) -> Log {
        Log { nodes: vec![Node::Folder(BTreeMap::new()), Node::File(Vec::new())], ops }
    }

    fn paths(image: &Image<'_>) -> Vec<String> {
        image.entries().into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn a_synced_file_without_a_synced_name_may_be_gone() {
        let log = log(vec![link(), write_op(0, b"abc"), Op::Sync { node: 1 }, Op::Sync { node: ROOT }]);
        let mut disk = Disk::new(&log);
        disk.advance(3);
        assert_eq!(disk.pending().len(), 1);
        assert!(paths(&disk.image(&[Fate::Lost])).is_empty());
        let image = disk.image(&[Fate::Whole]);
        assert_eq!(
            (paths(&image), image.node(1).into_owned()),
            (vec!["file".into()], Node::File(b"abc".into()))
        );
        disk.advance(4);
        assert_eq!(paths(&disk.image(&[])), ["file"]);
    }

    #[test]
    fn unsynced_writes_come_in_any_combination_and_torn() {
        let log = log(vec![write_op(0, &[1; 1024]), write_op(1024, &[2; 1024])]);
        let mut disk = Disk::new(&log);
        disk.advance(2);
        let file = |fates: &[Fate]| match disk.image(fates).node(1).into_owned() {
            Node::File(bytes) => bytes,
            Node::Folder(_) => unreachable!("node 1 is a file"),
        };
        assert_eq!(file(&[Fate::Lost, Fate::Whole]), [vec![0; 1024], vec![2; 1024]].concat());
        assert_eq!(file(&[Fate::LengthOnly, Fate::Lost]), vec![0; 1024]);
        let torn = |kept| Fate::Torn { sector: 512, kept };
        assert_eq!(file(&[torn(Kept::First(1)), Fate::Lost]), [[1; 512], [0; 512]].concat());
        assert_eq!(
            file(&[torn(Kept::AfterFirst(1)), torn(Kept::Scattered(1))]),
            [[0; 512], [1; 512], [2; 512], [0; 512]].concat()
        );
    }

    #[test]
    fn a_rename_is_there_or_not_but_never_half() {
        let renamed = Op::Rename { folder: ROOT, from: "file".into(), to: "name".into(), node: 1 };
        let log = log(vec![link(), Op::Sync { node: ROOT }, renamed]);
        let mut disk = Disk::new(&log);
        disk.advance(3);
        assert_eq!(paths(&disk.image(&[Fate::Lost])), ["file"]);
        assert_eq!(paths(&disk.image(&[Fate::Whole])), ["name"]);
    }

    #[test]
    fn a_fingerprint_follows_the_bytes_across_a_sync() {
        let log = log(vec![
            link(),
            Op::Sync { node: ROOT },
            write_op(0, b"a"),
            write_op(1, b"b"),
            Op::Sync { node: 1 },
        ]);
        let mut disk = Disk::new(&log);
        let key = |disk: &Disk<'_>, fates: &[Fate]| disk.image(fates).entries()[0].key;
        disk.advance(4);
        let (all, one) = (key(&disk, &[Fate::Whole; 2]), key(&disk, &[Fate::Whole, Fate::Lost]));
        disk.advance(5);
        assert_eq!(key(&disk, &[]), all);
        assert_ne!(one, all);
    }
}
