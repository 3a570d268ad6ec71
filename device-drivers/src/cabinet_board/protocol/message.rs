//! What frames say: the host's requests and the board's answers. Numbers of two bytes are little-endian.

use std::time::Duration;

use super::frame::{Frame, MAX_PAYLOAD, VERSION};
use crate::cabinet::LightPattern;

const HELLO: u8 = 0x01;
const STATUS: u8 = 0x02;
const SET_LIGHT: u8 = 0x03;
const SELF_TEST: u8 = 0x04;
/// An answer's kind is its request's with this bit.
const ANSWER: u8 = 0x80;
const REFUSED: u8 = 0xFF;

/// Lights, and doors, that one board can have.
pub const MAX_PARTS: u8 = 8;
/// Bytes of the longest name of a board.
pub const MAX_NAME: usize = 16;
/// The longest lease, in tenths of a second: ten minutes.
pub const MAX_LEASE_TENTHS: u16 = 6000;

/// What a board may say no with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// 1: no such request.
    #[error("unknown request")]
    UnknownRequest,
    /// 2: the payload has another length than the request should.
    #[error("wrong length")]
    Length,
    /// 3: no light with that number.
    #[error("no such light")]
    NoSuchLight,
    /// 4: a value that means nothing, or a lease of none or of more than ten minutes.
    #[error("impossible value")]
    Value,
    /// 5: another version of the protocol; the frame's own version says which the board speaks.
    #[error("another version")]
    Version,
}

impl Refusal {
    const ALL: [Refusal; 5] =
        [Refusal::UnknownRequest, Refusal::Length, Refusal::NoSuchLight, Refusal::Value, Refusal::Version];

    /// Its number on the line.
    pub fn code(self) -> u8 {
        match self {
            Refusal::UnknownRequest => 1,
            Refusal::Length => 2,
            Refusal::NoSuchLight => 3,
            Refusal::Value => 4,
            Refusal::Version => 5,
        }
    }
}

/// What a light should show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LightOrder {
    /// Which, from 0.
    pub light: u8,
    /// What it shows while the lease runs.
    pub pattern: LightPattern,
    /// What it shows when the lease has run out.
    pub safe: LightPattern,
    /// The lease in tenths of a second, 1 to [`MAX_LEASE_TENTHS`]. Every request that the board does not
    /// refuse starts it anew.
    pub lease_tenths: u16,
}

impl LightOrder {
    /// The lease as a time.
    pub fn lease(&self) -> Duration {
        Duration::from_millis(u64::from(self.lease_tenths) * 100)
    }
}

/// What the host asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// 01: who are you? No payload.
    Hello,
    /// 02: how is everything? No payload.
    Status,
    /// 03: light, pattern, safe pattern, lease (2 bytes).
    SetLight(LightOrder),
    /// 04: test yourself. No payload. The answer may take two seconds.
    SelfTest,
}

impl Request {
    /// The request as a frame.
    pub fn frame(&self, sequence: u8) -> Frame {
        let (kind, payload) = match self {
            Request::Hello => (HELLO, Vec::new()),
            Request::Status => (STATUS, Vec::new()),
            Request::SelfTest => (SELF_TEST, Vec::new()),
            Request::SetLight(order) => {
                let [low, high] = order.lease_tenths.to_le_bytes();
                (SET_LIGHT, vec![order.light, code(order.pattern), code(order.safe), low, high])
            }
        };
        Frame { version: VERSION, sequence, kind, payload }
    }

    /// What a frame asks, or why a board must refuse it.
    pub fn from_frame(frame: &Frame) -> Result<Request, Refusal> {
        if frame.version != VERSION {
            return Err(Refusal::Version);
        }
        match (frame.kind, frame.payload.as_slice()) {
            (HELLO, []) => Ok(Request::Hello),
            (STATUS, []) => Ok(Request::Status),
            (SELF_TEST, []) => Ok(Request::SelfTest),
            (SET_LIGHT, &[light, shown, safe, low, high]) => {
                let lease_tenths = u16::from_le_bytes([low, high]);
                if !(1..=MAX_LEASE_TENTHS).contains(&lease_tenths) {
                    return Err(Refusal::Value);
                }
                let (pattern, safe) = pattern(shown).zip(pattern(safe)).ok_or(Refusal::Value)?;
                Ok(Request::SetLight(LightOrder { light, pattern, safe, lease_tenths }))
            }
            (HELLO | STATUS | SELF_TEST | SET_LIGHT, _) => Err(Refusal::Length),
            _ => Err(Refusal::UnknownRequest),
        }
    }

