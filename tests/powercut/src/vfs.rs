//! An SQLite VFS that hands every call on to the platform's own and tells the recorder what changed on disk.
//!
//! It is registered as SQLite's default, so the store under test needs no change. Only a thread that records is
//! listened to; for all others this is a plain hand-over. The `-shm` file does not pass through here: it is shared
//! memory, a cut loses it.
#![allow(
    unsafe_code,
    reason = "SQLite's VFS is a table of C functions; this file is listed in xtask/src/tidy/sources.rs"
)]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use kiosk_store::SyncFate;
use rusqlite::ffi::{
    SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC, SQLITE_OK, SQLITE_OPEN_CREATE, SQLITE_OPEN_MAIN_JOURNAL,
    SQLITE_OPEN_SUPER_JOURNAL, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_filename, sqlite3_int64,
    sqlite3_io_methods, sqlite3_randomness, sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use crate::recorder::{self, NodeId};

/// What SQLite holds as an open file: this head, and behind it the file of the real VFS. Both are aligned like a pointer,
/// which is what SQLite gives.
#[repr(C)]
struct WatchedFile {
    base: sqlite3_file,
    /// Where the recorder keeps it, when it does.
    node: Option<NodeId>,
    /// SQLite's unix VFS syncs the folder at the first sync of a journal that may be new.
    folder_sync_due: bool,
}

const HEAD: usize = size_of::<WatchedFile>();
const _: () = assert!(HEAD.is_multiple_of(8) && align_of::<WatchedFile>() == 8);

/// The platform's VFS; never freed, never changed.
struct Real(*mut sqlite3_vfs);

// SAFETY: SQLite's VFS objects are made for use by any thread, and this pointer is only read.
unsafe impl Send for Real {}
// SAFETY: as above.
unsafe impl Sync for Real {}

static REAL: OnceLock<Real> = OnceLock::new();

/// Puts the VFS in front of the platform's, once for the process, before the first database is opened.
pub fn install() {
    REAL.get_or_init(|| {
        // SAFETY: `find` returns the default VFS (it initialises SQLite) or null; the copy is leaked, as SQLite keeps
        // the pointer for the life of the process. All functions but ours take the VFS only for its constants.
        unsafe {
            let real = sqlite3_vfs_find(std::ptr::null());
            assert!(!real.is_null(), "SQLite has a default VFS on every platform it is built for");
            let mut ours: sqlite3_vfs = *real;
            ours.szOsFile += HEAD as c_int;
            ours.pNext = std::ptr::null_mut();
            ours.zName = c"powercut".as_ptr();
            ours.xOpen = Some(open);
            ours.xDelete = Some(delete);
            ours.xRandomness = Some(randomness);
            let code = sqlite3_vfs_register(Box::leak(Box::new(ours)), 1);
            assert_eq!(code, SQLITE_OK, "a VFS with a new name can be registered");
            Real(real)
        }
    });
}

/// Makes SQLite ask for new randomness, which a recording thread answers from its seed: salts and names repeat.
pub fn forget_randomness() {
    // SAFETY: no bytes and no buffer is SQLite's documented way to reset its generator.
    unsafe { sqlite3_randomness(0, std::ptr::null_mut()) };
}

fn real_vfs() -> *mut sqlite3_vfs {
    REAL.get().expect("our functions are known to SQLite only after `install`").0
}

/// The real file behind ours.
///
/// # Safety
/// `file` was given by SQLite with the size that `install` announced.
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: SQLite allocates `szOsFile` bytes, which is our head and the real file's size.
    unsafe { file.byte_add(HEAD) }
}

