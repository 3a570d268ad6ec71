//! Where the files of a catalog lie: in the folder itself, or in the version that its link `current` points to.
//!
//! On a terminal sync-agent changes that link in one step. Whoever loads a catalog asks once where it is and stays
//! there: the version before the newest is kept, so what is being read is not taken away.

use std::path::{Path, PathBuf};

/// The folder to load a catalog from. A link that leads nowhere counts as none: the files that came with the machine
/// are better than nothing.
pub fn current_folder(catalog: &Path) -> PathBuf {
    let current = catalog.join("current");
    match std::fs::read_link(&current) {
        Ok(target) if current.is_dir() => catalog.join(target),
        _ => catalog.to_owned(),
    }
}

/// Every folder that may hold the catalog, the one in use first: after it the versions kept beside it, newest first,
/// and the files that came with the machine. For a reader that can use nothing of the first one.
pub fn folders(catalog: &Path) -> Vec<PathBuf> {
    let current = current_folder(catalog);
    let mut kept: Vec<_> = std::fs::read_dir(catalog.join("versions"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((number(entry.file_name().to_str()?)?, entry.path())))
        .collect();
    kept.sort_unstable();
    let others = kept.into_iter().rev().map(|(_, path)| path).chain([catalog.to_owned()]);
    let others: Vec<_> = others.filter(|path| *path != current).collect();
    std::iter::once(current).chain(others).collect()
}

/// Reads `7`, or `7.1`: the same catalog, put there anew.
fn number(name: &str) -> Option<(u64, u32)> {
    let (number, again) = name.split_once('.').unwrap_or((name, "0"));
    Some((number.parse().ok()?, again.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_plain_folder_is_itself() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(current_folder(folder.path()), folder.path());
        fs::create_dir(folder.path().join("current")).unwrap();
        assert_eq!(current_folder(folder.path()), folder.path(), "a folder of this name is no link");
    }

    #[test]
    fn a_link_is_followed_once() {
        let folder = tempfile::tempdir().unwrap();
        let version = folder.path().join("versions/7");
        fs::create_dir_all(&version).unwrap();
        symlink("versions/7", folder.path().join("current")).unwrap();
        let found = current_folder(folder.path());
        assert_eq!(found, version, "the version's own name, not the link's: it stays when the link moves on");
        fs::remove_dir(&version).unwrap();
        assert_eq!(current_folder(folder.path()), folder.path(), "a link that leads nowhere is none");
    }

    #[test]
    fn the_one_in_use_comes_first_and_the_others_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(folders(folder.path()), [folder.path()]);
        let version = |name: &str| folder.path().join("versions").join(name);
        for name in ["9", "10", "10.1", ".staging-11"] {
            fs::create_dir_all(version(name)).unwrap();
        }
        symlink("versions/10", folder.path().join("current")).unwrap();
        let found = folders(folder.path());
        assert_eq!(found, [version("10"), version("10.1"), version("9"), folder.path().to_owned()]);
    }
}
