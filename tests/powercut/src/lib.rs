//! Cuts the power at every point of a scripted day at the terminal.
//!
//! A recording SQLite VFS (`vfs`) and the store's own report of what it does beside SQLite (`recorder`) log each write,
//! sync and name of a day (`day`, `terminal`) in one order, with every promise beside it (`story`). A model of an honest
//! disk (`disk`) says what may be left after a cut: what was synced, and any combination of the rest (`variants`). Each
//! image is put into a folder (`place`), opened with the real store and compared with the promises (`judge`, `enumerate`).
//!
//! Deliberately absent: any knowledge of the store's schemas or of how it writes (except the older files that a part of
//! the day begins with), a disk that lies about a sync, damage to bytes nobody wrote to, a real power switch.

mod chance;
pub mod day;
mod disk;
pub mod enumerate;
mod judge;
pub mod place;
mod recorder;
pub mod run;
pub mod story;
pub mod terminal;
mod upkeep;
mod variants;
mod vfs;
