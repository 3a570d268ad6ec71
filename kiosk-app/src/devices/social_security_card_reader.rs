//! The social-security card's reader: looks for a card while the session wants one, reads it whole or not at all, and sees
//! a card being taken, which the ID-card reader does not.
//!
//! A card is read once. Until it was taken out it is not read again, neither for the resident who has seen why it could
//! not be used nor for the next one, whose it may not be; put in again, it is read without a touch. One that is put in
//! while nobody wants it is read as soon as somebody does: people have their card in before they have chosen.

use super::advice::notice_of;
use super::declared::SocialCardReaderDevice;
use super::health::{HealthBook, Trouble};
use super::station::{self, Hand, Station};
use crate::inbox::Inbox;
use device_drivers::Hint;
use device_drivers::social_security_card::{
    PcscCardReader, SocialSecurityCard, SocialSecurityCardError, SocialSecurityCardReader,
};
use kiosk_core::applicant::Applicant;
use kiosk_core::calendar;
use kiosk_core::citizen_number::CitizenNumber;
use kiosk_core::private::Private;
use kiosk_core::remedy::{Notice, Remedy};
use kiosk_core::session::{Device, Ticket};
use std::time::Duration;

/// Its name in health and logs.
pub const NAME: &str = "social-security-card-reader";
/// Time between two looks for a card while one is awaited. `pcscd` itself looks some three times a second.
const POLL: Duration = Duration::from_millis(200);
/// Time between two looks whether a card that is nobody's, or that should be taken, is still in.
const REMOVAL: Duration = Duration::from_millis(400);
/// Time between two looks whether an idle reader is still there.
const PRESENCE: Duration = Duration::from_secs(2);

/// What the session asks of the reader.
pub enum Order {
    /// Look for a card and read it; report with this ticket.
    Start(Ticket),
    /// Stop looking.
    Stop,
    /// A resident has gone: a card that is in now is not the next one's.
    SessionOver,
    /// Tell whether a card is in, and each time that this changes.
    LookForCardLeft(Ticket),
}

/// Starts the reader's thread.
pub fn spawn(
    device: &SocialCardReaderDevice,
    inbox: Inbox,
    health: HealthBook,
) -> std::io::Result<Hand<Order>> {
    let desk = CardDesk::new(Box::new(PcscCardReader::new(&device.reader)), inbox);
    station::spawn(NAME, desk, health)
}

struct CardDesk {
    /// Kept also while the reader is away: a call that hangs in it must end before another begins.
    reader: Box<dyn SocialSecurityCardReader>,
    inbox: Inbox,
    wanted: Option<Ticket>,
    /// The card that is in was read, or is of a session that has ended.
    spent: bool,
    /// The search for which that a card is being read was said last.
    found: Option<Ticket>,
    /// The search for which that a card was in already was said last.
    told: Option<Ticket>,
    /// Who sees a resident off, and what was told last.
    watcher: Option<(Ticket, Option<bool>)>,
}

impl Station for CardDesk {
    type Order = Order;

    fn open(&mut self) -> Result<(), Trouble> {
        let there = self.reader.is_card_in().map_err(trouble_of)?;
        // Whose it is nobody saw, unless somebody is waiting for it.
        self.spent |= there && self.wanted.is_none();
        Ok(())
    }

    fn close(&mut self) {}

    fn turn(&mut self) -> Result<(), Trouble> {
        let there = match self.reader.is_card_in() {
            Ok(there) => there,
            Err(error) => return only_if_lost(error),
        };
        self.tell_watcher(there);
        if !there {
            (self.spent, self.found) = (false, None);
            return Ok(());
        }
        match self.wanted {
            Some(ticket) if self.spent => self.tell_of_the_card(ticket),
            Some(ticket) => return self.read(ticket),
            None => {}
        }
        Ok(())
    }

    fn obey(&mut self, order: Order) -> Result<(), Trouble> {
        match order {
            Order::Start(ticket) => (self.wanted, self.watcher) = (Some(ticket), None),
            Order::Stop => self.wanted = None,
            Order::SessionOver => {
                (self.wanted, self.watcher) = (None, None);
                // Of a reader that does not answer, opening will tell.
                let there = self.reader.is_card_in();
                self.spent |= matches!(there, Ok(true));
                return there.map(drop).or_else(only_if_lost);
            }
            // A reader that is away has seen nothing, and says nothing.
            Order::LookForCardLeft(ticket) => {
                self.watcher = Some((ticket, None));
                let there = self.reader.is_card_in();
                if let Ok(there) = there {
                    self.tell_watcher(there);
                }
                return there.map(drop).or_else(only_if_lost);
            }
        }
        Ok(())
    }

