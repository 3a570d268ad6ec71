//! Posts a case to a department's server, and believes nothing of the answer but its status and how long to wait.
//!
//! Deliberately absent: redirects, a proxy from the environment, plain HTTP, authorities that nobody named.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use rustls::{ClientConfig, RootCertStore};

use super::answers::{Verdict, judge};
use super::parcel::Parcel;
use crate::keys;
use crate::terminals::now_ms;

/// Time for a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// A department's server.
pub(crate) struct Webhook {
    client: Client,
    url: Url,
}

impl Webhook {
    pub(crate) fn new(url: &str, ca: &Path, timeout: Duration) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        let (taken, _) = roots.add_parsable_certificates(keys::certificates(ca)?);
        anyhow::ensure!(taken > 0, "{}: no authority in it", ca.display());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT.min(timeout))
            .timeout(timeout)
            .user_agent("city-gateway")
            .build()?;
        Ok(Self { client, url: url.parse().with_context(|| format!("{url} is no address"))? })
    }

    /// Sends one case.
    pub(crate) async fn send(&self, parcel: &Parcel) -> Verdict {
        let body = serde_json::to_vec(&parcel.delivery).unwrap_or_default();
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        // For servers that look at an id before they read: draft-ietf-httpapi-idempotency-key-header.
        let request = request.header("idempotency-key", format!("\"{}\"", parcel.id));
        match request.body(body).send().await {
            Ok(answer) => {
                let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                judge(answer.status().as_u16(), asked, now_ms())
            }
            // Not reached, too slow, or no HTTP: none of it is about this case.
            Err(_) => Verdict::Later { asked: None },
        }
    }
}
