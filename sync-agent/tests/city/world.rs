//! A terminal's folder with keys, the city it belongs to, and agents at work between them.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{KeyPair, SanType};
use sync_protocol::{CityReceiptKey, TerminalKey};

use super::authority::{Authority, server_tls};
use super::{City, TERMINAL};

/// A terminal's folder with keys, and the city it belongs to.
pub struct World {
    pub folder: tempfile::TempDir,
    pub city: City,
    pub key: TerminalKey,
    receipt_key: Arc<CityReceiptKey>,
    city_ca: Authority,
    terminal_ca: Authority,
    servers: Vec<axum_server::Handle<SocketAddr>>,
}

impl World {
    pub async fn new() -> Self {
        Self::called("localhost", false).await
    }

    /// With `foreign`, the city's certificate comes from an authority the terminal does not know.
    pub async fn with_authority(foreign: bool) -> Self {
        Self::called("localhost", foreign).await
    }

    /// The same with another name in the city's certificate.
    pub async fn called(name: &str, foreign: bool) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), name, foreign).await
    }

    /// The same with a city that listens here.
    pub async fn at(listener: TcpListener, name: &str, foreign: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let key = TerminalKey::generate();
        let receipt_key = Arc::new(CityReceiptKey::generate());
        let (city_ca, terminal_ca) = (Authority::new(), Authority::new());
        std::fs::write(keys.join("city-ca.pem"), &city_ca.pem).unwrap();
        std::fs::write(keys.join("city-receipt.pub.pem"), receipt_key.public().to_pem()).unwrap();
        std::fs::write(keys.join("terminal.key.pem"), key.to_pem().as_str()).unwrap();
        let terminal = SanType::URI(format!("spiffe://city/terminal/{TERMINAL}").try_into().unwrap());
        let certificate = terminal_ca.issue(&key.to_pem(), terminal);
        std::fs::write(keys.join("terminal.cert.pem"), certificate).unwrap();
        let issuer = if foreign { &Authority::new() } else { &city_ca };
        let (city, server) = serve(listener, name, issuer, &terminal_ca, &key, &receipt_key);
        Self { folder, city, key, receipt_key, city_ca, terminal_ca, servers: vec![server] }
    }

    /// Another server of the same city, with another name in its certificate.
    pub fn neighbour(&mut self, name: &str) -> City {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (city, server) =
            serve(listener, name, &self.city_ca, &self.terminal_ca, &self.key, &self.receipt_key);
        self.servers.push(server);
        city
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// `terminal.toml` with short waits, and `more` lines in its `[sync]` section.
    pub fn config_text(&self, more: &str) -> String {
        format!(
            "[terminal]\ncode = \"{TERMINAL}\"\n[paths]\nstate = \"state\"\nkeys = \"keys\"\n[city]\n\
             url = \"https://localhost:{}\"\n[sync]\nretry_base_ms = 20\nretry_cap_ms = 200\ntick_ms = 500\n\
             poll_ms = 50\nhello_every_ms = 1000\n{more}\n",
            self.city.address.port()
        )
    }

    pub fn config(&self, more: &str) -> sync_agent::Config {
        sync_agent::Config::parse(&self.config_text(more), self.folder.path()).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.servers.iter().for_each(axum_server::Handle::shutdown);
    }
}

fn serve(
    listener: TcpListener,
    name: &str,
    issuer: &Authority,
    terminal_ca: &Authority,
    key: &TerminalKey,
    receipt_key: &Arc<CityReceiptKey>,
) -> (City, axum_server::Handle<SocketAddr>) {
    let server_key = KeyPair::generate().unwrap().serialize_pem();
    let name = match name.parse() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) => SanType::DnsName(name.try_into().unwrap()),
    };
    let certificate = issuer.issue(&server_key, name);
    listener.set_nonblocking(true).unwrap();
    let city = City::new(key.public(), Arc::clone(receipt_key), listener.local_addr().unwrap());
    let handle = axum_server::Handle::new();
    let tls = server_tls(&certificate, &server_key, &terminal_ca.pem);
    let server = axum_server::from_tcp_rustls(listener, tls).unwrap().handle(handle.clone());
    tokio::spawn(server.serve(city.router().into_make_service()));
    (city, handle)
}

/// An agent at work in this test; stopped when dropped, or cleanly with [`Working::stop`].
pub struct Working {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Working {
    pub fn start(config: sync_agent::Config) -> Self {
        let agent = sync_agent::Agent::new(config).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(agent.run(async {
            let _ = stopped.await;
        }));
        Self { stop: Some(stop), task }
    }

    pub async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(Duration::from_secs(10), &mut self.task).await.expect("stops in time").unwrap();
    }
}
