//! The drivers against their simulators, over real pseudo terminals and USB pipes, with every fault, and against
//! recordings. The same suites are meant to run against real devices.

mod cabinet;
mod cabinet_board;
mod desk;
mod forty_lines;
mod camera;
mod codes;
mod printer;
mod printer_desk;
mod printer_replay;
mod printer_text;
mod printer_trouble;
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
mod reader_extras;
mod reader_line;
mod reader_plug;
mod reader_replay;
mod reader_status;
mod ups;
mod ups_server;
mod watchdog;
mod social_security_card;
mod scanner;
