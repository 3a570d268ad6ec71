//! The plan by itself: each rule once.

use sync_agent::backoff::Backoff;
use sync_agent::plan::{Failure, Plan, Retry, Settings, Step};
use sync_protocol::ranges::RangeSet;

const SETTINGS: Settings = Settings {
    backoff: Backoff { base_ms: 100, cap_ms: 10_000 },
    window: 4,
    hello_every_ms: 60_000,
    side_lane_ms: 1_000_000,
    lost_after_ms: 50_000,
};

/// Draws the whole span, so that waits are known in these tests.
const MOST: u64 = u64::MAX;

fn range(first: u64, last: u64) -> RangeSet {
    RangeSet::from(vec![(first, last)])
}

/// A plan with `head` records, greeted at time 0.
fn greeted(head: u64) -> Plan {
    let mut plan = Plan::new(SETTINGS, RangeSet::new(), &[]);
    plan.queue_ends_at(head);
    assert_eq!(plan.next(0), Step::Hello);
    plan.hello_started(0);
    hello_ok(&mut plan, 0, RangeSet::new());
    plan
}

fn hello_ok(plan: &mut Plan, now: u64, received: RangeSet) -> Vec<Retry> {
    plan.hello_answered(now, &received, 32, 0, MOST)
}

fn send(plan: &mut Plan, now: u64, expected: &[u64]) {
    assert_eq!(plan.next(now), Step::Send(expected.to_vec()));
    expected.iter().for_each(|&seq| plan.sent(seq, now));
}

fn deliver(plan: &mut Plan, now: u64, seqs: impl IntoIterator<Item = u64>) {
    for seq in seqs {
        plan.receipt_came(seq, now);
        plan.receipt_noted(seq, true);
    }
}

fn waits(plan: &Plan, now: u64) -> u64 {
    match plan.next(now) {
        Step::Wait { until_ms } => until_ms,
        other => panic!("expected to wait, not {other:?}"),
    }
}

#[test]
fn nothing_is_sent_before_a_verified_hello() {
    let mut plan = Plan::new(SETTINGS, RangeSet::new(), &[]);
    plan.queue_ends_at(9);
    plan.hello_started(0);
    assert!(waits(&plan, 1) > 1, "the hello is under way");
    plan.hello_failed(5, None, MOST);
    assert_eq!(waits(&plan, 5), 105);
    assert_eq!(plan.next(105), Step::Hello);
    plan.hello_started(105);
    plan.hello_failed(106, Some(3000), MOST);
    assert_eq!(waits(&plan, 106), 106 + 3000 + 200, "what was asked, and twice the base on top");
}

#[test]
fn a_window_is_kept_full_and_never_overfull() {
    let mut plan = greeted(9);
    send(&mut plan, 0, &[1, 2, 3, 4]);
    assert!(matches!(plan.next(1), Step::Wait { .. }));
    plan.receipt_came(2, 1);
    send(&mut plan, 1, &[5]);
    plan.receipt_noted(2, true);
    assert_eq!(plan.waiting_count(), 8, "only what is on disk counts");
    deliver(&mut plan, 2, [1, 3, 4, 5]);
    send(&mut plan, 2, &[6, 7, 8, 9]);
    deliver(&mut plan, 3, 6..=9);
    assert_eq!((plan.waiting_count(), plan.oldest_waiting()), (0, None));
    assert!(plan.is_quiet());
    plan.queue_ends_at(10);
    send(&mut plan, 4, &[10]);
}

#[test]
fn the_city_may_allow_less() {
    let mut plan = Plan::new(SETTINGS, RangeSet::new(), &[]);
    plan.queue_ends_at(9);
    plan.hello_started(0);
    plan.hello_answered(0, &RangeSet::new(), 2, 0, MOST);
    send(&mut plan, 0, &[1, 2]);
}

#[test]
fn the_city_may_ask_to_wait() {
    let mut plan = Plan::new(SETTINGS, RangeSet::new(), &[]);
    plan.queue_ends_at(9);
    plan.hello_started(0);
    plan.hello_answered(0, &RangeSet::new(), 32, 7000, MOST);
    assert_eq!(waits(&plan, 0), 7100);
    assert!(matches!(plan.next(7100), Step::Send(_)));
}

#[test]
fn receipts_not_ranges_make_delivered() {
    let mut plan = Plan::new(SETTINGS, RangeSet::new(), &[]);
    plan.queue_ends_at(3);
    plan.hello_started(0);
    hello_ok(&mut plan, 0, range(1, 3));
    assert_eq!(plan.waiting_count(), 3, "the city says it has them, but there is no receipt");
    send(&mut plan, 0, &[1, 2, 3]);
}

