//! A transport that plays a recording back: it says what the device said, and watches that the driver says what it
//! said then.
//!
//! Nothing is waited for. Chunks need not fall as they fell then, and a driver may look for an answer once more or
//! once less: what counts is the bytes and their order. A driver that says something else has *diverged*; from
//! there on its device is gone, and [`Replay::finish`] names the line.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::row::{self, Event, RecordingError};
use crate::transport::{LineError, Ready, Transport};

/// What a replay found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The driver did something else than what line so-and-so of the recording says.
    #[error("the driver leaves the recording at its line {0}")]
    Diverged(usize),
    /// The driver went on after the recording's end.
    #[error("the driver goes on after the end of the recording")]
    Beyond,
    /// The driver did not do all of it.
    #[error("the driver stops before line {0} of the recording")]
    Unfinished(usize),
}

struct Script {
    device: String,
    events: VecDeque<(usize, Event)>,
    /// What the device has said and nobody has read.
    said: VecDeque<u8>,
    diverged: Option<ReplayError>,
}

/// A recording in the place of a device. A copy of it, kept aside, tells how it went.
#[derive(Clone)]
pub struct Replay {
    script: Arc<Mutex<Script>>,
}

impl Replay {
    /// Opens a recording.
    pub fn open(path: &Path) -> Result<Replay, RecordingError> {
        let text = std::fs::read_to_string(path).map_err(RecordingError::Read)?;
        Replay::parse(&text)
    }

    /// Takes a recording's text.
    pub fn parse(text: &str) -> Result<Replay, RecordingError> {
        let (device, events) = row::parse(text)?;
        let script = Script { device, events: events.into(), said: VecDeque::new(), diverged: None };
        Ok(Replay { script: Arc::new(Mutex::new(script)) })
    }

    /// The kind of device that was recorded.
    pub fn device(&self) -> String {
        self.lock().device.clone()
    }

