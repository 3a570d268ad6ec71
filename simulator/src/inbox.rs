//! The gateway's inbox, fetched from the city's own pages: what arrived, with every person masked.

use std::time::Duration;

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(3);
/// A page of the inbox is far smaller.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;
/// Records that the page shows.
const NEWEST: usize = 100;

/// Asks the gateway's pages.
pub struct Inbox {
    http: reqwest::Client,
    base: String,
}

/// Why there is no inbox to show.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The gateway is down or slow.
    #[error("the gateway does not answer")]
    Silent,
    /// It answered something else.
    #[error("the gateway answered {0} instead of its inbox")]
    Answer(u16),
}

/// A plain HTTP client for this machine: no proxy, deadlines on everything.
pub fn local_client() -> reqwest::Result<reqwest::Client> {
    // Only HTTP is spoken, but the client wants to know whom it would ask for TLS. It may be installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(PATIENCE).connect_timeout(PATIENCE).build()
}

impl Inbox {
    /// The inbox of the gateway whose pages are on this port.
    pub fn new(port: u16) -> reqwest::Result<Self> {
        Ok(Self { http: local_client()?, base: format!("http://127.0.0.1:{port}") })
    }

    /// Whether the gateway is up.
    pub async fn is_up(&self) -> bool {
        let answer = self.http.get(format!("{}/city/healthz", self.base)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Records after this id, oldest first; without it, from the first one.
    pub async fn read(&self, after: Option<i64>) -> Result<Value, InboxError> {
        self.fetch(&format!("after={}", after.unwrap_or(0))).await
    }

    /// The newest records.
    pub async fn newest(&self) -> Result<Value, InboxError> {
        self.fetch(&format!("before={}&limit={NEWEST}", i64::MAX)).await
    }

    async fn fetch(&self, query: &str) -> Result<Value, InboxError> {
        let request = self.http.get(format!("{}/city/inbox.json?{query}", self.base)).send();
        let mut answer = request.await.map_err(|_| InboxError::Silent)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(InboxError::Answer(status.as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|_| InboxError::Silent)? {
            if bytes.len() + piece.len() > ANSWER_LIMIT {
                return Err(InboxError::Answer(status.as_u16()));
            }
            bytes.extend_from_slice(&piece);
        }
        serde_json::from_slice(&bytes).map_err(|_| InboxError::Answer(status.as_u16()))
    }
}
