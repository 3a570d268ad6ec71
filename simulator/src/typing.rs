//! The program behind the keyboard on the screen: its tables are made when a demo starts, as an image's are made when it is
//! built.
//!
//! Without the program, or when its tables cannot be made, a demo works all the same: the keyboard has letters, digits and
//! the picker of rare characters.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};

/// The program.
pub(crate) const PROGRAM: &str = "chinese-input";
/// The folder of its tables, beside `terminal.toml`.
pub(crate) const TABLES: &str = "typing";

/// Tables that are being made, beside the other preparations.
pub(crate) struct Deployment(Child);

impl Deployment {
    /// Starts making them anew: the program may be another one than the last time.
    pub(crate) fn begin(program: &Path, terminal: &Path) -> anyhow::Result<Self> {
        let child = Command::new(program)
            .arg("deploy")
            .arg(terminal.join(TABLES))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Deployment(child))
    }

    /// Waits until they are there. Blocking.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let output = self.0.wait_with_output().context("cannot wait for the input tables")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }
}
