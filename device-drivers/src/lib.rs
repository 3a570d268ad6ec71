//! Device drivers of the kiosk: one folder per device kind, each with a narrow blocking trait, a protocol
//! of pure bytes, a driver that does the I/O and a simulator that speaks the same bytes over a pseudo terminal.
//!
//! Deliberately absent: async and tokio (devices are threads of the kiosk process), any other crate of the
//! project (this is a leaf), sessions, wording and languages (errors answer [`Remedy`], the kiosk finds the
//! words), check digits and age rules (a card is decoded, not judged), decoding of the card photo (no open
//! decoder exists; the bytes are opaque), and rendering (a printer takes a finished bitmap).
//!
//! Personal data lives only in types that zero themselves on drop and print as `[redacted]`; no error and no
//! log line carries a field of a card.

pub mod camera;
pub mod code_scanner;
pub mod id_card_reader;
pub mod pty;
pub mod receipt_printer;
pub mod remedy;

mod serial_line;
mod wire;

#[cfg(test)]
mod vectors;

pub use remedy::{Fault, Hint, Remedy};
