//! The one place that touches the network: says hello, puts a record, sends the pieces of blobs, relays questions, and
//! lets nothing change what counts as delivered but an answer that the city signed and that fits the question.

mod blobs;
mod catalog;
mod query;

use std::error::Error as _;
use std::sync::Arc;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use sync_protocol::{
    CityReceiptPublicKey, HelloAnswer, HelloReply, HelloRequest, Receipt, ReceiptReply, SealedRecord, limits,
};

pub use catalog::CatalogClient;

use crate::connection::Connection;
use crate::enrol::Keeper;
use crate::plan::Failure;
use crate::surroundings::Surroundings;
use crate::{AgentError, Config};

/// What an answer was, when it was not what was hoped for. Carries nothing that came over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No connection.
    Connect,
    /// No answer in time.
    Timeout,
    /// The other end is not the city, or does not take this terminal's certificate.
    Tls,
    /// The connection broke, or did not speak HTTP.
    Broken,
    /// Another status than 200.
    Status(u16),
    /// A 200 that is not the JSON of this protocol: a portal's page.
    NotJson,
    /// Longer than any answer of this protocol.
    TooLarge,
    /// Not signed by the city.
    NotVerified,
    /// Signed by the city, about something else.
    Other,
    /// Not the answer of a server that takes blobs: a portal's page, or a proxy that drops headers.
    NotTus,
    /// What lies on this terminal's own disk is not what it should be.
    OwnDisk,
}

impl Cause {
    /// A short code for logs and for `delivery.db`.
    pub fn code(self) -> String {
        match self {
            Self::Connect => "connect".into(),
            Self::Timeout => "timeout".into(),
            Self::Tls => "tls".into(),
            Self::Broken => "broken".into(),
            Self::Status(status) => format!("status-{status}"),
            Self::NotJson => "not-json".into(),
            Self::TooLarge => "too-large".into(),
            Self::NotVerified => "not-verified".into(),
            Self::Other => "other".into(),
            Self::NotTus => "not-tus".into(),
            Self::OwnDisk => "own-disk".into(),
        }
    }
}

/// A try that brought no believable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was wrong.
    pub cause: Cause,
    /// What the answer asked to wait.
    pub retry_after_ms: Option<u64>,
}

impl Refused {
    /// What this means for a record.
    pub fn failure(&self) -> Failure {
        match self.cause {
            Cause::Connect | Cause::Timeout | Cause::Tls | Cause::Broken => Failure::Link,
            Cause::Status(408 | 425 | 429 | 500..=599) => {
                Failure::Transient { retry_after_ms: self.retry_after_ms }
            }
            // Not the city's fault and not the link's: the record waits for itself, and the kiosk closes it.
            Cause::OwnDisk => Failure::Transient { retry_after_ms: None },
            Cause::Status(_)
            | Cause::NotJson
            | Cause::TooLarge
            | Cause::NotVerified
            | Cause::NotTus
            | Cause::Other => Failure::Unbelievable,
        }
    }
}

impl From<Cause> for Refused {
    fn from(cause: Cause) -> Self {
        Self { cause, retry_after_ms: None }
    }
}

/// A receipt that was verified and fits the record it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoodReceipt {
    /// As it came.
    pub jws: String,
    /// What it says.
    pub receipt: Receipt,
}

/// What a record is called, to check its receipt against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordName {
    /// Incarnation of the queue.
    pub incarnation: String,
    /// Position in it.
    pub seq: u64,
    /// UUID of the record.
    pub case_id: String,
    /// SHA-256 (hex) of the sealed content; `None` when what lies here is damaged, so that the city's word on the place and
    /// the id is all there is.
    pub sha256: Option<String>,
}

/// What requests are made with.
#[derive(Clone)]
enum Way {
    /// A connection that keeps its certificate and authorities fresh.
    Kept(Arc<Connection>),
    /// Whatever the caller brought.
    Given(Client),
}

/// A connection to the gateway.
#[derive(Clone)]
pub struct CityClient {
    around: Arc<dyn Surroundings>,
    way: Way,
    url: String,
    terminal: String,
    city: CityReceiptPublicKey,
}

