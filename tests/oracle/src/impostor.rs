//! Whoever answers in the city's place: captive portals and proxies, without TLS, behind a stranger's certificate, or
//! behind one that the terminal trusts.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::authority::Authority;
use crate::weather::Portal;

/// Longest wait for the other side.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest head of a request that is read.
const HEAD: usize = 64 * 1024;

const PAGE: &str = "<!doctype html><meta charset=utf-8><title>欢迎使用无线网络</title><h1>请先登录</h1>";

const JSON: &str =
    r#"{"hello":"e30.e30.e30","receipt":"e30.e30.e30","status":"ok","received":[[1,1000000]]}"#;

/// Answers in the city's place.
#[derive(Clone)]
pub struct Impostor {
    stranger: TlsAcceptor,
    trusted: TlsAcceptor,
}

impl Impostor {
    /// One with a certificate of the city's authority and one of its own.
    pub fn new(city: &Authority) -> Result<Self> {
        let stranger = Authority::new("a stranger")?;
        Ok(Self { stranger: acceptor(stranger.server()?)?, trusted: acceptor(city.server()?)? })
    }

    /// Answers one connection until it ends.
    pub async fn answer(&self, client: TcpStream, portal: Portal) {
        let served = async {
            match portal {
                Portal::PlainRedirect | Portal::PlainPage => plain(client, portal).await,
                Portal::Stranger => serve(self.stranger.accept(client).await?, portal).await,
                Portal::TrustedPage | Portal::TrustedRedirect | Portal::TrustedJson => {
                    serve(self.trusted.accept(client).await?, portal).await
                }
            }
        };
        // Whatever the terminal thinks of it, and when: it is free to hang up.
        let _ = timeout(PATIENCE, served).await;
    }
}

fn acceptor((chain, key): (String, String)) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// To somebody who speaks TLS.
async fn plain(mut client: TcpStream, portal: Portal) -> std::io::Result<()> {
    let mut greeting = [0; 4096];
    let _ = client.read(&mut greeting).await?;
    client.write_all(reply(portal).as_bytes()).await?;
    client.shutdown().await
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, portal: Portal) -> std::io::Result<()> {
    while read_request(&mut stream).await? {
        stream.write_all(reply(portal).as_bytes()).await?;
        stream.flush().await?;
    }
    Ok(())
}

fn reply(portal: Portal) -> String {
    let (status, kind, body) = match portal {
        Portal::PlainRedirect | Portal::TrustedRedirect => {
            ("302 Found\r\nlocation: http://portal.invalid/", "text/html; charset=utf-8", "")
        }
        Portal::TrustedJson => ("200 OK", "application/json", JSON),
        Portal::PlainPage | Portal::Stranger | Portal::TrustedPage => {
            ("200 OK", "text/html; charset=utf-8", PAGE)
        }
    };
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Reads a request with its body; `false` at the end.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<bool> {
    let (mut seen, mut chunk) = (Vec::new(), [0; 8192]);
    let (head, mut left) = loop {
        if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&seen[..end]).to_lowercase();
            let announced =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            break (end + 4, announced.unwrap_or(0_usize));
        }
        let read = stream.read(&mut chunk).await?;
        if read == 0 || seen.len() > HEAD {
            return Ok(false);
        }
        seen.extend_from_slice(&chunk[..read]);
    };
    left = left.saturating_sub(seen.len() - head);
    while left > 0 {
        match stream.read(&mut chunk).await? {
            0 => return Ok(false),
            read => left = left.saturating_sub(read),
        }
    }
    Ok(true)
}
