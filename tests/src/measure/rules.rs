//! What must hold for the words and controls of any screen, but for their colours.

use super::tally::{Kind, Measured};
use super::tree::{Area, Element, Text, Tree, What};
use kiosk_core::settings::Theme;

/// The limits of a theme.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of a control's shorter side, in millimetres.
    pub touch_mm: f32,
    /// Of a digit's key.
    pub digit_mm: f32,
    /// Of a capital letter's height, in millimetres.
    pub capital_mm: f32,
    /// Of words against their ground.
    pub contrast: f32,
}

impl Limits {
    /// 12 mm and 4.8 mm (Section 508, 402.4), and for elders 16 mm and 0.7° at 600 mm (EN 301 549, 5.1.4).
    pub fn of(theme: Theme) -> Limits {
        match theme {
            Theme::Standard => Limits { touch_mm: 12.0, digit_mm: 12.0, capital_mm: 4.8, contrast: 4.5 },
            Theme::Senior => Limits { touch_mm: 16.0, digit_mm: 20.0, capital_mm: 7.3, contrast: 7.0 },
        }
    }
}

/// Noto Sans CJK draws its capitals so high, in em.
const CAPITAL_EM: f32 = 0.733;
/// Above and below its ink a line of it has so much air, in em.
pub(super) const AIR_EM: f32 = 0.22;

/// Measures everything that can be seen and touched. `mm` is a millimetre in pixels.
pub fn judge(tree: &Tree, mm: f32, limits: Limits) -> Vec<Measured> {
    let mut found = Vec::new();
    let shown: Vec<(usize, &Element)> = tree
        .elements
        .iter()
        .enumerate()
        .filter(|(_, element)| !element.covered && !element.seen.is_empty())
        .collect();
    for (_, element) in &shown {
        match &element.what {
            What::Control { label, .. } => control(element, label, mm, limits, &mut found),
            What::Text(text) => words(element, text, mm, limits, &mut found),
            What::Gesture => found.push(Measured::holds(Kind::Gesture, false, "must be dragged")),
        }
        found.push(inside(element, tree.window));
    }
    found.push(Measured::holds(Kind::Gesture, true, "taps only"));
    overlaps(&shown, &mut found);
    order(tree, &shown, &mut found);
    found
}

fn control(element: &Element, label: &str, mm: f32, limits: Limits, found: &mut Vec<Measured>) {
    let digit = label.len() == 1 && label.bytes().all(|byte| byte.is_ascii_digit());
    let least = if digit { limits.digit_mm } else { limits.touch_mm };
    found.push(Measured::new(Kind::Touch, element.area.w.min(element.area.h) / mm, least, label));
    found.push(Measured::holds(Kind::Label, !label.trim().is_empty(), format!("{label} {:?}", element.area)));
}

fn words(element: &Element, text: &Text, mm: f32, limits: Limits, found: &mut Vec<Measured>) {
    found.push(Measured::new(Kind::Capitals, text.size * CAPITAL_EM / mm, limits.capital_mm, &text.words));
    let room = (element.area.w + 1.0) / text.width_needed.max(1.0);
    found.push(Measured::new(Kind::CutOff, room.min(2.0), 1.0, format!("width of {}", text.words)));
    if !text.in_field {
        let room = (element.area.h + 2.0 * AIR_EM * text.size) / text.height_needed.max(1.0);
        found.push(Measured::new(Kind::CutOff, room.min(2.0), 1.0, format!("height of {}", text.words)));
    }
}

/// Where something is drawn: a text's box without its air, a control without its rounded pixels.
fn ink(element: &Element) -> Area {
    match &element.what {
        What::Text(text) => element.area.shrunk(1.0, AIR_EM * text.size),
        What::Control { .. } | What::Gesture => element.area.shrunk(1.0, 1.0),
    }
}

/// All of it is seen, in the window and in whatever it stands in. What a field holds may be longer than the field.
fn inside(element: &Element, window: Area) -> Measured {
    let ink = ink(element);
    let whole = ink.w * ink.h;
    let in_field = matches!(&element.what, What::Text(text) if text.in_field);
    let parts = [element.seen, element.room, window].map(|of| {
        let part = ink.within(of);
        if whole > 0.0 && !in_field { part.w * part.h / whole } else { 1.0 }
    });
    let least = parts.into_iter().fold(1.0, f32::min);
    Measured::new(Kind::CutOff, least, 1.0, format!("{} at {:?}", element.name(), element.area))
}

fn overlaps(shown: &[(usize, &Element)], found: &mut Vec<Measured>) {
    for (nth, (at, one)) in shown.iter().enumerate() {
        for (other_at, other) in &shown[nth + 1..] {
            let own = one.of == Some(*other_at) || other.of == Some(*at);
            let common = ink(one).within(one.seen).within(ink(other).within(other.seen));
            if !own && !common.is_empty() {
                let said =
                    format!("{} over {} by {:.0} × {:.0} px", other.name(), one.name(), common.w, common.h);
                found.push(Measured::holds(Kind::Overlap, false, said));
            }
        }
    }
    found.push(Measured::holds(Kind::Overlap, true, "beside each other"));
}

