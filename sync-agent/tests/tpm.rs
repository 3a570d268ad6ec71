//! The TPM's counter in hellos, and TPMs of every mood: none of them stops a delivery. What a true TPM answers is
//! tested with swtpm in `tests/enrolment`; the one here answers with swtpm's bytes, or badly.

mod city;

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use city::*;
use kiosk_store::{BegunBecause, Delivery, DeliveryReader, Outbox, OutboxReader, TpmMemory};
use sync_protocol::Command;

/// How the TPM answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Temper {
    Good,
    /// Takes commands and never answers.
    Hangs,
    /// Answers with bytes that are no answer.
    Babbles,
    /// Answers half, and hangs up.
    HangsUp,
    /// Everything but the public area is refused: TPM_RC_LOCKOUT.
    Locked,
}

/// A TPM behind a Unix socket.
struct Tpm {
    value: Arc<AtomicU64>,
    temper: Arc<Mutex<Temper>>,
}

impl Tpm {
    fn start(world: &World, temper: Temper, value: u64) -> Self {
        let listener = UnixListener::bind(world.folder.path().join("tpm.sock")).unwrap();
        let tpm = Self { value: Arc::new(AtomicU64::new(value)), temper: Arc::new(Mutex::new(temper)) };
        let (value, temper) = (Arc::clone(&tpm.value), Arc::clone(&tpm.temper));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &value, &temper);
            }
        });
        tpm
    }

    fn value(&self) -> u64 {
        self.value.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: UnixStream, value: &AtomicU64, temper: &Mutex<Temper>) {
    let mut command = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut command) {
        let code = u32::from_be_bytes(command[6..10].try_into().unwrap());
        let good = match code {
            0x169 => hex("80010000003e00000000000e0180474a000b22040014000000080022000b\
                 21f722ed3dfcbcdfdb93fa430e0843230fade03d7acfca56aff484daf28083fa"),
            0x134 => {
                value.fetch_add(1, Ordering::SeqCst);
                hex("80020000001300000000000000000000010000")
            }
            0x14e => {
                let value = value.load(Ordering::SeqCst);
                hex(&format!("80020000001d000000000000000a0008{value:016x}0000010000"))
            }
            other => panic!("{other:#x} of {length} bytes was not expected"),
        };
        let now = *temper.lock().unwrap();
        match now {
            Temper::Good => stream.write_all(&good).unwrap(),
            Temper::Locked if code == 0x169 => stream.write_all(&good).unwrap(),
            Temper::Locked => stream.write_all(&hex("80010000000a00000921")).unwrap(),
            Temper::Babbles => stream.write_all(&[0xFF; 64]).unwrap(),
            Temper::HangsUp => return stream.write_all(&good[..good.len() / 2]).unwrap(),
            Temper::Hangs => {}
        }
    }
}

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn config(world: &World) -> sync_agent::Config {
    world.config("[tpm]\ndevice = \"tpm.sock\"")
}

fn memory(world: &World) -> Option<TpmMemory> {
    DeliveryReader::open(&world.state()).unwrap().unwrap().tpm_memory().unwrap()
}

