//! What time it is, as far as the city has said so. The terminal's own clock is never asked: it may have run from an
//! empty battery, and be ten years off in either direction.
//!
//! Pure: the city's word and the monotonic clock are arguments. Time is *trusted* from the first signed word of the
//! city in this process until it ends, unless that word lies before the floor: what the city said earlier, or when
//! this program was made. Then one of the two words is wrong, nobody here can tell which, and nothing is decided by
//! dates. The floor is the city's latest word, not its highest: a city whose clock once ran ten years ahead must not
//! leave every terminal with a floor that only time can lift.

/// This program is not older than this: 1 November 2026, or what the build says.
const BUILT_MS: i64 = match option_env!("SOURCE_DATE_EPOCH") {
    Some(seconds) => match i64::from_str_radix(seconds, 10) {
        Ok(seconds) => seconds * 1000,
        Err(_) => FIRST_BUILT_MS,
    },
    None => FIRST_BUILT_MS,
};

const FIRST_BUILT_MS: i64 = 1_793_491_200_000;

/// The city's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedTime {
    floor_ms: i64,
    heard: Option<Heard>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Heard {
    city_ms: i64,
    monotonic_ms: u64,
    above_floor: bool,
}

impl TrustedTime {
    /// Begins with what was kept: the city's last word before this process, milliseconds since 1970.
    pub fn new(last_word_ms: Option<i64>) -> Self {
        Self { floor_ms: last_word_ms.unwrap_or(i64::MIN).max(BUILT_MS), heard: None }
    }

    /// Before this it is not.
    pub fn floor_ms(&self) -> i64 {
        self.floor_ms
    }

    /// Takes a signed word of the city, and when it came on the monotonic clock.
    pub fn learn(&mut self, city_ms: i64, monotonic_ms: u64) {
        self.heard = Some(Heard { city_ms, monotonic_ms, above_floor: city_ms >= self.floor_ms });
    }

    /// Whether dates may be judged.
    pub fn is_trusted(&self) -> bool {
        self.heard.is_some_and(|heard| heard.above_floor)
    }

    /// The time now, milliseconds since 1970; `None` while it is not trusted.
    pub fn now_ms(&self, monotonic_ms: u64) -> Option<i64> {
        self.is_trusted().then(|| self.city_ms(monotonic_ms))?
    }

    /// What the city would say now, believed or not: enough to ask it for a newer certificate.
    pub fn city_ms(&self, monotonic_ms: u64) -> Option<i64> {
        let heard = self.heard?;
        let since = monotonic_ms.saturating_sub(heard.monotonic_ms);
        Some(heard.city_ms.saturating_add(i64::try_from(since).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR_MS: i64 = 365 * 24 * 60 * 60 * 1000;
    const NOW: i64 = FIRST_BUILT_MS + YEAR_MS;

    #[test]
    fn nothing_is_trusted_before_the_city_spoke() {
        for last in [None, Some(0), Some(NOW), Some(NOW + 10 * YEAR_MS), Some(i64::MIN), Some(i64::MAX)] {
            let time = TrustedTime::new(last);
            assert!(!time.is_trusted());
            assert_eq!((time.now_ms(5), time.city_ms(5)), (None, None));
            assert!(time.floor_ms() >= BUILT_MS);
        }
    }

    #[test]
    fn the_citys_word_runs_on_with_the_monotonic_clock() {
        let mut time = TrustedTime::new(Some(NOW));
        time.learn(NOW + 5, 1_000);
        assert_eq!(time.now_ms(1_000), Some(NOW + 5));
        assert_eq!(time.now_ms(61_000), Some(NOW + 60_005));
        // A later word replaces it, also when the city's clock was set back meanwhile.
        time.learn(NOW + 1, 61_000);
        assert_eq!(time.now_ms(61_000), Some(NOW + 1));
    }

    #[test]
    fn a_word_before_the_floor_is_not_trusted_but_still_heard() {
        let mut time = TrustedTime::new(Some(NOW + 10 * YEAR_MS));
        time.learn(NOW, 0);
        assert!(!time.is_trusted());
        assert_eq!((time.now_ms(7), time.city_ms(7)), (None, Some(NOW + 7)));
        let mut time = TrustedTime::new(None);
        time.learn(0, 0);
        assert!(!time.is_trusted(), "1970 is before this program was made");
    }

    #[test]
    fn a_city_that_was_ahead_once_is_trusted_again_in_the_next_process() {
        // The floor is the last word, so one wrong word is forgotten with the next right one.
        let mut wrong = TrustedTime::new(Some(NOW));
        wrong.learn(NOW + 10 * YEAR_MS, 0);
        assert!(wrong.is_trusted());
        let mut after = TrustedTime::new(Some(NOW + 10 * YEAR_MS));
        after.learn(NOW + 1, 0);
        assert!(!after.is_trusted());
        let mut healed = TrustedTime::new(Some(NOW + 1));
        healed.learn(NOW + 2, 0);
        assert!(healed.is_trusted());
    }

    #[test]
    fn extreme_words_do_no_harm() {
        for word in [i64::MIN, i64::MAX] {
            let mut time = TrustedTime::new(None);
            time.learn(word, u64::MAX);
            let _ = (time.now_ms(0), time.city_ms(u64::MAX));
            time.learn(word, 0);
            assert_eq!(time.city_ms(u64::MAX).is_some(), time.city_ms(0).is_some());
        }
    }
}
