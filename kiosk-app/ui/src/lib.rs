//! What the kiosk shows: the Slint markup under `ui/`, its icons and its words in three languages,
//! compiled into Rust types. The binder in kiosk-app sets the globals and listens to their
//! callbacks; `ui/globals.slint` is the whole interface.
//!
//! Deliberately absent: decisions, data, text that is not translated, and any other crate of ours.
//! The words in the markup are simplified Chinese, so `slint::select_bundled_translation` knows that
//! language as `""`; the others are `zh-Hant` and `en`. Select one after the window has been made.

pub use generated::*;

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::todo, reason = "written by the Slint compiler")]
mod generated {
    slint::include_modules!();
}
