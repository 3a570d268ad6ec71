//! The addresses of enrolment: EST (RFC 7030) for certificates, and the city's anchors.
//!
//! | address | door | who |
//! |---|---|---|
//! | `GET /.well-known/est/cacerts` | enrolment | anyone |
//! | `POST /.well-known/est/simpleenroll` | enrolment | terminal code and voucher (HTTP Basic) |
//! | `POST /.well-known/est/simplereenroll` | terminals | whoever holds a listed certificate, expired or not |
//! | `GET /v1/anchors?nonce=…` | both | anyone |
//!
//! `openapi/` describes them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Bytes, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;
use sync_protocol::{AnchorReply, limits};
use time::OffsetDateTime;

use super::answer::NoCertificate;
use super::certificate::is_terminal_code;
use super::limiter::Limiter;
use super::request::{MAX_REQUEST, SigningRequest};
use super::{Enrolment, TerminalCertificate, pkcs7, voucher};
use crate::leftover;
use crate::openapi;
use crate::refusal::Refusal;
use crate::store::registry::{NewCertificate, RenewalAnswer, Standing, VoucherAnswer};
use crate::terminals::now_ms;
use crate::tls::Peer;

/// Time for one request at the door of enrolment.
const DEADLINE: Duration = Duration::from_secs(20);

/// A renewal for the same key within this time is the same renewal, whose answer was lost.
const SAME_RENEWAL_MS: i64 = 24 * 60 * 60 * 1000;

const CERTS_ONLY: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "application/pkcs7-mime; smime-type=certs-only"),
    (HeaderName::from_static("content-transfer-encoding"), "base64"),
];

/// How often things may be tried.
pub(super) struct Limits {
    /// Enrolments from one network address.
    address: Limiter<IpAddr>,
    /// Enrolments from anywhere.
    all: Limiter<()>,
    /// Renewals of one terminal.
    renewals: Limiter<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A site with many terminals behind one address enrols them in minutes; guessing gets nowhere.
            address: Limiter::new(30, Duration::from_secs(2)),
            all: Limiter::new(300, Duration::from_millis(50)),
            renewals: Limiter::new(8, Duration::from_secs(300)),
        }
    }
}

/// The door for terminals that have no certificate yet.
pub(crate) fn enrolment_routes(enrolment: Arc<Enrolment>) -> Router {
    Router::new()
        .route("/.well-known/est/cacerts", get(authorities))
        .route("/.well-known/est/simpleenroll", post(enrol))
        .route("/v1/anchors", get(anchors))
        .route("/v1/openapi.json", get(openapi::enrolment))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::WrongMethod })
        .layer(middleware::from_fn(deadline))
        .layer(middleware::from_fn(leftover::answered))
        .with_state(enrolment)
}

/// What is added to the door for terminals that have one.
pub(crate) fn terminal_routes(enrolment: Arc<Enrolment>) -> Router {
    Router::new()
        .route("/.well-known/est/simplereenroll", post(renew))
        .route("/v1/anchors", get(anchors))
        .with_state(enrolment)
}

async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::Later { seconds: 2, why: "took too long" }.into_response(),
    }
}

async fn authorities(State(enrolment): State<Arc<Enrolment>>) -> Result<Response, NoCertificate> {
    certificates(&enrolment.authorities)
}

