//! Registers of made-up people, so that the whole way runs anywhere: what is kept about somebody follows from the number
//! alone, is the same every time, and fits together across registers. Only numbers of the area 990001, which exists
//! nowhere, or of a birth in 2099 or later are known; nothing is kept about anybody else.
//!
//! Deliberately absent: chance, a file, and a real person.

mod fund;
mod homes;
mod medical;
mod person;
mod social;

use serde_json::{Map, Value};
use service_catalog::Values;
use time::Date;

use super::{Holding, Inquiry, Register, Told};
use person::Person;

/// Names of the reference registers.
pub const NAMES: [&str; 5] =
    ["social-insurance", "social-insurance-payments", "medical-insurance", "provident-fund", "real-estate"];

/// What one of them says of a person.
type Keeps = fn(&Person, &Map<String, Value>) -> Option<Holding>;

/// A reference register.
pub(super) struct Reference(Keeps);

impl Reference {
    /// The one with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let keeps: Keeps = match name {
            "social-insurance" => social::certificate,
            "social-insurance-payments" => social::payments,
            "medical-insurance" => medical::account,
            "provident-fund" => fund::account,
            "real-estate" => homes::registered,
            _ => return None,
        };
        Some(Self(keeps))
    }

    fn keeps(&self, number: &str, answers: &Map<String, Value>, today: Date) -> Option<Holding> {
        self.0(&Person::of(number, today)?, answers)
    }
}

impl Register for Reference {
    fn ask<'a>(&'a self, inquiry: &'a Inquiry<'a>) -> Told<'a> {
        Box::pin(async move { Ok(self.keeps(inquiry.number, inquiry.answers, inquiry.today)) })
    }
}

