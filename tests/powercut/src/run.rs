//! Whole days: records each part, tries its cuts, goes on from one of them.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::chance::Chance;
use crate::day::{self, Part};
use crate::enumerate::{Cut, Effort, Figures, every_cut, one_cut};
use crate::place::{Place, in_memory};
use crate::story::Recording;
use crate::terminal::Promise;

/// How long a scripted day is.
#[derive(Clone, Copy, Debug)]
pub struct Length {
    /// Visits in the first part.
    pub fresh: usize,
    /// Visits in each other part.
    pub others: usize,
}

/// The day of the tests and of the command: one length, so that what one finds the other replays.
pub const DAY: Length = Length { fresh: 24, others: 8 };

/// Records one part of the day with this seed. [`Part::Survivor`] records the first part before and cuts it.
pub fn recording(part: Part, seed: u64, length: Length, promise: Promise) -> Result<Recording> {
    match part {
        Part::Survivor => survivor(&recording(Part::Fresh, seed, length, promise)?, seed, length),
        Part::Fresh => day::record(part, in_memory()?.path(), seed, length.fresh, promise),
        _ => day::record(part, in_memory()?.path(), seed, length.others, promise),
    }
}

/// A cut in the later half of the first part, and what the terminal does after it.
fn survivor(before: &Recording, seed: u64, length: Length) -> Result<Recording> {
    let mut chance = Chance::new(seed, &[0x5e1f]);
    let mut place = Place::new()?;
    let half = before.log.ops.len() / 2;
    // A combination that does not exist at a cut (nothing was pending) is no cut.
    for _ in 0..1000 {
        let cut = Cut { at: half + chance.below(half), variant: 2 + chance.below(30) };
        let Ok(verdict) = one_cut(before, seed, cut, &mut place) else { continue };
        let survived = verdict.map_err(|violation| anyhow!("{violation}"))?;
        return day::record_survivor(&place.root(), before, survived, seed, length.others);
    }
    Err(anyhow!("no cut to go on from"))
}

/// Tries the cuts of a whole day.
pub fn whole_day(seed: u64, length: Length, mut effort: Effort, progress: &Progress) -> Result<Figures> {
    let mut figures = Figures::default();
    let mut fresh = None;
    for part in Part::ALL {
        let began = Instant::now();
        let recorded = match (part, &fresh) {
            (Part::Survivor, Some(fresh)) => survivor(fresh, seed, length),
            _ => recording(part, seed, length, Promise::default()),
        }
        .with_context(|| format!("recording the part {}", part.name()))?;
        progress.recorded(&recorded, began.elapsed());
        let found = every_cut(&recorded, effort, &|judged| progress.judged(judged))?;
        progress.part_done(found.judged);
        effort.enough = effort.enough.saturating_sub(found.judged);
        effort.violations = effort.violations.saturating_sub(found.violations.len());
        figures.add(found);
        if effort.enough == 0 || effort.violations == 0 {
            break;
        }
        if part == Part::Fresh {
            fresh = Some(recorded);
        }
    }
    Ok(figures)
}

/// Shows on standard error how far it got, twice a second at most.
pub struct Progress {
    points: u64,
    began: Instant,
    state: Mutex<(u64, Instant)>,
}

impl Progress {
    /// Counts towards this many points.
    pub fn towards(points: u64) -> Self {
        Self { points, began: Instant::now(), state: Mutex::new((0, Instant::now())) }
    }

    fn recorded(&self, recording: &Recording, took: Duration) {
        let changes = recording.log.ops.len();
        eprintln!(
            "\r  {:<14} {changes} changes and syncs recorded in {:.1} s",
            recording.part,
            took.as_secs_f64()
        );
    }

    fn judged(&self, judged: u64) {
        let mut state = self.state.lock().expect("no thread panics holding it");
        if state.1.elapsed() < Duration::from_millis(500) {
            return;
        }
        state.1 = Instant::now();
        let all = state.0 + judged;
        let per_second = all as f64 / self.began.elapsed().as_secs_f64();
        let left = self.points.saturating_sub(all) as f64 / per_second.max(1.0);
        eprint!(
            "\r  {all} of {} cut points, {per_second:.0} a second, about {:.0} min left   ",
            self.points,
            left / 60.0
        );
        let _ = std::io::stderr().flush();
    }

    fn part_done(&self, judged: u64) {
        self.state.lock().expect("no thread panics holding it").0 += judged;
    }
}
