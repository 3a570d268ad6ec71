//! What cargo knows about this project: where it is, where it builds, its crates and their neighbours.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::run;

/// The crates whose programs make up a whole kiosk. Built by name and not as the whole workspace, because
/// the tests switch on their failpoints, which no demo and no measurement should carry.
pub const PROGRAMS: [&str; 7] = [
    "simulator",
    "kiosk-app",
    "kiosk-documents",
    "sync-agent",
    "city-gateway",
    "catalog-publisher",
    "chinese-input",
];

/// The arguments that make cargo build these crates only.
pub fn only<'a>(crates: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    crates.iter().flat_map(|name| ["--package", name])
}

/// The project as `cargo metadata --no-deps` describes it.
#[derive(Deserialize)]
pub struct Workspace {
    /// The folder of the root manifest.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// Where cargo builds, whatever chose it (environment, configuration, default).
    #[serde(rename = "target_directory")]
    pub target: PathBuf,
    /// The project's own crates.
    pub packages: Vec<Package>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

/// One crate of the project.
#[derive(Deserialize)]
pub struct Package {
    /// Its name, which may differ from its folder's.
    pub name: String,
    /// Its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// What it declares to need, of every kind.
    pub dependencies: Vec<Dependency>,
}

/// One declared dependency.
#[derive(Deserialize)]
pub struct Dependency {
    /// The name of the crate that is needed.
    pub name: String,
    /// `None` for an ordinary one, otherwise `dev` or `build`.
    pub kind: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    tools: std::collections::BTreeMap<String, String>,
}

impl Workspace {
    /// Asks cargo about the project that this program was built from.
    pub fn load() -> Result<Self> {
        Self::load_from(&own_folder())
    }

    fn load_from(folder: &Path) -> Result<Self> {
        let answer =
            run::output_of(run::cargo(folder).args(["metadata", "--no-deps", "--format-version", "1"]))?;
        serde_json::from_str(&answer).context("cargo's description of the project could not be read")
    }

    /// The version of a helper program, from `[workspace.metadata.tools]` in the root manifest.
    pub fn tool_version(&self, tool: &str) -> Result<&str> {
        self.metadata
            .as_ref()
            .and_then(|metadata| metadata.tools.get(tool))
            .map(String::as_str)
            .with_context(|| format!("[workspace.metadata.tools] in Cargo.toml does not name {tool}"))
    }

    /// The folder of built programs of one profile.
    pub fn programs(&self, profile: &str) -> PathBuf {
        self.target.join(profile)
    }
}

/// The folder of this crate: as cargo says now, else as it was at compile time.
fn own_folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_describes_this_project() {
        let workspace = Workspace::load().unwrap();
        assert!(workspace.packages.iter().any(|package| package.name == "xtask"));
        assert!(workspace.root.join("xtask").is_dir());
        assert!(workspace.tool_version("cargo-nextest").is_ok());
        assert!(workspace.tool_version("cargo-nothing").is_err());
    }
}
