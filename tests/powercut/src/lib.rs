//! Cuts the power at every point of a scripted day at the terminal.
//!
//! A recording SQLite VFS (`vfs`) and the store's own report of what it does beside SQLite (`recorder`) log each write,
//! sync and name of a day (`day`, `terminal`) in one order, with every promise beside it (`story`). A model of an honest
//! disk (`disk`) says what may be left after a cut: what was synced, and any combination of the rest (`variants`). Each
//! image is put into a folder (`place`), opened with the real store and compared with the promises (`judge`, `enumerate`).
//! Then each sync of a shorter day breaks once (`broken`): it answers EIO, and no promise may be broken for it; or it lies,
//! and no promise may be broken without somebody being told (`doubt`).
//!
//! Deliberately absent: any knowledge of the store's schemas or of how it writes (except the older files that a part of
//! the day begins with), damage to bytes nobody wrote to, a real power switch.

pub mod broken;
pub mod broken_sync;
mod chance;
pub mod day;
mod disk;
mod doubt;
pub mod enumerate;
mod judge;
pub mod place;
mod processes;
mod recorder;
mod records;
pub mod run;
pub mod story;
pub mod terminal;
mod upkeep;
mod variants;
mod vfs;
