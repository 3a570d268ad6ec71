//! The terms of a plan: what it goes by, what it says, what it is told.

use crate::backoff::Backoff;

/// The numbers a plan goes by.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Waits between tries.
    pub backoff: Backoff,
    /// Most records under way at once, whatever the city allows.
    pub window: u32,
    /// Time between two hellos on a good link.
    pub hello_every_ms: u64,
    /// Mean wait of a record in the side lane.
    pub side_lane_ms: u64,
    /// After this long an answer cannot come any more.
    pub lost_after_ms: u64,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Say hello; report with `hello_started` and then `hello_answered` or `hello_failed`.
    Hello,
    /// Send these positions; report each with `sent`.
    Send(Vec<u64>),
    /// Send the blobs of this position, which is acknowledged, and ask for its receipt again; report with
    /// `completing` and then `completion_failed` or `receipt_came`.
    Complete(u64),
    /// Nothing before this time, unless something happens.
    Wait {
        /// Milliseconds on the same clock as all times given to the plan.
        until_ms: u64,
    },
}

/// How a try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer at all: the link is down.
    Link,
    /// The city is in trouble and said so (408, 425, 429, 5xx).
    Transient {
        /// What it asked to wait.
        retry_after_ms: Option<u64>,
    },
    /// An answer that is no receipt for this record: a refusal, a portal's page, a forgery.
    Unbelievable,
}

/// A record that waits for another try because answers to it were no receipts; worth keeping on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Position in the queue.
    pub seq: u64,
    /// Answers so far that were no receipts.
    pub refusals: u32,
    /// When it is due.
    pub due_ms: u64,
    /// Whether it waits in the side lane.
    pub side_lane: bool,
}
