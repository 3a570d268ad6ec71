//! Numbers and how they are printed: medians, percentiles, ratios, and the table at the end.

use std::time::Duration;

/// Which way a figure is better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Times and memory.
    Smaller,
    /// Rates.
    Larger,
}

/// One line of the table.
pub struct Row {
    what: String,
    unit: &'static str,
    measured: f64,
    reference: String,
    ratio: Option<f64>,
    goal: Option<(Better, f64)>,
    limit: Option<(Better, f64)>,
}

impl Row {
    /// A figure without a reference yet.
    pub fn new(what: impl Into<String>, unit: &'static str, measured: f64) -> Row {
        let (reference, ratio, goal, limit) = ("-".to_owned(), None, None, None);
        Row { what: what.into(), unit, measured, reference, ratio, goal, limit }
    }

    /// What it is compared with.
    #[must_use]
    pub fn beside(mut self, name: &str, reference: f64, ratio: f64) -> Row {
        self.reference = format!("{} {name}", number(reference));
        self.ratio = Some(ratio);
        self
    }

    /// Why there is nothing to compare with.
    #[must_use]
    pub fn without(mut self, why: &str) -> Row {
        self.reference = why.to_owned();
        self
    }

    /// What the ratio is meant to be.
    #[must_use]
    pub fn goal(mut self, better: Better, goal: f64) -> Row {
        self.goal = Some((better, goal));
        self
    }

    /// What the figure itself is meant to be. Beside a goal for the ratio, either is enough.
    #[must_use]
    pub fn limit(mut self, better: Better, limit: f64) -> Row {
        self.limit = Some((better, limit));
        self
    }

    /// What is wanted, and whether it is so.
    fn verdict(&self) -> String {
        let judge = |better: Better, wanted: f64, found: f64| match better {
            Better::Larger => (">=", found >= wanted),
            Better::Smaller => ("<=", found <= wanted),
        };
        let ratio = self.goal.zip(self.ratio).map(|((better, wanted), ratio)| {
            let (sign, met) = judge(better, wanted, ratio);
            (format!("{sign} {wanted}"), met)
        });
        let itself = self.limit.map(|(better, wanted)| {
            let (sign, met) = judge(better, wanted, self.measured);
            (format!("{sign} {wanted} {}", self.unit), met)
        });
        let wanted: Vec<_> = ratio.into_iter().chain(itself).collect();
        if wanted.is_empty() {
            return "-".to_owned();
        }
        let met = if wanted.iter().any(|(_, met)| *met) { "met" } else { "missed" };
        let words: Vec<String> = wanted.into_iter().map(|(words, _)| words).collect();
        format!("{} {met}", words.join(" or "))
    }

    fn cells(&self) -> [String; 5] {
        [
            self.what.clone(),
            format!("{} {}", number(self.measured), self.unit),
            self.reference.clone(),
            self.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
            self.verdict(),
        ]
    }
}

/// Prints the rows below each other.
pub fn print(rows: &[Row]) {
    let heads = ["figure", "measured", "reference", "ratio", "goal"].map(str::to_owned);
    let lines: Vec<[String; 5]> = std::iter::once(heads).chain(rows.iter().map(Row::cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    for line in &lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(&format!("{cell:<width$}  "));
        }
        println!("{}", text.trim_end());
    }
}

/// Three digits that mean something, without exponents.
fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// What was measured several times.
#[derive(Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds one.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Adds a time, in milliseconds.
    pub fn add_ms(&mut self, time: Duration) {
        self.add(ms(time));
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// The one that 99 of 100 do not exceed.
    pub fn p99(&self) -> f64 {
        self.at(0.99)
    }

    fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        let place = (share * last as f64).round() as usize;
        sorted.get(place).copied().unwrap_or(f64::NAN)
    }
}

/// Rounds of a measured thing and its reference, one right after the other.
#[derive(Default)]
pub struct Pairs {
    /// The thing itself.
    pub measured: Samples,
    /// What it is compared with.
    pub reference: Samples,
    ratios: Samples,
}

impl Pairs {
    /// Adds a round.
    pub fn add(&mut self, measured: f64, reference: f64) {
        self.measured.add(measured);
        self.reference.add(reference);
        self.ratios.add(measured / reference);
    }

    /// The line of the table: medians, and the median of the rounds' ratios.
    pub fn row(&self, what: &str, unit: &'static str, reference: &str) -> Row {
        let row = Row::new(what, unit, self.measured.median());
        row.beside(reference, self.reference.median(), self.ratios.median())
    }
}

/// Milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles() {
        let mut samples = Samples::default();
        (0..=100).rev().for_each(|value| samples.add(f64::from(value)));
        assert_eq!((samples.median(), samples.p99()), (50.0, 99.0));
        assert!(Samples::default().median().is_nan());
    }

    #[test]
    fn goals_are_judged_in_their_direction() {
        let row = |ratio| Row::new("x", "/s", 1.0).beside("y", 1.0, ratio).goal(Better::Larger, 0.8).cells();
        assert_eq!(row(0.8)[4], ">= 0.8 met");
        assert_eq!(row(0.79)[4], ">= 0.8 missed");
        let row = Row::new("x", "MiB", 1.0).beside("y", 1.0, 1.2).goal(Better::Smaller, 1.1).cells();
        assert_eq!(row[4], "<= 1.1 missed");
        let row = Row::new("x", "ms", 49.0).limit(Better::Smaller, 50.0).cells();
        assert_eq!(row[4], "<= 50 ms met");
        let either = |measured| Row::new("x", "/s", measured).beside("y", 1.0, 0.7).goal(Better::Larger, 0.8);
        assert_eq!(either(9.0).limit(Better::Larger, 10.0).cells()[4], ">= 0.8 or >= 10 /s missed");
        assert_eq!(either(10.0).limit(Better::Larger, 10.0).cells()[4], ">= 0.8 or >= 10 /s met");
    }
}
