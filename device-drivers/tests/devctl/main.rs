//! The program `devctl`, run as a technician runs it: every verb, against simulated devices on pseudo terminals and
//! sockets, also unplugged and faulty ones.

mod cabinet;
mod camera;
mod code_scanner;
mod demo;
mod document_printer;
mod id_card;
#[path = "../contract/pcscd.rs"]
mod pcscd;
#[path = "../contract/program.rs"]
mod program;
mod receipt_printer;
mod run;
mod social_security_card;
mod speaker;
mod ups;
mod usage;
mod vendor;
mod watchdog;
