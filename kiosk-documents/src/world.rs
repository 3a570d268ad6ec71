//! What the typesetter may see: one template, the fonts of the list, the inputs. No files, no packages,
//! no clock.

use std::sync::Arc;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Dict, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

use crate::fonts::Fonts;

/// One template with its inputs.
pub(crate) struct Sheet {
    library: LazyHash<Library>,
    fonts: Arc<Fonts>,
    template: Source,
}

impl Sheet {
    pub(crate) fn new(fonts: Arc<Fonts>, name: &str, template: &str, inputs: Dict) -> Sheet {
        let path = VirtualPath::new(name).expect("template names are plain file names");
        let id = RootedPath::new(VirtualRoot::Project, path).intern();
        Sheet {
            library: LazyHash::new(Library::builder().with_inputs(inputs).build()),
            fonts,
            template: Source::new(id, template.to_owned()),
        }
    }
}

impl World for Sheet {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.fonts.book()
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.template.id() { Ok(self.template.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.font(index)
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
