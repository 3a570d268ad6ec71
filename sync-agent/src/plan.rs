//! What to do next, and nothing else: no clock, no randomness, no socket, no disk. Time is an argument, and so is
//! every random number, so the same events always give the same plan.
//!
//! The rules: nothing is sent before the city answered a hello, verified. A record counts as delivered only when its
//! receipt is on disk. What the city says it has ([`Plan::hello_answered`]) only decides what is sent *again*. A failed
//! link stops everything and backs off as one; a record that fails for itself waits for itself. An answer that cannot
//! be believed is held against the record only if the hello after it is verified, because otherwise it was the network
//! that lied. After three such answers the record waits in the side lane while the rest flows.
//!
//! What was under way twice when the link failed goes last from then on, and alone: a link that breaks under large
//! packets must carry the small ones all the same.
//!
//! Bodies go first: the blobs of an acknowledged record are sent when no body is due, those of one record at a time.

mod terms;

use std::collections::{BTreeMap, BTreeSet};

use sync_protocol::ranges::RangeSet;

use crate::backoff::below_or_equal;
use crate::window::Window;

pub use terms::{Failure, Retry, Settings, Step};

/// Answers that are no receipt before a record goes to the side lane.
pub const REFUSALS_BEFORE_SIDE_LANE: u32 = 3;

/// How often the link must fail while a record is under way before the record goes alone.
const LINK_FAILURES_BEFORE_ALONE: u32 = 2;

/// Longest time that sending the blobs of one record can take; after it its task is taken for lost.
const LONGEST_COMPLETION_MS: u64 = 24 * 60 * 60 * 1000;

/// How many different records must fail in a row before it is taken for the city's trouble and not theirs.
const RECORDS_BEFORE_PAUSE: usize = 3;

#[derive(Clone, Copy, Debug, Default)]
struct Waiting {
    troubles: u32,
    refusals: u32,
    due_ms: u64,
}

#[derive(Clone, Debug)]
enum Link {
    Up,
    Down { failures: u32, hello_at_ms: u64 },
}

/// The plan of one incarnation of the queue.
#[derive(Clone, Debug)]
pub struct Plan {
    settings: Settings,
    head: u64,
    acknowledged: RangeSet,
    /// Acknowledged, but the city no longer has it.
    resend: RangeSet,
    window: Window,
    waiting: BTreeMap<u64, Waiting>,
    /// Got an unbelievable answer; judged by the next hello.
    suspects: BTreeSet<u64>,
    /// Acknowledged, with blobs that the city does not hold yet.
    incomplete: BTreeSet<u64>,
    /// The record whose blobs are on their way, and since when.
    completing: Option<(u64, u64)>,
    /// Under way when the link failed, and how often that was.
    breakers: BTreeMap<u64, u32>,
    /// Different records that failed since one last succeeded.
    in_trouble: BTreeSet<u64>,
    /// Pauses in a row without a success.
    pauses: u32,
    link: Link,
    /// When the hello under way began, and what was acknowledged then.
    hello: Option<(u64, RangeSet)>,
    /// Somebody asked for a hello while one was under way.
    hello_again: bool,
    next_hello_ms: u64,
    pause_until_ms: u64,
    allowance: u32,
}

impl Plan {
    /// A plan that begins with a hello. `retries` come from disk.
    pub fn new(settings: Settings, acknowledged: RangeSet, retries: &[Retry]) -> Self {
        let waiting = |retry: &Retry| Waiting { refusals: retry.refusals, due_ms: retry.due_ms, troubles: 0 };
        Self {
            settings,
            head: 0,
            acknowledged,
            resend: RangeSet::new(),
            window: Window::default(),
            waiting: retries.iter().map(|retry| (retry.seq, waiting(retry))).collect(),
            suspects: BTreeSet::new(),
            incomplete: BTreeSet::new(),
            completing: None,
            breakers: BTreeMap::new(),
            in_trouble: BTreeSet::new(),
            pauses: 0,
            link: Link::Down { failures: 0, hello_at_ms: 0 },
            hello: None,
            hello_again: false,
            next_hello_ms: 0,
            pause_until_ms: 0,
            allowance: 1,
        }
    }

