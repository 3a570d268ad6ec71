//! The fonts of `assets/fonts.toml`, each file opened only when a glyph is asked of it.
//!
//! The list names families and faces, so the typesetter's font book is made without opening a file: most
//! receipts need two of the five files, and a hundred megabytes stay on disk. Files are mapped and not read into
//! memory; what they cost is that the typesetter goes once through all of each, to know it again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;
use typst::foundations::Bytes;
use typst::text::{
    Coverage, Font, FontBook, FontFlags, FontInfo, FontStretch, FontStyle, FontVariant, FontWeight,
};
use typst::utils::LazyHash;

use crate::DocumentError;
use crate::mapped_file::MappedFile;

/// The list, part of the program: a terminal cannot lose it.
const FONT_LIST: &str = include_str!("../../assets/fonts.toml");

/// Limits of the search for a file that is not where the list expects it.
const SEARCH_DEPTH: usize = 6;
const MAX_FACES_IN_COLLECTION: u32 = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FontList {
    roots: Vec<PathBuf>,
    family: Vec<Family>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    name: String,
    package: String,
    faces: Vec<Face>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Face {
    file: PathBuf,
    index: u32,
    weight: u16,
}

/// The fonts a document may use, in the order in which they are asked.
pub(crate) struct Fonts {
    book: LazyHash<FontBook>,
    slots: Vec<Slot>,
    files: Vec<FontFile>,
}

struct Slot {
    family: String,
    file: usize,
    index: u32,
    font: OnceLock<Option<Font>>,
}

/// A file that several faces may share; opened once.
struct FontFile {
    name: PathBuf,
    path: PathBuf,
    /// The same twice: for us, and as the typesetter wants it.
    opened: OnceLock<Option<(MappedFile, Bytes)>>,
}

impl Fonts {
    /// Finds the files of the list. A rare-character font that is not installed is left out, but nothing
    /// can be printed without the first family.
    pub(crate) fn find() -> Result<Fonts, DocumentError> {
        let list: FontList =
            toml::from_str(FONT_LIST).map_err(|error| DocumentError::FontList(error.message().to_owned()))?;
        Fonts::from_list(&list)
    }

    fn from_list(list: &FontList) -> Result<Fonts, DocumentError> {
        let mut fonts = Fonts { book: LazyHash::new(FontBook::new()), slots: Vec::new(), files: Vec::new() };
        for (position, family) in list.family.iter().enumerate() {
            for face in &family.faces {
                fonts.add(&list.roots, family, face);
            }
            if position == 0 && fonts.slots.is_empty() {
                return Err(DocumentError::FontMissing {
                    family: family.name.clone(),
                    package: family.package.clone(),
                });
            }
        }
        Ok(fonts)
    }

    fn add(&mut self, roots: &[PathBuf], family: &Family, face: &Face) {
        let known = self.files.iter().position(|file| file.name == face.file);
        let file = match known {
            Some(file) => file,
            None => {
                let Some(path) = locate(roots, &face.file) else { return };
                self.files.push(FontFile { name: face.file.clone(), path, opened: OnceLock::new() });
                self.files.len() - 1
            }
        };
        self.book.push(FontInfo {
            family: family.name.clone(),
            variant: FontVariant::new(
                FontStyle::Normal,
                FontWeight::from_number(face.weight),
                FontStretch::NORMAL,
            ),
            flags: FontFlags::empty(),
            axes: Vec::new(),
            // Only the typesetter's own search for a substitute reads this, and the template turns that off.
            coverage: Coverage::from_vec(Vec::new()),
        });
        self.slots.push(Slot { family: family.name.clone(), file, index: face.index, font: OnceLock::new() });
    }

    pub(crate) fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    /// The font with this number in the book, opened when it is first asked for.
    pub(crate) fn font(&self, number: usize) -> Option<Font> {
        let slot = self.slots.get(number)?;
        slot.font.get_or_init(|| self.load(slot)).clone()
    }

    /// Gives the memory of the open files back until they are used again.
    pub(crate) fn let_go(&self) {
        for (file, _) in self.files.iter().filter_map(|file| file.opened.get()?.as_ref()) {
            file.let_go();
        }
    }

    fn load(&self, slot: &Slot) -> Option<Font> {
        let bytes = self.files[slot.file].bytes()?;
        let expected = Font::new(bytes.clone(), slot.index);
        if let Some(font) = expected.filter(|font| font.info().family == slot.family) {
            return Some(font);
        }
        // Another release of the file may order its faces differently.
        (0..MAX_FACES_IN_COLLECTION)
            .map_while(|index| Font::new(bytes.clone(), index))
            .find(|font| font.info().family == slot.family)
    }
}

impl FontFile {
    fn bytes(&self) -> Option<Bytes> {
        let open = || MappedFile::open(&self.path).ok().map(|file| (file.clone(), Bytes::new(file)));
        self.opened.get_or_init(open).as_ref().map(|(_, bytes)| bytes.clone())
    }
}

/// The file as the list names it below a root, else a file of the same name anywhere below the roots.
fn locate(roots: &[PathBuf], file: &Path) -> Option<PathBuf> {
    let direct = roots.iter().map(|root| root.join(file)).find(|path| path.is_file());
    direct.or_else(|| roots.iter().find_map(|root| search(root, file.file_name()?, SEARCH_DEPTH)))
}

fn search(folder: &Path, name: &std::ffi::OsStr, depth: usize) -> Option<PathBuf> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            folders.push(path);
        } else if entry.file_name() == name {
            return Some(path);
        }
    }
    if depth == 0 {
        return None;
    }
    folders.iter().find_map(|folder| search(folder, name, depth - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_family_is_installed_and_is_what_the_list_says() {
        let list: FontList = toml::from_str(FONT_LIST).unwrap();
        let faces: usize = list.family.iter().map(|family| family.faces.len()).sum();
        let fonts = Fonts::find().unwrap();
        assert_eq!(fonts.slots.len(), faces, "a font of assets/fonts.toml is not installed");
        for (number, slot) in fonts.slots.iter().enumerate() {
            let font = fonts.font(number).expect("the font can be read");
            assert_eq!(font.info().family, slot.family);
            assert_eq!(font.index(), slot.index, "{}", slot.family);
        }
    }

    #[test]
    fn nothing_is_opened_before_it_is_asked_for() {
        let fonts = Fonts::find().unwrap();
        let open = || fonts.files.iter().filter(|file| file.opened.get().is_some()).count();
        assert_eq!(open(), 0);
        fonts.font(0).unwrap();
        fonts.let_go();
        assert_eq!(open(), 1);
        assert_eq!(fonts.font(0).unwrap().info().family, "Noto Sans CJK SC");
    }

    #[test]
    fn a_file_that_moved_is_found_and_a_changed_order_of_faces_too() {
        let list: FontList = toml::from_str(
            r#"
            roots = ["/usr/share/fonts"]
            [[family]]
            name = "Noto Sans CJK SC"
            package = "fonts-noto-cjk"
            faces = [{ file = "elsewhere/NotoSansCJK-Regular.ttc", index = 0, weight = 400 }]
            "#,
        )
        .unwrap();
        let fonts = Fonts::from_list(&list).unwrap();
        assert_eq!(fonts.font(0).unwrap().info().family, "Noto Sans CJK SC");
    }

    #[test]
    fn without_the_first_family_the_package_is_named() {
        let list: FontList = toml::from_str(
            r#"
            roots = ["/nonexistent"]
            [[family]]
            name = "Noto Sans CJK SC"
            package = "fonts-noto-cjk"
            faces = [{ file = "NotoSansCJK-Regular.ttc", index = 2, weight = 400 }]
            "#,
        )
        .unwrap();
        let error = Fonts::from_list(&list).err().unwrap();
        assert!(error.to_string().contains("fonts-noto-cjk"));
    }
}
