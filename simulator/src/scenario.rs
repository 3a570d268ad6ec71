//! Scenarios: what hands did, as lines of JSON with their moments, recorded and played again.
//!
//! ```text
//! {"at_ms":0,"post":"/api/devices/ups","body":{"fault":null,"plugged":true,"power":"mains"}}
//! {"at_ms":2150,"post":"/api/devices/ups","body":{"power":"battery"}}
//! ```
//!
//! A recording begins with the whole desk as it stands, so that it plays the same wherever it is played.

mod recording;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::action::{Action, ActionError};
use crate::stage::Stage;
use recording::Recording;

/// More lines are neither recorded nor played.
pub const MAX_LINES: usize = 1000;
/// Nothing is recorded or played after this moment, milliseconds: ten minutes.
pub const MAX_AT_MS: u64 = 10 * 60 * 1000;
/// A longer text is no scenario.
pub const MAX_BYTES: usize = 512 * 1024;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at_ms: u64,
    post: String,
    body: Value,
}

/// A scenario that can be played.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario(Vec<Step>);

#[derive(Debug, Clone, PartialEq)]
struct Step {
    line: usize,
    at: Duration,
    action: Action,
}

/// Why a text is no scenario, or why one cannot be played now.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A line is no action.
    #[error("line {line}: {error}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        error: LineError,
    },
    /// It holds nothing.
    #[error("there is no line in the scenario")]
    Empty,
    /// Another one is being played.
    #[error("another scenario is being played; end it first")]
    Playing,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The text is another.
    #[error(
        "not a line such as {{\"at_ms\":0,\"post\":\"/api/network\",\"body\":{{\"mode\":\"off\"}}}}: {0}"
    )]
    Text(#[from] serde_json::Error),
    /// Moments do not go back.
    #[error("{0} ms is before the line above")]
    GoesBack(u64),
    /// Too late.
    #[error("{0} ms is after the last moment, {MAX_AT_MS} ms")]
    TooLate(u64),
    /// Too many.
    #[error("a scenario has at most {MAX_LINES} lines")]
    TooMany,
    /// The stage does not know that.
    #[error(transparent)]
    Action(#[from] ActionError),
}

impl Scenario {
    /// Reads the text of a scenario for this stage. Empty lines count and say nothing.
    pub fn parse(text: &str, stage: &Stage) -> Result<Self, ScenarioError> {
        let mut steps: Vec<Step> = Vec::new();
        for (line, text) in text.lines().enumerate().map(|(at, text)| (at + 1, text.trim())) {
            if !text.is_empty() {
                let before = steps.last().map_or(Duration::ZERO, |step| step.at);
                let step = if steps.len() < MAX_LINES {
                    step(line, text, before, stage)
                } else {
                    Err(LineError::TooMany)
                };
                steps.push(step.map_err(|error| ScenarioError::Line { line, error })?);
            }
        }
        if steps.is_empty() { Err(ScenarioError::Empty) } else { Ok(Self(steps)) }
    }
}

fn step(line: usize, text: &str, before: Duration, stage: &Stage) -> Result<Step, LineError> {
    let Line { at_ms, post, body } = serde_json::from_str(text)?;
    let at = Duration::from_millis(at_ms);
    if at < before {
        return Err(LineError::GoesBack(at_ms));
    }
    if at_ms > MAX_AT_MS {
        return Err(LineError::TooLate(at_ms));
    }
    Ok(Step { line, at, action: stage.action(&post, &body)? })
}

/// What is being recorded and played, and what was recorded last.
#[derive(Default)]
pub struct Scenarios {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    recording: Option<Recording>,
    recorded: Option<Recording>,
    playing: Option<Playing>,
    /// What ended the last one before its end.
    trouble: Option<String>,
}

struct Playing {
    done: usize,
    of: usize,
    task: Option<AbortHandle>,
}

/// How far things are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioStatus {
    /// Lines recorded so far, while recording.
    pub recording: Option<usize>,
    /// Lines of the last recording.
    pub recorded: Option<usize>,
    /// Lines played so far, and all of them, while playing.
    pub playing: Option<(usize, usize)>,
    /// Why the last one was ended before its end.
    pub trouble: Option<String>,
}

impl Scenarios {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far things are.
    pub fn status(&self) -> ScenarioStatus {
        let state = self.state();
        ScenarioStatus {
            recording: state.recording.as_ref().map(Recording::len),
            recorded: state.recorded.as_ref().map(Recording::len),
            playing: state.playing.as_ref().map(|playing| (playing.done, playing.of)),
            trouble: state.trouble.clone(),
        }
    }

    /// Begins a recording with these posts as its first moment; the one before is forgotten.
    pub fn record(&self, first: Vec<(String, Value)>) {
        let mut recording = Recording::begin();
        let now = Instant::now();
        first.into_iter().for_each(|(post, body)| drop(recording.note(now, &post, &body)));
        self.state().recording = Some(recording);
    }

    /// Ends the recording; without one nothing happens.
    pub fn stop_recording(&self) {
        let mut state = self.state();
        if let Some(recording) = state.recording.take() {
            state.recorded = Some(recording);
        }
    }

    /// The last recording's text.
    pub fn recorded(&self) -> Option<String> {
        self.state().recorded.as_ref().map(|recording| recording.text().to_owned())
    }

    /// Notes what was done, while recording. A recording that is full ends.
    pub fn note(&self, at: Instant, post: &str, body: &Value) {
        let full = match &mut self.state().recording {
            Some(recording) => recording.note(at, post, body).is_err(),
            None => false,
        };
        if full {
            self.stop_recording();
        }
    }

    /// Ends what is being played; without it nothing happens.
    pub fn end(&self) {
        if let Some(playing) = self.state().playing.take() {
            playing.task.inspect(AbortHandle::abort);
        }
    }
}

impl Stage {
    /// The whole desk as posts: what makes another desk stand like this one.
    fn as_posts(&self) -> Vec<(String, Value)> {
        let network = ("/api/network".to_owned(), serde_json::json!({ "mode": self.network.mode() }));
        let post = |name: &str, now: &Value| (format!("/api/devices/{name}"), now.clone());
        let devices = self.desk.devices();
        devices.iter().map(|device| post(device.name(), device.now())).chain([network]).collect()
    }

    /// Begins a recording.
    pub fn record(&self) {
        self.scenarios.record(self.as_posts());
    }

    /// Plays a scenario from now on; a line that fails ends it.
    pub fn play(self: &Arc<Self>, Scenario(steps): Scenario) -> Result<(), ScenarioError> {
        let mut state = self.scenarios.state();
        if state.playing.is_some() {
            return Err(ScenarioError::Playing);
        }
        state.trouble = None;
        state.playing = Some(Playing { done: 0, of: steps.len(), task: None });
        let stage = Arc::clone(self);
        let task = tokio::spawn(async move {
            let trouble = stage.play_through(steps).await.err().map(|error| error.to_string());
            let mut state = stage.scenarios.state();
            (state.playing, state.trouble) = (None, trouble);
        });
        if let Some(playing) = &mut state.playing {
            playing.task = Some(task.abort_handle());
        }
        Ok(())
    }

    async fn play_through(self: &Arc<Self>, steps: Vec<Step>) -> Result<(), ScenarioError> {
        let start = Instant::now();
        for Step { line, at, action } in steps {
            tokio::time::sleep_until(start + at).await;
            let done = self.act(action).await;
            done.map_err(|error| ScenarioError::Line { line, error: error.into() })?;
            if let Some(playing) = &mut self.scenarios.state().playing {
                playing.done += 1;
            }
        }
        Ok(())
    }
}
