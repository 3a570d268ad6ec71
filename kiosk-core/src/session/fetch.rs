//! 查询: the city is asked what a department's register keeps about the person who holds the card. What comes back is
//! shown, and printed when somebody touches "print". While the city cannot be asked, the same request can be left as a
//! case. Nothing that was fetched outlives the visit.

use super::{
    AuditFact, CannotAsk, Citizen, CityQuestion, Effect, Page, PagesPrint, Ticket, TimerKind, Turn,
    next_item, pages_print, question,
};
use crate::answers::Answers;
use crate::applicant::Applicant;
use crate::private::Private;
use crate::service::ItemCode;
use crate::settings::Language;
use std::sync::Arc;

/// The city is being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetching {
    /// The answer must name it.
    ticket: Ticket,
    asked_at_ms: u64,
}

/// What is asked, and for whom.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchRequest {
    /// 事项.
    pub item: ItemCode,
    /// Version of its data.
    pub item_version: u32,
    /// Version of the consent text agreed to.
    pub consent_version: u32,
    /// The language of the document.
    pub language: Language,
    /// Who asks.
    pub applicant: Applicant,
    /// What was chosen.
    pub answers: Answers,
}

/// A raw value by the register's name for it; the catalog has the words.
pub type FetchedValue = (String, Private<String>);

/// 查询结果, as the city told it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    /// 事项.
    pub item: ItemCode,
    /// Number of the document.
    pub number: Private<String>,
    /// When it was issued, by the city's clock.
    pub issued_at_ms: i64,
    /// Values that stand by themselves.
    pub facts: Vec<FetchedValue>,
    /// Rows of the table.
    pub rows: Vec<Vec<FetchedValue>>,
    /// The address behind the document's QR code.
    pub address: Private<String>,
    /// The document.
    pub pdf: Arc<Private<Vec<u8>>>,
}

/// State of the page that shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedPage {
    /// What was fetched.
    pub fetched: Fetched,
    /// Its way to paper.
    pub print: PagesPrint,
}

/// What the A4 printer is to print: a document as the city made it.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentOrder {
    /// Of which item.
    pub item: ItemCode,
    /// The document.
    pub pdf: Arc<Private<Vec<u8>>>,
}

/// Why nothing was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unfetched {
    /// The register keeps nothing about this person.
    NothingHeld,
    /// The city cannot be asked, or says that it cannot answer.
    CannotAsk(CannotAsk),
}

/// What came of asking, for the auditor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchOutcome {
    /// It was fetched.
    Told,
    /// It was not; why.
    Not(Unfetched),
    /// The resident did not wait for the answer.
    Left,
}

/// Everything is chosen: asks.
pub(super) fn ask(turn: &mut Turn) {
    let Some((version, consent_version)) = turn.item().map(|item| (item.version, item.consent_version))
    else {
        return turn.lost();
    };
    let language = turn.session.settings.language;
    let request = turn.session.visit.as_ref().and_then(|visit| {
        Some(FetchRequest {
            item: visit.item.clone(),
            item_version: version,
            consent_version,
            language,
            applicant: visit.applicant.clone()?,
            answers: visit.answers.clone(),
        })
    });
    let Some(request) = request else { return turn.lost() };
    let ticket = turn.new_ticket();
    let within_ms = turn.rules.limits.asking_ms;
    turn.audit(AuditFact::FetchAsked(request.item.clone()));
    let question = CityQuestion::Fetch(Box::new(request));
    turn.effects.push(Effect::AskCity { ticket, within_ms, question });
    turn.session.page = Page::Fetching(Fetching { ticket, asked_at_ms: turn.moment.monotonic_ms });
    turn.start_page_timer(TimerKind::Asking, within_ms);
}

pub(super) fn on_asking(turn: &mut Turn, touch: Citizen) {
    if touch == Citizen::Back {
        end(turn, FetchOutcome::Left);
        question::go_to_last_asked(turn);
    }
}

/// Whether this is the answer that is waited for.
pub(super) fn awaits(turn: &Turn, ticket: Ticket) -> bool {
    matches!(turn.session.page, Page::Fetching(fetching) if fetching.ticket == ticket)
}

pub(super) fn on_fetched(turn: &mut Turn, fetched: Fetched) {
    let asked = turn.session.visit.as_ref().is_some_and(|visit| visit.item == fetched.item);
    if !asked {
        // Something else is no answer.
        return on_nothing(turn, Unfetched::CannotAsk(CannotAsk::Away));
    }
    end(turn, FetchOutcome::Told);
    turn.session.page = Page::Fetched(Box::new(FetchedPage { fetched, print: PagesPrint::default() }));
    turn.somebody_is_there();
}

pub(super) fn on_nothing(turn: &mut Turn, why: Unfetched) {
    end(turn, FetchOutcome::Not(why));
    turn.session.page = Page::Unfetched(why);
    turn.somebody_is_there();
}

/// The session ends while the city is being asked.
pub(super) fn leave(turn: &mut Turn) {
    end(turn, FetchOutcome::Left);
}

fn end(turn: &mut Turn, outcome: FetchOutcome) {
    let Page::Fetching(fetching) = turn.session.page else { return };
    let Some(item) = turn.item().map(|item| item.code.clone()) else { return };
    let took_ms = turn.moment.monotonic_ms.saturating_sub(fetching.asked_at_ms);
    turn.audit(AuditFact::FetchAnswered { item, outcome, took_ms });
    turn.session.page_timer = None;
    turn.effects.push(Effect::StopTimer(TimerKind::Asking));
}

/// The page with what was fetched.
pub(super) fn on_fetched_page(turn: &mut Turn, touch: Citizen) {
    match touch {
        Citizen::PrintWanted => print(turn),
        Citizen::FetchedRead => next_item::begin_or_leave(turn),
        Citizen::AnotherItemWanted => next_item::begin(turn),
        _ => {}
    }
}

/// The page that says why nothing was fetched, and what can be done.
pub(super) fn on_unfetched(turn: &mut Turn, touch: Citizen) {
    let Page::Unfetched(why) = turn.session.page else { return };
    let askable = matches!(why, Unfetched::CannotAsk(_));
    match touch {
        Citizen::AskedAgain if askable => ask(turn),
        Citizen::LeftAsCase if askable => match turn.session.why_not_submit() {
            None => turn.session.page = Page::Review,
            why => turn.session.notice = why,
        },
        Citizen::FetchedRead => next_item::begin_or_leave(turn),
        Citizen::AnotherItemWanted => next_item::begin(turn),
        Citizen::Back => question::go_to_last_asked(turn),
        _ => {}
    }
}

fn print(turn: &mut Turn) {
    let printer = turn.session.surroundings.document_printer;
    let ticket = turn.new_ticket();
    let Page::Fetched(page) = &mut turn.session.page else { return };
    if !page.print.is_offered(printer) {
        return;
    }
    page.print.begin(ticket);
    let order = DocumentOrder { item: page.fetched.item.clone(), pdf: page.fetched.pdf.clone() };
    turn.audit(AuditFact::DocumentPrintAsked(order.item.clone()));
    pages_print::wait_for(turn, ticket);
    turn.effects.push(Effect::PrintDocument(ticket, order));
}

/// The way to paper of what is shown.
pub(super) fn print_of<'a>(turn: &'a mut Turn) -> Option<&'a mut PagesPrint> {
    match &mut turn.session.page {
        Page::Fetched(page) => Some(&mut page.print),
        _ => None,
    }
}

/// Whether the resident sees what becomes of it.
pub(super) fn is_shown(turn: &Turn) -> bool {
    matches!(turn.session.page, Page::Fetched(_))
}
