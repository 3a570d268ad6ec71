//! A disk of which one sync breaks: after EIO nothing is promised that was not verified, and what was promised is kept;
//! after a lie nothing is wrong without being said. `cargo xtask powercut --syncs` looks closer.

use kiosk_powercut::broken::{Broken, Depth, every_sync};
use kiosk_powercut::broken_sync::Says;
use kiosk_powercut::day::Part;
use kiosk_powercut::enumerate::Effort;

const SEED: u64 = 1;

fn sound(part: Part, says: Says, depth: Depth, syncs: usize) {
    let jobs = std::thread::available_parallelism().map_or(1, Into::into);
    let effort = Effort { seed: SEED, variants: 2, jobs, enough: u64::MAX, violations: 5 };
    let began = std::time::Instant::now();
    let Broken { syncs: broken, figures } = every_sync(part, SEED, says, depth, effort).unwrap();
    for violation in &figures.violations {
        eprintln!("{violation}");
    }
    println!("{broken} syncs broke, {} cut points behind them, {:?}", figures.judged, began.elapsed());
    assert!(figures.violations.is_empty(), "{} violations", figures.violations.len());
    assert!(broken >= syncs, "only {broken} syncs in {}", part.name());
}

/// A whole short day.
const DAY: Depth = Depth { syncs: usize::MAX, close: 4, sparse: 4 };
/// The first commits after the log is full: the write-back is among them.
const WRITE_BACK: Depth = Depth { syncs: 8, close: 4, sparse: 4 };

#[test]
fn a_new_terminal_survives_eio_at_every_sync() {
    sound(Part::Fresh, Says::Error, DAY, 60);
}

#[test]
fn an_older_terminal_survives_eio_at_every_sync() {
    sound(Part::Older, Says::Error, DAY, 60);
}

#[test]
fn the_write_back_survives_eio_at_every_sync() {
    for part in [Part::FullOutbox, Part::FullDelivery] {
        sound(part, Says::Error, WRITE_BACK, 8);
    }
}

#[test]
fn no_lie_of_a_new_terminals_disk_goes_unnoticed() {
    sound(Part::Fresh, Says::Done, DAY, 60);
}

#[test]
fn no_lie_of_an_older_terminals_disk_goes_unnoticed() {
    sound(Part::Older, Says::Done, DAY, 60);
}

#[test]
fn no_lie_about_a_write_back_goes_unnoticed() {
    for part in [Part::FullOutbox, Part::FullDelivery] {
        sound(part, Says::Done, WRITE_BACK, 8);
    }
}
