//! A monkey at the kiosk: touches, keys, cards, pulls, faults and the network's moods, all drawn from a seed, on the
//! whole running kiosk. It knows nothing of items: what can be touched comes from the screen, what devices can do
//! from what they say of themselves. In an eager mood it looks for the words that lead on, and so gets cases done.
//!
//! Judged: the kiosk never ends and never panics; two residents are never on one screen, and nobody is on the home screen;
//! whenever the monkey goes away, home is reached within the idle time.

mod draw;
mod judge;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use simulator::client::{Device, Elements, NetworkMode, Options};
use tokio::time::Instant;

use crate::workshop::Kiosk;
use draw::{Act, Mood};
use judge::{Judge, PROCESS};

/// Seconds until the idle warning, of its countdown, and of the farewell while the monkey plays.
const IDLE_S: u64 = 2;
const COUNTDOWN_S: u64 = 1;
const FAREWELL_S: u64 = 1;

/// Home at the latest so long after the last touch: the waits above, the look for a forgotten card that goes before the
/// farewell and may repeat it, and what two busy cores take.
const HOME_AGAIN: Duration = Duration::from_secs(IDLE_S + COUNTDOWN_S + 3 * FAREWELL_S + 10);

/// The monkey goes away after so many touches.
const TOUCHES_A_STAY: u64 = 1_000;

/// Longest the screen may say nothing, while processes or devices are busy.
const SILENCE: Duration = Duration::from_secs(20);

/// What to play.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What everything is drawn from.
    pub seed: u64,
    /// Touches until it ends; other acts come on top.
    pub touches: u64,
}

/// What was played, and what was wrong.
#[derive(Debug, Default)]
pub struct Findings {
    /// Touches that reached the kiosk.
    pub touches: u64,
    /// Other acts: keys, cards, plugs, faults, network.
    pub others: u64,
    /// How often the monkey went away, and home came.
    pub homes: u64,
    /// How often each page was seen by a look.
    pub pages: BTreeMap<String, u64>,
    /// Looks that showed a resident.
    pub persons_seen: u64,
    /// Cases in the queue at the end.
    pub cases: u64,
    /// Broken promises.
    pub violations: Vec<String>,
}

/// Plays to the end of the plan, or to the first broken promise.
pub async fn play(plan: Plan) -> Result<Findings> {
    let options = Options::default()
        .set("waits.same_touch_ms=0")
        .set(&format!("waits.idle_s={IDLE_S}"))
        .set(&format!("waits.unseen_s={IDLE_S}"))
        .set(&format!("waits.idle_help_s={IDLE_S}"))
        .set(&format!("waits.countdown_s={COUNTDOWN_S}"))
        .set(&format!("waits.farewell_s={FAREWELL_S}"));
    let kiosk = Kiosk::start_with(options).await?;
    let judge = Judge::of(&kiosk).await?;
    let mut monkey =
        Monkey { devices: kiosk.state().await?.devices, kiosk, judge, findings: Findings::default() };
    let mut random = StdRng::seed_from_u64(plan.seed);
    while monkey.findings.touches < plan.touches && monkey.findings.violations.is_empty() {
        monkey.stay(&mut random, plan.touches.min(monkey.findings.touches + TOUCHES_A_STAY)).await?;
        monkey.go_away().await?;
    }
    monkey.end().await
}

struct Monkey {
    kiosk: Kiosk,
    devices: Vec<Device>,
    judge: Judge,
    findings: Findings,
}

impl Monkey {
    async fn stay(&mut self, random: &mut StdRng, until: u64) -> Result<()> {
        let mood = Mood::draw(random);
        while self.findings.touches < until && self.findings.violations.is_empty() {
            let shown = self.look().await?;
            let act = draw::act(random, mood, &shown, &self.devices);
            self.do_it(act).await;
        }
        Ok(())
    }

    /// What the screen shows; judged.
    async fn look(&mut self) -> Result<Elements> {
        let deadline = Instant::now() + SILENCE;
        let shown = loop {
            match self.kiosk.elements().await {
                Ok(shown) if !shown.screen.is_empty() => break shown,
                other if Instant::now() > deadline => {
                    self.judge.process(&self.kiosk, &mut self.findings).await?;
                    bail!("the screen says nothing for {SILENCE:?}: {other:?}\n{}", self.kiosk.logs());
                }
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        *self.findings.pages.entry(shown.screen.clone()).or_default() += 1;
        self.judge.screen(&shown, &mut self.findings);
        Ok(shown)
    }

    /// A refusal is an answer too: the button may be gone, the card may be in already.
    async fn do_it(&mut self, act: Act) {
        let touched = matches!(act, Act::Touch(..));
        let done = match act {
            Act::Touch(from, to) => self.kiosk.press(from, to).await,
            Act::Type(text) => self.kiosk.key(&text).await,
            Act::Device(name, change) => self.kiosk.change(&name, change).await,
            Act::Network(mode) => self.kiosk.network(mode).await,
        };
        match (touched, done) {
            (true, Ok(())) => self.findings.touches += 1,
            (false, _) => self.findings.others += 1,
            (true, Err(_)) => {}
        }
    }

    /// Nobody touches any more; everything else stays as it is: pulled plugs, faults, an open door.
    async fn go_away(&mut self) -> Result<()> {
        let deadline = Instant::now() + HOME_AGAIN;
        loop {
            let shown = self.look().await?;
            if shown.screen == "home" && shown.elements.iter().any(|element| element.enabled) {
                self.findings.homes += 1;
                break;
            }
            if Instant::now() > deadline {
                let page = &shown.screen;
                self.findings
                    .violations
                    .push(format!("{HOME_AGAIN:?} after the last touch it shows {page:?}"));
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.judge.process(&self.kiosk, &mut self.findings).await?;
        // The next resident finds a machine that somebody looked after.
        for device in &self.devices {
            let mended = json!({ "plugged": true, "fault": null });
            self.kiosk.change(&device.name, mended).await.with_context(|| device.name.clone())?;
            for (name, value) in draw::usual(device) {
                self.kiosk.change(&device.name, json!({ name: value })).await?;
            }
        }
        self.kiosk.network(NetworkMode::On).await
    }

    async fn end(mut self) -> Result<Findings> {
        self.judge.process(&self.kiosk, &mut self.findings).await?;
        let queue = self.kiosk.queue().await?;
        self.findings.cases = queue.head;
        let log = std::fs::read_to_string(self.kiosk.folder().join(format!("logs/{PROCESS}.log")))?;
        self.judge.log(&log, &mut self.findings);
        self.kiosk.stop().await?;
        Ok(self.findings)
    }
}
