//! Programs that others wrote, with the pinned packages beside this file.

use foreign_programs::Bench;
use std::process::Command;

fn bench() -> Bench {
    Bench::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/independent"), env!("CARGO_TARGET_TMPDIR"))
}

/// A command that runs one of the Python scripts beside this file.
pub fn python(script: &str) -> Command {
    let mut command = Command::new(bench().python("printer-python", "requirements.txt"));
    command.arg(bench().script(script)).env("NO_PROXY", "*");
    command
}

/// A command that runs one of the scripts for Node.js beside this file.
pub fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(bench().script(script)).env("NODE_PATH", bench().node_modules("printer-node"));
    command.env("NO_PROXY", "*");
    command
}
