//! `cargo xtask fuzz`: hunts for inputs that break a decoder, guided by coverage, for as long as there is time.
//!
//! On stable Rust: the compiler's coverage pass is asked for by name, and libFuzzer comes as a crate. What is looked at
//! is the code as it ships (no `--cfg fuzzing`, which some crates take as leave to check less), with the checks of a
//! debug build. The corpus stays in the folder of build results, so that the next hunt goes on where this one ended.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

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
        run::step(3, 3, format!("Hunt: {} targets, {} minutes each", names.len(), self.minutes));
        for (number, name) in names.iter().enumerate() {
            eprintln!("\n      {name} ({} of {})", number + 1, names.len());
            if run::must(&mut self.hunt(&program, name, &folder.join(name), &kept)).is_err() {
                found(name, &kept);
                return Ok(ExitCode::FAILURE);
            }
        }
        println!("{} targets, nothing found.", names.len());
        Ok(ExitCode::SUCCESS)
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

    fn hunt(&self, program: &Path, name: &str, corpus: &Path, kept: &Path) -> Command {
        let mut hunt = Command::new(program);
        hunt.env("FUZZ_TARGET", name).arg(corpus);
        hunt.arg(format!("-max_total_time={}", (self.minutes * 60.0).ceil()));
        hunt.arg(format!("-artifact_prefix={}/{name}-", kept.display()));
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

/// Lets a planted fault be found: without coverage a hunt finds nothing, and would call that good news.
fn check(program: &Path, kept: &Path) -> Result<()> {
    let input = kept.join("planted");
    let mut hunt = Command::new(program);
    hunt.env("FUZZ_TARGET", "planted").args(["-max_total_time=120", "-seed=1", "-verbosity=0"]);
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