    /// The queue ends here now.
    pub fn queue_ends_at(&mut self, head: u64) {
        self.head = head;
    }

    /// What to do now.
    pub fn next(&self, now_ms: u64) -> Step {
        if self.hello.is_none() && now_ms >= self.hello_due_ms() {
            return Step::Hello;
        }
        if matches!(self.link, Link::Down { .. }) || now_ms < self.pause_until_ms {
            return Step::Wait { until_ms: self.wait_until_ms(now_ms) };
        }
        let due = self.due(now_ms);
        if !due.is_empty() {
            return Step::Send(due);
        }
        match self.completable(now_ms) {
            Some(seq) => Step::Complete(seq),
            None => Step::Wait { until_ms: self.wait_until_ms(now_ms) },
        }
    }

    /// A hello is on its way.
    pub fn hello_started(&mut self, now_ms: u64) {
        self.hello = Some((now_ms, self.acknowledged.clone()));
    }

    /// The city answered a hello and the answer was verified. Returns the records against which an earlier answer is
    /// now held.
    pub fn hello_answered(
        &mut self,
        now_ms: u64,
        received: &RangeSet,
        allowance: u32,
        retry_after_ms: u64,
        entropy: u64,
    ) -> Vec<Retry> {
        let asked = self.hello.take().map_or_else(RangeSet::new, |(_, acknowledged)| acknowledged);
        // What was acknowledged before the question and is not in the answer is gone over there.
        self.resend = missing_from(&asked, received, self.head);
        self.allowance = allowance.max(1);
        self.next_hello_ms = now_ms + self.hello_after(self.settings.hello_every_ms);
        if retry_after_ms > 0 {
            self.pause(now_ms + self.settings.backoff.delay_after_ms(retry_after_ms, 1, entropy));
        }
        if matches!(self.link, Link::Down { failures: 1.., .. }) {
            // After a real outage old troubles say nothing about now.
            self.waiting.retain(|_, waiting| waiting.refusals > 0);
            self.out_of_trouble();
            if retry_after_ms == 0 {
                self.pause_until_ms = now_ms;
            }
        }
        self.link = Link::Up;
        let suspects = std::mem::take(&mut self.suspects);
        suspects.into_iter().map(|seq| self.refused(seq, now_ms, entropy)).collect()
    }

    /// A hello got no answer, or none that could be believed.
    pub fn hello_failed(&mut self, now_ms: u64, retry_after_ms: Option<u64>, entropy: u64) {
        self.hello = None;
        // Whatever answered strangely before was the network, not the record.
        self.suspects.clear();
        let failures = match self.link {
            Link::Down { failures, .. } => failures.saturating_add(1),
            Link::Up => 1,
        };
        let backoff = self.settings.backoff;
        let delay = backoff.link_delay_ms(retry_after_ms.unwrap_or(0), failures, entropy);
        self.link = Link::Down { failures, hello_at_ms: now_ms + self.hello_after(delay) };
    }

    /// How long to wait after a hello that has just ended: not at all when somebody asked for one while it was under way.
    fn hello_after(&mut self, delay_ms: u64) -> u64 {
        if std::mem::take(&mut self.hello_again) { 0 } else { delay_ms }
    }

    /// A record is on its way.
    pub fn sent(&mut self, seq: u64, now_ms: u64) {
        self.window.sent(seq, now_ms);
    }

    /// A verified receipt that fits came; it is being noted on disk.
    pub fn receipt_came(&mut self, seq: u64, now_ms: u64) {
        self.window.confirming(seq, now_ms);
        self.out_of_trouble();
    }

    /// The receipt is on disk. Only now the record counts as delivered, and only a complete receipt ends the sending
    /// of its blobs.
    pub fn receipt_noted(&mut self, seq: u64, complete: bool) {
        self.window.settled(seq);
        self.waiting.remove(&seq);
        self.breakers.remove(&seq);
        self.resend.remove(seq);
        self.acknowledged.insert(seq);
        if complete {
            self.incomplete.remove(&seq);
        } else {
            self.incomplete.insert(seq);
        }
    }

    /// These were acknowledged in an earlier run of the agent, and their blobs not all sent.
    pub fn incomplete_are(&mut self, incomplete: impl IntoIterator<Item = u64>) {
        self.incomplete = incomplete.into_iter().collect();
    }

