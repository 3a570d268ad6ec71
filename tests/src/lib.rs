//! The levels of tests that need the whole house: snapshots of every screen, journeys through the true
//! processes, the crash test, and the bench.
//!
//! Nothing here is a stand-in: the processes are the built binaries, driven through the simulator's
//! HTTP controls by the labels that a resident reads.

pub mod devtools;
pub mod gallery;
pub mod items;
pub mod measure;
pub mod monkey;
pub mod oracle;
pub mod resident;
pub mod sheets;
pub mod widgets;
pub mod worker;
pub mod workshop;
