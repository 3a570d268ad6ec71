//! `cargo xtask fleet`: up to 100,000 emulated terminals come back to one gateway after an outage.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::packages::{self, Purpose};
use crate::run;
use crate::workspace::{self, Workspace};

/// Let a fleet of terminals come back to the city after an outage, and draw how it bears that
#[derive(clap::Args)]
pub struct Fleet {
    /// Passed on: `--terminals N` (else the whole curve, about an hour), `--cap SECONDS`, `--svg FILE`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Fleet {
    /// Builds the gateway as it will run in a city, then the terminals, then lets them come.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        run::step(1, 3, "Debian packages");
        packages::ensure(Purpose::Test)?;
        run::step(2, 3, "Build, optimised (the first time takes many minutes)");
        let release = ["build", "--release", "--bins"];
        run::must(run::cargo(&workspace.root).args(release).args(workspace::only(&["city-gateway"])))?;
        let fleet = ["build", "--release", "--package", "kiosk-fleet", "--bin", "fleet"];
        run::must(run::cargo(&workspace.root).args(fleet))?;
        run::step(3, 3, "Outage and return");
        run::must(Command::new(workspace.programs("release").join("fleet")).args(self.arguments))?;
        Ok(ExitCode::SUCCESS)
    }
}
