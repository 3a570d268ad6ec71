//! Every power cut of a scripted day, and the proof that the search can find something: each precaution of the store is
//! taken away once, and each time a promise is seen broken.

use kiosk_powercut::day::Part;
use kiosk_powercut::enumerate::{Effort, Figures, every_cut, one_cut};
use kiosk_powercut::place::Place;
use kiosk_powercut::run::{DAY, Length, Progress, recording, whole_day};
use kiosk_powercut::terminal::Promise;
use kiosk_store::{Precaution, leave_out};

const POINTS: u64 = 20_000;
const SEED: u64 = 1;

fn effort(variants: usize, violations: usize) -> Effort {
    let jobs = std::thread::available_parallelism().map_or(1, Into::into);
    Effort { seed: SEED, variants, jobs, enough: u64::MAX, violations }
}

#[test]
fn every_promise_survives_every_cut() {
    let figures = whole_day(SEED, DAY, effort(22, 5), &Progress::towards(POINTS)).unwrap();
    for violation in &figures.violations {
        eprintln!("{violation}");
    }
    println!("{} cut points at {} places", figures.judged, figures.prefixes);
    assert!(figures.violations.is_empty(), "{} violations", figures.violations.len());
    assert!(figures.judged >= POINTS, "only {} cut points", figures.judged);
}

/// What is found in a short part of the day when one precaution is missing.
fn without(precaution: Option<Precaution>, part: Part, promise: Promise) -> Figures {
    leave_out(precaution);
    let length = Length { fresh: 8, others: 8 };
    let recording = recording(part, SEED, length, promise).unwrap();
    leave_out(None);
    let figures = every_cut(&recording, effort(8, 200), &|_| {}).unwrap();
    if let Some(violation) = figures.violations.first() {
        let again = one_cut(&recording, SEED, violation.cut, &mut Place::new().unwrap()).unwrap();
        assert!(again.is_err(), "a violation can be replayed alone: {violation}");
    }
    figures
}

/// Some violation begins with these words.
fn caught(figures: &Figures, words: &str) {
    let mut kinds: Vec<&str> = figures.violations.iter().map(|violation| violation.wrong.as_str()).collect();
    kinds.dedup();
    assert!(kinds.iter().any(|wrong| wrong.starts_with(words)), "{words:?} is not among {kinds:#?}");
}

#[test]
fn with_all_precautions_the_short_parts_are_clean() {
    for part in [Part::Fresh, Part::Older, Part::Upkeep] {
        let figures = without(None, part, Promise::AfterTheCommit);
        assert!(figures.violations.is_empty() && figures.judged > 1000, "{figures:?}");
    }
}

#[test]
fn synchronous_normal_is_caught() {
    let figures = without(Some(Precaution::SynchronousFull), Part::Older, Promise::AfterTheCommit);
    caught(&figures, "I1: the outbox holds");
}

#[test]
fn a_missing_folder_sync_is_caught() {
    let fresh = without(Some(Precaution::FolderSync), Part::Fresh, Promise::AfterTheCommit);
    caught(&fresh, "I1: the outbox holds");
    // Where the state folder and its files are old and safe, the names of the blobs are what is lost.
    let older = without(Some(Precaution::FolderSync), Part::Older, Promise::AfterTheCommit);
    caught(&older, "I1: a blob of a promised record is missing");
}

#[test]
fn a_missing_blob_sync_is_caught() {
    let figures = without(Some(Precaution::BlobSync), Part::Older, Promise::AfterTheCommit);
    caught(&figures, "I2: a blob is not what its name says");
}

#[test]
fn a_receipt_before_the_commit_is_caught() {
    let figures = without(None, Part::Older, Promise::BeforeTheCommit);
    caught(&figures, "I1: the outbox holds");
}