/// The counter in the last of so many more hellos.
async fn hellos(world: &World, more: u32) -> Option<u64> {
    let already = world.city.with(|city| city.hellos);
    eventually("more hellos", || world.city.with(|city| city.hellos) >= already + more).await;
    world.city.with(|city| city.last_hello.as_ref().unwrap().tpm_counter)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hello_says_the_counter_and_a_restart_does_not_wear_it_out() {
    let world = World::new().await;
    let tpm = Tpm::start(&world, Temper::Good, 41);
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 3);
    let state = world.state();
    for _ in 0..3 {
        let agent = Working::start(config(&world));
        // The very first one too.
        assert_eq!(hellos(&world, 1).await, Some(42));
        eventually("delivered", || acknowledged(&state) == [(1, 3)]).await;
        agent.stop().await;
    }
    assert_eq!(tpm.value(), 42, "counted up once in this run of the machine");
    let remembered = memory(&world).unwrap();
    assert_eq!(remembered.counter, 42);
    assert!(!remembered.boot_id.is_empty());
    assert!(!DeliveryReader::open(&state).unwrap().unwrap().must_leave(outbox.incarnation()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_away_leaves_its_life_before_the_city_is_asked() {
    for (value, cause) in [(43, "older-image"), (17, "other-machine")] {
        let world = World::new().await;
        let state = world.state();
        let mut outbox = Outbox::open(&state, TERMINAL).unwrap();
        finalise(&mut outbox, &world.key, 2);
        let tpm = Tpm::start(&world, Temper::Good, 41);
        let agent = Working::start(config(&world));
        eventually("delivered", || acknowledged(&state) == [(1, 2)]).await;
        agent.stop().await;
        // Meanwhile the counter went elsewhere; and nobody answers at the city.
        tpm.value.store(value, Ordering::SeqCst);
        world.city.set(Mood::Status(503));
        let agent = Working::start(config(&world));
        let leaves = || {
            let log = DeliveryReader::open(&state).unwrap().unwrap();
            log.must_leave(outbox.incarnation()).unwrap()
        };
        eventually("doubted", leaves).await;
        eventually("counted up", || tpm.value() == value + 1).await;
        agent.stop().await;
        assert_eq!(memory(&world).map(|memory| memory.counter), Some(value + 1));
        let doubts: Vec<_> =
            audited(&state).into_iter().filter(|row| row.starts_with("disk_doubted")).collect();
        assert_eq!(doubts, [format!("disk_doubted cause={cause}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tpm_stops_a_delivery() {
    for temper in [Temper::Hangs, Temper::Babbles, Temper::HangsUp, Temper::Locked] {
        let world = World::new().await;
        let tpm = Tpm::start(&world, temper, 41);
        let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
        finalise(&mut outbox, &world.key, 5);
        let (state, started) = (world.state(), Instant::now());
        let agent = Working::start(config(&world));
        eventually("delivered", || acknowledged(&state) == [(1, 5)]).await;
        // Three seconds are given to a TPM that hangs, the rest to a busy machine; a command ends after ten.
        assert!(started.elapsed() < Duration::from_secs(9), "{temper:?}: {:?}", started.elapsed());
        assert_eq!(hellos(&world, 1).await, None, "{temper:?}");
        // The end does not wait for it either.
        let stopping = Instant::now();
        agent.stop().await;
        assert!(stopping.elapsed() < Duration::from_secs(5), "{temper:?}: {:?}", stopping.elapsed());
        assert_eq!(tpm.value(), 41, "{temper:?}: nothing was counted up");
        assert!(!DeliveryReader::open(&state).unwrap().unwrap().must_leave(outbox.incarnation()).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tpm_that_is_not_there_or_is_something_else_stops_nothing() {
    for (device, is_made) in [("nothing", false), ("a-file", true)] {
        let world = World::new().await;
        let path = world.folder.path().join(device);
        if is_made {
            std::fs::write(&path, "precious").unwrap();
        }
        let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
        finalise(&mut outbox, &world.key, 2);
        let state = world.state();
        let agent = Working::start(world.config(&format!("[tpm]\ndevice = \"{device}\"")));
        eventually("delivered", || acknowledged(&state) == [(1, 2)]).await;
        assert_eq!(hellos(&world, 1).await, None);
        agent.stop().await;
        if is_made {
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious", "not a byte was written to it");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_section_no_tpm_is_touched() {
    let world = World::new().await;
    let tpm = Tpm::start(&world, Temper::Good, 41);
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 1);
    let state = world.state();
    let agent = Working::start(world.config(""));
    eventually("delivered", || acknowledged(&state) == [(1, 1)]).await;
    assert_eq!(hellos(&world, 1).await, None);
    agent.stop().await;
    assert_eq!((tpm.value(), memory(&world)), (41, None));
    assert!(OutboxReader::open(&state).unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_city_says_of_an_earlier_life_does_not_hide_that_the_newest_has_to_be_left() {
    let world = World::new().await;
    let state = world.state();
    let mut outbox = Outbox::open(&state, TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 1);
    let old = outbox.incarnation().to_owned();
    outbox.begin_incarnation(BegunBecause::CopiedDisk, 1).unwrap();
    finalise_numbered(&mut outbox, &world.key, 100, 1);
    // The terminal found its disk to be a copy once more, and the kiosk is not up yet.
    let mut delivery = Delivery::open(&state).unwrap();
    delivery.remember_tpm(None, Some(outbox.incarnation())).unwrap();
    drop(delivery);
    // The old life has its turn first, and keeps it, because its record is never answered.
    world.city.set(Mood::LosesReplies);
    world.city.with(|city| city.commands = vec![Command::BeginIncarnation]);
    let agent = Working::start(world.config(""));
    let log = || DeliveryReader::open(&state).unwrap().unwrap();
    eventually("the city was heard", || log().last_sync_ms().unwrap().is_some()).await;
    assert_eq!(world.city.with(|city| city.last_hello.as_ref().unwrap().incarnation.clone()), old);
    assert!(log().must_leave(outbox.incarnation()).unwrap());
    agent.stop().await;
}
