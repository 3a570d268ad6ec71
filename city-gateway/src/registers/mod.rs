//! Departments' registers (登记库): what a department keeps about a person, asked while that person stands at a terminal.
//! [`Register`] is the one thing that the gateway knows of any of them; `http` asks a department's server, `reference` is
//! made up and runs anywhere.
//!
//! Deliberately absent: words for residents (the catalog has them), a copy of what was answered, and an error that says
//! about whom was asked or what came back.

mod config;
mod http;
mod reference;

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use service_catalog::Values;
use time::Date;
use zeroize::Zeroize;

pub use config::{RegisterConfig, RegisterKind};
pub use reference::NAMES as REFERENCE_REGISTERS;

/// What a department is asked.
pub struct Inquiry<'a> {
    /// Code of the service item.
    pub item: &'a str,
    /// At which terminal.
    pub terminal: &'a str,
    /// Kind of the person's card, as `document` of an applicant.
    pub document: &'a str,
    /// Name on it.
    pub name: &'a str,
    /// Number on it.
    pub number: &'a str,
    /// What was chosen, by question id.
    pub answers: &'a Map<String, Value>,
    /// The day in China.
    pub today: Date,
    /// How long the department has.
    pub within: Duration,
}

/// What a register keeps about somebody. Wipes itself, and `Debug` shows none of it.
#[derive(Default, PartialEq, Eq)]
pub struct Holding {
    /// Values by the keys of the item's `fetch.facts`.
    pub facts: Values,
    /// Rows, each with values by the keys of the item's `fetch.columns`.
    pub rows: Vec<Values>,
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.facts
            .values_mut()
            .chain(self.rows.iter_mut().flat_map(Values::values_mut))
            .for_each(Zeroize::zeroize);
    }
}

impl fmt::Debug for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holding").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

/// Why a department did not answer. Says nothing of the question or of the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Away {
    /// No connection, or one that broke off.
    #[error("its server cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("its server took too long")]
    Late,
    /// As many questions as it may have at a time are under way.
    #[error("too many questions to it are under way")]
    Busy,
    /// An answer with this status.
    #[error("its server answered with status {0}")]
    Status(u16),
    /// An answer that is not what was agreed; names the fault, never a value.
    #[error("its answer cannot be used: {0}")]
    Unusable(String),
}

/// What a register's method returns.
pub type Told<'a> = Pin<Box<dyn Future<Output = Result<Option<Holding>, Away>> + Send + 'a>>;

/// A register of a department.
pub trait Register: Send + Sync {
    /// What is kept about this person; `None` when nothing is. Answers before [`Inquiry::within`] is over.
    fn ask<'a>(&'a self, inquiry: &'a Inquiry<'a>) -> Told<'a>;
}

/// The registers that a gateway can ask, by name.
pub(crate) type Registers = HashMap<String, Arc<dyn Register>>;

/// Makes them ready. A department's server need not be there yet.
pub(crate) fn load(configured: &HashMap<String, RegisterConfig>) -> anyhow::Result<Registers> {
    configured.iter().map(|(name, config)| Ok((name.clone(), config.open(name)?))).collect()
}
