//! `cargo xtask powercut`: cuts the power at a million points of a terminal's day and opens what is left.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::packages::{self, Purpose};
use crate::run;
use crate::workspace::Workspace;

/// Cut the power at every write of a terminal's day, a million times, and look for broken promises
#[derive(clap::Args)]
pub struct Powercut {
    /// Passed on: `--points N`, `--seed S`, `--only PART:CUT:VARIANT` to replay a violation, `--jobs N`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Powercut {
    /// Builds the program optimised, then lets it search; it shows its progress and prints its figures.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        run::step(1, 3, "Debian packages");
        packages::ensure(Purpose::Build)?;
        run::step(2, 3, "Build, optimised");
        let build = ["build", "--release", "--package", "kiosk-powercut", "--bin", "powercut"];
        run::must(run::cargo(&workspace.root).args(build))?;
        run::step(3, 3, "Cut");
        run::must(Command::new(workspace.programs("release").join("powercut")).args(self.arguments))?;
        Ok(ExitCode::SUCCESS)
    }
}
