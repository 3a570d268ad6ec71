//! What the terminal knows about the time, as far as its catalog is concerned. Pure: every clock is an argument.
//!
//! Two questions need two answers. "Has this certainly expired?" may refuse a catalog, so it must not follow a wall
//! clock that someone set ten years ahead: it is answered by the *lower bound*, from the build and the city's signed
//! word. "Is the catalog stale?" only shows a banner, so a plausible wall clock may speak.

/// 1 November 2026: the first release is not older, so no moment it sees is earlier.
const RELEASED_MS: i64 = 1_793_491_200_000;

/// A wall clock further ahead of the lower bound than this is not believed.
const PLAUSIBLE_MS: i64 = 400 * DAY_MS;

/// Milliseconds in a day.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What the terminal's own clocks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Milliseconds since the process started; never goes back.
    pub monotonic_ms: u64,
    /// Wall clock, milliseconds since 1970; may be anything.
    pub wall_ms: i64,
}

/// The time as well as it is known, milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// It is certainly not earlier.
    pub at_least_ms: i64,
    /// The best guess.
    pub likely_ms: i64,
}

/// The city's last word about the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedTime {
    /// From an earlier life of the process.
    remembered_ms: Option<i64>,
    /// What the city said in this life, and the monotonic clock then.
    said: Option<(i64, u64)>,
}

impl TrustedTime {
    /// Knows what an earlier life wrote down.
    pub fn new(remembered_ms: Option<i64>) -> Self {
        Self { remembered_ms, said: None }
    }

    /// The city said its time, signed. The last word counts, not the largest: one wrong clock in the city must not
    /// stop updates for years.
    pub fn city_said(&mut self, city_ms: i64, monotonic_ms: u64) {
        self.said = Some((city_ms, monotonic_ms));
    }

    /// The time now.
    pub fn now(&self, clocks: Clocks) -> Time {
        let city = match self.said {
            Some((then_ms, at_ms)) => {
                Some(then_ms.saturating_add_unsigned(clocks.monotonic_ms.saturating_sub(at_ms)))
            }
            None => self.remembered_ms,
        };
        let at_least_ms = city.unwrap_or(RELEASED_MS).max(RELEASED_MS);
        let plausible = at_least_ms..at_least_ms.saturating_add(PLAUSIBLE_MS);
        let fresh = self.said.is_some();
        let wall_counts = !fresh && plausible.contains(&clocks.wall_ms);
        Time { at_least_ms, likely_ms: if wall_counts { clocks.wall_ms } else { at_least_ms } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = RELEASED_MS + 30 * DAY_MS;

    fn clocks(monotonic_ms: u64, wall_ms: i64) -> Clocks {
        Clocks { monotonic_ms, wall_ms }
    }

    #[test]
    fn a_wall_clock_never_moves_the_lower_bound() {
        for years in [-10_i64, 10] {
            let time = TrustedTime::new(Some(NOW)).now(clocks(5, NOW + years * 365 * DAY_MS));
            assert_eq!(time, Time { at_least_ms: NOW, likely_ms: NOW }, "{years} years off");
        }
        let time = TrustedTime::new(Some(NOW)).now(clocks(5, NOW + 40 * DAY_MS));
        assert_eq!((time.at_least_ms, time.likely_ms), (NOW, NOW + 40 * DAY_MS), "plausible: for banners");
    }

    #[test]
    fn the_city_outranks_every_clock_and_time_goes_on() {
        let mut time = TrustedTime::new(None);
        time.city_said(NOW, 1_000);
        let later = time.now(clocks(61_000, NOW + 90 * DAY_MS));
        assert_eq!(later, Time { at_least_ms: NOW + 60_000, likely_ms: NOW + 60_000 });
    }

    #[test]
    fn a_wrong_word_of_the_city_is_corrected_by_its_next() {
        let mut time = TrustedTime::new(Some(NOW + 3650 * DAY_MS));
        time.city_said(NOW, 0);
        assert_eq!(time.now(clocks(0, 0)).at_least_ms, NOW);
    }

    #[test]
    fn without_any_word_the_release_is_the_floor() {
        assert_eq!(TrustedTime::new(None).now(clocks(0, 0)).at_least_ms, RELEASED_MS);
        assert_eq!(TrustedTime::new(Some(0)).now(clocks(0, -5)).likely_ms, RELEASED_MS);
    }
}
