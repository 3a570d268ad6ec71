//! Links in Markdown: what a document points to in this project must be there.

use std::path::{Component, Path, PathBuf};

use super::Finding;
use super::files::TextFile;

/// Every link of one Markdown file that stays inside the project.
pub fn check(root: &Path, file: &TextFile) -> Vec<Finding> {
    if !file.has_extension(&["md"]) {
        return Vec::new();
    }
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for target in targets(line) {
            let path = target.split('#').next().unwrap_or(target);
            if path.is_empty() || path.contains("://") || path.starts_with("mailto:") {
                continue;
            }
            let there = flat(&folder.join(path)).is_some_and(|path| root.join(path).exists());
            if !there {
                let why = "a link that leads nowhere costs each reader the same search";
                findings.push(Finding::new(
                    file.line(at + 1),
                    format!("links to {target}, which is not there"),
                    why,
                ));
            }
        }
    }
    findings
}

/// What stands in the round brackets of `[…](…)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The path without `..`; `None` when it leaves the project.
fn flat(path: &Path) -> Option<PathBuf> {
    let mut flat = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => flat.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !flat.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("docs")).unwrap();
        std::fs::write(root.path().join("docs/A.md"), "").unwrap();
        let broken = |path: &str, text: &str| check(root.path(), &TextFile::new(path, text)).len();
        assert_eq!(broken("README.md", "[a](docs/A.md), [b](docs/A.md#part) [c](#here)"), 0);
        assert_eq!(broken("docs/B.md", "[a](A.md) [up](../docs/A.md) [out](https://example.org)"), 0);
        assert_eq!(broken("docs/B.md", "![picture](pictures/demo.png) and [a](../A.md)"), 2);
        assert_eq!(broken("docs/B.md", "[outside](../../secret.md)"), 1);
        assert_eq!(broken("docs/b.rs", "[a](nowhere.md)"), 0);
    }
}
