//! Lay the ID card on its reader, put the social-security card into its own, or type the number. Never a half-read
//! person: a card counts only when its whole answer was read and checked.
//!
//! Both readers look at once, each under a ticket of its own. The first whole card counts, and the other reader is
//! stopped; a reader that fails, or goes, closes its own way and no other.

use super::{AuditFact, Citizen, Effect, Page, Ticket, Turn, Visit, question};
use crate::applicant::{Applicant, CardKind, DocumentKind, IdentificationWay};
use crate::citizen_number::{CitizenNumber, NumberFault};
use crate::private::Private;
use crate::remedy::{Notice, Remedy};

/// What the readers do, for the picture on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardStatus {
    /// Waiting for a card.
    Waiting,
    /// This card is being read.
    Reading(CardKind),
}

/// Which cards a reader has found in this visit, be they read or not: they may still be there at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CardsShown {
    /// On the ID-card reader.
    pub id_card: bool,
    /// In the social-security card's reader.
    pub social_card: bool,
}

/// State of the identification page.
#[derive(Clone, Debug, PartialEq)]
pub struct Identify {
    /// The number pad is shown instead of the card picture.
    pub typing: bool,
    /// What is typed so far.
    pub typed: Private<String>,
    /// What the readers do.
    pub status: CardStatus,
    /// A card that was read but waits for the resident's word (expired).
    pub pending: Option<Box<Applicant>>,
    /// What each reader that looks for a card reports with.
    looking: Vec<(CardKind, Ticket)>,
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
            looking: Vec::new(),
            found_at_ms: None,
        }
    }

    /// Whose ticket this is, while that reader is awaited.
    fn awaited(&self, ticket: Ticket) -> Option<CardKind> {
        self.looking.iter().find(|(_, awaited)| *awaited == ticket).map(|(card, _)| *card)
    }
}

/// The notice asks whether to go on with an expired card; beside "go on" its other button says "no".
pub(super) fn asks_to_go_on(notice: Notice) -> bool {
    matches!(notice, Notice::CardExpiredAccepted | Notice::SocialCardExpiredAccepted)
}

fn allowed(turn: &Turn, way: IdentificationWay) -> bool {
    turn.item().is_some_and(|item| item.ways.contains(&way))
}

/// Two places take a card: the resident is told of both.
pub(super) fn takes_either_card(turn: &Turn) -> bool {
    let has_slot = turn.session.surroundings.social_card_reader.is_some();
    has_slot && CardKind::ALL.iter().all(|card| allowed(turn, card.way()))
}

/// Starts (again) to look for each card that the item accepts, unless the number is being typed.
pub(super) fn read_again(turn: &mut Turn) {
    let mut looking = Vec::with_capacity(CardKind::ALL.len());
    for card in CardKind::ALL {
        if allowed(turn, card.way()) {
            looking.push((card, turn.new_ticket()));
        }
    }
    let Page::Identify(identify) = &mut turn.session.page else { return };
    identify.status = CardStatus::Waiting;
    identify.pending = None;
    identify.looking.clear();
    if identify.typing {
        turn.effects.push(Effect::StopReading);
        return;
    }
    turn.effects.extend(looking.iter().map(|(card, ticket)| Effect::StartReading(*card, *ticket)));
    identify.looking = looking;
}

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    let typed_allowed = allowed(turn, IdentificationWay::Typed);
    let card_allowed = CardKind::ALL.iter().any(|card| allowed(turn, card.way()));
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

/// A reader came or went. The page shows which places work; that none does is said over it.
pub(super) fn on_reader_present(turn: &mut Turn, card: CardKind, present: bool) {
    let works = |card: &CardKind| allowed(turn, card.way()) && turn.session.surroundings.reads(*card);
    let none_works = !CardKind::ALL.iter().any(works);
    let concerned = allowed(turn, card.way());
    let Page::Identify(identify) = &mut turn.session.page else { return };
    if identify.typing || !concerned {
        return;
    }
    if identify.status == CardStatus::Reading(card) {
        identify.status = CardStatus::Waiting;
    }
    let shown = turn.session.notice == Some(Notice::ReaderAway);
    if present && shown {
        turn.session.notice = None;
        read_again(turn);
    } else if none_works && turn.session.notice.is_none() {
        turn.session.notice = Some(Notice::ReaderAway);
    }
}