    /// The blobs of this record are on their way.
    pub fn completing(&mut self, seq: u64, now_ms: u64) {
        self.completing = Some((seq, now_ms));
    }

    /// The city holds all blobs of this record and said so in a receipt that is being noted on disk.
    pub fn completion_came(&mut self, seq: u64, now_ms: u64) {
        self.completing.take_if(|(at, _)| *at == seq);
        self.receipt_came(seq, now_ms);
    }

    /// Sending blobs failed; what the city has of them it keeps, so the next try goes on from there.
    pub fn completion_failed(&mut self, seq: u64, failure: Failure, now_ms: u64, entropy: u64) {
        if self.completing.take_if(|(at, _)| *at == seq).is_none() {
            return;
        }
        if failure == Failure::Link {
            // A link that carries small requests and breaks under large ones must not be tried without a pause.
            self.wait_for_itself(seq, now_ms, None, entropy);
        }
        self.held_against(seq, failure, now_ms, entropy);
    }

    /// The receipt could not be noted: the record is sent again later and gets the same receipt.
    pub fn receipt_not_noted(&mut self, seq: u64, now_ms: u64, entropy: u64) {
        self.window.settled(seq);
        self.wait_for_itself(seq, now_ms, None, entropy);
    }

    /// The record could not be read from the outbox just now.
    pub fn unreadable(&mut self, seq: u64, now_ms: u64, entropy: u64) {
        self.wait_for_itself(seq, now_ms, None, entropy);
    }

    /// A try failed.
    pub fn failed(&mut self, seq: u64, failure: Failure, now_ms: u64, entropy: u64) {
        if self.window.answered(seq) {
            if failure == Failure::Link {
                self.broke_link(seq, now_ms, entropy);
            }
            self.held_against(seq, failure, now_ms, entropy);
        }
    }

    fn broke_link(&mut self, seq: u64, now_ms: u64, entropy: u64) {
        let times = self.breakers.entry(seq).or_default();
        *times = times.saturating_add(1);
        // Before, it was one among others.
        if *times > LINK_FAILURES_BEFORE_ALONE {
            self.wait_for_itself(seq, now_ms, None, entropy);
        }
    }

    fn held_against(&mut self, seq: u64, failure: Failure, now_ms: u64, entropy: u64) {
        match failure {
            Failure::Link => self.doubt_link(now_ms + self.settings.backoff.delay_ms(1, entropy)),
            Failure::Transient { retry_after_ms } => {
                self.wait_for_itself(seq, now_ms, retry_after_ms, entropy);
                self.in_trouble.insert(seq);
                if let Some(asked) = retry_after_ms {
                    self.pause(now_ms + self.settings.backoff.delay_after_ms(asked, 1, entropy));
                } else if self.in_trouble.len() >= RECORDS_BEFORE_PAUSE && now_ms >= self.pause_until_ms {
                    // A whole window failing together is one round, not thirty.
                    self.pauses = self.pauses.saturating_add(1);
                    self.pause(now_ms + self.settings.backoff.delay_ms(self.pauses, entropy));
                }
            }
            Failure::Unbelievable => {
                self.suspects.insert(seq);
                self.doubt_link(now_ms);
            }
        }
    }

    /// Ask the city how things stand as soon as possible, for instance because a receipt names a new epoch.
    pub fn hello_soon(&mut self, now_ms: u64) {
        self.next_hello_ms = self.next_hello_ms.min(now_ms);
    }

    /// What counts as delivered was read anew from disk.
    pub fn acknowledged_are(&mut self, acknowledged: RangeSet) {
        // Whose receipt was forgotten gets another one, which says anew what is missing.
        self.incomplete.retain(|&seq| acknowledged.contains(seq));
        self.acknowledged = acknowledged;
    }

