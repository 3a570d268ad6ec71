//! 部首检字 as the screen shows it: the question that is open, and what can be touched. The tables lie in the program
//! (`chinese_input::picker`), so this works without the engine.

use chinese_input::picker::{self, Shape};
use kiosk_core::private::Private;
use kiosk_core::session::{Pick, Picker};
use kiosk_ui::PickerStep;
use slint::SharedString;

/// The question that is open.
pub fn step(picker: &Picker) -> PickerStep {
    match (picker.radical_strokes, &picker.radical, picker.residual_strokes) {
        (None, _, _) => PickerStep::RadicalStrokes,
        (Some(_), None, _) => PickerStep::Radical,
        (Some(_), Some(_), None) => PickerStep::ResidualStrokes,
        (Some(_), Some(_), Some(_)) => PickerStep::Character,
    }
}

/// Every answer to it, in the order of the screen.
pub fn cells(picker: &Picker) -> Vec<Pick> {
    let Some(strokes) = picker.radical_strokes else {
        let mut counts: Vec<u8> = picker::shapes().iter().map(Shape::strokes).collect();
        counts.dedup();
        return counts.into_iter().map(Pick::RadicalStrokes).collect();
    };
    let mut with_count = picker::shapes().iter().filter(|shape| shape.strokes() == strokes);
    let Some(touched) = &picker.radical else {
        return with_count.map(|shape| Pick::Radical(Private::new(shape.character()))).collect();
    };
    let Some(shape) = with_count.find(|shape| shape.character() == *touched.expose()) else {
        return Vec::new();
    };
    match picker.residual_strokes {
        None => picker::residual_strokes(shape.radical()).into_iter().map(Pick::ResidualStrokes).collect(),
        Some(count) => picker::characters(shape.radical(), count)
            .map(|character| Pick::Character(Private::new(character)))
            .collect(),
    }
}

/// What stands in a cell: a number, or a character.
pub fn words(pick: &Pick) -> SharedString {
    match pick {
        Pick::RadicalStrokes(count) | Pick::ResidualStrokes(count) => slint::format!("{count}"),
        Pick::Radical(character) | Pick::Character(character) => SharedString::from(*character.expose()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_touches_lead_to_a_rare_character() {
        let mut picker = Picker::default();
        assert_eq!(step(&picker), PickerStep::RadicalStrokes);
        assert_eq!(words(&cells(&picker)[0]), "1");
        picker.radical_strokes = Some(5);
        assert_eq!(step(&picker), PickerStep::Radical);
        assert!(cells(&picker).contains(&Pick::Radical(Private::new('龙'))));
        picker.radical = Some(Private::new('龙'));
        assert_eq!(step(&picker), PickerStep::ResidualStrokes);
        assert!(cells(&picker).contains(&Pick::ResidualStrokes(4)));
        picker.residual_strokes = Some(4);
        assert_eq!(step(&picker), PickerStep::Character);
        assert!(cells(&picker).contains(&Pick::Character(Private::new('䶮'))));
    }

    #[test]
    fn a_radical_that_nobody_could_touch_leads_nowhere() {
        let picker =
            Picker { radical_strokes: Some(1), radical: Some(Private::new('龙')), residual_strokes: None };
        assert!(cells(&picker).is_empty());
    }

    #[test]
    fn no_number_of_strokes_stands_there_twice() {
        let counts = cells(&Picker::default());
        let distinct: std::collections::BTreeSet<SharedString> = counts.iter().map(words).collect();
        assert_eq!(distinct.len(), counts.len());
    }
}
