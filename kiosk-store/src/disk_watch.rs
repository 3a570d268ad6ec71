//! Lets the power-cut test see what the store does to the disk beside SQLite, in the order in which it does it, and lets
//! it take single precautions away and let single syncs fail or lie. Without the feature `disk-watch` all of this
//! compiles to nothing.

use std::fs::File;
use std::path::Path;

/// One change of a file or a folder that was just made, or one sync that just returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "disk-watch"), allow(dead_code, reason = "nobody watches"))]
pub enum DiskStep<'a> {
    /// A folder was made.
    FolderMade(&'a Path),
    /// A file was made, or was there already.
    FileMade(&'a Path),
    /// A file was cut to no bytes.
    FileEmptied(&'a Path),
    /// An empty file got these bytes.
    FileWritten(&'a Path, &'a [u8]),
    /// The bytes of a file are on disk.
    FileSynced(&'a Path),
    /// A file has another name now.
    Renamed {
        /// Its name before.
        from: &'a Path,
        /// Its name now.
        to: &'a Path,
    },
    /// A file is gone.
    Removed(&'a Path),
    /// The names in a folder are on disk.
    FolderSynced(&'a Path),
}

/// A precaution that a mutation test takes away, to see that its loss is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "disk-watch"), allow(dead_code, reason = "nobody takes it away"))]
pub enum Precaution {
    /// `synchronous=FULL`; without it `NORMAL`.
    SynchronousFull,
    /// The sync of a folder.
    FolderSync,
    /// The sync of a blob before it gets its name.
    BlobSync,
}

/// What a disk does when it is told to sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg(feature = "disk-watch")]
pub enum SyncFate {
    /// It does it.
    Honest,
    /// It answers EIO.
    Fails,
    /// It says that it did.
    Lies,
}

#[cfg(feature = "disk-watch")]
pub use watching::{decide_syncs, leave_out, watch_disk};
#[cfg(feature = "disk-watch")]
pub(crate) use watching::{is_left_out, saw, sync};

#[cfg(not(feature = "disk-watch"))]
pub(crate) use as_shipped::{is_left_out, saw, sync};

/// The setting and how SQLite reports it.
pub(crate) fn synchronous() -> (&'static str, &'static str) {
    if is_left_out(Precaution::SynchronousFull) { ("NORMAL", "1") } else { ("FULL", "2") }
}

#[cfg(feature = "disk-watch")]
mod watching {
    use super::{DiskStep, File, Precaution, SyncFate};
    use std::cell::{Cell, RefCell};

    type Watcher = Box<dyn FnMut(DiskStep<'_>)>;
    type Disk = Box<dyn FnMut(DiskStep<'_>) -> SyncFate>;

    thread_local! {
        static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
        static DISK: RefCell<Option<Disk>> = const { RefCell::new(None) };
        static LEFT_OUT: Cell<Option<Precaution>> = const { Cell::new(None) };
    }

    /// Calls `watcher` after every step that the store makes on this thread; `None` ends it.
    pub fn watch_disk(watcher: Option<Watcher>) {
        WATCHER.set(watcher);
    }

    /// Takes a precaution away on this thread; `None` gives it back.
    pub fn leave_out(precaution: Option<Precaution>) {
        LEFT_OUT.set(precaution);
    }

    /// Asks `disk` before each sync that the store makes on this thread beside SQLite; `None` ends it.
    pub fn decide_syncs(disk: Option<Disk>) {
        DISK.set(disk);
    }

    /// Syncs a file or a folder; `step` says which.
    pub(crate) fn sync(file: &File, step: DiskStep<'_>) -> std::io::Result<()> {
        let fate = DISK.with_borrow_mut(|disk| disk.as_mut().map_or(SyncFate::Honest, |disk| disk(step)));
        match fate {
            SyncFate::Honest => file.sync_all().inspect(|()| saw(step)),
            SyncFate::Fails => Err(rustix::io::Errno::IO.into()),
            SyncFate::Lies => Ok(()),
        }
    }

    pub(crate) fn saw(step: DiskStep<'_>) {
        WATCHER.with_borrow_mut(|watcher| {
            if let Some(watcher) = watcher {
                watcher(step);
            }
        });
    }

    pub(crate) fn is_left_out(precaution: Precaution) -> bool {
        LEFT_OUT.get() == Some(precaution)
    }
}

#[cfg(not(feature = "disk-watch"))]
mod as_shipped {
    use super::{DiskStep, File, Precaution};

    pub(crate) fn sync(file: &File, _: DiskStep<'_>) -> std::io::Result<()> {
        file.sync_all()
    }

    pub(crate) fn saw(_: DiskStep<'_>) {}

    pub(crate) fn is_left_out(_: Precaution) -> bool {
        false
    }
}
