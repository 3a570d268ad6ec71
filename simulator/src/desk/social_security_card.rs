//! The social-security card's reader, and the cards that are put into it: a virtual reader in a `pcscd` of the desk's own.

use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use device_drivers::social_security_card::SocialSecurityCard;
use device_drivers::social_security_card::simulator::{
    CardFault, CardManners, Unfit, VirtualCard, VirtualSlot, made_up_person,
};
use serde_json::{Value, json};

use super::at_desk::{AtDesk, Hardware, held};
use super::device::{Control, ControlKind, Turn};
use super::fault::{Known, Scale, Unit, bytes, numbered, plain};
use crate::cards::DeskCard;
use crate::pcscd::PrivatePcscd;

/// At which of the card's commands something goes wrong: it answers with its holder's number.
const AT: usize = 18;
/// How long the virtual reader may take from its daemon's socket until it listens.
const LISTENS: Duration = Duration::from_secs(10);

/// A card beside the reader.
#[derive(Clone, Copy)]
struct SocialCard {
    id: &'static str,
    /// Whose card on the desk says the rest.
    holder: &'static str,
    /// The name, where the holder's own does not fit: this card has GBK for it.
    name: Option<&'static str>,
    valid_until: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Open,
    /// Shows its holder's records to nobody without a key.
    Locked,
    /// A bank card, a transport card.
    Another,
    /// Put in the wrong way round.
    TurnedRound,
}

const LONG: &str = "20350301";

const fn card(id: &'static str, holder: &'static str, kind: Kind) -> SocialCard {
    SocialCard { id, holder, name: None, valid_until: LONG, kind }
}

const CARDS: [SocialCard; 7] = [
    card("ordinary", "ordinary", Kind::Open),
    SocialCard { name: Some("沈䶮"), ..card("rare-name", "rare-name", Kind::Open) },
    card("elder", "elder", Kind::Open),
    SocialCard { valid_until: "20200817", ..card("expired", "expired", Kind::Open) },
    card("locked", "elder", Kind::Locked),
    card("another-card", "ordinary", Kind::Another),
    card("wrong-way", "ordinary", Kind::TurnedRound),
];
const CARD_IDS: [&str; CARDS.len()] =
    [CARDS[0].id, CARDS[1].id, CARDS[2].id, CARDS[3].id, CARDS[4].id, CARDS[5].id, CARDS[6].id];

struct Hands {
    slot: VirtualSlot,
    card: Option<SocialCard>,
    paced: bool,
    plugged: bool,
}

pub(super) struct SocialCardReader {
    /// Or why there is none on this machine.
    pcscd: Result<PrivatePcscd, String>,
    hands: Mutex<Hands>,
}

impl SocialCardReader {
    /// Its daemon is started and not waited for. On a machine that cannot have one the reader stays unplugged, and says
    /// why to whoever plugs it in.
    pub(super) fn set_up(folder: &Path, paced: bool) -> AtDesk<Self> {
        let pcscd = PrivatePcscd::prepare(folder).and_then(|pcscd| pcscd.start().map(|()| pcscd));
        if let Err(error) = &pcscd {
            tracing::warn!(%error, "there is no reader for social-security cards");
        }
        // Port 9 (discard): nobody listens there.
        let reader = pcscd.as_ref().map_or(([127, 0, 0, 1], 9).into(), PrivatePcscd::reader);
        let slot = VirtualSlot::new(reader);
        slot.set_paced(paced);
        let hands = Hands { slot, card: None, paced, plugged: pcscd.is_ok() };
        AtDesk::new(Self { pcscd: pcscd.map_err(|error| error.to_string()), hands: Mutex::new(hands) })
    }

    pub(super) fn declared(&self) -> Value {
        json!({ "reader": PrivatePcscd::READER })
    }

    /// What the kiosk needs in its environment to find the reader.
    pub(super) fn environment(&self) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        self.pcscd.iter().map(PrivatePcscd::environment).collect()
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        held(&self.hands)
    }

    fn pcscd(&self) -> io::Result<&PrivatePcscd> {
        self.pcscd.as_ref().map_err(|why| io::Error::new(io::ErrorKind::Unsupported, why.clone()))
    }

    /// Takes out what is in, and puts `hands.card` in: at once, or as soon as the reader has power again.
    fn put_in(&self, hands: &mut Hands) -> io::Result<()> {
        hands.slot.take_out();
        let Some(card) = hands.card.filter(|_| hands.plugged) else { return Ok(()) };
        self.pcscd()?.wait_until_up()?;
        let card = virtual_card(card).map_err(io::Error::other)?;
        let until = Instant::now() + LISTENS;
        loop {
            match hands.slot.insert(card.clone()) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                outcome => return outcome,
            }
        }
    }
}

