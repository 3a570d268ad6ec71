//! The network switch between a real TLS client and a small TLS server: every mode does to the client what it is
//! named after, and nothing it should not do to the server.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use simulator::authority;
use simulator::network::{NetworkMode, NetworkSwitch};
use simulator::ports::loopback;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The city's end: counts whole requests, answers each with 200.
struct City {
    served: Arc<AtomicUsize>,
    switch: NetworkSwitch,
    roots: Vec<u8>,
}

impl City {
    async fn start() -> Result<Self> {
        let made = authority::make("DG0001")?;
        let file = |name: &str| {
            let found = made.gateway.iter().chain(&made.terminal).find(|(known, _)| *known == name);
            found.expect("the demo makes this file").1.clone()
        };
        let chain = vec![CertificateDer::from_pem_slice(file("gateway.cert.pem").as_bytes())?];
        let key = PrivateKeyDer::from_pem_slice(file("gateway.key.pem").as_bytes())?;
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(loopback(0)).await?;
        let gateway = listener.local_addr()?;
        let served = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&served);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, counter) = (acceptor.clone(), Arc::clone(&counter));
                tokio::spawn(async move { serve(stream, acceptor, counter).await });
            }
        });
        let switch = NetworkSwitch::start(TcpListener::bind(loopback(0)).await?, gateway, &made.network)?;
        Ok(Self { served, switch, roots: file("city-ca.pem").into_bytes() })
    }

    fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/v1/hello", self.switch.address().port())
    }

    /// A client that trusts the city's authority only, as the sync agent does.
    fn client(&self) -> Result<reqwest::Client> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(reqwest::Client::builder()
            .no_proxy()
            .https_only(true)
            .tls_certs_only([reqwest::Certificate::from_pem(&self.roots)?])
            .timeout(Duration::from_secs(10))
            .build()?)
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, counter: Arc<AtomicUsize>) -> Result<(), Error> {
    let mut stream = acceptor.accept(stream).await?;
    let mut seen = Vec::new();
    loop {
        if stream.read_buf(&mut seen).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if seen.ends_with(b"\r\n\r\n") {
            seen.clear();
            counter.fetch_add(1, Ordering::SeqCst);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ncity").await?;
        }
    }
}

#[tokio::test]
async fn on_passes_and_off_refuses_at_once() -> Result<()> {
    let city = City::start().await?;
    let client = city.client()?;
    assert_eq!(client.get(city.url()).send().await?.text().await?, "city");
    city.switch.set(NetworkMode::Off).await;
    let before = Instant::now();
    assert!(client.get(city.url()).send().await.is_err(), "also the pooled connection is cut");
    assert!(before.elapsed() < Duration::from_secs(2));
    assert_eq!(city.served(), 1);
    city.switch.set(NetworkMode::On).await;
    assert_eq!(city.client()?.get(city.url()).send().await?.text().await?, "city");
    assert_eq!(city.served(), 2);
    Ok(())
}

#[tokio::test]
async fn a_portal_answers_html_in_place_of_the_city_and_is_gone_afterwards() -> Result<()> {
    let city = City::start().await?;
    let client = city.client()?;
    city.switch.set(NetworkMode::CaptivePortal).await;
    for _ in 0..2 {
        let answer = client.get(city.url()).send().await?;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        assert!(answer.text().await?.contains("请先登录"));
    }
    city.switch.set(NetworkMode::Error500).await;
    assert_eq!(city.switch.open_connections(), 0, "the portal's connection is cut");
    assert_eq!(city.client()?.put(city.url()).body("x").send().await?.status(), 500);
    assert_eq!(city.served(), 0);
    city.switch.set(NetworkMode::On).await;
    assert_eq!(city.client()?.get(city.url()).send().await?.text().await?, "city");
    Ok(())
}

#[tokio::test]
async fn a_stranger_is_not_believed() -> Result<()> {
    let city = City::start().await?;
    city.switch.set(NetworkMode::WrongCertificate).await;
    let error = city.client()?.get(city.url()).send().await.unwrap_err();
    let mut reasons = format!("{error}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reasons = format!("{reasons}: {cause}");
        source = cause.source();
    }
    assert!(reasons.contains("certificate"), "{reasons}");
    assert_eq!(city.served(), 0);
    Ok(())
}

#[tokio::test]
async fn lost_replies_are_lost_on_open_and_on_new_connections_after_the_city_has_acted() -> Result<()> {
    let city = City::start().await?;
    let client = city.client()?;
    client.get(city.url()).send().await?.text().await?;
    let connections = city.switch.accepted_connections();
    city.switch.set(NetworkMode::LoseReplies).await;

    let before = Instant::now();
    assert!(client.get(city.url()).send().await.is_err());
    assert_eq!(city.switch.accepted_connections(), connections, "the open connection was used");
    assert_eq!(city.served(), 2, "the city has acted on it");
    let waited = before.elapsed();
    assert!(waited > Duration::from_secs(2) && waited < Duration::from_secs(6), "{waited:?}");

    assert!(city.client()?.get(city.url()).send().await.is_err());
    assert_eq!(city.switch.accepted_connections(), connections + 1);
    assert_eq!(city.served(), 3, "a handshake on a new connection passes, and so does its request");

    city.switch.set(NetworkMode::On).await;
    assert_eq!(city.client()?.get(city.url()).send().await?.text().await?, "city");
    Ok(())
}

#[tokio::test]
async fn slow_is_slow_and_still_right() -> Result<()> {
    let city = City::start().await?;
    city.switch.set(NetworkMode::Slow).await;
    let before = Instant::now();
    assert_eq!(city.client()?.get(city.url()).send().await?.text().await?, "city");
    // Two round trips at 400 ms each way.
    assert!(before.elapsed() > Duration::from_millis(1500), "{:?}", before.elapsed());
    Ok(())
}

#[tokio::test]
async fn connections_are_counted_and_released() -> Result<()> {
    let city = City::start().await?;
    let stream = TcpStream::connect(city.switch.address()).await?;
    until(|| city.switch.open_connections() == 1).await;
    drop(stream);
    until(|| city.switch.open_connections() == 0).await;
    Ok(())
}

async fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
