//! The operations that change the catalog's folder, one step at a time, so that a test can cut the power after each.
//!
//! Deliberately absent: a file that is written in place. Whatever is read later is written beside its name, flushed,
//! and renamed, and the rename is flushed too.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The disk under the catalog's folder.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// Steps until the power goes; only tests set it.
    left: Option<Arc<AtomicU32>>,
}

impl Disk {
    /// A disk whose power goes after so many steps: every later one fails, and a file that was being written stays
    /// as it is.
    pub fn losing_power_after(steps: u32) -> Self {
        Self { left: Some(Arc::new(AtomicU32::new(steps))) }
    }

    fn step(&self) -> io::Result<()> {
        let Some(left) = &self.left else { return Ok(()) };
        let took = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        took.map(drop).map_err(|_| io::Error::other("the power is off"))
    }

    pub(crate) fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        fs::create_dir_all(path)
    }

    /// Writes a file and flushes it; the name is not flushed.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let (first, rest) = bytes.split_at(bytes.len() / 2);
        self.step()?;
        let mut file = File::create(path)?;
        file.write_all(first)?;
        self.step()?;
        file.write_all(rest)?;
        self.step()?;
        file.sync_all()
    }

    /// Puts a file in the place of another: either the old or the new one is there, whole, whatever happens.
    pub(crate) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut staged = path.as_os_str().to_owned();
        staged.push(".new");
        self.write(Path::new(&staged), bytes)?;
        self.rename(Path::new(&staged), path)
    }

    /// Points a link elsewhere, in one step.
    pub(crate) fn relink(&self, target: &Path, path: &Path) -> io::Result<()> {
        let mut staged = path.as_os_str().to_owned();
        staged.push(".new");
        self.remove(Path::new(&staged))?;
        self.step()?;
        std::os::unix::fs::symlink(target, &staged)?;
        self.rename(Path::new(&staged), path)
    }

    /// Renames, and flushes the folder of the new name.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        fs::rename(from, to)?;
        self.sync_folder(to.parent().unwrap_or(Path::new(".")))
    }

    /// Removes whatever has this name; it may be gone already.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        let removed = match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(crate) fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        File::open(path)?.sync_all()
    }
}
