//! What scanners send, as pure bytes: lines of text, and key events of those that type. No I/O, no clock.

pub mod keys;
pub mod line;

#[cfg(test)]
mod tests;

pub use keys::{Key, KeyDecoder};
pub use line::{LineDecoder, ScanEnd};

/// The longest code, in bytes. The largest QR code holds 2,953.
pub const MAX_CODE_BYTES: usize = 4096;

/// Runs every decoder over arbitrary bytes; for fuzzing. Returns how many codes came out.
pub fn fuzz_decode(bytes: &[u8]) -> usize {
    let mut codes = 0;
    for end in [ScanEnd::Suffix, ScanEnd::SuffixOrSilence] {
        let mut line = LineDecoder::new(end);
        line.push(bytes);
        line.silence();
        let mut typed = LineDecoder::new(end);
        let mut keys = KeyDecoder::new();
        keys.push(bytes);
        while let Some(key) = keys.next_key() {
            typed.push_key(key);
        }
        typed.silence();
        for mut line in [line, typed] {
            while let Some(code) = line.next_code() {
                codes += usize::from(code.is_ok());
            }
        }
    }
    codes
}
