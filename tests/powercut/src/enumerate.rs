//! Tries every cut of a recording: each prefix of the log with a bounded number of combinations of what was not synced.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use anyhow::{Context, Result};

use crate::broken_sync::{BrokenSync, Says};
use crate::chance::{Chance, mix};
use crate::day::STATE;
use crate::disk::{Disk, Entry, Fate, Image};
use crate::doubt;
use crate::judge::{self, Wrong};
use crate::place::{Place, Store, is_finished_blob};
use crate::recorder::{Log, Op};
use crate::story::{Recording, Survived};
use crate::variants;

/// How a recording is to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Seed of the drawn combinations.
    pub seed: u64,
    /// Combinations tried at each cut, at most.
    pub variants: usize,
    /// Threads.
    pub jobs: usize,
    /// Ends early once so many images have been judged.
    pub enough: u64,
    /// Ends early once so many violations were found.
    pub violations: usize,
}

/// One cut: after how many changes, and with which combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Changes and syncs that had returned.
    pub at: usize,
    /// Number of the combination.
    pub variant: usize,
}

/// A promise that a cut broke.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Part of the day.
    pub part: &'static str,
    /// Seed.
    pub seed: u64,
    /// Where.
    pub cut: Cut,
    /// What is wrong.
    pub wrong: Wrong,
    /// The last changes before the cut, newest last.
    pub before: Vec<String>,
    /// The sync that broke before, when there was one.
    pub broken: Option<BrokenSync>,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { part, seed, cut, wrong, before, broken } = self;
        writeln!(f, "VIOLATION {wrong}")?;
        for change in before {
            writeln!(f, "    {change}")?;
        }
        write!(f, "  again: cargo xtask powercut --seed {seed} --only {part}:{}:{}", cut.at, cut.variant)?;
        broken.map_or(Ok(()), |broken| write!(f, " --break {broken}"))
    }
}

/// What was tried and found.
#[derive(Debug, Default)]
pub struct Figures {
    /// Places in the log at which the power was cut.
    pub prefixes: u64,
    /// Combinations looked at, repetitions included.
    pub looked_at: u64,
    /// Different disk images, each opened with the real store and judged.
    pub judged: u64,
    /// Broken promises.
    pub violations: Vec<Violation>,
}

impl Figures {
    /// Takes in what another part found.
    pub fn add(&mut self, other: Self) {
        self.prefixes += other.prefixes;
        self.looked_at += other.looked_at;
        self.judged += other.judged;
        self.violations.extend(other.violations);
    }
}

/// Counters that several threads share.
struct Shared<'a> {
    recording: &'a Recording,
    effort: Effort,
    cuts: Vec<usize>,
    next: AtomicUsize,
    stop: AtomicBool,
    prefixes: AtomicU64,
    looked_at: AtomicU64,
    judged: AtomicU64,
    /// Per store: images that were judged against the same promises before.
    seen: [Mutex<HashSet<u64>>; 4],
    violations: Mutex<Vec<Violation>>,
    progress: &'a (dyn Fn(u64) + Sync),
}

/// Tries every cut. `progress` hears how many images were judged so far.
pub fn every_cut(recording: &Recording, effort: Effort, progress: &(dyn Fn(u64) + Sync)) -> Result<Figures> {
    let shared = Shared {
        recording,
        effort,
        cuts: recording.judged.clone(),
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        prefixes: AtomicU64::new(0),
        looked_at: AtomicU64::new(0),
        judged: AtomicU64::new(0),
        seen: Default::default(),
        violations: Mutex::new(Vec::new()),
        progress,
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..effort.jobs.max(1)).map(|_| scope.spawn(|| work(&shared))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker reports its errors"))
    })?;
    Ok(Figures {
        prefixes: shared.prefixes.into_inner(),
        looked_at: shared.looked_at.into_inner(),
        judged: shared.judged.into_inner(),
        violations: shared.violations.into_inner().unwrap_or_default(),
    })
}

