//! The foreign calls of librime, each behind a function that cannot be called wrongly.
//!
//! Declarations follow `rime_api.h` of librime 1.8.5. The struct of functions grows at its end only, and says how large
//! it is; that is checked before a function is taken out of it.
#![allow(unsafe_code, reason = "calls librime; this file is listed in xtask/src/tidy/sources.rs")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::mem::{offset_of, size_of};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::rc::Rc;

use kiosk_core::Private;

use crate::{InputError, TEXT_BYTES_MAX};

type Bool = c_int;
type SessionId = usize;
/// A function that is not called, or a pointer that is not looked at.
type Unused = *const c_void;

/// Which messages librime's logger lets through: none but those before it ends the process.
const LOG_FATAL_ONLY: c_int = 3;

#[repr(C)]
struct Traits {
    data_size: c_int,
    shared_data_dir: *const c_char,
    user_data_dir: *const c_char,
    distribution_name: *const c_char,
    distribution_code_name: *const c_char,
    distribution_version: *const c_char,
    app_name: *const c_char,
    modules: Unused,
    min_log_level: c_int,
    log_dir: *const c_char,
    prebuilt_data_dir: *const c_char,
    staging_dir: *const c_char,
}

#[repr(C)]
struct CommitText {
    data_size: c_int,
    text: *mut c_char,
}

#[repr(C)]
struct Context {
    data_size: c_int,
    length: c_int,
    cursor_pos: c_int,
    sel_start: c_int,
    sel_end: c_int,
    preedit: *mut c_char,
    page_size: c_int,
    page_no: c_int,
    is_last_page: Bool,
    highlighted: c_int,
    candidate_count: c_int,
    candidates: Unused,
    select_keys: Unused,
    commit_text_preview: *mut c_char,
    select_labels: Unused,
}

#[repr(C)]
struct CandidateIterator {
    list: *mut c_void,
    index: c_int,
    text: *mut c_char,
    comment: *mut c_char,
    reserved: Unused,
}

#[repr(C)]
struct Api {
    data_size: c_int,
    setup: Option<unsafe extern "C" fn(*mut Traits)>,
    set_notification_handler: Unused,
    initialize: Option<unsafe extern "C" fn(*mut Traits)>,
    finalize: Option<unsafe extern "C" fn()>,
    maintenance: [Unused; 3],
    deployer_initialize: Option<unsafe extern "C" fn(*mut Traits)>,
    prebuild: Unused,
    deploy: Option<unsafe extern "C" fn() -> Bool>,
    deploy_parts: [Unused; 3],
    create_session: Option<unsafe extern "C" fn() -> SessionId>,
    find_session: Unused,
    destroy_session: Option<unsafe extern "C" fn(SessionId) -> Bool>,
    cleanup: [Unused; 2],
    process_key: Option<unsafe extern "C" fn(SessionId, c_int, c_int) -> Bool>,
    commit_composition: Unused,
    clear_composition: Option<unsafe extern "C" fn(SessionId)>,
    get_commit: Option<unsafe extern "C" fn(SessionId, *mut CommitText) -> Bool>,
    free_commit: Option<unsafe extern "C" fn(*mut CommitText) -> Bool>,
    get_context: Option<unsafe extern "C" fn(SessionId, *mut Context) -> Bool>,
    free_context: Option<unsafe extern "C" fn(*mut Context) -> Bool>,
    status: [Unused; 2],
    set_option: Option<unsafe extern "C" fn(SessionId, *const c_char, Bool)>,
    properties: [Unused; 5],
    get_current_schema: Unused,
    select_schema: Option<unsafe extern "C" fn(SessionId, *const c_char) -> Bool>,
    /// From `schema_open` to `config_begin_list`: settings, modules, tasks, folders.
    settings: [Unused; 34],
    get_input: Option<unsafe extern "C" fn(SessionId) -> *const c_char>,
    get_caret_pos: Unused,
    select_candidate: Option<unsafe extern "C" fn(SessionId, usize) -> Bool>,
    get_version: Unused,
    set_caret_pos: Unused,
    select_on_page: Unused,
    candidate_list_begin: Option<unsafe extern "C" fn(SessionId, *mut CandidateIterator) -> Bool>,
    candidate_list_next: Option<unsafe extern "C" fn(*mut CandidateIterator) -> Bool>,
    candidate_list_end: Option<unsafe extern "C" fn(*mut CandidateIterator)>,
}

