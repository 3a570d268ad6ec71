//! The drivers against their simulators, over real pseudo terminals, with every fault. The same suites are meant
//! to run against recordings and against real devices.

mod forty_lines;
mod printer;
mod printer_desk;
mod printer_text;
mod printer_trouble;
mod reader;
mod reader_plug;
