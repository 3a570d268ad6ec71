//! How much the gateway takes on in a second, in all and from one terminal: buckets that fill evenly. A terminal over
//! its share is asked to wait (429) before the city as a whole has to ask everybody (503).
//!
//! A request is let in while its bucket holds anything at all and may leave a debt, so a large record is never
//! refused for being larger than a bucket. Deliberately absent: a limit on hello, which costs little and tells a
//! terminal how fast it may send.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock;
use crate::config::Budget;
use crate::refusal::Refusal;

const MIB: f64 = 1024.0 * 1024.0;

/// Seconds of its rate that a bucket holds.
const BURST: f64 = 4.0;

/// Terminals whose buckets are kept; full ones are forgotten first, and a new bucket is a full one.
const TERMINALS: usize = 16 * 1024;

/// One bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    rate: f64,
    most: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket that gets `rate` a second and holds `most`.
    pub(crate) fn new(rate: f64, most: f64, now: Instant) -> Self {
        Self { rate: rate.max(f64::MIN_POSITIVE), most, level: most, at: now }
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + passed * self.rate).min(self.most);
        self.at = now;
    }

    /// How long until something can be taken; nothing when it can be now.
    pub(crate) fn wait(&mut self, now: Instant) -> Option<Duration> {
        self.fill(now);
        (self.level <= 0.0).then(|| Duration::from_secs_f64((-self.level / self.rate).clamp(0.001, 3600.0)))
    }

    /// Takes, perhaps into debt.
    pub(crate) fn take(&mut self, amount: f64) {
        self.level -= amount;
    }

    /// How full it is, 0 to 1.
    fn fullness(&mut self, now: Instant) -> f64 {
        self.fill(now);
        (self.level / self.most).clamp(0.0, 1.0)
    }
}

/// A bucket each for many, by name.
pub(crate) struct Shares {
    rate: f64,
    most: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

impl Shares {
    /// Each gets `rate` a second and at most `most` at once.
    pub(crate) fn new(rate: f64, most: f64) -> Self {
        Self { rate, most, buckets: Mutex::default() }
    }

    /// Takes one; or says after how many seconds one can be taken.
    pub(crate) fn take(&self, name: &str) -> Option<u32> {
        let now = Instant::now();
        let mut buckets = locked(&self.buckets);
        if buckets.len() >= TERMINALS && !buckets.contains_key(name) {
            let most = self.most;
            buckets.retain(|_, bucket| {
                bucket.fill(now);
                bucket.level < most
            });
            if buckets.len() >= TERMINALS {
                buckets.clear();
            }
        }
        let full = || Bucket::new(self.rate, self.most, now);
        let bucket = buckets.entry(name.to_owned()).or_insert_with(full);
        bucket.fill(now);
        if bucket.level < 1.0 {
            let missing = (1.0 - bucket.level) / bucket.rate;
            return Some(whole_seconds(Duration::from_secs_f64(missing.clamp(0.001, 3600.0))));
        }
        bucket.take(1.0);
        None
    }
}

/// Records, their bytes, and bytes of blobs.
#[derive(Debug, Clone, Copy)]
struct Buckets {
    records: Bucket,
    bytes: Bucket,
    blobs: Bucket,
}

impl Buckets {
    fn new(budget: &Budget, now: Instant) -> Self {
        let full = |rate: f64| Bucket::new(rate, rate * BURST, now);
        Self {
            records: full(f64::from(budget.records_per_second)),
            bytes: full(f64::from(budget.mib_per_second) * MIB),
            blobs: full(f64::from(budget.blob_mib_per_second) * MIB),
        }
    }

    fn is_full(&mut self, now: Instant) -> bool {
        [&mut self.records, &mut self.bytes, &mut self.blobs]
            .into_iter()
            .all(|bucket| bucket.fullness(now) >= 1.0)
    }
}

/// The budgets of one gateway.
pub(crate) struct Budgets {
    city: Mutex<Buckets>,
    terminals: Mutex<HashMap<String, Buckets>>,
    each: Budget,
}

impl Budgets {
    pub(crate) fn new(city: &Budget, each: &Budget) -> Self {
        let city = Mutex::new(Buckets::new(city, clock::instant()));
        Self { city, terminals: Mutex::default(), each: each.clone() }
    }

