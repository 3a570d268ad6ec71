//! The demo's signed catalog: published into its city's folder by the publishing program, with keys that lie in the
//! demo's own folder, and trusted by its terminal.
//!
//! Deliberately absent: any signing of its own. What a demo shows is what a city does.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::world::{make_folder, write_private};

/// The root of trust among a terminal's keys.
pub(crate) const ROOT: &str = "catalog-root.json";

/// Publishes the items and gives the terminal the root of trust, and the files that a machine comes with.
pub(crate) fn publish(publisher: &Path, items: &Path, gateway: &Path, terminal: &Path) -> anyhow::Result<()> {
    let repository = gateway.join("repository");
    let published = Command::new(publisher)
        .arg("publish")
        .arg("--from")
        .arg(items)
        .arg("--to")
        .arg(&repository)
        .arg("--keys")
        .arg(gateway.join("catalog-keys"))
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", publisher.display()))?;
    ensure!(published.status.success(), "{}", String::from_utf8_lossy(&published.stderr).trim());
    let root = std::fs::read(repository.join(ROOT)).context("the publisher left no root of trust")?;
    write_private(&terminal.join("keys").join(ROOT), &root)?;
    copy_files(&items.join("items"), &terminal.join("catalog/items"))
}

/// Copies the files of a folder, anew each time: like those on a machine's disk image.
fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    make_folder(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
