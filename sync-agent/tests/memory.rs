//! Little memory: what the other end sends cannot make the agent take more than it needs, and an agent that is ended for
//! want of memory loses nothing. The limit is the kernel's, set on the true program while it runs (RLIMIT_DATA, which
//! counts private writable memory); an allocation above it fails, and the program aborts.

mod city;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use city::*;
use kiosk_store::Outbox;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

/// What the agent may take beyond what it has when nothing is to be done, in bytes: what is under way at most
/// (16 MiB of sealed content, read, in JSON and on its way to the kernel) and one more largest record, likewise.
const ENOUGH: u64 = 96 * 1024 * 1024;
/// Less than a large record needs, in bytes: to be read, to be put into JSON, to be on its way.
const TOO_LITTLE: [u64; 4] = [2 << 20, 9 << 20, 16 << 20, 20 << 20];
/// A large record, in bytes.
const LARGE: usize = 6_000_000;

struct Agent(Child);

impl Agent {
    /// One that has nothing to do yet.
    async fn start(world: &World, config: &Path) -> Self {
        let hellos = world.city.with(|city| city.hellos);
        let mut program = Command::new(env!("CARGO_BIN_EXE_sync-agent"));
        program.arg("--config").arg(config).env_remove("FAILPOINTS").stderr(Stdio::null());
        let agent = Self(program.spawn().unwrap());
        eventually("two hellos", || world.city.with(|city| city.hellos) > hellos + 1).await;
        agent
    }

    fn may_take(&self, more: u64) {
        let limit = Some(self.takes() + more);
        prlimit(Some(Pid::from_child(&self.0)), Resource::Data, Rlimit { current: limit, maximum: limit })
            .unwrap();
    }

    /// Private writable memory, in bytes.
    fn takes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmData:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn configured(world: &World) -> PathBuf {
    let config = world.folder.path().join("terminal.toml");
    std::fs::write(&config, world.config_text("request_timeout_ms = 3000\nside_lane_ms = 200")).unwrap();
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_the_other_end_sends_fills_the_memory() {
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 1);
    let mut agent = Agent::start(&world, &configured(&world)).await;
    agent.may_take(ENOUGH);
    let state = world.state();
    for mood in [Mood::Endless, Mood::EndlessReceipts, Mood::Floods, Mood::EndlessHeaders, Mood::PortalAsJson]
    {
        world.city.set(mood);
        finalise_sized(&mut outbox, &world.key, 4, LARGE);
        let asked = world.city.with(|city| city.hellos);
        eventually("asked again", || world.city.with(|city| city.hellos) > asked + 2).await;
        assert!(agent.runs(), "{mood:?}");
        world.city.set(Mood::Good);
        let head = outbox.head();
        eventually(&format!("delivered after {mood:?}"), || acknowledged(&state) == [(1, head)]).await;
        assert!(agent.runs(), "{mood:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_memory_is_started_again_and_loses_nothing() {
    let world = World::new().await;
    let config = configured(&world);
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 3);
    let (state, mut deaths) = (world.state(), 0);
    for too_little in TOO_LITTLE {
        let mut agent = Agent::start(&world, &config).await;
        agent.may_take(too_little);
        finalise_sized(&mut outbox, &world.key, 2, LARGE);
        finalise(&mut outbox, &world.key, 1);
        let small = outbox.head();
        // What it cannot read it lets wait; what it cannot send ends it.
        let has_small = || acknowledged(&state).last().is_some_and(|(_, last)| *last == small);
        eventually("an end, or the small one", || !agent.runs() || has_small()).await;
        deaths += u32::from(!agent.runs());
    }
    assert!(deaths > 0, "it was never short of memory");
    // The last of them may have had enough after all, and done everything: this one is left for the next for certain.
    finalise_sized(&mut outbox, &world.key, 1, LARGE);
    let _agent = Agent::start(&world, &config).await;
    eventually("everything", || acknowledged(&state) == [(1, outbox.head())]).await;
    assert_eq!(world.city.held().len() as u64, outbox.head(), "each once");
}
