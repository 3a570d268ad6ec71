//! What needs root: mounting. Where there is neither root nor a sudo that asks nobody, tests that mount fail and say so,
//! because a fault that is passed over silently is a fault nobody covers.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A command as root.
pub fn command(program: &str) -> Result<Command> {
    if rustix::process::geteuid().is_root() {
        return Ok(Command::new(program));
    }
    let mut sudo = Command::new("sudo");
    sudo.arg("--non-interactive");
    let works = sudo.arg("true").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !works.context("mounting needs root, or sudo")?.success() {
        bail!("mounting needs root, or a sudo that asks for no password");
    }
    let mut command = Command::new("sudo");
    command.args(["--non-interactive", program]);
    Ok(command)
}

/// Does it as root, and gives what it printed.
pub fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let output =
        command(program)?.args(arguments).output().with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Takes a file system away when dropped, and also however else the tests end: a process waits for the end of a pipe.
pub struct Guard(Child);

impl Guard {
    /// Over what is mounted at this folder, and the loop device it lies on, if any.
    pub fn over(folder: &Path, device: Option<&str>) -> Result<Self> {
        let mut guard = command("sh")?;
        let script = "cat >/dev/null; umount --lazy \"$0\"; [ -z \"$1\" ] || losetup --detach \"$1\"";
        guard.args(["-c", script]).arg(folder).arg(device.unwrap_or_default());
        // In a group of its own, so that whatever ends the tests leaves it to do its work.
        guard.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(guard.spawn()?))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The end of the pipe is the guard's word.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
