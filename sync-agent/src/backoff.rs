//! How long to wait after a failure: full jitter, drawn *after* the cap, so that a fleet that failed together does not
//! come back together. Pure: the random number is an argument.

/// Longest wait a `Retry-After` header may ask for. The header is not signed, so a captive portal can write it too.
pub const LONGEST_RETRY_AFTER_MS: u64 = 15 * 60 * 1000;

/// An exponential backoff with full jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Upper end of the first wait.
    pub base_ms: u64,
    /// Upper end of every later wait.
    pub cap_ms: u64,
}

impl Backoff {
    /// A wait after `failures` failures in a row: anything from 0 to `min(cap, base · 2^(failures-1))`.
    pub fn delay_ms(&self, failures: u32, entropy: u64) -> u64 {
        below_or_equal(self.ceiling_ms(failures), entropy)
    }

    /// A wait after the other side asked for one: at least what it asked, and jitter on top.
    pub fn delay_after_ms(&self, asked_ms: u64, failures: u32, entropy: u64) -> u64 {
        asked_ms.min(LONGEST_RETRY_AFTER_MS) + self.delay_ms(failures, entropy)
    }

    /// A wait after the city could not be reached so many times in a row, and perhaps asked for one. As
    /// [`Backoff::delay_after_ms`], but once the cap is reached the lower half of the span is left out.
    ///
    /// How evenly a fleet comes back is decided here. When all tries have failed for hours, the share of terminals that
    /// are back within a moment after the outage is that moment divided by the *mean* wait, and the last one is back after
    /// the longest: the first rush is longest wait / mean wait times the average of the return. That is 2 for a wait drawn
    /// from 0 to the cap, and 1.33 here. What has spread by the shorter waits before stays spread.
    pub fn link_delay_ms(&self, asked_ms: u64, failures: u32, entropy: u64) -> u64 {
        let ceiling = self.ceiling_ms(failures);
        if ceiling < self.cap_ms {
            return self.delay_after_ms(asked_ms, failures, entropy);
        }
        let always = ceiling / 2;
        asked_ms.min(LONGEST_RETRY_AFTER_MS) + always + below_or_equal(ceiling - always, entropy)
    }

    /// Upper end of the wait after `failures` failures in a row.
    pub fn ceiling_ms(&self, failures: u32) -> u64 {
        let doublings = failures.saturating_sub(1).min(63);
        self.base_ms.saturating_mul(1 << doublings).min(self.cap_ms)
    }
}

/// Maps 64 random bits evenly onto `0..=limit`.
pub fn below_or_equal(limit: u64, entropy: u64) -> u64 {
    ((u128::from(entropy) * (u128::from(limit) + 1)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BACKOFF: Backoff = Backoff { base_ms: 1000, cap_ms: 900_000 };

    #[test]
    fn the_whole_span_is_used_at_the_cap_too() {
        // A jitter before the cap would give 900_000 for every draw here.
        let draws: Vec<u64> = (0..100).map(|i| BACKOFF.delay_ms(40, i << 57)).collect();
        assert!(draws.iter().any(|&ms| ms < 50_000));
        assert!(draws.windows(2).all(|pair| pair[0] < pair[1]), "no two draws fall together");
        assert_eq!(BACKOFF.delay_ms(40, 0), 0);
        assert_eq!(BACKOFF.delay_ms(40, u64::MAX), 900_000);
    }

    #[test]
    fn a_link_that_is_down_for_long_is_tried_in_the_upper_half_of_the_cap() {
        assert_eq!(BACKOFF.link_delay_ms(0, 40, 0), 450_000);
        assert_eq!(BACKOFF.link_delay_ms(0, 40, u64::MAX), 900_000);
        assert_eq!(BACKOFF.link_delay_ms(0, 4, 0), 0, "before the cap the whole span is used");
        assert_eq!(BACKOFF.link_delay_ms(5000, 40, 0), 455_000);
    }

    #[test]
    fn the_span_doubles_up_to_the_cap() {
        let ceilings: Vec<u64> = [0, 1, 2, 3, 10, 11, u32::MAX].map(|n| BACKOFF.ceiling_ms(n)).to_vec();
        assert_eq!(ceilings, [1000, 1000, 2000, 4000, 512_000, 900_000, 900_000]);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_but_not_for_ever() {
        assert_eq!(BACKOFF.delay_after_ms(5000, 1, 0), 5000);
        assert_eq!(BACKOFF.delay_after_ms(5000, 1, u64::MAX), 6000);
        assert_eq!(BACKOFF.delay_after_ms(u64::MAX, 1, 0), LONGEST_RETRY_AFTER_MS);
    }

    proptest! {
        #[test]
        fn a_delay_never_exceeds_its_span(base in 0_u64..10_000_000, cap in 0_u64..10_000_000, n in any::<u32>(), e in any::<u64>()) {
            let backoff = Backoff { base_ms: base, cap_ms: cap };
            prop_assert!(backoff.delay_ms(n, e) <= backoff.ceiling_ms(n));
            prop_assert!(backoff.ceiling_ms(n) <= cap);
        }
    }
}
