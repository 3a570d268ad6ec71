//! The state folder of a gateway whose database lies elsewhere: it holds the gateway's name, so that a gateway that was
//! killed ends its own leases when it comes back, and a lock, so that no two gateways go by one name.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::OpenError;
use super::sqlite::lock;

const NAME: &str = "gateway-name";

/// A gateway's place.
pub(crate) struct Seat {
    name: String,
    /// Held open: its lock says that this folder has a gateway.
    _lock: File,
}

impl Seat {
    /// Takes the place in this folder, creating it when absent.
    pub(crate) fn take(folder: &Path) -> Result<Self, OpenError> {
        let named = |source| OpenError::Io { what: "state folder", source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(named)?;
        let lock = lock(folder)?;
        Ok(Self { name: name(folder).map_err(named)?, _lock: lock })
    }

    /// The gateway's name: the same for as long as the folder is.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

fn name(folder: &Path) -> io::Result<String> {
    let (path, under_way) = (folder.join(NAME), folder.join(format!("{NAME}.under-way")));
    match fs::read_to_string(&path) {
        Ok(name) => return Ok(name.trim().to_owned()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    let name = uuid::Uuid::new_v4().to_string();
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&under_way)?;
    file.write_all(name.as_bytes())?;
    file.sync_all()?;
    fs::rename(&under_way, &path)?;
    File::open(folder)?.sync_all()?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_with_its_folder_and_is_nobody_elses_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let first = Seat::take(folder.path()).unwrap();
        let name = first.name().to_owned();
        assert!(matches!(Seat::take(folder.path()), Err(OpenError::InUse)));
        drop(first);
        assert_eq!(Seat::take(folder.path()).unwrap().name(), name);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Seat::take(other.path()).unwrap().name(), name);
    }
}
