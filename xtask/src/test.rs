//! `cargo xtask test`: builds everything once, runs every test, and sums up by level.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::junit::{self, Case};
use crate::packages::{self, Purpose};
use crate::run;
use crate::workspace::Workspace;

/// Where nextest leaves its report; `.config/nextest.toml` names the folder and the file.
const REPORT: &str = "target/nextest/default/junit.xml";

/// Run every test: unit, contract, journeys, snapshots, crash.
#[derive(clap::Args)]
pub struct Test {
    /// Passed on to nextest: a part of a test's name, or `-E 'package(kiosk-store)'`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    filter: Vec<String>,
}

/// What a test proves, from the cheapest level to the dearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Unit,
    Contract,
    Journeys,
    Snapshots,
    Crash,
}

impl Level {
    /// The level is in the name of the test program (`kiosk-tests::crash`); a contract may also be a
    /// module beside the trait it belongs to.
    fn of(binary: &str, name: &str) -> Self {
        let program = binary.rsplit("::").next().unwrap_or(binary);
        if ["crash", "powercut", "simulation", "oracle"].iter().any(|word| program.contains(word)) {
            Level::Crash
        } else if program.contains("journey") {
            Level::Journeys
        } else if program.contains("snapshot") {
            Level::Snapshots
        } else if program.contains("contract") || name.contains("contract") {
            Level::Contract
        } else {
            Level::Unit
        }
    }

    fn name(self) -> &'static str {
        match self {
            Level::Unit => "unit",
            Level::Contract => "contract",
            Level::Journeys => "journeys",
            Level::Snapshots => "snapshots",
            Level::Crash => "crash",
        }
    }
}

impl Test {
    /// All tests.
    pub fn everything() -> Self {
        Self { filter: Vec::new() }
    }

    /// Installs what is missing, builds once, runs, and ends with `N passed, N failed`.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        run::step(1, 4, "Debian packages");
        packages::ensure(Purpose::Test)?;
        run::step(2, 4, "Test runner");
        ensure_nextest(&workspace)?;

        run::step(3, 4, "Build (the first one takes many minutes)");
        let began = Instant::now();
        // Programs and tests in one go: asked for apart, cargo may compile shared crates twice.
        let everything = ["build", "--workspace", "--bins", "--tests", "--examples"];
        run::must(run::cargo(&workspace.root).args(everything))?;
        let building = began.elapsed();

        run::step(4, 4, "Tests");
        let report = workspace.root.join(REPORT);
        if report.exists() {
            std::fs::remove_file(&report)
                .with_context(|| format!("{} cannot be removed", report.display()))?;
        }
        let began = Instant::now();
        let outcome =
            run::must(run::cargo(&workspace.root).args(["nextest", "run", "--workspace"]).args(&self.filter));
        let testing = began.elapsed();
        let Ok(report) = std::fs::read_to_string(&report) else {
            outcome?;
            anyhow::bail!("nextest left no report at {REPORT}, so nothing is known to have passed.");
        };
        let cases = junit::cases(&report);
        summary(&cases, building, testing);
        let failed = cases.iter().filter(|case| case.failed).count();
        println!("{} passed, {failed} failed", cases.len() - failed);
        Ok(if outcome.is_ok() && failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn ensure_nextest(workspace: &Workspace) -> Result<()> {
    if run::works(run::cargo(&workspace.root).args(["nextest", "--version"])) {
        eprintln!("      cargo-nextest is there");
        return Ok(());
    }
    let version = workspace.tool_version("cargo-nextest")?;
    eprintln!("      cargo-nextest is missing and installed now (some minutes)");
    // Unoptimised and without its self-updater: it compiles in half the time, and running it costs nothing.
    run::must(
        run::cargo(&workspace.root)
            .args(["install", "--locked", "--debug", "--no-default-features"])
            .args(["--features", "default-no-update", "cargo-nextest", "--version", version])
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env_remove("CARGO_TARGET_DIR"),
    )
}

fn summary(cases: &[Case], building: Duration, testing: Duration) {
    let mut levels: BTreeMap<Level, (usize, usize, Duration)> = BTreeMap::new();
    for case in cases {
        let (count, failed, time) = levels.entry(Level::of(&case.binary, &case.name)).or_default();
        *count += 1;
        *failed += usize::from(case.failed);
        *time += case.time;
    }
    println!("\n{:<10} {:>6} {:>7} {:>10}", "level", "tests", "failed", "time");
    for (level, (count, failed, time)) in levels {
        println!("{:<10} {count:>6} {failed:>7} {:>8.1} s", level.name(), time.as_secs_f64());
    }
    println!(
        "build {:.0} s, tests {:.0} s by the clock (the times above add up tests that ran side by side)",
        building.as_secs_f64(),
        testing.as_secs_f64()
    );
    for case in cases.iter().filter(|case| case.failed) {
        println!("FAILED {} {}", case.binary, case.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_read_from_the_test_program() {
        assert_eq!(Level::of("kiosk-core", "a_test"), Level::Unit);
        assert_eq!(Level::of("kiosk-app::bin/kiosk-app", "a_test"), Level::Unit);
        assert_eq!(Level::of("device-drivers::reader_contract", "a_test"), Level::Contract);
        assert_eq!(Level::of("city-gateway", "store::contract::a_test"), Level::Contract);
        assert_eq!(Level::of("kiosk-tests::journeys", "a_test"), Level::Journeys);
        assert_eq!(Level::of("kiosk-tests::snapshots", "a_test"), Level::Snapshots);
        assert_eq!(Level::of("kiosk-tests::crash", "a_test"), Level::Crash);
        assert_eq!(Level::of("kiosk-powercut::powercut", "a_test"), Level::Crash);
        assert_eq!(Level::of("kiosk-simulation::simulation", "a_test"), Level::Crash);
        assert_eq!(Level::of("kiosk-oracle::oracle", "a_test"), Level::Crash);
    }
}