/// Cuts are handed out in runs, so that each thread's disk only moves forward.
const RUN: usize = 32;

fn work(shared: &Shared<'_>) -> Result<()> {
    let mut place = Place::new()?;
    let mut disk = Disk::new(&shared.recording.log);
    let mut sound = HashSet::new();
    loop {
        let from = shared.next.fetch_add(RUN, Ordering::Relaxed);
        let run = shared.cuts.iter().skip(from).take(RUN);
        if run.len() == 0 {
            return Ok(());
        }
        for &at in run {
            if shared.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            disk.advance(at);
            shared.prefixes.fetch_add(1, Ordering::Relaxed);
            for variant in 0..shared.effort.variants {
                look_at(shared, &disk, Cut { at, variant }, &mut place, &mut sound)?;
            }
        }
        (shared.progress)(shared.judged.load(Ordering::Relaxed));
    }
}

fn look_at(
    shared: &Shared<'_>,
    disk: &Disk<'_>,
    cut: Cut,
    place: &mut Place,
    sound: &mut HashSet<(u32, u64)>,
) -> Result<()> {
    let Some(fates) = fates_at(disk, cut, shared.effort.seed) else { return Ok(()) };
    let image = disk.image(&fates);
    let entries = image.entries();
    shared.looked_at.fetch_add(1, Ordering::Relaxed);
    let keys = store_keys(shared.recording, &entries, cut.at);
    let new: Vec<Store> = Store::ALL
        .into_iter()
        .filter(|store| {
            let mut seen = shared.seen[*store as usize].lock().expect("no thread panics holding it");
            seen.insert(keys[*store as usize])
        })
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let judged = shared.judged.fetch_add(1, Ordering::Relaxed) + 1;
    if let Err(wrong) = judge_image(shared.recording, &image, &entries, cut, &new, place, sound)? {
        let before = described(&shared.recording.log, cut.at, disk.pending().len(), &fates);
        let Recording { part, broken, .. } = *shared.recording;
        let violation = Violation { part, seed: shared.effort.seed, cut, wrong, before, broken };
        let mut violations = shared.violations.lock().expect("no thread panics holding it");
        violations.push(violation);
        if violations.len() >= shared.effort.violations {
            shared.stop.store(true, Ordering::Relaxed);
        }
    }
    if judged >= shared.effort.enough {
        shared.stop.store(true, Ordering::Relaxed);
    }
    Ok(())
}

fn fates_at(disk: &Disk<'_>, cut: Cut, seed: u64) -> Option<Vec<Fate>> {
    let mut chance = Chance::new(seed, &[cut.at as u64, cut.variant as u64]);
    variants::fates(cut.variant, disk.pending(), &mut chance)
}

/// For each store: its files, and which states are right. The same once judged need not be judged again.
fn store_keys(recording: &Recording, entries: &[Entry], at: usize) -> [u64; 4] {
    let mut keys = [1, 2, 3, 4];
    for entry in entries.iter().filter(|entry| !entry.is_folder) {
        let path = entry.path.bytes().fold(entry.key, |key, byte| mix(key ^ u64::from(byte)));
        let store = Store::of(&entry.path);
        keys[store as usize] = mix(keys[store as usize] ^ path);
        // The outbox looks into the delivery log when it opens.
        if store == Store::Delivery {
            keys[Store::Outbox as usize] = mix(keys[Store::Outbox as usize] ^ path);
        }
    }
    let story = &recording.story;
    let rights = [
        story.outbox.right_after(at),
        story.delivery.right_after(at),
        story.audits[0].right_after(at),
        story.audits[1].right_after(at),
    ];
    for (key, right) in keys.iter_mut().zip(rights) {
        *key = mix(mix(*key ^ right.start as u64) ^ right.end as u64);
    }
    keys
}

