//! Files that a device's output goes into. They may show a person, so only their owner can read them.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::answer::{Failure, Outcome};

/// Writes a new file; one that is there is left alone.
pub fn create(path: &Path, bytes: &[u8]) -> Outcome {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes));
    written.map_err(|error| Failure::usage(format!("{} cannot be written: {error}", path.display())))
}

/// Reads a file of at most `bytes_max`.
pub fn read(path: &Path, bytes_max: u64) -> Result<zeroize::Zeroizing<Vec<u8>>, Failure> {
    let unreadable = |error| Failure::usage(format!("{} cannot be read: {error}", path.display()));
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > bytes_max {
        return Err(Failure::usage(format!("{} is longer than {bytes_max} bytes", path.display())));
    }
    std::fs::read(path).map(zeroize::Zeroizing::new).map_err(unreadable)
}
