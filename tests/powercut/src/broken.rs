//! A disk of which one sync breaks, each of a part in turn: its caller hears EIO, or is lied to; of what it should have
//! covered nothing, all or some is on the disk, and no later sync covers the rest. Then the power is cut.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::broken_sync::{BrokenSync, Remains, Says};
use crate::day::{self, Part};
use crate::enumerate::{Effort, Figures, every_cut};
use crate::place::in_memory;
use crate::recorder::Op;
use crate::story::Recording;

/// Visits in a day of which a sync breaks.
const VISITS: usize = 2;

/// How much is tried behind a broken sync.
#[derive(Clone, Copy, Debug)]
pub struct Depth {
    /// Syncs that break, at most; the first ones.
    pub syncs: usize,
    /// Every change up to this one is followed by a cut, …
    pub close: usize,
    /// … and behind it so many more, evenly up to the end of the day.
    pub sparse: usize,
}

impl Depth {
    /// Everything there is.
    pub const ALL: Self = Self { syncs: usize::MAX, close: 40, sparse: 60 };
}

/// What was tried and found.
#[derive(Debug, Default)]
pub struct Broken {
    /// Syncs that broke, each in a day of its own.
    pub syncs: usize,
    /// Cuts, images and broken promises.
    pub figures: Figures,
}

/// Lets each sync of a part break once, and tries the cuts behind it.
pub fn every_sync(part: Part, seed: u64, says: Says, depth: Depth, effort: Effort) -> Result<Broken> {
    let mut found = Broken::default();
    while found.syncs < depth.syncs {
        let number = found.syncs;
        let mut remains = remains(says, seed ^ number as u64).into_iter();
        let first = remains.next().context("something remains")?;
        let broken = BrokenSync { number, says, remains: first, at: None };
        let Some(mut recording) = recording(part, seed, broken)? else { break };
        found.syncs += 1;
        recording.judged = cuts(&recording, depth);
        loop {
            found.figures.add(every_cut(&recording, effort, &|_| {})?);
            if found.figures.violations.len() >= effort.violations {
                return Ok(found);
            }
            let Some(next) = remains.next() else { break };
            leaves(&mut recording, next);
        }
    }
    Ok(found)
}

/// The part with this broken sync; `None` when there are not so many syncs in it.
pub fn recording(part: Part, seed: u64, broken: BrokenSync) -> Result<Option<Recording>> {
    let recording = day::record_broken(part, in_memory()?.path(), seed, VISITS, broken)?;
    let broke = recording.broken.is_some_and(|broken| broken.at.is_some());
    Ok(broke.then_some(recording))
}

/// A lie about a sync that did its work is none.
fn remains(says: Says, seed: u64) -> Vec<Remains> {
    match says {
        Says::Error => vec![Remains::Nothing, Remains::Everything, Remains::Drawn(seed)],
        Says::Done => vec![Remains::Nothing, Remains::Drawn(seed)],
    }
}

/// The same day on a disk where something else is left: nobody who ran there could have noticed.
fn leaves(recording: &mut Recording, left: Remains) {
    let Some(BrokenSync { at: Some(at), remains: told, .. }) = &mut recording.broken else { return };
    *told = left;
    if let Op::BrokenSync { remains, .. } = &mut recording.log.ops[*at] {
        *remains = left;
    }
}

fn cuts(recording: &Recording, depth: Depth) -> Vec<usize> {
    let from = recording.broken.and_then(|broken| broken.at).unwrap_or_default() + 1;
    let end = recording.log.ops.len() + 1;
    let close = from..(from + depth.close).min(end);
    let step = (end - close.end).div_ceil(depth.sparse.max(1)).max(1);
    // The day's very last change is among them.
    close.clone().chain((close.end..end).rev().step_by(step)).collect::<BTreeSet<_>>().into_iter().collect()
}
