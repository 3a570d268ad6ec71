//! The city's end: takes sealed records from terminals, keeps them, and opens them later.
//!
//! Three parts that share only the store. `terminals` accepts: mutual TLS, a manifest signed by the terminal,
//! one transaction, then a signed receipt. `opener` holds the city's key and judges what was accepted.
//! `city` shows the inbox to operators, masked, and answers residents who scan the code on their receipt.
//!
//! Deliberately absent: any judgement of content on the way in, any change to a received record, opened content
//! in a file, a log or a page, and sign-in for operators, which is why their pages stay on this machine.

mod city;
mod config;
mod failpoints;
mod gateway;
mod judge;
mod keys;
mod mask;
mod opener;
mod pages;
mod receipts;
mod refusal;
pub mod store;
mod terminals;
#[cfg(any(test, feature = "test-cluster"))]
pub mod test_cluster;
mod tls;

pub use config::{Config, ConfigError, Limits, Listen, Paths, Store};
pub use gateway::Gateway;
pub use keys::KeyError;
