//! The plan in a storm: a model city that loses, refuses, lies, restarts from a backup and falls silent, a journal that
//! fails, answers that are never reported. Throughout, the rules hold; and when the storm is over, everything drains.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sync_agent::backoff::Backoff;
use sync_agent::plan::{Failure, Plan, Settings, Step};
use sync_protocol::ranges::RangeSet;

const SETTINGS: Settings = Settings {
    backoff: Backoff { base_ms: 20, cap_ms: 400 },
    window: 5,
    hello_every_ms: 700,
    side_lane_ms: 2000,
    lost_after_ms: 300,
};

/// Deterministic random numbers, so that a failing seed can be replayed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.roll() % 100 < chance
    }
}

enum Coming {
    /// What the city has, and in which life of its store it said so.
    HelloOk(RangeSet, u64),
    HelloFails,
    /// With what the city said about its blobs, and in which life of its store.
    Receipt(u64, bool, u64),
    Fails(u64, Failure),
    Completed(u64, u64),
    CompletionFails(u64, Failure),
    /// On disk or not, and whether it said complete.
    Noted(u64, bool, bool),
}

fn has_blobs(seq: u64) -> bool {
    seq.is_multiple_of(3)
}

struct Storm {
    plan: Plan,
    dice: Dice,
    now: u64,
    head: u64,
    /// What the city holds.
    city: BTreeSet<u64>,
    /// Records of which it holds every blob.
    blobs: BTreeSet<u64>,
    /// What is on the terminal's disk as acknowledged.
    disk: BTreeSet<u64>,
    /// What is there as complete.
    complete: BTreeSet<u64>,
    completing: Option<u64>,
    epoch: u64,
    known_epoch: u64,
    coming: BTreeMap<(u64, u64), Coming>,
    serial: u64,
    under_way: BTreeSet<u64>,
    greeted: bool,
    /// Ranges of the last hello that was believed.
    last_heard: RangeSet,
    faults: u64,
    sends: u64,
    tick_at: u64,
}

impl Storm {
    fn new(seed: u64, faults: u64) -> Self {
        Self {
            plan: Plan::new(SETTINGS, RangeSet::new(), &[]),
            dice: Dice(seed),
            now: 0,
            head: 0,
            city: BTreeSet::new(),
            blobs: BTreeSet::new(),
            disk: BTreeSet::new(),
            complete: BTreeSet::new(),
            completing: None,
            epoch: 1,
            known_epoch: 1,
            coming: BTreeMap::new(),
            serial: 0,
            under_way: BTreeSet::new(),
            greeted: false,
            last_heard: RangeSet::new(),
            faults,
            sends: 0,
            tick_at: 0,
        }
    }

    fn later(&mut self, within: u64, what: Coming) {
        self.serial += 1;
        let at = self.now + 1 + self.dice.roll() % within;
        self.coming.insert((at, self.serial), what);
    }

