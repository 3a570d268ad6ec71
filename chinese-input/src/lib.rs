//! Chinese input for a screen without a keyboard: pinyin, 粤拼, strokes, handwriting, and rare characters by radical.
//!
//! [`InputEngine`] is the one interface. [`RimeEngine`] stands on librime, [`HandwritingEngine`] on zinnia; both run in
//! the program `chinese-input`, a process for each session, which [`InputClient`] asks. [`RecentFirst`] puts what was
//! used last in front. [`picker`] needs neither library.
//!
//! **What is absent.** A screen, a thread, a network, a log. A dictionary of what residents typed: nothing of a session
//! is written anywhere, and what is in memory goes with the process. Words for people: errors have a [`Remedy`].

pub mod child;
pub mod client;
mod engine;
mod error;
mod handwriting;
pub mod picker;
pub mod protocol;
mod recent;
mod rime;
mod sources;

pub use client::{ClientConfig, InputClient};
pub use engine::{
    CANDIDATES_MAX, Composition, InputEngine, KEYS_MAX, Key, Mark, Method, PEN_SIDE, POINTS_MAX, Point,
    STROKES_MAX, Script, Stroke, TEXT_BYTES_MAX,
};
pub use error::{InputError, Loss, Remedy};
pub use handwriting::HandwritingEngine;
pub use recent::RecentFirst;
pub use rime::{Rime, RimeEngine, deploy};
pub use sources::{RIME_DATA, Sources, ZINNIA_MODEL};