/// # Safety
/// `name` is null or a C string.
unsafe fn path_of<'a>(name: *const c_char) -> Option<&'a Path> {
    if name.is_null() {
        return None;
    }
    // SAFETY: checked for null; SQLite's names end with a zero and live as long as the call.
    Some(Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room for `szOsFile` bytes; the real VFS gets its own pointer and its own file.
    unsafe {
        let ours = file.cast::<WatchedFile>();
        let behind = real(file);
        (*behind).pMethods = std::ptr::null();
        let vfs = real_vfs();
        let code = (*vfs).xOpen.expect("every VFS opens")(vfs, name, behind, flags, out);
        let methods: *const sqlite3_io_methods =
            if (*behind).pMethods.is_null() { std::ptr::null() } else { &METHODS };
        let journal = flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL) != 0;
        let node = if code == SQLITE_OK { path_of(name).and_then(recorder::file_made) } else { None };
        ours.write(WatchedFile {
            base: sqlite3_file { pMethods: methods },
            node,
            folder_sync_due: journal && flags & SQLITE_OPEN_CREATE != 0,
        });
        code
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: the real function with its own VFS.
    unsafe {
        let vfs = real_vfs();
        let code = (*vfs).xDelete.expect("every VFS deletes")(vfs, name, sync_folder);
        if let (SQLITE_OK, Some(path)) = (code, path_of(name)) {
            recorder::removed(path);
            if sync_folder & 1 != 0 && recorder::sync_folder_of(path) == SyncFate::Fails {
                return SQLITE_IOERR_DIR_FSYNC;
            }
        }
        code
    }
}

unsafe extern "C" fn randomness(_: *mut sqlite3_vfs, bytes: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite gives a buffer of that many bytes.
    unsafe {
        let buffer = std::slice::from_raw_parts_mut(out.cast::<u8>(), bytes as usize);
        if recorder::fill(buffer) {
            return bytes;
        }
        let vfs = real_vfs();
        (*vfs).xRandomness.expect("every VFS has randomness")(vfs, bytes, out)
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    amount: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite gives `amount` readable bytes.
    unsafe {
        let behind = real(file);
        let code =
            (*(*behind).pMethods).xWrite.expect("every file is written")(behind, bytes, amount, offset);
        if let (SQLITE_OK, Some(node)) = (code, (*file.cast::<WatchedFile>()).node) {
            let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), amount as usize);
            recorder::written(node, offset as u64, bytes);
        }
        code
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: as in `write`.
    unsafe {
        let behind = real(file);
        let code = (*(*behind).pMethods).xTruncate.expect("every file is cut")(behind, size);
        if let (SQLITE_OK, Some(node)) = (code, (*file.cast::<WatchedFile>()).node) {
            recorder::truncated(node, size as u64);
        }
        code
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: as in `write`.
    unsafe {
        let ours = &mut *file.cast::<WatchedFile>();
        let fate = ours.node.map_or(SyncFate::Honest, recorder::about_to_sync);
        if fate == SyncFate::Fails {
            return SQLITE_IOERR_FSYNC;
        }
        let behind = real(file);
        let code = (*(*behind).pMethods).xSync.expect("every file is synced")(behind, flags);
        if let (SQLITE_OK, Some(node)) = (code, ours.node) {
            if fate == SyncFate::Honest {
                recorder::synced(node);
            }
            // SQLite's unix VFS does not look at what comes of it, and so nobody hears of a failure.
            if std::mem::take(&mut ours.folder_sync_due) {
                recorder::sync_folder_around(node);
            }
        }
        code
    }
}

/// A function that only hands over.
macro_rules! hand_over {
    ($name:ident, $method:ident, ($($argument:ident: $kind:ty),*) -> $answer:ty) => {
        unsafe extern "C" fn $name(file: *mut sqlite3_file, $($argument: $kind),*) -> $answer {
            // SAFETY: the real file's own function on the real file.
            unsafe {
                let behind = real(file);
                (*(*behind).pMethods).$method.expect("the unix VFS has all of version 3")(behind, $($argument),*)
            }
        }
    };
}

hand_over!(close, xClose, () -> c_int);
hand_over!(read, xRead, (bytes: *mut c_void, amount: c_int, offset: sqlite3_int64) -> c_int);
hand_over!(file_size, xFileSize, (size: *mut sqlite3_int64) -> c_int);
hand_over!(lock, xLock, (level: c_int) -> c_int);
hand_over!(unlock, xUnlock, (level: c_int) -> c_int);
hand_over!(check_reserved_lock, xCheckReservedLock, (out: *mut c_int) -> c_int);
hand_over!(file_control, xFileControl, (op: c_int, argument: *mut c_void) -> c_int);
hand_over!(sector_size, xSectorSize, () -> c_int);
hand_over!(device_characteristics, xDeviceCharacteristics, () -> c_int);
hand_over!(shm_map, xShmMap, (page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void) -> c_int);
hand_over!(shm_lock, xShmLock, (offset: c_int, amount: c_int, flags: c_int) -> c_int);
hand_over!(shm_barrier, xShmBarrier, () -> ());
hand_over!(shm_unmap, xShmUnmap, (remove: c_int) -> c_int);
hand_over!(fetch, xFetch, (offset: sqlite3_int64, amount: c_int, out: *mut *mut c_void) -> c_int);
hand_over!(unfetch, xUnfetch, (offset: sqlite3_int64, page: *mut c_void) -> c_int);

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};
