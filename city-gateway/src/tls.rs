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
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tower::Layer;

use crate::config::{CityTls, Limits};
use crate::enrol::{TerminalCertificate, TerminalVerifier};
use crate::keys::TlsKeys;

/// Time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The terminal at the other end of a connection.
pub(crate) struct Peer {
    /// Its certificate: code, key, and what the allow-list is asked by.
    pub(crate) certificate: TerminalCertificate,
    /// One of the connections there may be; given back when the last request on it is done.
    pub(crate) _place: OwnedSemaphorePermit,
}

/// The TLS settings: HTTP/2 offered first, a client certificate of the terminals' CA required, whatever its dates.
pub(crate) fn server_config(keys: TlsKeys) -> anyhow::Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(TerminalVerifier::new(keys.terminal_ca, Arc::clone(&provider))?);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(keys.chain, keys.key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A session is kept by its terminal, sealed, and not here: a table of sessions would be too small for the fleet that
    // comes back after an outage, or grow with it. The keys change every six hours and go with this process. Who resumes
    // is still judged by the allow-list for each request.
    config.ticketer = rustls::crypto::ring::Ticketer::new()?;
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

/// Takes connections by TLS without asking for a certificate: operators sign in, and who enrols has none yet.
pub(crate) fn open_acceptor(config: Arc<ServerConfig>) -> RustlsAcceptor<NoDelayAcceptor> {
    RustlsAcceptor::new(RustlsConfig::from_config(config))
        .handshake_timeout(HANDSHAKE)
        .acceptor(NoDelayAcceptor::new())
}

/// Closes connections beyond a number at once; the others go on as they were.
#[derive(Clone)]
pub(crate) struct Capped<A> {
    inner: A,
    places: Arc<Semaphore>,
}

impl<A> Capped<A> {
    pub(crate) fn new(inner: A, connections: usize) -> Self {
        Self { inner, places: Arc::new(Semaphore::new(connections.max(1))) }
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
                tracing::warn!("a connection was closed at once: too many are open here");
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
    handshakes: Arc<Semaphore>,
}

impl Peer {
    /// Code of the terminal.
    pub(crate) fn code(&self) -> &str {
        &self.certificate.code
    }
}

impl TerminalAcceptor {
    pub(crate) fn new(config: Arc<ServerConfig>, limits: &Limits) -> Self {
        let tls = RustlsAcceptor::new(RustlsConfig::from_config(config))
            .handshake_timeout(HANDSHAKE)
            .acceptor(NoDelayAcceptor::new());
        let room = |most: usize| Arc::new(Semaphore::new(most.max(1)));
        Self { tls, places: room(limits.connections), handshakes: room(limits.handshakes) }
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for TerminalAcceptor {
    type Stream = TlsStream<TcpStream>;
    type Service = AddExtension<S, Arc<Peer>>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let (tls, handshakes) = (self.tls.clone(), Arc::clone(&self.handshakes));
        Box::pin(async move {
            let Ok(place) = place else {
                tracing::warn!("a connection was closed at once: too many are open");
                return Err(io::Error::other("too many connections"));
            };
            // Who has said nothing yet takes nobody's turn.
            timeout(HANDSHAKE, stream.readable()).await??;
            let Ok(_turn) = handshakes.try_acquire_owned() else {
                tracing::debug!("a connection was closed at once: too many handshakes are under way");
                return Err(io::Error::other("too many handshakes"));
            };
            let (stream, service) = tls
                .accept(stream, service)
                .await
                .inspect_err(|error| tracing::info!(%error, "handshake refused"))?;
            let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let Some(certificate) = certificates.first().and_then(TerminalCertificate::read) else {
                tracing::warn!("a certificate of the terminals' CA names no terminal");
                return Err(io::Error::other("not a terminal's certificate"));
            };
            let peer = Arc::new(Peer { certificate, _place: place });
            Ok((stream, Extension(peer).layer(service)))
        })
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use rustls::crypto::CryptoProvider;

    use super::*;

    /// In a build of the whole project two providers are linked, because the terminals' catalog library brings another.
    #[test]
    fn both_listeners_name_their_provider_and_need_none_installed() {
        assert!(CryptoProvider::get_default().is_none(), "nothing in this process may have chosen one");
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let pair = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&pair).unwrap();
        std::fs::write(&cert, certificate.pem()).unwrap();
        std::fs::write(&key, pair.serialize_pem()).unwrap();
        let mut trusted = rustls::RootCertStore::empty();
        trusted.add(certificate.der().clone()).unwrap();
        let keys = TlsKeys {
            chain: vec![certificate.der().clone()],
            key: PrivateKeyDer::from_pem_file(&key).unwrap(),
            terminal_ca: Arc::new(trusted),
        };
        for config in [server_config(keys).unwrap(), city_config(&CityTls { cert, key }).unwrap()] {
            assert_eq!(format!("{:?}", config.crypto_provider().key_provider), "Ring");
        }
        assert!(CryptoProvider::get_default().is_none(), "and nothing chooses one by the way");
    }
}
