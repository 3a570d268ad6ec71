//! Lay the card on the reader, or type the number. Never a half-read person: a card counts only when
//! its whole answer was read and checked.

use super::{AuditFact, Citizen, Effect, Page, Ticket, Turn, question};
use crate::applicant::{Applicant, IdentificationWay};
use crate::citizen_number::{CitizenNumber, NumberFault};
use crate::private::Private;
use crate::remedy::{Notice, Remedy};

/// What the reader does, for the picture on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardStatus {
    /// Waiting for a card.
    Waiting,
    /// A card is being read.
    Reading,
}

/// State of the identification page.
#[derive(Clone, Debug, PartialEq)]
pub struct Identify {
    /// The number pad is shown instead of the card picture.
    pub typing: bool,
    /// What is typed so far.
    pub typed: Private<String>,
    /// What the reader does.
    pub status: CardStatus,
    /// A card that was read but waits for the resident's word (expired).
    pub pending: Option<Box<Applicant>>,
    reading: Option<Ticket>,
    found_at_ms: Option<u64>,
}

/// Characters of a citizen number.
pub(super) const NUMBER_CHARACTERS: usize = 18;

impl Identify {
    pub(super) fn new(typing: bool) -> Self {
        Identify {
            typing,
            typed: Private::with_capacity(NUMBER_CHARACTERS),
            status: CardStatus::Waiting,
            pending: None,
            reading: None,
            found_at_ms: None,
        }
    }

    /// Whether a card was laid, be it read or not.
    pub(super) fn saw_a_card(&self) -> bool {
        self.found_at_ms.is_some()
    }
}

/// Starts (again) to look for a card, unless the number is being typed.
pub(super) fn read_again(turn: &mut Turn) {
    let ticket = turn.new_ticket();
    let Page::Identify(identify) = &mut turn.session.page else { return };
    identify.status = CardStatus::Waiting;
    identify.pending = None;
    identify.reading = (!identify.typing).then_some(ticket);
    turn.effects.push(match identify.typing {
        false => Effect::StartReading(ticket),
        true => Effect::StopReading,
    });
}

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    let typed_allowed = turn.item().is_some_and(|item| item.ways.contains(&IdentificationWay::Typed));
    let card_allowed = turn.item().is_some_and(|item| item.ways.contains(&IdentificationWay::IdCard));
    let Page::Identify(identify) = &mut turn.session.page else { return };
    match touch {
        Citizen::TypingChosen if typed_allowed => {
            identify.typing = true;
            read_again(turn);
        }
        Citizen::CardChosen if card_allowed => {
            identify.typing = false;
            *identify = Identify::new(false);
            read_again(turn);
        }
        Citizen::KeyTyped(key) if identify.typing => {
            let key = key.to_ascii_uppercase();
            let room = identify.typed.expose().len() < NUMBER_CHARACTERS;
            if room && (key.is_ascii_digit() || key == 'X') {
                identify.typed.expose_mut().push(key);
            }
        }
        Citizen::Erased if identify.typing => {
            identify.typed.expose_mut().pop();
        }
        Citizen::Cleared if identify.typing => identify.typed = Private::with_capacity(NUMBER_CHARACTERS),
        Citizen::NumberSubmitted if identify.typing => submit_number(turn),
        Citizen::NoticeContinued => continue_with_pending(turn),
        Citizen::Back => {
            turn.effects.push(Effect::StopReading);
            turn.session.page = Page::Consent;
        }
        _ => {}
    }
}

/// The reader came or went: say so on the page that waits for it.
pub(super) fn on_reader_present(turn: &mut Turn, present: bool) {
    let Page::Identify(identify) = &mut turn.session.page else { return };
    if identify.typing {
        return;
    }
    identify.status = CardStatus::Waiting;
    let shown = turn.session.notice == Some(Notice::ReaderAway);
    if present && shown {
        turn.session.notice = None;
        read_again(turn);
    } else if !present && turn.session.notice.is_none() {
        turn.session.notice = Some(Notice::ReaderAway);
    }
}

