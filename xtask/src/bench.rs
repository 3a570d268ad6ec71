//! `cargo xtask bench`: the measurements, on optimised programs, each figure beside its reference.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::packages::{self, Purpose};
use crate::run;
use crate::workspace::{self, PROGRAMS, Workspace};

/// Measure speed and memory, each figure beside its reference.
#[derive(clap::Args)]
pub struct Bench {
    /// Passed on to the measuring program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    /// Builds the programs as they will run on a terminal, then the measuring program, then measures.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        run::step(1, 3, "Debian packages");
        packages::ensure(Purpose::Test)?;
        run::step(2, 3, "Build, optimised (the first time takes many minutes)");
        let release = ["build", "--release", "--bins"];
        run::must(run::cargo(&workspace.root).args(release).args(workspace::only(&PROGRAMS)))?;
        let bench = ["build", "--release", "--package", "kiosk-tests", "--bin", "bench"];
        run::must(run::cargo(&workspace.root).args(bench))?;
        run::step(3, 3, "Measure");
        run::must(Command::new(workspace.programs("release").join("bench")).args(self.arguments))?;
        Ok(ExitCode::SUCCESS)
    }
}
