//! Answers that are no receipt: always JSON, with a sentence for engineers and nothing of the request.

use std::fmt;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sync_protocol::{CHECKSUM_MISMATCH, ProtocolError};

use crate::store::StoreError;

/// A request that got no receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not what this protocol knows.
    BadRequest(String),
    /// The manifest is not this terminal's.
    Forbidden(String),
    /// Longer than allowed.
    TooLarge,
    /// Come again after so many seconds: the city has too much to do.
    Later { seconds: u32, why: &'static str },
    /// Come again after so many seconds: this terminal has had its share.
    Share { seconds: u32, why: &'static str },
    /// A piece of a blob was damaged on the way.
    DamagedPiece,
    /// Anything else HTTP has a status for.
    Of(StatusCode, &'static str),
    /// A fault of the gateway.
    Fault,
    /// No such address.
    NotFound,
    /// Known address, wrong method.
    WrongMethod,
}

impl From<ProtocolError> for Refusal {
    fn from(error: ProtocolError) -> Self {
        match error {
            ProtocolError::TooLarge { .. } => Refusal::TooLarge,
            ProtocolError::WrongAlgorithm
            | ProtocolError::WrongType
            | ProtocolError::WrongKey
            | ProtocolError::BadSignature => Refusal::Forbidden(error.to_string()),
            _ => Refusal::BadRequest(error.to_string()),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Refusal::Later { seconds: 1, why: "too many records are waiting" },
            StoreError::Full => Refusal::Later { seconds: 60, why: "the city has no room at the moment" },
            StoreError::Unreachable(_) => {
                Refusal::Later { seconds: 5, why: "the city's database does not answer at the moment" }
            }
            StoreError::Broken(_) | StoreError::Closed => {
                Refusal::Later { seconds: 5, why: "the city's store is being opened anew" }
            }
            StoreError::Database(_) => Refusal::Fault,
        }
    }
}

impl Refusal {
    fn status_and_reason(&self) -> (StatusCode, &str) {
        match self {
            Refusal::BadRequest(why) => (StatusCode::BAD_REQUEST, why.as_str()),
            Refusal::Forbidden(why) => (StatusCode::FORBIDDEN, why.as_str()),
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "longer than this protocol allows"),
            Refusal::Later { why, .. } => (StatusCode::SERVICE_UNAVAILABLE, *why),
            Refusal::Share { why, .. } => (StatusCode::TOO_MANY_REQUESTS, *why),
            Refusal::DamagedPiece => (damaged_piece(), "the piece is not what its checksum says"),
            Refusal::Of(status, why) => (*status, *why),
            Refusal::Fault => (StatusCode::INTERNAL_SERVER_ERROR, "a fault of the gateway"),
            Refusal::NotFound => (StatusCode::NOT_FOUND, "no such address"),
            Refusal::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "not with this method"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.status_and_reason().1)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, why) = self.status_and_reason();
        let mut response = (status, Json(serde_json::json!({ "error": why }))).into_response();
        if let Refusal::Later { seconds, .. } | Refusal::Share { seconds, .. } = self {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(spread(seconds)));
        }
        response
    }
}

/// Those who are turned away together must not come back together: up to half as long again.
fn spread(seconds: u32) -> u32 {
    let seconds = seconds.max(1);
    let random = crate::clock::random() as u32;
    seconds.saturating_add(random % (seconds.div_ceil(2) + 1))
}

fn damaged_piece() -> StatusCode {
    StatusCode::from_u16(CHECKSUM_MISMATCH).expect("460 is a status code")
}
