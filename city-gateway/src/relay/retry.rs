//! How long to wait after a failure: a random time up to a limit that doubles and then stays (full jitter), so that
//! those who failed together do not come back together. Pure but for the random number it is given.

use std::time::Duration;

/// The two ends of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waits {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Waits {
    /// The wait after so many failures, from 1. Never shorter than was asked for.
    pub(crate) fn after(self, failures: u32, asked: Option<Duration>, random: u64) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        let most = self.first.saturating_mul(doubled.max(1)).min(self.longest);
        let most_ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
        asked.unwrap_or_default().saturating_add(Duration::from_millis(random % most_ms + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Waits = Waits { first: Duration::from_secs(2), longest: Duration::from_secs(900) };

    #[test]
    fn waits_grow_to_a_limit_and_use_all_of_it() {
        for (failures, most_ms) in
            [(0, 2_000), (1, 2_000), (2, 4_000), (5, 32_000), (10, 900_000), (4000, 900_000)]
        {
            let wait = |random| WAITS.after(failures, None, random).as_millis();
            assert_eq!(
                (wait(0), wait(most_ms - 1), wait(most_ms)),
                (1, u128::from(most_ms), 1),
                "{failures}"
            );
        }
    }

    #[test]
    fn what_is_asked_for_comes_on_top() {
        let asked = Some(Duration::from_secs(60));
        assert_eq!(WAITS.after(1, asked, 1999).as_millis(), 62_000);
        assert!(WAITS.after(1, asked, 0) > Duration::from_secs(60));
    }
}
