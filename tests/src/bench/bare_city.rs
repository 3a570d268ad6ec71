//! The reference for delivery: the least a server and a client over the same mutual TLS and HTTP/2 can be.
//! Each request's body goes into one bare FULL insert before it is answered; nothing is checked or signed.

use anyhow::{Context, Result, ensure};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::put;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rusqlite::Connection;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::commits::{insert_one, open_bare};
use super::site::Site;

/// A bare server with a bare client connected to it.
pub struct BareCity {
    client: reqwest::Client,
    url: String,
    handle: Handle<SocketAddr>,
}

impl BareCity {
    /// Starts the server on a new database and opens the one connection.
    pub async fn start(site: &Site, database: &Path) -> Result<BareCity> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let url = format!("https://localhost:{}/v1/records/", listener.local_addr()?.port());
        let config = RustlsConfig::from_config(Arc::new(server_config(&site.gateway_keys())?));
        let acceptor = RustlsAcceptor::new(config).acceptor(NoDelayAcceptor::new());
        let store = Arc::new(Mutex::new(open_bare(database)?));
        let router = axum::Router::new().route("/v1/records/{id}", put(keep)).with_state(store);
        let handle = Handle::new();
        let server = axum_server::from_tcp(listener)?.acceptor(acceptor).handle(handle.clone());
        tokio::spawn(server.serve(router.into_make_service()));
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(client_config(&site.terminal_keys())?)
            .no_proxy()
            .build()?;
        let city = BareCity { client, url, handle };
        // Opens the connection, so that many requests at once do not open many.
        city.put(0, Bytes::from_static(b"{}")).await?;
        Ok(city)
    }

    /// Puts all bodies, so many at once, and gives how many a second that was.
    pub async fn deliver(&self, bodies: &Arc<Vec<Bytes>>, at_once: usize) -> Result<f64> {
        let next = Arc::new(AtomicUsize::new(0));
        let begun = Instant::now();
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let (city, bodies, next) = (self.another(), Arc::clone(bodies), Arc::clone(&next));
            senders.spawn(async move {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(body) = bodies.get(at) else { return anyhow::Ok(()) };
                    city.put(at, body.clone()).await?;
                }
            });
        }
        while let Some(sender) = senders.join_next().await {
            sender??;
        }
        Ok(bodies.len() as f64 / begun.elapsed().as_secs_f64())
    }

    fn another(&self) -> BareCity {
        BareCity { client: self.client.clone(), url: self.url.clone(), handle: self.handle.clone() }
    }

    async fn put(&self, at: usize, body: Bytes) -> Result<()> {
        let request = self.client.put(format!("{}{at}", self.url)).header("content-type", "application/json");
        let answer = request.body(body).send().await?.error_for_status()?;
        ensure!(answer.version() == reqwest::Version::HTTP_2, "the reference does not speak HTTP/2");
        answer.bytes().await?;
        Ok(())
    }

    /// Ends the server.
    pub fn stop(self) {
        self.handle.shutdown();
    }
}

async fn keep(State(store): State<Arc<Mutex<Connection>>>, body: Bytes) -> Result<&'static str, StatusCode> {
    let insert = move || {
        let store = store.lock().map_err(|_| anyhow::anyhow!("another insert failed"))?;
        insert_one(&store, &body)
    };
    let kept = tokio::task::spawn_blocking(insert).await;
    kept.ok().and_then(Result::ok).map(|()| "kept").ok_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn server_config(keys: &Path) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let terminals = Arc::new(authorities(&keys.join("terminal-ca.pem"))?);
    let verifier = WebPkiClientVerifier::builder_with_provider(terminals, Arc::clone(&provider)).build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            certificates(&keys.join("gateway.cert.pem"))?,
            PrivateKeyDer::from_pem_file(keys.join("gateway.key.pem"))?,
        )?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn client_config(keys: &Path) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(authorities(&keys.join("city-ca.pem"))?)
        .with_client_auth_cert(
            certificates(&keys.join("terminal.cert.pem"))?,
            PrivateKeyDer::from_pem_file(keys.join("terminal.key.pem"))?,
        )?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn authorities(file: &Path) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(file)? {
        store.add(certificate)?;
    }
    Ok(store)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>();
    read.with_context(|| format!("no certificates in {}", file.display()))
}
