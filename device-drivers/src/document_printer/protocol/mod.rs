//! IPP as pure bytes: what is asked of a printer, and what its answers mean. No I/O, no clock.
//!
//! The encoding is the `ipp` crate's. Its parser trusts the lengths inside text-with-language values, so an answer is
//! looked through first ([`answer::decode`]): a damaged one is an error here and never a panic.

pub mod answer;
pub mod reasons;
pub mod request;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use answer::{Answer, AnswerError, JobFacts, JobNumber, JobState, PrinterFacts};
pub use reasons::{Obstacle, Reasons};
pub use request::Asker;
