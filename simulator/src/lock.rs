//! One simulator for one state folder.
//!
//! The lock is the kernel's (`flock`), so it is gone with the process that held it, however that ended: a file
//! left behind by a crash never stands in the way. Its text only says whom to look for.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::FlockOperation;

/// Name of the lock inside the state folder.
pub const LOCK_FILE: &str = "simulator.lock";

/// Held as long as the simulator runs.
#[derive(Debug)]
pub struct StateLock {
    file: File,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another simulator holds it.
    #[error(
        "这个文件夹已有一个演示在运行{}。\nA simulator is already running on this folder{}.",
        of_holder(.0, "（进程 ", "）"),
        of_holder(.0, " (", ")")
    )]
    Held(String),
    /// The file cannot be used.
    #[error("cannot lock the state folder: {0}")]
    Io(#[from] std::io::Error),
}

fn of_holder(holder: &str, open: &str, close: &str) -> String {
    if holder.is_empty() { String::new() } else { format!("{open}{holder}{close}") }
}

impl StateLock {
    /// Takes the lock or says who has it.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(folder.join(LOCK_FILE))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                (&mut file).take(200).read_to_string(&mut holder)?;
                return Err(LockError::Held(holder.trim().replace('\n', ", ")));
            }
            Err(error) => return Err(LockError::Io(error.into())),
        }
        let mut lock = Self { file };
        lock.say(&format!("pid {}\n", std::process::id()))?;
        Ok(lock)
    }

    /// Adds the page's address to what a second simulator is told.
    pub fn announce(&mut self, address: &str) -> Result<(), LockError> {
        self.say(&format!("pid {}\n{address}\n", std::process::id()))
    }

    fn say(&mut self, text: &str) -> Result<(), LockError> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_refused_and_a_stale_file_is_not_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LOCK_FILE), "pid 1\n").unwrap();
        let mut first = StateLock::take(folder.path()).unwrap();
        first.announce("http://127.0.0.1:8710/").unwrap();
        let refusal = StateLock::take(folder.path()).unwrap_err().to_string();
        let holder = format!("pid {}, http://127.0.0.1:8710/", std::process::id());
        assert!(refusal.contains(&holder) && refusal.contains("已有一个演示在运行"), "{refusal}");
        drop(first);
        StateLock::take(folder.path()).unwrap();
    }
}
