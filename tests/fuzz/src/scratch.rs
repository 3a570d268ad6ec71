//! Folders for decoders that read files: in memory, where the machine has such a place, because thousands are made.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Start of the name of each process's folder; its number follows.
const NAME: &str = "kiosk-fuzz-";

/// This process's folder. Some values live as long as the process and are never dropped, so what is left of processes
/// that are gone is removed here.
static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
    let in_memory = Path::new("/dev/shm");
    let place = if in_memory.is_dir() { in_memory.to_owned() } else { std::env::temp_dir() };
    for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(NAME)?.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let root = place.join(format!("{NAME}{}", std::process::id()));
    fs::create_dir_all(&root).expect("a folder can be made");
    root
});

/// An empty folder that goes away with this value.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(&*ROOT).expect("a temporary folder can be made")
}

/// Copies a folder with everything in it, links as links.
pub fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder is ours").flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if let Ok(target) = fs::read_link(&path) {
            std::os::unix::fs::symlink(target, to).expect("a link can be made");
        } else if path.is_dir() {
            copy_all(&path, &to);
        } else {
            fs::copy(path, to).expect("a file can be copied");
        }
    }
}
