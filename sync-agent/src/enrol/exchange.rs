//! Asking the city for a certificate: first with a voucher, later with the certificate there is.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderName};
use reqwest::{Client, Response};
use sync_protocol::CityReceiptPublicKey;

use super::anchors::{Anchors, Stated};
use super::certificate::{from_answer, pem};
use super::files;
use super::key::{FileKey, TerminalKeyHolder};
use super::{CityTime, chain};
use crate::client::{Cause, Refused, answer_of};
use crate::connection::{Trust, http_client, receipt_key};
use crate::{AgentError, Config};

/// Longest answer of EST: one certificate with room to spare.
const MAX_ANSWER: usize = 64 * 1024;

/// No certificate.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// `terminal.toml` does not say where to enrol.
    #[error("terminal.toml has no city.enrolment_url")]
    NoAddress,
    /// The key cannot be used.
    #[error("keys/terminal.key.pem is no P-256 key, or cannot sign")]
    Key,
    /// A file in the folder of keys.
    #[error("a file in the folder of keys could not be read or written")]
    Files(#[source] std::io::Error),
    /// The city could not be reached or believed, or refused.
    #[error("no usable answer of the city: {}", .0.code())]
    NoAnswer(Cause),
    /// An answer without a certificate for this terminal and this key.
    #[error("the answer holds no certificate for this terminal and its key")]
    NotOurs,
}

impl From<Refused> for EnrolError {
    fn from(refused: Refused) -> Self {
        Self::NoAnswer(refused.cause)
    }
}

/// Sends a request and keeps the certificate that comes back; the one before it is kept beside it.
pub(crate) async fn obtain(
    http: &Client,
    address: &str,
    voucher: Option<&str>,
    config: &Config,
    key: &dyn TerminalKeyHolder,
) -> Result<(), EnrolError> {
    let request = key.signing_request(&config.terminal)?;
    let mut call = http
        .post(address)
        .header(CONTENT_TYPE, "application/pkcs10")
        .header(HeaderName::from_static("content-transfer-encoding"), "base64")
        .body(STANDARD.encode(request));
    if let Some(voucher) = voucher {
        call = call.basic_auth(&config.terminal, Some(voucher));
    }
    let body = answer_of(call, MAX_ANSWER, is_pkcs7).await?;
    let certificate = from_answer(&body, &config.terminal, &key.public_key()).ok_or(EnrolError::NotOurs)?;
    files::replace_certificate(&config.keys, &pem(&certificate)).map_err(EnrolError::Files)
}

fn is_pkcs7(response: &Response) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        value.split(';').next().is_some_and(|kind| kind.trim() == "application/pkcs7-mime")
    })
}

/// The door for terminals that have no certificate.
pub(crate) struct Door<'a> {
    config: &'a Config,
    url: &'a str,
    key: FileKey,
    city: CityReceiptPublicKey,
    time: Arc<CityTime>,
}

impl<'a> Door<'a> {
    /// Reads what the terminal came with, and makes its key when there is none.
    pub(crate) fn of_enrolment(config: &'a Config, time: Arc<CityTime>) -> Result<Self, AgentError> {
        let url = config.enrolment_url.as_deref().ok_or(AgentError::Enrol(EnrolError::NoAddress))?;
        let city = receipt_key(&config.keys)?;
        let key = FileKey::open_or_make(&config.keys).map_err(AgentError::Enrol)?;
        Ok(Self { config, url, key, city, time })
    }

    /// Enrols. When the city cannot be verified, its authorities are asked for and it is tried once more.
    pub(crate) async fn enrol(&self, voucher: &str) -> Result<(), EnrolError> {
        let first = self.try_once(voucher).await;
        if !matches!(first, Err(EnrolError::NoAnswer(Cause::Tls))) {
            return first;
        }
        tracing::warn!("the city cannot be verified; its authorities are asked for");
        let http = self.http(Trust::Anybody)?;
        match Stated::ask(&http, self.url, &self.city).await {
            Ok(stated) => stated.keep(&self.config.keys)?,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "no statement of the city's authorities");
                return first;
            }
        }
        self.try_once(voucher).await
    }

    async fn try_once(&self, voucher: &str) -> Result<(), EnrolError> {
        let anchors = Anchors::load(&self.config.keys, &self.city)
            .map_err(|_| EnrolError::Files(std::io::ErrorKind::InvalidData.into()))?;
        let http = self.http(Trust::City(&anchors, &self.time))?;
        let address = format!("{}/.well-known/est/simpleenroll", self.url);
        obtain(&http, &address, Some(voucher), self.config, &self.key).await?;
        tracing::info!("this terminal is enrolled");
        Ok(())
    }

    fn http(&self, trust: Trust<'_>) -> Result<Client, EnrolError> {
        http_client(self.config, trust, None).map_err(|_| EnrolError::NoAnswer(Cause::Tls))
    }
}
