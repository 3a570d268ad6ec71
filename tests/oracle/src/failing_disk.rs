//! A disk whose file system finds an error and stops writing, as ext4 does on a terminal (`errors=remount-ro`): the
//! kernel makes it read-only under everything that is open there. Before it can be written again it must be checked,
//! with nobody on it, as at a start of the machine.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::privileged::{self, Guard};

/// Exit status of e2fsck up to which the file system is whole again.
const REPAIRED: i32 = 1;
/// Longest wait for the last process to leave the disk.
const LEAVES_WITHIN: Duration = Duration::from_secs(10);

/// See the module.
pub struct FailingDisk {
    /// The loop device, `/dev/loop0`.
    device: String,
    folder: PathBuf,
    _guard: Guard,
}

impl FailingDisk {
    /// Makes one of so many MiB in this file and mounts it at this folder, which is made.
    pub fn mount(folder: &Path, image: &Path, mib: u64) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        File::create(image)?.set_len(mib * 1024 * 1024)?;
        let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(image).output();
        ensure!(made.context("mkfs.ext4 is missing")?.status.success(), "mkfs.ext4 failed");
        let image = image.to_str().context("the image's name is text")?;
        let device = privileged::run("losetup", &["--find", "--show", image])?;
        let disk = Self { folder: folder.to_owned(), _guard: Guard::over(folder, Some(&device))?, device };
        disk.mount_as("errors=remount-ro")?;
        let user = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        privileged::run("chown", &[&format!("{}:{}", user.0, user.1), disk.path()?])?;
        Ok(disk)
    }

    /// The file system finds an error: from now on nothing can be written.
    pub fn fail(&self) -> Result<()> {
        let name = self.device.rsplit('/').next().unwrap_or_default();
        let trigger = format!("echo test > /sys/fs/ext4/{name}/trigger_fs_error");
        privileged::run("sh", &["-c", &trigger])?;
        let probe = self.folder.join("probe");
        ensure!(File::create(probe).is_err(), "the disk can still be written");
        Ok(())
    }

    /// A start of the machine, with nobody on the disk: it is checked and mounted, read-only at first.
    pub fn check(&self) -> Result<()> {
        let deadline = Instant::now() + LEAVES_WITHIN;
        while let Err(error) = privileged::run("umount", &[self.path()?]) {
            if Instant::now() > deadline {
                bail!("somebody is still on the disk: {error}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        loop {
            let checked = privileged::command("e2fsck")?.args(["-p", &self.device]).output()?;
            let said = String::from_utf8_lossy(&checked.stdout);
            match checked.status.code().unwrap_or(i32::MAX) {
                ..=REPAIRED => return self.mount_as("ro,errors=remount-ro"),
                // A neighbour's mount namespace that has just been made, or is just going, holds it too.
                _ if said.contains("is in use") && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                _ => bail!("e2fsck: {said}"),
            }
        }
    }

    /// It can be written again.
    pub fn make_writable(&self) -> Result<()> {
        privileged::run("mount", &["-o", "remount,rw", self.path()?]).map(drop)
    }

    fn mount_as(&self, options: &str) -> Result<()> {
        privileged::run("mount", &["-t", "ext4", "-o", options, &self.device, self.path()?]).map(drop)
    }

    fn path(&self) -> Result<&str> {
        self.folder.to_str().context("the folder's name is text")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn it_turns_read_only_under_an_open_file_and_is_whole_after_a_check() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("disk");
        let disk = FailingDisk::mount(&at, &folder.path().join("image"), 16).unwrap();
        let mut open = File::create(at.join("file")).unwrap();
        open.write_all(b"kept").unwrap();
        open.sync_all().unwrap();
        disk.fail().unwrap();
        let error = open.write_all(b"lost").and_then(|()| open.sync_all()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
        drop(open);
        disk.check().unwrap();
        assert_eq!(std::fs::read(at.join("file")).unwrap(), b"kept");
        assert!(File::create(at.join("other")).is_err(), "read-only at first");
        disk.make_writable().unwrap();
        File::create(at.join("other")).unwrap();
    }
}
