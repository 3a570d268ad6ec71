//! The identity-card reader: looks for a card while the session wants one, reads it whole or not at all, and sees
//! whether it was left behind.

use super::advice::notice_of;
use super::declared::{ReaderConnection, ReaderDevice};
use super::health::{HealthBook, Trouble};
use super::station::{self, Hand, Station};
use crate::inbox::Inbox;
use device_drivers::bulk_pipes::UsbId;
use device_drivers::id_card_reader::{
    CardText, Found, IdCardReader, PipeLayout, ReaderError, SerialIdCardReader, UsbIdCardReader,
};
use kiosk_core::applicant::{Applicant, DocumentKind, IdentificationWay};
use kiosk_core::calendar;
use kiosk_core::private::Private;
use kiosk_core::remedy::{FaultCode, Notice, Remedy};
use kiosk_core::session::{Device, Ticket};
use std::time::Duration;

/// Its name in health and logs.
pub const NAME: &str = "id-card-reader";
/// Time between two looks for a card while one is awaited. A look takes some 3 ms of the line; with a longer pause the
/// resident waits for the poll and not for the reader.
const POLL: Duration = Duration::from_millis(100);
/// Time between two looks whether an idle reader is still there.
const PRESENCE: Duration = Duration::from_secs(2);

/// What the session asks of the reader.
pub enum Order {
    /// Look for a card and read it; report with this ticket.
    Start(Ticket),
    /// Stop looking.
    Stop,
    /// See whether the card that was read still lies there.
    LookForCardLeft(Ticket),
}

/// Starts the reader's thread.
pub fn spawn(device: ReaderDevice, inbox: Inbox, health: HealthBook) -> std::io::Result<Hand<Order>> {
    let looks_for_left_cards = device.finds_again_after_reset;
    let desk = ReaderDesk {
        connection: device.connection,
        looks_for_left_cards,
        inbox,
        reader: None,
        wanted: None,
        left_behind: false,
        told: None,
    };
    station::spawn(NAME, desk, health)
}

struct ReaderDesk {
    connection: ReaderConnection,
    looks_for_left_cards: bool,
    inbox: Inbox,
    reader: Option<Box<dyn IdCardReader>>,
    wanted: Option<Ticket>,
    /// The card that lies there is of a session that has ended: nobody's until it was taken away.
    left_behind: bool,
    /// The resident whom that was said to.
    told: Option<Ticket>,
}

impl Station for ReaderDesk {
    type Order = Order;

    fn open(&mut self) -> Result<(), Trouble> {
        let mut reader = open(&self.connection).map_err(trouble_of)?;
        // A reader that was without power finds anew what was read and forgotten before it.
        if self.wanted.is_none() {
            self.left_behind |= matches!(reader.find(), Ok(Found::Card));
        }
        self.reader = Some(reader);
        Ok(())
    }

    fn close(&mut self) {
        self.reader = None;
    }

    fn turn(&mut self) -> Result<(), Trouble> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        if self.wanted.is_none() && !self.left_behind {
            return reader.sam_id().map(drop).or_else(only_if_lost);
        }
        match (reader.find(), self.wanted) {
            (Ok(Found::Nothing), _) => self.left_behind = false,
            (Ok(Found::Card), Some(ticket)) if self.left_behind => self.tell_of_the_card(ticket),
            (Ok(Found::Card), Some(ticket)) => return self.read(ticket),
            (Ok(Found::Card), None) => {}
            (Err(error), Some(ticket)) => return self.failed(ticket, error),
            (Err(error), None) => return only_if_lost(error),
        }
        Ok(())
    }

    fn obey(&mut self, order: Order) -> Result<(), Trouble> {
        match order {
            Order::Start(ticket) => self.wanted = Some(ticket),
            Order::Stop => self.wanted = None,
            Order::LookForCardLeft(ticket) => return self.look_for_card_left(ticket),
        }
        Ok(())
    }

    fn pause(&self) -> Duration {
        if self.wanted.is_some() || self.left_behind { POLL } else { PRESENCE }
    }

    fn report(&mut self, here: bool) {
        self.inbox.device(Device::ReaderPresent(here));
    }
}

impl ReaderDesk {
    fn read(&mut self, ticket: Ticket) -> Result<(), Trouble> {
        self.inbox.device(Device::CardFound(ticket));
        let Some(reader) = &mut self.reader else { return Ok(()) };
        let card = match reader.read() {
            Ok(card) => card,
            Err(error) => return self.failed(ticket, error),
        };
        self.wanted = None;
        self.inbox.device(match applicant_of(&card.text) {
            Some(applicant) => Device::CardRead(ticket, Box::new(applicant)),
            None => Device::CardFailed(ticket, Remedy::AskCitizen(Notice::CardNotReadable)),
        });
        Ok(())
    }

