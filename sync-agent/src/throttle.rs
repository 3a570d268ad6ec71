//! How fast blobs may be sent at which time of day, so that photos never take the line from the people who work in
//! the hall. Bodies are small and are not held back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

/// Minutes that Dongguan's clock is ahead of UTC; there has been no summer time since 1991.
const UTC_OFFSET_MINUTES: i64 = 8 * 60;

/// A part of the day with a limit of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Band {
    /// First minute of it, `HH:MM` local time.
    #[serde(deserialize_with = "minute_of_day")]
    pub from: u16,
    /// First minute after it; before `from` when it goes past midnight.
    #[serde(deserialize_with = "minute_of_day")]
    pub to: u16,
    /// KiB a second; 0 sends no blobs at all.
    pub kib_per_s: u32,
}

impl Band {
    fn covers(&self, minute: u16) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

/// KiB a second at this wall time, `None` when nothing limits it. The first band that covers the minute counts.
pub fn limit_at(bands: &[Band], wall_ms: i64) -> Option<u32> {
    let minute = (wall_ms.div_euclid(60_000) + UTC_OFFSET_MINUTES).rem_euclid(24 * 60);
    bands.iter().find(|band| band.covers(minute as u16)).map(|band| band.kib_per_s)
}

/// Shared by everything that sends blobs.
#[derive(Clone)]
pub struct Throttle {
    bands: Arc<[Band]>,
    /// When what was sent so far will have been worth its time.
    free_at: Arc<Mutex<Instant>>,
}

impl Throttle {
    /// With these bands; none means no limit.
    pub fn new(bands: Vec<Band>) -> Self {
        Self { bands: bands.into(), free_at: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Waits until so many bytes may be sent.
    pub async fn take(&self, bytes: u64) {
        /// While nothing may be sent, the clock is looked at this often.
        const CLOSED: Duration = Duration::from_secs(30);
        loop {
            match limit_at(&self.bands, wall_ms()) {
                None => return,
                Some(0) => tokio::time::sleep(CLOSED).await,
                Some(kib_per_s) => {
                    let begin = self.book(Instant::now(), bytes, u64::from(kib_per_s) * 1024);
                    return tokio::time::sleep_until(begin).await;
                }
            }
        }
    }

    /// Books the time that the bytes take and returns when it begins.
    fn book(&self, now: Instant, bytes: u64, bytes_per_s: u64) -> Instant {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = (*free_at).max(now);
        *free_at = begin + Duration::from_millis(bytes.saturating_mul(1000) / bytes_per_s.max(1));
        begin
    }
}

fn wall_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn minute_of_day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let text = String::deserialize(deserializer)?;
    let minute = || {
        let (hour, minute) = text.split_once(':')?;
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        let of_day = hour.checked_mul(60)?.checked_add(minute)?;
        (minute < 60 && of_day <= 24 * 60).then_some(of_day)
    };
    minute().ok_or_else(|| serde::de::Error::custom("a time of day is written HH:MM"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 00:00 in Dongguan.
    const MIDNIGHT_MS: i64 = 1_795_276_800_000;

    fn at(hour: i64, minute: i64) -> i64 {
        MIDNIGHT_MS + (hour * 60 + minute) * 60_000
    }

    #[test]
    fn the_first_band_that_covers_the_minute_counts() {
        let bands = [
            Band { from: 8 * 60, to: 18 * 60, kib_per_s: 64 },
            Band { from: 22 * 60, to: 6 * 60, kib_per_s: 0 },
        ];
        for (hour, minute, limit) in [
            (7, 59, None),
            (8, 0, Some(64)),
            (17, 59, Some(64)),
            (18, 0, None),
            (22, 0, Some(0)),
            (0, 0, Some(0)),
            (5, 59, Some(0)),
            (6, 0, None),
        ] {
            assert_eq!(limit_at(&bands, at(hour, minute)), limit, "{hour}:{minute}");
        }
        assert_eq!(limit_at(&bands, at(8, 0) - 40 * 365 * 86_400_000), Some(64), "before 1990 as well");
    }

    #[test]
    fn times_are_read_or_said_to_be_wrong() {
        let band: Band = toml::from_str("from = \"07:30\"\nto = \"24:00\"\nkib_per_s = 256").unwrap();
        assert_eq!(band, Band { from: 450, to: 1440, kib_per_s: 256 });
        for wrong in ["25:00", "7", "07:60", "24:01", "-1:00", "32767:00", "00:65535"] {
            let text = format!("from = \"{wrong}\"\nto = \"08:00\"\nkib_per_s = 1");
            assert!(toml::from_str::<Band>(&text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bytes_take_their_time_and_time_that_nobody_used_is_not_saved_up() {
        let throttle = Throttle::new(Vec::new());
        let begun = Instant::now();
        let after = |seconds: u64| begun + Duration::from_secs(seconds);
        let book = |at: u64| throttle.book(after(at), 256 * 1024, 256 * 1024).max(begun);
        assert_eq!([book(0), book(0), book(0)], [after(0), after(1), after(2)]);
        assert_eq!([book(10), book(10)], [after(10), after(11)]);
    }
}
