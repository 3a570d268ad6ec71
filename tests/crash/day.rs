//! A scripted day: residents come one after the other, the network flaps, processes are killed.

use anyhow::{Result, bail};
use kiosk_tests::oracle::{self, Findings};
use kiosk_tests::resident;
use kiosk_tests::workshop::Kiosk;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use simulator::client::{Client, NetworkMode, Options};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::sleep;

const PROCESSES: [&str; 3] = ["kiosk-app", "sync-agent", "city-gateway"];
/// Between two kills: short enough to hit every moment of a visit, long enough that visits end.
const KILL_EVERY_MS: std::ops::Range<u64> = 200..2_200;
const FLAP_EVERY_MS: std::ops::Range<u64> = 200..3_000;
/// Longest single visit; a resident whose kiosk was killed starts again after it at the latest.
const VISIT: Duration = Duration::from_secs(20);
/// After faults stop, everything must arrive within this.
const SETTLE: Duration = Duration::from_secs(60);

/// The day.
pub struct Day {
    kiosk: Kiosk,
    random: StdRng,
}

impl Day {
    /// Opens the kiosk; `environment` holds `(process, variable, value)`.
    pub async fn start(seed: u64, environment: &[(&str, &str, &str)]) -> Result<Day> {
        let mut options = Options::default().set("waits.same_touch_ms=0").set("waits.farewell_s=1");
        for (process, name, value) in environment {
            options = options.env(process, name, value);
        }
        let kiosk = Kiosk::start_with(options).await?;
        let random = StdRng::seed_from_u64(seed);
        Ok(Day { kiosk, random })
    }

    /// The kiosk's controls.
    pub fn kiosk(&self) -> &Kiosk {
        &self.kiosk
    }

    /// Residents come and the network flaps until so many processes were killed.
    pub async fn kill_while_residents_come(&mut self, kills: usize) -> Result<()> {
        let kiosk = self.kiosk.client();
        let (over, visits) = (AtomicBool::new(false), AtomicUsize::new(0));
        let flapping = flap(&kiosk, &over, self.random.random());
        let killing = async {
            for done in 1..=kills {
                sleep(Duration::from_millis(self.random.random_range(KILL_EVERY_MS))).await;
                let process = PROCESSES[self.random.random_range(0..PROCESSES.len())];
                // A process that is just being restarted cannot be killed; the next moment will do.
                while kiosk.kill(process).await.is_err() {
                    sleep(Duration::from_millis(50)).await;
                }
                if done % 25 == 0 {
                    println!("{done} kills, {} visits ended well", visits.load(Ordering::Relaxed));
                }
            }
            over.store(true, Ordering::Relaxed);
        };
        tokio::join!(killing, come(&kiosk, &over, &visits), flapping);
        Ok(())
    }

    /// Heals everything, lets the queue drain, and judges.
    pub async fn end(self) -> Result<Findings> {
        self.kiosk.network(NetworkMode::On).await?;
        let drained = self.kiosk.wait_delivered(0, SETTLE).await;
        let settled = async || {
            let inbox = self.kiosk.inbox().await?;
            Ok(Some(()).filter(|()| inbox.iter().all(|record| record.status != "received")))
        };
        let opened = self.kiosk.until("the city to open what it has", SETTLE, settled).await;
        let mut findings = oracle::judge(&self.kiosk).await?;
        for failure in [drained.map(drop), opened].into_iter().filter_map(Result::err) {
            findings.violations.push(format!("{failure:#}"));
        }
        Ok(findings)
    }
}

/// One resident after the other; a visit that a kill broke off is simply begun anew.
async fn come(kiosk: &Client, over: &AtomicBool, visits: &AtomicUsize) {
    while !over.load(Ordering::Relaxed) {
        let visit = tokio::time::timeout(VISIT, visit(kiosk, over)).await;
        if matches!(visit, Ok(Ok(()))) {
            visits.fetch_add(1, Ordering::Relaxed);
        }
        let _ = kiosk.card(None).await;
    }
}

/// A visit, given up as soon as the kiosk is back at its home screen in the middle of it.
async fn visit(kiosk: &Client, over: &AtomicBool) -> Result<()> {
    kiosk.wait_screen("home").await?;
    let restarted = async {
        let mut left_home = false;
        loop {
            if over.load(Ordering::Relaxed) {
                bail!("the day is over");
            }
            if let Ok(elements) = kiosk.elements().await {
                let home = elements.screen == "home";
                if left_home && home {
                    bail!("back at home");
                }
                left_home |= !home && !elements.screen.is_empty();
            }
            sleep(Duration::from_millis(150)).await;
        }
    };
    let through = async {
        resident::begin(kiosk, resident::APPEAL).await?;
        resident::identify(kiosk, "ordinary").await?;
        resident::answer_appeal(kiosk).await?;
        resident::confirm(kiosk).await?;
        kiosk.wait_text("凭条已打印，请取走").await?;
        kiosk.touch("好了，继续").await?;
        kiosk.touch("不评价").await?;
        kiosk.touch("完成").await
    };
    tokio::select! {
        done = through => done,
        broken = restarted => broken,
    }
}

async fn flap(kiosk: &Client, over: &AtomicBool, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let modes = [
        NetworkMode::On,
        NetworkMode::On,
        NetworkMode::Off,
        NetworkMode::LoseReplies,
        NetworkMode::CaptivePortal,
        NetworkMode::Error500,
    ];
    while !over.load(Ordering::Relaxed) {
        let mode = modes[random.random_range(0..modes.len())];
        let _ = kiosk.network(mode).await;
        sleep(Duration::from_millis(random.random_range(FLAP_EVERY_MS))).await;
    }
}
