//! The short run: the examples, what was found before, then a fixed number of mutated inputs from a printed seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::mutate::{Chance, mutated};
use crate::{LONGEST, Target, memory};

/// Address space that a batch of inputs may add, in KiB. An input has at most 64 KiB.
const GROWTH_KIB: u64 = 256 * 1024;

/// Inputs between two looks at the memory.
const BATCH: u32 = 64;

/// A promise that was broken.
#[derive(Debug)]
pub struct Broken {
    /// By which target.
    pub target: &'static str,
    /// What the panic said, or what grew.
    pub what: String,
    /// The input, kept in this file.
    pub input: PathBuf,
}

/// Runs one target; `kept` is a folder for the input that is under way, so that even one that ends the process can be
/// looked at. Returns how many inputs were tried.
///
/// # Errors
/// The first promise that was broken.
pub fn run(target: &Target, seed: u64, kept: &Path) -> Result<u32, Broken> {
    let file = kept.join(target.name);
    let mut tried = 0;
    let mut before_kib = None;
    let mut attempt = |input: &[u8]| {
        let broken = |what| Broken { target: target.name, what, input: file.clone() };
        std::fs::write(&file, input).map_err(|error| broken(error.to_string()))?;
        catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|panic| broken(words(&*panic)))?;
        tried += 1;
        // The first example also makes what a target keeps: runtimes, databases, threads with their stacks.
        let before = *before_kib.get_or_insert_with(memory::peak_kib);
        if tried % BATCH == 0 {
            let after = memory::peak_kib();
            let grown = after.saturating_sub(before);
            if grown > GROWTH_KIB {
                return Err(broken(format!("{BATCH} inputs up to this one took {grown} KiB more")));
            }
            before_kib = Some(after);
        }
        Ok(())
    };
    let seeds = (target.seeds)();
    seeds.iter().try_for_each(|seed| attempt(seed))?;
    attempt(&[])?;
    for input in found(target.name) {
        attempt(&input)?;
    }
    let mut chance = Chance::new(seed, target.name);
    for _ in 0..target.inputs {
        attempt(&mutated(&seeds, &mut chance, LONGEST))?;
    }
    let _ = std::fs::remove_file(&file);
    Ok(tried)
}

/// Inputs that broke a target once.
pub fn found(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("found").join(target);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.iter().filter_map(|file| std::fs::read(file).ok()).collect()
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without words".into())
}
