//! `cargo xtask monkey`: a monkey plays with the whole kiosk, a million touches long.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::packages::{self, Purpose};
use crate::run;
use crate::workspace::{self, PROGRAMS, Workspace};

/// Let a monkey play with the whole kiosk: touches, cards, pulls and faults from a seed
#[derive(clap::Args)]
pub struct Monkey {
    /// Passed on: `--touches N`, `--seed S` to play a game again
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Monkey {
    /// Builds the programs and the monkey optimised, then lets it play; it prints what it saw.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        run::step(1, 3, "Debian packages");
        packages::ensure(Purpose::Test)?;
        run::step(2, 3, "Build, optimised (the first time takes many minutes)");
        let release = ["build", "--release", "--bins"];
        run::must(run::cargo(&workspace.root).args(release).args(workspace::only(&PROGRAMS)))?;
        let monkey = ["build", "--release", "--package", "kiosk-tests", "--bin", "monkey"];
        run::must(run::cargo(&workspace.root).args(monkey))?;
        run::step(3, 3, "Play");
        run::must(Command::new(workspace.programs("release").join("monkey")).args(self.arguments))?;
        Ok(ExitCode::SUCCESS)
    }
}
