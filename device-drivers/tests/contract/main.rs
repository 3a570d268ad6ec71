//! The drivers against their simulators, over real pseudo terminals, USB pipes, sockets and a real `pcscd`, with every
//! fault, and against recordings; the document printer also against `ippeveprinter`. The same suites are meant to run
//! against real devices.

mod cabinet;
mod cabinet_board;
mod cabinet_board_replay;
mod camera;
mod camera_replay;
mod codes;
mod desk;
mod document_printer;
mod document_printer_line;
mod document_printer_replay;
mod firmware;
mod forty_lines;
mod ippeveprinter;
mod ipptool;
mod pcscd;
mod printer;
mod printer_desk;
mod printer_replay;
mod printer_text;
mod printer_trouble;
mod program;
mod reader;
mod reader_extras;
mod reader_line;
mod reader_plug;
mod reader_replay;
mod reader_status;
mod scanner;
mod scanner_replay;
mod social_security_card;
mod social_security_card_replay;
mod speaker;
mod speaker_replay;
mod speech_dispatcher;
mod tape;
mod ups;
mod ups_replay;
mod ups_server;
mod watchdog;
