//! Device drivers of the kiosk: one folder per device kind, each with a narrow blocking trait, a protocol
//! of pure bytes, a driver that does the I/O, mostly over a [`transport`], and a simulator that speaks the same bytes
//! from the other side: over a pseudo terminal, a socket or a virtual card reader.
//!
//! Deliberately absent: async and tokio (devices are threads of the kiosk process), any other crate of the
//! project (this is a leaf), sessions, wording and languages (errors answer [`Remedy`], the kiosk finds the
//! words), check digits and age rules (a card is decoded, not judged), decoding of the card photo (no open
//! decoder exists; the bytes are opaque), and rendering (a printer takes a finished bitmap).
//!
//! Personal data lives only in types that zero themselves on drop and print as `[redacted]`; no error and no
//! log line carries a field of a card.

pub mod bulk_pipes;
pub mod cabinet;
pub mod cabinet_board;
pub mod camera;
pub mod code_scanner;
pub mod descriptor_line;
pub mod document_printer;
pub mod id_card_reader;
pub mod pty;
pub mod receipt_printer;
#[cfg(feature = "recording")]
pub mod recording;
pub mod remedy;
pub mod serial_line;
pub mod social_security_card;
pub mod speaker;
pub mod text_lines;
pub mod text_server;
pub mod transport;
pub mod ups;
pub mod vendor_library;
pub mod watchdog;

mod uart;
mod wire;

#[cfg(test)]
mod vectors;

pub use remedy::{Fault, Hint, Remedy};
