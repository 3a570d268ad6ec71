//! 取号: numbers for windows, one series for each queue and day. In the store, because several gateways give out of the same
//! series, and because nobody may get a number twice or two get the same.
//!
//! A number belongs to the request that it was given for: the same request again gets the same one.
//!
//! Deliberately absent: who holds a number.

use super::Reply;

/// Numbers of queues.
pub trait QueueNumbers: Send + Sync {
    /// Gives the next number of a queue and a day, or the one that this request was given already, of whatever queue and
    /// day; `None` when the day's numbers are used up.
    fn take_number(&self, take: TakeNumber) -> Reply<'_, Option<QueueNumber>>;

    /// Notes that a window has called up to this number; never goes back. `false` when no such number was given out.
    fn number_called<'a>(&'a self, queue: &'a str, day: &'a str, number: u32) -> Reply<'a, bool>;

    /// How far each queue of a day has come, in the order of their names.
    fn queues<'a>(&'a self, day: &'a str) -> Reply<'a, Vec<QueueDay>>;

    /// Forgets days before this one; returns how many numbers went.
    fn forget_numbers<'a>(&'a self, before_day: &'a str) -> Reply<'a, u64>;
}

/// Who asks for a number of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeNumber {
    /// Code of the terminal.
    pub terminal: String,
    /// What the terminal calls this request.
    pub request: String,
    /// Name of the queue.
    pub queue: String,
    /// The day in China, `2026-11-22`.
    pub day: String,
    /// The last number of a day.
    pub most: u32,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// A number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueNumber {
    /// Name of the queue.
    pub queue: String,
    /// Of which day.
    pub day: String,
    /// From 1.
    pub number: u32,
    /// The last number that was called, when the window tells.
    pub called: Option<u32>,
}

/// How far a queue has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueDay {
    /// Name of the queue.
    pub queue: String,
    /// The last number that was given out.
    pub given: u32,
    /// The last number that was called, when the window tells.
    pub called: Option<u32>,
}
