//! How often something may be tried: a bucket for each name, filled slowly. Pure; the caller brings the time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Names that are remembered at once; beyond that the one that waited longest is forgotten.
const MOST: usize = 10_000;

/// Buckets of one size.
pub(crate) struct Limiter<K> {
    /// Tries that may come at once.
    burst: u32,
    /// Time in which one more may come.
    every: Duration,
    buckets: Mutex<HashMap<K, Bucket>>,
}

struct Bucket {
    tries: f64,
    seen: Instant,
}

impl<K: Eq + Hash + Clone> Limiter<K> {
    pub(crate) fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every, buckets: Mutex::default() }
    }

    /// Takes one try, or says how long to wait for the next.
    pub(crate) fn take(&self, name: K, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(&name) {
            let refilled = self.every * self.burst;
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.seen) < refilled);
            let longest = buckets.iter().min_by_key(|(_, bucket)| bucket.seen).map(|(name, _)| name.clone());
            if buckets.len() >= MOST
                && let Some(longest) = longest
            {
                buckets.remove(&longest);
            }
        }
        let full = f64::from(self.burst);
        let bucket = buckets.entry(name).or_insert(Bucket { tries: full, seen: now });
        let refill = now.saturating_duration_since(bucket.seen).as_secs_f64() / self.every.as_secs_f64();
        bucket.tries = (bucket.tries + refill).min(full);
        bucket.seen = now;
        if bucket.tries >= 1.0 {
            bucket.tries -= 1.0;
            Ok(())
        } else {
            Err(self.every.mul_f64(1.0 - bucket.tries))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_at_a_time_and_names_are_apart() {
        let limiter = Limiter::new(3, Duration::from_secs(10));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..3 {
            limiter.take("a", at(0)).unwrap();
        }
        assert_eq!(limiter.take("a", at(0)), Err(Duration::from_secs(10)));
        limiter.take("b", at(0)).unwrap();
        assert!(limiter.take("a", at(9)).is_err());
        limiter.take("a", at(10)).unwrap();
        assert!(limiter.take("a", at(10)).is_err());
        // Waiting long is no savings book.
        for _ in 0..3 {
            limiter.take("a", at(1_000_000)).unwrap();
        }
        assert!(limiter.take("a", at(1_000_000)).is_err());
    }

    #[test]
    fn many_names_do_not_fill_the_memory() {
        let limiter = Limiter::new(1, Duration::from_secs(10));
        let start = Instant::now();
        for name in 0..MOST + 500 {
            limiter.take(name, start + Duration::from_micros(name as u64)).unwrap();
        }
        assert!(limiter.buckets.lock().unwrap().len() <= MOST);
    }
}
