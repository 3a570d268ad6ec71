//! 目录: the signed catalog on the terminal. Read from the city or from a USB folder, verified by TUF, staged, and put
//! in the place of the old one in one step. It never goes back a version, and nothing that fails here takes away the
//! catalog in use.
//!
//! Deliberately absent: any judgement of the items themselves (the city judged them before it signed, and the kiosk
//! leaves out what it cannot read); a second way of verifying for USB; the wall clock as a reason to refuse.

mod disk;
mod error;
mod folder;
mod keeper;
mod plan;
mod source;
mod status;
mod thread;
mod time;
mod trust;
mod verify;

#[cfg(test)]
mod tests;

pub use disk::Disk;
pub use error::{CatalogError, Trouble};
pub use keeper::{CatalogKeeper, Outcome};
pub use source::Source;
pub use status::CatalogStatus;
pub(crate) use thread::{CatalogThread, CitySaid, Looked};
pub use time::{Clocks, DAY_MS, Time, TrustedTime};
