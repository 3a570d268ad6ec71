//! NUT's text protocol (RFC 9271) as pure bytes: no I/O, no clock.

pub mod answer;
pub mod values;

#[cfg(test)]
mod tests;

pub use crate::text_lines::{LineDecoder, LineError, MAX_LINE};
pub use answer::{Answer, ErrorCode};
pub use values::{UpsName, charge_percent, power_state, replace_battery, runtime};

/// Runs every decoder over arbitrary bytes; for fuzzing. Returns how many lines were understood.
pub fn fuzz_decode(bytes: &[u8]) -> usize {
    let mut decoder = LineDecoder::new();
    decoder.push(bytes);
    let mut understood = 0;
    while let Some(line) = decoder.next_line() {
        let Ok(line) = line else { continue };
        if let Some(Answer::Variable { value, .. }) = Answer::parse(&line) {
            understood += 1;
            let _ = (power_state(&value), charge_percent(&value), runtime(&value));
        }
    }
    understood
}
