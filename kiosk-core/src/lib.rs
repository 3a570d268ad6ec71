//! The pure heart of the kiosk: what people and things are called, which numbers are valid, and the
//! machine that decides what happens next in a resident's session.
//!
//! **What is absent.** No files, sockets, threads, clocks, randomness, async, serde or Slint. Time is
//! a field of the event, randomness an argument, conditions a trait. Given the same session and the
//! same event, [`session::step`] gives the same answer on every machine, so every journey can be
//! replayed. `cargo xtask tidy` keeps it so.

pub mod address;
pub mod amount;
pub mod answers;
pub mod applicant;
pub mod calendar;
pub mod case_number;
pub mod check_digit;
pub mod citizen_number;
pub mod phone;
pub mod photo;
pub mod private;
pub mod receipt_code;
pub mod remedy;
pub mod service;
pub mod session;
pub mod settings;
pub mod verification_code;

pub use private::Private;
