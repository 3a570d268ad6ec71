//! Servers that stand where the city should: a captive portal, a broken proxy, a stranger with its own
//! certificate. They speak real TLS and HTTP/1.1 or HTTP/2, as the real ones do.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::NetworkMode;

const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// Where the impostors find their certificates (PEM).
#[derive(Debug, Clone)]
pub struct ImpostorIdentities {
    /// Chain and key for the portal and the proxy, signed by the authority that terminals trust.
    pub trusted: (String, String),
    /// Chain and key signed by an authority nobody trusts.
    pub stranger: (String, String),
}

/// One impostor: hand it connections, it answers them.
#[derive(Clone)]
pub struct Impostor {
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<TlsStream<DuplexStream>>,
}

impl Impostor {
    /// Starts the impostor that stands in during `mode`.
    pub fn start(mode: NetworkMode, identities: &ImpostorIdentities) -> anyhow::Result<Self> {
        let (chain, key) =
            if mode == NetworkMode::WrongCertificate { &identities.stranger } else { &identities.trusted };
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let (ready, connections) = mpsc::channel(16);
        let answer = move || async move { answer(mode) };
        let service = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(Accepted(connections), service).await });
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), ready })
    }

    /// Answers one connection, beside the caller; it ends when the other end of `stream` is dropped.
    pub fn take(&self, stream: DuplexStream) {
        let impostor = self.clone();
        tokio::spawn(async move {
            let handshake = timeout(HANDSHAKE_PATIENCE, impostor.acceptor.accept(stream));
            if let Ok(Ok(stream)) = handshake.await {
                let _ = impostor.ready.send(stream).await;
            }
        });
    }
}

fn answer(mode: NetworkMode) -> Response {
    if mode == NetworkMode::Error500 {
        return (StatusCode::INTERNAL_SERVER_ERROR, "upstream failed\n").into_response();
    }
    let page = "<!doctype html><meta charset=utf-8><title>欢迎使用无线网络</title>\
                <h1>请先登录</h1><p>Please sign in to use this network.</p>";
    ([(header::CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

/// Connections whose handshake is done, as a listener.
struct Accepted(mpsc::Receiver<TlsStream<DuplexStream>>);

impl Listener for Accepted {
    type Io = TlsStream<DuplexStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.0.recv().await {
            Some(stream) => (stream, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            // The switch is gone; nothing will ever arrive again.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }
}
