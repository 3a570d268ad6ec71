//! Load for the city's end, as true as one machine can make it: a temporary city (the `city-gateway` program on a
//! PostgreSQL of its own), and terminals that are emulated with the product's own parts — certificates, TLS with resumed
//! sessions, HTTP/2, the protocol's messages, and the sync agent's pure plan for when to do what.
//!
//! [`herd`] lets a whole fleet come back after an outage; [`load`] and [`bare`] are the figures of one gateway and
//! what they are compared with.
//!
//! Deliberately absent: a time that is asserted, a shortcut into the gateway, a wait of the emulator's own invention.
//! Not emulated: the terminals' disks, and more open connections than this machine's limit on files allows.

pub mod bare;
pub mod chart;
pub mod city;
pub mod herd;
pub mod keys;
pub mod load;
pub mod outage;
pub mod process;
pub mod records;
pub mod terminal;
pub mod wire;
