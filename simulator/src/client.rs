//! The simulator's controls for tests: start a whole kiosk, put a card on its reader, touch what a resident would
//! touch, and look at what the city got.
//!
//! ```no_run
//! # async fn journey() -> anyhow::Result<()> {
//! use simulator::client::{Options, Running};
//!
//! let kiosk = Running::start("target/debug", "/var/tmp/demo", Options::default()).await?;
//! kiosk.wait_screen("home").await?;
//! kiosk.touch("12345 诉求提交").await?;
//! kiosk.card(Some("ordinary")).await?;
//! kiosk.stop().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Every wait has a deadline and says at its end what was on the screen instead.

mod drawing;
mod print_outs;
mod records;
mod running;

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

pub use crate::desk::{PrintOutInfo, PrinterCable, ReceiptInfo};
pub use crate::network::NetworkMode;
pub use crate::queue::{Queue, QueueRecord};
pub use crate::scenario::ScenarioStatus;
pub use crate::screen::{Element, Elements};
pub use crate::supervisor::ProcessStatus;
pub use records::{Device, InboxRecord, State};
pub use running::{Options, Running, see_off};

/// How long a screen, an element or a record may take to appear.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(30);
/// One request; stopping a process may take two times five seconds.
const REQUEST_PATIENCE: Duration = Duration::from_secs(20);

/// Speaks to a simulator.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

/// A refusal by the simulator.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {status}: {body}")]
pub struct Refused {
    /// What was asked.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// The JSON answer.
    pub body: Value,
}

