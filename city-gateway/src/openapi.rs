//! The descriptions of what terminals can ask, as `/v1/openapi.json` at either door. They are written by hand; the tests
//! hold every answer of the gateway against them.

use axum::http::header;
use axum::response::IntoResponse;

/// OpenAPI 3.1, of the door for terminals.
pub const DOCUMENT: &str = include_str!("../openapi/terminals.json");

/// The same of the door where they enrol.
const ENROLMENT: &str = include_str!("../openapi/enrolment.json");

/// `GET /v1/openapi.json`.
pub(crate) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}

/// `GET /v1/openapi.json` where terminals enrol.
pub(crate) async fn enrolment() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], ENROLMENT)
}

/// The same of the door where departments fetch.
const DEPARTMENTS: &str = include_str!("../openapi/departments.json");

/// `GET /v1/openapi.json` where departments fetch.
pub(crate) async fn departments() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DEPARTMENTS)
}
