//! `cargo xtask simulate`: runs agents and city on virtual time under every fault that a seed draws.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::packages::{self, Purpose};
use crate::run;
use crate::workspace::Workspace;

/// Run agents and city under every fault that a seed draws, ten thousand times or one run with its trace
#[derive(clap::Args)]
pub struct Simulate {
    /// Passed on: `SEED` to print that one run, or `--runs N`, `--from S`, `--jobs N` to hunt
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Simulate {
    /// Builds the program optimised, then lets it run; it prints the trace, or its figures and the seeds that failed.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        run::step(1, 3, "Debian packages");
        packages::ensure(Purpose::Build)?;
        run::step(2, 3, "Build, optimised");
        let build = ["build", "--release", "--package", "kiosk-simulation", "--bin", "simulate"];
        run::must(run::cargo(&workspace.root).args(build))?;
        run::step(3, 3, "Simulate");
        run::must(Command::new(workspace.programs("release").join("simulate")).args(self.arguments))?;
        Ok(ExitCode::SUCCESS)
    }
}