#[test]
fn what_the_city_lost_is_sent_again_though_acknowledged() {
    let mut plan = Plan::new(SETTINGS, range(1, 6), &[]);
    plan.queue_ends_at(6);
    plan.hello_started(0);
    hello_ok(&mut plan, 0, range(1, 3));
    assert_eq!(plan.resend_count(), 3);
    send(&mut plan, 0, &[4, 5, 6]);
    deliver(&mut plan, 1, 4..=6);
    assert!(matches!(plan.next(2), Step::Wait { .. }));
    plan.hello_started(60_000);
    hello_ok(&mut plan, 60_001, range(1, 6));
    assert_eq!(plan.resend_count(), 0);
}

#[test]
fn a_receipt_that_came_during_the_hello_is_not_taken_for_a_loss() {
    let mut plan = greeted(2);
    send(&mut plan, 0, &[1, 2]);
    plan.hello_started(1);
    deliver(&mut plan, 2, [1, 2]);
    // The answer was written before the city had them.
    hello_ok(&mut plan, 3, RangeSet::new());
    assert!(matches!(plan.next(3), Step::Wait { .. }));
}

#[test]
fn a_new_epoch_sends_each_record_once() {
    let mut plan = Plan::new(SETTINGS, range(1, 4), &[]);
    plan.queue_ends_at(4);
    plan.hello_started(0);
    plan.acknowledged_are(range(1, 2));
    hello_ok(&mut plan, 0, range(1, 1));
    send(&mut plan, 0, &[3, 4, 2]);
}

#[test]
fn a_dead_link_backs_off_as_one_and_blames_no_record() {
    let mut plan = greeted(4);
    send(&mut plan, 0, &[1, 2, 3, 4]);
    for seq in 1..=4 {
        plan.failed(seq, Failure::Link, 10, MOST);
    }
    assert_eq!(waits(&plan, 10), 110);
    plan.hello_started(110);
    plan.hello_failed(111, None, MOST);
    plan.hello_started(300);
    assert!(hello_ok(&mut plan, 301, RangeSet::new()).is_empty());
    send(&mut plan, 301, &[1, 2, 3, 4]);
}

#[test]
fn who_asks_during_a_hello_gets_another_one() {
    let mut plan = greeted(1);
    plan.hello_started(10);
    plan.try_now(11);
    hello_ok(&mut plan, 12, RangeSet::new());
    assert_eq!(plan.next(12), Step::Hello);
    plan.hello_started(12);
    plan.try_now(13);
    plan.hello_failed(14, None, MOST);
    assert_eq!(plan.next(14), Step::Hello);
    plan.hello_started(14);
    hello_ok(&mut plan, 15, RangeSet::new());
    assert_ne!(plan.next(15), Step::Hello, "and then it is calm again");
}

#[test]
fn a_record_that_troubles_the_city_does_not_hold_up_the_rest() {
    let mut plan = greeted(3);
    send(&mut plan, 0, &[1, 2, 3]);
    plan.failed(1, Failure::Transient { retry_after_ms: None }, 5, MOST);
    deliver(&mut plan, 6, [2, 3]);
    plan.queue_ends_at(5);
    send(&mut plan, 6, &[4, 5]);
    assert_eq!(waits(&plan, 6), 105, "record 1 waits for itself");
    send(&mut plan, 105, &[1]);
    plan.failed(1, Failure::Transient { retry_after_ms: None }, 106, MOST);
    assert_eq!(waits(&plan, 106), 306, "and longer each time");
}

#[test]
fn when_everything_fails_one_record_tries_for_all() {
    let mut plan = greeted(100);
    send(&mut plan, 0, &[1, 2, 3, 4]);
    for seq in 1..=4 {
        plan.failed(seq, Failure::Transient { retry_after_ms: None }, 10, MOST);
    }
    let until = waits(&plan, 10);
    assert_eq!(until, 110, "one round of trouble, one wait");
    send(&mut plan, until, &[1]);
    plan.failed(1, Failure::Transient { retry_after_ms: None }, until, MOST);
    let next = waits(&plan, until);
    assert_eq!(next - until, 200);
    send(&mut plan, next, &[1]);
    deliver(&mut plan, next, [1]);
    assert!(matches!(plan.next(next), Step::Send(seqs) if seqs.len() == 4), "and then all go again");
}

