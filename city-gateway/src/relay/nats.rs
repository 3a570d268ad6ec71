//! Publishes a case to a JetStream stream, and counts it as delivered only when the stream has acknowledged that it is
//! stored. `Nats-Msg-Id` is the case's id, so that the stream itself drops a repetition within its window; whoever
//! reads still looks at the id, because windows end.
//!
//! Publishing to JetStream is a request whose answer is a small JSON, so the core client is enough.
//!
//! Deliberately absent: making the stream. How often it is kept, for how long and how safely is its owner's decision;
//! see `docs/DEPARTMENTS.md`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::{Client, ConnectOptions, HeaderMap, Request};
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

use super::answers::Verdict;
use super::parcel::Parcel;
use crate::keys;

/// Room for headers and subject beside the payload.
const AROUND: usize = 1024;

/// What a stream says to a message that is longer than it takes (`JSStreamMessageExceedsMaximumErr`).
const TOO_LONG: u64 = 10_054;

/// A department's stream.
pub(crate) struct Nats {
    client: Client,
    subject: String,
    timeout: Duration,
}

/// The stream's answer.
#[derive(Deserialize)]
struct Stored {
    stream: Option<String>,
    seq: Option<u64>,
    error: Option<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    err_code: u64,
}

impl Nats {
    /// The server need not be there yet; the connection is made, and made again, in the background.
    pub(crate) async fn new(
        server: &str,
        subject: &str,
        ca: Option<&Path>,
        credentials: Option<&Path>,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let mut options = ConnectOptions::new()
            .name("city-gateway")
            .retry_on_initial_connect()
            .require_tls(server.starts_with("tls://"))
            .connection_timeout(timeout)
            .client_capacity(64);
        if let Some(ca) = ca {
            let mut roots = RootCertStore::empty();
            let (taken, _) = roots.add_parsable_certificates(keys::certificates(ca)?);
            anyhow::ensure!(taken > 0, "{}: no authority in it", ca.display());
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let tls = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
            options = options.tls_client_config(tls);
        }
        if let Some(path) = credentials {
            options = options.credentials_file(path).await.with_context(|| format!("{}", path.display()))?;
        }
        let client = options.connect(server).await.with_context(|| format!("{server}: no NATS server"))?;
        Ok(Self { client, subject: subject.to_owned(), timeout })
    }

    /// Publishes one case, and waits until it is stored.
    pub(crate) async fn send(&self, parcel: &Parcel) -> Verdict {
        let body = serde_json::to_vec(&parcel.delivery).unwrap_or_default();
        // Nothing before the first connection.
        let most = self.client.server_info().max_payload;
        if most > 0 && body.len() + AROUND > most {
            return Verdict::TooLarge;
        }
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, parcel.id.as_str());
        headers.insert("Content-Type", "application/json");
        let request = Request::new().headers(headers).payload(body.into()).timeout(Some(self.timeout));
        let asked = self.client.send_request(self.subject.clone(), request);
        // While there is no connection a request waits for room; it does not wait longer than the others.
        match tokio::time::timeout(self.timeout, asked).await {
            Ok(Ok(answer)) => judge(&answer.payload),
            // No stream yet, or nobody there: about the moment, not about this case.
            Ok(Err(_)) | Err(_) => Verdict::Later { asked: None },
        }
    }
}

/// Only a stream's own word that it holds the message, under a number, is one.
fn judge(answer: &[u8]) -> Verdict {
    match serde_json::from_slice(answer) {
        Ok(Stored { error: Some(Problem { err_code: TOO_LONG }), .. }) => Verdict::TooLarge,
        Ok(Stored { stream: Some(_), seq: Some(1..), error: None }) => Verdict::Delivered,
        Ok(_) | Err(_) => Verdict::Later { asked: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_streams_own_word_counts() {
        let later = Verdict::Later { asked: None };
        assert_eq!(judge(br#"{"stream":"CASES","seq":7}"#), Verdict::Delivered);
        assert_eq!(judge(br#"{"stream":"CASES","seq":7,"duplicate":true}"#), Verdict::Delivered);
        for no in ["", "ok", "{}", r#"{"stream":"CASES","seq":0}"#, r#"{"seq":7}"#] {
            assert_eq!(judge(no.as_bytes()), later, "{no}");
        }
        let full = r#"{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},"stream":"CASES","seq":0}"#;
        assert_eq!(judge(full.as_bytes()), later);
        assert_eq!(judge(br#"{"error":{"code":400,"err_code":10054}}"#), Verdict::TooLarge);
    }
}
