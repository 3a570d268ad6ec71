//! 住房公积金: what employer and employee put aside for a home.

use serde_json::{Map, Value};

use super::person::{InsuredAs, Pension, Person};
use super::values;
use crate::registers::Holding;

/// Months that are told.
const MONTHS: usize = 12;

/// For 公积金, newest month first. Not every employer takes part, and whoever retires takes the money out.
pub(super) fn account(person: &Person, _: &Map<String, Value>) -> Option<Holding> {
    let work = person.work().filter(|work| work.insured_as == InsuredAs::Employee)?;
    if work.pension == Pension::Drawing || person.draw("fund", 100) >= 78 {
        return None;
    }
    // The employer joined some time after the first payment.
    let long = work.until.since(work.since);
    let since = work.since.plus(person.draw("fund since", i64::from(long / 2 + 1)) as i32);
    let hundredths = 5 + person.draw("fund share", 8);
    let mut months: Vec<_> =
        (0..=work.until.since(since)).map(|at| since.plus(at)).filter(|month| work.paid(*month)).collect();
    let told = months.split_off(months.len().saturating_sub(MONTHS));
    let share = |month| work.pay_fen(month) * hundredths / 100;
    // Part of it went into a home or a rent.
    let left = 30 + person.draw("fund left", 60);
    let mut balance = months.iter().map(|month| 2 * share(*month)).sum::<i64>() * left / 100;
    let mut rows = Vec::new();
    for month in told {
        balance += 2 * share(month);
        rows.insert(
            0,
            values([
                ("month", month.text()),
                ("own", share(month).to_string()),
                ("employer", share(month).to_string()),
                ("balance", balance.to_string()),
            ]),
        );
    }
    let facts = values([
        ("state", if work.pension == Pension::Paying { "paying" } else { "paused" }.to_owned()),
        ("employer", person.employer(&work).to_owned()),
        ("since", since.text()),
        ("until", work.until.text()),
        ("monthly", (2 * share(work.until)).to_string()),
        ("balance", balance.to_string()),
    ]);
    Some(Holding { facts, rows })
}
