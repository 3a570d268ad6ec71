//! tus 1.0 (core, creation, checksum) for blobs that are named by their hash.
//!
//! Deliberately absent: uploads without a hash, uploads of unknown length, and the 423 of servers that lock.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use sync_protocol::limits::{MAX_BLOB, MAX_CHUNK};
use sync_protocol::{BlobHeaders, TUS_VERSION, read_checksum};

use super::{Added, BlobError};
use crate::refusal::Refusal;
use crate::store::blobs::{Begun, Held};
use crate::terminals::{Terminals, share_of};
use crate::tls::Peer;

const RESUMABLE: HeaderName = HeaderName::from_static(BlobHeaders::RESUMABLE);
const OFFSET: HeaderName = HeaderName::from_static(BlobHeaders::OFFSET);
const LENGTH: HeaderName = HeaderName::from_static(BlobHeaders::LENGTH);

/// What every answer of these routes says.
fn tus(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, HeaderValue::from_static(TUS_VERSION));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if response.status() == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert("tus-version", HeaderValue::from_static(TUS_VERSION));
    }
    response
}

fn answer(result: Result<Response, Refusal>) -> Response {
    tus(result.unwrap_or_else(IntoResponse::into_response))
}

/// `OPTIONS`: what this server can do.
pub(crate) async fn offer() -> Response {
    let headers = [
        ("tus-version", TUS_VERSION.to_owned()),
        ("tus-extension", "creation,checksum".to_owned()),
        ("tus-max-size", MAX_BLOB.to_string()),
        ("tus-checksum-algorithm", "sha256".to_owned()),
    ];
    tus((StatusCode::NO_CONTENT, headers).into_response())
}

/// `POST /v1/blobs`: a blob is coming.
pub(crate) async fn create(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    headers: HeaderMap,
) -> Response {
    answer(begin(&state, &peer, &headers).await)
}

/// `HEAD`: how far it is.
pub(crate) async fn state(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    Path(sha256): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(held(&state, peer.code(), &sha256, &headers).await)
}

/// `PATCH`: a piece.
pub(crate) async fn append(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    Path(sha256): Path<String>,
    request: Request,
) -> Response {
    answer(piece(&state, &peer, &sha256, request).await)
}

/// `POST` to a blob: for clients behind something that lets only GET and POST through.
pub(crate) async fn overridden(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    Path(sha256): Path<String>,
    request: Request,
) -> Response {
    let method = request.headers().get("x-http-method-override").and_then(|value| value.to_str().ok());
    match method.and_then(|method| method.parse().ok()) {
        Some(Method::PATCH) => answer(piece(&state, &peer, &sha256, request).await),
        Some(Method::HEAD) => answer(held(&state, peer.code(), &sha256, request.headers()).await),
        _ => answer(Err(Refusal::WrongMethod)),
    }
}

async fn begin(state: &Terminals, peer: &Peer, headers: &HeaderMap) -> Result<Response, Refusal> {
    speaks(headers)?;
    let (terminal, standing) = (peer.code(), state.standing(peer).await?);
    let length = number(headers, BlobHeaders::LENGTH)?;
    if length == 0 {
        return Err(Refusal::BadRequest("an empty blob is no blob".into()));
    }
    if length > MAX_BLOB {
        return Err(Refusal::TooLarge);
    }
    let sha256 = hash_of(headers)?;
    state.budgets.blob(&share_of(peer, standing), 0)?;
    let begun = state.blobs.begin(terminal, &sha256, length, standing).await.map_err(refuse)?;
    let held = match begun {
        Begun::Held(Held::Leaving) => return Err(leaving()),
        Begun::Held(Held::Whole { length }) => length,
        Begun::Held(Held::Part { held, .. }) => held,
        Begun::Held(Held::Nothing) => 0,
        Begun::TooMuchUnnamed => {
            tracing::warn!(alarm = true, %terminal, "a terminal sends blobs that no record names");
            return Err(Refusal::Share { seconds: 600, why: "too many blobs that no record names" });
        }
    };
    let location = [(header::LOCATION, format!("/v1/blobs/{sha256}"))];
    let offset = [(OFFSET, HeaderValue::from(held))];
    Ok((StatusCode::CREATED, location, offset).into_response())
}

async fn held(
    state: &Terminals,
    terminal: &str,
    sha256: &str,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    speaks(headers)?;
    if !is_hash(sha256) {
        return Err(Refusal::NotFound);
    }
    let (offset, length) = match state.blobs.held(terminal, sha256).await.map_err(refuse)? {
        Held::Nothing => return Err(Refusal::NotFound),
        Held::Leaving => return Err(leaving()),
        Held::Part { held, length } => (held, length),
        Held::Whole { length } => (length, length),
    };
    Ok([(OFFSET, HeaderValue::from(offset)), (LENGTH, HeaderValue::from(length))].into_response())
}

