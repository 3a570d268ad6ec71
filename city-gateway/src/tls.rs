//! The door for terminals: TLS with a client certificate, and who stands behind it.
//!
//! Deliberately absent: trust in anything a terminal says about itself. Its code and its key come from the
//! certificate that the handshake verified.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::{Accept, NoDelayAcceptor};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use sync_protocol::TerminalPublicKey;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::server::TlsStream;
use tower::Layer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::config::CityTls;
use crate::keys::TlsKeys;

/// Start of the name in a terminal's certificate; its code follows.
const NAME: &str = "spiffe://city/terminal/";

/// Time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The terminal at the other end of a connection.
pub(crate) struct Peer {
    /// Its code.
    pub(crate) code: String,
    /// The key of its certificate, with which it signs manifests.
    pub(crate) key: TerminalPublicKey,
    /// One of the connections there may be; given back when the last request on it is done.
    _place: OwnedSemaphorePermit,
}

/// The TLS settings: HTTP/2 offered first, a client certificate of the terminals' CA required.
pub(crate) fn server_config(keys: TlsKeys) -> anyhow::Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(keys.terminal_ca, Arc::clone(&provider)).build()?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(keys.chain, keys.key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The TLS settings of the operators' pages: no client certificates, operators sign in.
pub(crate) fn city_config(files: &CityTls) -> anyhow::Result<Arc<ServerConfig>> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .with_context(|| format!("{}: not certificates in PEM", files.cert.display()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .with_context(|| format!("{}: not a private key in PEM", files.key.display()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Takes operators' connections by TLS.
pub(crate) fn city_acceptor(config: Arc<ServerConfig>) -> RustlsAcceptor {
    RustlsAcceptor::new(RustlsConfig::from_config(config)).handshake_timeout(HANDSHAKE)
}

/// Connections there may be to the operators' pages and the public one.
const CITY_CONNECTIONS: usize = 512;

/// Closes connections beyond a number at once; the others go on as they were.
#[derive(Clone)]
pub(crate) struct Capped<A> {
    inner: A,
    places: Arc<Semaphore>,
}

impl<A> Capped<A> {
    pub(crate) fn new(inner: A) -> Self {
        Self { inner, places: Arc::new(Semaphore::new(CITY_CONNECTIONS)) }
    }
}

impl<A, S> Accept<TcpStream, S> for Capped<A>
where
    A: Accept<TcpStream, S>,
    A::Future: Send + 'static,
{
    type Stream = A::Stream;
    type Service = AddExtension<A::Service, Arc<OwnedSemaphorePermit>>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let accepted = self.inner.accept(stream, service);
        Box::pin(async move {
            let Ok(place) = place else {
                tracing::warn!("a connection to the city's pages was closed at once: too many are open");
                return Err(io::Error::other("too many connections"));
            };
            let (stream, service) = accepted.await?;
            // Given back when the last request on the connection is done.
            Ok((stream, Extension(Arc::new(place)).layer(service)))
        })
    }
}

/// Takes connections and hands each request the [`Peer`] it came from.
#[derive(Clone)]
pub(crate) struct TerminalAcceptor {
    tls: RustlsAcceptor<NoDelayAcceptor>,
    places: Arc<Semaphore>,
}

impl Peer {
    /// Code of the terminal.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }
}

impl TerminalAcceptor {
    pub(crate) fn new(config: Arc<ServerConfig>, connections: usize) -> Self {
        let tls = RustlsAcceptor::new(RustlsConfig::from_config(config))
            .handshake_timeout(HANDSHAKE)
            .acceptor(NoDelayAcceptor::new());
        Self { tls, places: Arc::new(Semaphore::new(connections.max(1))) }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for TerminalAcceptor {
    type Stream = TlsStream<TcpStream>;
    type Service = AddExtension<S, Arc<Peer>>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let handshake = self.tls.accept(stream, service);
        Box::pin(async move {
            let Ok(place) = place else {
                tracing::warn!("a connection was closed at once: too many are open");
                return Err(io::Error::other("too many connections"));
            };
            let (stream, service) =
                handshake.await.inspect_err(|error| tracing::info!(%error, "handshake refused"))?;
            let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let Some((code, key)) = certificates.first().and_then(identify) else {
                tracing::warn!("a certificate of the terminals' CA names no terminal");
                return Err(io::Error::other("not a terminal's certificate"));
            };
            let peer = Arc::new(Peer { code, key, _place: place });
            Ok((stream, Extension(peer).layer(service)))
        })
    }
}

/// Code and key of a terminal's certificate; `None` when it is not one.
fn identify(certificate: &CertificateDer<'_>) -> Option<(String, TerminalPublicKey)> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    let mut codes = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => uri.strip_prefix(NAME),
        _ => None,
    });
    let code = codes.next().filter(|code| is_terminal_code(code))?;
    // A certificate for two terminals would let one speak for the other.
    if codes.next().is_some() {
        return None;
    }
    let key = TerminalPublicKey::from_spki_der(certificate.public_key().raw).ok()?;
    Some((code.to_owned(), key))
}

fn is_terminal_code(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