pub(super) fn on_card_found(turn: &mut Turn, ticket: Ticket) {
    let Page::Identify(identify) = &mut turn.session.page else { return };
    let Some(card) = identify.awaited(ticket) else { return };
    identify.status = CardStatus::Reading(card);
    identify.found_at_ms = Some(turn.moment.monotonic_ms);
    turn.session.notice = None;
    is_shown(turn, card);
    turn.somebody_is_there();
}

/// From now on the resident may forget it.
fn is_shown(turn: &mut Turn, card: CardKind) {
    let Some(Visit { cards, .. }) = &mut turn.session.visit else { return };
    match card {
        CardKind::IdCard => cards.id_card = true,
        CardKind::SocialSecurityCard => cards.social_card = true,
    }
}

pub(super) fn on_card_failed(turn: &mut Turn, ticket: Ticket, remedy: Remedy) {
    let Page::Identify(identify) = &mut turn.session.page else { return };
    let Some(card) = identify.awaited(ticket) else { return };
    turn.effects.push(Effect::Audit(AuditFact::CardReadFailed(remedy)));
    // The other card is being read at this moment: what becomes of that one counts.
    if matches!(identify.status, CardStatus::Reading(other) if other != card) {
        return;
    }
    identify.status = CardStatus::Waiting;
    turn.session.notice = Some(match (remedy, card) {
        (Remedy::Retry, CardKind::IdCard) => Notice::CardNotReadable,
        (Remedy::Retry, CardKind::SocialSecurityCard) => Notice::SocialCardNotRead,
        (Remedy::AskCitizen(notice), _) => notice,
        (Remedy::CallOperator(_), _) => Notice::ReaderAway,
    });
}

pub(super) fn on_card_read(turn: &mut Turn, ticket: Ticket, applicant: Applicant) {
    let accepts_expired = turn.item().is_some_and(|item| item.accepts_expired_card);
    let expired = applicant.expired_on(turn.session.today);
    let Page::Identify(identify) = &mut turn.session.page else { return };
    let Some(card) = identify.awaited(ticket) else { return };
    // Neither this card nor one in the other reader is awaited any more.
    identify.looking.clear();
    identify.status = CardStatus::Waiting;
    turn.session.notice = None;
    let now = turn.moment.monotonic_ms;
    let took_ms = now.saturating_sub(identify.found_at_ms.unwrap_or(now));
    turn.effects.push(Effect::StopReading);
    turn.effects.push(Effect::Audit(AuditFact::CardRead { document: applicant.document, took_ms }));
    is_shown(turn, card);
    match (expired, accepts_expired) {
        (false, _) => accept(turn, applicant),
        (true, accepted) => {
            let Page::Identify(identify) = &mut turn.session.page else { return };
            let social = applicant.document == DocumentKind::SocialSecurityCard;
            // Kept on the page, not in the visit: the resident has not yet said yes.
            identify.pending = Some(Box::new(applicant));
            turn.session.notice = Some(match (social, accepted) {
                (false, true) => Notice::CardExpiredAccepted,
                (false, false) => Notice::CardExpired,
                (true, true) => Notice::SocialCardExpiredAccepted,
                (true, false) => Notice::SocialCardExpired,
            });
        }
    }
}

fn continue_with_pending(turn: &mut Turn) {
    if !turn.session.notice.is_some_and(asks_to_go_on) {
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
pub(super) fn accept(turn: &mut Turn, applicant: Applicant) {
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
                IdentificationWay::IdCard | IdentificationWay::SocialSecurityCard => {
                    turn.session.page = Page::ConfirmPerson;
                }
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
