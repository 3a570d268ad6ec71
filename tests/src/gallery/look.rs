//! How a screen looks: everything that changes its picture and is not what it shows. Few looks that together hold every
//! pair of values stand for the ninety-six that there are.

use kiosk_core::settings::{Contrast, Language, TextSize, Theme};
use slint::PhysicalSize;
use std::collections::BTreeSet;

/// How the panel stands: 1080 × 1920 pixels on 21.5 inches, or the same lying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Portrait.
    Upright,
    /// Landscape.
    Sideways,
}

impl Panel {
    /// Both.
    pub const ALL: [Panel; 2] = [Panel::Upright, Panel::Sideways];

    /// In pixels; a pixel is as large either way.
    pub fn size(self) -> PhysicalSize {
        match self {
            Panel::Upright => PhysicalSize::new(1080, 1920),
            Panel::Sideways => PhysicalSize::new(1920, 1080),
        }
    }
}

/// One way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// 标准版 or 长辈版.
    pub theme: Theme,
    /// Usual colours, or high contrast.
    pub contrast: Contrast,
    /// The language of the words.
    pub language: Language,
    /// How large they are.
    pub size: TextSize,
    /// How the panel stands.
    pub panel: Panel,
}

/// How many values a look has.
const VALUES: usize = 5;

impl Look {
    /// What the next resident finds.
    pub const USUAL: Look = Look {
        theme: Theme::Standard,
        contrast: Contrast::Normal,
        language: Language::ZhHans,
        size: TextSize::Normal,
        panel: Panel::Upright,
    };

    /// Every look that there is, in a fixed order.
    pub fn all() -> Vec<Look> {
        let mut looks = Vec::new();
        for theme in [Theme::Standard, Theme::Senior] {
            for language in Language::ALL {
                for size in TextSize::ALL {
                    for contrast in [Contrast::Normal, Contrast::High] {
                        looks.extend(Panel::ALL.map(|panel| Look { theme, contrast, language, size, panel }));
                    }
                }
            }
        }
        looks
    }

    /// `senior-en-largest-high-sideways`: what is usual is not said.
    pub fn name(&self) -> String {
        let mut words = vec![match self.theme {
            Theme::Standard => "standard",
            Theme::Senior => "senior",
        }];
        words.push(match self.language {
            Language::ZhHans => "zh-hans",
            Language::ZhHant => "zh-hant",
            Language::En => "en",
        });
        words.extend(match self.size {
            TextSize::Normal => None,
            TextSize::Large => Some("large"),
            TextSize::Larger => Some("larger"),
            TextSize::Largest => Some("largest"),
        });
        words.extend((self.contrast == Contrast::High).then_some("high"));
        words.extend((self.panel == Panel::Sideways).then_some("sideways"));
        words.join("-")
    }

    /// The values as numbers, each with the number of its kind.
    fn values(&self) -> [(usize, usize); VALUES] {
        let language = Language::ALL.iter().position(|language| *language == self.language);
        let size = TextSize::ALL.iter().position(|size| *size == self.size);
        [
            (0, usize::from(self.theme == Theme::Senior)),
            (1, usize::from(self.contrast == Contrast::High)),
            (2, language.unwrap_or_default()),
            (3, size.unwrap_or_default()),
            (4, usize::from(self.panel == Panel::Sideways)),
        ]
    }

    fn pairs(&self) -> impl Iterator<Item = Pair> + use<> {
        let values = self.values();
        (0..VALUES).flat_map(move |a| (a + 1..VALUES).map(move |b| (values[a], values[b])))
    }
}

type Pair = ((usize, usize), (usize, usize));

/// Looks that together hold every pair of values: greedy, so always the same.
pub fn pairwise() -> Vec<Look> {
    let all = Look::all();
    let mut open: BTreeSet<Pair> = all.iter().flat_map(Look::pairs).collect();
    let mut chosen = Vec::new();
    while let Some(look) = best(&all, |look| look.pairs().filter(|pair| open.contains(pair)).count()) {
        look.pairs().for_each(|pair| {
            open.remove(&pair);
        });
        chosen.push(look);
    }
    chosen
}

/// Deals looks to screens, so many to each: every screen gets both themes, both contrasts, both panels and as many
/// languages and sizes as it can, and over all of them every pair of values comes up again and again.
#[derive(Default)]
pub struct Dealer {
    open: BTreeSet<Pair>,
}

impl Dealer {
    /// So many looks for the next screen.
    pub fn deal(&mut self, many: usize) -> Vec<Look> {
        let all = Look::all();
        let mut values = BTreeSet::new();
        let mut chosen = Vec::new();
        for _ in 0..many {
            if self.open.is_empty() {
                self.open = all.iter().flat_map(Look::pairs).collect();
            }
            let worth = |look: &Look| {
                let fresh = look.values().iter().filter(|value| !values.contains(*value)).count();
                fresh * 2 * VALUES * VALUES + look.pairs().filter(|pair| self.open.contains(pair)).count()
            };
            let Some(look) = best(&all, worth) else { break };
            values.extend(look.values());
            look.pairs().for_each(|pair| {
                self.open.remove(&pair);
            });
            chosen.push(look);
        }
        chosen
    }
}

/// The first of the worthiest; none when nothing is worth anything.
fn best(looks: &[Look], worth: impl Fn(&Look) -> usize) -> Option<Look> {
    let most = looks.iter().map(&worth).max().filter(|most| *most > 0)?;
    looks.iter().find(|look| worth(look) == most).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dozen_looks_hold_every_pair() {
        let chosen = pairwise();
        let held: BTreeSet<Pair> = chosen.iter().flat_map(Look::pairs).collect();
        let every: BTreeSet<Pair> = Look::all().iter().flat_map(Look::pairs).collect();
        assert_eq!(held, every);
        assert!(chosen.len() <= 16, "{} looks", chosen.len());
    }

    #[test]
    fn each_screen_gets_both_of_everything_and_all_screens_every_pair() {
        let mut dealer = Dealer::default();
        let mut held = BTreeSet::new();
        for _ in 0..8 {
            let looks = dealer.deal(3);
            let values: BTreeSet<_> = looks.iter().flat_map(Look::values).collect();
            assert_eq!(values.len(), 2 + 2 + 3 + 3 + 2, "{looks:?}");
            held.extend(looks.iter().flat_map(Look::pairs));
        }
        let every: BTreeSet<Pair> = Look::all().iter().flat_map(Look::pairs).collect();
        assert_eq!(held, every);
    }

    #[test]
    fn every_look_has_a_name_of_its_own() {
        let names: BTreeSet<String> = Look::all().iter().map(Look::name).collect();
        assert_eq!(names.len(), 96);
    }
}
