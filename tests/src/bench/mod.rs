//! The measurements behind `cargo xtask bench`. Each one runs beside its reference, in turns, so that a busy
//! machine disturbs both alike; what is printed is the ratio.
//!
//! Deliberately absent: any time that is asserted. A figure that misses its goal is printed as missed; only
//! a wrong result (a record that did not arrive, a screen that is not the one meant) is an error.

pub mod bare_city;
pub mod browser;
pub mod camera;
pub mod city;
pub mod commits;
pub mod delivery;
pub mod devices;
pub mod link;
pub mod memory;
pub mod photos;
pub mod receipts;
pub mod records;
pub mod screen;
pub mod sessions;
pub mod site;
pub mod start;
pub mod table;