/// Puts the image into a folder and opens it with the real store.
fn judge_image(
    recording: &Recording,
    image: &Image<'_>,
    entries: &[Entry],
    cut: Cut,
    stores: &[Store],
    place: &mut Place,
    sound: &mut HashSet<(u32, u64)>,
) -> Result<Result<Survived, Wrong>> {
    let mut needed = stores.to_vec();
    if stores.contains(&Store::Outbox) {
        // What is missing is looked for where its storing was noted.
        needed.extend([Store::Delivery, Store::AuditKiosk]);
    }
    let mut chance = Chance::new(cut.at as u64, &[cut.variant as u64, 0x54]);
    let stale = chance.once_in(3).then(|| chance.clone());
    let reader_first = chance.once_in(2);
    place.put(image, entries, &needed, stale)?;
    let blobs = entries.iter().filter(|entry| is_finished_blob(&entry.path));
    let name = |entry: &Entry| entry.path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut known =
        blobs.clone().filter(|entry| sound.contains(&(entry.node, entry.key))).map(name).collect();
    let verdict = judge_stores(recording, &place.root().join(STATE), cut, stores, reader_first, &mut known);
    if verdict.is_ok() && stores.contains(&Store::Outbox) {
        sound.extend(blobs.map(|entry| (entry.node, entry.key)));
    }
    Ok(verdict)
}

fn judge_stores(
    recording: &Recording,
    state: &Path,
    cut: Cut,
    stores: &[Store],
    reader_first: bool,
    sound: &mut HashSet<String>,
) -> Result<Survived, Wrong> {
    let story = &recording.story;
    let mut survived = Survived::default();
    if recording.broken.is_some_and(|broken| broken.says == Says::Done) {
        return doubt::stores(recording, state, cut, stores).map(|()| survived);
    }
    for store in stores {
        match store {
            Store::Outbox => {
                let right = story.outbox.right_after(cut.at);
                survived.outbox = judge::outbox(state, recording, right, reader_first, sound)?;
            }
            Store::Delivery => {
                survived.delivery = judge::delivery(state, recording, story.delivery.right_after(cut.at))?;
            }
            Store::AuditKiosk => {
                survived.audits[0] = judge::audit(state, recording, 0, story.audits[0].right_after(cut.at))?;
            }
            Store::AuditSync => {
                survived.audits[1] = judge::audit(state, recording, 1, story.audits[1].right_after(cut.at))?;
            }
        }
    }
    Ok(survived)
}

/// Judges one cut alone and leaves its image, untouched, in `place`: to replay a finding, or to go on from there.
pub fn one_cut(
    recording: &Recording,
    seed: u64,
    cut: Cut,
    place: &mut Place,
) -> Result<Result<Survived, Violation>> {
    let mut disk = Disk::new(&recording.log);
    disk.advance(cut.at);
    let fates = fates_at(&disk, cut, seed).context("there is no such variant at this cut")?;
    let image = disk.image(&fates);
    let entries = image.entries();
    let verdict = judge_image(recording, &image, &entries, cut, &Store::ALL, place, &mut HashSet::new())?;
    place.put(&image, &entries, &Store::ALL, None)?;
    Ok(verdict.map_err(|wrong| {
        let before = described(&recording.log, cut.at, disk.pending().len(), &fates);
        Violation { part: recording.part, seed, cut, wrong, before, broken: recording.broken }
    }))
}

/// The newest pending changes with their fates, for a person to read.
fn described(log: &Log, at: usize, pending: usize, fates: &[Fate]) -> Vec<String> {
    const SHOWN: usize = 12;
    let mut lines = vec![format!("{pending} changes not synced, at change {at} of {}", log.ops.len())];
    let mut disk = Disk::new(log);
    disk.advance(at);
    for (op, fate) in disk.pending().zip(fates).skip(pending.saturating_sub(SHOWN)) {
        lines.push(format!("{fate:?}: {}", brief(op)));
    }
    lines
}

fn brief(op: &Op) -> String {
    match op {
        Op::Write { node, offset, bytes } => {
            format!("write of {} bytes at {offset} to file {node}", bytes.len())
        }
        other => format!("{other:?}"),
    }
}
