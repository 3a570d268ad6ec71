//! The drivers against their simulators, over real pseudo terminals, with every fault. The same suites are meant
//! to run against recordings and against real devices.

mod cabinet;
mod cabinet_board;
mod firmware;
mod printer;
mod reader;
mod reader_plug;
mod ups;
mod ups_server;
mod watchdog;
