//! What was fetched, in the words of the catalog: a raw value that the catalog cannot say is shown as missing.

use crate::catalog::{data_language, words};
use kiosk_core::session::{CannotAsk, FetchedValue, Unfetched};
use kiosk_core::settings::Language;
use kiosk_ui::{FetchedRow, Line, UnfetchedKind};
use service_catalog::Field;
use slint::SharedString;

/// What stands where there is nothing to show.
const MISSING: &str = "—";

/// Values that stand by themselves, in the order of the catalog.
pub fn facts(fields: &[Field], values: &[FetchedValue], language: Language) -> Vec<Line> {
    fields
        .iter()
        .map(|field| Line {
            label: words(&field.label, language).into(),
            value: shown(field, values, language),
            field: field.key.as_str().into(),
            changeable: false,
        })
        .collect()
}

/// What the columns are called.
pub fn names(columns: &[Field], language: Language) -> FetchedRow {
    row_of(columns.iter().map(|field| words(&field.label, language).into()))
}

/// A row, in the order of the columns.
pub fn row(columns: &[Field], values: &[FetchedValue], language: Language) -> FetchedRow {
    row_of(columns.iter().map(|field| shown(field, values, language)))
}

fn row_of(mut cells: impl Iterator<Item = SharedString>) -> FetchedRow {
    let mut next = || cells.next().unwrap_or_default();
    FetchedRow { first: next(), second: next(), third: next(), fourth: next() }
}

fn shown(field: &Field, values: &[FetchedValue], language: Language) -> SharedString {
    let raw = values.iter().find(|(key, _)| *key == field.key).map(|(_, raw)| raw);
    raw.and_then(|raw| field.show(raw.expose(), data_language(language)))
        .map_or_else(|| MISSING.into(), SharedString::from)
}

/// Why nothing was fetched, as the markup knows it.
pub fn why_not(why: Unfetched) -> UnfetchedKind {
    match why {
        Unfetched::NothingHeld => UnfetchedKind::NothingHeld,
        Unfetched::CannotAsk(CannotAsk::Away) => UnfetchedKind::Away,
        Unfetched::CannotAsk(CannotAsk::TooLate) => UnfetchedKind::TooLate,
        Unfetched::CannotAsk(CannotAsk::Busy) => UnfetchedKind::Busy,
        Unfetched::CannotAsk(CannotAsk::DepartmentAway) => UnfetchedKind::DepartmentAway,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiosk_core::private::Private;
    use service_catalog::{FieldKind, Text};

    fn field(key: &str, kind: FieldKind) -> Field {
        let label = Text { zh_hans: key.into(), zh_hant: key.into(), en: key.into() };
        Field { key: key.into(), kind, label, unit: None, words: Vec::new() }
    }

    #[test]
    fn values_stand_in_the_catalogs_order_and_a_missing_one_is_seen_to_be() {
        let columns = [field("month", FieldKind::Month), field("sum", FieldKind::Money)];
        let value = |key: &str, raw: &str| (key.to_owned(), Private::from(raw));
        let values = [value("sum", "100"), value("month", "2026-11")];
        let shown = row(&columns, &values, Language::ZhHans);
        assert_eq!((shown.first.as_str(), shown.second.as_str()), ("2026年11月", "1.00 元"));
        let broken = row(&columns, &[value("sum", "x")], Language::En);
        assert_eq!((broken.first.as_str(), broken.second.as_str()), (MISSING, MISSING));
    }
}
