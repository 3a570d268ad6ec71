//! How often somebody may try to sign in. Pure: time comes in with each call.
//!
//! Each try counts as failed before the password is looked at, so that many at once gain nothing; a success takes it
//! back. The wait of an account is short and bounded, because anybody can make it grow for somebody else; the wait
//! of an address grows further. What is remembered is bounded, and forgotten after a while.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;

/// Failures after which an entry is kept, in milliseconds since the last one.
const MEMORY_MS: i64 = 60 * 60 * 1000;

/// Entries of one kind.
const MOST: usize = 4096;

/// How waits grow.
struct Pace {
    /// Failures that cost nothing.
    free: u32,
    /// Longest wait.
    longest_ms: i64,
}

const ACCOUNT: Pace = Pace { free: 3, longest_ms: 60_000 };
const ADDRESS: Pace = Pace { free: 10, longest_ms: 15 * 60_000 };

impl Pace {
    /// The wait after so many failures: a second, doubled each time.
    fn wait_ms(&self, failures: u32) -> i64 {
        match failures.checked_sub(self.free) {
            None | Some(0) => 0,
            Some(more) => (1000_i64 << (more - 1).min(20)).min(self.longest_ms),
        }
    }
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last_ms: i64,
}

/// Failures of one kind of thing.
struct Ledger<K> {
    pace: Pace,
    entries: HashMap<K, Failures>,
}

impl<K: Hash + Eq + Clone> Ledger<K> {
    fn new(pace: Pace) -> Self {
        Self { pace, entries: HashMap::new() }
    }

    fn wait_ms(&self, key: &K, now_ms: i64) -> i64 {
        self.entries
            .get(key)
            .map_or(0, |failures| (failures.last_ms + self.pace.wait_ms(failures.count) - now_ms).max(0))
    }

    fn count(&mut self, key: &K, now_ms: i64) {
        if self.entries.len() >= MOST && !self.entries.contains_key(key) {
            self.entries.retain(|_, failures| failures.last_ms + MEMORY_MS > now_ms);
            if self.entries.len() >= MOST {
                let oldest = self.entries.iter().min_by_key(|(_, failures)| failures.last_ms);
                if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                    self.entries.remove(&oldest);
                }
            }
        }
        let entry = self.entries.entry(key.clone()).or_insert(Failures { count: 0, last_ms: now_ms });
        if entry.last_ms + MEMORY_MS <= now_ms {
            entry.count = 0;
        }
        entry.count = entry.count.saturating_add(1);
        entry.last_ms = now_ms;
    }
}

/// Who tried how often.
pub(crate) struct Attempts {
    accounts: Ledger<String>,
    addresses: Ledger<IpAddr>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { accounts: Ledger::new(ACCOUNT), addresses: Ledger::new(ADDRESS) }
    }
}

impl Attempts {
    /// Whether this may be tried now; if so, it counts as failed until [`Attempts::succeeded`] is called. If not, how
    /// many milliseconds to wait. Names that no account has are counted like any other.
    pub(crate) fn begin(&mut self, name: &str, address: IpAddr, now_ms: i64) -> Result<(), i64> {
        let (name, address) = (name.to_owned(), network(address));
        let wait = self.accounts.wait_ms(&name, now_ms).max(self.addresses.wait_ms(&address, now_ms));
        if wait > 0 {
            return Err(wait);
        }
        self.accounts.count(&name, now_ms);
        self.addresses.count(&address, now_ms);
        Ok(())
    }

    /// Forgets an account's failures. Of the address only this try is taken back: whoever has one account must not
    /// get free tries at others by it.
    pub(crate) fn succeeded(&mut self, name: &str, address: IpAddr) {
        self.accounts.entries.remove(name);
        if let Some(entry) = self.addresses.entries.get_mut(&network(address)) {
            entry.count = entry.count.saturating_sub(1);
        }
    }
}

/// How often each operator did something within the last hour.
#[derive(Default)]
pub(crate) struct Hourly {
    times: HashMap<String, VecDeque<i64>>,
}

