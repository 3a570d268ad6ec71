//! Everything the controls act on, in one place.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cards::CARDS;
use crate::desk::Desk;
use crate::feeds::Feeds;
use crate::inbox::Inbox;
use crate::network::NetworkSwitch;
use crate::queue::QueueView;
use crate::scenario::Scenarios;
use crate::screen::Screen;
use crate::supervisor::Supervisor;

/// A running demo.
pub struct Stage {
    /// Terminal code.
    pub terminal: String,
    /// Where it stands.
    pub place: String,
    /// The city's own pages.
    pub city_url: String,
    /// The page of the site's keeper.
    pub keeper_url: String,
    /// Virtual hardware.
    pub desk: Desk,
    /// The network between terminal and city.
    pub network: NetworkSwitch,
    /// The kiosk's screen.
    pub screen: Screen,
    /// The real processes.
    pub supervisor: Arc<Supervisor>,
    /// What the kiosk finished.
    pub queue_view: Arc<QueueView>,
    /// What the city has.
    pub inbox: Inbox,
    /// What browsers are told.
    pub feeds: Feeds,
    /// What is recorded and played.
    pub scenarios: Scenarios,
}

impl Stage {
    /// The state as `/api/state` and the page have it.
    pub fn state(&self) -> Value {
        let screen = self.screen.status();
        json!({
            "terminal": self.terminal,
            "place": self.place,
            "demo": true,
            "city_url": self.city_url,
            "keeper_url": self.keeper_url,
            "screen": { "connected": screen.connected, "width": screen.width, "height": screen.height },
            "cards": CARDS.map(|card| card.view()),
            "devices": self.desk.devices(),
            "scenario": self.scenarios.status(),
            "network": { "mode": self.network.mode() },
            "processes": self.supervisor.status(),
        })
    }

    /// The queue as `/api/queue` and the page have it.
    pub async fn queue(&self, limit: Option<usize>) -> Result<Value, String> {
        let view = Arc::clone(&self.queue_view);
        let read = tokio::task::spawn_blocking(move || view.read(limit)).await;
        match read {
            Ok(Ok(queue)) => Ok(json!(queue)),
            Ok(Err(error)) => Err(format!("the terminal's queue cannot be read: {error}")),
            Err(error) => Err(error.to_string()),
        }
    }
}