fn certificates(certificates: &[CertificateDer<'_>]) -> Result<Response, NoCertificate> {
    let body = pkcs7::certs_only(certificates).ok_or(Refusal::Fault)?;
    Ok((CERTS_ONLY, body).into_response())
}

#[derive(Deserialize)]
struct Question {
    nonce: String,
}

async fn anchors(
    State(enrolment): State<Arc<Enrolment>>,
    question: Result<Query<Question>, QueryRejection>,
) -> Result<Json<AnchorReply>, Refusal> {
    let nonce = question.map_or_else(|_| String::new(), |Query(question)| question.nonce);
    let plain = nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !plain || nonce.is_empty() || nonce.len() > limits::MAX_FIELD {
        return Err(Refusal::BadRequest("the nonce must be letters, digits and hyphens".into()));
    }
    let anchors = enrolment.anchors.as_ref().ok_or(Refusal::NotFound)?;
    Ok(Json(AnchorReply { anchors: anchors.statement(&nonce, now_ms()) }))
}

/// A terminal with a voucher.
async fn enrol(
    State(enrolment): State<Arc<Enrolment>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, NoCertificate> {
    let now = Instant::now();
    for limited in [enrolment.limits.address.take(network(from), now), enrolment.limits.all.take((), now)] {
        limited.map_err(NoCertificate::TooOften)?;
    }
    let (terminal, voucher) = credentials(&headers).ok_or(NoCertificate::Unauthorised)?;
    let hash = voucher::hash(&terminal, &voucher).ok_or(NoCertificate::Unauthorised)?;
    let request = SigningRequest::read(&body(request).await?, &terminal)?;
    let worth = enrolment.registry.voucher(&hash, &request.public_key, now_ms()).await?;
    let answer = match worth {
        // Only now is anything signed.
        VoucherAnswer::Good => {
            let made = enrolment.make(&terminal, &request)?;
            enrolment.registry.redeem(hash, made).await?
        }
        other => other,
    };
    match answer {
        VoucherAnswer::Used { certificate, again } => {
            enrolment.allow_list.changed();
            tracing::info!(%terminal, again, "a terminal enrolled");
            certificates(&[CertificateDer::from(certificate)])
        }
        VoucherAnswer::OtherKey => {
            tracing::error!(alarm = true, %terminal, "a used voucher came again with another key");
            enrolment.registry.note_other_key(&terminal, now_ms()).await?;
            Err(NoCertificate::Forbidden("this voucher was used by another machine; ask for a new one"))
        }
        VoucherAnswer::Expired => {
            tracing::warn!(%terminal, "an expired voucher came");
            Err(NoCertificate::Forbidden("this voucher's time is over; ask for a new one"))
        }
        VoucherAnswer::Unknown | VoucherAnswer::Good => {
            tracing::warn!(alarm = true, %terminal, "an unknown voucher came");
            Err(NoCertificate::Unauthorised)
        }
    }
}

/// A terminal with a certificate, whatever the dates in it.
async fn renew(
    State(enrolment): State<Arc<Enrolment>>,
    Extension(peer): Extension<Arc<Peer>>,
    request: Request,
) -> Result<Response, NoCertificate> {
    let TerminalCertificate { code: terminal, fingerprint, .. } = &peer.certificate;
    if enrolment.allow_list.standing(&peer.certificate).await? != Standing::Listed {
        return Err(refused(terminal));
    }
    let limited = enrolment.limits.renewals.take(terminal.clone(), Instant::now());
    limited.map_err(NoCertificate::TooOften)?;
    let request = SigningRequest::read(&body(request).await?, terminal)?;
    let made = enrolment.make(terminal, &request)?;
    let again_since_ms = made.listed_at_ms.saturating_sub(SAME_RENEWAL_MS);
    match enrolment.registry.renew(fingerprint.clone(), made, again_since_ms).await? {
        RenewalAnswer::Renewed { certificate, again } => {
            enrolment.allow_list.changed();
            tracing::info!(%terminal, again, "a certificate was renewed");
            certificates(&[CertificateDer::from(certificate)])
        }
        RenewalAnswer::Refused(_) => Err(refused(terminal)),
    }
}

fn refused(terminal: &str) -> NoCertificate {
    tracing::warn!(alarm = true, %terminal, "a renewal was refused: the certificate is not on the list");
    NoCertificate::Forbidden("this certificate is not on the city's list")
}

impl Enrolment {
    fn make(&self, terminal: &str, request: &SigningRequest) -> Result<NewCertificate, NoCertificate> {
        let nobody = Refusal::Later { seconds: 3600, why: "certificates are not made here" };
        let issuer = self.issuer.as_ref().ok_or(nobody)?;
        let made = issuer
            .issue(terminal, &request.public_key, OffsetDateTime::now_utc())
            .inspect_err(|error| tracing::error!(alarm = true, %error, "a certificate could not be made"))
            .map_err(|_| Refusal::Fault)?;
        // Read back as every connection will read it.
        let certificate = TerminalCertificate::read(&made)
            .filter(|certificate| {
                certificate.code == terminal && certificate.public_key == request.public_key
            })
            .ok_or(Refusal::Fault)?;
        Ok(certificate.for_the_list(now_ms()))
    }
}

async fn body(request: Request) -> Result<Bytes, NoCertificate> {
    to_bytes(request.into_body(), MAX_REQUEST).await.map_err(|_| NoCertificate::TooLarge)
}

/// Terminal code and voucher out of HTTP Basic.
pub(crate) fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (terminal, voucher) = decoded.split_once(':')?;
    is_terminal_code(terminal).then(|| (terminal.to_owned(), voucher.to_owned()))
}

/// What counts as one place on the network: an IPv4 address, or the half of an IPv6 one that a site gets.
fn network(from: SocketAddr) -> IpAddr {
    match from.ip().to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}
