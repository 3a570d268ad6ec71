//! A file that is mapped for reading and not copied: what is read of it is the kernel's copy, shared with everybody and
//! taken back when memory is short.
#![expect(unsafe_code, reason = "a mapping has no owner that the compiler knows")]

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::path::Path;
use std::ptr::NonNull;
use std::slice;
use std::sync::Arc;

use rustix::mm::{Advice, MapFlags, ProtFlags};

/// The file. Clones share the mapping, which ends with the last of them.
#[derive(Clone)]
pub(crate) struct MappedFile(Arc<Mapping>);

struct Mapping {
    start: NonNull<c_void>,
    length: usize,
}

// SAFETY: the mapping belongs to this value alone, is only read, and is not tied to a thread.
unsafe impl Send for Mapping {}
// SAFETY: as above; nothing of it is ever written.
unsafe impl Sync for Mapping {}

impl MappedFile {
    /// Maps a whole file. Packages replace fonts by renaming new ones over them, which leaves what is mapped as it is;
    /// a file that is cut off in its place ends the process, of which another takes over.
    pub(crate) fn open(path: &Path) -> io::Result<MappedFile> {
        let file = File::open(path)?;
        let length = usize::try_from(file.metadata()?.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let none = std::ptr::null_mut();
        // SAFETY: a fresh mapping at an address of the kernel's choice; nothing else refers to it. The kernel refuses
        // an empty file.
        let start = unsafe { rustix::mm::mmap(none, length, ProtFlags::READ, MapFlags::PRIVATE, &file, 0) }?;
        let start = NonNull::new(start).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(MappedFile(Arc::new(Mapping { start, length })))
    }

    /// Gives the pages that were read back. They come again by themselves when they are needed, usually out of the
    /// kernel's memory and not from the disk.
    pub(crate) fn let_go(&self) {
        let Mapping { start, length } = *self.0;
        // A kernel that does not want them back leaves them.
        // SAFETY: the range is this mapping. It is private and was never written, so nothing is lost.
        let _ = unsafe { rustix::mm::madvise(start.as_ptr(), length, Advice::LinuxDontNeed) };
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: mapped for `length` bytes for as long as the value lives, and nobody writes there.
        unsafe { slice::from_raw_parts(self.0.start.as_ptr().cast::<u8>(), self.0.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `open` with this length; no reference outlives the value.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_as_it_is_also_after_its_pages_were_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("font");
        let bytes: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let file = MappedFile::open(&path).unwrap();
        assert!(file.as_ref() == bytes);
        file.let_go();
        let other = file.clone();
        drop(file);
        assert!(other.as_ref() == bytes);
    }

    #[test]
    fn what_is_empty_or_absent_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("font");
        assert!(MappedFile::open(&path).is_err());
        std::fs::write(&path, b"").unwrap();
        assert!(MappedFile::open(&path).is_err());
    }
}
