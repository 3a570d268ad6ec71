//! The A4 printer: its tray, and what goes wrong with it. Its pages are drawn from the PDF that arrived.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use device_drivers::document_printer::simulator::{
    self, LineFault, MachineProfile, SimulatedDocumentPrinterHandle, SimulatedPrintOut, Trouble,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::at_desk::{AtDesk, Hardware, held};
use super::device::{Control, Turn};
use super::fault::{Fault, Known, Scale, Unit, bytes, millis, numbered, plain};
use crate::pdf_page;

/// How long a page takes when nobody wants to wait for it.
const AT_ONCE: Duration = Duration::from_millis(20);
/// Print-outs that are told of; more lie in the tray.
const TOLD_MAX: usize = 20;
/// Drawn pages that are kept.
const DRAWN_MAX: usize = 24;
/// Pages that come out before something happens.
const PAGES: Scale = Scale { unit: Unit::Pages, least: 0, most: 100, usual: 0 };

/// Something wrong with the printer, or with the line to it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ill {
    Now(Trouble),
    /// Happens once, when so many pages of the next print-out are out.
    AtPage {
        pages: u32,
        trouble: Trouble,
    },
    Line(LineFault),
}

/// `server-error-busy` (RFC 8011 appendix B).
const BUSY: u16 = 0x0507;

const fn at_page(pages: u64, trouble: Trouble) -> Ill {
    Ill::AtPage { pages: pages as u32, trouble }
}

/// A print-out in the tray, or on its way there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintOutInfo {
    /// Counts up from 1; print-outs of which nothing came out leave gaps.
    pub id: i32,
    /// When it arrived, milliseconds since 1970.
    pub at_ms: u64,
    /// Pages that came out.
    pub pages: u32,
    /// Whether they were to be printed on both sides.
    pub two_sided: bool,
    /// Whether all of it came out.
    pub complete: bool,
    /// Whether it is still coming out.
    pub in_progress: bool,
}

struct Hands {
    printer: SimulatedDocumentPrinterHandle,
    paper: bool,
    cover_open: bool,
    paced: bool,
    ill: Option<Ill>,
}

/// A page that was drawn: print-out, page, PNG.
type Drawn = (i32, u32, Arc<Vec<u8>>);

pub(super) struct DocumentPrinter {
    hands: Mutex<Hands>,
    drawn: Mutex<VecDeque<Drawn>>,
}

impl DocumentPrinter {
    /// On a free port of this machine.
    pub(super) fn set_up(paced: bool) -> io::Result<AtDesk<Self>> {
        let printer = simulator::serve(MachineProfile::default())?;
        let hands = Hands { printer, paper: true, cover_open: false, paced, ill: None };
        hands.set_pace();
        Ok(AtDesk::new(Self { hands: Mutex::new(hands), drawn: Mutex::new(VecDeque::new()) }))
    }

    pub(super) fn declared(&self) -> Value {
        json!({ "uri": self.hands().printer.uri() })
    }

    /// What lies in the tray, and what is coming out.
    fn find(&self, id: i32) -> Option<SimulatedPrintOut> {
        self.hands().printer.look(|printer| {
            let coming = printer.coming_out().filter(|coming| coming.job == id);
            coming.or_else(|| printer.tray().iter().find(|out| out.job == id).cloned())
        })
    }

    pub(super) fn pdf(&self, id: i32) -> Option<Vec<u8>> {
        self.find(id).map(|out| out.pdf)
    }

    pub(super) fn png(&self, id: i32, page: u32) -> Option<Arc<Vec<u8>>> {
        if let Some((_, _, png)) = self.drawn().iter().find(|(of, at, _)| (*of, *at) == (id, page)) {
            return Some(Arc::clone(png));
        }
        let out = self.find(id).filter(|out| (1..=out.pages).contains(&page))?;
        let png = Arc::new(pdf_page::draw(out.pdf, page as usize - 1)?);
        let mut drawn = self.drawn();
        drawn.push_back((id, page, Arc::clone(&png)));
        if drawn.len() > DRAWN_MAX {
            drawn.pop_front();
        }
        Some(png)
    }

    fn drawn(&self) -> MutexGuard<'_, VecDeque<Drawn>> {
        held(&self.drawn)
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        let mut hands = held(&self.hands);
        hands.notice();
        hands
    }
}

impl Hands {
    fn set_pace(&self) {
        let usual = MachineProfile::default();
        let (first, next) = if self.paced { (usual.first_page, usual.next_page) } else { (AT_ONCE, AT_ONCE) };
        self.printer.set_pace(first, next);
    }

    /// What has come of a fault: one that has happened is over, and what it left is seen at the switches.
    fn notice(&mut self) {
        let Some(Ill::AtPage { trouble, .. }) = self.ill else { return };
        if self.printer.look(|printer| printer.trouble()) != Some(trouble) {
            return;
        }
        self.ill = None;
        match trouble {
            Trouble::PaperOut => self.paper = false,
            Trouble::CoverOpen => self.cover_open = true,
            // Somebody has to take the paper out.
            stays => self.ill = Some(Ill::Now(stays)),
        }
    }

