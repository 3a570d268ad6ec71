//! The ways of typing, and which one is there first.

use super::Method;
use crate::settings::{Language, Settings, Theme};

/// A way to put text into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypingWay {
    /// 拼音.
    Pinyin,
    /// 粤拼.
    Jyutping,
    /// 笔画.
    Strokes,
    /// 手写.
    Handwriting,
    /// 生僻字, by radical and number of strokes.
    RareCharacters,
    /// 英文: letters, digits and signs, straight into the field.
    Letters,
    /// 123: digits, X and what stands between digits.
    Digits,
}

impl TypingWay {
    /// Every way, in the order in which the screen offers them. The first one is there when a field comes up, until the
    /// resident chooses another.
    ///
    /// Elders write by hand. Who reads traditional characters types strokes: the handwriting model was made of simplified
    /// characters and would offer 湾 for 灣, in 长辈版 as well.
    pub fn offered(settings: Settings) -> [TypingWay; 7] {
        use TypingWay::{Digits, Handwriting, Jyutping, Letters, Pinyin, RareCharacters, Strokes};
        match (settings.language, settings.theme) {
            (Language::ZhHans, Theme::Standard) => {
                [Pinyin, Handwriting, Strokes, Jyutping, RareCharacters, Letters, Digits]
            }
            (Language::ZhHans, Theme::Senior) => {
                [Handwriting, Strokes, Pinyin, Jyutping, RareCharacters, Letters, Digits]
            }
            (Language::ZhHant, _) => {
                [Strokes, Jyutping, Handwriting, Pinyin, RareCharacters, Letters, Digits]
            }
            (Language::En, _) => [Letters, Digits, Pinyin, Jyutping, Handwriting, Strokes, RareCharacters],
        }
    }

    /// What the engine is opened for; `None` for ways that need none.
    pub fn method(self) -> Option<Method> {
        match self {
            TypingWay::Pinyin => Some(Method::Pinyin),
            TypingWay::Jyutping => Some(Method::Jyutping),
            TypingWay::Strokes => Some(Method::Strokes),
            TypingWay::Handwriting => Some(Method::Handwriting),
            TypingWay::RareCharacters | TypingWay::Letters | TypingWay::Digits => None,
        }
    }
}