impl Hardware for SocialCardReader {
    const NAME: &'static str = "social-security-card-reader";
    type Fault = CardFault;
    /// What is wrong with every reading until somebody repairs it.
    const FAULTS: &'static [Known<CardFault>] = &[
        // The record has 20 bytes and a status word.
        numbered("pull-mid-read", bytes(0, 22, 3), |n| CardFault::PulledAfter(n as usize)),
        plain("garbage", |_| CardFault::Flipped(5)),
        // 65 81: the card's memory fails.
        numbered("status", Scale { unit: Unit::Code, least: 0x6281, most: 0x6FFF, usual: 0x6581 }, |n| {
            CardFault::Status(n as u16)
        }),
        plain("silent", |_| CardFault::Silence),
    ];
    const CONTROLS: &'static [Control] = &[
        Control { name: "inserted", kind: ControlKind::Choice { choices: &CARD_IDS, none: true } },
        Control::switch("paced"),
    ];

    fn is_plugged(&self) -> bool {
        let runs = |pcscd: &PrivatePcscd| pcscd.trouble().is_none();
        self.hands().plugged && self.pcscd.as_ref().is_ok_and(runs)
    }

    fn plug(&self) -> io::Result<()> {
        let pcscd = self.pcscd()?;
        let mut hands = self.hands();
        hands.plugged = true;
        pcscd.start()?;
        pcscd.wait_until_up()?;
        self.put_in(&mut hands)
    }

    /// The card that is in stays there, without power.
    fn unplug(&self) -> io::Result<()> {
        let pcscd = self.pcscd()?;
        let mut hands = self.hands();
        hands.plugged = false;
        hands.card = hands.card.filter(|_| hands.slot.has_card());
        hands.slot.pull();
        pcscd.stop()
    }

    fn set_fault(&self, fault: Option<CardFault>) {
        self.hands().slot.set_standing_fault(fault.map(|fault| (AT, fault)));
    }

    fn settings(&self) -> Value {
        let hands = self.hands();
        // A fault may have pulled it.
        let card = hands.card.filter(|_| !hands.plugged || hands.slot.has_card()).map(|card| card.id);
        json!({ "inserted": card, "paced": hands.paced })
    }

    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()> {
        let mut hands = self.hands();
        match turn {
            Turn::Choice(id) => {
                hands.card = id.and_then(|id| CARDS.into_iter().find(|card| card.id == id));
                return self.put_in(&mut hands);
            }
            Turn::Switch(paced) => {
                hands.paced = paced;
                hands.slot.set_paced(paced);
            }
            Turn::Press | Turn::Text(_) => unreachable!("{control} is not pressed"),
        }
        Ok(())
    }

    /// `why`: what keeps the reader from working on this machine.
    fn shows(&self) -> Value {
        let why = self.pcscd.as_ref().map_or_else(|why| Some(why.clone()), PrivatePcscd::trouble);
        json!({ "why": why })
    }
}

fn virtual_card(card: SocialCard) -> Result<VirtualCard, Unfit> {
    let made = VirtualCard::of(&written_on(card))?;
    Ok(match card.kind {
        Kind::Open => made,
        Kind::Locked => made.with_manners(CardManners { locked: true, ..CardManners::default() }),
        Kind::Another => VirtualCard::of_another_kind(),
        Kind::TurnedRound => made.turned_round(),
    })
}

/// The holder is one of the made-up people whose ID cards lie on the desk, too.
fn written_on(card: SocialCard) -> SocialSecurityCard {
    let holder = DeskCard::by_id(card.holder).expect("the holder's ID card lies on the desk").fields();
    let mut written = made_up_person("2.00");
    written.name = card.name.unwrap_or(&holder.name).to_owned();
    written.number.clone_from(&holder.number);
    written.sex.clone_from(&holder.sex);
    written.ethnic.clone_from(&holder.ethnic);
    written.birth.clone_from(&holder.birth);
    written.valid_until = card.valid_until.to_owned();
    written
}

#[cfg(test)]
mod tests;
