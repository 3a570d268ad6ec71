//! What a terminal speaks to the city with: TCP from one of several loopback addresses, TLS with its certificate and,
//! after the first time, a resumed session, HTTP/2. The same library for each layer as in the sync agent, without the
//! pool that would cost each of 100,000 terminals a client of its own.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, HandshakeKind, NamedGroup, RootCertStore};
use sync_agent::client::{Cause, Refused};
use tokio::net::TcpSocket;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::keys::Identity;

/// Loopback addresses that terminals come from: each has some 28,000 ports.
const SOURCES: usize = 32;

/// Largest answer.
const ANSWER: usize = 64 * 1024;

/// The way to one gateway.
pub struct Wire {
    gateway: SocketAddr,
    base: ClientConfig,
    connect_within: Duration,
    answer_within: Duration,
    /// Handshakes with certificates, and resumed ones.
    handshakes: [AtomicU64; 2],
}

/// TLS of one terminal: its certificate, and the ticket of its last session.
pub type Tls = Arc<ClientConfig>;

/// A connection.
pub struct Line {
    sender: SendRequest<Full<Bytes>>,
}

impl Wire {
    /// To this gateway, which these authorities certified; with the sync agent's own patience.
    pub fn new(gateway: SocketAddr, authorities: RootCertStore) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut base = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities)
            .with_no_client_auth();
        base.alpn_protocols = vec![b"h2".to_vec()];
        let patience = sync_agent::config::SyncConfig::default();
        Ok(Self {
            gateway,
            base,
            connect_within: Duration::from_millis(patience.connect_timeout_ms),
            answer_within: Duration::from_millis(patience.request_timeout_ms),
            handshakes: Default::default(),
        })
    }

    /// TLS for a terminal.
    pub fn tls(&self, identity: &Identity) -> Tls {
        let mut config = self.base.clone();
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(Arc::clone(&identity.certified)));
        config.resumption = Resumption::store(Arc::new(Pocket::default()));
        Arc::new(config)
    }

    /// Handshakes so far: with certificates, and resumed.
    pub fn handshakes(&self) -> [u64; 2] {
        [0, 1].map(|kind: usize| self.handshakes[kind].load(Ordering::Relaxed))
    }

    /// Connects the terminal with this number.
    pub async fn connect(&self, number: usize, tls: &Tls) -> Result<Line, Refused> {
        timeout(self.connect_within, self.open(number, tls)).await.map_err(|_| Cause::Timeout)?
    }

    async fn open(&self, number: usize, tls: &Tls) -> Result<Line, Refused> {
        let connect = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::new(source(number), 0))?;
            let stream = socket.connect(self.gateway).await?;
            stream.set_nodelay(true)?;
            std::io::Result::Ok(stream)
        };
        let stream = connect.await.map_err(|_| Cause::Connect)?;
        let name = ServerName::try_from("localhost").map_err(|_| Cause::Tls)?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
        let stream = stream.map_err(|_| Cause::Tls)?;
        let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        self.handshakes[usize::from(resumed)].fetch_add(1, Ordering::Relaxed);
        let (sender, driver) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(|_| Refused::from(Cause::Broken))?;
        // Ends with the last sender; what goes wrong on it, the requests are told.
        tokio::spawn(driver);
        Ok(Line { sender })
    }

    /// Asks on this connection and reads the answer to a 200; everything else is what the sync agent makes of it.
    pub async fn ask(&self, line: &Line, method: Method, path: &str, body: Bytes) -> Result<Bytes, Refused> {
        timeout(self.answer_within, line.ask(method, path, body)).await.map_err(|_| Cause::Timeout)?
    }
}

impl Line {
    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, Refused> {
        let request = Request::builder()
            .method(method)
            .uri(format!("https://localhost{path}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|_| Cause::Broken)?;
        let mut sender = self.sender.clone();
        sender.ready().await.map_err(|_| Cause::Broken)?;
        let response = sender.send_request(request).await.map_err(|_| Cause::Broken)?;
        let status = response.status();
        if status != StatusCode::OK {
            let seconds =
                response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            let retry_after_ms = seconds.map(|seconds: u64| seconds.saturating_mul(1000));
            return Err(Refused { cause: Cause::Status(status.as_u16()), retry_after_ms });
        }
        let read = Limited::new(response.into_body(), ANSWER).collect().await;
        Ok(read.map_err(|_| Cause::Broken)?.to_bytes())
    }

    /// Whether the other end has hung up.
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

fn source(number: usize) -> IpAddr {
    let last = u8::try_from(number % SOURCES).unwrap_or(0);
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2 + last))
}

/// Room for the one ticket that a terminal comes back with.
#[derive(Default)]
struct Pocket(Mutex<Option<Tls13ClientSessionValue>>);

impl fmt::Debug for Pocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pocket")
    }
}

impl ClientSessionStore for Pocket {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
