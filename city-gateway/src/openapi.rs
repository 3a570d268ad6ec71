//! The description of what terminals can ask, as `/v1/openapi.json`. It is written by hand; the tests hold every answer
//! of the gateway against it.

use axum::http::header;
use axum::response::IntoResponse;

/// OpenAPI 3.1.
pub const DOCUMENT: &str = include_str!("../openapi/terminals.json");

/// `GET /v1/openapi.json`.
pub(crate) async fn document() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}
