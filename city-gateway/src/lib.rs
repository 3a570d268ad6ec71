//! The city's end: takes sealed records from terminals, keeps them, and opens them later.
//!
//! Four parts that share only the store. `terminals` accepts: mutual TLS, a manifest signed by the terminal,
//! one transaction, then a signed receipt. `opener` holds the city's key and judges what was accepted.
//! `city` answers residents who scan the code on their receipt. `desk` is where operators sign in, see cases masked
//! and take them through their life. `relay` hands opened cases on to departments, sealed to each. `enrol` says for each request of a terminal what its certificate is worth.
//! `fetch` asks departments' `registers` what they keep about whoever stands at a terminal, and issues it as a signed
//! document; `verification` says whether one is genuine.
//!
//! Deliberately absent: any judgement of content on the way in, any change to a received record but its deletion by
//! rule, and opened content in a file, a log or a page, but for one answer to one operator whose asking is on record.

pub mod blobs;
mod budgets;
mod calls;
mod catalog_files;
mod city;
mod clock;
mod config;
pub mod continuity;
mod courier;
#[cfg(feature = "decoders")]
pub mod decoders;
pub mod desk;
mod durable_notes;
mod enrol;
mod failpoints;
mod fetch;
mod follow_up;
mod gateway;
mod hello;
mod judge;
mod keys;
mod leftover;
mod mask;
mod metrics;
mod numbers;
mod openapi;
mod opener;
mod operations;
mod pages;
pub mod progress;
mod query;
mod receipts;
mod refusal;
pub mod registers;
pub mod relay;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod store;
mod stores;
mod telemetry;
mod terminals;
#[cfg(any(test, feature = "test-cluster"))]
pub mod test_cluster;
mod tls;
mod verification;

pub use config::{
    BlobLimits, BlobPlace, Budget, CityPages, CityTls, Config, ConfigError, Documents, Enrolment, Limits,
    Listen, Paths, S3, Store, StoreKind, Telemetry,
};
pub use enrol::operator;
pub use gateway::Gateway;
pub use keys::KeyError;
pub use operations::{Key, Operation};
