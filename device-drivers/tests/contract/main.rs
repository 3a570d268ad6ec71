//! The drivers against their simulators, over real pseudo terminals and USB pipes, with every fault, and against
//! recordings. The same suites are meant to run against real devices.

mod cabinet;
mod cabinet_board;
mod desk;
mod forty_lines;
mod printer;
mod printer_desk;
mod printer_replay;
mod printer_text;
mod printer_trouble;
mod reader;
mod reader_extras;
mod reader_line;
mod reader_plug;
mod reader_replay;
mod reader_status;
mod ups;
mod ups_server;
mod watchdog;
