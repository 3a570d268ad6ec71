//! Opening a database: folder and file modes, lock file, pragmas set and read back, migrations.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, FileControl, OpenFlags};
use rustix::fs::{FlockOperation, flock};

use crate::StoreError;
use crate::disk_watch::{DiskStep, Precaution, is_left_out, saw, sync, synchronous};

/// One kind of database file: its name in the state folder and its migrations, in order.
pub(crate) struct Schema {
    pub file: &'static str,
    pub lock: &'static str,
    pub migrations: &'static [&'static str],
}

/// The connection of the only writer, with the lock that makes it the only one.
pub(crate) struct Writer {
    pub db: Connection,
    _lock: File,
}

/// First SQLite without the WAL-reset race.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Group-writable, because a reader under another user must be able to create the `-shm` file.
const FILE_MODE: u32 = 0o660;
/// Page cache of one connection; negative means KiB (SQLite, PRAGMA cache_size). The queue is read and written once,
/// in order, so more would hold what nobody asks for again.
const CACHE_KIB: i64 = -512;
const FOLDER_MODE: u32 = 0o2770;

impl Writer {
    pub(crate) fn open(folder: &Path, schema: &'static Schema) -> Result<Self, StoreError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(StoreError::OldSqlite(rusqlite::version()));
        }
        make_folder(folder)?;
        sync_name(folder)?;
        let lock = take_lock(folder, schema)?;
        make_file(&folder.join(schema.file))?;
        let sql = StoreError::sql(schema.file);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(folder.join(schema.file), flags).map_err(&sql)?;
        db.busy_timeout(Duration::from_secs(5)).map_err(&sql)?;
        keep_small_and_steady(&db).map_err(&sql)?;
        set_pragmas(&db, schema.file)?;
        read_back(&db, schema.file)?;
        check_pages(&db, schema.file)?;
        migrate(&db, schema)?;
        stand_on_disk(&db, schema)?;
        // The directory entries of a new database must survive too, or the first records go with them.
        sync_folder(folder)?;
        Ok(Self { db, _lock: lock })
    }
}

/// A read-only connection, or `None` when the writer has not made the database yet or not brought it up to date.
pub(crate) fn open_reader(folder: &Path, schema: &'static Schema) -> Result<Option<Connection>, StoreError> {
    let path = folder.join(schema.file);
    let sql = StoreError::sql(schema.file);
    match std::fs::metadata(&path) {
        Ok(found) if found.len() > 0 => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("looking for a database")(error)),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&path, flags).map_err(&sql)?;
    db.busy_timeout(Duration::from_secs(2)).map_err(&sql)?;
    keep_small_and_steady(&db).map_err(&sql)?;
    db.pragma_update(None, "query_only", true).map_err(&sql)?;
    db.pragma_update(None, "cell_size_check", true).map_err(&sql)?;
    let version = schema_version(&db, schema.file)?;
    if version > schema.migrations.len() as i64 {
        return Err(too_new(schema, version));
    }
    // A file of an earlier release is brought up to date by its writer, which comes up beside this reader.
    Ok((version == schema.migrations.len() as i64).then_some(db))
}

/// Renames a database and what belongs to it to the first free `….damaged-N`.
pub(crate) fn put_aside(folder: &Path, schema: &'static Schema) -> Result<(), StoreError> {
    let _lock = take_lock(folder, schema)?;
    let named = |number: u32| format!("{}.damaged-{number}", schema.file);
    let number = (1..u32::MAX).find(|&number| !folder.join(named(number)).exists()).unwrap_or(u32::MAX);
    for end in ["-wal", "-shm", ""] {
        let (from, to) = (folder.join(format!("{}{end}", schema.file)), folder.join(named(number) + end));
        match std::fs::rename(&from, &to) {
            Ok(()) => saw(DiskStep::Renamed { from: &from, to: &to }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("putting a database aside")(error)),
        }
    }
    sync_folder(folder)
}

/// Whether the path still names the file this connection reads (a wiped terminal gets a new one).
pub(crate) fn has_moved(db: &Connection) -> bool {
    let mut moved = 0;
    db.file_control(None::<&str>, FileControl::HasMoved(&mut moved)).is_err() || moved != 0
}

pub(crate) fn make_folder(folder: &Path) -> Result<(), StoreError> {
    if folder.is_dir() {
        return Ok(());
    }
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.is_dir()).collect();
    std::fs::create_dir_all(folder).map_err(StoreError::io("making the state folder"))?;
    // Where this is refused (a foreign file system, a folder shared by other means) the store still works.
    let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(FOLDER_MODE));
    // A folder whose name is not on disk takes everything in it along in a power cut, however well that was synced.
    for made in missing.into_iter().rev() {
        saw(DiskStep::FolderMade(made));
        match made.parent() {
            Some(parent) if parent.as_os_str().is_empty() => sync_folder(Path::new("."))?,
            Some(parent) => sync_folder(parent)?,
            None => {}
        }
    }
    Ok(())
}

