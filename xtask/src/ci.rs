//! `cargo xtask ci`: everything that a change must pass, quick checks first.

use std::process::ExitCode;

use anyhow::Result;

use crate::run;
use crate::test::Test;
use crate::workspace::Workspace;

/// Format, lints, licences, then every test; the first failure ends it.
pub fn run() -> Result<ExitCode> {
    let root = Workspace::load()?.root;
    run::step(1, 4, "Format");
    run::must(run::cargo(&root).args(["fmt", "--all", "--check"]))?;
    run::step(2, 4, "Lints");
    let lints = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    run::must(run::cargo(&root).args(lints))?;
    run::step(3, 4, "Licences and sources of dependencies");
    if run::works(run::cargo(&root).args(["deny", "--version"])) {
        run::must(run::cargo(&root).args(["deny", "check", "bans", "licenses", "sources"]))?;
    } else {
        eprintln!("      not checked: cargo-deny is not installed (cargo install --locked cargo-deny)");
    }
    run::step(4, 4, "Tests");
    Test::everything().run()
}