    /// Called from time to time, whatever the state: nothing may wait for an answer that cannot come, or for a time
    /// that no rule would set. This is what keeps a bug elsewhere from stopping the queue for ever.
    pub fn tick(&mut self, now_ms: u64) {
        let settings = self.settings;
        self.window.drop_older_than(now_ms.saturating_sub(settings.lost_after_ms));
        if self.hello.as_ref().is_some_and(|(since, _)| since + settings.lost_after_ms < now_ms) {
            self.hello = None;
        }
        self.completing.take_if(|(_, since)| *since + LONGEST_COMPLETION_MS < now_ms);
        let longest = now_ms + crate::backoff::LONGEST_RETRY_AFTER_MS + settings.backoff.cap_ms;
        self.pause_until_ms = self.pause_until_ms.min(longest);
        self.next_hello_ms = self.next_hello_ms.min(now_ms + settings.hello_every_ms);
        if let Link::Down { hello_at_ms, .. } = &mut self.link {
            *hello_at_ms = (*hello_at_ms).min(longest);
        }
        let longest = longest.max(now_ms + settings.side_lane_ms * 2);
        for waiting in self.waiting.values_mut() {
            waiting.due_ms = waiting.due_ms.min(longest);
        }
    }

    /// How many records are not acknowledged.
    pub fn waiting_count(&self) -> u64 {
        self.acknowledged.missing_ranges(self.head).map(|(first, last)| last - first + 1).sum()
    }

    /// The first record that is not acknowledged.
    pub fn oldest_waiting(&self) -> Option<u64> {
        self.acknowledged.missing(self.head).next()
    }

    /// How many acknowledged records the city no longer has.
    pub fn resend_count(&self) -> u64 {
        self.resend.len()
    }

    /// How many acknowledged records have blobs that the city does not hold yet.
    pub fn incomplete_count(&self) -> u64 {
        self.incomplete.len() as u64
    }

    /// How many records wait apart from the rest.
    pub fn side_lane_count(&self) -> u64 {
        let apart = |waiting: &&Waiting| waiting.refusals >= REFUSALS_BEFORE_SIDE_LANE;
        self.waiting.values().filter(apart).count() as u64
    }

