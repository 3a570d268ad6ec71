//! `cargo xtask fuzz`: hunts for inputs that break a decoder, guided by coverage, for as long as there is time.
//!
//! On stable Rust: the compiler's coverage pass is asked for by name, and libFuzzer comes as a crate. What is looked at
//! is the code as it ships (no `--cfg fuzzing`, which some crates take as leave to check less), with the checks of a
//! debug build. The corpus stays in the folder of build results, so that the next hunt goes on where this one ended.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::packages::{self, Purpose};
use crate::run;
use crate::workspace::Workspace;

/// What cargo-fuzz asks of the compiler for coverage without a sanitizer.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Names of targets that need the typesetter built in.
const PRINTED: &str = "printed-";

/// Hunt for inputs that break a decoder, guided by coverage
#[derive(clap::Args)]
pub struct Fuzz {
    /// One target, or the beginning of the names of several (`gateway-`); all of them when absent
    target: Option<String>,
    /// Minutes for each target
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// Go round again until so many inputs were tried altogether
    #[arg(long, conflicts_with = "replay")]
    executions: Option<u64>,
    /// Targets hunted at the same time
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Run this one input and say what it does
    #[arg(long, requires = "target")]
    replay: Option<PathBuf>,
}

impl Fuzz {
    /// Builds the program that hunts, then hunts target after target; ends at the first find.
    pub fn run(self) -> Result<ExitCode> {
        ensure!(self.minutes > 0.0 && self.minutes < 1e6, "--minutes must be more than 0");
        let workspace = Workspace::load()?;
        run::step(1, 3, "Debian packages");
        packages::ensure(Purpose::Fuzz)?;
        run::step(2, 3, "Build with coverage (the first one takes many minutes)");
        let program = self.build(&workspace)?;
        let folder = workspace.target.join("fuzz-corpus");
        let names = self.names(&program, &folder)?;
        if let Some(input) = &self.replay {
            run::must(Command::new(program).env("FUZZ_TARGET", &names[0]).arg(input))?;
            println!("{} holds.", input.display());
            return Ok(ExitCode::SUCCESS);
        }
        let kept = workspace.target.join("fuzz-found");
        std::fs::create_dir_all(&kept).with_context(|| format!("{} cannot be made", kept.display()))?;
        check(&program, &kept)?;
        let minutes = self.minutes;
        run::step(3, 3, format!("Hunt: {} targets, {minutes} minutes each", names.len()));
        let hunt = Hunt { program, corpus: folder, kept, minutes, names, tried: AtomicU64::new(0) };
        while hunt.round(self.jobs)? {
            let tried = hunt.tried.load(Ordering::Relaxed);
            println!("{} targets, {tried} inputs tried, nothing found.", hunt.names.len());
            if self.executions.is_none_or(|wanted| tried >= wanted) {
                return Ok(ExitCode::SUCCESS);
            }
        }
        Ok(ExitCode::FAILURE)
    }

    fn build(&self, workspace: &Workspace) -> Result<PathBuf> {
        let host = run::output_of(Command::new("rustc").arg("-vV"))?;
        let host = host.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.context("`rustc -vV` does not name its host")?;
        let mut build = run::cargo(&workspace.root);
        // With a named target the flags do not reach build scripts and macros, which would not link with them.
        build.args([
            "build",
            "--package",
            "kiosk-fuzz",
            "--bin",
            "hunt",
            "--profile",
            "fuzz",
            "--target",
            host,
        ]);
        build.args(["--no-default-features", "--features"]);
        let with_typesetter = self.target.as_ref().is_none_or(|name| name.starts_with(PRINTED));
        build.arg(if with_typesetter { "libfuzzer,printed" } else { "libfuzzer" });
        run::must(build.env("RUSTFLAGS", COVERAGE))?;
        Ok(workspace.target.join(host).join("fuzz/hunt"))
    }

    /// The wanted targets; writes the good inputs of all into their corpus.
    fn names(&self, program: &Path, folder: &Path) -> Result<Vec<String>> {
        let all = run::output_of(Command::new(program).env("FUZZ_CORPUS", folder))?;
        let all = all.lines().filter_map(|line| line.split('\t').next());
        let wanted = self.target.as_deref().unwrap_or_default();
        let names: Vec<_> = all.filter(|name| name.starts_with(wanted)).map(str::to_owned).collect();
        match names.iter().find(|name| *name == wanted) {
            Some(exact) => Ok(vec![exact.clone()]),
            None if names.is_empty() => {
                bail!("there is no target {wanted}; tests/fuzz/src/targets lists them")
            }
            None => Ok(names),
        }
    }
}

