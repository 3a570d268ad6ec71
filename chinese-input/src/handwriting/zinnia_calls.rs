//! The foreign calls of zinnia, each behind a function that cannot be called wrongly.
//!
//! Declarations follow `zinnia.h` of zinnia 0.06.
#![allow(unsafe_code, reason = "calls zinnia; this file is listed in xtask/src/tidy/sources.rs")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

use kiosk_core::Private;

use crate::{InputError, PEN_SIDE, Stroke, TEXT_BYTES_MAX};

#[link(name = "zinnia")]
unsafe extern "C" {
    fn zinnia_character_new() -> *mut c_void;
    fn zinnia_character_destroy(character: *mut c_void);
    fn zinnia_character_set_width(character: *mut c_void, width: usize);
    fn zinnia_character_set_height(character: *mut c_void, height: usize);
    fn zinnia_character_add(character: *mut c_void, stroke: usize, x: c_int, y: c_int) -> c_int;
    fn zinnia_result_value(result: *mut c_void, index: usize) -> *const c_char;
    fn zinnia_result_size(result: *mut c_void) -> usize;
    fn zinnia_result_destroy(result: *mut c_void);
    fn zinnia_recognizer_new() -> *mut c_void;
    fn zinnia_recognizer_destroy(recognizer: *mut c_void);
    fn zinnia_recognizer_open(recognizer: *mut c_void, path: *const c_char) -> c_int;
    fn zinnia_recognizer_size(recognizer: *mut c_void) -> usize;
    fn zinnia_recognizer_value(recognizer: *mut c_void, index: usize) -> *const c_char;
    fn zinnia_recognizer_classify(
        recognizer: *mut c_void,
        character: *const c_void,
        most: usize,
    ) -> *mut c_void;
}

/// An open model.
pub struct Recognizer(NonNull<c_void>);

impl Recognizer {
    /// Maps a model into memory.
    pub fn open(path: &Path) -> Result<Recognizer, InputError> {
        let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| InputError::BadPath)?;
        // SAFETY: makes an object that is ours.
        let recognizer =
            Recognizer(NonNull::new(unsafe { zinnia_recognizer_new() }).ok_or(InputError::NoModel)?);
        // SAFETY: the object lives, and the text ends with a zero byte.
        let opened = unsafe { zinnia_recognizer_open(recognizer.0.as_ptr(), path.as_ptr()) };
        if opened != 0 && recognizer.known() > 0 { Ok(recognizer) } else { Err(InputError::NoModel) }
    }

    /// How many characters it knows.
    pub fn known(&self) -> usize {
        // SAFETY: the object lives.
        unsafe { zinnia_recognizer_size(self.0.as_ptr()) }
    }

    /// Whether it knows this one.
    pub fn knows(&self, character: &str) -> bool {
        // SAFETY: the object lives and has that many; each is a text that ends with a zero byte.
        (0..self.known()).any(|index| unsafe {
            let value = zinnia_recognizer_value(self.0.as_ptr(), index);
            !value.is_null() && CStr::from_ptr(value).to_bytes() == character.as_bytes()
        })
    }

    /// What the strokes look like most, at most this many.
    pub fn classify(&self, strokes: &[Stroke], most: usize) -> Vec<Private<String>> {
        let Some(drawing) = Drawing::new(strokes) else { return Vec::new() };
        // SAFETY: both objects live.
        let result = unsafe { zinnia_recognizer_classify(self.0.as_ptr(), drawing.0.as_ptr(), most) };
        let Some(result) = NonNull::new(result) else { return Vec::new() };
        // SAFETY: the result lives until it is destroyed below, after its texts were copied.
        unsafe {
            let count = zinnia_result_size(result.as_ptr()).min(most);
            let found = (0..count).map(|index| text(zinnia_result_value(result.as_ptr(), index))).collect();
            zinnia_result_destroy(result.as_ptr());
            found
        }
    }
}

impl Drop for Recognizer {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody else holds it.
        unsafe { zinnia_recognizer_destroy(self.0.as_ptr()) }
    }
}

/// Strokes as zinnia holds them.
struct Drawing(NonNull<c_void>);

impl Drawing {
    fn new(strokes: &[Stroke]) -> Option<Drawing> {
        // SAFETY: makes an object that is ours.
        let drawing = Drawing(NonNull::new(unsafe { zinnia_character_new() })?);
        let object = drawing.0.as_ptr();
        // SAFETY: the object lives; strokes and points are bounded by their types, and all are plain numbers.
        unsafe {
            zinnia_character_set_width(object, PEN_SIDE.into());
            zinnia_character_set_height(object, PEN_SIDE.into());
            for (index, stroke) in strokes.iter().enumerate() {
                for point in stroke.points() {
                    zinnia_character_add(object, index, point.x.into(), point.y.into());
                }
            }
        }
        Some(drawing)
    }
}

impl Drop for Drawing {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody else holds it.
        unsafe { zinnia_character_destroy(self.0.as_ptr()) }
    }
}

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
