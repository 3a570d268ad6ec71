//! Blobs over real mutual TLS: resumed, not repeated, and believed only by a receipt that says complete. And what the
//! hello carries, and what the kiosk may ask over the local socket.

mod city;

use city::*;
use kiosk_store::{DeliveryReader, NewVoid, Outbox};
use sync_protocol::local::{LOCAL_VERSION, LocalBody, LocalOutcome, LocalReply, LocalRequest, SOCKET};
use sync_protocol::{
    ClockEvidence, Command, Manifest, NO_PREVIOUS, PROTOCOL_VERSION, RecordKind, limits, sha256_hex,
};

fn photo(bytes: usize, salt: u8) -> Vec<u8> {
    (0..bytes).map(|at| (at as u8).wrapping_mul(31).wrapping_add(salt) ^ (at >> 8) as u8).collect()
}

fn outbox_with(world: &World, blobs: Vec<Vec<u8>>) -> Outbox {
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise_with(&mut outbox, &world.key, 100, blobs);
    outbox
}

fn complete(world: &World, incarnation: &str, seq: u64) -> bool {
    let delivery = DeliveryReader::open(&world.state()).unwrap();
    let receipt = delivery.and_then(|delivery| delivery.acknowledgement(incarnation, seq).unwrap());
    receipt.is_some_and(|receipt| receipt.complete)
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_arrive_whole_and_the_record_is_complete_by_its_receipt() {
    let world = World::new().await;
    let photos = vec![photo(700_000, 1), photo(10, 2), photo(limits::MIN_CHUNK as usize, 3)];
    let outbox = outbox_with(&world, photos.clone());
    let agent = Working::start(world.config(""));
    eventually("complete", || complete(&world, outbox.incarnation(), 1)).await;
    agent.stop().await;
    world.city.with(|city| {
        for photo in &photos {
            let blob = &city.blobs[&sha256_hex(photo)];
            assert!(blob.bytes == *photo);
            assert_eq!(blob.came, photo.len() as u64, "each byte was sent once");
        }
        assert!(city.puts.values().all(|&puts| puts == 1), "the body was not sent again for it");
    });
    let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
    assert_eq!(delivery.counts(outbox.incarnation()).unwrap().incomplete, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_costs_no_piece_and_a_damaged_piece_costs_one() {
    let world = World::new().await;
    let (broken, damaged) = (photo(900_000, 4), photo(900_000, 5));
    let outbox = outbox_with(&world, vec![broken.clone(), damaged.clone()]);
    world.city.with(|city| {
        city.blobs.entry(sha256_hex(&broken)).or_default().lost_replies = 2;
        city.blobs.entry(sha256_hex(&damaged)).or_default().damaged = 1;
    });
    let agent = Working::start(world.config("request_timeout_ms = 700"));
    eventually("complete", || complete(&world, outbox.incarnation(), 1)).await;
    agent.stop().await;
    world.city.with(|city| {
        assert_eq!(city.blobs[&sha256_hex(&broken)].came, 900_000, "what arrived before the break was kept");
        let came = city.blobs[&sha256_hex(&damaged)].came;
        assert_eq!(came, 900_000 + limits::MIN_CHUNK, "one piece again");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_goes_on_where_the_city_is() {
    let world = World::new().await;
    let large = photo(1_200_000, 6);
    let outbox = outbox_with(&world, vec![large.clone()]);
    // Hangs after the second piece, so that the first agent is stopped in the middle.
    world.city.with(|city| city.blobs.entry(sha256_hex(&large)).or_default().lost_replies = 1);
    let agent = Working::start(world.config("request_timeout_ms = 600000"));
    eventually("a piece arrived", || {
        world.city.with(|city| city.blobs[&sha256_hex(&large)].bytes.len() as u64 >= limits::MIN_CHUNK)
    })
    .await;
    agent.stop().await;
    assert!(!complete(&world, outbox.incarnation(), 1));
    let agent = Working::start(world.config(""));
    eventually("complete", || complete(&world, outbox.incarnation(), 1)).await;
    agent.stop().await;
    world.city.with(|city| assert_eq!(city.blobs[&sha256_hex(&large)].came, 1_200_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_go_before_blobs_and_a_refused_blob_stops_nothing_else() {
    let world = World::new().await;
    let mut outbox = outbox_with(&world, vec![photo(400_000, 7)]);
    finalise(&mut outbox, &world.key, 20);
    // A band that sends no blob at all: bodies are not held back by it.
    let agent =
        Working::start(world.config("bandwidth = [{ from = \"00:00\", to = \"24:00\", kib_per_s = 0 }]"));
    let state = world.state();
    eventually("all bodies", || acknowledged(&state) == [(1, 21)]).await;
    agent.stop().await;
    assert!(world.city.with(|city| city.blobs.values().all(|blob| blob.came == 0)));
    let agent = Working::start(world.config(""));
    eventually("complete", || complete(&world, outbox.incarnation(), 1)).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hello_carries_the_books_and_repeats_the_last_token() {
    let world = World::new().await;
    let outbox = outbox_with(&world, Vec::new());
    let mut config = world.config("");
    config.sync.hello_every_ms = 100;
    let agent = Working::start(config);
    eventually("a few hellos", || world.city.with(|city| city.hellos >= 4)).await;
    agent.stop().await;
    let (token, ledger) = world.city.with(|city| {
        let hello = city.last_hello.clone().unwrap();
        (hello.continuity.unwrap(), hello.ledger.unwrap())
    });
    let number: u32 = token.strip_prefix("token-").unwrap().parse().unwrap();
    assert!(world.city.with(|city| number + 1 >= city.hellos), "the token is of the hello before: {token}");
    assert_eq!((ledger.issued, ledger.acknowledged, ledger.waiting), (1, 1, 0));
    // After a restart the token is still known: it is on disk.
    let agent = Working::start(world.config(""));
    let before = world.city.with(|city| city.hellos);
    eventually("a hello", || world.city.with(|city| city.hellos > before)).await;
    agent.stop().await;
    assert!(world.city.with(|city| city.last_hello.as_ref().unwrap().continuity.is_some()));
    let delivery = DeliveryReader::open(&world.state()).unwrap().unwrap();
    assert!(!delivery.must_leave(outbox.incarnation()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_a_copy_is_told_to_the_kiosk_by_disk() {
    let world = World::new().await;
    let outbox = outbox_with(&world, Vec::new());
    world.city.with(|city| city.commands = vec![Command::Unknown, Command::BeginIncarnation]);
    let agent = Working::start(world.config(""));
    eventually("the kiosk can read it", || {
        let delivery = DeliveryReader::open(&world.state()).unwrap();
        delivery.is_some_and(|delivery| delivery.must_leave(outbox.incarnation()).unwrap())
    })
    .await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_an_earlier_life_of_the_queue_is_still_delivered() {
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 3);
    let old = outbox.incarnation().to_owned();
    outbox.begin_incarnation(kiosk_store::BegunBecause::CopiedDisk, 1).unwrap();
    let new = outbox.incarnation().to_owned();
    finalise_numbered(&mut outbox, &world.key, 100, 2);
    // One of the old ones is refused for good: it holds up neither its own life nor the new one.
    world.city.set(Mood::Refuses(2, 403));
    let mut config = world.config("");
    config.sync.hello_every_ms = 100;
    let agent = Working::start(config);
    let held = |name: &str, seq: u64| world.city.with(|city| city.held.contains_key(&(name.to_owned(), seq)));
    eventually("the new life's first", || held(&new, 1)).await;
    assert!(held(&old, 1) && held(&old, 3), "the old life had its turn first");
    world.city.set(Mood::Good);
    agent.stop().await;
    // Its turn comes again, at the latest when the agent starts anew.
    let mut delivery = kiosk_store::Delivery::open(&world.state()).unwrap();
    let due = kiosk_store::Attempt {
        seq: 2,
        failures: 1,
        next_attempt_ms: 0,
        side_lane: false,
        last_error: String::new(),
    };
    delivery.record_attempts(&old, &[due]).unwrap();
    drop(delivery);
    let agent = Working::start(world.config(""));
    eventually("all of both lives", || {
        (1..=3).all(|seq| held(&old, seq)) && (1..=2).all(|seq| held(&new, seq))
    })
    .await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_that_ends_before_the_agents_eyes_is_delivered_without_delay() {
    let world = World::new().await;
    world.city.set(Mood::Status(503));
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 2);
    let old = outbox.incarnation().to_owned();
    let agent = Working::start(world.config(""));
    eventually("a hello", || world.city.with(|city| city.hellos > 0)).await;
    outbox.begin_incarnation(kiosk_store::BegunBecause::Repaired, 1).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    world.city.set(Mood::Good);
    eventually("the old life, which is nobody's newest any more", || {
        world.city.with(|city| (1..=2).all(|seq| city.held.contains_key(&(old.clone(), seq))))
    })
    .await;
    agent.stop().await;
}

fn ask(socket: &std::path::Path, within_ms: u32, body: LocalBody) -> LocalOutcome {
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
    let request = LocalRequest { version: LOCAL_VERSION, ticket: "t-1".into(), within_ms, body };
    sync_protocol::local::write_frame(&mut stream, &request).unwrap();
    let reply: LocalReply = sync_protocol::local::read_frame(&mut stream).unwrap();
    assert_eq!(reply.ticket, "t-1");
    reply.outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kiosk_asks_whether_the_city_is_there() {
    let world = World::new().await;
    let _outbox = outbox_with(&world, Vec::new());
    let mut config = world.config("");
    // Left to itself, this agent would not speak again during the test.
    (config.sync.hello_every_ms, config.sync.retry_base_ms, config.sync.retry_cap_ms) =
        (600_000, 600_000, 600_000);
    let agent = Working::start(config);
    let socket = world.state().join(SOCKET);
    eventually("the socket", || socket.exists()).await;
    let asked = |body| {
        let socket = socket.clone();
        tokio::task::spawn_blocking(move || ask(&socket, 10_000, body))
    };
    assert_eq!(asked(LocalBody::ReachCity).await.unwrap(), LocalOutcome::Done);
    assert_eq!(asked(LocalBody::TryNow).await.unwrap(), LocalOutcome::Done);
    world.city.set(Mood::Portal);
    let socket_again = socket.clone();
    let portal = tokio::task::spawn_blocking(move || ask(&socket_again, 1_000, LocalBody::ReachCity));
    // The kiosk's own deadline and the agent's are the same here; either word says that nobody answered.
    assert!(matches!(portal.await.unwrap(), LocalOutcome::Unreachable | LocalOutcome::TooLate));
    let question = asked(LocalBody::Query { question: "cXVlc3Rpb24=".into() }).await.unwrap();
    assert_eq!(question, LocalOutcome::Unreachable, "no such route in this city");
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_closed_while_its_blobs_are_on_their_way_is_ended_by_its_void() {
    let world = World::new().await;
    let never = photo(900_000, 9);
    let mut outbox = outbox_with(&world, vec![never.clone()]);
    world.city.with(|city| city.blobs.entry(sha256_hex(&never)).or_default().damaged = u32::MAX);
    let agent = Working::start(world.config(""));
    eventually("acknowledged", || acknowledged(&world.state()) == [(1, 1)]).await;
    agent.stop().await;
    let void = void(&world, outbox.incarnation());
    outbox.close_with_void(&void).unwrap();
    let agent = Working::start(world.config(""));
    eventually("ended", || complete(&world, outbox.incarnation(), 1)).await;
    agent.stop().await;
    assert!(world.city.with(|city| city.manifests.contains_key(&void.case_id)), "the city knows of the void");
}

/// What the kiosk writes when it finds the first record damaged.
fn void(world: &World, incarnation: &str) -> NewVoid {
    let case_id = "00000000-0000-4000-8000-00000000000f";
    let manifest = Manifest {
        version: PROTOCOL_VERSION,
        kind: RecordKind::Void,
        terminal: TERMINAL.into(),
        incarnation: incarnation.into(),
        seq: 1,
        case_id: case_id.into(),
        about: None,
        voids: None,
        case_number: String::new(),
        verification: String::new(),
        item: String::new(),
        item_version: 0,
        catalog_version: "c".into(),
        prev_hash: NO_PREVIOUS.into(),
        sha256: sha256_hex(&[]),
        bytes: 0,
        blobs: Vec::new(),
        clock: ClockEvidence { wall_ms: 0, monotonic_ms: 0, boot_id: "b".into(), last_sync_age_s: None },
    };
    let (incarnation, manifest) = (incarnation.to_owned(), manifest.sign(&world.key));
    NewVoid { incarnation, seq: 1, case_id: case_id.into(), manifest, at_ms: 1_795_300_000_000 }
}
