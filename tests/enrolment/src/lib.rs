//! A true gateway and a true sync agent, with the authorities and folders of both, for tests of everything that
//! happens to certificates between them: enrolment, renewal, revocation, rotation, wrong clocks; what a person carries
//! between them; and disks that change machines.
//!
//! Deliberately absent: the kiosk's screen and devices. What matters here happens without them, and a test that does
//! not build them is run more often.

mod authority;
mod machine;
mod terminal;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, Instant};

pub use authority::{Authority, Days};
use city_gateway::desk::Retention;
use city_gateway::operator::{self, Ask, CourierProgress, Told};
use city_gateway::relay::RelayConfig;
use city_gateway::store::{InboxRow, Page, Status};
use city_gateway::{
    BlobPlace, CityPages, Config, Documents, Enrolment, Gateway, Limits, Listen, Paths, Store, Telemetry,
};
pub use machine::Machine;
use sync_protocol::{CityReceiptKey, SealKeyPair};
pub use terminal::{Program, Terminal};

/// Code of the terminal.
pub const TERMINAL: &str = "DG0001";

/// Where the gateway listens: chosen by the system at its first start, kept over restarts.
#[derive(Clone, Copy, Debug)]
struct Addresses {
    terminals: SocketAddr,
    enrolment: SocketAddr,
}

/// A city with its authorities and keys.
pub struct City {
    folder: tempfile::TempDir,
    /// Certifies the city's servers.
    pub servers: Authority,
    /// Certifies terminals.
    pub terminals: Authority,
    receipt: CityReceiptKey,
    gateway: Option<Gateway>,
    addresses: Option<Addresses>,
}

impl City {
    /// Makes the keys and starts the gateway, which trusts its list only.
    pub async fn start() -> Self {
        Self::start_with(Enrolment::default()).await
    }

