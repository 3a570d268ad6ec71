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

/// 语音播报: whether pages are read out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VoiceChoice {
    /// In 长辈版 they are, in 标准版 they are not.
    #[default]
    AsTheTheme,
    /// The resident wants them read.
    On,
    /// The resident does not.
    Off,
}

/// One of five steps around what is usual.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Level(i8);

impl Level {
    /// The farthest from what is usual, to either side.
    pub const MOST: i8 = 2;

    /// So many steps farther, or as far as it goes.
    #[must_use]
    pub fn stepped(self, by: i8) -> Level {
        Level(self.0.saturating_add(by).clamp(-Level::MOST, Level::MOST))
    }

    /// Steps from what is usual, up to [`Level::MOST`] to either side.
    pub fn steps(self) -> i8 {
        self.0
    }
}

/// How the voice speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Manner {
    /// Slower or faster.
    pub speed: Level,
    /// Softer or louder.
    pub volume: Level,
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
    /// Whether pages are read out.
    pub voice: VoiceChoice,
    /// How.
    pub manner: Manner,
}

impl Settings {
    /// Whether pages are read out.
    pub fn speaks(self) -> bool {
        match (self.voice, self.theme) {
            (VoiceChoice::On, _) | (VoiceChoice::AsTheTheme, Theme::Senior) => true,
            (VoiceChoice::Off, _) | (VoiceChoice::AsTheTheme, Theme::Standard) => false,
        }
    }
}