async fn piece(state: &Terminals, peer: &Peer, sha256: &str, request: Request) -> Result<Response, Refusal> {
    let standing = state.standing(peer).await?;
    let headers = request.headers();
    speaks(headers)?;
    if !is_hash(sha256) {
        return Err(Refusal::NotFound);
    }
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind != Some(BlobHeaders::CONTENT_TYPE.as_bytes()) {
        return Err(Refusal::Of(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "a piece is application/offset+octet-stream",
        ));
    }
    let start = number(headers, BlobHeaders::OFFSET)?;
    let checksum =
        headers.get(BlobHeaders::CHECKSUM).map(|value| read_checksum(value.to_str().unwrap_or_default()));
    let checksum = checksum.transpose()?;
    let announced: Option<u64> =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    state.budgets.blob(&share_of(peer, standing), announced.unwrap_or(MAX_CHUNK))?;
    let (body, _held) = state.blob_body(request, MAX_CHUNK as usize).await?;
    if checksum.is_some_and(|wanted| wanted != <[u8; 32]>::from(Sha256::digest(&body))) {
        return Err(Refusal::DamagedPiece);
    }
    state.metrics.blob_bytes(body.len() as u64);
    match state.blobs.add(peer.code(), sha256, start, body).await.map_err(refuse)? {
        Added::At(offset) => {
            Ok((StatusCode::NO_CONTENT, [(OFFSET, HeaderValue::from(offset))]).into_response())
        }
        Added::Elsewhere(Held::Nothing) => Err(Refusal::NotFound),
        Added::Elsewhere(Held::Leaving) => Err(leaving()),
        Added::Elsewhere(Held::Part { held, .. }) => Ok(elsewhere(held)),
        Added::Elsewhere(Held::Whole { length }) => Ok(elsewhere(length)),
        Added::BeganAgain => Ok(elsewhere(0)),
        Added::TooLong => Err(Refusal::BadRequest("longer than what is left of the blob".into())),
        Added::TooSmall => {
            Err(Refusal::BadRequest("a piece that is not the last has at least 256 KiB".into()))
        }
    }
}

fn elsewhere(offset: u64) -> Response {
    let refusal = Refusal::Of(StatusCode::CONFLICT, "the blob goes on elsewhere; ask with HEAD");
    ([(OFFSET, HeaderValue::from(offset))], refusal.into_response()).into_response()
}

fn leaving() -> Refusal {
    Refusal::Later { seconds: 2, why: "a former copy of this blob is being removed" }
}

fn speaks(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.get(RESUMABLE).is_some_and(|version| version.as_bytes() == TUS_VERSION.as_bytes()) {
        return Ok(());
    }
    Err(Refusal::Of(StatusCode::PRECONDITION_FAILED, "this server speaks tus 1.0.0"))
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<u64, Refusal> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value
        .filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| Refusal::BadRequest(format!("{name} must be a number")))
}

/// The hash that names the blob: `sha256` in the metadata, or a `filename` that is one.
fn hash_of(headers: &HeaderMap) -> Result<String, Refusal> {
    let metadata =
        headers.get(BlobHeaders::METADATA).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let value = |wanted: &str| {
        metadata.split(',').find_map(|pair| {
            let (key, value) = pair.trim().split_once(' ')?;
            let value = (key == wanted).then(|| STANDARD.decode(value.trim()).ok())??;
            String::from_utf8(value).ok().filter(|text| is_hash(text))
        })
    };
    value("sha256").or_else(|| value("filename")).ok_or_else(|| {
        Refusal::BadRequest(
            "Upload-Metadata needs `sha256` with the base64 of the lower-case hex hash".into(),
        )
    })
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn refuse(error: BlobError) -> Refusal {
    match error {
        BlobError::Store(error) => error.into(),
        error => {
            tracing::error!(alarm = true, %error, "a blob could not be kept");
            Refusal::Later { seconds: 10, why: "the store of blobs does not answer as it should" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_found_in_the_metadata() {
        let hash = "0123456789abcdef".repeat(4);
        let encoded = STANDARD.encode(&hash);
        let found = |metadata: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(BlobHeaders::METADATA, metadata.parse().unwrap());
            hash_of(&headers)
        };
        assert_eq!(found(&format!("sha256 {encoded}")).unwrap(), hash);
        assert_eq!(found(&format!("filetype aW1n,filename {encoded}")).unwrap(), hash);
        assert_eq!(found(&format!("filename eA==, sha256 {encoded}, empty")).unwrap(), hash);
        for wrong in ["", "sha256", "sha256 !", "sha256 eA==", "other aGVsbG8="] {
            assert!(found(wrong).is_err(), "{wrong}");
        }
        assert!(found(&format!("sha256 {}", STANDARD.encode(hash.to_uppercase()))).is_err());
    }
}
