//! The people's side of the gateway: operators sign in, see cases with residents masked, take them through their
//! life, and are held to account by a chain of audit lines.
//!
//! `rights`, `totp`, `attempts`, `progress`, `departments` and the rules in `session` and `retention` are pure.
//! `accounts`, `case_desk` and `aside_desk` do what the pages and the command line ask, each change together with its audit line.
//! `http` and `pages` are the only ones that know HTML.
//!
//! Deliberately absent: opened content anywhere but in one answer to one operator; a role that may do everything;
//! free text in the audit chain; an account made without a second factor.

mod accounts;
mod aside_desk;
mod attempts;
mod case_desk;
mod command;
mod departments;
mod http;
mod pages;
mod password;
mod progress;
pub(crate) mod random;
mod retention;
mod rights;
mod session;
mod sign_in;
mod totp;

pub use case_desk::{CaseDesk, Progress};
pub use command::{AccountCommand, DeskCommand};
pub(crate) use http::{Parts, desk};
pub use retention::Retention;
pub(crate) use retention::task as retention_task;
pub(crate) use session::Transport;
#[cfg(feature = "decoders")]
pub(crate) use totp::matching_step;

/// Tells the time, milliseconds since 1970. Injected, so that tests need not wait.
pub(crate) type Clock = std::sync::Arc<dyn Fn() -> i64 + Send + Sync>;
