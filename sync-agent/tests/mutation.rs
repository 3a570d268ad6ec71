//! Shows why receipts are verified: with the fail point that believes any 200, a portal's page is enough to lose records.
//! Built only with the feature `failpoints`.

mod city;

use city::*;
use kiosk_store::Outbox;

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_believes_unsigned_answers_loses_records() {
    let scenario = fail::FailScenario::setup();
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 3);
    world.city.set(Mood::Portal);
    let state = world.state();

    let agent = Working::start(world.config(""));
    eventually("the page is met", || world.city.with(|city| city.hellos) > 1).await;
    assert!(acknowledged(&state).is_empty(), "as it should be");
    fail::cfg("agent::believe-unsigned", "return").unwrap();
    eventually("the page is believed", || acknowledged(&state) == [(1, 3)]).await;
    assert!(world.city.held().is_empty(), "and the city has nothing: this is what the signature prevents");
    agent.stop().await;
    scenario.teardown();
}
