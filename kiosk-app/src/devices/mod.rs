//! The devices of this terminal: which there are ([`declared`]), one supervised thread for each ([`station`]), what has
//! become of them ([`health`]), and who notices a plug being put in ([`hot_plug`]).
//!
//! A device that is not declared has no thread, and closes only what needs it.

mod advice;
pub mod cabinet;
pub mod code_scanner;
pub mod declared;
pub mod document_camera;
pub mod document_printer;
pub mod health;
pub mod hot_plug;
pub mod id_card_reader;
pub mod preview;
pub mod receipt_printer;
pub mod social_security_card_reader;
pub mod speaker;
pub mod station;
pub mod ups;
