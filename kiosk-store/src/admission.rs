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

/// How full the disk of the state folder is, 0 to 100, as an ordinary account sees it; `None` when it cannot be asked.
pub fn disk_used_percent(state_dir: &Path) -> Option<u8> {
    let room = rustix::fs::statvfs(state_dir).ok()?;
    let used = room.f_blocks.saturating_sub(room.f_bfree);
    let usable = used.saturating_add(room.f_bavail);
    // Rounded up: "100 %" must be said when nothing is left, and 95 % a little too early rather than too late.
    (usable > 0).then(|| u8::try_from((used * 100).div_ceil(usable)).unwrap_or(100))
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
