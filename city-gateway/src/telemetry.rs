//! Sends the gateway's figures to an OpenTelemetry collector from time to time (OTLP over HTTP, protobuf), when the
//! configuration names one. Prometheus fetches the same figures itself.
//!
//! Deliberately absent: anything that waits for the collector. What it does not take is not kept: the next message has
//! the same counters, further on. Also absent: TLS; there is nothing in it that identifies a person, and a collector
//! stands on the same machine or in the city's own network.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use axum::body::Bytes;
use axum::http::{Request, StatusCode, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::city::Figures;
use crate::config::Collector;
use crate::metrics::otlp::Speaker;

/// Longest time for one message, the database's part of it included.
const WITHIN: Duration = Duration::from_secs(15);

/// The same when the gateway stops, which must not wait for a collector.
const AT_THE_END: Duration = Duration::from_secs(2);

/// See the module.
pub(crate) struct Telemetry {
    collector: Collector,
    every: Duration,
    figures: Figures,
    speaker: Speaker,
}

impl Telemetry {
    /// To this collector, every so often.
    pub(crate) fn new(collector: Collector, every: Duration, figures: Figures) -> Self {
        let instance = uuid::Uuid::new_v4().to_string();
        Self { collector, every, figures, speaker: Speaker { instance, began_ns: now_ns() } }
    }

    /// Runs until told to stop; sends once more then, so that the last minute is not missing.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut well = true;
        loop {
            // Told to stop while a message was under way, it goes round once more.
            let stopping = tokio::select! {
                () = tokio::time::sleep(self.every) => false,
                _ = stop.wait_for(|stop| *stop) => true,
            };
            let within = if stopping { AT_THE_END } else { WITHIN };
            let sent = timeout(within, self.send()).await.context("no answer in time").flatten();
            match (&sent, well) {
                (Err(error), true) => tracing::warn!(
                    collector = %self.collector.authority,
                    error = format!("{error:#}"),
                    "figures cannot be sent; this is tried again, and said once"
                ),
                (Ok(()), false) => tracing::info!("figures are sent again"),
                _ => {}
            }
            well = sent.is_ok();
            if stopping {
                return;
            }
        }
    }

    async fn send(&self) -> anyhow::Result<()> {
        let families = self.figures.gather().await?;
        let body = self.speaker.request(&families, now_ns()).encode_to_vec();
        let Collector { authority, path } = &self.collector;
        let stream = TcpStream::connect(authority).await.context("no connection")?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::post(path)
            .header(header::HOST, authority)
            .header(header::CONTENT_TYPE, "application/x-protobuf")
            .body(axum::body::Body::from(Bytes::from(body)))?;
        // The connection carries this one message and ends with it.
        let answer = async {
            let response = sender.send_request(request).await?;
            ensure!(response.status() == StatusCode::OK, "the collector answered {}", response.status());
            Ok(())
        };
        tokio::select! {
            answer = answer => answer,
            ended = connection => match ended {
                Ok(()) => bail!("the collector hung up"),
                Err(error) => Err(error.into()),
            },
        }
    }
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