    /// The same with other settings.
    pub async fn start_with(enrolment: Enrolment) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| rustls::crypto::ring::default_provider().install_default().expect("the first"));
        let (servers, terminals) = (Authority::new(), Authority::new());
        let folder = tempfile::tempdir().expect("a folder");
        let mut city = Self {
            folder,
            servers,
            terminals,
            receipt: CityReceiptKey::generate(),
            gateway: None,
            addresses: None,
        };
        std::fs::create_dir_all(city.path("keys")).expect("keys");
        std::fs::create_dir_all(city.path("catalog/items")).expect("catalog");
        city.write_key("terminal-ca.pem", &city.terminals.pem);
        city.write_key("terminal-ca.key.pem", &city.terminals.key_pem);
        city.write_key("city-seal.key", &SealKeyPair::generate().identity);
        city.write_key("city-receipt.key.pem", &city.receipt.to_pem());
        city.certify_server(Days { from: -1, until: 365 });
        city.write_key("city-ca.pem", &city.servers.pem);
        city.restart_with(enrolment).await;
        city
    }

    /// A file below the city's folder.
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Writes one of the gateway's keys; it is read at the next start.
    pub fn write_key(&self, name: &str, text: &str) {
        std::fs::write(self.path("keys").join(name), text).expect("a key is written");
    }

    /// Gives the gateway a new certificate of the present authority.
    pub fn certify_server(&self, days: Days) {
        let (certificate, key) = self.servers.server(days);
        self.write_key("gateway.cert.pem", &certificate);
        self.write_key("gateway.key.pem", &key);
    }

    /// Changes the city's authority: from the next start the gateway's certificate is of the new one, and the city
    /// says that only the new one counts.
    pub fn change_authority(&mut self) {
        self.servers = Authority::new();
        self.certify_server(Days { from: -1, until: 365 });
        self.write_key("city-ca.pem", &self.servers.pem);
    }

    /// Signs receipts and statements with another key from the next start on: an impostor, as a terminal sees it.
    pub fn forget_receipt_key(&mut self) {
        self.receipt = CityReceiptKey::generate();
        self.write_key("city-receipt.key.pem", &self.receipt.to_pem());
    }

    /// Stops the gateway.
    pub async fn stop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await.expect("the gateway stops");
        }
    }

    /// Stops the gateway and starts it at the same addresses.
    pub async fn restart(&mut self) {
        self.restart_with(Enrolment::default()).await;
    }

    /// The same with other settings.
    pub async fn restart_with(&mut self, enrolment: Enrolment) {
        self.stop().await;
        let anywhere: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let config = Config {
            listen: Listen {
                terminals: self.addresses.map_or(anywhere, |at| at.terminals),
                enrolment: Some(self.addresses.map_or(anywhere, |at| at.enrolment)),
                city: anywhere,
            },
            paths: Paths {
                state: self.path("state"),
                keys: self.path("keys"),
                catalog: self.path("catalog"),
                catalog_repository: None,
            },
            enrolment,
            limits: Limits::default(),
            store: Store::default(),
            blobs: BlobPlace::default(),
            city: CityPages::default(),
            retention: Retention::default(),
            telemetry: Telemetry::default(),
            relay: RelayConfig::default(),
            documents: Documents::default(),
            registers: std::collections::HashMap::new(),
        };
        let gateway = Gateway::start(&config).await.expect("the gateway starts");
        let enrolment = gateway.enrolment().expect("there is a door for enrolment");
        self.addresses = Some(Addresses { terminals: gateway.terminals(), enrolment });
        self.gateway = Some(gateway);
    }

    /// The running gateway.
    pub fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().expect("the gateway runs")
    }

    /// A voucher for the terminal, through the operators' door.
    pub async fn voucher(&self) -> String {
        let ask = Ask::IssueVoucher { terminal: TERMINAL.into(), valid_hours: 1 };
        match operator::ask(&self.path("state"), &ask).await.expect("an answer") {
            Told::Voucher { voucher, .. } => voucher,
            other => panic!("{other:?}"),
        }
    }

    /// Takes in a courier folder, through the operators' door.
    pub async fn take_courier(&self, folder: &Path) -> CourierProgress {
        let state = self.path("state");
        let mut told = operator::ask(&state, &Ask::TakeCourier { folder: folder.into() }).await;
        loop {
            match told.expect("an answer") {
                Told::Courier(progress) if progress.ended => return progress,
                Told::Courier(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                other => panic!("{other:?}"),
            }
            told = operator::ask(&state, &Ask::Courier).await;
        }
    }

    /// Revokes the terminal.
    pub async fn revoke(&self) {
        let ask = Ask::Revoke { terminal: TERMINAL.into() };
        let told = operator::ask(&self.path("state"), &ask).await.expect("an answer");
        assert!(matches!(told, Told::Lines(_)), "{told:?}");
    }

    /// What happened to the terminal's place on the list.
    pub async fn events(&self) -> Vec<String> {
        let events = self.gateway().registry().events(0, 1000).await.expect("events");
        events.into_iter().map(|event| event.event).collect()
    }

    /// Positions that arrived: believed, and kept aside.
    pub async fn arrived(&self) -> (Vec<u64>, Vec<u64>) {
        let rows = self.gateway().store().page(Page::After(0), 10_000).await.expect("the inbox");
        let aside = |row: &InboxRow| matches!(row.status, Status::Quarantined(_));
        let (aside, believed): (Vec<_>, Vec<_>) = rows.into_iter().partition(aside);
        let positions = |rows: Vec<InboxRow>| {
            let mut positions: Vec<_> = rows.into_iter().map(|row| row.place.seq).collect();
            positions.sort_unstable();
            positions
        };
        (positions(believed), positions(aside))
    }

    /// What a terminal of this city is made with: authority, receipt key, seal, addresses. No certificate yet.
    pub fn terminal(&self) -> Terminal {
        let at = self.addresses.expect("the gateway has run");
        let url = |address: SocketAddr| format!("https://localhost:{}", address.port());
        Terminal::new(
            &self.servers.pem,
            &self.receipt.public().to_pem(),
            &url(at.terminals),
            &url(at.enrolment),
        )
    }
}

/// Waits until something holds; fails after a generous deadline, naming what was awaited.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A file's text, or nothing.
pub fn text(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}
