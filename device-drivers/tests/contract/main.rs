//! The drivers against their simulators, over real pseudo terminals, sockets and a real `pcscd`, with every fault; the
//! document printer also against `ippeveprinter`. The same suites are meant to run against real devices.

mod document_printer;
mod document_printer_line;
mod document_printer_replay;
mod ippeveprinter;
mod ipptool;
mod pcscd;
mod printer;
mod program;
mod reader;
mod reader_plug;
mod social_security_card;
