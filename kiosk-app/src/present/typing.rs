//! The keyboard of a field of text, as the screen shows it: candidates laid in rows, and which ways there are.

use kiosk_core::private::Private;
use kiosk_core::session::{Typing, TypingWay};
use kiosk_core::settings::Theme;
use kiosk_ui as ui;

/// Rows of candidates when many are shown at once: the row above the keys, and four in place of the keys.
pub const ROWS_EXPANDED: usize = 5;

/// A row of candidates is so many units wide; each is as wide as a character at the theme's title size (12 and 15 mm) on
/// the narrower of both panels.
pub fn units(theme: Theme) -> usize {
    match theme {
        Theme::Standard => 19,
        Theme::Senior => 15,
    }
}

/// One page of candidates.
pub struct Page {
    /// What stands on it.
    pub candidates: Vec<ui::Candidate>,
    /// Whether there is a page before.
    pub has_previous: bool,
    /// Whether there is one after.
    pub has_next: bool,
}

/// The page that is shown. A page beyond the last is the last: the session does not know how much fits on one.
pub fn page(typing: &Typing, theme: Theme) -> Page {
    let rows = rows(&typing.composition.candidates, units(theme));
    let on_page = if typing.expanded { ROWS_EXPANDED } else { 1 };
    let pages = rows.len().div_ceil(on_page);
    let page = typing.page.min(pages.saturating_sub(1));
    let shown = rows.iter().skip(page * on_page).take(on_page).enumerate();
    let candidates = shown.flat_map(|(row, cells)| {
        cells.iter().map(move |cell| ui::Candidate {
            text: typing.composition.candidates[cell.at].expose().as_str().into(),
            at: cell.at as i32,
            row: row as i32,
            place: cell.place as i32,
            units: cell.units as i32,
        })
    });
    Page { candidates: candidates.collect(), has_previous: page > 0, has_next: page + 1 < pages }
}

struct Cell {
    at: usize,
    place: usize,
    units: usize,
}

/// Lays candidates side by side, each a unit wider than its characters so that fingers tell them apart.
fn rows(candidates: &[Private<String>], units: usize) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut taken = units;
    for (at, candidate) in candidates.iter().enumerate() {
        let wanted = (candidate.expose().chars().count() + 1).clamp(2, units);
        if taken + wanted > units {
            rows.push(Vec::new());
            taken = 0;
        }
        if let Some(row) = rows.last_mut() {
            row.push(Cell { at, place: taken, units: wanted });
        }
        taken += wanted;
    }
    rows
}

/// The way as the markup knows it.
pub fn way_kind(way: TypingWay) -> ui::TypingWay {
    match way {
        TypingWay::Pinyin => ui::TypingWay::Pinyin,
        TypingWay::Jyutping => ui::TypingWay::Jyutping,
        TypingWay::Strokes => ui::TypingWay::Strokes,
        TypingWay::Handwriting => ui::TypingWay::Handwriting,
        TypingWay::RareCharacters => ui::TypingWay::RareCharacters,
        TypingWay::Letters => ui::TypingWay::Letters,
        TypingWay::Digits => ui::TypingWay::Digits,
    }
}

/// The way as the session knows it.
pub fn way_of(kind: ui::TypingWay) -> TypingWay {
    match kind {
        ui::TypingWay::Pinyin => TypingWay::Pinyin,
        ui::TypingWay::Jyutping => TypingWay::Jyutping,
        ui::TypingWay::Strokes => TypingWay::Strokes,
        ui::TypingWay::Handwriting => TypingWay::Handwriting,
        ui::TypingWay::RareCharacters => TypingWay::RareCharacters,
        ui::TypingWay::Letters => TypingWay::Letters,
        ui::TypingWay::Digits => TypingWay::Digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiosk_core::session::Composition;

    fn typing(texts: &[&str], page: usize, expanded: bool) -> Typing {
        let candidates = texts.iter().map(|text| Private::from(*text)).collect();
        let mut typing = Typing::default();
        typing.composition = Composition { typed: None, candidates };
        (typing.page, typing.expanded) = (page, expanded);
        typing
    }

    #[test]
    fn every_candidate_stands_on_one_page_and_inside_its_row() {
        let texts: Vec<String> = (1..=60).map(|n| "样".repeat(1 + n % 7)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for theme in [Theme::Standard, Theme::Senior] {
            for expanded in [false, true] {
                let mut seen = Vec::new();
                for number in 0.. {
                    let page = page(&typing(&texts, number, expanded), theme);
                    assert_eq!(page.has_previous, number > 0);
                    for cell in &page.candidates {
                        assert!(cell.place + cell.units <= units(theme) as i32);
                        assert!((cell.row as usize) < if expanded { ROWS_EXPANDED } else { 1 });
                        seen.push(cell.at);
                    }
                    if !page.has_next {
                        break;
                    }
                }
                assert_eq!(seen, (0..60).collect::<Vec<i32>>());
            }
        }
    }

    #[test]
    fn a_page_beyond_the_last_is_the_last_and_a_long_word_has_a_row_of_its_own() {
        let long = "样".repeat(40);
        let page = page(&typing(&["你", &long, "好"], 9, false), Theme::Senior);
        assert_eq!((page.candidates[0].at, page.has_next), (2, false));
        assert!(super::page(&typing(&[], 3, true), Theme::Standard).candidates.is_empty());
    }
}
