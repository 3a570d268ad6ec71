//! What client and child process say to each other: frames on two pipes, one answer for each request.
//!
//! A frame is its body's length (4 bytes, little-endian) and the body: a byte for the kind, then its fields. Every length
//! is bounded and every byte accounted for, so whatever arrives is understood whole or refused.
//!
//! Absent: tickets. A request is asked when the one before was answered, and a child that misses its deadline is killed.

use kiosk_core::Private;
use zeroize::Zeroizing;

use crate::{
    CANDIDATES_MAX, Composition, Key, Mark, Method, POINTS_MAX, Point, Script, Stroke, TEXT_BYTES_MAX,
};

/// The version of these frames; both sides are of one release, and a mixture is refused.
pub const VERSION: u16 = 1;
/// Bytes of a frame's length.
pub const LENGTH_BYTES: usize = 4;
/// Bytes of the longest body: a full list of the longest candidates.
pub const BODY_BYTES_MAX: usize = 32 * 1024;
/// Bytes of the longest request, with its length: a stroke. Less than what a pipe takes at once (4,096), so that sending
/// the only request on its way never waits for the child.
pub const REQUEST_BYTES_MAX: usize = LENGTH_BYTES + 3 + 4 * POINTS_MAX;

const _: () = assert!(REQUEST_BYTES_MAX < 4096);
const _: () = assert!(BODY_BYTES_MAX > (CANDIDATES_MAX + 2) * (TEXT_BYTES_MAX + 1) + 2);

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// This way of typing from now on, with nothing typed.
    Use {
        /// The client's version of the frames.
        version: u16,
        /// The way of typing.
        method: Method,
        /// Which characters it shows.
        script: Script,
    },
    /// A key or a stroke.
    Enter(Mark),
    /// A candidate.
    Choose(u16),
    /// The last key or stroke is taken back.
    TakeBack,
    /// What was typed is dropped.
    Clear,
}

/// What the child answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was done, and this stands in the input line now.
    Composition(Composition),
    /// This way of typing cannot be used: its data are missing, or the versions differ.
    Refused,
}

/// Bytes that are no frame of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bytes that are no message")]
pub struct NoMessage;

impl Request {
    /// The frame.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut body = Zeroizing::new(Vec::with_capacity(REQUEST_BYTES_MAX));
        match self {
            Request::Use { version, method, script } => {
                body.push(1);
                body.extend(version.to_le_bytes());
                body.push(method_code(*method));
                body.push(matches!(script, Script::Traditional).into());
            }
            Request::Enter(Mark::Key(key)) => body.extend([2, key.code()]),
            Request::Enter(Mark::Stroke(stroke)) => {
                body.push(3);
                body.extend((stroke.points().len() as u16).to_le_bytes());
                for point in stroke.points() {
                    body.extend(point.x.to_le_bytes());
                    body.extend(point.y.to_le_bytes());
                }
            }
            Request::Choose(index) => {
                body.push(4);
                body.extend(index.to_le_bytes());
            }
            Request::TakeBack => body.push(5),
            Request::Clear => body.push(6),
        }
        frame(&body)
    }

    /// A request from a frame's body.
    pub fn decode(body: &[u8]) -> Result<Request, NoMessage> {
        let mut fields = Fields(body);
        let request = match fields.byte()? {
            1 => Request::Use {
                version: fields.number()?,
                method: method_of(fields.byte()?)?,
                script: match fields.byte()? {
                    0 => Script::Simplified,
                    1 => Script::Traditional,
                    _ => return Err(NoMessage),
                },
            },
            2 => Request::Enter(Mark::Key(Key::new(char::from(fields.byte()?)).ok_or(NoMessage)?)),
            3 => Request::Enter(Mark::Stroke(fields.stroke()?)),
            4 => Request::Choose(fields.number()?),
            5 => Request::TakeBack,
            6 => Request::Clear,
            _ => return Err(NoMessage),
        };
        fields.end().map(|()| request)
    }
}

impl Answer {
    /// The frame.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_BYTES_MAX));
        match self {
            Answer::Composition(composition) => {
                body.push(1);
                put_text(&mut body, &composition.typed);
                put_text(&mut body, &composition.committed);
                let candidates = &composition.candidates[..composition.candidates.len().min(CANDIDATES_MAX)];
                body.push(candidates.len() as u8);
                candidates.iter().for_each(|candidate| put_text(&mut body, candidate));
            }
            Answer::Refused => body.push(2),
        }
        frame(&body)
    }

    /// An answer from a frame's body.
    pub fn decode(body: &[u8]) -> Result<Answer, NoMessage> {
        let mut fields = Fields(body);
        let answer = match fields.byte()? {
            1 => {
                let (typed, committed) = (fields.text()?, fields.text()?);
                let count = usize::from(fields.byte()?);
                if count > CANDIDATES_MAX {
                    return Err(NoMessage);
                }
                let candidates = (0..count).map(|_| fields.text()).collect::<Result<_, _>>()?;
                Answer::Composition(Composition { typed, candidates, committed })
            }
            2 => Answer::Refused,
            _ => return Err(NoMessage),
        };
        fields.end().map(|()| answer)
    }
}

/// The length of the body that follows these bytes: at least 1, at most [`BODY_BYTES_MAX`].
pub fn body_length(length: [u8; LENGTH_BYTES]) -> Result<usize, NoMessage> {
    match u32::from_le_bytes(length) as usize {
        length @ 1..=BODY_BYTES_MAX => Ok(length),
        _ => Err(NoMessage),
    }
}

fn frame(body: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut frame = Zeroizing::new(Vec::with_capacity(LENGTH_BYTES + body.len()));
    frame.extend((body.len() as u32).to_le_bytes());
    frame.extend(body);
    frame
}

fn put_text(body: &mut Vec<u8>, text: &Private<String>) {
    let text = text.expose();
    let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
    body.push(text.len() as u8);
    body.extend(text.as_bytes());
}

fn method_code(method: Method) -> u8 {
    match method {
        Method::Pinyin => 1,
        Method::Jyutping => 2,
        Method::Strokes => 3,
        Method::Handwriting => 4,
    }
}

fn method_of(code: u8) -> Result<Method, NoMessage> {
    match code {
        1 => Ok(Method::Pinyin),
        2 => Ok(Method::Jyutping),
        3 => Ok(Method::Strokes),
        4 => Ok(Method::Handwriting),
        _ => Err(NoMessage),
    }
}

/// What of a body was not read yet.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], NoMessage> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(NoMessage)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, NoMessage> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u16, NoMessage> {
        Ok(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn text(&mut self) -> Result<Private<String>, NoMessage> {
        let length = usize::from(self.byte()?);
        std::str::from_utf8(self.take(length)?).map(Private::from).map_err(|_| NoMessage)
    }

    fn stroke(&mut self) -> Result<Stroke, NoMessage> {
        let count = usize::from(self.number()?);
        if count > POINTS_MAX {
            return Err(NoMessage);
        }
        let mut points = Zeroizing::new(Vec::with_capacity(count));
        for _ in 0..count {
            points.push(Point { x: self.number()?, y: self.number()? });
        }
        let stroke = Stroke::new(&points).ok_or(NoMessage)?;
        // A point beyond the square would have been moved, and the same bytes would not come out again.
        if stroke.points() == points.as_slice() { Ok(stroke) } else { Err(NoMessage) }
    }

    fn end(self) -> Result<(), NoMessage> {
        if self.0.is_empty() { Ok(()) } else { Err(NoMessage) }
    }
}