impl Hourly {
    /// Counts once more, unless it were more than `most` within an hour.
    pub(crate) fn take(&mut self, name: &str, most: usize, now_ms: i64) -> bool {
        let old = now_ms - MEMORY_MS;
        self.times.retain(|_, times| times.back().is_some_and(|last| *last > old));
        let times = self.times.entry(name.to_owned()).or_default();
        while times.front().is_some_and(|first| *first <= old) {
            times.pop_front();
        }
        let free = times.len() < most;
        if free {
            times.push_back(now_ms);
        }
        free
    }
}

/// What one machine can be taken for: an IPv6 customer has 2⁶⁴ addresses.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => IpAddr::V4(mapped),
            None => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn an_account_waits_longer_each_time_and_never_longer_than_a_minute() {
        let mut attempts = Attempts::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for try_number in 0..14_u8 {
            // From another address each time, so that only the account's wait is seen.
            match attempts.begin("wang", at(try_number), now) {
                Ok(()) => waits.push(0),
                Err(wait) => {
                    waits.push(wait);
                    now += wait;
                    attempts.begin("wang", at(try_number), now).unwrap();
                }
            }
        }
        let wanted = [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map(|seconds| seconds * 1000);
        assert_eq!(waits, wanted);
    }

    #[test]
    fn many_at_once_are_no_way_around() {
        let mut attempts = Attempts::default();
        let allowed = (0..100).filter(|_| attempts.begin("wang", at(1), 5).is_ok()).count();
        assert_eq!(allowed, 4);
    }

    #[test]
    fn one_address_cannot_go_through_all_accounts() {
        let mut attempts = Attempts::default();
        let allowed =
            (0..100).filter(|number| attempts.begin(&format!("a{number}"), at(1), 5).is_ok()).count();
        assert_eq!(allowed, 11);
        // A good account of one's own gives one try back and no more.
        attempts.succeeded("a0", at(1));
        assert!(attempts.begin("b", at(1), 5).is_ok());
        assert!(attempts.begin("c", at(1), 5).is_err());
        assert!(attempts.begin("c", at(2), 5).is_ok());
    }

    #[test]
    fn success_and_time_forgive() {
        let mut attempts = Attempts::default();
        for _ in 0..4 {
            attempts.begin("wang", at(1), 0).unwrap();
        }
        assert!(attempts.begin("wang", at(2), 0).is_err());
        attempts.succeeded("wang", at(1));
        assert!(attempts.begin("wang", at(2), 0).is_ok());
        for _ in 0..4 {
            let _ = attempts.begin("li", at(3), 0);
        }
        assert_eq!((0..9).filter(|_| attempts.begin("li", at(4), MEMORY_MS).is_ok()).count(), 4);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut attempts = Attempts::default();
        for number in 0..MOST + 100 {
            let _ = attempts.begin(&format!("a{number}"), IpAddr::from((number as u32).to_be_bytes()), 1);
        }
        assert_eq!((attempts.accounts.entries.len(), attempts.addresses.entries.len()), (MOST, MOST));
    }

    #[test]
    fn an_hour_holds_so_many() {
        let mut hourly = Hourly::default();
        assert_eq!((0..9).filter(|minute| hourly.take("wang", 5, minute * 60_000)).count(), 5);
        assert!(hourly.take("li", 5, 9 * 60_000));
        assert!(!hourly.take("wang", 5, MEMORY_MS - 1));
        // The first of the five is an hour old now, the second is not.
        assert!(hourly.take("wang", 5, MEMORY_MS) && !hourly.take("wang", 5, MEMORY_MS));
        assert!(hourly.take("wang", 5, 3 * MEMORY_MS) && hourly.times.len() == 1);
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        assert_eq!(network("2001:db8::1".parse().unwrap()), network("2001:db8::ffff".parse().unwrap()));
        assert_ne!(network("2001:db8::1".parse().unwrap()), network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), at(1));
    }
}
