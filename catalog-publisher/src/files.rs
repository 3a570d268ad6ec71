//! Files: which ones make up a catalog, and writing them so that a reader never sees half of one.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// What the terminals take at most; publishing more would only be refused there.
const MOST_FILES: usize = 2000;
const MOST_BYTES: usize = 64 * 1024 * 1024;
const LONGEST_FILE: usize = 4 * 1024 * 1024;

/// Every file of a catalog with its path below it, sorted. Hidden files stay at home.
pub(crate) fn collect(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    descend(folder, "", &mut files)?;
    files.sort();
    ensure!(!files.is_empty(), "{} holds no files", folder.display());
    ensure!(files.len() <= MOST_FILES, "a catalog may have {MOST_FILES} files, this one has {}", files.len());
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    ensure!(bytes <= MOST_BYTES, "a catalog may have {MOST_BYTES} bytes, this one has {bytes}");
    Ok(files)
}

fn descend(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        ensure!(
            name.bytes().all(plain) && path.len() <= 180,
            "{path}: names in a catalog are made of A-Z, a-z, 0-9, \"-\", \"_\" and \".\", at most 180 of them"
        );
        let kind = entry.file_type()?;
        if kind.is_dir() {
            descend(&entry.path(), &format!("{path}/"), files)?;
        } else {
            ensure!(kind.is_file(), "{path} is neither a file nor a folder");
            let bytes = fs::read(entry.path()).with_context(|| format!("{path} cannot be read"))?;
            ensure!(bytes.len() <= LONGEST_FILE, "{path} is longer than {LONGEST_FILE} bytes");
            files.push((path, bytes));
        }
    }
    Ok(())
}

/// Makes a folder that only its owner can enter.
pub(crate) fn private_folder(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("{} cannot be made", path.display()))
}

/// Writes a file under a name that was free; only its owner can read it.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("{} cannot be made", path.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_folder(path)
}

/// Puts a file in place, whole, or leaves the old one. Folders are made as needed.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let staged = folder.join(format!(".{}.new", path.file_name().unwrap_or_default().to_string_lossy()));
        let mut file = File::create(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&staged, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))?;
    sync_folder(path)
}

fn sync_folder(file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    File::open(folder)?.sync_all().with_context(|| format!("{} cannot be flushed", folder.display()))
}
