//! Frames of the screen link: a length (u32, little end first), a kind byte, a payload. Pure bytes.
//!
//! Kind 19 (send the whole screen) is never sent: the kiosk draws everything for a new connection, and from then
//! on the simulator's own picture is whole.

use serde::{Deserialize, Serialize};

/// No frame is longer: a whole 4K screen is 33 MB.
pub const FRAME_LIMIT: usize = 40 * 1024 * 1024;

const HELLO: u8 = 1;
const PATCH: u8 = 2;
const ELEMENTS: u8 = 3;
const TOUCH: u8 = 16;
const ELEMENTS_WANTED: u8 = 17;
const KEY: u8 = 18;

/// What the kiosk says about its panel when it connects.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Size of a pixel.
    pub mm_per_px: f32,
}

/// One thing on the screen that a screen reader would name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Element {
    /// Button, text, and so on.
    #[serde(default)]
    pub role: String,
    /// Its accessible label.
    #[serde(default)]
    pub label: String,
    /// Its value, where it has one.
    #[serde(default)]
    pub value: Option<String>,
    /// Whether it takes touches.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether it is chosen, where it can be.
    #[serde(default)]
    pub checked: Option<bool>,
    /// Left edge in pixels.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
    /// Whatever else the kiosk says about it is passed on.
    #[serde(flatten)]
    pub more: serde_json::Map<String, serde_json::Value>,
}

fn yes() -> bool {
    true
}

/// The answer to "what is on the screen".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Elements {
    /// Name of the screen.
    pub screen: String,
    /// What is on it.
    pub elements: Vec<Element>,
    /// Whatever else the kiosk says about the screen is passed on.
    #[serde(flatten)]
    pub more: serde_json::Map<String, serde_json::Value>,
}

/// Where and how big a patch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchArea {
    /// Left edge.
    pub x: u16,
    /// Upper edge.
    pub y: u16,
    /// Width.
    pub w: u16,
    /// Height.
    pub h: u16,
    /// Whether the frame is complete with it.
    pub last: bool,
}

/// Bytes before a patch's pixels.
pub const PATCH_HEADER: usize = 9;

impl PatchArea {
    /// The header as it travels, also to the browser.
    pub fn to_bytes(self) -> [u8; PATCH_HEADER] {
        let mut bytes = [0; PATCH_HEADER];
        for (place, number) in bytes.chunks_exact_mut(2).zip([self.x, self.y, self.w, self.h]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes[8] = u8::from(self.last);
        bytes
    }

    /// Reads the header and checks that exactly its pixels follow.
    pub fn read(payload: &[u8]) -> Result<(Self, &[u8]), FrameError> {
        let (header, pixels) = payload.split_at_checked(PATCH_HEADER).ok_or(FrameError::Patch)?;
        let number = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let area = Self { x: number(0), y: number(2), w: number(4), h: number(6), last: header[8] != 0 };
        if pixels.len() != usize::from(area.w) * usize::from(area.h) * 4 {
            return Err(FrameError::Patch);
        }
        Ok((area, pixels))
    }
}

/// A frame from the kiosk.
#[derive(Debug, Clone, PartialEq)]
pub enum FromKiosk {
    /// First frame of a connection.
    Hello(Hello),
    /// Header and pixels of a patch, as they came.
    Patch(Vec<u8>),
    /// What is on the screen.
    Elements(Elements),
}

impl FromKiosk {
    /// Reads a frame's kind and payload.
    pub fn read(kind: u8, payload: Vec<u8>) -> Result<Self, FrameError> {
        match kind {
            HELLO => Ok(Self::Hello(serde_json::from_slice(&payload).map_err(|_| FrameError::Json(kind))?)),
            PATCH => {
                PatchArea::read(&payload)?;
                Ok(Self::Patch(payload))
            }
            ELEMENTS => {
                Ok(Self::Elements(serde_json::from_slice(&payload).map_err(|_| FrameError::Json(kind))?))
            }
            other => Err(FrameError::Kind(other)),
        }
    }
}

/// Phase of a touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TouchPhase {
    /// The finger comes down.
    Press,
    /// It moves.
    Move,
    /// It leaves.
    Release,
}

/// A frame to the kiosk.
#[derive(Debug, Clone, PartialEq)]
pub enum ToKiosk {
    /// A finger.
    Touch {
        /// What it does.
        phase: TouchPhase,
        /// Where, in pixels.
        x: f32,
        /// Where, in pixels.
        y: f32,
    },
    /// Say what is on the screen.
    ElementsWanted,
    /// Text from a keyboard.
    Key(String),
}

impl ToKiosk {
    /// The frame as it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, payload) = match self {
            Self::Touch { phase, x, y } => {
                (TOUCH, serde_json::json!({"phase": phase, "x": x, "y": y}).to_string().into_bytes())
            }
            Self::ElementsWanted => (ELEMENTS_WANTED, Vec::new()),
            Self::Key(text) => (KEY, serde_json::json!({ "text": text }).to_string().into_bytes()),
        };
        frame(kind, &payload)
    }
}

/// Puts length and kind before a payload.
pub fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 5);
    let length = u32::try_from(payload.len() + 1).expect("frames are far shorter");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.push(kind);
    bytes.extend_from_slice(payload);
    bytes
}

/// A frame that breaks the rules; the connection is closed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    /// Too long or empty.
    #[error("a frame of {0} bytes")]
    Length(usize),
    /// Unknown kind.
    #[error("a frame of unknown kind {0}")]
    Kind(u8),
    /// Not the JSON that belongs there.
    #[error("a frame of kind {0} with other contents than agreed")]
    Json(u8),
    /// Patch whose pixels do not match its size, or outside the screen.
    #[error("a patch that does not fit")]
    Patch,
    /// Something came before the hello.
    #[error("a frame before the hello, or an impossible screen size")]
    Hello,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_checked_before_use() {
        let area = PatchArea { x: 1, y: 2, w: 2, h: 1, last: true };
        let mut payload = area.to_bytes().to_vec();
        payload.extend([9; 8]);
        assert_eq!(PatchArea::read(&payload), Ok((area, &[9u8; 8][..])));
        payload.pop();
        assert_eq!(PatchArea::read(&payload), Err(FrameError::Patch));
        assert_eq!(PatchArea::read(&payload[..5]), Err(FrameError::Patch));
        assert_eq!(FromKiosk::read(77, Vec::new()), Err(FrameError::Kind(77)));
        assert_eq!(FromKiosk::read(1, b"{".to_vec()), Err(FrameError::Json(1)));
    }

    #[test]
    fn frames_to_the_kiosk_have_length_kind_and_json() {
        let bytes = ToKiosk::Touch { phase: TouchPhase::Press, x: 3.0, y: 4.5 }.to_bytes();
        assert_eq!(bytes[4], 16);
        assert_eq!(u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize, bytes.len() - 4);
        let json: serde_json::Value = serde_json::from_slice(&bytes[5..]).unwrap();
        assert_eq!(json, serde_json::json!({"phase": "press", "x": 3.0, "y": 4.5}));
        assert_eq!(ToKiosk::ElementsWanted.to_bytes(), [1, 0, 0, 0, 17]);
    }
}
