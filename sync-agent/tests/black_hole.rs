//! A link that swallows large packets without a word (a path-MTU black hole): the true program, the kernel's own TCP.

mod city;

use std::process::Child;

use city::road::{CITY, Road};
use city::*;
use kiosk_store::Outbox;

/// More than the link carries in a packet, less than it.
const LARGE: usize = 30_000;
const SMALL: usize = 200;
/// Largest packet that gets through.
const HOLE: u32 = 4000;

struct Bench {
    road: Road,
    world: World,
    outbox: Outbox,
    agent: Child,
}

impl Bench {
    async fn start(road: Road, patience_ms: u32) -> Self {
        let listener = std::net::TcpListener::bind((CITY, 0)).unwrap();
        let world = World::at(listener, &CITY.to_string(), false).await;
        let config = world.folder.path().join("terminal.toml");
        let text =
            world.config_text(&format!("request_timeout_ms = {patience_ms}\nconnect_timeout_ms = 1000"));
        std::fs::write(&config, text.replace("localhost", &CITY.to_string())).unwrap();
        let outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
        let agent = road.run(env!("CARGO_BIN_EXE_sync-agent"), &config);
        Self { road, world, outbox, agent }
    }

    fn finalise(&mut self, bytes: usize, blobs: Vec<Vec<u8>>) {
        finalise_with(&mut self.outbox, &self.world.key, bytes, blobs);
    }

    async fn acknowledged(&self, what: &str, ranges: &[(u64, u64)]) {
        let state = self.world.state();
        eventually(what, || acknowledged(&state) == ranges).await;
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
    }
}

/// As the terminal and the gateway are to be set up (docs/FAULTS.md, 20).
#[tokio::test(flavor = "multi_thread")]
async fn with_probing_everything_gets_through() {
    let Some(road) = Road::for_test("with_probing_everything_gets_through") else { return };
    road.set_probing();
    // The kernel needs three seconds to give up on large packets.
    let mut bench = Bench::start(road, 8000).await;
    bench.finalise(SMALL, Vec::new());
    bench.acknowledged("on a good road", &[(1, 1)]).await;
    bench.road.swallow_above(HOLE);
    bench.finalise(LARGE, vec![vec![7; 600_000]]);
    bench.finalise(SMALL, Vec::new());
    bench.acknowledged("through the hole", &[(1, 3)]).await;
    let whole = || bench.world.city.with(|city| city.blobs.values().any(blobs::Blob::is_whole));
    eventually("the photo", whole).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_probing_large_records_keep_no_small_ones_waiting() {
    let Some(road) = Road::for_test("without_probing_large_records_keep_no_small_ones_waiting") else {
        return;
    };
    let mut bench = Bench::start(road, 1000).await;
    bench.finalise(SMALL, Vec::new());
    bench.acknowledged("on a good road", &[(1, 1)]).await;
    bench.road.swallow_above(HOLE);
    bench.finalise(LARGE, Vec::new());
    bench.finalise(LARGE, vec![vec![7; 600_000]]);
    for _ in 0..4 {
        bench.finalise(SMALL, Vec::new());
    }
    bench.acknowledged("the small ones", &[(1, 1), (4, 7)]).await;
    // The photo of a small record is large.
    bench.finalise(SMALL, vec![vec![8; 600_000]]);
    bench.finalise(SMALL, Vec::new());
    bench.acknowledged("records beside a photo", &[(1, 1), (4, 9)]).await;
    bench.road.repair();
    bench.acknowledged("everything", &[(1, 9)]).await;
    let state = bench.world.state();
    let delivery = kiosk_store::DeliveryReader::open(&state).unwrap().unwrap();
    eventually("the photos", || delivery.incomplete(bench.outbox.incarnation()).unwrap().is_empty()).await;
    assert_eq!(delivery.counts(bench.outbox.incarnation()).unwrap().side_lane, 0, "no record is blamed");
}
