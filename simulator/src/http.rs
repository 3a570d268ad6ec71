//! The simulator's controls over HTTP. The page and the tests use the same ones.
//!
//! Every refusal is JSON: `{"error": "a sentence"}`. Only this machine's own pages are answered: a request whose
//! `Host` or `Origin` is not a loopback name comes from some web page that has no business here.

mod browser;
mod page;
mod print_out;
mod scenario;
mod touch;

use std::io::ErrorKind;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::action::ActionError;
use crate::desk::{DeskError, OWN_BYTES_MAX};
use crate::scenario::MAX_BYTES;
use crate::screen::ScreenError;
use crate::stage::Stage;
use crate::supervisor::SupervisorError;

/// No control needs more.
const BODY_LIMIT: usize = 64 * 1024;

/// All routes.
pub fn router(stage: Arc<Stage>) -> Router {
    Router::new()
        .route("/api/state", get(state))
        .route("/api/screen", get(screen))
        .route("/api/screen.png", get(screen_png))
        .route("/api/screen/elements", get(elements))
        .route("/api/touch", post(touch::touch))
        .route("/api/key", post(key))
        .route("/api/devices", get(devices))
        .route("/api/devices/{device}", get(device).post(act))
        .route(
            "/api/devices/document-camera/picture",
            get(camera_png).post(lay_picture).layer(DefaultBodyLimit::max(OWN_BYTES_MAX)),
        )
        .route(
            "/api/devices/document-camera/frame",
            post(relay_frame).layer(DefaultBodyLimit::max(OWN_BYTES_MAX)),
        )
        .route("/api/network", post(act))
        .route("/api/process/{process}/{verb}", post(act))
        .route("/api/receipts", get(receipts))
        .route("/api/receipts/{file}", get(receipt_png))
        .route("/api/print-outs/{file}", get(print_out::file))
        .route(
            "/api/scenario",
            get(scenario::status)
                .post(scenario::play)
                .delete(scenario::end)
                .layer(DefaultBodyLimit::max(MAX_BYTES)),
        )
        .route("/api/scenario/recording", get(scenario::recorded).post(scenario::record))
        .route("/api/queue", get(queue))
        .route("/api/inbox", get(inbox))
        .route("/ws", get(browser::upgrade))
        .fallback(page::file)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(only_this_machine))
        .with_state(stage)
}

/// A refusal with its sentence.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    body: Value,
}

impl ApiError {
    fn new(status: StatusCode, sentence: impl ToString) -> Self {
        Self { status, body: json!({ "error": sentence.to_string() }) }
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.body[key] = value;
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

impl From<ScreenError> for ApiError {
    fn from(error: ScreenError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }
}

impl From<ActionError> for ApiError {
    fn from(error: ActionError) -> Self {
        let status = match &error {
            ActionError::NoSuchPath(_)
            | ActionError::Desk(DeskError::NoSuchDevice { .. })
            | ActionError::Process(SupervisorError::Unknown(_)) => StatusCode::NOT_FOUND,
            ActionError::Process(SupervisorError::NotRunning(_)) => StatusCode::CONFLICT,
            // Such as a receipt where none was printed yet.
            ActionError::Desk(DeskError::Failed { error, .. }) if error.kind() == ErrorKind::NotFound => {
                StatusCode::CONFLICT
            }
            ActionError::Desk(DeskError::Failed { .. })
            | ActionError::Process(SupervisorError::Signal(_))
            | ActionError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            ActionError::Network(_) | ActionError::Desk(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error)
    }
}

type Answer = Result<Json<Value>, ApiError>;
type Shared = State<Arc<Stage>>;

fn done() -> Answer {
    Ok(Json(json!({ "ok": true })))
}

/// Reads a JSON body whatever its content type; what is wrong with it is said.
fn body<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            format!("the request's JSON is not what belongs here: {error}"),
        )
    })
}

async fn only_this_machine(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("?"));
    let foreign = origin.is_some_and(|origin| !origin.strip_prefix("http://").is_some_and(is_loopback));
    if foreign || !is_loopback(host) {
        let sentence = "this simulator answers only pages of its own machine";
        return ApiError::new(StatusCode::FORBIDDEN, sentence).into_response();
    }
    next.run(request).await
}