/// Who reads with the ears goes down a page, column by column; what lies over a page is read after it.
fn order(tree: &Tree, shown: &[(usize, &Element)], found: &mut Vec<Measured>) {
    let on_top = |at: usize| tree.veil.is_some_and(|veil| at >= veil);
    let controls: Vec<_> =
        shown.iter().filter(|(_, element)| matches!(element.what, What::Control { .. })).collect();
    for pair in controls.windows(2) {
        let [(at, one), (next_at, next)] = [pair[0], pair[1]];
        let common = (one.area.x + one.area.w).min(next.area.x + next.area.w) - one.area.x.max(next.area.x);
        let same_column = common > one.area.w.min(next.area.w) / 2.0;
        let jumps = same_column && next.area.y + next.area.h <= one.area.y && on_top(*at) == on_top(*next_at);
        found.push(Measured::holds(Kind::Order, !jumps, format!("{} after {}", next.name(), one.name())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Area = Area { x: 0.0, y: 0.0, w: 1000.0, h: 1000.0 };

    fn area(x: f32, y: f32, w: f32, h: f32) -> Area {
        Area { x, y, w, h }
    }

    fn button(label: &str, area: Area) -> Element {
        let what = What::Control { label: label.to_owned(), id: String::new(), enabled: true };
        Element { what, area, seen: area.within(WINDOW), room: WINDOW, of: None, covered: false }
    }

    /// A line of type 30 pixels high in a box, where it needs so much.
    fn text(needs: (f32, f32), area: Area) -> Element {
        let (width_needed, height_needed) = needs;
        let what = What::Text(Text {
            words: "words".to_owned(),
            size: 30.0,
            rgb: [0; 3],
            width_needed,
            height_needed,
            in_field: false,
        });
        Element { what, area, seen: area.within(WINDOW), room: WINDOW, of: None, covered: false }
    }

    /// What is wrong, at four pixels a millimetre in the standard theme.
    fn wrong(elements: Vec<Element>) -> Vec<Kind> {
        let tree = Tree::of(elements, WINDOW);
        let mut kinds: Vec<Kind> = judge(&tree, 4.0, Limits::of(Theme::Standard))
            .iter()
            .filter(|measured| measured.is_wrong())
            .map(|measured| measured.kind)
            .collect();
        kinds.dedup();
        kinds
    }

    #[test]
    fn a_good_screen_has_nothing_wrong() {
        let on_button = Element { of: Some(0), ..text((90.0, 43.0), area(10.0, 10.0, 100.0, 43.0)) };
        let elements = vec![
            button("a", area(0.0, 0.0, 120.0, 60.0)),
            on_button,
            button("b", area(0.0, 70.0, 120.0, 60.0)),
            text((90.0, 43.0), area(0.0, 140.0, 100.0, 43.0)),
        ];
        assert_eq!(wrong(elements), []);
    }

    #[test]
    fn small_controls_and_small_words_are_found() {
        assert_eq!(wrong(vec![button("a", area(0.0, 0.0, 400.0, 47.0))]), [Kind::Touch]);
        let mut small = text((90.0, 20.0), area(0.0, 0.0, 100.0, 30.0));
        if let What::Text(text) = &mut small.what {
            text.size = 20.0;
        }
        assert_eq!(wrong(vec![small]), [Kind::Capitals]);
    }

    #[test]
    fn words_that_need_more_than_their_box_are_found() {
        assert_eq!(wrong(vec![text((120.0, 43.0), area(0.0, 0.0, 100.0, 43.0))]), [Kind::CutOff]);
        assert_eq!(wrong(vec![text((90.0, 86.0), area(0.0, 0.0, 100.0, 43.0))]), [Kind::CutOff]);
    }

    #[test]
    fn what_stands_out_of_the_window_its_clip_or_its_parent_is_found() {
        assert_eq!(wrong(vec![button("a", area(950.0, 0.0, 100.0, 100.0))]), [Kind::CutOff]);
        let clipped =
            Element { seen: area(0.0, 0.0, 100.0, 20.0), ..text((90.0, 43.0), area(0.0, 0.0, 100.0, 43.0)) };
        assert_eq!(wrong(vec![clipped]), [Kind::CutOff]);
        let out = Element { room: area(0.0, 0.0, 100.0, 40.0), ..button("a", area(0.0, 0.0, 100.0, 60.0)) };
        assert_eq!(wrong(vec![out]), [Kind::CutOff]);
    }

    #[test]
    fn what_lies_over_something_is_found_unless_it_covers_it_on_purpose() {
        let (below, above) =
            (button("a", area(0.0, 0.0, 100.0, 100.0)), button("b", area(0.0, 90.0, 100.0, 100.0)));
        assert_eq!(wrong(vec![below.clone(), above.clone()]), [Kind::Overlap]);
        let stray = text((90.0, 43.0), area(0.0, 30.0, 100.0, 43.0));
        assert_eq!(wrong(vec![below.clone(), stray]), [Kind::Overlap]);
        assert_eq!(wrong(vec![Element { covered: true, ..below }, above]), []);
    }

    #[test]
    fn a_control_without_a_name_a_jump_back_and_a_gesture_are_found() {
        assert_eq!(wrong(vec![button(" ", area(0.0, 0.0, 100.0, 100.0))]), [Kind::Label]);
        let (low, high) =
            (button("low", area(0.0, 200.0, 100.0, 100.0)), button("high", area(0.0, 0.0, 100.0, 100.0)));
        assert_eq!(wrong(vec![low, high]), [Kind::Order]);
        let drag = Element { what: What::Gesture, ..button("", area(0.0, 0.0, 100.0, 100.0)) };
        assert_eq!(wrong(vec![drag]), [Kind::Gesture]);
    }
}
