//! A scanner that types: the key events of Linux (`struct input_event`), and the characters of a US keyboard.
//!
//! One event is 24 bytes on 64-bit Linux: seconds and microseconds (8 each), type and code (2 each), value (4), in
//! the machine's order. Of keys only presses count; a scanner holds Shift, Ctrl and Alt as a person would. What a US
//! layout has no key for comes as Alt and digits of the number block, when the scanner is set so.

use std::fmt;

use zeroize::Zeroize;

/// Bytes of an event.
pub const EVENT_BYTES: usize = 24;

// linux/input-event-codes.h
const EV_SYN: u16 = 0x00;
const EV_KEY: u16 = 0x01;
const SYN_DROPPED: u16 = 3;
const LEFT_CTRL: u16 = 29;
const LEFT_SHIFT: u16 = 42;
const RIGHT_SHIFT: u16 = 54;
const LEFT_ALT: u16 = 56;
const CAPS_LOCK: u16 = 58;
const NUM_LOCK: u16 = 69;
const KP_ENTER: u16 = 96;
const RIGHT_CTRL: u16 = 97;
const KP_SLASH: u16 = 98;
const RIGHT_ALT: u16 = 100;

/// Keys 1 to 57 of a US keyboard, as they are and with Shift; NUL where there is no character.
const PLAIN: &[u8; 57] = b"\x001234567890-=\0\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
const SHIFTED: &[u8; 57] = b"\x00!@#$%^&*()_+\0\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
/// Keys 71 to 83: the number block.
const NUMBERS: &[u8; 13] = b"789-456+1230.";

/// What was typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A byte of a code, or CR.
    Byte(u8),
    /// Something was typed that is not known any more, or stands for no character: the code has a hole.
    Lost,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Key::Byte(_) => "Byte([redacted])",
            Key::Lost => "Lost",
        })
    }
}

/// Turns events into bytes, however they are cut into pieces.
#[derive(Default)]
pub struct KeyDecoder {
    event: [u8; EVENT_BYTES],
    filled: usize,
    waiting: std::collections::VecDeque<Key>,
    left_shift: bool,
    right_shift: bool,
    ctrl: bool,
    caps: bool,
    /// While Alt is held: the number that its digits make, when there were any.
    alt: Option<Option<u32>>,
}

impl KeyDecoder {
    /// A keyboard on which nothing is pressed.
    pub fn new() -> KeyDecoder {
        KeyDecoder::default()
    }

