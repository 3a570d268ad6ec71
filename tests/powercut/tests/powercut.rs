//! Every power cut of a scripted day, and the proof that the search can find something: each precaution of the store is
//! taken away once, and each time a promise is seen broken.

use fail::FailScenario;
use kiosk_powercut::day::Part;
use kiosk_powercut::enumerate::{Effort, Figures, Violation, every_cut, one_cut};
use kiosk_powercut::place::Place;
use kiosk_powercut::run::{Length, Progress, recording, whole_day};
use kiosk_powercut::terminal::Promise;

const POINTS: u64 = 20_000;
const SEED: u64 = 1;
const LENGTH: Length = Length { fresh: 20, others: 5 };

fn effort(variants: usize, violations: usize) -> Effort {
    let jobs = std::thread::available_parallelism().map_or(1, Into::into);
    Effort { seed: SEED, variants, jobs, enough: u64::MAX, violations }
}

#[test]
fn every_promise_survives_every_cut() {
    // Serialises with the mutations when all tests share a process.
    let scenario = FailScenario::setup();
    let figures = whole_day(SEED, LENGTH, effort(14, 5), &Progress::towards(POINTS)).unwrap();
    scenario.teardown();
    for violation in &figures.violations {
        eprintln!("{violation}");
    }
    println!("{} cut points at {} places", figures.judged, figures.prefixes);
    assert!(figures.violations.is_empty(), "{} violations", figures.violations.len());
    assert!(figures.judged >= POINTS, "only {} cut points", figures.judged);
}

/// What is found in a short first part when one precaution is missing.
fn without(precaution: Option<&str>, promise: Promise) -> Figures {
    let scenario = FailScenario::setup();
    if let Some(precaution) = precaution {
        fail::cfg(precaution, "return").unwrap();
    }
    let length = Length { fresh: 8, others: 1 };
    let recording = recording(Part::Fresh, SEED, length, promise).unwrap();
    let figures = every_cut(&recording, effort(8, 3), &|_| {}).unwrap();
    if let Some(violation) = figures.violations.first() {
        let again = one_cut(&recording, SEED, violation.cut, &mut Place::new().unwrap()).unwrap();
        assert!(again.is_err(), "a violation can be replayed alone: {violation}");
    }
    scenario.teardown();
    figures
}

fn caught(figures: &Figures, invariant: &str) {
    let is_it = |violation: &Violation| violation.wrong.starts_with(invariant);
    assert!(figures.violations.iter().any(is_it), "not caught: {figures:?}");
}

#[test]
fn with_all_precautions_the_short_part_is_clean() {
    let figures = without(None, Promise::AfterTheCommit);
    assert!(figures.violations.is_empty() && figures.judged > 1000, "{figures:?}");
}

#[test]
fn synchronous_normal_is_caught() {
    caught(&without(Some("store::synchronous-normal"), Promise::AfterTheCommit), "I");
}

#[test]
fn a_missing_folder_sync_is_caught() {
    caught(&without(Some("store::no-folder-sync"), Promise::AfterTheCommit), "I1");
}

#[test]
fn a_missing_blob_sync_is_caught() {
    caught(&without(Some("store::no-blob-sync"), Promise::AfterTheCommit), "I2");
}

#[test]
fn a_receipt_before_the_commit_is_caught() {
    caught(&without(None, Promise::BeforeTheCommit), "I1");
}
