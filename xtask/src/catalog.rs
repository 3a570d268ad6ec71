//! `cargo xtask catalog …`: checks, signs and publishes the catalog of service items.

use std::process::ExitCode;

use anyhow::Result;

use crate::run;
use crate::workspace::Workspace;

/// Check, sign and publish the catalog of service items (`cargo xtask catalog --help`).
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Catalog {
    /// check, publish, timestamp, keys or rotate, with their arguments; --help explains them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Catalog {
    /// Builds the publishing program and hands over to it, in the folder where the command was typed.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        let build = ["build", "--quiet", "--package", "catalog-publisher"];
        run::must(run::cargo(&workspace.root).args(build))?;
        let program = workspace.programs("debug").join("catalog-publisher");
        let mut command = std::process::Command::new(program);
        let from_here = std::path::Path::new("assets/catalog").is_dir();
        let reads = self.arguments.first().is_some_and(|word| word == "publish" || word == "check");
        let named = self.arguments.iter().any(|word| word.starts_with("--from"));
        command.args(&self.arguments);
        if reads && !named && !from_here {
            command.arg("--from").arg(workspace.root.join("assets/catalog"));
        }
        // The program has said what is wrong.
        let status = command.status()?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