impl Client {
    /// A client of the simulator at this address (`http://127.0.0.1:PORT/`).
    pub fn new(base: &str) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(REQUEST_PATIENCE).build()?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    /// The simulator's address, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    async fn answer(
        &self,
        path: &str,
        request: reqwest::RequestBuilder,
    ) -> anyhow::Result<reqwest::Response> {
        let answer = request.send().await.with_context(|| format!("{path}: no answer from the simulator"))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.json().await.unwrap_or(Value::Null);
        Err(Refused { path: path.to_owned(), status: status.as_u16(), body }.into())
    }

    /// GET of a path such as `/api/state`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let answer = self.answer(path, self.http.get(format!("{}{path}", self.base))).await?;
        answer.json().await.with_context(|| format!("{path}: another answer than agreed"))
    }

    /// POST of a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}{path}", self.base)).json(&body);
        Ok(self.answer(path, request).await?.json().await?)
    }

    async fn bytes(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        Ok(self.answer(path, self.http.get(format!("{}{path}", self.base))).await?.bytes().await?.to_vec())
    }

    /// Everything the page shows around the screen.
    pub async fn state(&self) -> anyhow::Result<State> {
        self.get("/api/state").await
    }

    /// What is on the screen.
    pub async fn elements(&self) -> anyhow::Result<Elements> {
        self.get("/api/screen/elements").await
    }

    /// The labels on the screen, in reading order.
    pub async fn labels(&self) -> anyhow::Result<Vec<String>> {
        let labelled = self.elements().await?.elements.into_iter().map(|element| element.label);
        Ok(labelled.filter(|label| !label.is_empty()).collect())
    }

    /// The screen as PNG.
    pub async fn screen_png(&self) -> anyhow::Result<Vec<u8>> {
        self.bytes("/api/screen.png").await
    }

    /// Waits until a condition holds; `what` stands in the message when it does not in time.
    pub async fn until<T>(
        &self,
        what: &str,
        patience: Duration,
        mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let deadline = Instant::now() + patience;
        loop {
            let seen = look().await;
            if let Ok(Some(found)) = seen {
                return Ok(found);
            }
            if Instant::now() >= deadline {
                let last = seen.err().map(|error| format!(" (last: {error:#})")).unwrap_or_default();
                let shown = match self.elements().await {
                    Ok(elements) => format!("{:?} with {:?}", elements.screen, labels_of(&elements)),
                    Err(error) => format!("{error:#}"),
                };
                bail!("waited {patience:?} for {what}{last}; the screen is {shown}");
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until this screen is shown.
    pub async fn wait_screen(&self, screen: &str) -> anyhow::Result<Elements> {
        self.wait_screen_within(screen, PATIENCE).await
    }

    /// Waits until this screen is shown, so long at most.
    pub async fn wait_screen_within(&self, screen: &str, patience: Duration) -> anyhow::Result<Elements> {
        let what = format!("the screen {screen:?}");
        let look = async || Ok(Some(self.elements().await?).filter(|elements| elements.screen == screen));
        self.until(&what, patience, look).await
    }

    /// Waits until some element's label contains this text.
    pub async fn wait_text(&self, text: &str) -> anyhow::Result<Element> {
        let look = async || {
            let mut all = self.elements().await?.elements.into_iter();
            Ok(all.find(|e| {
                e.label.contains(text) || e.value.as_ref().is_some_and(|value| value.contains(text))
            }))
        };
        self.until(&format!("the text {text:?}"), PATIENCE, look).await
    }

    /// Touches the element with this label as soon as it can be touched.
    pub async fn touch(&self, label: &str) -> anyhow::Result<()> {
        let look = async || self.touch_now(label).await.map(Some);
        self.until(&format!("touching {label:?}"), PATIENCE, look).await
    }

    /// Touches the element with this label, or fails when that cannot be done now.
    pub async fn touch_now(&self, label: &str) -> anyhow::Result<()> {
        self.post("/api/touch", json!({ "label": label })).await.map(drop)
    }

    /// Touches a place.
    pub async fn touch_at(&self, x: f32, y: f32) -> anyhow::Result<()> {
        self.post("/api/touch", json!({ "x": x, "y": y })).await.map(drop)
    }

    /// A finger that comes down at one place and leaves at another (or the same), as fast as it can.
    pub async fn press(&self, from: (f32, f32), to: (f32, f32)) -> anyhow::Result<()> {
        for (phase, (x, y)) in [("press", from), ("move", to), ("release", to)] {
            self.post("/api/touch", json!({ "phase": phase, "x": x, "y": y })).await?;
        }
        Ok(())
    }

    /// Types on a keyboard.
    pub async fn key(&self, text: &str) -> anyhow::Result<()> {
        self.post("/api/key", json!({ "text": text })).await.map(drop)
    }

    /// Lays a card on the reader, or takes it off.
    pub async fn card(&self, card: Option<&str>) -> anyhow::Result<()> {
        self.change("id-card-reader", json!({ "card": card })).await
    }

    /// Does something to a device, for example `("receipt-printer", json!({ "paper": false }))`.
    pub async fn change(&self, device: &str, wanted: Value) -> anyhow::Result<()> {
        self.post(&format!("/api/devices/{device}"), wanted).await.map(drop)
    }

    /// One device.
    pub async fn device(&self, device: &str) -> anyhow::Result<Device> {
        self.get(&format!("/api/devices/{device}")).await
    }

    /// Plays a scenario, as lines of JSON.
    pub async fn play(&self, lines: &str) -> anyhow::Result<()> {
        let path = "/api/scenario";
        let request = self.http.post(format!("{}{path}", self.base)).body(lines.to_owned());
        self.answer(path, request).await.map(drop)
    }

    /// Ends the scenario that is being played.
    pub async fn end_playing(&self) -> anyhow::Result<()> {
        let path = "/api/scenario";
        self.answer(path, self.http.delete(format!("{}{path}", self.base))).await.map(drop)
    }

    /// Begins or ends a recording.
    pub async fn record(&self, on: bool) -> anyhow::Result<()> {
        self.post("/api/scenario/recording", json!({ "on": on })).await.map(drop)
    }

    /// The last recording.
    pub async fn recorded(&self) -> anyhow::Result<String> {
        Ok(String::from_utf8(self.bytes("/api/scenario/recording").await?)?)
    }

    /// Changes what the network does.
    pub async fn network(&self, mode: NetworkMode) -> anyhow::Result<()> {
        self.post("/api/network", json!({ "mode": mode })).await.map(drop)
    }

    /// Kills a process as a crash would (it starts again).
    pub async fn kill(&self, process: &str) -> anyhow::Result<()> {
        self.post(&format!("/api/process/{process}/kill"), json!({})).await.map(drop)
    }

    /// Ends a process and leaves it ended.
    pub async fn stop_process(&self, process: &str) -> anyhow::Result<()> {
        self.post(&format!("/api/process/{process}/stop"), json!({})).await.map(drop)
    }

    /// Starts a process that was ended.
    pub async fn start_process(&self, process: &str) -> anyhow::Result<()> {
        self.post(&format!("/api/process/{process}/start"), json!({})).await.map(drop)
    }

    /// One process.
    pub async fn process(&self, name: &str) -> anyhow::Result<ProcessStatus> {
        let mut all = self.state().await?.processes.into_iter();
        all.find(|process| process.name == name).with_context(|| format!("no process is called {name:?}"))
    }

    /// The receipt strip, oldest first.
    pub async fn receipts(&self) -> anyhow::Result<Vec<ReceiptInfo>> {
        self.get("/api/receipts").await
    }

    /// A receipt as PNG.
    pub async fn receipt_png(&self, id: u64) -> anyhow::Result<Vec<u8>> {
        self.bytes(&format!("/api/receipts/{id}.png")).await
    }

    /// The terminal's queue.
    pub async fn queue(&self) -> anyhow::Result<Queue> {
        self.get("/api/queue").await
    }

    /// The terminal's queue with all its records.
    pub async fn whole_queue(&self) -> anyhow::Result<Queue> {
        self.get("/api/queue?limit=100000").await
    }

    /// Everything in the gateway's inbox, oldest first.
    pub async fn inbox(&self) -> anyhow::Result<Vec<InboxRecord>> {
        let mut all: Vec<InboxRecord> = Vec::new();
        loop {
            let after = all.last().map_or(0, |record| record.id);
            let mut page: Value = self.get(&format!("/api/inbox?after={after}")).await?;
            let records: Vec<InboxRecord> = serde_json::from_value(page["records"].take())?;
            if records.is_empty() {
                return Ok(all);
            }
            ensure!(records[0].id > after, "the inbox repeats itself");
            all.extend(records);
        }
    }

    /// Waits until every finished record is acknowledged and the queue holds at least `records`.
    pub async fn wait_delivered(&self, records: u64, patience: Duration) -> anyhow::Result<Queue> {
        let look = async || {
            Ok(Some(self.queue().await?).filter(|queue| queue.head >= records && queue.waiting == 0))
        };
        self.until(&format!("{records} records to be delivered"), patience, look).await
    }
}

fn labels_of(elements: &Elements) -> Vec<&str> {
    elements.elements.iter().map(|element| element.label.as_str()).filter(|label| !label.is_empty()).collect()
}