fn is_loopback(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

async fn state(State(stage): Shared) -> Json<Value> {
    Json(stage.state())
}

async fn screen(State(stage): Shared) -> Answer {
    let mut status = json!(stage.screen.status());
    status["name"] = stage.screen.elements().await.map_or(Value::Null, |elements| elements.screen.into());
    Ok(Json(status))
}

async fn screen_png(State(stage): Shared) -> Result<Response, ApiError> {
    let picture = stage.screen.picture().ok_or(ScreenError::NotConnected)?;
    let png = tokio::task::spawn_blocking(move || picture.png())
        .await
        .map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    picture_response(png)
}

fn picture_response(png: Result<Vec<u8>, png::EncodingError>) -> Result<Response, ApiError> {
    let png = png.map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("image/png"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    Ok((headers, png).into_response())
}

async fn elements(State(stage): Shared) -> Answer {
    Ok(Json(json!(stage.screen.elements().await?)))
}

#[derive(Deserialize)]
struct Key {
    text: String,
}

async fn key(State(stage): Shared, bytes: Bytes) -> Answer {
    let Key { text } = body(&bytes)?;
    stage.screen.key(text)?;
    done()
}

async fn devices(State(stage): Shared) -> Json<Value> {
    Json(json!(stage.desk.devices()))
}

async fn device(State(stage): Shared, Path(name): Path<String>) -> Answer {
    Ok(Json(json!(stage.desk.device(&name).map_err(ActionError::from)?)))
}

/// Everything that hands do, and a scenario too.
async fn act(State(stage): Shared, uri: Uri, bytes: Bytes) -> Answer {
    let at = Instant::now();
    let body: Value = if bytes.is_empty() { json!({}) } else { body(&bytes)? };
    stage.act(stage.action(uri.path(), &body)?).await?;
    stage.scenarios.note(at, uri.path(), &body);
    done()
}

/// What lies under the document camera.
async fn camera_png(State(stage): Shared) -> Result<Response, ApiError> {
    let png = tokio::task::spawn_blocking(move || stage.desk.camera_png()).await;
    picture_response(png.map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error))?)
}

/// A visitor's own picture; it stands in no recording.
async fn lay_picture(State(stage): Shared, bytes: Bytes) -> Answer {
    tokio::task::spawn_blocking(move || stage.desk.lay_picture(bytes.to_vec()))
        .await
        .map_err(ActionError::from)?
        .map_err(ActionError::from)?;
    done()
}

/// A frame of a visitor's own camera; it stands in no recording.
async fn relay_frame(State(stage): Shared, bytes: Bytes) -> Answer {
    tokio::task::spawn_blocking(move || stage.desk.relay_frame(bytes.to_vec()))
        .await
        .map_err(ActionError::from)?
        .map_err(ActionError::from)?;
    done()
}

async fn receipts(State(stage): Shared) -> Json<Value> {
    Json(json!(stage.desk.receipts()))
}

async fn receipt_png(State(stage): Shared, Path(file): Path<String>) -> Result<Response, ApiError> {
    let id = file.strip_suffix(".png").and_then(|id| id.parse().ok());
    let picture = id.and_then(|id| stage.desk.receipt_png(id));
    let picture = picture.ok_or_else(|| {
        ApiError::new(StatusCode::NOT_FOUND, format!("no receipt on the strip is called {file:?}"))
    })?;
    picture_response(picture)
}

#[derive(Deserialize)]
struct QueueRange {
    limit: Option<usize>,
}

async fn queue(State(stage): Shared, Query(range): Query<QueueRange>) -> Answer {
    let queue = stage.queue(range.limit).await;
    Ok(Json(queue.map_err(|error| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error))?))
}

#[derive(Deserialize)]
struct InboxRange {
    after: Option<i64>,
}

async fn inbox(State(stage): Shared, Query(range): Query<InboxRange>) -> Answer {
    let inbox = stage.inbox.read(range.after).await;
    Ok(Json(inbox.map_err(|error| ApiError::new(StatusCode::BAD_GATEWAY, error))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_ours() {
        for name in ["127.0.0.1:8710", "localhost", "localhost:1", "[::1]:8710"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in ["", "example.org", "127.0.0.1.example.org:8710", "localhost.example.org"] {
            assert!(!is_loopback(name), "{name}");
        }
    }
}
