//! The city's tus end in memory, with moods of its own.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sync_protocol::{BlobHeaders as Header, sha256_hex};

use super::{City, receipt_reply};

/// A blob as far as the city has it.
#[derive(Clone, Debug, Default)]
pub struct Blob {
    pub length: u64,
    pub bytes: Vec<u8>,
    /// Bytes that came in pieces, also those that were thrown away.
    pub came: u64,
    /// Of the next pieces, this many break the connection after the city kept them.
    pub lost_replies: u32,
    /// Of the next pieces, this many arrive damaged.
    pub damaged: u32,
}

impl Blob {
    pub fn is_whole(&self) -> bool {
        self.length > 0 && self.bytes.len() as u64 == self.length
    }
}

pub fn routes(city: &City) -> Router<City> {
    Router::new()
        .route("/v1/blobs", post(begin))
        .route("/v1/blobs/{sha256}", head(state).patch(piece))
        .layer(from_fn_with_state(city.clone(), strange))
        .route("/v1/records/{case_id}/receipt", get(receipt))
}

async fn strange(State(city): State<City>, request: Request, next: Next) -> Response {
    match city.with(|inner| inner.blob_answer) {
        Some(status) => StatusCode::from_u16(status).unwrap().into_response(),
        None => next.run(request).await,
    }
}

async fn begin(State(city): State<City>, headers: HeaderMap) -> Response {
    let metadata = text(&headers, Header::METADATA);
    let hash = metadata.strip_prefix("sha256 ").unwrap();
    let sha256 = String::from_utf8(STANDARD.decode(hash).unwrap()).unwrap();
    let length = text(&headers, Header::LENGTH).parse().unwrap();
    city.with(|inner| inner.blobs.entry(sha256.clone()).or_default().length = length);
    (StatusCode::CREATED, [("location", format!("/v1/blobs/{sha256}"))]).into_response()
}

async fn state(State(city): State<City>, Path(sha256): Path<String>) -> Response {
    let found = city.with(|inner| inner.blobs.get(&sha256).filter(|blob| blob.length > 0).cloned());
    match found {
        Some(blob) => {
            let headers =
                [(Header::OFFSET, blob.bytes.len().to_string()), (Header::LENGTH, blob.length.to_string())];
            (StatusCode::OK, headers).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn piece(
    State(city): State<City>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let offset: usize = text(&headers, Header::OFFSET).parse().unwrap();
    let checksum = sync_protocol::write_checksum(&body);
    assert_eq!(text(&headers, Header::CHECKSUM), checksum);
    let (status, hang) = city.with(|inner| {
        let blob = inner.blobs.get_mut(&sha256).unwrap();
        blob.came += body.len() as u64;
        if blob.damaged > 0 {
            blob.damaged -= 1;
            return (sync_protocol::CHECKSUM_MISMATCH, false);
        }
        if offset != blob.bytes.len() {
            return (409, false);
        }
        blob.bytes.extend_from_slice(&body);
        if blob.is_whole() {
            assert_eq!(sha256_hex(&blob.bytes), sha256);
        }
        let hang = blob.lost_replies > 0;
        blob.lost_replies = blob.lost_replies.saturating_sub(1);
        (204, hang)
    });
    if hang {
        std::future::pending::<()>().await;
    }
    let next = (offset + body.len()).to_string();
    (StatusCode::from_u16(status).unwrap(), [(Header::OFFSET, next)]).into_response()
}

async fn receipt(State(city): State<City>, Path(case_id): Path<String>) -> Response {
    match city.with(|inner| inner.manifests.get(&case_id).cloned()) {
        Some(manifest) => receipt_reply(&city, &city.receipt(&manifest)),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap().to_owned()
}