    fn pause(&self) -> Duration {
        match self.wanted {
            Some(_) => POLL,
            None if self.spent || self.watcher.is_some() => REMOVAL,
            None => PRESENCE,
        }
    }

    fn report(&mut self, here: bool) {
        self.inbox.device(Device::SocialCardReaderPresent(here));
    }
}

impl CardDesk {
    fn new(reader: Box<dyn SocialSecurityCardReader>, inbox: Inbox) -> Self {
        CardDesk { reader, inbox, wanted: None, spent: false, found: None, told: None, watcher: None }
    }

    fn read(&mut self, ticket: Ticket) -> Result<(), Trouble> {
        if self.found.replace(ticket) != Some(ticket) {
            self.inbox.device(Device::CardFound(ticket));
        }
        let failed = match self.reader.read() {
            Ok(card) => match applicant_of(&card) {
                Some(applicant) => {
                    (self.wanted, self.spent) = (None, true);
                    self.inbox.device(Device::CardRead(ticket, Box::new(applicant)));
                    return Ok(());
                }
                None => Notice::SocialCardLocked,
            },
            Err(error) => {
                tracing::warn!(%error, "the social-security card reader");
                match error.remedy() {
                    device_drivers::Remedy::CallOperator(fault) => return Err(fault.into()),
                    // The card stays wanted: the next turn tries again, and a reader that stays silent is lost then.
                    device_drivers::Remedy::Retry => return Ok(()),
                    device_drivers::Remedy::AskCitizen(hint) => notice_of_social_card(hint),
                }
            }
        };
        // The search goes on: this card is heard of again when it was taken out and put in, or in another search.
        (self.spent, self.told) = (true, Some(ticket));
        self.inbox.device(Device::CardFailed(ticket, Remedy::AskCitizen(failed)));
        Ok(())
    }

    /// Said once for each search; the looking goes on, so that a card which is taken out and put in again is read
    /// without another touch.
    fn tell_of_the_card(&mut self, ticket: Ticket) {
        if self.told.replace(ticket) != Some(ticket) {
            let remedy = Remedy::AskCitizen(Notice::SocialCardAlreadyThere);
            self.inbox.device(Device::CardFailed(ticket, remedy));
        }
    }

    fn tell_watcher(&mut self, there: bool) {
        if let Some((ticket, told)) = &mut self.watcher
            && told.replace(there) != Some(there)
        {
            self.inbox.device(Device::CardLeft(*ticket, there));
        }
        if !there {
            self.watcher = None;
        }
    }
}

/// An idle reader that answers late once is still there.
fn only_if_lost(error: SocialSecurityCardError) -> Result<(), Trouble> {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => Err(fault.into()),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => Ok(()),
    }
}

fn trouble_of(error: SocialSecurityCardError) -> Trouble {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => fault.into(),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => {
            device_drivers::Fault::SocialSecurityReaderSilent.into()
        }
    }
}

/// The sentence for what the driver advises. This card is put in, not laid.
fn notice_of_social_card(hint: Hint) -> Notice {
    match hint {
        Hint::LayCard | Hint::HoldCardStill => Notice::SocialCardPulled,
        Hint::LayCardAgain => Notice::SocialCardNotRead,
        Hint::NotASocialSecurityCard => Notice::SocialCardUnknown,
        Hint::CardLocked => Notice::SocialCardLocked,
        other => notice_of(other),
    }
}

/// The card's holder; `None` when the number cannot be one, or a character of the name could not be read: a name that
/// is nearly right is nobody's.
fn applicant_of(card: &SocialSecurityCard) -> Option<Applicant> {
    let number = CitizenNumber::parse(&card.number).ok()?;
    let named = !card.name.is_empty() && !card.name.contains(char::REPLACEMENT_CHARACTER);
    let private = |text: &str| (!text.is_empty()).then(|| Private::from(text));
    named.then(|| Applicant {
        sex: private(&card.sex),
        ethnic: private(&card.ethnic),
        valid_from: calendar::from_compact(&card.issued),
        valid_to: calendar::from_compact(&card.valid_until),
        ..Applicant::by_social_security_card(Private::from(card.name.as_str()), &number)
    })
}

#[cfg(test)]
mod tests;
