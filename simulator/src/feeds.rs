//! What the browsers are shown besides the screen: four JSON messages, each sent when it has changed.
//!
//! Looking is cheap but not free, so nothing is looked at while no browser is connected.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::stage::Stage;

/// State and strip change under the visitor's hand.
const FAST: Duration = Duration::from_millis(100);
/// Queue and inbox live on disk and behind HTTP.
const SLOW: Duration = Duration::from_millis(600);

/// One channel per message, in the order in which a new browser gets them.
pub struct Feeds {
    state: watch::Sender<Utf8Bytes>,
    receipts: watch::Sender<Utf8Bytes>,
    queue: watch::Sender<Utf8Bytes>,
    inbox: watch::Sender<Utf8Bytes>,
}

impl Default for Feeds {
    fn default() -> Self {
        let empty = || watch::Sender::new(Utf8Bytes::default());
        Self { state: empty(), receipts: empty(), queue: empty(), inbox: empty() }
    }
}

impl Feeds {
    /// State, receipts, queue, inbox.
    pub fn subscribe(&self) -> [watch::Receiver<Utf8Bytes>; 4] {
        [&self.state, &self.receipts, &self.queue, &self.inbox].map(watch::Sender::subscribe)
    }

    fn is_watched(&self) -> bool {
        self.state.receiver_count() > 0
    }
}

fn publish(feed: &watch::Sender<Utf8Bytes>, message: &Value) {
    let text = message.to_string();
    feed.send_if_modified(|present| {
        let changed = present.as_str() != text;
        if changed {
            *present = text.into();
        }
        changed
    });
}

/// Puts a type in front of an object's fields.
fn typed(kind: &str, fields: Value) -> Value {
    let mut message = json!({ "type": kind });
    if let (Some(message), Value::Object(fields)) = (message.as_object_mut(), fields) {
        message.extend(fields);
    }
    message
}

impl Stage {
    /// Looks at everything once, for a browser that has just come.
    pub async fn refresh_feeds(&self) {
        self.refresh_fast();
        self.refresh_slow().await;
    }

    fn refresh_fast(&self) {
        publish(&self.feeds.state, &typed("state", self.state()));
        publish(&self.feeds.receipts, &json!({ "type": "receipts", "receipts": self.desk.receipts() }));
    }

    async fn refresh_slow(&self) {
        // A database that cannot be read right now says nothing new.
        if let Ok(queue) = self.queue(None).await {
            publish(&self.feeds.queue, &typed("queue", queue));
        }
        let inbox = match self.inbox.newest().await {
            Ok(inbox) => json!({ "type": "inbox", "available": true, "records": inbox["records"] }),
            Err(_) => json!({ "type": "inbox", "available": false, "records": [] }),
        };
        publish(&self.feeds.inbox, &inbox);
    }
}

/// Looks and tells, for as long as the simulator runs.
pub async fn run(stage: Arc<Stage>) {
    let mut ticks = interval(FAST);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_slow = Instant::now();
    loop {
        ticks.tick().await;
        if !stage.feeds.is_watched() {
            continue;
        }
        stage.refresh_fast();
        if Instant::now() >= next_slow {
            stage.refresh_slow().await;
            next_slow = Instant::now() + SLOW;
        }
    }
}
