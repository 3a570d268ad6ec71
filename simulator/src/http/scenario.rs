//! `/api/scenario`: what is recorded and played.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, ApiError, Shared, body, done};
use crate::scenario::{Scenario, ScenarioError};

impl From<ScenarioError> for ApiError {
    fn from(error: ScenarioError) -> Self {
        let status = match error {
            ScenarioError::Playing => StatusCode::CONFLICT,
            ScenarioError::Line { .. } | ScenarioError::Empty => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error)
    }
}

/// How far things are.
pub async fn status(State(stage): Shared) -> Answer {
    Ok(Json(json!(stage.scenarios.status())))
}

/// Plays the lines of the body.
pub async fn play(State(stage): Shared, bytes: Bytes) -> Answer {
    let no_text =
        |_| ApiError::new(StatusCode::BAD_REQUEST, "a scenario is text in UTF-8, one line for each action");
    let text = std::str::from_utf8(&bytes).map_err(no_text)?;
    stage.play(Scenario::parse(text, &stage)?)?;
    done()
}

/// Ends what is being played.
pub async fn end(State(stage): Shared) -> Answer {
    stage.scenarios.end();
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    on: bool,
}

/// Begins or ends a recording.
pub async fn record(State(stage): Shared, bytes: Bytes) -> Answer {
    let Record { on } = body(&bytes)?;
    if on {
        stage.record();
    } else {
        stage.scenarios.stop_recording();
    }
    done()
}

/// The last recording.
pub async fn recorded(State(stage): Shared) -> Result<Response, ApiError> {
    let text = stage.scenarios.recorded();
    let text = text.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "nothing has been recorded yet"))?;
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"scenario.jsonl\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text).into_response())
}
