//! A recording as it grows.

use serde_json::Value;
use tokio::time::Instant;

use super::{Line, MAX_AT_MS, MAX_BYTES, MAX_LINES};

/// What was done so far.
pub(super) struct Recording {
    began: Instant,
    last_ms: u64,
    lines: usize,
    text: String,
}

/// It holds all that a scenario can.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Recording {
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), last_ms: 0, lines: 0, text: String::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.lines
    }

    /// Adds what was done at this moment. Two requests at a time may be told out of order: moments never go back.
    pub(super) fn note(&mut self, at: Instant, post: &str, body: &Value) -> Result<(), Full> {
        let at_ms = u64::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        let at_ms = at_ms.max(self.last_ms);
        let line = serde_json::to_string(&Line { at_ms, post: post.to_owned(), body: body.clone() });
        let line = line.map_err(|_| Full)? + "\n";
        if self.lines >= MAX_LINES || at_ms > MAX_AT_MS || self.text.len() + line.len() > MAX_BYTES {
            return Err(Full);
        }
        self.text.push_str(&line);
        (self.last_ms, self.lines) = (at_ms, self.lines + 1);
        Ok(())
    }

    /// One line of JSON for each.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn moments_never_go_back_and_a_full_recording_takes_no_more() {
        let mut recording = Recording::begin();
        let at = |millis| recording.began + Duration::from_millis(millis);
        let (early, late, too_late) = (at(20), at(30), at(MAX_AT_MS + 1));
        recording.note(late, "/api/network", &json!({ "mode": "off" })).unwrap();
        recording.note(early, "/api/network", &json!({ "mode": "on" })).unwrap();
        assert_eq!(
            recording.text(),
            "{\"at_ms\":30,\"post\":\"/api/network\",\"body\":{\"mode\":\"off\"}}\n\
             {\"at_ms\":30,\"post\":\"/api/network\",\"body\":{\"mode\":\"on\"}}\n"
        );
        assert_eq!(recording.note(too_late, "/api/network", &json!({})), Err(Full));
        while recording.len() < MAX_LINES {
            recording.note(late, "/api/network", &json!({})).unwrap();
        }
        assert_eq!(recording.note(late, "/api/network", &json!({})), Err(Full));
    }
}
