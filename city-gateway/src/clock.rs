//! The city's clocks and the random numbers that decide something: the machine's, unless a simulation set others for
//! its own thread. One place, so that nothing the simulation runs can look past it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The city's clock, milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    #[cfg(feature = "simulation")]
    if let Some(now_ms) = simulated::wall_ms() {
        return now_ms;
    }
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A clock that never goes back.
pub(crate) fn instant() -> Instant {
    #[cfg(feature = "simulation")]
    if let Some(now) = simulated::instant() {
        return now;
    }
    Instant::now()
}

/// 128 random bits, six of which are fixed; unguessable, except in a simulation.
pub(crate) fn random() -> u128 {
    #[cfg(feature = "simulation")]
    if let Some(bits) = simulated::random() {
        return bits;
    }
    uuid::Uuid::new_v4().as_u128()
}

/// What a simulation set for its thread.
#[cfg(feature = "simulation")]
pub(crate) mod simulated {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    #[derive(Clone, Copy)]
    struct Set {
        start: Instant,
        since_start_ms: u64,
        wall_ms: i64,
        chance: u64,
    }

    thread_local! {
        static SET: Cell<Option<Set>> = const { Cell::new(None) };
    }

    /// Sets both clocks, and at first the seed of the random numbers.
    pub(crate) fn set(since_start_ms: u64, wall_ms: i64, seed: Option<u64>) {
        let before = SET.get();
        let start = before.map_or_else(Instant::now, |set| set.start);
        let chance = seed.or(before.map(|set| set.chance)).unwrap_or_default();
        SET.set(Some(Set { start, since_start_ms, wall_ms, chance }));
    }

    pub(crate) fn wall_ms() -> Option<i64> {
        SET.get().map(|set| set.wall_ms)
    }

    pub(crate) fn instant() -> Option<Instant> {
        SET.get().map(|set| set.start + Duration::from_millis(set.since_start_ms))
    }

    pub(crate) fn random() -> Option<u128> {
        let mut set = SET.get()?;
        let mut word = || {
            set.chance = set.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = set.chance;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^ (word >> 31)
        };
        let bits = u128::from(word()) << 64 | u128::from(word());
        SET.set(Some(set));
        Some(bits)
    }
}
