//! Delivery over real mutual TLS and HTTP/2: what is acknowledged, and what is not.

mod city;

use city::*;
use kiosk_store::{AcknowledgementStatus, AuditLog, DeliveryReader, Outbox, OutboxReader};
use sync_protocol::{Receipt, TerminalKey};

fn outbox(world: &World, records: u64) -> Outbox {
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, records);
    outbox
}

async fn all_acknowledged(world: &World, upto: u64) {
    let state = world.state();
    eventually("everything acknowledged", || acknowledged(&state) == [(1, upto)]).await;
}

/// Waits until the city, or the portal before it, was asked this often.
async fn asked(world: &World, hellos: u32) {
    let already = world.city.with(|city| city.hellos);
    eventually("more hellos", || world.city.with(|city| city.hellos) >= already + hellos).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_arrive_once_with_proofs_and_new_ones_are_noticed() {
    let world = World::new().await;
    let mut outbox = outbox(&world, 40);
    world.city.with(|city| city.waits_for = 8);
    let agent = Working::start(world.config("window = 8"));
    all_acknowledged(&world, 40).await;
    finalise(&mut outbox, &world.key, 2);
    let noticed = std::time::Instant::now();
    all_acknowledged(&world, 42).await;
    assert!(noticed.elapsed().as_secs() < 10, "new records are noticed soon");
    agent.stop().await;
    world.city.with(|city| {
        assert_eq!(city.held.len(), 42);
        assert!(city.puts.values().all(|&puts| puts == 1), "each was sent once");
        assert_eq!(city.most_under_way, 8, "the window is filled, and never overfilled");
        assert_eq!(city.not_http2, 0);
        let hello = city.last_hello.as_ref().unwrap();
        assert_eq!((hello.terminal.as_str(), hello.incarnation.as_str()), (TERMINAL, outbox.incarnation()));
        assert!(!hello.clock.boot_id.is_empty() && hello.clock.monotonic_ms > 0);
    });
    let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
    let reader = OutboxReader::open(&world.state()).unwrap().unwrap();
    for seq in 1..=42 {
        let proof = delivery.acknowledgement(outbox.incarnation(), seq).unwrap().unwrap();
        let receipt = Receipt::verify(&proof.receipt, &world.city.public()).unwrap();
        let record = reader.record(seq).unwrap().unwrap();
        assert!(receipt.matches(TERMINAL, outbox.incarnation(), seq, &record.case_id, &record.sha256));
    }
    assert_eq!(delivery.epoch().unwrap().as_deref(), Some("e-1"));
    assert!(delivery.last_sync_ms().unwrap().is_some());
    let audited = audited(&world.state());
    assert!(audited[0].starts_with("hello_ok waiting=40"), "{}", audited[0]);
    assert_eq!(audited.iter().filter(|row| row.starts_with("record_acknowledged ")).count(), 42);
    assert_eq!(AuditLog::verify(&world.state(), "agent").unwrap().unwrap().first_broken, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_waiting_drain_with_a_bounded_window() {
    let world = World::new().await;
    drop(outbox(&world, 1000));
    let agent = Working::start(world.config(""));
    all_acknowledged(&world, 1000).await;
    agent.stop().await;
    world.city.with(|city| {
        assert!(city.most_under_way <= 32, "{}", city.most_under_way);
        assert!(city.puts.values().all(|&puts| puts == 1));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_lost_after_the_commit_costs_a_second_put_and_nothing_else() {
    let world = World::new().await;
    drop(outbox(&world, 3));
    let agent = Working::start(world.config("request_timeout_ms = 700"));
    all_acknowledged(&world, 3).await;
    world.city.set(Mood::LosesReplies);
    let mut more = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut more, &world.key, 3);
    eventually("committed over there", || world.city.held().len() == 6).await;
    assert_eq!(acknowledged(&world.state()), [(1, 3)], "no reply, no acknowledgement");
    eventually("sent again", || world.city.with(|city| city.puts.values().any(|&puts| puts > 1))).await;
    assert_eq!(acknowledged(&world.state()), [(1, 3)]);
    world.city.set(Mood::Good);
    all_acknowledged(&world, 6).await;
    agent.stop().await;
    assert_eq!(world.city.held().len(), 6, "each exists once over there");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_city_is_not_believed_and_blames_no_record() {
    for mood in
        [Mood::Portal, Mood::PortalAsJson, Mood::Redirects, Mood::Status(500), Mood::Status(404), Mood::Busy]
    {
        let world = World::new().await;
        let mut records = outbox(&world, 2);
        let agent = Working::start(world.config(""));
        all_acknowledged(&world, 2).await;
        world.city.set(mood);
        finalise(&mut records, &world.key, 5);
        asked(&world, 2).await;
        assert_eq!(acknowledged(&world.state()), [(1, 2)], "{mood:?}");
        world.city.set(Mood::Good);
        all_acknowledged(&world, 7).await;
        agent.stop().await;
        assert_eq!(world.city.held().len(), 7, "{mood:?}");
        let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
        assert_eq!(delivery.counts(records.incarnation()).unwrap().side_lane, 0, "{mood:?}");
        let audited = audited(&world.state());
        assert!(audited.iter().any(|row| row.starts_with("hello_failed ")), "{mood:?}: {audited:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_authority_is_not_the_city() {
    let world = World::with_authority(true).await;
    drop(outbox(&world, 2));
    let agent = Working::start(world.config(""));
    let state = world.state();
    let told = || audited(&state).iter().any(|row| row == "hello_failed cause=tls");
    eventually("the refusal is audited", told).await;
    agent.stop().await;
    assert!(acknowledged(&world.state()).is_empty());
    world.city.with(|city| assert_eq!((city.hellos, city.puts.len()), (0, 0), "nothing left the terminal"));
}

#[tokio::test(flavor = "multi_thread")]
async fn false_receipts_acknowledge_nothing_and_set_the_record_aside() {
    for (mood, cause) in
        [(Mood::Forges, "not-verified"), (Mood::MixesUp, "other-record"), (Mood::Floods, "too-large")]
    {
        let world = World::new().await;
        world.city.set(mood);
        let mut records = outbox(&world, 2);
        let agent = Working::start(world.config("side_lane_ms = 600000"));
        let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
        let counts = || delivery.counts(records.incarnation()).unwrap();
        eventually("both set aside", || counts().side_lane == 2).await;
        assert!(acknowledged(&world.state()).is_empty(), "{mood:?}");
        let told = audited(&world.state());
        assert!(
            told.iter().any(|row| row.starts_with("receipt_refused ") && row.ends_with(cause)),
            "{told:?}"
        );
        world.city.set(Mood::Good);
        finalise(&mut records, &world.key, 2);
        let state = world.state();
        eventually("the rest flows", || acknowledged(&state) == [(3, 4)]).await;
        agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_record_waits_apart_and_is_delivered_in_the_end() {
    let world = World::new().await;
    world.city.set(Mood::Refuses(2, 403));
    let records = outbox(&world, 4);
    let agent = Working::start(world.config("side_lane_ms = 300"));
    let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
    let kept = || delivery.attempts(records.incarnation()).unwrap();
    eventually("set aside", || kept().first().is_some_and(|attempt| attempt.side_lane)).await;
    assert_eq!((kept()[0].seq, kept()[0].last_error.as_str()), (2, "status-403"));
    let state = world.state();
    eventually("the rest", || acknowledged(&state) == [(1, 1), (3, 4)]).await;
    // Audit lines are written after the row they tell of.
    let told = || audited(&state).iter().any(|row| row.starts_with("record_set_aside seq=2"));
    eventually("audited", told).await;
    world.city.set(Mood::Good);
    all_acknowledged(&world, 4).await;
    assert!(kept().is_empty());
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_conflict_is_an_acknowledgement_and_is_audited() {
    let world = World::new().await;
    world.city.set(Mood::Conflicts);
    let records = outbox(&world, 1);
    let agent = Working::start(world.config(""));
    all_acknowledged(&world, 1).await;
    asked(&world, 2).await;
    agent.stop().await;
    let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
    let proof = delivery.acknowledgement(records.incarnation(), 1).unwrap().unwrap();
    assert_eq!(proof.status, AcknowledgementStatus::ConflictRecorded);
    world.city.with(|city| assert_eq!(city.puts[&1], 1, "never wedged, never repeated"));
    assert!(audited(&world.state()).iter().any(|row| row.starts_with("conflict_recorded ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_city_lost_is_sent_again() {
    for new_epoch in [false, true] {
        let world = World::new().await;
        let records = outbox(&world, 6);
        let agent = Working::start(world.config(""));
        all_acknowledged(&world, 6).await;
        world.city.with(|city| {
            city.held.retain(|(_, seq), _| *seq <= 2);
            if new_epoch {
                city.epoch = "e-2".into();
                city.durable_seq = 1;
            }
        });
        eventually("the city has all again", || world.city.held().len() == 6).await;
        all_acknowledged(&world, 6).await;
        let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
        eventually("the newer receipt", || {
            let proof = delivery.acknowledgement(records.incarnation(), 6).unwrap().unwrap();
            let receipt = Receipt::verify(&proof.receipt, &world.city.public()).unwrap();
            receipt.epoch == if new_epoch { "e-2" } else { "e-1" }
        })
        .await;
        agent.stop().await;
        assert_eq!(audited(&world.state()).iter().any(|row| row.starts_with("epoch_changed ")), new_epoch);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_sends_nothing_twice_and_an_outbox_may_come_late_or_anew() {
    let world = World::new().await;
    let agent = Working::start(world.config(""));
    let first = outbox(&world, 3);
    all_acknowledged(&world, 3).await;
    agent.stop().await;
    let agent = Working::start(world.config(""));
    asked(&world, 1).await;
    world.city.with(|city| assert!(city.puts.values().all(|&puts| puts == 1)));
    // The terminal is set up anew while the agent runs: another queue with the same positions.
    let old = first.incarnation().to_owned();
    drop(first);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(world.state().join(format!("outbox.db{end}")));
    }
    let second = outbox(&world, 2);
    assert_ne!(second.incarnation(), old);
    all_acknowledged(&world, 2).await;
    agent.stop().await;
    let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
    assert_eq!(delivery.acknowledged(&old).unwrap(), [(1, 3)], "the old queue's proofs stay");
    assert_eq!(world.city.held().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_delivery_log_is_put_aside_and_rebuilt_from_receipts() {
    let world = World::new().await;
    let mut records = outbox(&world, 3);
    let agent = Working::start(world.config(""));
    all_acknowledged(&world, 3).await;
    agent.stop().await;
    std::fs::write(world.state().join("delivery.db"), b"not a database".repeat(500)).unwrap();
    std::fs::remove_file(world.state().join("delivery.db-wal")).unwrap();
    finalise(&mut records, &world.key, 1);
    let agent = Working::start(world.config(""));
    all_acknowledged(&world, 4).await;
    agent.stop().await;
    assert!(world.state().join("delivery.db.damaged-1").exists());
    assert_eq!(world.city.held().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_agent_and_missing_keys_are_refused() {
    let world = World::new().await;
    drop(outbox(&world, 1));
    let agent = Working::start(world.config(""));
    let second = sync_agent::Agent::new(world.config("")).err().unwrap();
    assert!(second.to_string().contains("already has a writer"), "{second}");
    agent.stop().await;
    let other = TerminalKey::generate();
    std::fs::write(world.folder.path().join("keys/terminal.key.pem"), other.to_pem().as_str()).unwrap();
    assert!(sync_agent::Agent::new(world.config("")).is_err(), "the key does not fit the certificate");
    std::fs::remove_file(world.folder.path().join("keys/city-ca.pem")).unwrap();
    let error = sync_agent::Agent::new(world.config("")).err().unwrap();
    assert!(error.to_string().contains("city-ca.pem"), "{error}");
}