    /// Puts the printer into the gravest of its troubles, or out of all.
    fn show_trouble(&self) {
        let trouble = match self.ill {
            _ if self.cover_open => Some(Trouble::CoverOpen),
            Some(Ill::Now(trouble)) => Some(trouble),
            _ if !self.paper => Some(Trouble::PaperOut),
            _ => None,
        };
        self.printer.set_trouble(trouble);
    }
}

impl Hardware for DocumentPrinter {
    const NAME: &'static str = "document-printer";
    type Fault = Ill;
    const FAULTS: &'static [Known<Ill>] = &[
        plain("jam", |_| Ill::Now(Trouble::Jam)),
        numbered("jam-at-page", PAGES, |n| at_page(n, Trouble::Jam)),
        numbered("paper-ends", PAGES, |n| at_page(n, Trouble::PaperOut)),
        numbered("cover-opens", PAGES, |n| at_page(n, Trouble::CoverOpen)),
        plain("toner-empty", |_| Ill::Now(Trouble::TonerOut)),
        plain("output-full", |_| Ill::Now(Trouble::OutputFull)),
        plain("paused", |_| Ill::Now(Trouble::Paused)),
        plain("silent", |_| Ill::Line(LineFault::Silence)),
        numbered("delay", millis(1500), |n| Ill::Line(LineFault::Late(Duration::from_millis(n)))),
        plain("hangs-up", |_| Ill::Line(LineFault::CutBefore)),
        numbered("truncated", bytes(1, 100_000, 100), |n| Ill::Line(LineFault::CutAfter(n as usize))),
        plain("garbage", |_| Ill::Line(LineFault::Garbage)),
        plain("stale", |_| Ill::Line(LineFault::OtherId)),
        plain("byte-by-byte", |_| Ill::Line(LineFault::Trickle(Duration::from_millis(1)))),
        plain("refused", |_| Ill::Line(LineFault::Status(BUSY))),
    ];
    const CONTROLS: &'static [Control] =
        &[Control::switch("paper"), Control::switch("cover_open"), Control::switch("paced")];

    fn is_plugged(&self) -> bool {
        self.hands().printer.is_powered()
    }

    fn plug(&self) -> io::Result<()> {
        self.hands().printer.power_on()
    }

    fn unplug(&self) -> io::Result<()> {
        self.hands().printer.power_off();
        Ok(())
    }

    fn set_fault(&self, fault: Option<Ill>) {
        let mut hands = self.hands();
        hands.ill = fault;
        hands.printer.disarm();
        hands.printer.set_line_fault(match fault {
            Some(Ill::Line(fault)) => Some(fault),
            _ => None,
        });
        hands.show_trouble();
        if let Some(Ill::AtPage { pages, trouble }) = fault {
            hands.printer.trouble_after(pages, trouble);
        }
    }

    fn outcome(&self, fault: Fault) -> Option<Fault> {
        match self.hands().ill? {
            Ill::Now(Trouble::Jam) => Some(Fault { name: "jam", number: None }),
            _ => Some(fault),
        }
    }

    fn settings(&self) -> Value {
        let hands = self.hands();
        json!({ "paper": hands.paper, "cover_open": hands.cover_open, "paced": hands.paced })
    }

    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()> {
        let Turn::Switch(on) = turn else { unreachable!("{control} is a switch") };
        let mut hands = self.hands();
        match control {
            "paper" => hands.paper = on,
            "cover_open" => hands.cover_open = on,
            _ => {
                hands.paced = on;
                hands.set_pace();
                return Ok(());
            }
        }
        hands.show_trouble();
        Ok(())
    }

    fn shows(&self) -> Value {
        let hands = self.hands();
        hands.printer.look(|printer| {
            let coming = printer.coming_out();
            let told = printer.tray().iter().rev().take(TOLD_MAX).rev();
            let outs: Vec<PrintOutInfo> =
                told.map(|out| info(out, false)).chain(coming.iter().map(|out| info(out, true))).collect();
            json!({ "printing": printer.is_printing(), "print_outs": outs })
        })
    }
}

fn info(out: &SimulatedPrintOut, in_progress: bool) -> PrintOutInfo {
    PrintOutInfo {
        id: out.job,
        at_ms: out.at_ms,
        pages: out.pages,
        two_sided: out.two_sided,
        complete: out.complete,
        in_progress,
    }
}

#[cfg(test)]
mod tests {
    use device_drivers::document_printer::{
        Deadlines, DocumentPrinter as _, Failure, Go, IppDocumentPrinter, Obstacle, PrintOut,
    };

    use super::super::device::DeskDevice as _;
    use super::*;
    use crate::pdf_page::tests::quarter;

