//! `cargo xtask oracle`: terminals, gateways and PostgreSQL under faults of every kind, and then the books are compared.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::packages::{self, Purpose};
use crate::run;
use crate::workspace::Workspace;

/// True agents and gateways on PostgreSQL under cut, slow and lying networks, kills, pauses, restores, full disks
#[derive(clap::Args)]
pub struct Oracle {
    /// Passed on: `SEED` to choose the faults, `--minutes N` (10), `--terminals N` (4)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Oracle {
    /// Builds everything as the tests do, then lets it storm; it shows its progress and prints its findings.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        run::step(1, 3, "Debian packages");
        packages::ensure(Purpose::Test)?;
        run::step(2, 3, "Build");
        // As the tests build it, fail points included: a lost reply is one of the faults.
        let build = ["build", "--workspace", "--bins", "--test", "oracle"];
        run::must(run::cargo(&workspace.root).args(build))?;
        run::step(3, 3, "Storm");
        run::must(Command::new(workspace.programs("debug").join("oracle")).args(self.arguments))?;
        Ok(ExitCode::SUCCESS)
    }
}