#[link(name = "rime")]
unsafe extern "C" {
    fn rime_get_api() -> *const Api;
}

/// The functions that are used, each known to be there.
#[derive(Clone, Copy)]
struct Calls {
    setup: unsafe extern "C" fn(*mut Traits),
    initialize: unsafe extern "C" fn(*mut Traits),
    finalize: unsafe extern "C" fn(),
    deployer_initialize: unsafe extern "C" fn(*mut Traits),
    deploy: unsafe extern "C" fn() -> Bool,
    create_session: unsafe extern "C" fn() -> SessionId,
    destroy_session: unsafe extern "C" fn(SessionId) -> Bool,
    process_key: unsafe extern "C" fn(SessionId, c_int, c_int) -> Bool,
    clear_composition: unsafe extern "C" fn(SessionId),
    get_commit: unsafe extern "C" fn(SessionId, *mut CommitText) -> Bool,
    free_commit: unsafe extern "C" fn(*mut CommitText) -> Bool,
    get_context: unsafe extern "C" fn(SessionId, *mut Context) -> Bool,
    free_context: unsafe extern "C" fn(*mut Context) -> Bool,
    set_option: unsafe extern "C" fn(SessionId, *const c_char, Bool),
    select_schema: unsafe extern "C" fn(SessionId, *const c_char) -> Bool,
    get_input: unsafe extern "C" fn(SessionId) -> *const c_char,
    select_candidate: unsafe extern "C" fn(SessionId, usize) -> Bool,
    candidate_list_begin: unsafe extern "C" fn(SessionId, *mut CandidateIterator) -> Bool,
    candidate_list_next: unsafe extern "C" fn(*mut CandidateIterator) -> Bool,
    candidate_list_end: unsafe extern "C" fn(*mut CandidateIterator),
}

impl Calls {
    fn load() -> Result<Calls, InputError> {
        // SAFETY: returns librime's static table, or null.
        let table = unsafe { rime_get_api() };
        if table.is_null() {
            return Err(InputError::LibraryTooOld);
        }
        // SAFETY: every version of the table begins with its size, which does not count this field's own bytes.
        let size = unsafe { (*table).data_size };
        let reaches = usize::try_from(size).unwrap_or(0) + size_of::<c_int>();
        if reaches < offset_of!(Api, candidate_list_end) + size_of::<Unused>() {
            return Err(InputError::LibraryTooOld);
        }
        // SAFETY: it is as large as our declaration, static, and never written after this call.
        let api = unsafe { &*table };
        let calls = || {
            Some(Calls {
                setup: api.setup?,
                initialize: api.initialize?,
                finalize: api.finalize?,
                deployer_initialize: api.deployer_initialize?,
                deploy: api.deploy?,
                create_session: api.create_session?,
                destroy_session: api.destroy_session?,
                process_key: api.process_key?,
                clear_composition: api.clear_composition?,
                get_commit: api.get_commit?,
                free_commit: api.free_commit?,
                get_context: api.get_context?,
                free_context: api.free_context?,
                set_option: api.set_option?,
                select_schema: api.select_schema?,
                get_input: api.get_input?,
                select_candidate: api.select_candidate?,
                candidate_list_begin: api.candidate_list_begin?,
                candidate_list_next: api.candidate_list_next?,
                candidate_list_end: api.candidate_list_end?,
            })
        };
        calls().ok_or(InputError::LibraryTooOld)
    }
}

/// What librime is told about its surroundings; the texts live as long as it is asked with them.
struct Surroundings {
    shared: CString,
    deployed: CString,
    prebuilt: CString,
    staging: CString,
}

