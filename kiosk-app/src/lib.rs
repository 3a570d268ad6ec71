//! The kiosk process: events in, one pure step, effects out, the screen a picture of the state.
//!
//! `finger, device, timer, store → inbox → session::step → effects/* → thread → inbox`, and after each
//! step `present → bind → Slint`. One future on Slint's loop owns the session by value.
//!
//! **What is absent.** No tokio, no network, no SQL, no CEL, no protocol bytes of a device. Nothing here
//! decides what happens next: that is `kiosk_core::session`. Nothing personal is written anywhere but,
//! sealed, into the outbox.

pub mod bind;
pub mod catalog;
pub mod config;
pub mod devices;
pub mod directions;
pub mod effects;
pub mod event_loop;
pub mod fonts;
pub mod guide_sheet;
pub mod inbox;
pub mod meaning;
pub mod present;
pub mod screen;
pub mod submission;
pub mod voice;
