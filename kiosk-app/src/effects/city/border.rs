//! The border between the session's questions and answers and those of the protocol. Opened answers are bounded and
//! cleaned here: they are shown as they are.

use crate::catalog::answers_as_json;
use crate::submission;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kiosk_core::private::Private;
use kiosk_core::service::ItemCode;
use kiosk_core::session::{
    CallState, CannotAsk, CaseProgress, CaseStatus, CaseStep, CityAnswer, CityQuestion, FetchRequest,
    Fetched, QueueTicket, Ticket,
};
use kiosk_core::settings::Theme;
use std::sync::Arc;
use sync_protocol::limits::{MAX_ANSWER, MAX_FIELD};
use sync_protocol::{
    AgeOpener, Answer, AnswerBody, FetchQuestion, KeeperCall, KeeperCallState, Opener, ProgressState,
    ProgressStep, Question, QuestionBody, SealError, Sealer,
};
use zeroize::Zeroize;

/// Most steps that are shown, the latest.
const STEPS: usize = 24;
/// Longest number of a window that is shown.
const NUMBER_CHARS: usize = 8;
/// Longest note that is shown, in characters; the city's own limit is half of it.
const NOTE_CHARS: usize = 400;
/// Most rows of a table that are shown.
const ROWS: usize = 60;
/// Longest address behind a QR code that can still be scanned off a screen.
const ADDRESS_BYTES: usize = 1_200;

/// Who asks, and where an answer goes.
pub(super) struct Asker<'a> {
    /// Terminal code.
    pub(super) terminal: &'a str,
    /// Where it stands.
    pub(super) place: &'a str,
    /// Names the run of this process: calls and requests are named by it and a number.
    pub(super) run: &'a str,
    /// age recipient of the answer.
    pub(super) reply_to: String,
}

/// The question, readable for the city alone, in base64.
pub(super) fn sealed(
    sealer: &impl Sealer,
    ticket: &str,
    asker: Asker<'_>,
    question: CityQuestion,
) -> Result<String, SealError> {
    let body = body_of(&asker, &question);
    let Asker { terminal, reply_to, .. } = asker;
    let mut question = Question { ticket: ticket.to_owned(), terminal: terminal.to_owned(), reply_to, body };
    let sealed = sealer.seal(&question.to_plaintext());
    if let QuestionBody::CaseProgress { case_number, verification } = &mut question.body {
        case_number.zeroize();
        verification.zeroize();
    }
    Ok(STANDARD.encode(sealed?))
}

fn fetch_question(request: &FetchRequest) -> FetchQuestion {
    FetchQuestion {
        item: request.item.0.clone(),
        item_version: request.item_version,
        consent_version: request.consent_version,
        language: request.language.tag().to_owned(),
        identification: submission::way(request.applicant.way).to_owned(),
        applicant: submission::applicant_as_json(&request.applicant),
        answers: answers_as_json(&request.answers),
    }
}

fn body_of(asker: &Asker<'_>, question: &CityQuestion) -> QuestionBody {
    let named = |by: &Ticket| format!("{}-{}", asker.run, by.0);
    match question {
        CityQuestion::CaseProgress { case_number, verification } => QuestionBody::CaseProgress {
            case_number: case_number.expose().clone(),
            verification: verification.expose().clone(),
        },
        CityQuestion::Fetch(request) => QuestionBody::Fetch(Box::new(fetch_question(request))),
        CityQuestion::CallKeeper { call, at } => QuestionBody::CallKeeper(KeeperCall {
            call: named(call),
            place: asker.place.to_owned(),
            page: at.page.to_owned(),
            item: at.item.as_ref().map(|item| item.0.clone()).unwrap_or_default(),
            language: at.language.tag().to_owned(),
            theme: match at.theme {
                Theme::Standard => "standard",
                Theme::Senior => "senior",
            }
            .to_owned(),
        }),
        CityQuestion::CallState(call) => QuestionBody::CallKeeperState { call: named(call) },
        CityQuestion::CallCancelled(call) => QuestionBody::CallKeeperCancelled { call: named(call) },
        CityQuestion::QueueTicket { request, queue } => {
            QuestionBody::QueueTicket { request: named(request), queue: queue.clone() }
        }
    }
}

