//! How long a lost library rests before it is started again. Pure: chance is an argument.

use std::time::Duration;

/// The rests between failures: each twice as long as the one before, up to a longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rests {
    /// The longest that the first rest may be: short, as most crashes are the only one.
    pub first: Duration,
    /// No rest is longer. The library is never given up: an operator may put another file in its place.
    pub longest: Duration,
}

impl Default for Rests {
    /// A quarter of a second to a minute.
    fn default() -> Rests {
        Rests { first: Duration::from_millis(250), longest: Duration::from_secs(60) }
    }
}

impl Rests {
    /// The rest after this many failures in a row (from 1). Drawn from the upper half of what is allowed, so that
    /// devices which fell together do not all come back in the same moment.
    pub fn after(&self, failures_in_a_row: u32, chance: u64) -> Duration {
        let doublings = failures_in_a_row.saturating_sub(1).min(31);
        let most = self.first.saturating_mul(1 << doublings).min(self.longest);
        let half = most / 2;
        let spread = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX).saturating_add(1);
        most - Duration::from_nanos(chance % spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_rest_lies_in_the_upper_half_of_its_bound(failures in 1u32.., chance in any::<u64>()) {
            let rests = Rests::default();
            let bound = rests.first.saturating_mul(1u32 << (failures - 1).min(20)).min(rests.longest);
            let rest = rests.after(failures, chance);
            prop_assert!(rest <= bound && rest >= bound / 2, "{rest:?} of {bound:?}");
        }
    }

    #[test]
    fn rests_double_and_stop_growing() {
        let rests = Rests { first: Duration::from_millis(250), longest: Duration::from_secs(2) };
        let longest: Vec<u128> = (1..=6).map(|failures| rests.after(failures, 0).as_millis()).collect();
        assert_eq!(longest, [250, 500, 1000, 2000, 2000, 2000]);
        assert_eq!(rests.after(u32::MAX, 0), rests.longest);
    }

    #[test]
    fn chance_moves_a_rest() {
        let rests = Rests::default();
        assert_ne!(rests.after(9, 1), rests.after(9, 9_999_999_999));
    }
}
