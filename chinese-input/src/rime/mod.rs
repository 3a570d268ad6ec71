//! Pinyin, 粤拼 and strokes through librime, with schemas of our own over Debian's dictionaries.
//!
//! Our schemas leave out everything that writes, learns, or reacts to keys that this keyboard does not have: the user
//! dictionary, switches by hot keys, punctuation, look-up by other codes.

mod calls;

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::calls::{Library, Session};
use crate::{
    CANDIDATES_MAX, Composition, InputEngine, InputError, KEYS_MAX, Key, Mark, Method, Script, Sources,
};

/// X11's number of the key that takes back, which librime uses.
const BACKSPACE: i32 = 0xff08;
/// The file that lists what is deployed, and our schemas.
const FILES: [(&str, &str); 4] = [
    (
        "default.yaml",
        "config_version: '1'\nschema_list:\n  - schema: kiosk_pinyin\n  - schema: kiosk_jyutping\n  - schema: kiosk_strokes\n",
    ),
    ("kiosk_pinyin.schema.yaml", include_str!("../../schemas/kiosk_pinyin.schema.yaml")),
    ("kiosk_jyutping.schema.yaml", include_str!("../../schemas/kiosk_jyutping.schema.yaml")),
    ("kiosk_strokes.schema.yaml", include_str!("../../schemas/kiosk_strokes.schema.yaml")),
];

/// How often each character is written, of Debian's `rime-essay`: without it librime deploys the strokes all the same,
/// and offers 㐅 before 人.
const FREQUENCIES: &str = "essay.txt";

/// Whether librime was set up in this process; its state is global and cannot be set up twice.
static OPENED: AtomicBool = AtomicBool::new(false);

fn first_time() -> Result<(), InputError> {
    if OPENED.swap(true, Ordering::SeqCst) { Err(InputError::OpenedBefore) } else { Ok(()) }
}

/// Lays our schemas into a folder and lets librime make its tables of them, once for each image of a terminal. In a
/// process of its own: it takes seconds, and librime cannot be set up a second time.
pub fn deploy(sources: &Sources) -> Result<(), InputError> {
    if !sources.rime_data.join(FREQUENCIES).is_file() {
        return Err(InputError::DeployFailed);
    }
    first_time()?;
    std::fs::create_dir_all(&sources.deployed).map_err(InputError::Folder)?;
    for (name, text) in FILES {
        std::fs::write(sources.deployed.join(name), text).map_err(InputError::Folder)?;
    }
    calls::deploy(&sources.rime_data, &sources.deployed)?;
    // librime answers yes although a schema could not be made.
    let built = |schema: &str| table(&sources.deployed, schema).is_file();
    if METHODS.into_iter().filter_map(schema_of).all(built) { Ok(()) } else { Err(InputError::DeployFailed) }
}

const METHODS: [Method; 4] = [Method::Pinyin, Method::Jyutping, Method::Strokes, Method::Handwriting];

fn schema_of(method: Method) -> Option<&'static str> {
    match method {
        Method::Pinyin => Some("kiosk_pinyin"),
        Method::Jyutping => Some("kiosk_jyutping"),
        Method::Strokes => Some("kiosk_strokes"),
        Method::Handwriting => None,
    }
}

/// The table of spellings that the deployment of a schema ends with.
fn table(deployed: &Path, schema: &str) -> std::path::PathBuf {
    deployed.join("build").join(format!("{schema}.prism.bin"))
}

/// librime, open in this process. Stays on the thread that opened it.
#[derive(Clone)]
pub struct Rime {
    library: Rc<Library>,
    deployed: Rc<Path>,
}

impl Rime {
    /// Opens librime over a folder into which [`deploy`] was done. Once in a process.
    pub fn open(sources: &Sources) -> Result<Rime, InputError> {
        first_time()?;
        let library = Library::open(&sources.rime_data, &sources.deployed)?;
        Ok(Rime { library: Rc::new(library), deployed: sources.deployed.as_path().into() })
    }

    /// An engine for a way of typing.
    pub fn engine(&self, method: Method, script: Script) -> Result<RimeEngine, InputError> {
        let schema = schema_of(method).ok_or(InputError::NotDeployed("for handwriting"))?;
        // Without its table librime would accept the schema and never find anything.
        if !table(&self.deployed, schema).is_file() {
            return Err(InputError::NotDeployed(schema));
        }
        let session = Library::session(&self.library, schema)?;
        session.set_option(c"simplification", script == Script::Simplified);
        session.set_option(c"hong_kong", script == Script::Traditional);
        Ok(RimeEngine { session, method, shown: Cell::new(0) })
    }
}

/// One way of typing through librime.
pub struct RimeEngine {
    session: Session,
    method: Method,
    /// Candidates in the last composition.
    shown: Cell<usize>,
}

impl RimeEngine {
    /// Whether this way of typing has a use for the key after `typed` others.
    fn uses(&self, key: Key, typed: usize) -> bool {
        let letter = key.character().is_ascii_lowercase();
        match self.method {
            Method::Pinyin => letter || (typed > 0 && key.character() == '\''),
            // A tone or a separator follows a syllable.
            Method::Jyutping => letter || typed > 0,
            Method::Strokes => "hspnz".contains(key.character()),
            Method::Handwriting => false,
        }
    }

    fn composition(&self) -> Composition {
        let candidates = self.session.candidates(CANDIDATES_MAX);
        self.shown.set(candidates.len());
        Composition { typed: self.session.preedit(), candidates, committed: self.session.commit() }
    }
}

impl InputEngine for RimeEngine {
    fn enter(&mut self, mark: &Mark) -> Result<Composition, InputError> {
        if let Mark::Key(key) = mark {
            let typed = self.session.input_length();
            if typed < KEYS_MAX && self.uses(*key, typed) {
                self.session.press(i32::from(key.code()));
            }
        }
        Ok(self.composition())
    }

    fn choose(&mut self, index: usize) -> Result<Composition, InputError> {
        if index < self.shown.get() {
            self.session.select(index);
        }
        Ok(self.composition())
    }

    fn take_back(&mut self) -> Result<Composition, InputError> {
        if self.session.input_length() > 0 {
            self.session.press(BACKSPACE);
        }
        Ok(self.composition())
    }

    fn clear(&mut self) -> Result<(), InputError> {
        self.session.clear();
        self.shown.set(0);
        Ok(())
    }

    fn forget(&mut self) -> Result<(), InputError> {
        // The engine learns nothing; what lies in librime's freed memory goes with the process (see `InputClient`).
        self.clear()
    }
}
