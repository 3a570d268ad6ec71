//! 社会保险: whether somebody is insured, and what was paid in each month.

use serde_json::{Map, Value};

use super::person::{CalendarMonth, InsuredAs, Pension, Person, Work};
use super::values;
use crate::registers::Holding;

/// For 参保证明.
pub(super) fn certificate(person: &Person, _: &Map<String, Value>) -> Option<Holding> {
    let work = person.work()?;
    let (pension, other) = match work.pension {
        Pension::Paying => ("paying", "paying"),
        Pension::Paused => ("paused", "paused"),
        Pension::Drawing => ("drawing", "none"),
    };
    let (insured_as, other) = match work.insured_as {
        InsuredAs::Employee => ("employee", other),
        // Only employers insure against unemployment and injury.
        InsuredAs::OwnAccount => ("own-account", "none"),
        InsuredAs::Resident => ("resident", "none"),
    };
    let facts = values([
        ("insured_as", insured_as.to_owned()),
        ("pension", pension.to_owned()),
        ("unemployment", other.to_owned()),
        ("injury", other.to_owned()),
        ("since", work.since.text()),
        ("until", work.until.text()),
        ("months", work.months().to_string()),
        ("employer", person.employer(&work).to_owned()),
    ]);
    Some(Holding { facts, rows: Vec::new() })
}

/// For 缴费明细, newest month first.
pub(super) fn payments(person: &Person, answers: &Map<String, Value>) -> Option<Holding> {
    let work = person.work()?;
    let (from, to) = period(person, answers.get("period").and_then(Value::as_str)?)?;
    let months = (0..=to.since(from)).map(|back| to.plus(-back)).filter(|month| work.paid(*month));
    let paid: Vec<_> = months.map(|month| (month, paid_in(&work, month))).collect();
    let (newest, oldest) = (paid.first()?.0, paid.last()?.0);
    let sum = |of: fn(&Paid) -> i64| paid.iter().map(|(_, paid)| of(paid)).sum::<i64>().to_string();
    let facts = values([
        ("from", oldest.text()),
        ("to", newest.text()),
        ("months", paid.len().to_string()),
        ("own", sum(|paid| paid.own)),
        ("employer", sum(|paid| paid.employer)),
    ]);
    let rows = paid.iter().map(|(month, paid)| {
        values([
            ("month", month.text()),
            ("base", paid.base.to_string()),
            ("own", paid.own.to_string()),
            ("employer", paid.employer.to_string()),
        ])
    });
    Some(Holding { rows: rows.collect(), facts })
}

fn period(person: &Person, chosen: &str) -> Option<(CalendarMonth, CalendarMonth)> {
    let (last, year) = (person.last_month(), person.today.year());
    match chosen {
        "last-12-months" => Some((last.plus(-11), last)),
        "this-year" => Some((CalendarMonth::of(year, 1), last)).filter(|(from, to)| from <= to),
        "last-year" => Some((CalendarMonth::of(year - 1, 1), CalendarMonth::of(year - 1, 12))),
        _ => None,
    }
}

/// What was paid in a month, in fen.
struct Paid {
    base: i64,
    own: i64,
    employer: i64,
}

fn paid_in(work: &Work, month: CalendarMonth) -> Paid {
    let base = work.pay_fen(month);
    // In thousandths of the pay: pension, unemployment and injury insurance together.
    let (own, employer) = match work.insured_as {
        InsuredAs::Employee => (82, 172),
        InsuredAs::OwnAccount => (200, 0),
        InsuredAs::Resident => (20, 0),
    };
    Paid { base, own: base * own / 1000, employer: base * employer / 1000 }
}
