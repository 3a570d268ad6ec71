//! What the gateway does for clients that send a whole request before they read the answer: over HTTP/1.1 an answer that
//! comes before the body was read ends the connection, and with the rest of the body under way the client sees a broken
//! connection instead of the answer. So a little of what nobody wanted is read and thrown away first.
//!
//! Over HTTP/2, which terminals speak, a stream ends by itself, and nothing is done here. And words in plain text, as the
//! framework says them, become JSON like every other refusal.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use tokio::sync::oneshot;

use crate::refusal::Refusal;

/// Most bytes that are thrown away, and the longest time for it: more is not worth an answer.
const BYTES: usize = 512 * 1024;
const WITHIN: Duration = Duration::from_secs(2);

/// A body that comes back when whoever reads it has had enough.
struct Lent {
    body: Option<BodyDataStream>,
    back: Option<oneshot::Sender<BodyDataStream>>,
}

impl Stream for Lent {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.body {
            Some(body) => body.poll_next_unpin(context),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // Nobody waits for it when the request was given up.
            let _ = back.send(body);
        }
    }
}

/// Answers in JSON, and so that the client sees it.
pub(crate) async fn answered(request: Request, next: Next) -> Response {
    // Whoever asks first whether to send a body at all must not be told to.
    let asks_first = request.headers().contains_key(header::EXPECT);
    if request.version() > Version::HTTP_11 || asks_first {
        return in_json(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let (back, mut rest) = oneshot::channel();
    let lent = Lent { body: Some(body.into_data_stream()), back: Some(back) };
    let response = next.run(Request::from_parts(parts, Body::from_stream(lent))).await;
    if !response.status().is_success()
        && let Ok(rest) = rest.try_recv()
    {
        // Whatever is left after it ends with the connection.
        let _ = tokio::time::timeout(WITHIN, throw_away(rest)).await;
    }
    in_json(response)
}

async fn throw_away(mut rest: BodyDataStream) {
    let mut bytes = 0;
    while let Some(Ok(chunk)) = rest.next().await
        && bytes < BYTES
    {
        bytes += chunk.len();
    }
}

/// The framework refuses what it cannot read in plain text.
fn in_json(response: Response) -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    if response.status().is_client_error() && response.headers().get(header::CONTENT_TYPE) == Some(&plain) {
        return Refusal::Of(response.status(), "the address or what stands behind it cannot be read")
            .into_response();
    }
    response
}