    /// Takes bytes that have come.
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.event[self.filled] = *byte;
            self.filled += 1;
            if self.filled == EVENT_BYTES {
                self.filled = 0;
                self.event();
            }
        }
    }

    /// The next key that was typed.
    pub fn next_key(&mut self) -> Option<Key> {
        self.waiting.pop_front()
    }

    fn event(&mut self) {
        let [.., t0, t1, c0, c1, v0, v1, v2, v3] = self.event;
        let (kind, code) = (u16::from_ne_bytes([t0, t1]), u16::from_ne_bytes([c0, c1]));
        let value = i32::from_ne_bytes([v0, v1, v2, v3]);
        self.event.zeroize();
        match (kind, value) {
            (EV_SYN, _) if code == SYN_DROPPED => self.waiting.push_back(Key::Lost),
            (EV_KEY, 0) => self.released(code),
            (EV_KEY, 1) => self.pressed(code),
            // Keys that repeat because they are held, and everything that is no key.
            _ => {}
        }
    }

    fn released(&mut self, code: u16) {
        match code {
            LEFT_SHIFT => self.left_shift = false,
            RIGHT_SHIFT => self.right_shift = false,
            LEFT_CTRL | RIGHT_CTRL => self.ctrl = false,
            LEFT_ALT | RIGHT_ALT => {
                if let Some(Some(number)) = self.alt.take() {
                    self.number(number);
                }
            }
            _ => {}
        }
    }

    /// What Alt and digits stand for: a byte, or two bytes of a character in the scanner's code page.
    fn number(&mut self, number: u32) {
        match u16::try_from(number).map(u16::to_be_bytes) {
            Ok([0, low]) => self.waiting.push_back(Key::Byte(low)),
            Ok(both) => self.waiting.extend(both.map(Key::Byte)),
            Err(_) => self.waiting.push_back(Key::Lost),
        }
    }

    fn pressed(&mut self, code: u16) {
        match code {
            LEFT_SHIFT => self.left_shift = true,
            RIGHT_SHIFT => self.right_shift = true,
            LEFT_CTRL | RIGHT_CTRL => self.ctrl = true,
            LEFT_ALT | RIGHT_ALT => self.alt = Some(None),
            CAPS_LOCK => self.caps = !self.caps,
            NUM_LOCK => {}
            _ => {
                let key = self.character(code);
                self.waiting.extend(key);
            }
        }
    }

    fn character(&mut self, code: u16) -> Option<Key> {
        let number = code.checked_sub(71).and_then(|at| NUMBERS.get(usize::from(at))).copied();
        if let Some(typed) = &mut self.alt {
            // Digits of the number block are gathered; anything else with Alt is a command.
            let Some(digit) = number.filter(u8::is_ascii_digit) else { return Some(Key::Lost) };
            *typed = Some(typed.unwrap_or(0).saturating_mul(10).saturating_add(u32::from(digit - b'0')));
            return None;
        }
        let shift = self.left_shift || self.right_shift;
        let of =
            |keys: &[u8; 57]| keys.get(usize::from(code).wrapping_sub(1)).copied().filter(|byte| *byte != 0);
        let byte = match (of(PLAIN), of(SHIFTED)) {
            (Some(plain), Some(_)) if plain.is_ascii_lowercase() && shift == self.caps => plain,
            (Some(plain), Some(upper)) if plain.is_ascii_lowercase() => upper,
            (Some(plain), Some(upper)) => {
                if shift {
                    upper
                } else {
                    plain
                }
            }
            _ => match code {
                KP_ENTER => b'\r',
                KP_SLASH => b'/',
                _ => match number {
                    Some(byte) => byte,
                    None => return Some(Key::Lost),
                },
            },
        };
        Some(Key::Byte(if self.ctrl { byte & 0x1F } else { byte }))
    }
}

impl fmt::Debug for KeyDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyDecoder({} keys, [redacted])", self.waiting.len())
    }
}

/// The events with which a scanner types one byte: a key, with Shift if needed; CR is Enter. What has no key is typed
/// as Alt and three digits.
pub fn typed(byte: u8) -> Vec<[u8; EVENT_BYTES]> {
    let place =
        |keys: &[u8; 57]| keys.iter().position(|key| *key == byte && byte != 0).map(|at| at as u16 + 1);
    match (place(PLAIN), place(SHIFTED)) {
        (Some(code), _) => stroke(code),
        (None, Some(code)) => held(LEFT_SHIFT, stroke(code)),
        (None, None) => {
            let digits = format!("{byte:03}");
            let key = |digit: u8| NUMBERS.iter().position(|key| *key == digit).map_or(0, |at| at as u16 + 71);
            held(LEFT_ALT, digits.bytes().flat_map(|digit| stroke(key(digit))).collect())
        }
    }
}

/// The event by which the kernel says that it had to drop some.
pub fn dropped() -> [u8; EVENT_BYTES] {
    event(EV_SYN, SYN_DROPPED, 0)
}

fn held(modifier: u16, strokes: Vec<[u8; EVENT_BYTES]>) -> Vec<[u8; EVENT_BYTES]> {
    let (down, up) = (
        [event(EV_KEY, modifier, 1), event(EV_SYN, 0, 0)],
        [event(EV_KEY, modifier, 0), event(EV_SYN, 0, 0)],
    );
    [&down[..], &strokes, &up].concat()
}

fn stroke(code: u16) -> Vec<[u8; EVENT_BYTES]> {
    let syn = event(EV_SYN, 0, 0);
    vec![event(EV_KEY, code, 1), syn, event(EV_KEY, code, 0), syn]
}

fn event(kind: u16, code: u16, value: i32) -> [u8; EVENT_BYTES] {
    let mut event = [0; EVENT_BYTES];
    event[16..18].copy_from_slice(&kind.to_ne_bytes());
    event[18..20].copy_from_slice(&code.to_ne_bytes());
    event[20..].copy_from_slice(&value.to_ne_bytes());
    event
}
