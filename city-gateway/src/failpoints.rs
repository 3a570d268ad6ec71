//! Places where a test can make the gateway fail on purpose. Without the cargo feature `failpoints` they are
//! nothing.
//!
//! | name | action | what happens |
//! |---|---|---|
//! | `gateway::receipt-before-commit` | `return(ms)` | the receipt is signed and sent first; the record goes to the store `ms` later |
//! | `gateway::drop-reply` | `return` | the record is committed, its reply never sent: the stream is reset |

/// `Some(delay)`: answer at once and commit later. The mutation that the crash test must notice.
#[cfg(feature = "failpoints")]
pub(crate) fn receipt_before_commit() -> Option<std::time::Duration> {
    fail::fail_point!("gateway::receipt-before-commit", |delay: Option<String>| {
        Some(std::time::Duration::from_millis(delay.and_then(|ms| ms.parse().ok()).unwrap_or(0)))
    });
    None
}

/// Breaks the connection instead of answering.
pub(crate) fn drop_reply() {
    fail::fail_point!("gateway::drop-reply", |_| {
        // Unwinding ends the task of this request; the client sees its stream reset and no answer.
        std::panic::resume_unwind(Box::new("reply dropped by a failpoint"))
    });
}
