//! Today's agent against a city of the next release: what is added is passed over, what cannot be understood waits with
//! an alarm, and nothing is lost, dropped or in anybody's way.

mod city;

use std::sync::Arc;

use city::newer::{Newer, Part};
use city::*;
use kiosk_store::{DeliveryReader, Outbox};
use serde_json::{Value, json};

const PARTS: [Part; 4] = [Part::HelloReply, Part::Hello, Part::ReceiptReply, Part::Receipt];

/// Three records, the second with a photo.
fn three(world: &World) -> Outbox {
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 1);
    finalise_with(&mut outbox, &world.key, 100, vec![vec![7; 300_000]]);
    finalise(&mut outbox, &world.key, 1);
    outbox
}

fn is_delivered(world: &World, upto: u64) -> bool {
    let state = world.state();
    let Some(delivery) = DeliveryReader::open(&state).unwrap() else { return false };
    let outbox = kiosk_store::OutboxReader::open(&state).unwrap().unwrap();
    acknowledged(&state) == [(1, upto)] && delivery.incomplete(outbox.incarnation()).unwrap().is_empty()
}

/// A terminal goes on as ever, although the city's answers are changed so.
async fn goes_on(what: &str, newer: Newer) {
    let world = World::new().await;
    world.city.with(|city| city.newer = Some(newer));
    let outbox = three(&world);
    let agent = Working::start(world.config(""));
    eventually(what, || is_delivered(&world, 3)).await;
    agent.stop().await;
    world.city.with(|city| assert!(city.puts.values().all(|&puts| puts == 1), "{what}: sent once"));
    let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
    assert_eq!(delivery.counts(outbox.incarnation()).unwrap().side_lane, 0, "{what}");
    let audited = audited(&world.state());
    assert!(!audited.iter().any(|row| row.starts_with("hello_failed ")), "{what}: {audited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_fields_in_every_answer_are_passed_over() {
    for at in PARTS {
        let add = move |part, answer: &mut Value| {
            if part == at {
                for (name, value) in [
                    ("x_text", json!("新的")),
                    ("x_number", json!(-1.5)),
                    ("x_nothing", Value::Null),
                    ("x_list", json!([1, [2, { "three": [] }]])),
                    ("x_object", json!({ "version": 9, "seq": 1 })),
                ] {
                    answer[name] = value;
                }
            }
        };
        goes_on(&format!("more fields in {at:?}"), Arc::new(add)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_higher_version_in_an_answer_changes_nothing() {
    for (at, version) in
        [(Part::Hello, 3), (Part::Receipt, 3), (Part::Hello, 65_535), (Part::Receipt, 65_535)]
    {
        let raise = move |part, answer: &mut Value| {
            if part == at {
                answer["version"] = json!(version);
            }
        };
        goes_on(&format!("version {version} in {at:?}"), Arc::new(raise)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_commands_are_skipped_and_those_beside_them_heard() {
    for unknown in
        [json!("dance"), json!({ "install": { "version": 9 } }), json!(["a", 1]), json!(7), Value::Null]
    {
        let (said, what) = (unknown.clone(), format!("the command {unknown}"));
        let say = move |part, answer: &mut Value| {
            if part == Part::Hello {
                answer["commands"] = json!([said, "begin_incarnation"]);
            }
        };
        let world = World::new().await;
        world.city.with(|city| city.newer = Some(Arc::new(say)));
        let outbox = three(&world);
        let agent = Working::start(world.config(""));
        eventually(&what, || is_delivered(&world, 3)).await;
        let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
        eventually(&what, || delivery.must_leave(outbox.incarnation()).unwrap()).await;
        agent.stop().await;
    }
}

/// A receipt that says something this release cannot judge is no receipt yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_of_an_unknown_kind_waits_with_an_alarm_while_the_rest_flows() {
    for status in [json!("held_for_review"), json!({ "held": { "until_ms": 1 } })] {
        let world = World::new().await;
        let say = move |part, answer: &mut Value| {
            if part == Part::Receipt && answer["seq"] == 2 {
                answer["status"] = status.clone();
            }
        };
        world.city.with(|city| city.newer = Some(Arc::new(say)));
        let mut outbox = three(&world);
        let agent = Working::start(world.config("side_lane_ms = 300"));
        let state = world.state();
        let alarm = || audited(&state).iter().any(|row| row.starts_with("record_set_aside seq=2"));
        eventually("set aside", alarm).await;
        finalise(&mut outbox, &world.key, 2);
        eventually("the rest", || acknowledged(&state) == [(1, 1), (3, 5)]).await;
        world.city.with(|city| city.newer = None);
        eventually("delivered in the end", || is_delivered(&world, 5)).await;
        agent.stop().await;
    }
}

/// What HTTP or a newer gateway may answer and today's never does.
const STATUSES: [u16; 14] = [201, 202, 226, 300, 402, 418, 421, 422, 426, 451, 499, 508, 511, 599];

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_refusal_of_one_record_is_in_nobodys_way() {
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    let agent = Working::start(world.config("side_lane_ms = 200"));
    let state = world.state();
    for (round, status) in STATUSES.into_iter().enumerate() {
        let first = 3 * round as u64 + 1;
        world.city.set(Mood::Refuses(first, status));
        finalise(&mut outbox, &world.key, 3);
        let rest = || acknowledged(&state).last() == Some(&(first + 1, first + 2));
        eventually(&format!("what does not get a {status}"), rest).await;
        let tried = || world.city.with(|city| city.puts.get(&first).is_some_and(|&puts| puts > 1));
        eventually(&format!("another try after a {status}"), tried).await;
        world.city.set(Mood::Good);
        eventually(&format!("delivered after a {status}"), || acknowledged(&state) == [(1, first + 2)]).await;
    }
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_refusal_of_everything_is_waited_out() {
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    let agent = Working::start(world.config(""));
    let state = world.state();
    for (round, status) in STATUSES.into_iter().enumerate() {
        world.city.set(Mood::Status(status));
        finalise(&mut outbox, &world.key, 2);
        let hellos = world.city.with(|city| city.hellos);
        eventually("two more hellos", || world.city.with(|city| city.hellos) >= hellos + 2).await;
        world.city.set(Mood::Good);
        let upto = 2 * (round as u64 + 1);
        eventually(&format!("delivered after a {status}"), || acknowledged(&state) == [(1, upto)]).await;
    }
    agent.stop().await;
    let delivery = DeliveryReader::open(&state).unwrap().unwrap();
    assert_eq!(delivery.counts(outbox.incarnation()).unwrap().side_lane, 0, "no record is blamed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_answer_about_a_blob_keeps_no_record_waiting() {
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    let agent = Working::start(world.config("side_lane_ms = 200"));
    let state = world.state();
    // 200 is what HEAD answers, but without the headers of tus.
    for (round, status) in [200, 203, 410, 412, 415, 423, 507, 599].into_iter().enumerate() {
        world.city.with(|city| city.blob_answer = Some(status));
        finalise_with(&mut outbox, &world.key, 100, vec![vec![round as u8; 300_000]]);
        finalise(&mut outbox, &world.key, 1);
        let upto = 2 * (round as u64 + 1);
        eventually("the records", || acknowledged(&state) == [(1, upto)]).await;
        world.city.with(|city| city.blob_answer = None);
        eventually(&format!("the photo after a {status}"), || is_delivered(&world, upto)).await;
    }
    agent.stop().await;
}
