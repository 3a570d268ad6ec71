//! Why a configuration cannot be used.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {source}")]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Passwords must not cross a network in clear.
    #[error(
        "listen.city is {0}: without [city.tls] the operators' pages may only listen on a loopback address"
    )]
    NotLoopback(SocketAddr),
    /// Too long a life for a certificate, or none.
    #[error("enrolment.certificate_days is {0}: certificates are valid for 1 to 90 days")]
    CertificateDays(u16),
    /// What is shown without sign-in must not leave the machine.
    #[error("listen.city is {0}: city.open_feed needs no sign-in and is for a loopback address only")]
    OpenFeed(SocketAddr),
    /// A database needs an address, and an address a database.
    #[error("store.kind = \"postgres\" and store.address belong together")]
    StoreAddress,
    /// Gateways that share a database must find each other's blobs.
    #[error(
        "with store.kind = \"postgres\" blobs.folder (one that all gateways share) or blobs.s3 has to be set"
    )]
    BlobPlace,
    /// Not an address of a collector.
    #[error("telemetry.otlp is {0}: it has to be like http://127.0.0.1:4318, and every_seconds at least 1")]
    Collector(String),
    /// An auditor must be able to find who did something at least as long as the thing is there.
    #[error("retention.audit_years is shorter than what the audit lines speak of is kept")]
    Retention,
    /// The departments, and the ways to them.
    #[error("relay: {0}")]
    Relay(String),
    /// What is issued, and the registers it comes from.
    #[error("{0}")]
    Documents(String),
}
