//! The simulator's answers, as tests read them.

use serde::Deserialize;
use serde_json::Value;

use crate::network::NetworkMode;
use crate::scenario::ScenarioStatus;
use crate::supervisor::ProcessStatus;

/// `GET /api/state`.
#[derive(Debug, Clone, Deserialize)]
pub struct State {
    /// Terminal code.
    pub terminal: String,
    /// Where it stands.
    pub place: String,
    /// The city's own pages.
    pub city_url: String,
    /// The page of the site's keeper.
    pub keeper_url: String,
    /// The screen.
    pub screen: ScreenState,
    /// The devices of the desk.
    pub devices: Vec<Device>,
    /// What is recorded and played.
    pub scenario: ScenarioStatus,
    /// The network.
    pub network: NetworkState,
    /// The real processes.
    pub processes: Vec<ProcessStatus>,
}

/// A device of the desk.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// Plug, fault and settings; all of them can be posted.
    pub now: Value,
    /// What can only be looked at.
    pub shows: Value,
    /// What it says of its controls and faults.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Value>,
}

/// The screen.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ScreenState {
    /// Whether the kiosk is connected.
    pub connected: bool,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// The network.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct NetworkState {
    /// What it does.
    pub mode: NetworkMode,
}

/// A record in the gateway's inbox.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct InboxRecord {
    /// Counts up in the order of arrival.
    pub id: i64,
    /// UUID.
    pub case_id: String,
    /// Case number.
    pub case_number: Option<String>,
    /// `case` or `rating`.
    pub kind: String,
    /// Code of the service item.
    pub item: Option<String>,
    /// Terminal code.
    pub terminal: String,
    /// Position in the terminal's queue.
    pub seq: u64,
    /// SHA-256 (hex) of the sealed content.
    pub sha256: String,
    /// When it arrived, milliseconds since 1970.
    pub received_at_ms: i64,
    /// `received`, `opened`, `dead_letter` or `quarantined`.
    pub status: String,
    /// Why it was not opened.
    pub reason: Option<String>,
    /// The masked person.
    #[serde(default)]
    pub person: Value,
    /// What it is about.
    #[serde(default)]
    pub summary: Value,
}