#[test]
fn retry_after_stops_everything_for_that_long() {
    let mut plan = greeted(9);
    send(&mut plan, 0, &[1, 2, 3, 4]);
    plan.failed(1, Failure::Transient { retry_after_ms: Some(5000) }, 10, MOST);
    deliver(&mut plan, 11, 2..=4);
    assert_eq!(waits(&plan, 11), 5110);
}

#[test]
fn a_strange_answer_counts_only_when_the_city_was_there() {
    let mut plan = greeted(1);
    let mut now = 0;
    for round in 1..=9 {
        send(&mut plan, now, &[1]);
        plan.failed(1, Failure::Unbelievable, now, MOST);
        assert_eq!(plan.next(now), Step::Hello, "is this the city at all?");
        plan.hello_started(now);
        plan.hello_failed(now, None, MOST);
        now = waits(&plan, now);
        plan.hello_started(now);
        assert!(hello_ok(&mut plan, now, RangeSet::new()).is_empty(), "round {round}: it was a portal");
    }
}

#[test]
fn a_refused_record_goes_to_the_side_lane_while_the_rest_flows() {
    let mut plan = greeted(1);
    let mut now = 0;
    for refusals in 1..=3_u32 {
        send(&mut plan, now, &[1]);
        plan.failed(1, Failure::Unbelievable, now, MOST);
        plan.hello_started(now);
        let counted = hello_ok(&mut plan, now, RangeSet::new());
        assert_eq!(counted.len(), 1);
        assert_eq!((counted[0].refusals, counted[0].side_lane), (refusals, refusals == 3));
        if refusals < 3 {
            now = counted[0].due_ms;
        } else {
            let wait = counted[0].due_ms - now;
            assert!((500_000..=1_500_000).contains(&wait), "{wait}");
        }
    }
    plan.queue_ends_at(3);
    send(&mut plan, now, &[2, 3]);
    deliver(&mut plan, now, [2, 3]);
    // What was kept on disk still holds after a restart.
    let kept = Retry { seq: 1, refusals: 3, due_ms: 700, side_lane: true };
    let mut plan = Plan::new(SETTINGS, range(2, 3), &[kept]);
    plan.queue_ends_at(4);
    plan.hello_started(0);
    hello_ok(&mut plan, 0, range(2, 3));
    send(&mut plan, 0, &[4]);
    send(&mut plan, 700, &[1]);
}

#[test]
fn a_receipt_that_could_not_be_noted_is_asked_for_again() {
    let mut plan = greeted(1);
    send(&mut plan, 0, &[1]);
    plan.receipt_came(1, 1);
    plan.receipt_not_noted(1, 1, MOST);
    assert_eq!(plan.waiting_count(), 1);
    send(&mut plan, 101, &[1]);
}

#[test]
fn the_tick_re_arms_whatever_waits_for_ever() {
    let mut plan = greeted(2);
    send(&mut plan, 0, &[1, 2]);
    plan.receipt_came(2, 0);
    // No answer is ever reported, and the journal never reports either.
    plan.tick(50_000);
    assert!(matches!(plan.next(50_000), Step::Wait { .. }));
    plan.tick(50_001);
    assert_eq!(plan.next(50_001), Step::Send(vec![1, 2]));
    // A hello is never answered.
    plan.hello_started(60_000);
    plan.tick(111_000);
    assert_eq!(plan.next(111_000), Step::Hello);
    // A wait that no rule would set, for instance after the wall clock jumped.
    let parked = Retry { seq: 1, refusals: 3, due_ms: u64::MAX, side_lane: true };
    let mut plan = Plan::new(SETTINGS, RangeSet::new(), &[parked]);
    plan.queue_ends_at(1);
    plan.tick(0);
    plan.hello_started(0);
    hello_ok(&mut plan, 0, RangeSet::new());
    plan.tick(0);
    let mut now = 0;
    while plan.next(now) != Step::Send(vec![1]) {
        if plan.next(now) == Step::Hello {
            plan.hello_started(now);
            hello_ok(&mut plan, now, RangeSet::new());
        }
        now += 10_000;
        assert!(now <= 2_100_000, "re-armed within two side lane times");
    }
}

#[test]
fn a_late_answer_after_the_tick_is_harmless() {
    let mut plan = greeted(1);
    send(&mut plan, 0, &[1]);
    plan.tick(50_001);
    plan.failed(1, Failure::Unbelievable, 50_002, MOST);
    assert!(plan.is_up(), "nobody waited for it any more");
    deliver(&mut plan, 50_003, [1]);
    assert_eq!(plan.waiting_count(), 0, "but a late receipt is as good as any");
}
