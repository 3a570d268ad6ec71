//! The connection to the city, and everything it is made of: the authorities in force, the terminal's certificate and
//! key, the city's time. Made anew whenever one of these changes.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kiosk_store::DeliveryReader;
use reqwest::Client;
use sync_protocol::{CityReceiptPublicKey, HelloAnswer};

use crate::client::{Cause, Refused};
use crate::enrol::certificate::OwnCertificate;
use crate::enrol::files::{CERTIFICATE, RECEIPT_KEY};
use crate::enrol::{Anchors, CityTime, Signals};
use crate::{AgentError, Config, tls};

/// Who is taken for the city.
pub(crate) enum Trust<'a> {
    /// Whoever one of these authorities certified, judged by this time.
    City(&'a Anchors, &'a Arc<CityTime>),
    /// Anybody: for the one question whose answer proves itself.
    Anybody,
}

/// See the module.
pub(crate) struct Connection {
    pub(crate) config: Config,
    pub(crate) city: CityReceiptPublicKey,
    pub(crate) time: Arc<CityTime>,
    pub(crate) signals: Signals,
    present: RwLock<Present>,
}

/// What holds until something changes.
struct Present {
    http: Client,
    anchors: Anchors,
    certificate: OwnCertificate,
}

impl Connection {
    /// Reads the keys and prepares the connection; does not connect yet.
    pub(crate) fn open(config: &Config) -> Result<Self, AgentError> {
        let city = receipt_key(&config.keys)?;
        let time = Arc::new(CityTime::start(last_word_ms(&config.state)));
        let present = RwLock::new(Present::load(config, &city, &time)?);
        Ok(Self { config: config.clone(), city, time, signals: Signals::new(), present })
    }

    /// The client to ask with now.
    pub(crate) fn http(&self) -> Client {
        self.present.read().unwrap_or_else(PoisonError::into_inner).http.clone()
    }

    /// A client apart from the one everything else uses, made of what holds now.
    pub(crate) fn another_http(&self) -> Result<Client, AgentError> {
        let (anchors, certificate) = (self.anchors(), self.certificate());
        http_client(&self.config, Trust::City(&anchors, &self.time), Some(&certificate))
    }

    /// A request had no answer in time: the next one opens a new connection. One that swallows what is sent over it
    /// would swallow a hello too, until the kernel gives it up.
    pub(crate) fn doubt(&self) {
        match self.another_http() {
            Ok(http) => self.present.write().unwrap_or_else(PoisonError::into_inner).http = http,
            Err(error) => tracing::error!(%error, "no new connection can be made"),
        }
    }

    /// The authorities in force.
    pub(crate) fn anchors(&self) -> Anchors {
        self.present.read().unwrap_or_else(PoisonError::into_inner).anchors.clone()
    }

    /// The certificate in use.
    pub(crate) fn certificate(&self) -> OwnCertificate {
        self.present.read().unwrap_or_else(PoisonError::into_inner).certificate.clone()
    }

    /// Reads the files again and makes a new client: the next request opens a new connection.
    pub(crate) fn reload(&self) -> Result<(), AgentError> {
        let present = Present::load(&self.config, &self.city, &self.time)?;
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = present;
        Ok(())
    }

    /// Learns from how a hello ended.
    pub(crate) fn heard(&self, result: &Result<HelloAnswer, Refused>) {
        match result {
            Ok(answer) => {
                if self.time.learn(answer.server_time_ms) {
                    tracing::error!("the city's certificate is not valid today; the connection is given up");
                    // The files were good a moment ago; if not, the next hello says so.
                    let _ = self.reload();
                }
                self.signals.hello();
            }
            Err(refused) if refused.cause == Cause::Tls => self.signals.refused(),
            Err(_) => {}
        }
    }
}

impl Present {
    fn load(config: &Config, city: &CityReceiptPublicKey, time: &Arc<CityTime>) -> Result<Self, AgentError> {
        let anchors = Anchors::load(&config.keys, city)?;
        let certificate = OwnCertificate::load(&config.keys).ok_or(AgentError::Key(CERTIFICATE))?;
        let http = http_client(config, Trust::City(&anchors, time), Some(&certificate))?;
        Ok(Self { http, anchors, certificate })
    }
}

/// A client with or without the terminal's certificate.
pub(crate) fn http_client(
    config: &Config,
    trust: Trust<'_>,
    certificate: Option<&OwnCertificate>,
) -> Result<Client, AgentError> {
    Client::builder()
        .tls_backend_preconfigured(tls::client_config(&config.keys, trust, certificate)?)
        .https_only(true)
        // A redirect or a proxy from the environment could only lead away from the city.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_millis(config.sync.connect_timeout_ms))
        .timeout(Duration::from_millis(config.sync.request_timeout_ms))
        // A link that died silently is noticed before the next record waits for it.
        .http2_keep_alive_interval(Duration::from_secs(15))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .http2_keep_alive_while_idle(true)
        .user_agent(concat!("sync-agent/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|_| AgentError::Tls)
}

/// The key that signs receipts, hellos and the statement of the city's authorities.
pub(crate) fn receipt_key(keys: &Path) -> Result<CityReceiptPublicKey, AgentError> {
    let pem = std::fs::read_to_string(keys.join(RECEIPT_KEY)).map_err(|_| AgentError::Key(RECEIPT_KEY))?;
    CityReceiptPublicKey::from_pem(&pem).map_err(|_| AgentError::Key(RECEIPT_KEY))
}

/// The city's time at its last answer, from `delivery.db`: the terminal's clock then, and how far it was off.
fn last_word_ms(state: &Path) -> Option<i64> {
    let delivery = DeliveryReader::open(state).ok()??;
    let (wall_ms, ahead_ms) = (delivery.last_sync_ms().ok()??, delivery.city_ahead_ms().ok()??);
    wall_ms.checked_add(ahead_ms)
}
