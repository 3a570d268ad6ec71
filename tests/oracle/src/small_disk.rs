//! A disk that can be filled: a small file system in memory of its own, so that "no room" is said by the kernel and hits
//! everything that lies there.
//!
//! Mounting needs root, or a sudo that asks nobody; where there is neither, tests that fill disks fail and say so,
//! because a fault that is passed over silently is a fault nobody covers. However the tests end, the disk goes:
//! a guard process waits for the end of a pipe and takes it away.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::fs::FallocateFlags;

/// Name of the file that takes all room.
const BALLAST: &str = "ballast";

/// A small file system.
pub struct SmallDisk {
    folder: PathBuf,
    guard: Child,
}

impl SmallDisk {
    /// Mounts one of so many MiB at this folder, which is made.
    pub fn mount(folder: &Path, mib: u64) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let user = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        let options = format!("size={mib}m,mode=0700,uid={},gid={}", user.0, user.1);
        let mut mount = privileged("mount")?;
        let output = mount.args(["-t", "tmpfs", "-o", &options, "oracle"]).arg(folder).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("a small disk cannot be mounted here, and full disks are not tested without one: {said}");
        }
        let mut guard = privileged("sh")?;
        guard.args(["-c", "cat >/dev/null; umount --lazy \"$0\""]).arg(folder);
        // In a group of its own, so that whatever ends the tests leaves it to do its work.
        guard.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { folder: folder.to_owned(), guard: guard.spawn()? })
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

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The end of the pipe is the guard's word.
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A command as root.
fn privileged(program: &str) -> Result<Command> {
    if rustix::process::geteuid().is_root() {
        return Ok(Command::new(program));
    }
    let mut sudo = Command::new("sudo");
    sudo.arg("--non-interactive");
    let works = sudo.arg("true").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !works.context("a small disk needs root, or sudo")?.success() {
        bail!("a small disk needs root, or a sudo that asks for no password");
    }
    let mut command = Command::new("sudo");
    command.args(["--non-interactive", program]);
    Ok(command)
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