    fn step(&mut self, until: u64) {
        if self.now >= self.tick_at {
            self.tick_at = self.now + 200;
            self.plan.tick(self.now);
            if self.now > SETTINGS.lost_after_ms {
                // The plan may now send again what it gave up on.
                self.under_way.clear();
            }
        }
        match self.plan.next(self.now) {
            Step::Hello => self.hello(),
            Step::Send(seqs) => self.send(&seqs),
            Step::Complete(seq) => self.complete(seq),
            Step::Wait { until_ms } => {
                assert!(until_ms > self.now, "a plan that waits for the past spins");
                let event = self.coming.keys().next().map_or(u64::MAX, |(at, _)| *at);
                self.now = until_ms.min(event).min(self.now + 50).min(until);
            }
        }
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let what = entry.remove();
            self.arrive(what);
        }
    }

    fn hello(&mut self) {
        self.plan.hello_started(self.now);
        if self.dice.percent(self.faults) {
            match self.dice.percent(20) {
                true => {} // never reported at all
                false => self.later(100, Coming::HelloFails),
            }
        } else {
            let received: RangeSet = self.city.iter().copied().collect();
            self.later(60, Coming::HelloOk(received, self.epoch));
        }
    }

    fn send(&mut self, seqs: &[u64]) {
        assert!(self.greeted, "nothing is sent before the city answered");
        assert!(!seqs.is_empty() && seqs.len() <= SETTINGS.window as usize);
        for &seq in seqs {
            self.sends += 1;
            assert!((1..=self.head).contains(&seq), "only what is finalised");
            assert!(self.under_way.insert(seq), "{seq} is already under way");
            let needed = !self.disk.contains(&seq) || !self.last_heard.contains(seq);
            assert!(needed, "{seq} has its receipt and the city has it");
            self.plan.sent(seq, self.now);
            if !self.dice.percent(self.faults) {
                self.city.insert(seq);
                let complete = !has_blobs(seq) || self.blobs.contains(&seq);
                self.later(60, Coming::Receipt(seq, complete, self.epoch));
                continue;
            }
            match self.dice.roll() % 5 {
                0 => self.later(100, Coming::Fails(seq, Failure::Link)),
                1 => self.later(60, Coming::Fails(seq, Failure::Transient { retry_after_ms: None })),
                2 => {
                    // Committed over there, but the reply is lost.
                    self.city.insert(seq);
                    self.later(200, Coming::Fails(seq, Failure::Link));
                }
                3 => self.later(60, Coming::Fails(seq, Failure::Unbelievable)),
                _ => {} // never reported at all
            }
        }
        assert!(self.under_way.len() <= SETTINGS.window as usize, "the window holds");
    }

    fn complete(&mut self, seq: u64) {
        assert!(self.greeted && has_blobs(seq) && self.disk.contains(&seq));
        assert!(self.completing.is_none(), "the blobs of one record at a time");
        self.completing = Some(seq);
        self.plan.completing(seq, self.now);
        let fails = self.dice.percent(self.faults);
        // After a restore the record may be gone there, and with it what its blobs belong to.
        if !fails && self.city.contains(&seq) {
            self.blobs.insert(seq);
            return self.later(200, Coming::Completed(seq, self.epoch));
        }
        let failure = match self.dice.roll() % 3 {
            0 => Failure::Link,
            1 => Failure::Transient { retry_after_ms: None },
            _ => Failure::Unbelievable,
        };
        self.later(200, Coming::CompletionFails(seq, failure));
    }

    fn arrive(&mut self, what: Coming) {
        let entropy = self.dice.roll();
        match what {
            Coming::HelloOk(received, epoch) => {
                if epoch != self.known_epoch {
                    self.new_epoch(epoch);
                }
                self.greeted = true;
                self.last_heard = received.clone();
                self.plan.hello_answered(self.now, &received, 32, 0, entropy);
            }
            Coming::HelloFails => {
                self.greeted = false;
                self.plan.hello_failed(self.now, None, entropy);
            }
            Coming::Receipt(seq, _, epoch) if epoch != self.known_epoch => {
                self.under_way.remove(&seq);
                self.plan.hello_soon(self.now);
                let failure = Failure::Transient { retry_after_ms: None };
                self.plan.failed(seq, failure, self.now, entropy);
            }
            Coming::Receipt(seq, complete, _) => {
                self.under_way.remove(&seq);
                self.plan.receipt_came(seq, self.now);
                let fails = self.dice.percent(self.faults / 4);
                self.later(20, Coming::Noted(seq, !fails, complete));
            }
            Coming::Completed(seq, epoch) if epoch != self.known_epoch => {
                self.completing = None;
                self.plan.hello_soon(self.now);
                let failure = Failure::Transient { retry_after_ms: None };
                self.plan.completion_failed(seq, failure, self.now, entropy);
            }
            Coming::Completed(seq, _) => {
                self.completing = None;
                self.plan.completion_came(seq, self.now);
                let fails = self.dice.percent(self.faults / 4);
                self.later(20, Coming::Noted(seq, !fails, true));
            }
            Coming::CompletionFails(seq, failure) => {
                self.completing = None;
                self.plan.completion_failed(seq, failure, self.now, entropy);
            }
            Coming::Fails(seq, failure) => {
                self.under_way.remove(&seq);
                self.plan.failed(seq, failure, self.now, entropy);
            }
            Coming::Noted(seq, true, complete) => {
                self.disk.insert(seq);
                if complete {
                    self.complete.insert(seq);
                }
                self.plan.receipt_noted(seq, complete);
            }
            Coming::Noted(seq, false, _) => self.plan.receipt_not_noted(seq, self.now, entropy),
        }
    }

    /// The terminal hears that the city was restored: what was acknowledged no longer counts.
    fn new_epoch(&mut self, epoch: u64) {
        self.known_epoch = epoch;
        let noting = |what: &Coming| matches!(what, Coming::Noted(..));
        let settled: Vec<(u64, u64)> =
            self.coming.iter().filter(|(_, what)| noting(what)).map(|(at, _)| *at).collect();
        for at in settled {
            if let Some(noted) = self.coming.remove(&at) {
                self.arrive(noted);
            }
        }
        self.disk.clear();
        self.complete.clear();
        self.plan.acknowledged_are(RangeSet::new());
    }

    /// The city comes back from a backup: some of what it had is gone.
    fn restore_city(&mut self) {
        self.epoch += 1;
        let keep = self.dice.roll() % (self.head + 1);
        self.city.retain(|seq| *seq <= keep);
        self.blobs.retain(|seq| *seq <= keep);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_in_the_storm_and_everything_drains_after_it(seed in any::<u64>(), faults in 5_u64..95, restores in 0_usize..3) {
        let mut storm = Storm::new(seed, faults);
        for part in 0..=restores {
            let end = storm.now + 4000;
            while storm.now < end {
                if storm.dice.percent(2) {
                    storm.head += storm.dice.roll() % 4;
                    storm.plan.queue_ends_at(storm.head);
                }
                storm.step(end);
            }
            if part < restores {
                storm.restore_city();
            }
        }
        // The storm is over.
        storm.faults = 0;
        storm.head += 1;
        storm.plan.queue_ends_at(storm.head);
        let over = storm.now;
        let whole: BTreeSet<u64> = (1..=storm.head).collect();
        let longest = 2 * SETTINGS.side_lane_ms + 4 * SETTINGS.backoff.cap_ms + 4 * SETTINGS.hello_every_ms
            + 10 * SETTINGS.lost_after_ms + 200 * storm.head;
        let with_blobs: BTreeSet<u64> = whole.iter().copied().filter(|seq| has_blobs(*seq)).collect();
        let drained = |storm: &Storm| {
            storm.city == whole && storm.disk == whole && storm.blobs == with_blobs
                && storm.complete.is_superset(&with_blobs)
        };
        while !drained(&storm) {
            storm.step(u64::MAX);
            prop_assert!(storm.now - over <= longest, "still not drained: city {:?} disk {:?} blobs {:?}", storm.city, storm.disk, storm.blobs);
        }
    }

    #[test]
    fn without_faults_every_record_is_sent_exactly_once(seed in any::<u64>(), head in 0_u64..200) {
        let mut storm = Storm::new(seed, 0);
        storm.head = head;
        storm.plan.queue_ends_at(head);
        while (storm.disk.len() as u64) < head {
            storm.step(u64::MAX);
        }
        prop_assert_eq!(storm.sends, head);
    }
}