    /// Takes for one record of so many bytes.
    pub(crate) fn record(&self, terminal: &str, bytes: u64) -> Result<(), Refusal> {
        self.take(terminal, clock::instant(), |buckets| {
            [(&mut buckets.records, 1.0), (&mut buckets.bytes, bytes as f64)]
        })
    }

    /// Takes for a piece of a blob.
    pub(crate) fn blob(&self, terminal: &str, bytes: u64) -> Result<(), Refusal> {
        // Counted as a little more, so that empty requests are not free.
        let bytes = bytes as f64 + 4096.0;
        self.take(terminal, clock::instant(), |buckets| [(&mut buckets.blobs, bytes)])
    }

    /// How much of the city's budget for records is left, 0 to 1.
    pub(crate) fn left(&self) -> f64 {
        let now = clock::instant();
        let mut city = locked(&self.city);
        city.records.fullness(now).min(city.bytes.fullness(now))
    }

    fn take<const N: usize>(
        &self,
        terminal: &str,
        now: Instant,
        what: impl Fn(&mut Buckets) -> [(&mut Bucket, f64); N],
    ) -> Result<(), Refusal> {
        let mut terminals = locked(&self.terminals);
        if terminals.len() >= TERMINALS && !terminals.contains_key(terminal) {
            terminals.retain(|_, buckets| !buckets.is_full(now));
            if terminals.len() >= TERMINALS {
                terminals.clear();
            }
        }
        let own = terminals.entry(terminal.to_owned()).or_insert_with(|| Buckets::new(&self.each, now));
        let longest = |waits: [Option<Duration>; N]| waits.into_iter().flatten().max();
        if let Some(wait) = longest(what(own).map(|(bucket, _)| bucket.wait(now))) {
            return Err(Refusal::Share {
                seconds: whole_seconds(wait),
                why: "more than this terminal's share",
            });
        }
        let mut city = locked(&self.city);
        if let Some(wait) = longest(what(&mut city).map(|(bucket, _)| bucket.wait(now))) {
            return Err(Refusal::Later { seconds: whole_seconds(wait), why: "too much comes at once" });
        }
        for (bucket, amount) in what(own).into_iter().chain(what(&mut city)) {
            bucket.take(amount);
        }
        Ok(())
    }
}

fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(records: u32) -> Budget {
        Budget { records_per_second: records, mib_per_second: 1, blob_mib_per_second: 1 }
    }

    #[test]
    fn a_terminal_over_its_share_waits_and_others_do_not() {
        let budgets = Budgets::new(&budget(1000), &budget(1));
        // The last of these takes into debt, which no test is slow enough to pay off.
        for _ in 0..5 {
            budgets.record("DG0001", 10).unwrap();
        }
        let refused = budgets.record("DG0001", 10).unwrap_err();
        assert!(matches!(refused, Refusal::Share { seconds: 1.., .. }), "{refused:?}");
        budgets.record("DG0002", 10).unwrap();
    }

    #[test]
    fn the_city_as_a_whole_has_a_limit() {
        let budgets = Budgets::new(&budget(1), &budget(1000));
        for number in 0..5 {
            budgets.record(&format!("DG000{number}"), 10).unwrap();
        }
        assert!(matches!(budgets.record("DG0009", 10), Err(Refusal::Later { seconds: 1.., .. })));
        assert!(budgets.left() < 0.5);
    }

    #[test]
    fn a_debt_is_paid_off_in_time() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10.0, 10.0, start);
        assert_eq!(bucket.wait(start), None);
        bucket.take(100.0);
        assert_eq!(bucket.wait(start), Some(Duration::from_secs(9)));
        assert!(bucket.wait(start + Duration::from_secs(5)).is_some());
        assert_eq!(bucket.wait(start + Duration::from_secs(10)), None);
    }

    #[test]
    fn each_has_a_share_of_its_own() {
        let shares = Shares::new(0.001, 2.0);
        assert_eq!([shares.take("a"), shares.take("a")], [None, None]);
        assert!(shares.take("a").is_some_and(|seconds| seconds > 0));
        assert_eq!(shares.take("b"), None);
        for number in 0..TERMINALS + 10 {
            shares.take(&number.to_string());
        }
        assert!(locked(&shares.buckets).len() <= TERMINALS);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let budgets = Budgets::new(&budget(u32::MAX), &budget(1));
        for number in 0..TERMINALS + 10 {
            budgets.record(&number.to_string(), 1).unwrap();
        }
        assert!(locked(&budgets.terminals).len() <= TERMINALS);
    }
}
