//! The command line.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use crate::desk::PrinterCable;

/// The whole kiosk on this machine: real processes, virtual hardware, one page.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "simulator")]
pub struct Arguments {
    /// Folder that holds everything this demo makes; it survives
    #[arg(long, value_name = "DIR")]
    pub state: PathBuf,
    /// Port of the page; 0 takes a free one
    #[arg(long, default_value_t = 8710)]
    pub port: u16,
    /// Folder of the programs (usually beside this one)
    #[arg(long, value_name = "DIR")]
    pub programs: Option<PathBuf>,
    /// Folder of the service items (usually assets/catalog of the project this program was built in)
    #[arg(long, value_name = "DIR")]
    pub catalog: Option<PathBuf>,
    /// Publish the service items signed, and let the terminal take them from its city
    #[arg(long)]
    pub sign_catalog: bool,
    /// Empty the state folder first
    #[arg(long)]
    pub fresh: bool,
    /// Room on the disk, in MiB, below which the kiosk takes no new case
    #[arg(long, default_value_t = 200, value_name = "MIB")]
    pub min_free_mib: u64,
    /// For tests: devices without waiting times, short retries
    #[arg(long)]
    pub quick: bool,
    /// How the receipt printer is connected: by usb, or by a slow serial line
    #[arg(long, value_enum, default_value_t, value_name = "CABLE")]
    pub receipt_printer: PrinterCable,
    /// Another value in terminal.toml, for example waits.idle_s=5 (may be given again)
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub settings: Vec<String>,
    /// An environment variable of one process, for example kiosk-app:RUST_LOG=debug (may be given again)
    #[arg(long = "env", value_name = "PROCESS:NAME=VALUE")]
    pub environment: Vec<String>,
    /// Play this recorded scenario as soon as all is up
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// End when standard input closes: with the test that started this
    #[arg(long)]
    pub attached: bool,
}

impl Arguments {
    /// The folder of the programs.
    pub fn programs(&self) -> anyhow::Result<PathBuf> {
        match &self.programs {
            Some(folder) => absolute(folder),
            None => {
                let own = std::env::current_exe().context("cannot find this program's own folder")?;
                Ok(own.parent().context("this program lies in no folder")?.to_owned())
            }
        }
    }

    /// A program of this folder, which must be there.
    pub fn program(&self, name: &str) -> anyhow::Result<PathBuf> {
        let program = self.programs()?.join(name);
        ensure!(
            program.is_file(),
            "程序 {name} 不在 {folder}。The program {name} is missing in {folder}: build it first, or name its \
             folder with --programs",
            folder = self.programs()?.display()
        );
        Ok(program)
    }

    /// The folder of the service items.
    pub fn catalog(&self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.catalog {
            ensure!(folder.is_dir(), "there is no catalog folder {}", folder.display());
            return absolute(folder);
        }
        let own = std::env::current_exe().context("cannot find this program's own folder")?;
        match own.ancestors().map(|folder| folder.join("assets/catalog")).find(|folder| folder.is_dir()) {
            Some(folder) => Ok(folder),
            None => bail!("no assets/catalog above this program; name the folder with --catalog"),
        }
    }

    /// The variables meant for one process.
    pub fn environment_of(&self, process: &str) -> anyhow::Result<Vec<(String, String)>> {
        let mut found = Vec::new();
        for setting in &self.environment {
            let parts = setting.split_once(':').and_then(|(name, rest)| Some((name, rest.split_once('=')?)));
            let Some((name, (key, value))) = parts else {
                bail!("--env needs PROCESS:NAME=VALUE, not {setting:?}");
            };
            ensure!(crate::demo::PROCESSES.contains(&name), "--env: no process is called {name:?}");
            if name == process {
                found.push((key.to_owned(), value.to_owned()));
            }
        }
        Ok(found)
    }
}

fn absolute(folder: &Path) -> anyhow::Result<PathBuf> {
    folder.canonicalize().with_context(|| format!("cannot use the folder {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn variables_reach_the_process_they_name() {
        let parse = |env: &str| Arguments::parse_from(["simulator", "--state", "x", "--env", env]);
        let arguments = parse("kiosk-app:FAILPOINTS=a=return;b=off");
        let pair = ("FAILPOINTS".to_owned(), "a=return;b=off".to_owned());
        assert_eq!(arguments.environment_of("kiosk-app").unwrap(), [pair]);
        assert!(arguments.environment_of("sync-agent").unwrap().is_empty());
        assert!(parse("nobody:A=1").environment_of("kiosk-app").is_err());
        assert!(parse("A=1").environment_of("kiosk-app").is_err());
    }
}
