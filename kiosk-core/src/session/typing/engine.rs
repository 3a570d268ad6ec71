//! What is asked of the engine that turns marks into characters, and what it answers. Its own crate is not known here:
//! the kiosk process converts at the border.

use crate::private::Private;
use crate::remedy::Remedy;
use crate::session::Ticket;
use crate::settings::Language;
use std::fmt;
use zeroize::Zeroize;

/// Strokes in one drawn character, at most; the most complex ones have fewer.
pub const STROKES_MAX: usize = 48;

/// A way of typing that needs the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// 拼音.
    Pinyin,
    /// 粤拼.
    Jyutping,
    /// 笔画.
    Strokes,
    /// 手写.
    Handwriting,
}

/// Which characters 粤拼 shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Script {
    /// 简体.
    Simplified,
    /// 繁體, as Hong Kong writes it.
    Traditional,
}

impl Script {
    /// The script of a language of the screen.
    pub(super) fn of(language: Language) -> Script {
        match language {
            Language::ZhHant => Script::Traditional,
            Language::ZhHans | Language::En => Script::Simplified,
        }
    }
}

/// Where the pen was on its square: thousandths of the side, from the top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Zeroize)]
pub struct PenPoint {
    /// To the right, 0 to 999.
    pub x: u16,
    /// Downwards, 0 to 999.
    pub y: u16,
}

/// What a resident does to write: touches a key or draws a stroke.
#[derive(Clone, PartialEq)]
pub enum Mark {
    /// A letter, a tone, `'`, or one of `hspnz` for 横竖撇点折.
    Key(char),
    /// From pen down to pen up.
    Stroke(Private<Vec<PenPoint>>),
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mark(…)")
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineQuestion {
    /// Be ready for this way of typing, with nothing typed.
    Open(Method, Script),
    /// Take this mark.
    Enter(Mark),
    /// Take this candidate of the last answer, counted from 0.
    Choose(usize),
    /// Take the last mark back.
    TakeBack,
    /// Drop what is not final.
    Clear,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineAnswer {
    /// It was done.
    Composed {
        /// Of the question.
        ticket: Ticket,
        /// What is typed and not final, as it should be shown.
        typed: Private<String>,
        /// What it may mean.
        candidates: Vec<Private<String>>,
        /// What became final with this question; mostly empty.
        committed: Private<String>,
    },
    /// It was not: what was typed and not final is gone. `Retry` when another engine is ready at once.
    Lost(Ticket, Remedy),
}

impl EngineAnswer {
    pub(super) fn ticket(&self) -> Ticket {
        match self {
            EngineAnswer::Composed { ticket, .. } | EngineAnswer::Lost(ticket, _) => *ticket,
        }
    }
}
