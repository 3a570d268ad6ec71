//! Lets the power-cut test see what the store does to the disk beside SQLite, in the order in which it does it, and lets
//! it take single precautions away. Without the feature `failpoints` all of this compiles to nothing.

use std::path::Path;

/// One change of a file or a folder that was just made, or one sync that just returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "failpoints"), allow(dead_code, reason = "nobody watches"))]
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

#[cfg(feature = "failpoints")]
pub use watching::watch_disk;
#[cfg(feature = "failpoints")]
pub(crate) use watching::{blob_sync_is_left_out, folder_sync_is_left_out, saw, synchronous};

#[cfg(not(feature = "failpoints"))]
pub(crate) use as_shipped::{blob_sync_is_left_out, folder_sync_is_left_out, saw, synchronous};

#[cfg(feature = "failpoints")]
mod watching {
    use super::DiskStep;
    use std::cell::RefCell;

    type Watcher = Box<dyn FnMut(DiskStep<'_>)>;

    thread_local! {
        static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
    }

    /// Calls `watcher` after every step that the store makes on this thread; `None` ends it.
    pub fn watch_disk(watcher: Option<Watcher>) {
        WATCHER.set(watcher);
    }

    pub(crate) fn saw(step: DiskStep<'_>) {
        WATCHER.with_borrow_mut(|watcher| {
            if let Some(watcher) = watcher {
                watcher(step);
            }
        });
    }

    /// The setting and how SQLite reports it.
    pub(crate) fn synchronous() -> (&'static str, &'static str) {
        fail::fail_point!("store::synchronous-normal", |_| ("NORMAL", "1"));
        ("FULL", "2")
    }

    pub(crate) fn folder_sync_is_left_out() -> bool {
        fail::fail_point!("store::no-folder-sync", |_| true);
        false
    }

    pub(crate) fn blob_sync_is_left_out() -> bool {
        fail::fail_point!("store::no-blob-sync", |_| true);
        false
    }
}

#[cfg(not(feature = "failpoints"))]
mod as_shipped {
    use super::DiskStep;

    pub(crate) fn saw(_: DiskStep<'_>) {}

    /// The setting and how SQLite reports it.
    pub(crate) fn synchronous() -> (&'static str, &'static str) {
        ("FULL", "2")
    }

    pub(crate) fn folder_sync_is_left_out() -> bool {
        false
    }

    pub(crate) fn blob_sync_is_left_out() -> bool {
        false
    }
}
