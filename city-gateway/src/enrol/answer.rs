//! What enrolment answers when it gives no certificate: JSON with a sentence, and the status EST expects.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::request::RequestError;
use crate::refusal::Refusal;
use crate::store::StoreError;

/// No certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoCertificate {
    /// The request cannot be used.
    Request(RequestError),
    /// Longer than any request.
    TooLarge,
    /// No voucher, or not one for this terminal.
    Unauthorised,
    /// A voucher or certificate that was good once; why.
    Forbidden(&'static str),
    /// Too often; come again after so long.
    TooOften(Duration),
    /// As anywhere else.
    Refused(Refusal),
}

impl From<RequestError> for NoCertificate {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<Refusal> for NoCertificate {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for NoCertificate {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl IntoResponse for NoCertificate {
    fn into_response(self) -> Response {
        let refusal = match self {
            Self::Request(error @ RequestError::OtherTerminal) => Refusal::Forbidden(error.to_string()),
            Self::Request(error) => Refusal::BadRequest(error.to_string()),
            Self::TooLarge => Refusal::TooLarge,
            Self::Forbidden(why) => Refusal::Forbidden(why.into()),
            Self::TooOften(wait) => {
                let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
                Refusal::Share { seconds, why: "too many tries" }
            }
            Self::Refused(refusal) => refusal,
            Self::Unauthorised => return unauthorised(),
        };
        refusal.into_response()
    }
}

fn unauthorised() -> Response {
    let why = "terminal code and voucher are needed, and must fit";
    let scheme = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"enrolment\""))];
    (scheme, Refusal::Of(StatusCode::UNAUTHORIZED, why)).into_response()
}