    /// Ranges of positions that are not acknowledged.
    pub fn waiting_ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.acknowledged.missing_ranges(self.head)
    }

    /// Somebody asks to try now: whatever waits for a time waits no longer, the side lane excepted.
    pub fn try_now(&mut self, now_ms: u64) {
        self.hello_again = self.hello.is_some();
        self.pause_until_ms = self.pause_until_ms.min(now_ms);
        self.next_hello_ms = self.next_hello_ms.min(now_ms);
        if let Link::Down { hello_at_ms, .. } = &mut self.link {
            *hello_at_ms = (*hello_at_ms).min(now_ms);
        }
        for waiting in
            self.waiting.values_mut().filter(|waiting| waiting.refusals < REFUSALS_BEFORE_SIDE_LANE)
        {
            waiting.due_ms = waiting.due_ms.min(now_ms);
        }
    }

    /// Whether nothing is on its way and no receipt is being noted. Blobs on their way do not count: what arrived of
    /// them stays there.
    pub fn is_quiet(&self) -> bool {
        self.hello.is_none() && self.window.is_empty()
    }

    /// Whether the city is there and nothing can be sent before some time passes.
    pub fn is_idle(&self, now_ms: u64) -> bool {
        let nothing_due = matches!(self.next(now_ms), Step::Wait { .. } | Step::Hello);
        self.is_up() && self.is_quiet() && self.completing.is_none() && nothing_due
    }

    /// Whether the city answered the last hello.
    pub fn is_up(&self) -> bool {
        matches!(self.link, Link::Up)
    }

    /// What to send now.
    fn due(&self, now_ms: u64) -> Vec<u64> {
        let broke =
            |seq: &u64| self.breakers.get(seq).copied().filter(|times| *times >= LINK_FAILURES_BEFORE_ALONE);
        if self.breakers.keys().any(|seq| broke(seq).is_some() && self.window.holds(*seq)) {
            return Vec::new();
        }
        let room = self.window.room(self.limit());
        let others: Vec<u64> = self.sendable(now_ms).filter(|seq| broke(seq).is_none()).take(room).collect();
        if !others.is_empty() || !self.window.is_empty() {
            return others;
        }
        self.sendable(now_ms).min_by_key(|seq| (broke(seq), *seq)).into_iter().collect()
    }

    fn sendable(&self, now_ms: u64) -> impl Iterator<Item = u64> + '_ {
        // What is not acknowledged is missing anyway; nothing may be listed twice.
        let again = self.resend.to_vec().into_iter().flat_map(|(first, last)| first..=last);
        let again = again.filter(|seq| self.acknowledged.contains(*seq));
        self.acknowledged.missing(self.head).chain(again).filter(move |seq| {
            let due = self.waiting.get(seq).is_none_or(|waiting| waiting.due_ms <= now_ms);
            due && !self.window.holds(*seq) && !self.suspects.contains(seq)
        })
    }

    fn completable(&self, now_ms: u64) -> Option<u64> {
        let due = |seq: &u64| self.waiting.get(seq).is_none_or(|waiting| waiting.due_ms <= now_ms);
        let free = |seq: &u64| !self.window.holds(*seq) && !self.suspects.contains(seq);
        let next = || self.incomplete.iter().copied().find(|seq| due(seq) && free(seq));
        self.completing.is_none().then(next).flatten()
    }

    /// After trouble one record goes ahead and tries.
    fn limit(&self) -> usize {
        if self.in_trouble.len() >= RECORDS_BEFORE_PAUSE {
            return 1;
        }
        self.settings.window.min(self.allowance) as usize
    }

    fn hello_due_ms(&self) -> u64 {
        match self.link {
            Link::Up => self.next_hello_ms,
            Link::Down { hello_at_ms, .. } => hello_at_ms,
        }
    }

    fn wait_until_ms(&self, now_ms: u64) -> u64 {
        let mut until = now_ms + self.settings.hello_every_ms;
        if self.hello.is_none() {
            until = until.min(self.hello_due_ms());
        }
        if self.is_up() && self.pause_until_ms > now_ms {
            until = until.min(self.pause_until_ms);
        }
        let due = self.waiting.values().map(|waiting| waiting.due_ms).filter(|&due| due > now_ms).min();
        until.min(due.unwrap_or(u64::MAX)).max(now_ms)
    }

    fn out_of_trouble(&mut self) {
        self.in_trouble.clear();
        self.pauses = 0;
    }

    fn pause(&mut self, until_ms: u64) {
        self.pause_until_ms = self.pause_until_ms.max(until_ms);
    }

    /// Nothing is sent before the next hello is answered. Many records failing together count once.
    fn doubt_link(&mut self, hello_at_ms: u64) {
        if self.is_up() {
            self.link = Link::Down { failures: 0, hello_at_ms };
        }
    }

    fn wait_for_itself(&mut self, seq: u64, now_ms: u64, asked_ms: Option<u64>, entropy: u64) {
        let backoff = self.settings.backoff;
        let waiting = self.waiting.entry(seq).or_default();
        waiting.troubles = waiting.troubles.saturating_add(1);
        waiting.due_ms = now_ms + backoff.delay_after_ms(asked_ms.unwrap_or(0), waiting.troubles, entropy);
    }

    fn refused(&mut self, seq: u64, now_ms: u64, entropy: u64) -> Retry {
        let settings = self.settings;
        let waiting = self.waiting.entry(seq).or_default();
        waiting.refusals = waiting.refusals.saturating_add(1);
        let side_lane = waiting.refusals >= REFUSALS_BEFORE_SIDE_LANE;
        // Each record draws its own wait, though the hello brought one random number for all.
        let entropy = entropy.wrapping_add(seq.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let delay = match side_lane {
            true => settings.side_lane_ms / 2 + below_or_equal(settings.side_lane_ms, entropy),
            false => settings.backoff.delay_ms(waiting.refusals, entropy),
        };
        waiting.due_ms = now_ms + delay;
        Retry { seq, refusals: waiting.refusals, due_ms: waiting.due_ms, side_lane }
    }
}

/// Everything up to `head` that is in `asked` and not in `received`.
fn missing_from(asked: &RangeSet, received: &RangeSet, head: u64) -> RangeSet {
    let mut missing = RangeSet::new();
    for (first, last) in received.missing_ranges(head) {
        for (from, to) in asked.to_vec() {
            // An inverted range adds nothing, so ranges that do not meet need no case of their own.
            missing.insert_range(first.max(from), last.min(to));
        }
    }
    missing
}
