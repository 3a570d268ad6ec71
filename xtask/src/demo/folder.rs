//! The folder a demo keeps its state in: a new one for each run, or one that a person names.
//!
//! The simulator takes the lock in it and empties it when asked. Here it is only made sure that a
//! named folder is a demo's or empty: `--keep ~` must not spread files over anybody's home.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The file that every folder of a simulator has.
const MARK: &str = "simulator.lock";

/// A state folder; a temporary one is removed when this is dropped.
pub struct StateFolder {
    path: PathBuf,
    remove: bool,
}

impl StateFolder {
    /// A new folder for this run only, readable by nobody else.
    pub fn temporary() -> Result<Self> {
        Self::temporary_in(&std::env::temp_dir())
    }

    fn temporary_in(parent: &Path) -> Result<Self> {
        for attempt in 0..100 {
            let path = parent.join(format!("kiosk-demo-{}-{attempt}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path, remove: true }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("{} cannot be created", path.display()));
                }
            }
        }
        bail!("No free name for a temporary folder in {}", parent.display())
    }

    /// A folder that outlives the run.
    pub fn kept(path: &Path) -> Result<Self> {
        let shown = path.display();
        let made = DirBuilder::new().mode(0o700).recursive(true).create(path);
        made.with_context(|| format!("{shown} cannot be created"))?;
        let path = path.canonicalize().with_context(|| format!("{shown} cannot be opened"))?;
        let mut entries = path.read_dir().with_context(|| format!("{shown} cannot be read"))?;
        if entries.next().is_some() && !path.join(MARK).is_file() {
            bail!(
                "{shown} holds files that no demo made. Please name an empty folder, or one that a demo kept before."
            );
        }
        Ok(Self { path, remove: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves even a temporary folder in place, because something went wrong in it.
    pub fn keep_for_a_look(&mut self) {
        self.remove = false;
    }
}

impl Drop for StateFolder {
    fn drop(&mut self) {
        if self.remove
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            eprintln!("      {} could not be removed: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_goes_and_a_kept_one_stays() {
        let parent = tempfile::tempdir().unwrap();
        let folder = StateFolder::temporary_in(parent.path()).unwrap();
        let path = folder.path().to_owned();
        std::fs::write(path.join("case"), "x").unwrap();
        drop(folder);
        assert!(!path.exists());

        let kept = parent.path().join("kept");
        drop(StateFolder::kept(&kept).unwrap());
        std::fs::write(kept.join(MARK), "").unwrap();
        std::fs::write(kept.join("case"), "x").unwrap();
        drop(StateFolder::kept(&kept).unwrap());
        assert!(kept.join("case").exists());
    }

    #[test]
    fn a_failed_demo_leaves_its_folder() {
        let parent = tempfile::tempdir().unwrap();
        let mut folder = StateFolder::temporary_in(parent.path()).unwrap();
        folder.keep_for_a_look();
        let path = folder.path().to_owned();
        drop(folder);
        assert!(path.exists());
    }

    #[test]
    fn somebody_elses_folder_is_refused() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("letter"), "dear").unwrap();
        let error = StateFolder::kept(home.path()).err().expect("refused");
        assert!(error.to_string().contains("no demo made"), "{error}");
    }
}
