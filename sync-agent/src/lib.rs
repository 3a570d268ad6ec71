//! The terminal's only process that speaks to the city: it reads the outbox, sends every record, and believes nothing
//! but a signed receipt.
//!
//! [`plan`] decides, purely, what to do next; [`backoff`] says how long to wait; [`client`] is the one place that
//! touches the network; [`enrol`] keeps the terminal's certificate; [`catalog`] keeps the signed catalog;
//! [`trusted_time`] knows what time it is; [`tpm`] whether the disk is in its machine; `journal` is the one thread that writes `delivery.db` and `audit-agent.db`;
//! [`agent`] ties them together. Where there is no network, [`courier`] writes a folder for a person to carry.
//!
//! Deliberately absent: any way to write the outbox; any state change of a record without a verified receipt that
//! names it; dropping anything for its age; plaintext of a submission, and the key that could open one; a listening
//! socket on the network.

pub mod agent;
pub mod backoff;
pub mod catalog;
pub mod client;
mod clock;
pub mod config;
mod connection;
pub mod courier;
#[cfg(feature = "decoders")]
pub mod decoders;
pub mod enrol;
mod journal;
mod local_socket;
pub mod plan;
pub mod surroundings;
pub mod throttle;
mod tls;
pub mod tpm;
pub mod trusted_time;
mod window;

pub use agent::{Agent, AgentError};
pub use config::Config;
pub use journal::JournalWork;