impl Surroundings {
    fn new(rime_data: &Path, deployed: &Path) -> Result<Surroundings, InputError> {
        let c = |path: &Path| CString::new(path.as_os_str().as_bytes()).map_err(|_| InputError::BadPath);
        Ok(Surroundings {
            shared: c(rime_data)?,
            deployed: c(deployed)?,
            prebuilt: c(&rime_data.join("build"))?,
            staging: c(&deployed.join("build"))?,
        })
    }

    fn traits(&self) -> Traits {
        Traits {
            data_size: (size_of::<Traits>() - size_of::<c_int>()) as c_int,
            shared_data_dir: self.shared.as_ptr(),
            user_data_dir: self.deployed.as_ptr(),
            distribution_name: c"kiosk".as_ptr(),
            distribution_code_name: c"kiosk".as_ptr(),
            distribution_version: c"1".as_ptr(),
            app_name: c"rime.kiosk".as_ptr(),
            modules: null(),
            min_log_level: LOG_FATAL_ONLY,
            // Empty: no log file anywhere.
            log_dir: c"".as_ptr(),
            prebuilt_data_dir: self.prebuilt.as_ptr(),
            staging_dir: self.staging.as_ptr(),
        }
    }
}

/// Makes librime's tables. The caller sees to it that librime is set up once in a process.
pub fn deploy(rime_data: &Path, deployed: &Path) -> Result<(), InputError> {
    let calls = Calls::load()?;
    let surroundings = Surroundings::new(rime_data, deployed)?;
    let mut traits = surroundings.traits();
    // SAFETY: the texts outlive the calls, librime copies them; the order is the one that rime_api.h asks for.
    let done = unsafe {
        (calls.setup)(&mut traits);
        (calls.deployer_initialize)(&mut traits);
        let done = (calls.deploy)();
        (calls.finalize)();
        done
    };
    if done != 0 { Ok(()) } else { Err(InputError::DeployFailed) }
}

/// librime at work. Neither `Send` nor `Sync`: it has one global state without locks.
pub struct Library {
    calls: Calls,
    one_thread: PhantomData<*mut ()>,
}

impl Library {
    /// Opens it over a deployed folder. The caller sees to it that this is done once in a process.
    pub fn open(rime_data: &Path, deployed: &Path) -> Result<Library, InputError> {
        let calls = Calls::load()?;
        let surroundings = Surroundings::new(rime_data, deployed)?;
        let mut traits = surroundings.traits();
        // SAFETY: as in `deploy`. No maintenance is started, so no thread of librime's runs.
        unsafe {
            (calls.setup)(&mut traits);
            (calls.initialize)(&mut traits);
        }
        Ok(Library { calls, one_thread: PhantomData })
    }

    /// A session with this schema.
    pub fn session(library: &Rc<Library>, schema: &'static str) -> Result<Session, InputError> {
        let id = CString::new(schema).map_err(|_| InputError::NotDeployed(schema))?;
        // SAFETY: the library is open.
        let session = Session { id: unsafe { (library.calls.create_session)() }, library: library.clone() };
        if session.id == 0 {
            return Err(InputError::NotDeployed(schema));
        }
        // SAFETY: the session exists, and librime copies the name.
        let selected = unsafe { (library.calls.select_schema)(session.id, id.as_ptr()) };
        if selected != 0 { Ok(session) } else { Err(InputError::NotDeployed(schema)) }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // SAFETY: it is open, and every session holds it, so none is left.
        unsafe { (self.calls.finalize)() }
    }
}

/// One composition of librime. In all calls below the session exists: it is ended only when this is dropped, and the
/// calls that clean up other sessions are not in [`Calls`]. An id that librime no longer knows would only be refused.
pub struct Session {
    library: Rc<Library>,
    id: SessionId,
}

