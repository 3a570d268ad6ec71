//! Reading the catalog folder: the only place of this crate that touches files.

use crate::areas::{self, Areas, read_areas};
use crate::item::{Choice, FollowUp, OptionsFrom, QuestionKind, ServiceItem, Shape};
use crate::problem::{Fault, ItemProblem};
use crate::rules::read_item;
use crate::shape_rules::{no_such_item, once_in_a_catalog};
use crate::text::Text;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Folder of the items inside the catalog's folder.
const ITEMS: &str = "items";
/// Twenty times the largest item so far; a larger file is not an item.
const MAX_FILE_BYTES: u64 = 256 * 1024;
/// More than any city offers on one kiosk.
const MAX_FILES: usize = 500;

/// 目录: the items of one folder, as they were when it was loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalog {
    /// SHA-256 over names and contents of all item files and of the areas, in hex.
    pub version: String,
    /// The usable items, in the order of the home screen.
    pub items: Vec<ServiceItem>,
    /// The files that could not be used, and why.
    pub rejected: Vec<RejectedItem>,
}

/// A file that could not be used. It hurts no other item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedItem {
    /// The file, from the catalog's folder.
    pub file: String,
    /// The line, counted from 1, where it can be told.
    pub line: Option<usize>,
    /// What is wrong, in plain words.
    pub reason: String,
}

impl Catalog {
    /// Loads `dir/items/*.toml`. A file that cannot be used is listed in `rejected`, and so is a folder
    /// that cannot be read; neither stops the others. Hidden files and other endings are ignored.
    pub fn load(dir: &Path) -> Catalog {
        let mut catalog = Catalog::default();
        let mut hash = Sha256::new();
        let areas = catalog.areas(dir, &mut hash);
        let files = match item_files(&dir.join(ITEMS)) {
            Ok(files) => files,
            Err(error) => {
                catalog.reject(ITEMS.to_owned(), None, &ItemProblem::Unreadable(error.kind()));
                Vec::new()
            }
        };
        if files.len() > MAX_FILES {
            catalog.reject(ITEMS.to_owned(), None, &ItemProblem::TooManyFiles { limit: MAX_FILES });
        }
        let mut life_events = Vec::new();
        for path in files.into_iter().take(MAX_FILES) {
            let name = path.file_name().unwrap_or_default();
            let shown = format!("{ITEMS}/{}", name.to_string_lossy());
            let content = match read_limited(&path) {
                Ok(content) => content,
                Err(problem) => {
                    catalog.reject(shown, None, &problem);
                    continue;
                }
            };
            add_to(&mut hash, name.as_encoded_bytes(), &content);
            catalog.add(shown, &path, content, areas.as_ref(), &mut life_events);
        }
        for (shown, text, item) in life_events {
            match item.items.iter().find(|code| !catalog.begins(code)) {
                None => catalog.items.push(item),
                Some(code) => catalog.reject_fault(shown, &text, &no_such_item(code, &text)),
            }
        }
        catalog.items.sort_by(|a, b| (a.order, &a.code).cmp(&(b.order, &b.code)));
        catalog.version = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        catalog
    }

    /// The item with this code.
    pub fn item(&self, code: &str) -> Option<&ServiceItem> {
        self.items.iter().find(|item| item.code == code)
    }

    /// Whether an item of this code can be begun at the home screen, other than a life event.
    fn begins(&self, code: &str) -> bool {
        let plain = |item: &ServiceItem| item.shape != Shape::LifeEvent && item.shape.follows().is_none();
        self.item(code).is_some_and(plain)
    }