impl CityClient {
    /// Reads the keys and prepares the connection; does not connect yet.
    pub fn new(config: &Config, around: Arc<dyn Surroundings>) -> Result<Self, AgentError> {
        let connection = Arc::new(Connection::open(config)?);
        let city = connection.city.clone();
        Ok(Self::by(Way::Kept(connection), around, config, city))
    }

    /// Over any connection: whatever it is, only what the city signed is believed.
    pub fn over(
        around: Arc<dyn Surroundings>,
        http: Client,
        config: &Config,
        city: CityReceiptPublicKey,
    ) -> Self {
        Self::by(Way::Given(http), around, config, city)
    }

    fn by(way: Way, around: Arc<dyn Surroundings>, config: &Config, city: CityReceiptPublicKey) -> Self {
        Self { around, way, url: config.url.clone(), terminal: config.terminal.clone(), city }
    }

    /// Starts the task that keeps certificate and authorities fresh, where they are ours to keep.
    pub(crate) fn keep_certificate(&self) -> Option<Keeper> {
        match &self.way {
            Way::Kept(connection) => Some(Keeper::start(Arc::clone(connection))),
            Way::Given(_) => None,
        }
    }

    /// Goes on over a new connection, because a request had no answer in time.
    pub(crate) fn doubt_connection(&self) {
        if let Way::Kept(connection) = &self.way {
            connection.doubt();
        }
    }

    /// The client to ask with now.
    fn http(&self) -> Client {
        match &self.way {
            Way::Kept(connection) => connection.http(),
            Way::Given(http) => http.clone(),
        }
    }

    /// Says hello and returns the city's verified answer.
    pub async fn hello(&self, request: &HelloRequest) -> Result<HelloAnswer, Refused> {
        let call = self.http().post(format!("{}/v1/hello", self.url)).json(request);
        let body = self.answer(call, limits::MAX_HELLO + 1024).await;
        let result = body.and_then(|body| self.believe_hello(&body, request));
        if let Way::Kept(connection) = &self.way {
            connection.heard(&result);
        }
        result
    }

    /// Puts a record and returns its verified receipt.
    pub async fn put(&self, name: &RecordName, record: &SealedRecord) -> Result<GoodReceipt, Refused> {
        let call = self
            .http()
            .put(format!("{}/v1/records/{}", self.url, name.case_id))
            .header(CONTENT_TYPE, "application/json")
            .body(record.to_json());
        let body = self.answer(call, limits::MAX_RECEIPT + 1024).await?;
        self.believe_receipt(&body, name)
    }

    /// Asks for the receipt of a record that the city holds, without sending the record again.
    pub async fn receipt(&self, name: &RecordName) -> Result<GoodReceipt, Refused> {
        let call = self.http().get(format!("{}/v1/records/{}/receipt", self.url, name.case_id));
        let body = self.answer(call, limits::MAX_RECEIPT + 1024).await?;
        self.believe_receipt(&body, name)
    }

    /// Sends a request and reads its answer, never more than `limit` bytes of it.
    async fn answer(&self, call: RequestBuilder, limit: usize) -> Result<Vec<u8>, Refused> {
        let response = self.around.send(call).await?;
        read(response, limit, is_believable).await
    }

    fn believe_hello(&self, body: &[u8], request: &HelloRequest) -> Result<HelloAnswer, Refused> {
        fail::fail_point!("agent::believe-unsigned", |_| Ok(credulous_hello(request)));
        let reply: HelloReply = serde_json::from_slice(body).map_err(|_| Cause::NotJson)?;
        let answer = HelloAnswer::verify(&reply.hello, &self.city).map_err(|_| Cause::NotVerified)?;
        // The nonce keeps an answer that somebody kept from setting the clock or hiding what the city lost.
        let fits = answer.terminal == request.terminal && answer.nonce == request.nonce;
        if fits { Ok(answer) } else { Err(Cause::Other.into()) }
    }

