//! Wrong names: while the agent runs, the name of the gateway is not found, is answered late, badly or not at all, or
//! leads to somebody else or somewhere else. The agent asks anew, is not fooled, and goes on where the gateway is.

mod city;

use std::net::Ipv4Addr;
use std::process::Child;
use std::time::Duration;

use city::names::{Cable, NameServer, Says};
use city::*;
use kiosk_store::Outbox;

const NAME: &str = "gateway.city.test";
const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const MOVED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const IMPOSTOR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);
const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 5);
const NOBODY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 6);

/// The true program with a name server of its own, before a city that it reaches over a cable.
struct Bench {
    world: World,
    names: NameServer,
    cable: Cable,
    outbox: Outbox,
    finalised: u64,
    agent: Child,
}

impl Bench {
    async fn start(more: &str) -> Self {
        let world = World::called(NAME, false).await;
        let names = NameServer::start();
        let cable = Cable::lay(HERE, world.city.address.port(), world.city.address).await;
        let config = world.folder.path().join("terminal.toml");
        let text = world.config_text(more).replace("localhost", NAME);
        std::fs::write(&config, text).unwrap();
        let outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
        let agent = names.run(env!("CARGO_BIN_EXE_sync-agent"), &config, world.folder.path());
        Self { world, names, cable, outbox, finalised: 0, agent }
    }

    /// A resident comes.
    fn finalise(&mut self) {
        finalise(&mut self.outbox, &self.world.key, 1);
        self.finalised += 1;
    }

    async fn all_delivered(&self, what: &str) {
        let state = self.world.state();
        eventually(what, || acknowledged(&state) == [(1, self.finalised)]).await;
    }

    /// The name server says this from now on, and the connection breaks; a resident comes. Returns when the name was
    /// asked for several times and nothing was delivered.
    async fn wrong(&mut self, says: Says) {
        self.names.says(says);
        self.cable.cut();
        self.finalise();
        let asked = self.names.questions();
        eventually(&format!("asked again: {says:?}"), || self.names.questions() >= asked + 6).await;
        let delivered = acknowledged(&self.world.state());
        assert_eq!(delivered, [(1, self.finalised - 1)], "nothing can have been delivered: {says:?}");
    }

    async fn right_again(&self, after: Says) {
        self.names.says(Says::Is(HERE));
        self.all_delivered(&format!("delivered after {after:?}")).await;
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_answered_is_asked_for_until_it_is() {
    let mut bench = Bench::start("").await;
    // From the first moment, too.
    bench.names.says(Says::NotThere);
    bench.finalise();
    eventually("asked at all", || bench.names.questions() > 4).await;
    bench.right_again(Says::NotThere).await;
    for says in [Says::NotThere, Says::Failure, Says::Nonsense, Says::Nothing, Says::Is(NOBODY)] {
        bench.wrong(says).await;
        bench.right_again(says).await;
    }
    assert_eq!(bench.world.city.held().len() as u64, bench.finalised);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_is_waited_for_no_longer_than_a_connection() {
    let mut bench = Bench::start("connect_timeout_ms = 1500").await;
    let quick_enough = Says::Slowly(HERE, Duration::from_millis(700));
    bench.names.says(quick_enough);
    bench.finalise();
    bench.all_delivered("a slow name").await;
    let too_slow = Says::Slowly(HERE, Duration::from_secs(20));
    bench.wrong(too_slow).await;
    bench.right_again(too_slow).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_to_somebody_else_fools_nobody() {
    let mut bench = Bench::start("").await;
    let port = bench.world.city.address.port();
    bench.names.says(Says::Is(HERE));
    bench.finalise();
    bench.all_delivered("the first").await;
    // One has the right name and a stranger's certificate, the other the city's certificate and another name.
    let stranger = World::called(NAME, true).await;
    let _to_stranger = Cable::lay(IMPOSTOR, port, stranger.city.address).await;
    let neighbour = bench.world.neighbour("archive.city.test");
    let _to_neighbour = Cable::lay(NEIGHBOUR, port, neighbour.address).await;
    for address in [IMPOSTOR, NEIGHBOUR] {
        bench.wrong(Says::Is(address)).await;
        let state = bench.world.state();
        eventually("audited", || audited(&state).last().is_some_and(|row| row == "hello_failed cause=tls"))
            .await;
        bench.right_again(Says::Is(address)).await;
    }
    for other in [&stranger.city, &neighbour] {
        other.with(|other| assert_eq!((other.hellos, other.puts.len()), (0, 0), "nothing was said to them"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_moves_is_followed() {
    let mut bench = Bench::start("").await;
    bench.names.says(Says::Is(HERE));
    bench.finalise();
    bench.all_delivered("at the first place").await;
    for (from, to) in [(HERE, MOVED), (MOVED, HERE), (HERE, MOVED)] {
        let old = bench.cable.address;
        bench.names.says(Says::Is(to));
        // The old place goes away with everything that leads there.
        bench.cable = Cable::lay(to, old.port(), bench.world.city.address).await;
        bench.finalise();
        bench.all_delivered(&format!("moved from {from} to {to}")).await;
    }
}