    /// Life events wait until all that they can consist of is there.
    fn add(
        &mut self,
        shown: String,
        path: &Path,
        content: Vec<u8>,
        areas: Option<&Arc<Areas>>,
        life_events: &mut Vec<(String, String, ServiceItem)>,
    ) {
        let Ok(text) = String::from_utf8(content) else {
            return self.reject(shown, None, &ItemProblem::NotUtf8);
        };
        let text = without_mark(&text);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        match read_item(&stem, text) {
            Ok(item) if item.shape == Shape::LifeEvent => life_events.push((shown, text.to_owned(), item)),
            Ok(mut item) => match (know_areas(&mut item, areas), self.same_follow_up(&item, text)) {
                (Ok(()), None) => self.items.push(item),
                (Ok(()), Some(fault)) => self.reject_fault(shown, text, &fault),
                (Err(problem), _) => self.reject(shown, None, &problem),
            },
            Err(fault) => self.reject_fault(shown, text, &fault),
        }
    }

    /// The item that follows a case with this, if there is one.
    pub fn follow_up(&self, follows: FollowUp) -> Option<&ServiceItem> {
        self.items.iter().find(|item| item.shape.follows() == Some(follows))
    }

    /// What is wrong with a second item that follows a case with the same. The first in the order of names stays.
    fn same_follow_up(&self, item: &ServiceItem, text: &str) -> Option<Fault> {
        let follows = item.shape.follows()?;
        let earlier = self.follow_up(follows)?;
        Some(once_in_a_catalog(follows, &earlier.code, text))
    }

    /// The towns and villages. A catalog without address questions does without the file.
    fn areas(&mut self, dir: &Path, hash: &mut Sha256) -> Option<Arc<Areas>> {
        let path = dir.join(areas::FILE);
        if fs::symlink_metadata(&path).is_err() {
            return None;
        }
        let shown = areas::FILE.to_owned();
        let content = match read_limited(&path) {
            Ok(content) => content,
            Err(problem) => {
                self.reject(shown, None, &problem);
                return None;
            }
        };
        add_to(hash, areas::FILE.as_bytes(), &content);
        let Ok(text) = String::from_utf8(content) else {
            self.reject(shown, None, &ItemProblem::NotUtf8);
            return None;
        };
        let text = without_mark(&text);
        match read_areas(text) {
            Ok(areas) => Some(Arc::new(areas)),
            Err(fault) => {
                self.reject_fault(shown, text, &fault);
                None
            }
        }
    }

    fn reject_fault(&mut self, file: String, text: &str, fault: &Fault) {
        self.reject(file, fault.line(text), &fault.problem);
    }

    fn reject(&mut self, file: String, line: Option<usize>, problem: &ItemProblem) {
        self.rejected.push(RejectedItem { file, line, reason: problem.to_string() });
    }
}

/// Lengths come first, so that no two sets of files can give the same bytes.
fn add_to(hash: &mut Sha256, name: &[u8], content: &[u8]) {
    for part in [name, content] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
}

/// Some editors put a byte order mark in front; it is not part of the words.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Gives address questions, and choices of towns, what there is to choose from.
fn know_areas(item: &mut ServiceItem, areas: Option<&Arc<Areas>>) -> Result<(), ItemProblem> {
    for question in &mut item.questions {
        let of_towns = question.options_from == Some(OptionsFrom::Towns);
        if question.kind != QuestionKind::Address && !of_towns {
            continue;
        }
        let areas = areas.ok_or(ItemProblem::NoAreas)?;
        if of_towns {
            let towns = areas.towns.iter().map(|town| &town.name);
            let option = |name: &Text| Choice { value: name.zh_hans.clone(), label: name.clone() };
            question.options = towns.map(option).collect();
        }
        question.areas = Some(Arc::clone(areas));
    }
    Ok(())
}

/// The item files in the order of their names.
fn item_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.extension().is_some_and(|ending| ending == "toml") && !hidden {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_limited(path: &Path) -> Result<Vec<u8>, ItemProblem> {
    let unreadable = |error: io::Error| ItemProblem::Unreadable(error.kind());
    // Opening a pipe would wait for a writer, so the kind of file is asked first.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(ItemProblem::NotAFile);
    }
    let mut content = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content).map_err(unreadable)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(ItemProblem::TooLarge { limit: MAX_FILE_BYTES / 1024 });
    }
    Ok(content)
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
