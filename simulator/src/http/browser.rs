//! `/ws`: the live page. Patches of the screen as binary messages, everything else as JSON with a `type`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use super::Shared;
use crate::screen::{ScreenNews, TouchPhase};
use crate::stage::Stage;

/// A browser that takes nothing for so long is gone.
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// Touches and keys are short.
const MESSAGE_LIMIT: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FromBrowser {
    Touch { phase: TouchPhase, x: f32, y: f32 },
    Key { text: String },
}

/// Becomes a WebSocket.
pub async fn upgrade(State(stage): Shared, upgrade: WebSocketUpgrade) -> Response {
    upgrade.max_message_size(MESSAGE_LIMIT).on_upgrade(|socket| async move {
        // The error is only that the browser went away.
        let _ = serve(socket, stage).await;
    })
}

struct Gone;

async fn sent(sending: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Gone> {
    match timeout(SEND_PATIENCE, sending).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Gone),
    }
}

async fn serve(mut socket: WebSocket, stage: Arc<Stage>) -> Result<(), Gone> {
    let mut feeds = stage.feeds.subscribe();
    stage.refresh_feeds().await;
    let mut news = show_whole_screen(&mut socket, &stage).await?;
    for feed in &mut feeds {
        let text = feed.borrow_and_update().clone();
        sent(socket.send(Message::Text(text))).await?;
    }
    let [state, receipts, queue, inbox] = &mut feeds;
    loop {
        let text = tokio::select! {
            message = socket.recv() => {
                take(message, &stage)?;
                continue;
            }
            piece = news.recv() => {
                match piece {
                    Ok(ScreenNews::Patch(patch)) => sent(socket.send(Message::Binary(patch))).await?,
                    Ok(ScreenNews::Connection) => sent(socket.send(screen_message(&stage))).await?,
                    Err(RecvError::Lagged(_)) => news = show_whole_screen(&mut socket, &stage).await?,
                    Err(RecvError::Closed) => return Ok(()),
                }
                continue;
            }
            Ok(()) = state.changed() => state.borrow_and_update().clone(),
            Ok(()) = receipts.changed() => receipts.borrow_and_update().clone(),
            Ok(()) = queue.changed() => queue.borrow_and_update().clone(),
            Ok(()) = inbox.changed() => inbox.borrow_and_update().clone(),
        };
        sent(socket.send(Message::Text(text))).await?;
    }
}

fn screen_message(stage: &Stage) -> Message {
    let status = stage.screen.status();
    let (width, height) = if status.connected { (status.width, status.height) } else { (0, 0) };
    let text = serde_json::json!({ "type": "screen", "width": width, "height": height }).to_string();
    Message::Text(text.into())
}

/// Size and picture as they are, and everything that comes after.
async fn show_whole_screen(
    socket: &mut WebSocket,
    stage: &Stage,
) -> Result<tokio::sync::broadcast::Receiver<ScreenNews>, Gone> {
    let (picture, news) = stage.screen.watch();
    sent(socket.send(screen_message(stage))).await?;
    for patch in picture {
        sent(socket.send(Message::Binary(patch.into()))).await?;
    }
    Ok(news)
}

/// What a browser says. Nonsense is ignored: the page is ours, and a touch without a screen has no effect.
fn take(message: Option<Result<Message, axum::Error>>, stage: &Stage) -> Result<(), Gone> {
    match message {
        None | Some(Err(_) | Ok(Message::Close(_))) => Err(Gone),
        Some(Ok(Message::Text(text))) => {
            match serde_json::from_str(&text) {
                Ok(FromBrowser::Touch { phase, x, y }) => drop(stage.screen.touch(phase, x, y)),
                Ok(FromBrowser::Key { text }) => drop(stage.screen.key(text)),
                Err(_) => {}
            }
            Ok(())
        }
        Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => Ok(()),
    }
}
