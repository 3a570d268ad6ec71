//! `cargo xtask ui`: every screen and every widget in every theme, drawn into a folder with contact sheets.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::packages::{self, Purpose};
use crate::run;
use crate::workspace::Workspace;

/// Draw every screen and every widget into a folder of pictures, with contact sheets.
#[derive(clap::Args)]
pub struct Ui {
    /// Folder for the pictures (default: `screens` in the build folder)
    folder: Option<PathBuf>,
    /// Only screens with this word in their names (`question-12345`)
    #[arg(long, default_value = "")]
    only: String,
}

impl Ui {
    /// Builds and runs the gallery, then says where to look.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        let folder = match self.folder {
            Some(folder) => std::path::absolute(folder)?,
            None => workspace.target.join("screens"),
        };
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be created", folder.display()))?;
        run::step(1, 2, "Debian packages");
        packages::ensure(Purpose::Demo)?;
        run::step(2, 2, "Draw");
        run::must(
            run::cargo(&workspace.root)
                .args(["run", "--package", "kiosk-tests", "--bin", "gallery", "--"])
                .arg(&folder)
                .arg(&self.only),
        )?;
        println!("The pictures are in {0}; begin with {0}/sheet-*.png", folder.display());
        Ok(ExitCode::SUCCESS)
    }
}
