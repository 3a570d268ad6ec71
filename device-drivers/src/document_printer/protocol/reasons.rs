//! `printer-state-reasons` (RFC 8011 §5.4.12): why a printer does not print, by the stem of each keyword.
//!
//! A keyword may carry its severity as a suffix: `-report`, `-warning` or `-error`. Without one it counts as an error.
//! A report or a warning does not keep a printer from printing, so it is no obstacle until the printer stops: printers
//! with two trays name an empty one with `media-empty-report` and print from the other. Once stopped, every reason
//! counts whatever its suffix, for there are printers that choose the suffix by their own state (`ippeveprinter`).

/// What keeps a printer from printing. The gravest first: it is named when there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Obstacle {
    /// A cover or door is open.
    CoverOpen,
    /// Paper is jammed.
    Jam,
    /// No paper, or no tray.
    PaperEnd,
    /// The output tray is full or missing.
    OutputFull,
    /// Toner or ink is used up, or the waste box is full.
    TonerEmpty,
    /// Paused by somebody.
    Paused,
    /// Another fault.
    Fault,
}

/// How grave the printer calls a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Report,
    Warning,
    Error,
}

/// Stems, with what they mean here (RFC 8011 §5.4.12, PWG 5100.9 §7; the vendor words in the field are few).
const STEMS: &[(&str, Obstacle)] = &[
    ("cover-open", Obstacle::CoverOpen),
    ("door-open", Obstacle::CoverOpen),
    ("interlock-open", Obstacle::CoverOpen),
    ("media-jam", Obstacle::Jam),
    ("media-empty", Obstacle::PaperEnd),
    ("media-needed", Obstacle::PaperEnd),
    ("input-tray-missing", Obstacle::PaperEnd),
    ("output-area-full", Obstacle::OutputFull),
    ("output-tray-missing", Obstacle::OutputFull),
    ("toner-empty", Obstacle::TonerEmpty),
    ("marker-supply-empty", Obstacle::TonerEmpty),
    ("marker-waste-full", Obstacle::TonerEmpty),
    ("developer-empty", Obstacle::TonerEmpty),
    ("paused", Obstacle::Paused),
    ("moving-to-paused", Obstacle::Paused),
    ("fuser-over-temp", Obstacle::Fault),
    ("fuser-under-temp", Obstacle::Fault),
    ("opc-life-over", Obstacle::Fault),
    ("interpreter-resource-unavailable", Obstacle::Fault),
    ("shutdown", Obstacle::Fault),
    ("stopped-partly", Obstacle::Fault),
    ("timed-out", Obstacle::Fault),
    ("connecting-to-device", Obstacle::Fault),
    ("offline", Obstacle::Fault),
];

/// Stems that announce an obstacle and are none.
const FOREBODINGS: &[(&str, Obstacle)] = &[
    ("media-low", Obstacle::PaperEnd),
    ("toner-low", Obstacle::TonerEmpty),
    ("marker-supply-low", Obstacle::TonerEmpty),
    ("marker-waste-almost-full", Obstacle::TonerEmpty),
    ("developer-low", Obstacle::TonerEmpty),
    ("output-area-almost-full", Obstacle::OutputFull),
    ("opc-near-eol", Obstacle::Fault),
];

/// The reasons of one answer, reduced to what matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reasons {
    /// The gravest of what the printer calls an error.
    errors: Option<Obstacle>,
    /// The gravest of all obstacles that it names, whatever it calls them.
    named: Option<Obstacle>,
    /// What announces an obstacle.
    coming: Option<Obstacle>,
}

impl Reasons {
    /// Takes one keyword.
    pub fn add(&mut self, keyword: &str) {
        let (stem, severity) = split(keyword);
        if let Some(obstacle) = look_up(FOREBODINGS, stem) {
            self.coming = gravest(self.coming, obstacle);
            return;
        }
        let obstacle = match look_up(STEMS, stem) {
            Some(obstacle) => obstacle,
            // An error of a kind that this table does not know. Without a suffix it is most likely not even one.
            None if stem.len() < keyword.len() && severity == Severity::Error => Obstacle::Fault,
            None => return,
        };
        self.named = gravest(self.named, obstacle);
        if severity == Severity::Error {
            self.errors = gravest(self.errors, obstacle);
        }
    }

    /// What keeps the printer from printing. `stopped` says that the printer or its job stands still.
    pub fn obstacle(&self, stopped: bool) -> Option<Obstacle> {
        if stopped { Some(self.named.unwrap_or(Obstacle::Fault)) } else { self.errors }
    }

    /// The gravest obstacle that the printer names, whatever it calls it.
    pub fn named(&self) -> Option<Obstacle> {
        self.named
    }

    /// What an operator should see to.
    pub fn attention(&self) -> Option<Obstacle> {
        self.named.or(self.coming)
    }
}

impl<'a> FromIterator<&'a str> for Reasons {
    fn from_iter<T: IntoIterator<Item = &'a str>>(keywords: T) -> Reasons {
        let mut reasons = Reasons::default();
        keywords.into_iter().for_each(|keyword| reasons.add(keyword));
        reasons
    }
}

fn split(keyword: &str) -> (&str, Severity) {
    let suffixes =
        [("-report", Severity::Report), ("-warning", Severity::Warning), ("-error", Severity::Error)];
    suffixes
        .into_iter()
        .find_map(|(suffix, severity)| keyword.strip_suffix(suffix).map(|stem| (stem, severity)))
        .unwrap_or((keyword, Severity::Error))
}

fn look_up(table: &[(&str, Obstacle)], stem: &str) -> Option<Obstacle> {
    table.iter().find(|(known, _)| *known == stem).map(|(_, obstacle)| *obstacle)
}

fn gravest(known: Option<Obstacle>, another: Obstacle) -> Option<Obstacle> {
    Some(known.map_or(another, |known| known.min(another)))
}