/// Syncs the name of the state folder again at each start: an earlier one may have made the folder and ended before its
/// name was on disk. Whoever may not look into the folder around it has not made it either.
fn sync_name(folder: &Path) -> Result<(), StoreError> {
    match folder.parent().filter(|parent| !parent.as_os_str().is_empty()).map(sync_folder) {
        Some(Err(StoreError::Io { kind: std::io::ErrorKind::PermissionDenied, .. })) | None => Ok(()),
        Some(synced) => synced,
    }
}

pub(crate) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if is_left_out(Precaution::FolderSync) {
        return Ok(());
    }
    File::open(folder)
        .and_then(|opened| sync(&opened, DiskStep::FolderSynced(folder)))
        .map_err(StoreError::io("syncing a folder"))
}

fn take_lock(folder: &Path, schema: &'static Schema) -> Result<File, StoreError> {
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(FILE_MODE)
        .open(folder.join(schema.lock))
        .map_err(StoreError::io("opening a lock file"))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::AnotherWriter(schema.file)),
        Err(error) => Err(StoreError::io("locking")(error.into())),
    }
}

/// Made here and not by SQLite, so that the mode is right from the first moment; `-wal` and `-shm` inherit it.
fn make_file(path: &Path) -> Result<(), StoreError> {
    let doing = StoreError::io("making a database file");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(FILE_MODE)
        .open(path)
        .map_err(&doing)?;
    saw(DiskStep::FileMade(path));
    let found = file.metadata().map_err(&doing)?;
    if found.len() == 0 && found.mode() & 0o777 != FILE_MODE {
        file.set_permissions(std::fs::Permissions::from_mode(FILE_MODE)).map_err(&doing)?;
    }
    Ok(())
}

/// Memory that does not grow with the queue, and statements that are compiled once: by default SQLite compiles a
/// cached statement anew when a bound value might change its plan, which cost the agent a quarter of its main thread.
fn keep_small_and_steady(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.pragma_update(None, "cache_size", CACHE_KIB)
}

fn set_pragmas(db: &Connection, file: &'static str) -> Result<(), StoreError> {
    let sql = StoreError::sql(file);
    switch_to_wal(db).map_err(&sql)?;
    db.execute_batch(&format!(
        "PRAGMA synchronous = {}; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 67108864;",
        synchronous().0
    ))
    .map_err(&sql)?;
    // The -wal file stays when the last connection closes, so that a reader of another user always finds it.
    let mut persist = 1;
    db.file_control(None::<&str>, FileControl::PersistWal(&mut persist)).map_err(&sql)
}

/// SQLite commits the switch after the row with its answer. Who does not ask for another row never hears that the sync
/// failed, reads "wal" back, and works on without it: a power cut may then take back what was committed.
fn switch_to_wal(db: &Connection) -> rusqlite::Result<()> {
    let mut switch = db.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = switch.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// Damage that no row shows is found here, at the beginning, and not when a resident waits.
pub(crate) fn check_pages(db: &Connection, file: &'static str) -> Result<(), StoreError> {
    let verdict: String =
        db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(StoreError::sql(file))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt { file, what: "the integrity check failed".into() })
}

/// What was read at opening may stand in a log whose sync failed before: Linux then keeps the pages readable, calls them
/// clean and never writes them again. So everything goes to the database file, with syncs of this opening. The write
/// after it takes the place of a commit that failed and is not seen now, but would be after a power cut.
fn stand_on_disk(db: &Connection, schema: &'static Schema) -> Result<(), StoreError> {
    let sql = StoreError::sql(schema.file);
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).map_err(&sql)?;
    db.pragma_update(None, "user_version", schema.migrations.len() as i64).map_err(&sql)
}

/// A promise to a resident rests on these; a setting that silently did not take is refused.
fn read_back(db: &Connection, file: &'static str) -> Result<(), StoreError> {
    let wanted = [
        ("journal_mode", "wal"),
        ("synchronous", synchronous().1),
        ("foreign_keys", "1"),
        ("cell_size_check", "1"),
        ("mmap_size", "0"),
    ];
    for (name, wanted) in wanted {
        let found = pragma_text(db, name).map_err(StoreError::sql(file))?;
        if found != wanted {
            return Err(StoreError::Setting { name, wanted, found });
        }
    }
    let mut persist = -1;
    db.file_control(None::<&str>, FileControl::PersistWal(&mut persist)).map_err(StoreError::sql(file))?;
    if persist != 1 {
        return Err(StoreError::Setting { name: "persist_wal", wanted: "1", found: persist.to_string() });
    }
    Ok(())
}

pub(crate) fn pragma_text(db: &Connection, name: &str) -> rusqlite::Result<String> {
    use rusqlite::types::Value;
    db.query_row(&format!("PRAGMA {name}"), [], |row| {
        Ok(match row.get::<_, Value>(0)? {
            Value::Text(text) => text,
            Value::Integer(number) => number.to_string(),
            other => format!("{other:?}"),
        })
    })
}

