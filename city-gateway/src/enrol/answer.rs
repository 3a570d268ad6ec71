//! What enrolment answers when it gives no certificate: JSON with a sentence, and the status EST expects.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::request::RequestError;
use crate::store::StoreError;

/// No certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoCertificate {
    /// The request cannot be used.
    Request(RequestError),
    /// Longer than any request.
    TooLarge,
    /// No voucher, or not one for this terminal.
    Unauthorised,
    /// A voucher or certificate that was good once; why.
    Forbidden(&'static str),
    /// Too often; come again after so many seconds.
    TooOften(u64),
    /// Come again after so many seconds; why.
    Later(u64, &'static str),
    /// A fault of the gateway.
    Fault,
}

impl From<RequestError> for NoCertificate {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<StoreError> for NoCertificate {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Later(1, "too many requests are waiting"),
            StoreError::Full => Self::Later(60, "the city has no room at the moment"),
            StoreError::Broken(_) | StoreError::Closed => {
                Self::Later(5, "the city's store is being opened anew")
            }
            StoreError::Database(_) => Self::Fault,
        }
    }
}

impl IntoResponse for NoCertificate {
    fn into_response(self) -> Response {
        let (status, why) = match self {
            Self::Request(RequestError::OtherTerminal) => {
                (StatusCode::FORBIDDEN, RequestError::OtherTerminal.to_string())
            }
            Self::Request(error) => (StatusCode::BAD_REQUEST, error.to_string()),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "longer than any request".to_owned()),
            Self::Unauthorised => {
                (StatusCode::UNAUTHORIZED, "terminal code and voucher are needed, and must fit".to_owned())
            }
            Self::Forbidden(why) => (StatusCode::FORBIDDEN, why.to_owned()),
            Self::TooOften(_) => (StatusCode::TOO_MANY_REQUESTS, "too many tries".to_owned()),
            Self::Later(_, why) => (StatusCode::SERVICE_UNAVAILABLE, why.to_owned()),
            Self::Fault => (StatusCode::INTERNAL_SERVER_ERROR, "a fault of the gateway".to_owned()),
        };
        let mut response = (status, Json(serde_json::json!({ "error": why }))).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Unauthorised => {
                let scheme = HeaderValue::from_static("Basic realm=\"enrolment\"");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            Self::TooOften(seconds) | Self::Later(seconds, _) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
        response
    }
}