    /// Whether the driver did all that it did then, and nothing else.
    pub fn finish(&self) -> Result<(), ReplayError> {
        let mut script = self.lock();
        script.skip(|event| matches!(event, Event::Quiet | Event::In(_)));
        match (script.diverged, script.events.front()) {
            (Some(error), _) => Err(error),
            (None, Some((line, _))) => Err(ReplayError::Unfinished(*line)),
            (None, None) => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Script {
    /// Passes over events of this sort, up to the first other one.
    fn skip(&mut self, sort: impl Fn(&Event) -> bool) {
        while self.events.front().is_some_and(|(_, event)| sort(event)) {
            self.events.pop_front();
        }
    }

    /// Takes the next event if it is a failure: the call fails as it failed then.
    fn failure(&mut self) -> Result<(), LineError> {
        if self.diverged.is_some() {
            return Err(LineError::Gone);
        }
        let Some((_, Event::Failed(error))) = self.events.front() else { return Ok(()) };
        let error = *error;
        self.events.pop_front();
        Err(error)
    }

    /// The driver does something that is not in the recording.
    fn diverge(&mut self) -> LineError {
        let at = self.events.front().map_or(ReplayError::Beyond, |(line, _)| ReplayError::Diverged(*line));
        self.diverged.get_or_insert(at);
        LineError::Gone
    }

    /// Everything that the device said before the driver's next move has arrived.
    fn hear(&mut self) {
        loop {
            match self.events.pop_front() {
                Some((_, Event::In(bytes))) => self.said.extend(bytes),
                Some((_, Event::Quiet)) => {}
                Some(other) => {
                    self.events.push_front(other);
                    return;
                }
                None => return,
            }
        }
    }
}

impl Transport for Replay {
    fn ready(&mut self) -> Result<Ready, LineError> {
        let mut script = self.lock();
        script.hear();
        script.said.clear();
        script.failure()?;
        let Some((_, Event::Ready(ready))) = script.events.front() else { return Err(script.diverge()) };
        let ready = *ready;
        script.events.pop_front();
        Ok(ready)
    }

    fn discard_output(&mut self) {
        let mut script = self.lock();
        script.hear();
        match script.events.front() {
            Some((_, Event::Dropped)) => {
                script.events.pop_front();
            }
            _ => {
                script.diverge();
            }
        }
    }

    fn write_some(&mut self, bytes: &[u8], _: Instant) -> Result<usize, LineError> {
        let mut script = self.lock();
        script.hear();
        script.failure()?;
        let Some((_, Event::Out(written))) = script.events.front_mut() else {
            return Err(script.diverge());
        };
        let count = bytes.len().min(written.len());
        if bytes[..count] != written[..count] {
            return Err(script.diverge());
        }
        written.drain(..count);
        if written.is_empty() {
            script.events.pop_front();
        }
        Ok(count)
    }

    fn read_some(&mut self, into: &mut [u8], _: Instant) -> Result<usize, LineError> {
        let mut script = self.lock();
        if script.said.is_empty() {
            script.failure()?;
            match script.events.pop_front() {
                Some((_, Event::In(bytes))) => script.said.extend(bytes),
                Some((_, Event::Quiet)) | None => {}
                Some(other) => script.events.push_front(other),
            }
        }
        let count = into.len().min(script.said.len());
        for place in &mut into[..count] {
            *place = script.said.pop_front().unwrap_or_default();
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const TEXT: &str = r#"{"recording":1,"device":"a-device"}
{"at_ms":0,"event":"opened"}
{"at_ms":0,"event":"out","bytes":"0102"}
{"at_ms":5,"event":"in","bytes":"a0a1a2"}
{"at_ms":9,"event":"quiet"}
{"at_ms":9,"event":"out","bytes":"03"}
{"at_ms":9,"event":"gone"}
{"at_ms":9,"event":"still-open"}
"#;

    fn replay() -> (Replay, Replay, Instant) {
        let replay = Replay::parse(TEXT).ok().unwrap();
        (replay.clone(), replay, Instant::now() + Duration::from_secs(1))
    }

    #[test]
    fn the_same_moves_get_the_same_answers() {
        let (mut replay, kept, until) = replay();
        let mut byte = [0u8; 2];
        assert_eq!(kept.device(), "a-device");
        assert_eq!(replay.ready(), Ok(Ready::Opened));
        // In other pieces than then.
        replay.write_all(&[1], until).unwrap();
        replay.write_all(&[2], until).unwrap();
        assert_eq!((replay.read_some(&mut byte, until), byte), (Ok(2), [0xA0, 0xA1]));
        assert_eq!((replay.read_some(&mut byte, until), byte[0]), (Ok(1), 0xA2));
        assert_eq!(replay.read_some(&mut byte, until), Ok(0));
        // Looked once more than then.
        assert_eq!(replay.read_some(&mut byte, until), Ok(0));
        replay.write_all(&[3], until).unwrap();
        assert_eq!(replay.read_some(&mut byte, until), Err(LineError::Gone));
        assert_eq!(kept.finish(), Err(ReplayError::Unfinished(8)));
        assert_eq!(replay.ready(), Ok(Ready::StillOpen));
        assert_eq!(kept.finish(), Ok(()));
        assert_eq!(replay.ready(), Err(LineError::Gone));
        assert_eq!(kept.finish(), Err(ReplayError::Beyond));
    }

    #[test]
    fn other_moves_are_named_by_their_line() {
        let (mut replay, kept, until) = replay();
        replay.ready().unwrap();
        assert_eq!(replay.write_all(&[1, 9], until), Err(LineError::Gone));
        assert_eq!(kept.finish(), Err(ReplayError::Diverged(3)));
        assert_eq!(replay.ready(), Err(LineError::Gone), "and from there on nothing is left");
        assert_eq!(kept.finish(), Err(ReplayError::Diverged(3)));
    }
}