    /// Whether this answer can be this request's.
    pub fn is_answered_by(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (_, Answer::Refused(_)) => true,
            (Request::Hello, Answer::Identity(_)) => true,
            (Request::Status, Answer::Status(_)) => true,
            (Request::SelfTest, Answer::SelfTest(_)) => true,
            (Request::SetLight(order), Answer::LightSet { light, pattern }) => {
                (*light, *pattern) == (order.light, order.pattern)
            }
            _ => false,
        }
    }
}

/// Which board it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The board's own number.
    pub serial: u32,
    /// Version of the firmware, major and minor.
    pub firmware: (u8, u8),
    /// Counts the board's starts, or is drawn at each: another number means that its counters began anew.
    pub boot: u16,
    /// Whether a presence sensor is fitted.
    pub has_presence_sensor: bool,
    /// How many lights, at most [`MAX_PARTS`].
    pub lights: u8,
    /// How many doors, at most [`MAX_PARTS`].
    pub doors: u8,
    /// What its maker calls it, at most [`MAX_NAME`] printable ASCII characters.
    pub name: String,
}

/// What the presence sensor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresenceReading {
    /// 0: nobody near.
    Far,
    /// 1: somebody near.
    Near,
    /// 2: the sensor does not work.
    Failed,
    /// 255: none is fitted.
    Absent,
}

/// What a door's contact says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorReading {
    /// Whether it stands open.
    pub open: bool,
    /// Openings and closings since the board's start; turns over after 65535.
    pub edges: u16,
}

/// How everything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// As in [`Identity::boot`].
    pub boot: u16,
    /// The presence sensor.
    pub presence: PresenceReading,
    /// The doors, from 0.
    pub doors: Vec<DoorReading>,
}

/// What the board found when it tested itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SelfTest {
    /// Bit 0: its supply is out of range.
    pub supply: bool,
    /// Bit 1: the presence sensor does not react.
    pub presence_sensor: bool,
    /// Bit 2: a light draws no current, or too much.
    pub lights: bool,
    /// Bit 3: its memory holds what was not written.
    pub memory: bool,
}

impl SelfTest {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        *self == SelfTest::default()
    }

    fn bits(self) -> u8 {
        let bits = [self.supply, self.presence_sensor, self.lights, self.memory];
        bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))
    }

    /// The four upper bits are of later versions of the test and are not looked at.
    fn from_bits(bits: u8) -> SelfTest {
        let bit = |at: u8| bits >> at & 1 == 1;
        SelfTest { supply: bit(0), presence_sensor: bit(1), lights: bit(2), memory: bit(3) }
    }
}

/// What the board answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 81: serial (4 bytes), firmware major, minor, boot (2 bytes), has presence sensor (0 or 1), lights,
    /// doors, name.
    Identity(Identity),
    /// 82: boot (2 bytes), presence, open doors (bit 0 is door 0), then per door its edges (2 bytes).
    Status(Status),
    /// 83: light and pattern, as it is now shown.
    LightSet {
        /// Which.
        light: u8,
        /// What it shows.
        pattern: LightPattern,
    },
    /// 84: one byte of bits.
    SelfTest(SelfTest),
    /// FF: one byte, why.
    Refused(Refusal),
}

impl Answer {
    /// The answer as a frame of the present version.
    pub fn frame(&self, sequence: u8) -> Frame {
        let (kind, payload) = match self {
            Answer::Identity(identity) => (HELLO | ANSWER, identity_bytes(identity)),
            Answer::Status(status) => (STATUS | ANSWER, status_bytes(status)),
            Answer::LightSet { light, pattern } => (SET_LIGHT | ANSWER, vec![*light, code(*pattern)]),
            Answer::SelfTest(test) => (SELF_TEST | ANSWER, vec![test.bits()]),
            Answer::Refused(refusal) => (REFUSED, vec![refusal.code()]),
        };
        Frame { version: VERSION, sequence, kind, payload }
    }

