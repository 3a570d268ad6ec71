//! ESC/POS as pure bytes: what goes to the printer, and what its answers mean. No I/O, no clock.

pub mod encode;
pub mod reply;
pub mod status;
pub mod text;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod text_tests;

pub use encode::{ProcessId, encode_receipt};
pub use reply::{Reply, ReplyDecoder};
pub use status::{Asb, ErrorCause, OfflineCause, PrinterBits, RollPaper};
pub use text::encode_receipt_as_text;

/// Runs the reply decoder over arbitrary bytes; for fuzzing. Returns how many replies were found.
pub fn fuzz_decode(bytes: &[u8]) -> usize {
    let mut decoder = ReplyDecoder::new();
    decoder.push(bytes);
    let mut replies = 0;
    while let Some(reply) = decoder.next_reply() {
        replies += 1;
        if let Reply::Asb(asb) = reply {
            let _ = asb.status();
        }
    }
    replies
}
