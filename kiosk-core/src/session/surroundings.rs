//! What the session knows about the machine around it: it shapes what is offered, and is said in
//! plain words on the status line.

use crate::applicant::CardKind;

/// The receipt printer, as far as a resident can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrinterCondition {
    /// Ready to print.
    Ready,
    /// No paper.
    NoPaper,
    /// The cover stands open.
    CoverOpen,
    /// Unplugged, silent or broken.
    Away,
}

/// The A4 printer, as far as a resident can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentPrinterCondition {
    /// Ready to print.
    Ready,
    /// No paper.
    NoPaper,
    /// Toner or ink is used up.
    NoToner,
    /// Paper is jammed.
    Jam,
    /// A cover stands open.
    CoverOpen,
    /// What was printed fills its output tray.
    OutputFull,
    /// Unplugged, silent, paused or broken.
    Away,
}

/// Whether new cases can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Admission {
    /// There is room on the disk.
    Open,
    /// There is not: information still works.
    Closed,
}

/// Where the machine's power comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Power {
    /// From the mains, or nobody watches it.
    #[default]
    Mains,
    /// From the battery: what was begun is finished, nothing new is begun.
    Battery,
    /// From a battery that is nearly empty: the machine goes off soon.
    BatteryLow,
}

/// Whether the city still vouches for the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CatalogAge {
    /// It does, or nothing is known: files that came with the machine have no age.
    #[default]
    Fresh,
    /// The day it named has passed. This is said on the screen and stops nothing.
    Stale,
}

/// The machine around the session. It survives the end of a session: it is nobody's data.
#[derive(Clone, Debug, PartialEq)]
pub struct Surroundings {
    /// The reader answers.
    pub reader_present: bool,
    /// The social-security card's reader answers; `None` on a terminal that has none, and until it has told.
    pub social_card_reader: Option<bool>,
    /// The code scanner is there.
    pub scanner_present: bool,
    /// The receipt printer.
    pub printer: PrinterCondition,
    /// The A4 printer; `None` on a terminal that has none, and until it has told.
    pub document_printer: Option<DocumentPrinterCondition>,
    /// The document camera answers.
    pub camera_present: bool,
    /// The city was reached lately.
    pub network: bool,
    /// Room for cases.
    pub admission: Admission,
    /// The catalog's age.
    pub catalog: CatalogAge,
    /// Where the power comes from.
    pub power: Power,
    /// Somebody stands before the machine, as far as a sensor can tell; `None` without one.
    pub somebody_near: Option<bool>,
    /// Headphones are plugged in; `None` on a terminal that has no place for them, or cannot tell.
    pub headphones: Option<bool>,
}

impl Surroundings {
    /// Whether the reader for this card answers.
    pub fn reads(&self, card: CardKind) -> bool {
        match card {
            CardKind::IdCard => self.reader_present,
            CardKind::SocialSecurityCard => self.social_card_reader == Some(true),
        }
    }
}

impl Default for Surroundings {
    /// Until devices report, nothing is promised.
    fn default() -> Self {
        Surroundings {
            reader_present: false,
            social_card_reader: None,
            scanner_present: false,
            printer: PrinterCondition::Away,
            document_printer: None,
            camera_present: false,
            network: false,
            admission: Admission::Closed,
            catalog: CatalogAge::Fresh,
            power: Power::Mains,
            somebody_near: None,
            headphones: None,
        }
    }
}
