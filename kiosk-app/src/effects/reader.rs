//! The identity-card reader's thread: opens it, looks for a card while the session wants one, reads it
//! whole or not at all, and opens it again after it was unplugged.

use crate::config::SerialDevice;
use crate::inbox::Inbox;
use device_drivers::Hint;
use device_drivers::id_card_reader::{CardText, Found, IdCardReader, ReaderError, SerialIdCardReader};
use kiosk_core::applicant::{Applicant, DocumentKind, IdentificationWay};
use kiosk_core::calendar;
use kiosk_core::private::Private;
use kiosk_core::remedy::{FaultCode, Notice, Remedy};
use kiosk_core::session::{Device, Ticket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Time between two looks for a card (devices.md 1.11 suggests 300–500 ms).
const POLL: Duration = Duration::from_millis(300);
/// Time between two looks whether an idle reader is still there.
const PRESENCE: Duration = Duration::from_secs(2);
/// Time between two tries to open a reader that is away: usable again within 2 s of coming back.
const REOPEN: Duration = Duration::from_millis(500);
const COMMANDS_MAX: usize = 16;

enum Command {
    Start(Ticket),
    Stop,
}

/// The session's hand on the reader.
pub struct ReaderHand(SyncSender<Command>);

impl ReaderHand {
    /// Starts the thread.
    pub fn spawn(device: SerialDevice, inbox: Inbox) -> std::io::Result<Self> {
        let (sender, commands) = sync_channel(COMMANDS_MAX);
        let worker = Worker { device, inbox, reader: None, present: None, wanted: None };
        std::thread::Builder::new().name("id-card-reader".into()).spawn(move || worker.run(&commands))?;
        Ok(ReaderHand(sender))
    }

    /// Look for a card and read it; report with this ticket.
    pub fn start(&self, ticket: Ticket) {
        let _ = self.0.try_send(Command::Start(ticket));
    }

    /// Stop looking.
    pub fn stop(&self) {
        let _ = self.0.try_send(Command::Stop);
    }
}

struct Worker {
    device: SerialDevice,
    inbox: Inbox,
    reader: Option<Box<dyn IdCardReader>>,
    present: Option<bool>,
    wanted: Option<Ticket>,
}

impl Worker {
    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            self.turn();
            match commands.recv_timeout(self.pause()) {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // The newest command counts: a stop must not wait behind a poll.
            while let Ok(command) = commands.try_recv() {
                self.obey(command);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        self.wanted = match command {
            Command::Start(ticket) => Some(ticket),
            Command::Stop => None,
        };
    }

    fn pause(&self) -> Duration {
        match (&self.reader, self.wanted) {
            (None, _) => REOPEN,
            (Some(_), Some(_)) => POLL,
            (Some(_), None) => PRESENCE,
        }
    }

    fn turn(&mut self) {
        if self.reader.is_none() {
            self.open();
        }
        let Some(reader) = &mut self.reader else { return };
        match self.wanted {
            None => {
                if let Err(error) = reader.sam_id() {
                    self.on_error(error, None);
                }
            }
            Some(ticket) => match reader.find() {
                Ok(Found::Nothing) => {}
                Ok(Found::Card) => self.read(ticket),
                Err(error) => self.on_error(error, Some(ticket)),
            },
        }
    }

    fn open(&mut self) {
        match SerialIdCardReader::open(&self.device.port, self.device.baud) {
            Ok(mut reader) => {
                // A tty can be opened while nothing answers at its other end.
                if reader.sam_id().is_ok() {
                    self.reader = Some(Box::new(reader));
                    self.tell_presence(true);
                } else {
                    self.tell_presence(false);
                }
            }
            Err(_) => self.tell_presence(false),
        }
    }

    fn read(&mut self, ticket: Ticket) {
        self.inbox.device(Device::CardFound(ticket));
        let Some(reader) = &mut self.reader else { return };
        match reader.read() {
            Ok(card) => {
                self.wanted = None;
                match applicant_of(&card.text) {
                    Some(applicant) => self.inbox.device(Device::CardRead(ticket, Box::new(applicant))),
                    None => {
                        let remedy = Remedy::AskCitizen(Notice::CardNotReadable);
                        self.inbox.device(Device::CardFailed(ticket, remedy));
                    }
                }
            }
            Err(error) => self.on_error(error, Some(ticket)),
        }
    }

    fn on_error(&mut self, error: ReaderError, ticket: Option<Ticket>) {
        tracing::warn!(%error, "the id card reader");
        let remedy = remedy_of(&error);
        if let Remedy::CallOperator(_) = remedy {
            self.reader = None;
            self.tell_presence(false);
            return;
        }
        if let Some(ticket) = ticket {
            // The session decides whether to look again: the resident reads the notice first.
            self.wanted = None;
            self.inbox.device(Device::CardFailed(ticket, remedy));
        }
    }

    fn tell_presence(&mut self, present: bool) {
        if self.present.replace(present) != Some(present) {
            self.inbox.device(Device::ReaderPresent(present));
        }
    }
}

/// What the driver advises, in the session's words.
fn remedy_of(error: &ReaderError) -> Remedy {
    match error.remedy() {
        device_drivers::Remedy::Retry => Remedy::Retry,
        device_drivers::Remedy::AskCitizen(hint) => Remedy::AskCitizen(match hint {
            Hint::LayCard | Hint::LayCardAgain => Notice::CardNotReadable,
            Hint::HoldCardStill => Notice::CardHoldStill,
            Hint::NotAnIdCard | Hint::UnknownDocument | Hint::NotASocialSecurityCard => Notice::CardUnknown,
            Hint::CardRefused | Hint::CardLocked => Notice::CardRefused,
            Hint::LayMaterial => Notice::MaterialMissing,
            Hint::HoldMaterialStill => Notice::MaterialHoldStill,
            Hint::LayMaterialFlat => Notice::MaterialLayFlat,
            Hint::MoveMaterialInside => Notice::MaterialInside,
            Hint::TurnMaterialFromLight => Notice::MaterialGlare,
            Hint::UncoverCamera => Notice::CameraCovered,
            Hint::HoldFaceStill => Notice::FaceHoldStill,
            Hint::TurnFaceToLight => Notice::FaceLight,
            Hint::ScanAgain => Notice::ScanAgain,
            Hint::ScanAnotherCode => Notice::CodeUnusable,
        }),
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