    const PATIENCE: Duration = Duration::from_secs(2);

    fn set_up() -> (AtDesk<DocumentPrinter>, IppDocumentPrinter) {
        let desk = DocumentPrinter::set_up(false).unwrap();
        let declared = desk.declared();
        let second = Duration::from_secs(1);
        let deadlines = Deadlines {
            answer: second,
            wake: second,
            hand_over: second,
            poll: Duration::from_millis(10),
            lost: second,
            withdraw: second,
            settle: Duration::from_millis(100),
        };
        let driver = IppDocumentPrinter::new(declared["uri"].as_str().unwrap(), "DG0001").unwrap();
        (desk, driver.with_deadlines(deadlines))
    }

    fn print(driver: &mut IppDocumentPrinter) -> Result<(), Failure> {
        let mut watch = |progress: device_drivers::document_printer::JobProgress| match progress.obstacle {
            Some(_) => Go::Withdraw,
            None => Go::On,
        };
        let printed = driver.print(&PrintOut::once(&quarter()), PATIENCE, &mut watch);
        printed.map(drop).map_err(|error| error.failure)
    }

    fn outs(desk: &AtDesk<DocumentPrinter>) -> Vec<PrintOutInfo> {
        serde_json::from_value(desk.shows()["print_outs"].clone()).unwrap()
    }

    fn fault(desk: &AtDesk<DocumentPrinter>, name: &'static str, number: Option<u64>) {
        desk.set_fault(Some(Fault { name, number }));
    }

    #[test]
    fn a_page_comes_out_as_it_arrived_and_is_drawn() {
        let (desk, mut driver) = set_up();
        print(&mut driver).unwrap();
        let outs = outs(&desk);
        assert_eq!((outs.len(), outs[0].pages, outs[0].complete), (1, 1, true));
        assert_eq!(desk.pdf(outs[0].id), Some(quarter()));
        assert!(desk.png(outs[0].id, 1).unwrap().starts_with(b"\x89PNG"));
        assert!(desk.png(outs[0].id, 2).is_none() && desk.png(99, 1).is_none() && desk.pdf(99).is_none());
    }

    #[test]
    fn what_happens_in_the_middle_is_seen_at_the_switches() {
        let (desk, mut driver) = set_up();
        fault(&desk, "jam-at-page", Some(0));
        assert_eq!(desk.fault().unwrap().name, "jam-at-page");
        assert_eq!(print(&mut driver), Err(Failure::Withdrawn));
        assert_eq!(desk.fault().unwrap().name, "jam", "it stays until somebody clears it");
        assert_eq!(print(&mut driver), Err(Failure::Obstacle(Obstacle::Jam)));
        desk.set_fault(None);
        print(&mut driver).unwrap();

        fault(&desk, "paper-ends", Some(0));
        assert_eq!(print(&mut driver), Err(Failure::Withdrawn));
        assert_eq!((desk.fault(), &desk.settings()["paper"]), (None, &json!(false)));
        desk.turn("paper", Turn::Switch(true)).unwrap();
        fault(&desk, "cover-opens", Some(0));
        assert_eq!(print(&mut driver), Err(Failure::Withdrawn));
        assert_eq!((desk.fault(), &desk.settings()["cover_open"]), (None, &json!(true)));
        desk.turn("cover_open", Turn::Switch(false)).unwrap();

        // One that has not come yet is taken away with its fault.
        fault(&desk, "jam-at-page", Some(0));
        desk.set_fault(None);
        print(&mut driver).unwrap();
        assert_eq!(outs(&desk).len(), 2, "nothing of the others came out");
    }

    #[test]
    fn the_gravest_trouble_is_told_and_the_line_fails_until_it_is_mended() {
        let (desk, mut driver) = set_up();
        desk.turn("paper", Turn::Switch(false)).unwrap();
        desk.turn("cover_open", Turn::Switch(true)).unwrap();
        let mut obstacle = || driver.status().unwrap().obstacle;
        assert_eq!(obstacle(), Some(Obstacle::CoverOpen));
        desk.turn("cover_open", Turn::Switch(false)).unwrap();
        assert_eq!(obstacle(), Some(Obstacle::PaperEnd));
        desk.turn("paper", Turn::Switch(true)).unwrap();
        assert_eq!(obstacle(), None);
        for (name, number) in [
            ("silent", None),
            ("hangs-up", None),
            ("truncated", Some(100)),
            ("garbage", None),
            ("stale", None),
            ("refused", None),
        ] {
            fault(&desk, name, number);
            assert!(driver.status().is_err() && driver.status().is_err(), "{name}");
        }
        fault(&desk, "byte-by-byte", None);
        driver.status().unwrap();
        desk.set_fault(None);
        desk.plug(false).unwrap();
        assert!(driver.status().is_err());
        desk.plug(true).unwrap();
        print(&mut driver).unwrap();
    }
}