/// What the city answered. An answer that cannot be opened, is too large, or is to another question is none.
pub(super) fn opened(key: &AgeOpener, ticket: &str, answer: &str) -> Result<CityAnswer, CannotAsk> {
    let opened = || {
        let sealed = STANDARD.decode(answer).ok().filter(|sealed| sealed.len() <= MAX_ANSWER)?;
        let answer = Answer::from_plaintext(&key.open(&sealed).ok()?).ok()?;
        (answer.ticket == ticket).then_some(answer.body)
    };
    let Some(body) = opened() else {
        tracing::warn!("an answer of the city could not be read");
        return Err(CannotAsk::Away);
    };
    match body {
        AnswerBody::CaseProgress(progress) => progress_of(progress).ok_or(CannotAsk::Away),
        AnswerBody::NotFound => Ok(CityAnswer::NotFound),
        AnswerBody::QueueTicket(ticket) => number_of(ticket).ok_or(CannotAsk::Away),
        AnswerBody::KeeperCall { state } => Ok(CityAnswer::KeeperCall(call_state_of(state))),
        AnswerBody::NotNow => Err(CannotAsk::Busy),
        AnswerBody::Fetched(fetched) => fetched_of(&fetched).ok_or(CannotAsk::Away),
        AnswerBody::NothingHeld => Ok(CityAnswer::NothingHeld),
        AnswerBody::DepartmentAway => Err(CannotAsk::DepartmentAway),
        AnswerBody::Reached | AnswerBody::NotKnown => Err(CannotAsk::Away),
    }
}

/// Raw values as they came; the catalog judges each when it is shown. A document that is no PDF is none.
fn fetched_of(fetched: &sync_protocol::Fetched) -> Option<CityAnswer> {
    let sensible =
        |text: &str| !text.is_empty() && text.len() <= MAX_FIELD && !text.chars().any(char::is_control);
    let pdf = Private::new(STANDARD.decode(&fetched.pdf).ok()?);
    let fits = sensible(&fetched.item)
        && sensible(&fetched.number)
        && fetched.address.len() <= ADDRESS_BYTES
        && fetched.rows.len() <= ROWS
        && pdf.expose().starts_with(b"%PDF-");
    let values = |values: &std::collections::BTreeMap<String, String>| {
        values.iter().map(|(key, raw)| (key.clone(), Private::from(raw.as_str()))).collect::<Vec<_>>()
    };
    fits.then(|| {
        CityAnswer::Fetched(Box::new(Fetched {
            item: ItemCode(fetched.item.clone()),
            number: Private::from(fetched.number.as_str()),
            issued_at_ms: fetched.issued_at_ms,
            facts: values(&fetched.facts),
            rows: fetched.rows.iter().map(values).collect(),
            address: Private::from(fetched.address.as_str()),
            pdf: Arc::new(pdf),
        }))
    })
}

fn progress_of(progress: sync_protocol::CaseProgress) -> Option<CityAnswer> {
    let case_number = Private::new(progress.case_number);
    let sensible = |text: &str| text.len() <= MAX_FIELD;
    if !sensible(case_number.expose()) || !sensible(&progress.item) {
        return None;
    }
    let surplus = progress.steps.len().saturating_sub(STEPS);
    Some(CityAnswer::CaseProgress(Box::new(CaseProgress {
        case_number,
        item: ItemCode(progress.item),
        status: status_of(progress.state),
        steps: progress.steps.into_iter().skip(surplus).map(step_of).collect(),
    })))
}

fn step_of(step: ProgressStep) -> CaseStep {
    let note = Private::new(step.note);
    let mut shown = String::with_capacity(note.expose().len());
    shown.extend(note.expose().chars().filter(|c| !c.is_control()).take(NOTE_CHARS));
    CaseStep {
        status: status_of(step.state),
        at_ms: step.at_ms,
        reason: Some(step.reason).filter(|reason| reason.len() <= MAX_FIELD).unwrap_or_default(),
        note: Private::new(shown),
    }
}

fn number_of(ticket: sync_protocol::QueueTicket) -> Option<CityAnswer> {
    let number = ticket.number;
    let sensible =
        (1..=NUMBER_CHARS).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric());
    sensible.then_some(CityAnswer::QueueTicket(QueueTicket { number, waiting: ticket.waiting }))
}

fn call_state_of(state: KeeperCallState) -> CallState {
    match state {
        KeeperCallState::Ringing => CallState::Ringing,
        KeeperCallState::Heard => CallState::Heard,
        KeeperCallState::Coming => CallState::Coming,
        KeeperCallState::Over => CallState::Over,
    }
}

fn status_of(state: ProgressState) -> CaseStatus {
    match state {
        ProgressState::PreReview => CaseStatus::PreReview,
        ProgressState::Accepted => CaseStatus::Accepted,
        ProgressState::SupplementRequested => CaseStatus::SupplementRequested,
        ProgressState::Returned => CaseStatus::Returned,
        ProgressState::Closed => CaseStatus::Closed,
    }
}
