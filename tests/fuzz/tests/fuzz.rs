//! Every decoder against what was found before, good inputs, and thousands of mutated ones: the short version of
//! `cargo xtask fuzz`. The seed is that of the day unless `FUZZ_SEED` gives another.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use kiosk_fuzz::mutate::{Chance, mutated};
use kiosk_fuzz::{Target, parts, short};

/// Days since 1970: each day tries other inputs, and all runs of one day the same.
fn seed() -> u64 {
    let given = std::env::var("FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    let day = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400);
    given.unwrap_or_else(day)
}

fn part_holds(name: &str) {
    let part = parts().into_iter().find(|part| part.name == name).expect("the part is there");
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for target in &part.targets {
        let seed = seed();
        match short::run(target, seed, kept) {
            Ok(tried) => println!("{:<24} {tried:>6} inputs hold (seed {seed})", target.name),
            Err(broken) => panic!(
                "{}: {}\nthe input is kept in {}; FUZZ_SEED={seed} runs all of this again.\nWhen it is mended, put the \
                 input into tests/fuzz/found/{}/ under a name that says what it was.",
                broken.target,
                broken.what,
                broken.input.display(),
                broken.target
            ),
        }
    }
}

macro_rules! parts_hold {
    ($($test:ident: $part:literal),+ $(,)?) => {
        $(
            #[test]
            fn $test() {
                part_holds($part);
            }
        )+

        #[test]
        fn no_part_is_forgotten() {
            let names: Vec<_> = parts().iter().map(|part| part.name).collect();
            assert_eq!(names, [$($part),+]);
        }
    };
}

parts_hold! {
    the_protocol_holds: "protocol",
    numbers_hold: "core",
    the_catalog_holds: "catalog",
    devices_hold: "device",
    the_store_holds: "store",
    the_agent_holds: "agent",
    the_gateway_holds: "gateway",
    keys_and_files_hold: "key",
    print_outs_hold: "printed",
}

#[test]
fn names_are_one_of_a_kind_and_say_their_part() {
    let mut seen = std::collections::BTreeSet::new();
    for part in parts() {
        for target in part.targets {
            assert!(target.name.starts_with(&format!("{}-", part.name)), "{}", target.name);
            assert!(seen.insert(target.name), "{} twice", target.name);
            assert!(!(target.seeds)().is_empty() && target.inputs > 0, "{} tries nothing", target.name);
        }
    }
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("found");
    for entry in
        std::fs::read_dir(found).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir())
    {
        let name = entry.file_name().into_string().unwrap_or_default();
        assert!(seen.contains(name.as_str()), "found/{name} is of no target, so nobody runs it");
    }
}

#[test]
fn good_inputs_reach_what_they_should() {
    kiosk_fuzz::reach();
}

#[test]
fn one_seed_gives_one_sequence_and_every_kind_of_change_happens() {
    let seeds = [br#"{"seq":12,"name":"x"}"#.to_vec(), vec![0, 1, 2, 3]];
    let draw = |seed| {
        let mut chance = Chance::new(seed, "a target");
        (0..500).map(|_| mutated(&seeds, &mut chance, 64)).collect::<Vec<_>>()
    };
    let inputs = draw(1);
    assert_eq!(inputs, draw(1));
    assert_ne!(inputs, draw(2));
    assert!(inputs.iter().all(|input| input.len() <= 64));
    assert!(inputs.iter().any(|input| input.len() > seeds[0].len()));
    assert!(inputs.iter().any(|input| input.windows(19).any(|part| part == b"9223372036854775807")));
}

#[test]
fn nothing_is_mutated_too() {
    let mut chance = Chance::new(3, "");
    let none: [Vec<u8>; 0] = [];
    for seeds in [none.as_slice(), &[Vec::new()]] {
        assert!((0..500).any(|_| !mutated(seeds, &mut chance, 10).is_empty()));
    }
}

/// Breaks when a byte that no seed holds stands behind one that they do.
fn planted(input: &[u8]) {
    assert!(!input.windows(2).any(|pair| pair == b"1\xff"), "planted");
}

#[test]
fn a_planted_fault_is_found_kept_and_found_again() {
    let seeds = || vec![br#"{"seq":1,"at":"2026-11-11"}"#.to_vec()];
    let target = Target { name: "planted", decodes: "nothing", inputs: 50_000, seeds, run: planted };
    let kept = tempfile::tempdir().unwrap();
    let broken = short::run(&target, 1, kept.path()).unwrap_err();
    assert!(broken.what.contains("planted"), "{}", broken.what);
    let input = std::fs::read(&broken.input).unwrap();
    assert!(std::panic::catch_unwind(|| planted(&input)).is_err(), "the input that is kept is the one");
    let again = short::run(&target, 1, kept.path()).unwrap_err();
    assert_eq!(std::fs::read(again.input).unwrap(), input, "a seed finds the same again");
}

#[test]
fn a_planted_explosion_of_memory_is_found() {
    let explode = |input: &[u8]| {
        if input.len() == 3 {
            let claimed = vec![0_u8; 1 << 29];
            assert_eq!(claimed.last(), Some(&0));
        }
    };
    let seeds = || vec![b"abcd".to_vec()];
    let target = Target { name: "explosion", decodes: "nothing", inputs: 5000, seeds, run: explode };
    let kept = tempfile::tempdir().unwrap();
    let outcome = short::run(&target, Chance::new(1, "").bits(), kept.path());
    assert!(outcome.is_err_and(|broken| broken.what.contains("KiB")));
}