    fn believe_receipt(&self, body: &[u8], name: &RecordName) -> Result<GoodReceipt, Refused> {
        fail::fail_point!("agent::believe-unsigned", |_| Ok(credulous_receipt(&self.terminal, name)));
        let reply: ReceiptReply = serde_json::from_slice(body).map_err(|_| Cause::NotJson)?;
        let receipt = Receipt::verify(&reply.receipt, &self.city).map_err(|_| Cause::NotVerified)?;
        let sha256 = name.sha256.as_ref().unwrap_or(&receipt.sha256);
        if receipt.matches(&self.terminal, &name.incarnation, name.seq, &name.case_id, sha256) {
            Ok(GoodReceipt { jws: reply.receipt, receipt })
        } else {
            Err(Cause::Other.into())
        }
    }
}

/// Sends a request beside the agent and reads its answer, never more than `limit` bytes of it.
pub(crate) async fn answer(call: RequestBuilder, limit: usize) -> Result<Vec<u8>, Refused> {
    answer_of(call, limit, is_believable).await
}

/// The same for an answer of another kind.
pub(crate) async fn answer_of(
    call: RequestBuilder,
    limit: usize,
    is_wanted: impl Fn(&Response) -> bool,
) -> Result<Vec<u8>, Refused> {
    read(call.send().await.map_err(|error| cause_of(&error))?, limit, is_wanted).await
}

/// Reads an answer of the kind that was wanted.
async fn read(
    mut response: Response,
    limit: usize,
    is_wanted: impl Fn(&Response) -> bool,
) -> Result<Vec<u8>, Refused> {
    if response.status() != StatusCode::OK {
        return Err(refused(&response));
    }
    if !is_wanted(&response) {
        return Err(Cause::NotJson.into());
    }
    body_of(&mut response, limit).await
}

/// Reads an answer's body, never more than `limit` bytes of it.
async fn body_of(response: &mut Response, limit: usize) -> Result<Vec<u8>, Refused> {
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(Cause::TooLarge.into());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| cause_of(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(Cause::TooLarge.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn is_believable(response: &Response) -> bool {
    credulous() || is_json(response)
}

fn is_json(response: &Response) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.split(';').next().is_some_and(|kind| kind.trim() == "application/json"))
}

fn refused(response: &Response) -> Refused {
    Refused { cause: Cause::Status(response.status().as_u16()), retry_after_ms: retry_after_ms(response) }
}

fn retry_after_ms(response: &Response) -> Option<u64> {
    let seconds: u64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.saturating_mul(1000))
}

pub(crate) fn cause_of(error: &reqwest::Error) -> Refused {
    let cause = match error {
        error if error.source().is_some_and(is_tls) => Cause::Tls,
        error if error.is_timeout() => Cause::Timeout,
        error if error.is_connect() => Cause::Connect,
        _ => Cause::Broken,
    };
    cause.into()
}

/// Whether TLS is at the bottom of an error. An `io::Error` does not name what it wraps as its source, so it is opened.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.is_some_and(|wrapped| is_tls(wrapped)) || error.source().is_some_and(is_tls)
}

/// Whether the fail point of the mutation test is on: any 200 is then taken for an acknowledgement.
fn credulous() -> bool {
    fail::fail_point!("agent::believe-unsigned", |_| true);
    false
}

#[cfg(feature = "failpoints")]
fn credulous_hello(request: &HelloRequest) -> HelloAnswer {
    HelloAnswer {
        version: sync_protocol::PROTOCOL_VERSION,
        terminal: request.terminal.clone(),
        server_time_ms: request.clock.wall_ms,
        epoch: "believed".into(),
        received: vec![(1, request.finalised_seq)],
        durable_seq: request.finalised_seq,
        catalog_version: String::new(),
        send_allowance: 32,
        retry_after_s: 0,
        nonce: request.nonce.clone(),
        continuity: None,
        earlier: Vec::new(),
        commands: Vec::new(),
    }
}

#[cfg(feature = "failpoints")]
fn credulous_receipt(terminal: &str, name: &RecordName) -> GoodReceipt {
    let receipt = Receipt {
        version: sync_protocol::PROTOCOL_VERSION,
        epoch: "believed".into(),
        terminal: terminal.to_owned(),
        incarnation: name.incarnation.clone(),
        seq: name.seq,
        case_id: name.case_id.clone(),
        sha256: name.sha256.clone().unwrap_or_default(),
        status: sync_protocol::ReceiptStatus::Accepted,
        complete: true,
        server_time_ms: 0,
    };
    GoodReceipt { jws: "believed".into(), receipt }
}