    /// What a frame answers; `None` when it is no answer, or one that cannot be. The version is not looked
    /// at: a refusal of another version must be readable.
    pub fn from_frame(frame: &Frame) -> Option<Answer> {
        match (frame.kind, frame.payload.as_slice()) {
            (kind, payload) if kind == HELLO | ANSWER => identity(payload).map(Answer::Identity),
            (kind, payload) if kind == STATUS | ANSWER => status(payload).map(Answer::Status),
            (kind, &[light, shown]) if kind == SET_LIGHT | ANSWER => {
                pattern(shown).map(|pattern| Answer::LightSet { light, pattern })
            }
            (kind, &[bits]) if kind == SELF_TEST | ANSWER => {
                Some(Answer::SelfTest(SelfTest::from_bits(bits)))
            }
            (REFUSED, &[code]) => {
                Refusal::ALL.into_iter().find(|refusal| refusal.code() == code).map(Answer::Refused)
            }
            _ => None,
        }
    }
}

fn code(pattern: LightPattern) -> u8 {
    match pattern {
        LightPattern::Off => 0,
        LightPattern::On => 1,
        LightPattern::Slow => 2,
        LightPattern::Fast => 3,
    }
}

fn pattern(code: u8) -> Option<LightPattern> {
    [LightPattern::Off, LightPattern::On, LightPattern::Slow, LightPattern::Fast]
        .get(usize::from(code))
        .copied()
}

fn identity_bytes(identity: &Identity) -> Vec<u8> {
    let mut bytes = identity.serial.to_le_bytes().to_vec();
    bytes.extend([identity.firmware.0, identity.firmware.1]);
    bytes.extend(identity.boot.to_le_bytes());
    bytes.extend([u8::from(identity.has_presence_sensor), identity.lights, identity.doors]);
    bytes.extend(identity.name.bytes().take(MAX_NAME));
    bytes
}

fn identity(payload: &[u8]) -> Option<Identity> {
    let (&[s0, s1, s2, s3, major, minor, b0, b1, sensor, lights, doors], name) =
        payload.split_first_chunk()?;
    let sound = sensor <= 1 && lights <= MAX_PARTS && doors <= MAX_PARTS && name.len() <= MAX_NAME;
    let name = name.iter().all(|byte| (0x20..0x7F).contains(byte)).then_some(name)?;
    sound.then(|| Identity {
        serial: u32::from_le_bytes([s0, s1, s2, s3]),
        firmware: (major, minor),
        boot: u16::from_le_bytes([b0, b1]),
        has_presence_sensor: sensor == 1,
        lights,
        doors,
        name: name.iter().map(|byte| char::from(*byte)).collect(),
    })
}

fn status_bytes(status: &Status) -> Vec<u8> {
    let presence = match status.presence {
        PresenceReading::Far => 0,
        PresenceReading::Near => 1,
        PresenceReading::Failed => 2,
        PresenceReading::Absent => 0xFF,
    };
    let doors = status.doors.iter().take(usize::from(MAX_PARTS));
    let open = doors.clone().rev().fold(0, |bits, door| bits << 1 | u8::from(door.open));
    let mut bytes = status.boot.to_le_bytes().to_vec();
    bytes.extend([presence, open]);
    bytes.extend(doors.flat_map(|door| door.edges.to_le_bytes()));
    debug_assert!(bytes.len() <= MAX_PAYLOAD);
    bytes
}

fn status(payload: &[u8]) -> Option<Status> {
    let (&[b0, b1, presence, open], edges) = payload.split_first_chunk()?;
    let presence = match presence {
        0 => PresenceReading::Far,
        1 => PresenceReading::Near,
        2 => PresenceReading::Failed,
        0xFF => PresenceReading::Absent,
        _ => return None,
    };
    let count = edges.len() / 2;
    // A bit of a door that is not there, or half a counter: the parts do not add up.
    if edges.len() % 2 != 0 || count > usize::from(MAX_PARTS) || u32::from(open) >> count != 0 {
        return None;
    }
    let door = |(at, pair): (usize, &[u8])| DoorReading {
        open: open >> at & 1 == 1,
        edges: u16::from_le_bytes([pair[0], pair[1]]),
    };
    let doors = edges.chunks_exact(2).enumerate().map(door).collect();
    Some(Status { boot: u16::from_le_bytes([b0, b1]), presence, doors })
}
