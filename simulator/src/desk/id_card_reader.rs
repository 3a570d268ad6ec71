//! The card reader, and the cards that lie on it or beside it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use device_drivers::id_card_reader::simulator::{self, CardImage, SimulatedReaderHandle, WireFault};
use serde_json::{Value, json};

use super::BAUD;
use super::at_desk::{AtDesk, Hardware, held};
use super::device::{Control, ControlKind, Turn};
use super::fault::{Known, Scale, Unit, bytes, millis, numbered, plain};
use crate::cards::{CARD_IDS, CARDS, DeskCard};

/// The longest answer, a card with fingerprints, has 2,321 bytes.
const IN_THE_ANSWER: Scale = bytes(1, 2400, 200);

/// A name on the chip is at most 15 units of UTF-16 long, each up to three bytes here.
const NAME_BYTES_MAX: usize = 45;

struct Hands {
    card: Option<&'static DeskCard>,
    paced: bool,
}

pub(super) struct IdCardReader {
    port: PathBuf,
    reader: SimulatedReaderHandle,
    hands: Mutex<Hands>,
}

impl IdCardReader {
    pub(super) fn set_up(folder: &Path, paced: bool) -> io::Result<AtDesk<Self>> {
        let port = folder.join("id-card-reader");
        let reader = simulator::serve(&port, BAUD)?;
        reader.set_paced(paced);
        // So that a forgotten card is noticed; other models never find it again.
        reader.set_rearms_on_reset(true);
        Ok(AtDesk::new(Self { port, reader, hands: Mutex::new(Hands { card: None, paced }) }))
    }

    pub(super) fn declared(&self) -> Value {
        json!({ "transport": "serial", "port": self.port, "baud": BAUD, "finds_again_after_reset": true })
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        held(&self.hands)
    }

    /// Lays the ordinary card on the reader, with this name on its chip.
    fn lay_named(&self, name: String) -> io::Result<()> {
        let ordinary = &CARDS[0];
        let mut fields = ordinary.fields();
        fields.name = name;
        let mut hands = self.hands();
        self.reader.exchange(CardImage::mainland(fields).map_err(io::Error::other)?);
        hands.card = Some(ordinary);
        Ok(())
    }

    /// Lays a card on the reader (in place of another), or takes it off.
    fn lay(&self, card: Option<&'static DeskCard>) -> io::Result<()> {
        let mut hands = self.hands();
        match card {
            None => self.reader.pull(),
            Some(card) => self.reader.exchange(CardImage::mainland(card.fields()).map_err(io::Error::other)?),
        }
        hands.card = card;
        Ok(())
    }
}

impl Hardware for IdCardReader {
    const NAME: &'static str = "id-card-reader";
    type Fault = WireFault;
    /// What can be wrong until somebody repairs it. The names without a number stand in scenarios: they stay.
    const FAULTS: &'static [Known<WireFault>] = &[
        plain("checksum", |_| WireFault::WrongChecksum),
        plain("garbage", |_| WireFault::GarbageInside),
        plain("garbage-before", |_| WireFault::GarbageBefore),
        plain("stale", |_| WireFault::StaleAnswer),
        numbered("truncated", IN_THE_ANSWER, |n| WireFault::Truncated { after_bytes: n as usize }),
        // Still well inside the driver's deadline of 3 s.
        numbered("delay", millis(1500), |n| WireFault::Late { millis: n }),
        // The reader works on the chip for 350 ms.
        numbered("pull-early", millis(100), |n| WireFault::PulledAfter { millis: n }),
        numbered("pull-mid-read", IN_THE_ANSWER, |n| WireFault::PulledMidRead { after_bytes: n as usize }),
        numbered("unplug-mid-read", IN_THE_ANSWER, |n| WireFault::Unplugged { after_bytes: n as usize }),
        plain("refused", |_| WireFault::Refused),
        plain("not-a-card", |_| WireFault::NotACard),
        plain("chip-hangs", |_| WireFault::ChipHangs),
        plain("stuck", |_| WireFault::Stuck),
        plain("silent", |_| WireFault::Silence),
        plain("vendor-timeout", |_| WireFault::VendorTimeout),
        // 0x41: reading failed.
        numbered("status", Scale { unit: Unit::Code, least: 0, most: 255, usual: 0x41 }, |n| {
            WireFault::Status(n as u8)
        }),
    ];
    const CONTROLS: &'static [Control] = &[
        Control { name: "card", kind: ControlKind::Choice { choices: &CARD_IDS, none: true } },
        Control { name: "name", kind: ControlKind::Text { most: NAME_BYTES_MAX } },
        Control::switch("paced"),
    ];

    fn is_plugged(&self) -> bool {
        self.reader.is_plugged()
    }

    fn plug(&self) -> io::Result<()> {
        self.reader.plug()
    }

    fn unplug(&self) -> io::Result<()> {
        self.reader.unplug();
        Ok(())
    }

    fn set_fault(&self, fault: Option<WireFault>) {
        self.reader.set_fault(fault);
    }

    fn settings(&self) -> Value {
        let hands = self.hands();
        // A fault may have pulled it.
        let card = hands.card.filter(|_| self.reader.has_card()).map(|card| card.id);
        json!({ "card": card, "paced": hands.paced })
    }

    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()> {
        match turn {
            Turn::Choice(card) => return self.lay(card.and_then(DeskCard::by_id)),
            Turn::Switch(paced) => {
                self.hands().paced = paced;
                self.reader.set_paced(paced);
            }
            Turn::Text(name) => return self.lay_named(name),
            Turn::Press => unreachable!("{control} is not pressed"),
        }
        Ok(())
    }

    fn shows(&self) -> Value {
        json!({ "reads": self.reader.reads() })
    }
}
