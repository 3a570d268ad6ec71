//! 医疗保险: whether it holds, and what is on the personal account.

use serde_json::{Map, Value};

use super::person::{CalendarMonth, InsuredAs, Pension, Person};
use super::values;
use crate::registers::Holding;

/// Months that are told.
const MONTHS: i32 = 6;

/// For 医保账户, newest month first.
pub(super) fn account(person: &Person, _: &Map<String, Value>) -> Option<Holding> {
    let (last, year_end) = (person.last_month(), CalendarMonth::of(person.today.year(), 12));
    let work = person.work().filter(|work| work.insured_as != InsuredAs::Resident);
    let Some(work) = work else {
        // Children and whoever does not work are insured as residents, but for a few who are not at all.
        let insured = person.age < 18 || person.draw("resident insurance", 100) < 70;
        let facts = values([
            ("insured_as", "resident".to_owned()),
            ("state", "valid".to_owned()),
            ("until", year_end.text()),
            ("balance", "0".to_owned()),
        ]);
        return insured.then_some(Holding { facts, rows: Vec::new() });
    };
    let (insured_as, state, until) = match work.pension {
        Pension::Paying => ("employee", "valid", last),
        Pension::Paused => ("employee", "paused", work.until),
        Pension::Drawing => ("retired", "valid", last),
    };
    let mut balance = 40_000 + person.draw("on the account", 480_000);
    let mut rows = Vec::new();
    for month in (0..MONTHS).map(|at| last.plus(at + 1 - MONTHS)) {
        let paid_in = match work.pension {
            Pension::Drawing => 9_500 + person.draw("monthly share", 6_000),
            Pension::Paying | Pension::Paused if work.paid(month) => work.pay_fen(month) / 50,
            Pension::Paying | Pension::Paused => 0,
        };
        // In some months nobody is ill.
        let ill = person.draw(&format!("ill in {}", month.text()), 100) < 55;
        let spent = if ill { person.draw(&format!("spent in {}", month.text()), 26_000) } else { 0 };
        let spent = spent.min(balance + paid_in);
        balance += paid_in - spent;
        rows.insert(
            0,
            values([
                ("month", month.text()),
                ("in", paid_in.to_string()),
                ("out", spent.to_string()),
                ("balance", balance.to_string()),
            ]),
        );
    }
    let facts = values([
        ("insured_as", insured_as.to_owned()),
        ("state", state.to_owned()),
        ("until", until.text()),
        ("balance", balance.to_string()),
    ]);
    Some(Holding { facts, rows })
}
