//! What every way of typing promises: keys or strokes of the pen go in, candidates come out.

use std::fmt;

use kiosk_core::Private;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::InputError;

/// Candidates in one answer, at most; more than two pages are looked at by nobody.
pub const CANDIDATES_MAX: usize = 60;
/// Keys in one composition, at most: a long name in full pinyin has 30.
pub const KEYS_MAX: usize = 48;
/// Strokes in one composition, at most: the model's most complex character has 36.
pub const STROKES_MAX: usize = 48;
/// Points in one stroke, at most; longer ones are thinned evenly. A second of drawing at a panel's usual 125 a second;
/// what recognition costs grows with every corner.
pub const POINTS_MAX: usize = 128;
/// The side of the square in which the pen moves.
pub const PEN_SIDE: u16 = 1000;
/// Bytes of one text (a candidate, what is typed), at most.
pub const TEXT_BYTES_MAX: usize = 255;

/// A way of typing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// 拼音: a to z and `'`.
    Pinyin,
    /// 粤拼 (jyut6ping3): a to z, tones 1 to 6 or none, and `'`.
    Jyutping,
    /// 笔画: h 横, s 竖, p 撇, n 点, z 折.
    Strokes,
    /// 手写: strokes of the pen.
    Handwriting,
}

/// Which characters 粤拼 shows. The other ways show what is in their data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Script {
    /// 简体.
    Simplified,
    /// 繁體, as Hong Kong writes it.
    Traditional,
}

/// One key of the keyboard on the screen.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(u8);

impl Key {
    /// A key that some way of typing has a use for: a to z, 1 to 6, `'`.
    pub fn new(character: char) -> Option<Key> {
        let known = character.is_ascii_lowercase() || matches!(character, '1'..='6' | '\'');
        known.then_some(Key(character as u8))
    }

    /// What is on it.
    pub fn character(self) -> char {
        char::from(self.0)
    }

    /// Its ASCII code.
    pub(crate) fn code(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Where the pen was, from the top left corner of a square of [`PEN_SIDE`].
#[derive(Clone, Copy, PartialEq, Eq, Zeroize)]
pub struct Point {
    /// To the right.
    pub x: u16,
    /// Downwards.
    pub y: u16,
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Point(…)")
    }
}

/// One stroke, from pen down to pen up.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Stroke(Vec<Point>);

impl Stroke {
    /// A stroke of these points; `None` without any. Points beyond the square are moved to its edge, and of more than
    /// [`POINTS_MAX`] so many are taken evenly, the first and the last among them.
    pub fn new(points: &[Point]) -> Option<Stroke> {
        let last = points.len().checked_sub(1)?;
        let kept = points.len().min(POINTS_MAX);
        let spread = |index: usize| index * last / (kept - 1).max(1);
        let inside = |point: Point| Point { x: point.x.min(PEN_SIDE - 1), y: point.y.min(PEN_SIDE - 1) };
        Some(Stroke((0..kept).map(|index| inside(points[spread(index)])).collect()))
    }

    /// Its points in the order of the pen.
    pub fn points(&self) -> &[Point] {
        &self.0
    }
}

impl fmt::Debug for Stroke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stroke({} points)", self.0.len())
    }
}

/// What a resident does to write: touches a key or draws a stroke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// For pinyin, 粤拼 and strokes.
    Key(Key),
    /// For handwriting.
    Stroke(Stroke),
}

/// What stands in the input line after a call, and what to choose from.
#[derive(Clone, PartialEq, Eq)]
pub struct Composition {
    /// What was typed and is not final, as it should be shown: `ni'hao`. Empty for handwriting.
    pub typed: Private<String>,
    /// What it may mean, the likeliest first. At most [`CANDIDATES_MAX`].
    pub candidates: Vec<Private<String>>,
    /// What became final with this call and belongs into the field; mostly empty.
    pub committed: Private<String>,
}

impl Composition {
    /// Nothing typed, nothing to choose, nothing final.
    pub fn empty() -> Composition {
        Composition { typed: Private::from(""), candidates: Vec::new(), committed: Private::from("") }
    }
}

impl fmt::Debug for Composition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Composition({} candidates, …)", self.candidates.len())
    }
}

/// A way of typing at work. Marks that it has no use for, marks beyond its bounds and candidates that are not there
/// change nothing: a finger may be faster than the screen.
pub trait InputEngine {
    /// Takes one key or one stroke.
    fn enter(&mut self, mark: &Mark) -> Result<Composition, InputError>;

    /// Takes a candidate of the last composition, counted from 0. Where it stands for a part of what was typed only, the
    /// rest remains to be chosen, and nothing is final yet.
    fn choose(&mut self, index: usize) -> Result<Composition, InputError>;

    /// Takes the last key or the last stroke back.
    fn take_back(&mut self) -> Result<Composition, InputError>;

    /// Drops what was typed and is not final.
    fn clear(&mut self) -> Result<(), InputError>;

    /// Ends a session: whatever the engine keeps of it is gone.
    fn forget(&mut self) -> Result<(), InputError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_is_bounded_and_keeps_its_ends() {
        let points: Vec<Point> = (0..5000).map(|at| Point { x: at, y: 2 * at }).collect();
        let stroke = Stroke::new(&points).unwrap();
        assert_eq!(stroke.points().len(), POINTS_MAX);
        assert!(stroke.points()[0] == Point { x: 0, y: 0 });
        assert!(stroke.points()[POINTS_MAX - 1] == Point { x: PEN_SIDE - 1, y: PEN_SIDE - 1 });
        assert_eq!(Stroke::new(&points[..1]).unwrap().points().len(), 1);
        assert_eq!(Stroke::new(&points[..7]).unwrap().points().len(), 7);
        assert!(Stroke::new(&[]).is_none());
    }

    #[test]
    fn nothing_typed_is_in_a_debug_text() {
        let composition = Composition {
            typed: Private::from("yang ben"),
            candidates: vec![Private::from("样本")],
            committed: Private::from("样"),
        };
        let mark = Mark::Key(Key::new('q').unwrap());
        let stroke = Mark::Stroke(Stroke::new(&[Point { x: 123, y: 456 }]).unwrap());
        let text = format!("{composition:?} {mark:?} {stroke:?}");
        for typed in ["yang", "样", "q", "123", "456"] {
            assert!(!text.contains(typed), "{text}");
        }
    }

    #[test]
    fn keys_that_nobody_uses_do_not_exist() {
        for character in ['A', '0', '7', ' ', '\n', '`', '/', '你', '\u{7f}'] {
            assert!(Key::new(character).is_none(), "{character:?}");
        }
        assert_eq!("az16'".chars().filter_map(Key::new).map(Key::character).collect::<String>(), "az16'");
    }
}