pub(super) fn on_card_found(turn: &mut Turn, ticket: Ticket) {
    if let Page::Identify(identify) = &mut turn.session.page
        && identify.reading == Some(ticket)
    {
        identify.status = CardStatus::Reading;
        identify.found_at_ms = Some(turn.moment.monotonic_ms);
        turn.session.notice = None;
        turn.somebody_is_there();
    }
}

pub(super) fn on_card_failed(turn: &mut Turn, ticket: Ticket, remedy: Remedy) {
    let Page::Identify(identify) = &mut turn.session.page else { return };
    if identify.reading != Some(ticket) {
        return;
    }
    identify.status = CardStatus::Waiting;
    turn.session.notice = Some(match remedy {
        Remedy::Retry => Notice::CardNotReadable,
        Remedy::AskCitizen(notice) => notice,
        Remedy::CallOperator(_) => Notice::ReaderAway,
    });
    turn.audit(AuditFact::CardReadFailed(remedy));
}

pub(super) fn on_card_read(turn: &mut Turn, ticket: Ticket, applicant: Applicant) {
    let accepts_expired = turn.item().is_some_and(|item| item.accepts_expired_card);
    let expired = applicant.expired_on(turn.session.today);
    let Page::Identify(identify) = &mut turn.session.page else { return };
    if identify.reading != Some(ticket) {
        return;
    }
    identify.reading = None;
    identify.status = CardStatus::Waiting;
    let now = turn.moment.monotonic_ms;
    let took_ms = now.saturating_sub(identify.found_at_ms.unwrap_or(now));
    turn.effects.push(Effect::StopReading);
    turn.effects.push(Effect::Audit(AuditFact::CardRead { document: applicant.document, took_ms }));
    match (expired, accepts_expired) {
        (false, _) => accept(turn, applicant),
        (true, accepted) => {
            // Kept on the page, not in the visit: the resident has not yet said yes.
            identify.pending = Some(Box::new(applicant));
            turn.session.notice =
                Some(if accepted { Notice::CardExpiredAccepted } else { Notice::CardExpired });
        }
    }
}

fn continue_with_pending(turn: &mut Turn) {
    if turn.session.notice != Some(Notice::CardExpiredAccepted) {
        return;
    }
    let Page::Identify(identify) = &mut turn.session.page else { return };
    if let Some(applicant) = identify.pending.take() {
        turn.session.notice = None;
        accept(turn, *applicant);
    }
}

fn submit_number(turn: &mut Turn) {
    let Page::Identify(identify) = &turn.session.page else { return };
    match CitizenNumber::parse(identify.typed.expose()) {
        Ok(number) => {
            if let Some(item) = turn.item().map(|item| item.code.clone()) {
                turn.audit(AuditFact::NumberTyped(item));
            }
            accept(turn, Applicant::typed(&number));
        }
        Err(fault) => {
            turn.session.notice = Some(match fault {
                NumberFault::Length => Notice::IdNumberLength,
                NumberFault::Characters => Notice::IdNumberCharacters,
                NumberFault::BirthDate => Notice::IdNumberDate,
                NumberFault::CheckCharacter => Notice::IdNumberCheck,
            });
        }
    }
}

/// The person is known: eligible, then on to what the card says (or, typed, straight to the form).
fn accept(turn: &mut Turn, applicant: Applicant) {
    let way = applicant.way;
    let conditions = turn.rules.conditions;
    let today = turn.session.today;
    let Some(visit) = &mut turn.session.visit else { return turn.lost() };
    visit.applicant = Some(applicant);
    let eligible = conditions.is_eligible(&visit.item, &visit.facts(today));
    match eligible {
        Ok(true) => {
            question::prefill(turn);
            match way {
                IdentificationWay::IdCard => turn.session.page = Page::ConfirmPerson,
                IdentificationWay::Typed => question::go_to_first_open(turn),
            }
        }
        Ok(false) => refuse(turn, Notice::NotEligible),
        Err(_) => refuse(turn, Notice::ItemBroken),
    }
}

/// Forgets the person and says why.
fn refuse(turn: &mut Turn, notice: Notice) {
    if let Some(visit) = &mut turn.session.visit {
        visit.applicant = None;
    }
    turn.session.notice = Some(notice);
}
