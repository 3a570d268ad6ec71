//! Whether a resident may start a request: asked before a session, so that nobody fills a form for nothing.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// Whether requests are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// There is room and the folder can be written.
    Open,
    /// Information still works, requests do not.
    Closed(ClosedBecause),
}

/// Why requests are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBecause {
    /// Too little room left.
    DiskFull,
    /// The state folder cannot be written.
    Unwritable,
}

/// Looks at the room left and tries to write. `min_free_bytes` is the reserve that stays for what is already begun.
pub fn admission(state_dir: &Path, min_free_bytes: u64) -> Admission {
    let Ok(room) = rustix::fs::statvfs(state_dir) else {
        return Admission::Closed(ClosedBecause::Unwritable);
    };
    if room.f_bavail.saturating_mul(room.f_frsize) < min_free_bytes {
        return Admission::Closed(ClosedBecause::DiskFull);
    }
    match probe(state_dir) {
        Ok(()) => Admission::Open,
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            Admission::Closed(ClosedBecause::DiskFull)
        }
        Err(_) => Admission::Closed(ClosedBecause::Unwritable),
    }
}

/// A read-only remount or a lost permission shows only when something is written.
fn probe(state_dir: &Path) -> std::io::Result<()> {
    let path = state_dir.join(".admission-probe");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path)?;
    file.write_all(&[0; 4096])?;
    drop(file);
    std::fs::remove_file(&path)
}