/// Values by their keys.
fn values<const N: usize>(pairs: [(&str, String); N]) -> Values {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use service_catalog::{Catalog, parse_day};

    use super::*;

    /// The ID cards on the simulator's desk.
    const CARDS: [&str; 4] =
        ["99000119710523004", "99000119880716012", "99000119460308007", "99000119721102031"];

    fn number(start: &str) -> String {
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: u32 =
            start.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        format!("{start}{}", b"10X98765432"[(sum % 11) as usize] as char)
    }

    fn people() -> impl Iterator<Item = String> {
        let births = (0..90).map(|age| 2026 - age);
        births.flat_map(|year| (1..4).map(move |order| number(&format!("990001{year}0614{order:03}"))))
    }

    fn chosen(period: &str) -> Map<String, Value> {
        [("period".to_owned(), Value::from(period))].into_iter().collect()
    }

    fn today() -> Date {
        parse_day("2026-11-23").unwrap()
    }

    fn ask(register: &str, number: &str) -> Option<Holding> {
        Reference::named(register).unwrap().keeps(number, &chosen("last-12-months"), today())
    }

    /// Whatever a register says of anybody can be shown by the catalog's item, on every day.
    #[test]
    fn the_catalog_can_show_everything_that_they_say() {
        let catalog = Catalog::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/catalog")));
        assert!(catalog.rejected.is_empty(), "{:?}", catalog.rejected);
        let items: Vec<_> = catalog.items.iter().filter(|item| item.fetch.is_some()).collect();
        assert!(items.len() >= 5);
        for day in ["2026-01-01", "2026-02-28", "2026-11-23", "2026-12-31"] {
            for item in &items {
                let fetch = item.fetch.as_ref().unwrap();
                let register = Reference::named(&fetch.register).expect("a reference register for each item");
                let (mut held, mut nothing) = (0, 0);
                for number in people() {
                    for period in ["last-12-months", "this-year", "last-year"] {
                        match register.keeps(&number, &chosen(period), parse_day(day).unwrap()) {
                            None => nothing += 1,
                            Some(holding) => {
                                held += 1;
                                let judged = fetch.check(&holding.facts, &holding.rows);
                                assert_eq!(judged, Ok(()), "{} of {number} on {day}", item.code);
                            }
                        }
                    }
                }
                assert!(held > 50 && nothing > 5, "{} on {day}: {held} and {nothing}", item.code);
            }
        }
    }

    #[test]
    fn what_one_register_says_agrees_with_the_others() {
        for person in people() {
            let social = ask("social-insurance", &person);
            let payments = ask("social-insurance-payments", &person);
            let fund = ask("provident-fund", &person);
            if let Some(payments) = &payments {
                let social = social.as_ref().expect("whoever pays is insured");
                let sum = |key: &str| -> u64 {
                    payments.rows.iter().map(|row| row[key].parse::<u64>().unwrap()).sum()
                };
                assert_eq!(payments.facts["own"], sum("own").to_string());
                assert_eq!(payments.facts["employer"], sum("employer").to_string());
                assert_eq!(payments.facts["months"], payments.rows.len().to_string());
                assert_eq!(payments.rows[0]["month"], social.facts["until"]);
                let paid: usize = social.facts["months"].parse().unwrap();
                assert!(payments.rows.len() <= paid, "{person}");
            }
            if let Some(fund) = &fund {
                let social = social.as_ref().expect("whoever has a fund is insured");
                assert_eq!(fund.facts["employer"], social.facts["employer"]);
                assert_eq!(fund.facts["until"], social.facts["until"]);
                assert!(fund.facts["since"] >= social.facts["since"], "{person}");
                assert_eq!(fund.facts["balance"], fund.rows[0]["balance"]);
            }
            if let Some(medical) = ask("medical-insurance", &person)
                && let Some(newest) = medical.rows.first()
            {
                assert_eq!(medical.facts["balance"], newest["balance"]);
                for pair in medical.rows.windows(2) {
                    let sum = |row: &Values, key: &str| row[key].parse::<u64>().unwrap();
                    let left = sum(&pair[1], "balance") + sum(&pair[0], "in") - sum(&pair[0], "out");
                    assert_eq!(left, sum(&pair[0], "balance"), "{person}");
                }
            }
            if let Some(homes) = ask("real-estate", &person) {
                assert_eq!(homes.facts["homes"], homes.rows.len().to_string());
                assert_eq!(homes.facts["result"] == "none", homes.rows.is_empty());
            }
        }
    }

    #[test]
    fn the_same_number_has_the_same_life_and_nobody_real_has_one() {
        for number in CARDS.map(number) {
            assert_eq!(ask("social-insurance", &number), ask("social-insurance", &number));
        }
        for number in ["110105194912310021", "11010519491231002X", "USA440099010100", "", "不是号码"] {
            for register in NAMES {
                assert!(ask(register, number).is_none(), "{register} {number}");
            }
        }
        let future = number("81000020990614001");
        assert!(NAMES.iter().any(|register| ask(register, &future).is_some()), "a made-up permit has a life");
    }

    /// Whoever tries the demo sees different lives at the cards on the desk.
    #[test]
    fn the_cards_on_the_desk_are_worth_trying() {
        let [ordinary, rare, elder, _] = CARDS.map(number);
        let fact = |register: &str, number: &str, key: &str| {
            ask(register, number).map(|holding| holding.facts[key].clone())
        };
        assert_eq!(fact("social-insurance", &rare, "pension").as_deref(), Some("paying"));
        assert_eq!(fact("social-insurance", &rare, "insured_as").as_deref(), Some("employee"));
        assert_eq!(ask("social-insurance-payments", &rare).unwrap().rows.len(), 12);
        assert_eq!(ask("provident-fund", &rare).unwrap().rows.len(), 12);
        assert_eq!(fact("real-estate", &rare, "result").as_deref(), Some("none"));
        assert_eq!(fact("real-estate", &ordinary, "result").as_deref(), Some("some"));
        assert_eq!(fact("social-insurance", &elder, "pension").as_deref(), Some("drawing"));
        assert!(
            ask("provident-fund", &elder).is_none() && ask("social-insurance-payments", &elder).is_none()
        );
    }
}