    /// Said once; the looking goes on, so that a card which is lifted and laid again is read without another touch.
    fn tell_of_the_card(&mut self, ticket: Ticket) {
        if self.told.replace(ticket) != Some(ticket) {
            let remedy = Remedy::AskCitizen(Notice::CardAlreadyThere);
            self.inbox.device(Device::CardFailed(ticket, remedy));
        }
    }

    fn failed(&mut self, ticket: Ticket, error: ReaderError) -> Result<(), Trouble> {
        tracing::warn!(%error, "the id card reader");
        let remedy = remedy_of(&error);
        if let Remedy::CallOperator(_) = remedy {
            return Err(trouble_of(error));
        }
        // The session decides whether to look again: the resident reads the notice first.
        self.wanted = None;
        self.inbox.device(Device::CardFailed(ticket, remedy));
        Ok(())
    }

    /// A card that was read is not found again (80) until it was taken off, so "nothing" means nothing. After a reset
    /// some readers find it anew, and only those are asked. The card is found, never selected or read.
    fn look_for_card_left(&mut self, ticket: Ticket) -> Result<(), Trouble> {
        let reader = self.reader.as_mut().filter(|_| self.looks_for_left_cards && self.wanted.is_none());
        let found = reader.map_or(Ok(Found::Nothing), |reader| reader.reset().and_then(|()| reader.find()));
        let there = matches!(found, Ok(Found::Card));
        self.left_behind |= there;
        self.inbox.device(Device::CardLeft(ticket, there));
        found.map(drop).or_else(only_if_lost)
    }
}

fn open(connection: &ReaderConnection) -> Result<Box<dyn IdCardReader>, ReaderError> {
    match connection {
        ReaderConnection::Serial { port, baud } => {
            let mut reader = SerialIdCardReader::open(port, *baud)?;
            if let Err(ReaderError::NoAnswer { .. }) = reader.sam_id() {
                let found = reader.detect_baud()?;
                tracing::info!(baud = found, "the id card reader answers at another rate");
            }
            Ok(Box::new(reader))
        }
        ReaderConnection::Usb { vendor, product, serial, interface } => {
            let id =
                UsbId { vendor: *vendor, product: *product, serial: serial.clone(), interface: *interface };
            let mut reader = UsbIdCardReader::usb(id, PipeLayout::MINISTRY);
            reader.sam_id()?;
            Ok(Box::new(reader))
        }
    }
}

/// An idle reader that answers late, or damaged once, is still there.
fn only_if_lost(error: ReaderError) -> Result<(), Trouble> {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => Err(fault.into()),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => Ok(()),
    }
}

fn trouble_of(error: ReaderError) -> Trouble {
    match error.remedy() {
        device_drivers::Remedy::CallOperator(fault) => fault.into(),
        device_drivers::Remedy::Retry | device_drivers::Remedy::AskCitizen(_) => {
            device_drivers::Fault::ReaderSilent.into()
        }
    }
}

/// What the driver advises, in the session's words.
fn remedy_of(error: &ReaderError) -> Remedy {
    match error.remedy() {
        device_drivers::Remedy::Retry => Remedy::Retry,
        device_drivers::Remedy::AskCitizen(hint) => Remedy::AskCitizen(notice_of(hint)),
        device_drivers::Remedy::CallOperator(_) => Remedy::CallOperator(FaultCode::Reader),
    }
}

/// The card's text as an applicant; `None` when a field that must be there is not (a half-read person
/// is no person).
fn applicant_of(card: &CardText) -> Option<Applicant> {
    let private = |text: &str| (!text.is_empty()).then(|| Private::from(text));
    let day = |iso: Option<String>| iso.and_then(|iso| calendar::from_iso(&iso));
    let (document, ethnic) = match card {
        CardText::Mainland(card) => (DocumentKind::ResidentIdCard, private(&card.ethnic)),
        CardText::HmtResidence(_) => (DocumentKind::HmtResidencePermit, None),
        CardText::Foreigner2017(_) => (DocumentKind::Foreigner2017, None),
        CardText::Foreigner2023(_) => (DocumentKind::Foreigner2023, None),
    };
    let valid_to = day(card.valid_to_iso());
    // A last day that is neither a day nor 长期 would make an expired card look valid for ever.
    let end_known = valid_to.is_some() || card.is_long_term();
    let applicant = Applicant {
        way: IdentificationWay::IdCard,
        document,
        name: private(card.name()),
        number: Private::from(card.number()),
        sex: private(card.sex_code()),
        ethnic,
        birth: card.birth_iso().map(Private::new),
        address: card.address().and_then(private),
        issuer: card.issuer().and_then(private),
        valid_from: day(card.valid_from_iso()),
        valid_to,
    };
    let named = applicant.name.is_some() && !applicant.number.expose().is_empty();
    (named && applicant.birth.is_some() && end_known).then_some(applicant)
}
