//! What was measured: how often, and of each kind the worst.

use std::collections::BTreeMap;
use std::fmt;

/// One kind of thing that can be wrong with a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A control is smaller than a finger needs.
    Touch,
    /// Letters are lower than eyes need.
    Capitals,
    /// Words do not stand out from what is behind them.
    Contrast,
    /// Words or a control are cut off, or stand outside of what holds them.
    CutOff,
    /// Two things lie over each other.
    Overlap,
    /// A control has no name.
    Label,
    /// Reading order jumps back.
    Order,
    /// A gesture is needed, or more than one finger.
    Gesture,
    /// A tremor counts as a second touch.
    DoubleTouch,
}

impl Kind {
    /// All of them, in the order in which they are printed.
    pub const ALL: [Kind; 9] = [
        Kind::Touch,
        Kind::Capitals,
        Kind::Contrast,
        Kind::CutOff,
        Kind::Overlap,
        Kind::Label,
        Kind::Order,
        Kind::Gesture,
        Kind::DoubleTouch,
    ];

    fn words(self) -> &'static str {
        match self {
            Kind::Touch => "touch target (mm)",
            Kind::Capitals => "capital height (mm)",
            Kind::Contrast => "contrast (:1)",
            Kind::CutOff => "cut off (room / need)",
            Kind::Overlap => "overlap (px)",
            Kind::Label => "label",
            Kind::Order => "reading order",
            Kind::Gesture => "one finger",
            Kind::DoubleTouch => "double touch",
        }
    }
}

/// One thing that was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What kind of thing.
    pub kind: Kind,
    /// In the unit of its kind.
    pub value: f32,
    /// The least that is allowed. What is counted in noughts and ones must be one.
    pub least: f32,
    /// Which element.
    pub element: String,
}

impl Measured {
    /// Something with a least value.
    pub fn new(kind: Kind, value: f32, least: f32, element: impl Into<String>) -> Measured {
        Measured { kind, value, least, element: element.into() }
    }

    /// Something that is right or wrong.
    pub fn holds(kind: Kind, right: bool, element: impl Into<String>) -> Measured {
        Measured::new(kind, f32::from(u8::from(right)), 1.0, element)
    }

    /// How much there is of what there must be.
    fn share(&self) -> f32 {
        self.value / self.least
    }

    /// Whether it is wrong; a hundredth is lost in rounding to pixels.
    pub fn is_wrong(&self) -> bool {
        self.value < self.least * 0.99
    }
}

#[derive(Default)]
struct OfKind {
    measured: usize,
    wrong: usize,
    worst: Option<(Measured, String)>,
    /// Of each screen how often, and the worst with its look.
    wrongs: BTreeMap<String, (usize, Measured, String)>,
}

/// Everything that was measured.
#[derive(Default)]
pub struct Tally(BTreeMap<Kind, OfKind>);

impl Tally {
    /// Adds what was measured on one screen in one look.
    pub fn add(&mut self, screen: &str, look: &str, all: Vec<Measured>) {
        for measured in all {
            let of_kind = self.0.entry(measured.kind).or_default();
            of_kind.measured += 1;
            if measured.is_wrong() {
                of_kind.wrong += 1;
                let first = || (0, measured.clone(), look.to_owned());
                let (times, worst, where_worst) =
                    of_kind.wrongs.entry(screen.to_owned()).or_insert_with(first);
                *times += 1;
                if measured.share() < worst.share() {
                    (*worst, *where_worst) = (measured.clone(), look.to_owned());
                }
            }
            if of_kind.worst.as_ref().is_none_or(|(worst, _)| measured.share() < worst.share()) {
                of_kind.worst = Some((measured, format!("{screen}, {look}")));
            }
        }
    }

    /// How much is wrong.
    pub fn wrong(&self) -> usize {
        self.0.values().map(|of_kind| of_kind.wrong).sum()
    }

    /// How many things of a kind were looked at.
    pub fn measured(&self, kind: Kind) -> usize {
        self.0.get(&kind).map_or(0, |of_kind| of_kind.measured)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for kind in Kind::ALL {
            let Some(of_kind) = self.0.get(&kind) else { continue };
            let (words, measured, wrong) = (kind.words(), of_kind.measured, of_kind.wrong);
            write!(f, "{words:<22} {measured:>8} measured, {wrong:>5} wrong")?;
            if let Some((Measured { value, least, element, .. }, screen)) = &of_kind.worst {
                write!(f, "; worst {value:.2} (≥ {least:.2}): {element} on {screen}")?;
            }
            writeln!(f)?;
            for (screen, (times, Measured { value, least, element, .. }, look)) in &of_kind.wrongs {
                writeln!(f, "    {screen}, {times} times: {value:.2}, not {least:.2}: {element} in {look}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_kept_and_the_wrong_are_counted() {
        let mut tally = Tally::default();
        tally.add("home", "plain", vec![Measured::new(Kind::Touch, 14.0, 12.0, "a")]);
        tally.add("guide", "plain", vec![Measured::new(Kind::Touch, 11.0, 12.0, "b")]);
        tally.add("guide", "plain", vec![Measured::holds(Kind::Label, true, "c")]);
        assert_eq!((tally.wrong(), tally.measured(Kind::Touch)), (1, 2));
        let told = tally.to_string();
        assert!(told.contains("worst 11.00 (≥ 12.00): b on guide, plain"), "{told}");
    }
}
