//! Three hundred seeds, other ones each day; that a seed is one run; that the judge sees each planted defect.

use std::sync::atomic::{AtomicU64, Ordering};

use kiosk_simulation::mutation::Defect;
use kiosk_simulation::run::Shared;

/// Seeds in one run of the tests.
const SEEDS: u64 = 300;

/// Runs in which each defect must have been found.
const FOUND_WITHIN: u64 = 40;

/// The first seed of today: the days of the calendar do not overlap.
fn first_of_today() -> u64 {
    let days = time::OffsetDateTime::now_utc().unix_timestamp().div_euclid(24 * 60 * 60);
    u64::try_from(days).unwrap() * SEEDS
}

#[test]
fn every_promise_is_kept_under_every_fault() {
    let shared = Shared::make().unwrap();
    let first = first_of_today();
    println!("seeds {first} to {}", first + SEEDS - 1);
    let next = AtomicU64::new(0);
    let work = || {
        let mut failed = Vec::new();
        while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < SEEDS) {
            let outcome = shared.run(first + seed, Defect::None, false).unwrap();
            if !outcome.violations.is_empty() {
                failed.push((outcome.seed, outcome.violations));
            }
        }
        failed
    };
    let failed: Vec<_> = std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    for (seed, violations) in &failed {
        println!("cargo xtask simulate {seed}: {}", violations.join("; "));
    }
    assert!(failed.is_empty(), "{} seeds failed", failed.len());
}

#[test]
fn a_seed_is_one_run_byte_for_byte() {
    let shared = Shared::make().unwrap();
    for seed in 1..=6 {
        let first = shared.run(seed, Defect::None, false).unwrap();
        let again = shared.run(seed, Defect::None, false).unwrap();
        let other = Shared::make().unwrap().run(seed, Defect::None, false).unwrap();
        for second in [&again, &other] {
            let differs = first.lines.iter().zip(&second.lines).find(|(one, two)| one != two);
            assert_eq!(differs, None, "seed {seed}");
            assert_eq!(first.hash, second.hash, "seed {seed}");
        }
        assert!(first.lines.len() > 20, "a run in which something happens");
    }
}

/// Seeds tried until the defect showed.
fn found(defect: Defect) -> u64 {
    let shared = Shared::make().unwrap();
    for seed in 1..=FOUND_WITHIN {
        let outcome = shared.run(seed, defect, false).unwrap();
        if let Some(violation) = outcome.violations.first() {
            println!("{defect:?} found by seed {seed}: {violation}");
            return seed;
        }
    }
    panic!("{defect:?} was not found in {FOUND_WITHIN} runs");
}

#[test]
fn an_agent_that_forgets_to_resend_is_found() {
    found(Defect::ForgetsToResend);
}

#[test]
fn an_agent_that_believes_anything_is_found() {
    found(Defect::BelievesAnything);
}

#[test]
fn a_city_that_counts_partial_blobs_is_found() {
    found(Defect::CountsPartialBlobs);
}

#[test]
fn a_kiosk_that_gives_back_early_is_found() {
    found(Defect::GivesBackEarly);
}