/// A hunt over several targets.
struct Hunt {
    program: PathBuf,
    /// One folder of inputs for each target.
    corpus: PathBuf,
    /// Where finds are kept.
    kept: PathBuf,
    /// For each target.
    minutes: f64,
    names: Vec<String>,
    /// Inputs so far.
    tried: AtomicU64,
}

impl Hunt {
    /// Each target once, so many at the same time; `false` when one broke.
    fn round(&self, jobs: usize) -> Result<bool> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<bool> {
            while let Some(name) = self.names.get(next.fetch_add(1, Ordering::Relaxed)) {
                if !self.one(name)? {
                    // The others end with the target that they are at.
                    next.store(self.names.len(), Ordering::Relaxed);
                    found(name, &self.kept);
                    return Ok(false);
                }
            }
            Ok(true)
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
            let ends = workers.into_iter().map(|worker| worker.join().expect("hunting does not panic"));
            ends.collect::<Result<Vec<_>>>().map(|held| held.into_iter().all(|held| held))
        })
    }

    /// One target, its output passed on; whether it held.
    fn one(&self, name: &str) -> Result<bool> {
        eprintln!("\n      {name}");
        let mut running = self.command(name).stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let output = running.stderr.take().context("the hunt has no output")?;
        for line in BufReader::new(output).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            eprintln!("{name}: {line}");
            self.tried.fetch_add(executed(&line).unwrap_or(0), Ordering::Relaxed);
        }
        Ok(running.wait()?.success())
    }

    fn command(&self, name: &str) -> Command {
        let mut hunt = Command::new(&self.program);
        hunt.env("FUZZ_TARGET", name).arg(self.corpus.join(name));
        hunt.arg(format!("-max_total_time={}", (self.minutes * 60.0).ceil()));
        hunt.arg(format!("-artifact_prefix={}/{name}-", self.kept.display()));
        // The longest input, the most memory, and the longest time for one input that is still no find.
        hunt.args([
            "-max_len=65536",
            "-rss_limit_mb=4096",
            "-timeout=20",
            "-print_final_stats=1",
            "-verbosity=1",
        ]);
        hunt
    }
}

/// Inputs that were tried, from libFuzzer's last words about a target.
fn executed(line: &str) -> Option<u64> {
    line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
}

/// Inputs for the planted fault, not a time: a busy machine is no reason to give up. Blindly one in a thousand such hunts
/// would find its four bytes.
const PLANTED_RUNS: u32 = 4_000_000;

/// Lets a planted fault be found: without coverage a hunt finds nothing, and would call that good news.
fn check(program: &Path, kept: &Path) -> Result<()> {
    let input = kept.join("planted");
    let mut hunt = Command::new(program);
    hunt.env("FUZZ_TARGET", "planted").args(["-seed=1", "-verbosity=0"]);
    hunt.arg(format!("-runs={PLANTED_RUNS}"));
    hunt.arg(format!("-exact_artifact_path={}", input.display()));
    let missed = run::works(&mut hunt);
    ensure!(!missed && input.exists(), "a planted fault was not found: this build is not guided by coverage");
    std::fs::remove_file(&input).with_context(|| format!("{} cannot be removed", input.display()))?;
    eprintln!("      a planted fault was found: coverage guides the hunt");
    Ok(())
}

fn found(name: &str, kept: &Path) {
    eprintln!("\n{name} broke; the input lies in {} (crash-…, timeout-… or oom-…).", kept.display());
    eprintln!("Look again:  cargo xtask fuzz {name} --replay FILE");
    eprintln!(
        "When it is mended, put the input into tests/fuzz/found/{name}/ under a name that says what it was:"
    );
    eprintln!("every test run tries it from then on.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_counted_from_the_last_words_alone() {
        assert_eq!(executed("stat::number_of_executed_units: 4194304"), Some(4_194_304));
        assert_eq!(executed("stat::average_exec_per_sec:     28149"), None);
        assert_eq!(executed("#4194304\tpulse  cov: 312 ft: 1200 corp: 99/2000b"), None);
    }
}
