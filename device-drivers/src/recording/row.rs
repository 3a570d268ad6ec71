//! The lines of a recording: their JSON, and their meaning.

use serde::{Deserialize, Serialize};

use crate::transport::{LineError, Ready};

/// Version of the format, in the head line.
const VERSION: u32 = 1;
/// The largest recording that is written or read: some thousand reads of a card.
pub(super) const FILE_BYTES_MAX: usize = 8 << 20;

/// Why a file is no recording. Quotes nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("the recording cannot be read")]
    Read(#[source] std::io::Error),
    /// It is larger than 8 MiB.
    #[error("the recording is larger than 8 MiB")]
    TooLarge,
    /// The first line is no head of a recording of this version.
    #[error("not a recording of version {VERSION}")]
    Head,
    /// A line that has no meaning.
    #[error("line {0} of the recording has no meaning")]
    Line(usize),
}

/// One thing that happened at the transport.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Event {
    Ready(Ready),
    Out(Vec<u8>),
    In(Vec<u8>),
    Quiet,
    Dropped,
    Failed(LineError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadRow {
    recording: u32,
    device: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventRow {
    at_ms: u64,
    event: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Opened,
    StillOpen,
    Out,
    In,
    Quiet,
    Dropped,
    Gone,
    Stuck,
}

/// The head line, without its end.
pub(super) fn head(device: &str) -> String {
    let row = HeadRow { recording: VERSION, device: device.to_owned() };
    serde_json::to_string(&row).expect("a number and a text become JSON")
}

/// One line, without its end.
pub(super) fn line(at_ms: u64, event: &Event) -> String {
    let (event, bytes) = match event {
        Event::Ready(Ready::Opened) => (Word::Opened, None),
        Event::Ready(Ready::StillOpen) => (Word::StillOpen, None),
        Event::Out(bytes) => (Word::Out, Some(to_hex(bytes))),
        Event::In(bytes) => (Word::In, Some(to_hex(bytes))),
        Event::Quiet => (Word::Quiet, None),
        Event::Dropped => (Word::Dropped, None),
        Event::Failed(LineError::Gone) => (Word::Gone, None),
        Event::Failed(LineError::Stuck) => (Word::Stuck, None),
    };
    let row = EventRow { at_ms, event, bytes };
    serde_json::to_string(&row).expect("words, numbers and hex become JSON")
}

/// Reads a whole recording: the device's kind, and each event with the number of its line.
pub(super) fn parse(text: &str) -> Result<(String, Vec<(usize, Event)>), RecordingError> {
    if text.len() > FILE_BYTES_MAX {
        return Err(RecordingError::TooLarge);
    }
    let mut lines = text.lines();
    let head: HeadRow =
        serde_json::from_str(lines.next().unwrap_or_default()).map_err(|_| RecordingError::Head)?;
    if head.recording != VERSION {
        return Err(RecordingError::Head);
    }
    let mut events = Vec::new();
    for (number, line) in (2..).zip(lines) {
        let row: EventRow = serde_json::from_str(line).map_err(|_| RecordingError::Line(number))?;
        events.push((number, meaning(row).ok_or(RecordingError::Line(number))?));
    }
    Ok((head.device, events))
}

fn meaning(row: EventRow) -> Option<Event> {
    match (row.event, row.bytes) {
        (Word::Out, Some(bytes)) => from_hex(&bytes).map(Event::Out),
        (Word::In, Some(bytes)) => from_hex(&bytes).filter(|bytes| !bytes.is_empty()).map(Event::In),
        (Word::Out | Word::In, None) | (_, Some(_)) => None,
        (Word::Opened, None) => Some(Event::Ready(Ready::Opened)),
        (Word::StillOpen, None) => Some(Event::Ready(Ready::StillOpen)),
        (Word::Quiet, None) => Some(Event::Quiet),
        (Word::Dropped, None) => Some(Event::Dropped),
        (Word::Gone, None) => Some(Event::Failed(LineError::Gone)),
        (Word::Stuck, None) => Some(Event::Failed(LineError::Stuck)),
    }
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 0x0F)]));
    }
    text
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_read_as_it_was_written() {
        let all: Vec<u8> = (0..=255).collect();
        let events = [
            Event::Ready(Ready::Opened),
            Event::Ready(Ready::StillOpen),
            Event::Out(all.clone()),
            Event::In(all),
            Event::Quiet,
            Event::Dropped,
            Event::Failed(LineError::Gone),
            Event::Failed(LineError::Stuck),
        ];
        let mut text = head("a-device");
        for (at_ms, event) in (0..).zip(&events) {
            text.push('\n');
            text.push_str(&line(at_ms, event));
        }
        let (device, read) = parse(&text).ok().unwrap();
        assert_eq!(device, "a-device");
        assert!(read.iter().map(|(number, _)| *number).eq(2..=9));
        assert!(read.into_iter().map(|(_, event)| event).eq(events));
        assert_eq!(line(29, &Event::Quiet), r#"{"at_ms":29,"event":"quiet"}"#);
    }

    #[test]
    fn what_is_no_recording_is_refused_with_its_line() {
        let head = head("a-device");
        let behind_head = |line: &str| format!("{head}\n{line}");
        for (text, expected) in [
            (String::new(), "not a recording"),
            ("{}".to_owned(), "not a recording"),
            (r#"{"recording":2,"device":"x"}"#.to_owned(), "not a recording"),
            (behind_head("{}"), "line 2"),
            (behind_head("{\"at_ms\":1,\"event\":\"quiet\"}\n\n"), "line 3"),
            (behind_head(r#"{"at_ms":1,"event":"quiet","bytes":"00"}"#), "line 2"),
            (behind_head(r#"{"at_ms":1,"event":"in"}"#), "line 2"),
            (behind_head(r#"{"at_ms":1,"event":"in","bytes":""}"#), "line 2"),
            (behind_head(r#"{"at_ms":1,"event":"in","bytes":"0"}"#), "line 2"),
            (behind_head(r#"{"at_ms":1,"event":"in","bytes":"0g"}"#), "line 2"),
            (behind_head(r#"{"at_ms":1,"event":"in","bytes":"十"}"#), "line 2"),
        ] {
            let error = parse(&text).err().expect("no recording").to_string();
            assert!(error.contains(expected), "{error}: {text}");
        }
        let long = " ".repeat(FILE_BYTES_MAX + 1);
        assert!(matches!(parse(&long), Err(RecordingError::TooLarge)));
    }
}
