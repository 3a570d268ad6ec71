//! A file that holds room on the disk, so that a case somebody already filled in can still be finalised when everything
//! else ate the disk: it is given up once, and admission stays closed until it could be made again.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::FallocateFlags;

use crate::StoreError;
use crate::connection::sync_folder;

/// Name of the file inside the state folder.
pub(crate) const FILE: &str = "reserve";

/// Makes the reserve when it is not there in full. `false` when there is no room for it.
pub(crate) fn ensure(state: &Path, bytes: u64) -> Result<bool, StoreError> {
    let path = state.join(FILE);
    if std::fs::metadata(&path).is_ok_and(|found| found.len() == bytes) {
        return Ok(true);
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o660)
        .open(&path)
        .map_err(StoreError::io("making the reserve"))?;
    match allocate(&file, bytes) {
        Ok(()) => {
            sync_folder(state)?;
            Ok(true)
        }
        Err(error) => {
            drop(file);
            // Half a reserve would be taken for a whole one by nobody, but it would take the room.
            let _ = std::fs::remove_file(&path);
            match StoreError::io("making the reserve")(error) {
                StoreError::DiskFull => Ok(false),
                other => Err(other),
            }
        }
    }
}

/// Gives the room back. `true` when there was any.
pub(crate) fn release(state: &Path) -> bool {
    std::fs::remove_file(state.join(FILE)).is_ok()
}

fn allocate(file: &File, bytes: u64) -> std::io::Result<()> {
    if bytes == 0 {
        return file.set_len(0);
    }
    rustix::fs::fallocate(file, FallocateFlags::empty(), 0, bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn the_reserve_takes_real_room_and_gives_it_back() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ensure(folder.path(), 1 << 20).unwrap());
        let found = std::fs::metadata(folder.path().join(FILE)).unwrap();
        assert_eq!(found.len(), 1 << 20);
        assert!(found.blocks() * 512 >= 1 << 20, "not a hole");
        assert!(ensure(folder.path(), 1 << 20).unwrap(), "made once");
        assert!(release(folder.path()));
        assert!(!release(folder.path()));
    }
}
