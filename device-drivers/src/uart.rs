//! What a serial receiver makes of bytes that were sent at another rate: the line's levels, sampled anew.
//!
//! A simulated device stands at one rate. A host that speaks at another one must meet the noise that it would meet
//! on hardware, or a search for the rate would be tested against nothing.

/// Bits on the wire for one byte: start bit, eight bits, stop bit (8N1).
const FRAME_BITS: usize = 10;

/// What is heard at `heard_baud` of bytes sent back to back at `sent_baud`. A byte whose stop bit is missing is
/// handed up as it was heard, as Linux does without parity checking.
pub(crate) fn heard(bytes: &[u8], sent_baud: u32, heard_baud: u32) -> Vec<u8> {
    if sent_baud == heard_baud || sent_baud == 0 || heard_baud == 0 {
        return bytes.to_vec();
    }
    // Time counts in units in which half a bit of either side is a whole number.
    let (sent_bit, heard_bit) = (2 * u64::from(heard_baud), 2 * u64::from(sent_baud));
    let line = Levels { bytes, bit: sent_bit };
    let mut out = Vec::new();
    let mut from = 0;
    while let Some(start) = line.falls_after(from) {
        let sample = |half_bits: u64| line.is_high(start + half_bits * heard_bit / 2);
        let byte = (0..8).filter(|bit| sample(2 * bit + 3)).fold(0u8, |byte, bit| byte | 1 << bit);
        out.push(byte);
        // The receiver looks for the next start bit from the middle of the stop bit.
        from = start + 19 * heard_bit / 2;
    }
    out
}

/// The line while `bytes` are sent: high when idle, one level per bit.
struct Levels<'a> {
    bytes: &'a [u8],
    /// Length of a bit.
    bit: u64,
}

impl Levels<'_> {
    fn is_high(&self, at: u64) -> bool {
        self.level((at / self.bit) as usize)
    }

    fn level(&self, index: usize) -> bool {
        let Some(byte) = self.bytes.get(index / FRAME_BITS) else { return true };
        match index % FRAME_BITS {
            0 => false,
            9 => true,
            bit => byte >> (bit - 1) & 1 == 1,
        }
    }

    /// When the line next goes from high to low, not before `from`.
    fn falls_after(&self, from: u64) -> Option<u64> {
        let first = from.div_ceil(self.bit) as usize;
        let last = self.bytes.len() * FRAME_BITS;
        (first..last)
            .find(|&index| !self.level(index) && (index == 0 || self.level(index - 1)))
            .map(|index| index as u64 * self.bit)
    }
}

#[cfg(test)]
mod tests {
    use super::heard;
    use crate::id_card_reader::protocol::frame::PREAMBLE;
    use crate::id_card_reader::protocol::{BaudRate, Request};

    #[test]
    fn the_same_rate_changes_nothing() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(heard(&all, 9600, 9600), all);
        // Also through the sampling: rates that are only a little apart are heard well, as on hardware.
        assert_eq!(heard(&all, 115_200, 115_300), all);
    }

    #[test]
    fn a_byte_at_another_rate_is_what_the_levels_say() {
        // Start bit and eight zeros at half the rate: eighteen low bits, then high. One start, eight zeros.
        assert_eq!(heard(&[0x00], 9600, 19200), [0x00]);
        // One low bit at half the rate is a start bit and one zero.
        assert_eq!(heard(&[0xFF], 9600, 19200), [0xFE]);
        // At twice the rate the receiver's first sample falls into the second data bit.
        assert_eq!(heard(&[0b0000_0100], 19200, 9600), [0xF9]);
        // Two bytes of the preamble, worked out by another program.
        assert_eq!(heard(&[0x96, 0x69], 115_200, 57_600), [0x9B]);
        assert_eq!(heard(&[0x96, 0x69], 57_600, 115_200), [0x78, 0x78, 0x98, 0xFE]);
    }

    #[test]
    fn no_request_is_understood_at_another_rate() {
        for request in [Request::SamStatus, Request::SamId, Request::Find] {
            for sent in BaudRate::ALL.map(BaudRate::bits_per_second) {
                for at in BaudRate::ALL.map(BaudRate::bits_per_second).into_iter().filter(|at| *at != sent) {
                    let noise = heard(&request.encode(), sent, at);
                    assert!(
                        !noise.windows(5).any(|five| five == PREAMBLE),
                        "{request:?}: {sent} heard at {at}"
                    );
                }
            }
        }
    }
}
