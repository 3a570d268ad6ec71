//! `cargo xtask verify …`: whether a paper that the city issued is genuine, without asking the city.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::run;
use crate::workspace::Workspace;

/// Where the public keys lie in the folder of a demo.
const KEY: &str = "gateway/keys/city-document.pub.pem";

/// Check a paper that the city issued: an address, a stamp, a PDF, or a picture of the paper.
#[derive(clap::Args)]
pub struct Verify {
    /// The address behind its code, what is signed in it, a PDF, or a picture (PNG, JPEG)
    paper: String,
    /// The city's public keys for documents; those of the newest demo of this machine when it is not said
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl Verify {
    /// Builds the program that looks, and hands over to it, in the folder where the command was typed.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        let key = match self.key {
            Some(key) => key,
            None => newest_demo(&std::env::temp_dir()).context(
                "no demo is running here; name the city's public key with --key, in a kept demo DIR/gateway/keys/city-document.pub.pem",
            )?,
        };
        let build = ["build", "--quiet", "--package", "simulator", "--bin", "verify-document"];
        run::must(run::cargo(&workspace.root).args(build))?;
        let mut command = Command::new(workspace.programs("debug").join("verify-document"));
        command.arg(&self.paper).arg("--key").arg(key);
        command.arg("--catalog").arg(workspace.root.join("assets/catalog"));
        // The program has said what is wrong.
        let status = command.status()?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// The public keys of the demo that was started last.
fn newest_demo(folder: &Path) -> Option<PathBuf> {
    let demos = std::fs::read_dir(folder).ok()?.flatten();
    let demos = demos.filter(|entry| entry.file_name().to_string_lossy().starts_with("kiosk-demo-"));
    let made =
        |path: &PathBuf| path.metadata().and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    demos.map(|entry| entry.path().join(KEY)).filter(|path| path.is_file()).max_by_key(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_demo_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest_demo(folder.path()), None);
        for (name, at_s) in [("kiosk-demo-1-0", 5), ("kiosk-demo-2-0", 9), ("another-3", 99)] {
            let key = folder.path().join(name).join(KEY);
            std::fs::create_dir_all(key.parent().unwrap()).unwrap();
            let file = std::fs::File::create(&key).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(at_s)).unwrap();
        }
        assert_eq!(newest_demo(folder.path()), Some(folder.path().join("kiosk-demo-2-0").join(KEY)));
    }
}