fn migrate(db: &Connection, schema: &'static Schema) -> Result<(), StoreError> {
    let sql = StoreError::sql(schema.file);
    let version = schema_version(db, schema.file)?;
    let known = schema.migrations.len() as i64;
    if version > known {
        return Err(too_new(schema, version));
    }
    for (index, migration) in schema.migrations.iter().enumerate().skip(version as usize) {
        // One transaction with its version number: a kill in the middle leaves the file as it was.
        let batch = format!("BEGIN IMMEDIATE; {migration}; PRAGMA user_version = {}; COMMIT;", index + 1);
        if let Err(error) = db.execute_batch(&batch) {
            let _ = db.execute_batch("ROLLBACK");
            return Err(sql(error));
        }
    }
    Ok(())
}

fn schema_version(db: &Connection, file: &'static str) -> Result<i64, StoreError> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(StoreError::sql(file))
}

fn too_new(schema: &Schema, found: i64) -> StoreError {
    StoreError::LaterSchema { file: schema.file, found, known: schema.migrations.len() as i64 }
}

#[cfg(test)]
mod tests {
    //! The read-back must be able to fail: each setting is broken once.

    use super::*;

    const SCHEMA: Schema = Schema {
        file: "test.db",
        lock: "test.lock",
        migrations: &[
            "CREATE TABLE one (x) STRICT, WITHOUT ROWID",
            "CREATE TABLE two (x INTEGER PRIMARY KEY) STRICT",
        ],
    };
    const GOOD: Schema = Schema {
        file: "test.db",
        lock: "test.lock",
        migrations: &[
            "CREATE TABLE one (x INTEGER PRIMARY KEY) STRICT",
            "CREATE TABLE two (x INTEGER PRIMARY KEY) STRICT",
        ],
    };
    const EARLIER: Schema = Schema {
        file: "test.db",
        lock: "test.lock",
        migrations: &["CREATE TABLE one (x INTEGER PRIMARY KEY) STRICT"],
    };

    #[test]
    fn every_setting_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(folder.path(), &GOOD).unwrap();
        assert!(read_back(&writer.db, "test.db").is_ok());
        for (name, wrong, found) in [
            ("synchronous", "NORMAL", "1"),
            ("foreign_keys", "OFF", "0"),
            ("cell_size_check", "OFF", "0"),
            ("mmap_size", "4096", "4096"),
            ("journal_mode", "DELETE", "delete"),
        ] {
            writer.db.execute_batch(&format!("PRAGMA {name} = {wrong}")).unwrap();
            match read_back(&writer.db, "test.db") {
                Err(StoreError::Setting { name: named, found: seen, .. }) => {
                    assert_eq!((named, seen.as_str()), (name, found));
                }
                other => panic!("{name} = {wrong} went unnoticed: {other:?}"),
            }
            set_pragmas(&writer.db, "test.db").unwrap();
        }
        let mut off = 0;
        writer.db.file_control(None::<&str>, FileControl::PersistWal(&mut off)).unwrap();
        assert!(matches!(
            read_back(&writer.db, "test.db"),
            Err(StoreError::Setting { name: "persist_wal", .. })
        ));
    }

    #[test]
    fn a_failed_migration_leaves_the_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        // A table without rowid needs a primary key, so the first migration of SCHEMA fails.
        assert!(Writer::open(folder.path(), &SCHEMA).is_err());
        let writer = Writer::open(folder.path(), &GOOD).unwrap();
        assert_eq!(schema_version(&writer.db, "test.db").unwrap(), 2);
    }

    #[test]
    fn an_earlier_release_does_not_touch_a_later_file() {
        let folder = tempfile::tempdir().unwrap();
        drop(Writer::open(folder.path(), &GOOD).unwrap());
        assert!(matches!(
            Writer::open(folder.path(), &EARLIER).map(|_| ()),
            Err(StoreError::LaterSchema { found: 2, known: 1, .. })
        ));
        assert!(matches!(open_reader(folder.path(), &EARLIER), Err(StoreError::LaterSchema { .. })));
        drop(Writer::open(folder.path(), &GOOD).unwrap());
    }

    #[test]
    fn a_migration_goes_on_where_the_file_is() {
        let folder = tempfile::tempdir().unwrap();
        drop(Writer::open(folder.path(), &EARLIER).unwrap());
        let writer = Writer::open(folder.path(), &GOOD).unwrap();
        assert_eq!(schema_version(&writer.db, "test.db").unwrap(), 2);
    }

    #[test]
    fn modes_let_the_group_in() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let writer = Writer::open(&state, &GOOD).unwrap();
        writer.db.execute_batch("INSERT INTO one VALUES (1)").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!(mode(&state), 0o2770);
        for file in ["test.db", "test.db-wal", "test.db-shm"] {
            assert_eq!(mode(&state.join(file)), 0o660, "{file}");
        }
        drop(writer);
        assert!(state.join("test.db-wal").exists(), "the log stays for readers of another user");
    }
}
