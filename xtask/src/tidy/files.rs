//! The project's own text files, and the names that a file or folder may not have.

use std::path::Path;

use anyhow::{Context, Result};

use super::Finding;

/// One text file of the project.
pub struct TextFile {
    /// From the project's root, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl TextFile {
    #[cfg(test)]
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Whether its name ends in one of these.
    pub fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    /// A place in it, for a finding; lines count from 1.
    pub fn line(&self, number: usize) -> String {
        format!("{}:{number}", self.path)
    }
}

/// Folders that hold nothing written here: build results, other people's work, generated files.
const NOT_OURS: [&str; 5] = ["target", "vendor", "generated", "node_modules", "__pycache__"];
/// Folders with a leading dot that are part of the project; all others are tools' own.
const DOTTED: [&str; 3] = [".cargo", ".ci", ".config"];
/// A text file larger than this is data.
const LARGEST_BYTES: u64 = 2 * 1024 * 1024;

/// Every text file below the root, sorted by path.
pub fn collect(root: &Path) -> Result<Vec<TextFile>> {
    let mut files = Vec::new();
    descend(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn descend(folder: &Path, prefix: &str, files: &mut Vec<TextFile>) -> Result<()> {
    let entries = folder.read_dir().with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let ours = !name.starts_with('.') || DOTTED.contains(&name.as_str());
            if ours && !NOT_OURS.contains(&name.as_str()) {
                descend(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if kind.is_file()
            && entry.metadata()?.len() <= LARGEST_BYTES
            && let Ok(text) = std::fs::read_to_string(entry.path())
        {
            files.push(TextFile { path, text });
        }
    }
    Ok(())
}

/// Names that say nothing about what is inside, so that everything ends up there.
const SAYS_NOTHING: [&str; 8] = ["common", "utils", "util", "shared", "types", "helpers", "helper", "misc"];

/// Folders with a name that says nothing; for a single Rust file it is only noted.
pub fn check_names(files: &[TextFile]) -> Vec<Finding> {
    let mut places: Vec<&str> = Vec::new();
    let mut modules: Vec<&str> = Vec::new();
    for file in files {
        let path = file.path.as_str();
        for (slash, _) in path.match_indices('/') {
            let folder = &path[..slash];
            if SAYS_NOTHING.contains(&folder.rsplit('/').next().unwrap_or(folder))
                && !places.contains(&folder)
            {
                places.push(folder);
            }
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.strip_suffix(".rs").is_some_and(|stem| SAYS_NOTHING.contains(&stem)) {
            modules.push(path);
        }
    }
    let why = "a name that fits everything collects everything; name it after the one thing it holds";
    let finding = |place: &str| Finding::new(place, "a name that says nothing", why);
    let noted = modules.into_iter().map(|place| Finding { mild: true, ..finding(place) });
    places.into_iter().map(finding).chain(noted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_text_is_collected() {
        let root = tempfile::tempdir().unwrap();
        for path in ["src/a.rs", "target/b.rs", "page/vendor/c.js", ".git/d", ".ci/run", "docs/e.md"] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "text").unwrap();
        }
        std::fs::write(root.path().join("picture.png"), [0xff, 0xd8, 0]).unwrap();
        let paths: Vec<_> = collect(root.path()).unwrap().into_iter().map(|file| file.path).collect();
        assert_eq!(paths, [".ci/run", "docs/e.md", "src/a.rs"]);
    }

    #[test]
    fn a_name_that_says_nothing_is_found_once() {
        let files = ["a/utils/b.rs", "a/utils/c.rs", "kiosk/common.rs", "a/sharedness/d.rs", "b/types.toml"]
            .map(|path| TextFile::new(path, ""));
        let places: Vec<_> =
            check_names(&files).into_iter().map(|finding| (finding.place, finding.mild)).collect();
        assert_eq!(places, [("a/utils".to_owned(), false), ("kiosk/common.rs".to_owned(), true)]);
    }
}
