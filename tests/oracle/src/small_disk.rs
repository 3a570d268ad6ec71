//! A disk that can be filled: a small file system in memory of its own, so that "no room" is said by the kernel and hits
//! everything that lies there.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use rustix::fs::FallocateFlags;

use crate::privileged::{self, Guard};

/// Name of the file that takes all room.
const BALLAST: &str = "ballast";

/// A small file system.
pub struct SmallDisk {
    folder: PathBuf,
    _guard: Guard,
}

impl SmallDisk {
    /// Mounts one of so many MiB at this folder, which is made.
    pub fn mount(folder: &Path, mib: u64) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let user = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        let options = format!("size={mib}m,mode=0700,uid={},gid={}", user.0, user.1);
        let mut mount = privileged::command("mount")?;
        let output = mount.args(["-t", "tmpfs", "-o", &options, "oracle"]).arg(folder).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("a small disk cannot be mounted here, and full disks are not tested without one: {said}");
        }
        Ok(Self { folder: folder.to_owned(), _guard: Guard::over(folder, None)? })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Leaves so many bytes of room at most.
    pub fn fill(&self, leave: u64) -> Result<()> {
        let room = rustix::fs::statvfs(&self.folder)?;
        let bytes = (room.f_bavail * room.f_frsize).saturating_sub(leave);
        let file = File::create(self.folder.join(BALLAST))?;
        if bytes > 0 {
            match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes) {
                // Somebody wrote at this moment: it is as full as it should be.
                Ok(()) | Err(rustix::io::Errno::NOSPC) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Gives the room back.
    pub fn empty(&self) -> Result<()> {
        match std::fs::remove_file(self.folder.join(BALLAST)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_says_so_and_has_room_again() {
        let folder = tempfile::tempdir().unwrap();
        let disk = SmallDisk::mount(&folder.path().join("disk"), 4).unwrap();
        let write = || std::fs::write(disk.folder().join("file"), vec![1; 100_000]);
        write().unwrap();
        std::fs::remove_file(disk.folder().join("file")).unwrap();
        disk.fill(50_000).unwrap();
        assert_eq!(write().unwrap_err().kind(), ErrorKind::StorageFull);
        disk.empty().unwrap();
        write().unwrap();
        let mounted = disk.folder().to_owned();
        drop(disk);
        assert!(std::fs::read_dir(mounted).unwrap().next().is_none(), "the disk is gone");
    }
}
