//! What a resident may choose about the kiosk itself; all of it returns to its default at the end.

/// The language of every screen and print-out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Simplified Chinese, the default.
    #[default]
    ZhHans,
    /// Traditional Chinese as used in Hong Kong and Macao.
    ZhHant,
    /// English.
    En,
}

impl Language {
    /// Every language, in the order of the switch on the screen.
    pub const ALL: [Language; 3] = [Language::ZhHans, Language::ZhHant, Language::En];

    /// The BCP 47 tag that files, folders and records use.
    pub fn tag(self) -> &'static str {
        match self {
            Language::ZhHans => "zh-Hans",
            Language::ZhHant => "zh-Hant",
            Language::En => "en",
        }
    }
}

/// 标准版 or 长辈版.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// 标准版.
    #[default]
    Standard,
    /// 长辈版: larger type and targets, longer waits.
    Senior,
}

/// 字号: how much larger the words of a page are than the theme's own. How much that is, the markup knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TextSize {
    /// 标准: the theme's own.
    #[default]
    Normal,
    /// 大.
    Large,
    /// 更大.
    Larger,
    /// 最大.
    Largest,
}

impl TextSize {
    /// Every size, from the smallest.
    pub const ALL: [TextSize; 4] = [TextSize::Normal, TextSize::Large, TextSize::Larger, TextSize::Largest];
}

/// 对比: how far words stand out from their ground.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Contrast {
    /// The theme's own colours.
    #[default]
    Normal,
    /// 高对比: white and yellow on black.
    High,
}

/// A resident's choices. `Default` is what the next resident finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Language of screens and print-outs.
    pub language: Language,
    /// 标准版 or 长辈版.
    pub theme: Theme,
    /// 字号.
    pub text_size: TextSize,
    /// 高对比 or not.
    pub contrast: Contrast,
}
