//! How a database is reached: its address, the password, TLS.
//!
//! Deliberately absent: a way to send cases in the clear over a network. Without a certificate authority only
//! a Unix socket or a loopback address is accepted; with one, TLS is demanded and the server's name is
//! verified.

use std::future::Future;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Connect};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::{Client, Config, Connection, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::OpenError;

/// Time to reach the server.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// After so long without an answer of its machine, a connection is given up.
const SILENCE: Duration = Duration::from_secs(15);

/// Where the database is.
#[derive(Debug, Clone)]
pub struct Address {
    /// `host=… user=… dbname=…`, as libpq reads it; several hosts are tried in turn until one is the primary.
    pub words: String,
    /// File with the password, if one is needed.
    pub password_file: Option<PathBuf>,
    /// File with the certificate authority of the server; demanded unless the server is on this machine.
    pub ca: Option<PathBuf>,
}

/// Opens connections.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    /// Reads the files an address names, and refuses what would not be safe.
    pub(super) fn new(address: &Address) -> Result<Self, OpenError> {
        let refused = |why: &str| OpenError::Postgres(format!("store.address: {why}"));
        // The parser's error may quote the string, which may hold a password.
        let mut config: Config = address.words.parse().map_err(|_| refused("cannot be read"))?;
        if config.get_password().is_some() {
            return Err(refused(
                "no password here; store.password_file names a file that only the gateway can read",
            ));
        }
        if let Some(path) = &address.password_file {
            let text = read(path, "password file")?;
            config.password(text.trim_end_matches(['\r', '\n']));
        }
        // Reads too: a standby answers with yesterday's ranges.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite).connect_timeout(CONNECT);
        config.keepalives(true).keepalives_idle(SILENCE).tcp_user_timeout(SILENCE);
        config.application_name("city-gateway");
        let tls = match &address.ca {
            Some(path) => {
                config.ssl_mode(SslMode::Require);
                Some(MakeRustlsConnect::new(trusting(path)?))
            }
            None if on_this_machine(&config) => {
                config.ssl_mode(SslMode::Disable);
                None
            }
            None => return Err(refused("the server is on another machine, so store.ca must be given")),
        };
        Ok(Self { config, tls })
    }

    /// One connection of its own, beside any pool.
    pub(super) async fn open(&self) -> Result<ClientWrapper, Error> {
        let (client, task) = self.connect(&self.config).await?;
        Ok(ClientWrapper::new(client, task))
    }
}

impl Connect for Connector {
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            match &self.tls {
                Some(tls) => {
                    let (client, connection) = config.connect(tls.clone()).await?;
                    Ok((client, drive(connection)))
                }
                None => {
                    let (client, connection) = config.connect(NoTls).await?;
                    Ok((client, drive(connection)))
                }
            }
        })
    }
}

/// Moves a connection's bytes until it ends.
fn drive<S, T>(connection: Connection<S, T>) -> JoinHandle<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            let error = super::errors::describe(&error);
            tracing::warn!(%error, "a connection to the database ended");
        }
    })
}

fn on_this_machine(config: &Config) -> bool {
    let hosts = config.get_hosts();
    let near = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
    };
    // Where addresses are given beside names, they are what is connected to.
    let addresses = config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    !hosts.is_empty() && hosts.iter().all(near) && addresses
}

fn trusting(path: &Path) -> Result<ClientConfig, OpenError> {
    let text = read(path, "certificate authority of the database")?;
    let invalid = |why: String| OpenError::Postgres(format!("store.ca: {why}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
        roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(invalid("no certificate in the file".into()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| invalid(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn read(path: &Path, what: &'static str) -> Result<String, OpenError> {
    std::fs::read_to_string(path).map_err(|source| OpenError::Io { what, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector(words: &str) -> Result<Connector, OpenError> {
        Connector::new(&Address { words: words.into(), password_file: None, ca: None })
    }

    #[test]
    fn without_tls_only_this_machine() {
        for near in ["host=/run/postgresql user=g", "host=127.0.0.1 user=g", "host=::1 user=g"] {
            assert!(connector(near).is_ok(), "{near}");
        }
        for far in [
            "host=db.example user=g",
            "host=/run/postgresql,192.0.2.1 user=g",
            "user=g",
            "host=127.0.0.1 hostaddr=192.0.2.1 user=g",
        ] {
            assert!(matches!(connector(far), Err(OpenError::Postgres(_))), "{far}");
        }
    }

    #[test]
    fn a_password_in_the_configuration_is_refused_and_not_quoted() {
        for words in ["host=/run/postgresql user=g password=geheim", "host=/x password='geheim"] {
            let Err(error) = connector(words) else { panic!("accepted: {words}") };
            assert!(!format!("{error} {error:?}").contains("geheim"), "{error:?}");
        }
    }
}
