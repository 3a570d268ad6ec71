//! 不动产登记: homes in somebody's name. Whoever has none is told so, which is what the certificate is for.

use serde_json::{Map, Value};
use service_catalog::iso;

use super::person::{Person, day_in};
use super::values;
use crate::registers::Holding;

/// Registered for the first time in this year at the earliest.
const FIRST_YEAR: i32 = 2001;

/// For 无房证明.
pub(super) fn registered(person: &Person, _: &Map<String, Value>) -> Option<Holding> {
    // The department answers about some in person only.
    if person.draw("asked in person", 100) < 4 {
        return None;
    }
    let homes = match (person.age, person.draw("homes", 100)) {
        (..24, _) | (_, 0..52) => 0,
        (_, 52..92) => 1,
        _ => 2,
    };
    let home = |at: i64| {
        let draw = |what: &str, below| person.draw(&format!("{what} {at}"), below);
        let (road, house, flat) =
            (1 + draw("road", 98), 1 + draw("house", 30), 101 + 100 * draw("floor", 24));
        let this_year = person.today.year();
        let grown = (this_year - person.age + 22).clamp(FIRST_YEAR, this_year - 1);
        let year = grown + draw("year", i64::from(this_year - grown)) as i32;
        let day = day_in(year, 1 + draw("month", 12) as u8, 1 + draw("day", 28) as u8);
        values([
            ("place", format!("东莞市示例镇样本路{road}号{house}栋{flat}房")),
            ("area", (58 + draw("area", 90)).to_string()),
            ("since", day.map(iso).unwrap_or_default()),
        ])
    };
    let rows: Vec<_> = (0..homes).map(home).collect();
    let facts = values([
        ("result", if rows.is_empty() { "none" } else { "some" }.to_owned()),
        ("homes", rows.len().to_string()),
        ("looked_in", "city".to_owned()),
        ("as_of", iso(person.today)),
    ]);
    Some(Holding { facts, rows })
}
