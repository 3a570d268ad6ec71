//! An outage as the sync agent lives through it, without waiting for it: its plan is pure, so hours of failed tries
//! take no time. What is left afterwards is what matters: when each terminal will try again.

use sync_agent::backoff::Backoff;
use sync_agent::config::SyncConfig;
use sync_agent::plan::{Failure, Plan, Settings, Step};

/// How a fleet waits.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// The terminals' settings.
    pub settings: Settings,
    /// How long nothing goes through, milliseconds.
    pub lasts_ms: u64,
}

impl Outage {
    /// The sync agent's own settings, but for the longest wait and the time between two hellos: a fleet of 100,000 on
    /// one gateway cannot say hello every minute. Eight times the longest wait, so that every terminal has reached it.
    pub fn with_cap(cap_ms: u64) -> Self {
        let sync = SyncConfig::default();
        let backoff = Backoff { base_ms: sync.retry_base_ms.min(cap_ms), cap_ms };
        let settings = Settings { backoff, hello_every_ms: cap_ms, ..sync.settings() };
        Self { settings, lasts_ms: cap_ms * 8 }
    }

    /// A plan whose hello was just answered lives through the outage; records come in at these moments of it (in
    /// order). At its end everything is as on a terminal that has found nobody for so long.
    pub fn endure(&self, plan: &mut Plan, finalised_at_ms: &[u64], mut random: impl FnMut() -> u64) {
        let (mut now, mut head) = (0, 0);
        loop {
            while finalised_at_ms.get(head).is_some_and(|&at| at <= now) {
                head += 1;
                plan.queue_ends_at(head as u64);
            }
            match plan.next(now) {
                Step::Hello => {
                    plan.hello_started(now);
                    plan.hello_failed(now, None, random());
                }
                Step::Send(seqs) => {
                    for seq in seqs {
                        plan.sent(seq, now);
                        plan.failed(seq, Failure::Link, now, random());
                    }
                }
                Step::Complete(seq) => plan.completion_failed(seq, Failure::Link, now, random()),
                Step::Wait { until_ms } => {
                    let next = finalised_at_ms.get(head).copied().unwrap_or(u64::MAX);
                    now = until_ms.min(next).max(now + 1);
                    if now >= self.lasts_ms {
                        break;
                    }
                }
            }
        }
        plan.queue_ends_at(finalised_at_ms.len() as u64);
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use sync_protocol::ranges::RangeSet;

    use super::*;

    const TERMINALS: usize = 100_000;

    /// When each of a fleet says its first hello after the network is back, counted in tenths of a minute.
    fn returns(outage: &Outage, seed: u64) -> Vec<u64> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut buckets = vec![0; (outage.settings.backoff.cap_ms / 10_000 + 1) as usize];
        for _ in 0..TERMINALS {
            let mut plan = Plan::new(outage.settings, RangeSet::new(), &[]);
            plan.hello_started(0);
            plan.hello_answered(0, &RangeSet::new(), 32, 0, random.random());
            let mut records = [0; 3].map(|_| random.random_range(0..outage.lasts_ms / 2));
            records.sort_unstable();
            outage.endure(&mut plan, &records, || random.random());
            let due = match plan.next(outage.lasts_ms) {
                Step::Hello => outage.lasts_ms,
                Step::Wait { until_ms } => until_ms,
                other => panic!("nothing can be sent before a hello: {other:?}"),
            };
            buckets[((due - outage.lasts_ms) / 10_000) as usize] += 1;
        }
        buckets
    }

    /// The herd: 100,000 terminals that all lost the city at once must not all be back at once.
    #[test]
    fn a_fleet_comes_back_evenly() {
        let outage = Outage::with_cap(900_000);
        let buckets = returns(&outage, 7);
        assert_eq!(buckets.iter().sum::<u64>(), TERMINALS as u64);
        let last = buckets.iter().rposition(|&count| count > 0).unwrap();
        let mean = TERMINALS as f64 / (last + 1) as f64;
        let peak = buckets.iter().copied().max().unwrap() as f64;
        assert!(peak <= 1.5 * mean, "peak {peak}, mean {mean}: {buckets:?}");
    }
}