impl Session {
    /// Switches an option of the schema.
    pub fn set_option(&self, name: &CStr, on: bool) {
        // SAFETY: librime copies the name.
        unsafe { (self.library.calls.set_option)(self.id, name.as_ptr(), on.into()) }
    }

    /// Presses a key (X11's number), without Shift or Control.
    pub fn press(&self, key: c_int) {
        // SAFETY: plain values.
        unsafe { (self.library.calls.process_key)(self.id, key, 0) };
    }

    /// Chooses a candidate, counted over all pages.
    pub fn select(&self, index: usize) {
        // SAFETY: plain values; an index beyond the last is refused.
        unsafe { (self.library.calls.select_candidate)(self.id, index) };
    }

    /// Drops what was typed.
    pub fn clear(&self) {
        // SAFETY: plain values.
        unsafe { (self.library.calls.clear_composition)(self.id) }
    }

    /// Keys in the composition.
    pub fn input_length(&self) -> usize {
        // SAFETY: plain values.
        let input = unsafe { (self.library.calls.get_input)(self.id) };
        // SAFETY: null, or a text that lives until the next key.
        if input.is_null() { 0 } else { unsafe { CStr::from_ptr(input) }.count_bytes() }
    }

    /// What was typed, as it is shown.
    pub fn preedit(&self) -> Private<String> {
        let mut context = Context {
            data_size: (size_of::<Context>() - size_of::<c_int>()) as c_int,
            length: 0,
            cursor_pos: 0,
            sel_start: 0,
            sel_end: 0,
            preedit: null_mut(),
            page_size: 0,
            page_no: 0,
            is_last_page: 0,
            highlighted: 0,
            candidate_count: 0,
            candidates: null(),
            select_keys: null(),
            commit_text_preview: null_mut(),
            select_labels: null(),
        };
        // SAFETY: the struct is of the size that it says, and what librime hangs into it is freed by librime.
        unsafe {
            if (self.library.calls.get_context)(self.id, &mut context) == 0 {
                return Private::from("");
            }
            let preedit = text(context.preedit);
            (self.library.calls.free_context)(&mut context);
            preedit
        }
    }

    /// What became final since the last time it was asked.
    pub fn commit(&self) -> Private<String> {
        let size = (size_of::<CommitText>() - size_of::<c_int>()) as c_int;
        let mut commit = CommitText { data_size: size, text: null_mut() };
        // SAFETY: as in `preedit`.
        unsafe {
            if (self.library.calls.get_commit)(self.id, &mut commit) == 0 {
                return Private::from("");
            }
            let committed = text(commit.text);
            (self.library.calls.free_commit)(&mut commit);
            committed
        }
    }

    /// The first candidates.
    pub fn candidates(&self, most: usize) -> Vec<Private<String>> {
        let mut found = Vec::with_capacity(most);
        let mut list = CandidateIterator {
            list: null_mut(),
            index: 0,
            text: null_mut(),
            comment: null_mut(),
            reserved: null(),
        };
        // SAFETY: begin, next and end come in the order that rime_api.h asks for; the iterator owns its texts until the
        // next one, and `end` frees the last.
        unsafe {
            if (self.library.calls.candidate_list_begin)(self.id, &mut list) == 0 {
                return found;
            }
            while found.len() < most && (self.library.calls.candidate_list_next)(&mut list) != 0 {
                found.push(text(list.text));
            }
            (self.library.calls.candidate_list_end)(&mut list);
        }
        found
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: the library is still open: `library` is dropped after this.
        unsafe { (self.library.calls.destroy_session)(self.id) };
    }
}

/// A text of librime's as ours, cut where it would be longer than any text may be.
///
/// # Safety
/// `pointer` is null or points to a text that ends with a zero byte.
unsafe fn text(pointer: *const c_char) -> Private<String> {
    if pointer.is_null() {
        return Private::from("");
    }
    // SAFETY: the caller says so.
    let text = unsafe { CStr::from_ptr(pointer) }.to_str().unwrap_or("");
    Private::from(&text[..text.floor_char_boundary(TEXT_BYTES_MAX)])
}
