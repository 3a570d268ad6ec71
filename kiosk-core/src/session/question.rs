//! The form, one question a page: answered, skipped or filled in from the card; then the check page, or where to go.

use super::{
    AddressDraft, AddressStage, Citizen, Page, PhotoDraft, Turn, Typing, address, fetch, outcome, photo,
    typing,
};
use crate::address::REST_MAX_CHARS;
use crate::amount::{self, MONEY_CHARS_MAX};
use crate::answers::Answer;
use crate::applicant::Applicant;
use crate::calendar::{self, Date};
use crate::phone;
use crate::private::Private;
use crate::remedy::Notice;
use crate::service::{DayLimit, Prefill, Question, QuestionId, QuestionKind, Shape};

/// What is being entered for one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Which question.
    pub question: QuestionId,
    /// Text, phone, number, money or the rest of an address so far.
    pub text: Private<String>,
    /// Options chosen so far, by value.
    pub chosen: Vec<Private<String>>,
    /// The day chosen, if one was.
    pub date: Option<Date>,
    /// Photos.
    pub photo: PhotoDraft,
    /// Town and village.
    pub address: AddressDraft,
    /// The keyboard, for text.
    pub typing: Option<Typing>,
}

/// Longest telephone number that can be typed, digits.
const PHONE_DIGITS_MAX: usize = 15;
/// Bytes of a draft's buffer: four for each character of the longest text.
const BYTES_PER_CHARACTER: usize = 4;

impl Draft {
    fn new(question: &Question, answer: Option<&Answer>) -> Self {
        let capacity = match &question.kind {
            QuestionKind::Text { max_chars } => max_chars * BYTES_PER_CHARACTER,
            QuestionKind::Address(_) => REST_MAX_CHARS * BYTES_PER_CHARACTER,
            _ => PHONE_DIGITS_MAX,
        };
        let mut draft = Draft {
            question: question.id.clone(),
            text: Private::with_capacity(capacity),
            chosen: Vec::new(),
            date: None,
            photo: PhotoDraft::default(),
            address: AddressDraft::default(),
            typing: writes(question).then(Typing::default),
        };
        match (answer, &question.kind) {
            (Some(Answer::Many(chosen)), _) => draft.chosen = chosen.clone(),
            (Some(Answer::Photos(photos)), _) => draft.photo.kept = photos.clone(),
            (Some(Answer::One(value)), QuestionKind::Choice(_) | QuestionKind::Choices(_)) => {
                draft.chosen = vec![value.clone()];
            }
            (Some(Answer::One(value)), QuestionKind::Date { .. }) => {
                draft.date = calendar::from_iso(value.expose());
            }
            (
                Some(Answer::One(value)),
                QuestionKind::Text { .. } | QuestionKind::Phone | QuestionKind::Number(_),
            ) => {
                draft.text.expose_mut().push_str(value.expose());
            }
            (Some(Answer::One(fen)), QuestionKind::Money(_)) => {
                let sum = Private::new(fen.expose().parse().map(amount::yuan).unwrap_or_default());
                draft.text.expose_mut().push_str(sum.expose());
            }
            (Some(Answer::Address(address)), _) => {
                draft.address = AddressDraft::of(address);
                draft.text.expose_mut().push_str(address.rest.expose());
            }
            (Some(Answer::One(_)), QuestionKind::Photo { .. } | QuestionKind::Address(_)) | (None, _) => {}
        }
        draft
    }

    /// The draft as an answer; `None` while nothing was entered.
    fn answer(&self, kind: &QuestionKind) -> Option<Answer> {
        let answer = match kind {
            QuestionKind::Choice(_) => Answer::One(self.chosen.first()?.clone()),
            QuestionKind::Choices(_) => Answer::Many(self.chosen.clone()),
            QuestionKind::Text { .. } => Answer::One(Private::from(self.text.expose().trim())),
            QuestionKind::Phone => Answer::One(self.text.clone()),
            QuestionKind::Date { .. } => Answer::One(Private::new(calendar::iso(self.date?))),
            QuestionKind::Photo { .. } => Answer::Photos(self.photo.kept.clone()),
            QuestionKind::Number(_) => self.digits(amount::number)?,
            QuestionKind::Money(_) => self.digits(amount::fen)?,
            QuestionKind::Address(_) => Answer::Address(self.address.address(self.text.expose())?),
        };
        (!answer.is_empty()).then_some(answer)
    }

    /// What was typed, in the one way in which it is stored.
    fn digits(&self, read: impl Fn(&str) -> Option<u64>) -> Option<Answer> {
        Some(Answer::One(Private::new(read(self.text.expose())?.to_string())))
    }
}

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    let today = turn.session.today;
    let Some(question) = current(turn) else { return turn.lost() };
    if photo::on(turn, &question, &touch) || address::on(turn, &question, &touch) || typing::on(turn, &touch)
    {
        return;
    }
    let Page::Question(draft) = &mut turn.session.page else { return };
    match touch {
        Citizen::KeyTyped(key) => type_text(turn, &question, key.encode_utf8(&mut [0; 4])),
        Citizen::TextTyped(text) => type_text(turn, &question, text.expose()),
        Citizen::Erased => {
            draft.text.expose_mut().pop();
        }
        Citizen::Cleared => *draft = Draft::new(&question, None),
        Citizen::OptionChosen(value) => choose(draft, &question, value),
        Citizen::DateStepped(years, months, days) => {
            step_date(draft, &question, today, (years, months, days))
        }
        Citizen::Skipped if !question.required => {
            let id = question.id.clone();
            if let Some(visit) = &mut turn.session.visit {
                visit.answers.remove(&id);
                visit.skipped.insert(id);
            }
            go_to_first_open(turn);
        }
        Citizen::Answered => finish(turn, &question),
        Citizen::Back => go_back(turn, &question.id),
        _ => {}
    }
}

/// Text that was typed on the screen goes to the end of the answer.
pub(super) fn type_in(turn: &mut Turn, text: &str) {
    if let Some(question) = current(turn) {
        type_text(turn, &question, text);
    }
}

/// How many characters the answer still takes.
pub(super) fn room(turn: &Turn) -> usize {
    let Page::Question(draft) = &turn.session.page else { return 0 };
    current(turn).and_then(|question| room_of(draft, &question)).unwrap_or(0)
}

/// Nothing where nothing is typed.
fn room_of(draft: &Draft, question: &Question) -> Option<usize> {
    let limit = match &question.kind {
        QuestionKind::Text { max_chars } => *max_chars,
        QuestionKind::Phone => PHONE_DIGITS_MAX,
        QuestionKind::Number(_) => amount::DIGITS_MAX,
        QuestionKind::Money(_) => MONEY_CHARS_MAX,
        QuestionKind::Address(_) if draft.address.stage == AddressStage::Rest => REST_MAX_CHARS,
        QuestionKind::Choice(_)
        | QuestionKind::Choices(_)
        | QuestionKind::Date { .. }
        | QuestionKind::Photo { .. }
        | QuestionKind::Address(_) => return None,
    };
    Some(limit.saturating_sub(draft.text.expose().chars().count()))
}

/// Whether words are written, all of them or the last part.
fn writes(question: &Question) -> bool {
    matches!(question.kind, QuestionKind::Text { .. } | QuestionKind::Address(_))
}

fn type_text(turn: &mut Turn, question: &Question, text: &str) {
    let Page::Question(draft) = &mut turn.session.page else { return };
    let Some(room) = room_of(draft, question) else { return };
    if let QuestionKind::Money(_) = question.kind {
        // A key that makes no sum of it does nothing.
        for key in text.chars().map(|key| if key == '。' { '.' } else { key }) {
            if amount::fits_sum(draft.text.expose(), key) {
                draft.text.expose_mut().push(key);
            }
        }
        return;
    }
    let digits_only = matches!(question.kind, QuestionKind::Phone | QuestionKind::Number(_));
    let accepted = text.chars().filter(|c| !c.is_control() && (!digits_only || c.is_ascii_digit()));
    for (at, character) in accepted.enumerate() {
        if at == room {
            turn.session.notice = Some(Notice::TextTooLong);
            return;
        }
        draft.text.expose_mut().push(character);
    }
}

fn choose(draft: &mut Draft, question: &Question, value: String) {
    match &question.kind {
        QuestionKind::Choice(values) if values.contains(&value) => draft.chosen = vec![Private::new(value)],
        QuestionKind::Choices(values) if values.contains(&value) => {
            let before = draft.chosen.len();
            draft.chosen.retain(|chosen| *chosen.expose() != value);
            if draft.chosen.len() == before {
                draft.chosen.push(Private::new(value));
            }
            let place = |chosen: &Private<String>| values.iter().position(|v| v == chosen.expose());
            draft.chosen.sort_by_key(place);
        }
        _ => {}
    }
}

/// The first step shows today (or the nearest day allowed); later steps move, but never outside.
fn step_date(draft: &mut Draft, question: &Question, today: Date, (years, months, days): (i32, i32, i32)) {
    let QuestionKind::Date { first, last, weekdays_only } = question.kind else { return };
    let wanted = match draft.date {
        None => today,
        Some(date) => calendar::moved(date, years, months, days),
    };
    let wanted = clamped(wanted, first, last, today);
    let back = years < 0 || months < 0 || days < 0;
    // Past a weekend, as the finger went; at the end of what is allowed, the other way.
    let past =
        if back { [0, -1, -2, 1, 2] } else { [0, 1, 2, -1, -2] }.map(|by| calendar::moved(wanted, 0, 0, by));
    let open = |day: &Date| !calendar::is_weekend(*day) && clamped(*day, first, last, today) == *day;
    let weekday = past.into_iter().find(open).filter(|_| weekdays_only);
    draft.date = Some(weekday.unwrap_or(wanted));
}

fn clamped(date: Date, first: Option<DayLimit>, last: Option<DayLimit>, today: Date) -> Date {
    let not_before = first.map_or(date, |first| date.max(first.on(today)));
    last.map_or(not_before, |last| not_before.min(last.on(today)))
}

/// What is wrong with the draft as an answer, if anything.
fn fault_of(draft: &Draft, question: &Question, today: Date) -> Option<Notice> {
    let empty = draft.answer(&question.kind).is_none();
    let value = |read: fn(&str) -> Option<u64>| read(draft.text.expose());
    match &question.kind {
        // Something stands there, but it is no number.
        QuestionKind::Number(_) if empty && !draft.text.expose().is_empty() => Some(Notice::NumberWrong),
        QuestionKind::Money(_) if empty && !draft.text.expose().is_empty() => Some(Notice::MoneyWrong),
        QuestionKind::Choices(_) if empty => Some(Notice::ChooseAtLeastOne),
        _ if empty => Some(Notice::AnswerNeeded),
        QuestionKind::Phone => (!phone::is_valid(draft.text.expose())).then_some(Notice::PhoneWrong),
        QuestionKind::Number(limits) => {
            (!value(amount::number).is_some_and(|number| limits.holds(number))).then_some(Notice::NumberWrong)
        }
        QuestionKind::Money(limits) => {
            (!value(amount::fen).is_some_and(|fen| limits.holds(fen))).then_some(Notice::MoneyWrong)
        }
        QuestionKind::Date { first, last, weekdays_only } => {
            let inside = draft.date.is_some_and(|date| clamped(date, *first, *last, today) == date);
            let closed = *weekdays_only && draft.date.is_some_and(calendar::is_weekend);
            (!inside || closed).then_some(Notice::DateWrong)
        }
        QuestionKind::Choice(_)
        | QuestionKind::Choices(_)
        | QuestionKind::Text { .. }
        | QuestionKind::Photo { .. }
        | QuestionKind::Address(_) => None,
    }
}

fn finish(turn: &mut Turn, question: &Question) {
    let today = turn.session.today;
    let Page::Question(draft) = &turn.session.page else { return };
    let answer = draft.answer(&question.kind);
    if answer.is_none() && !question.required {
        // "Next" on an empty optional question means the same as leaving it out.
        return on(turn, Citizen::Skipped);
    }
    if let Some(notice) = fault_of(draft, question, today) {
        turn.session.notice = Some(notice);
        return;
    }
    if let (Some(visit), Some(answer)) = (&mut turn.session.visit, answer) {
        visit.skipped.remove(&question.id);
        visit.answers.insert(question.id.clone(), answer);
    }
    go_to_first_open(turn);
}

/// Fills in what the card already says.
pub(super) fn prefill(turn: &mut Turn) {
    let questions = turn.item().map(|item| item.questions.clone()).unwrap_or_default();
    let Some(visit) = &mut turn.session.visit else { return };
    let Some(applicant) = &visit.applicant else { return };
    for question in questions {
        if let Some(answer) = prefilled(applicant, &question) {
            visit.answers.insert(question.id, answer);
        }
    }
}

fn prefilled(applicant: &Applicant, question: &Question) -> Option<Answer> {
    let value = match question.prefill? {
        Prefill::Name => applicant.name.clone(),
        Prefill::Number => Some(applicant.number.clone()),
        Prefill::Address => applicant.address.clone(),
    };
    let value = value.filter(|value| !value.expose().is_empty())?;
    match &question.kind {
        QuestionKind::Address(areas) => areas.read(value.expose()).map(Answer::Address),
        _ => Some(Answer::One(value)),
    }
}

/// Every question that is asked, given the answers so far; `None` when the item's data is broken.
pub(super) fn asked(turn: &Turn) -> Option<Vec<Question>> {
    let item = turn.item()?;
    let visit = turn.session.visit.as_ref()?;
    let facts = visit.facts(turn.session.today);
    let mut asked = Vec::new();
    for question in &item.questions {
        if turn.rules.conditions.is_asked(&item.code, &question.id, &facts).ok()? {
            asked.push(question.clone());
        }
    }
    Some(asked)
}

/// The first question that still wants something from the resident.
pub(super) fn first_open(turn: &Turn) -> Option<Question> {
    let visit = turn.session.visit.as_ref()?;
    let done = |id: &QuestionId| visit.answers.contains_key(id) || visit.skipped.contains(id);
    asked(turn)?.into_iter().find(|question| !done(&question.id))
}

/// On to the next open question, or to what comes after the last. Answers to questions that are no longer asked
/// are dropped first, so that they are never sent.
pub(super) fn go_to_first_open(turn: &mut Turn) {
    let Some(asked) = asked(turn) else {
        turn.session.notice = Some(Notice::ItemBroken);
        return;
    };
    if let Some(visit) = &mut turn.session.visit {
        let is_asked = |id: &QuestionId| asked.iter().any(|question| question.id == *id);
        visit.answers.retain(|id, _| is_asked(id));
        visit.skipped.retain(is_asked);
    }
    match first_open(turn) {
        Some(question) => open(turn, question.id),
        None if has_shape(turn, Shape::WhereToGo) => outcome::show(turn),
        None if has_shape(turn, Shape::Fetch) => fetch::ask(turn),
        None => turn.session.page = Page::Review,
    }
}

/// Shows a question with its answer so far.
pub(super) fn open(turn: &mut Turn, id: QuestionId) {
    let Some(question) = turn.item().and_then(|item| item.question(&id)).cloned() else { return };
    let answer = turn.session.visit.as_ref().and_then(|visit| visit.answers.get(&id));
    turn.session.page = Page::Question(Draft::new(&question, answer));
    // Two questions are two pages.
    turn.page_changed();
}

/// The page before the check page.
pub(super) fn go_to_last_asked(turn: &mut Turn) {
    match by_hand(turn).pop() {
        Some(last) => open(turn, last),
        None => go_before_the_form(turn),
    }
}

fn go_back(turn: &mut Turn, from: &QuestionId) {
    let by_hand = by_hand(turn);
    let before = by_hand.iter().take_while(|id| *id != from).last().cloned();
    match before {
        Some(id) => open(turn, id),
        None => go_before_the_form(turn),
    }
}

fn has_shape(turn: &Turn, shape: Shape) -> bool {
    turn.item().is_some_and(|item| item.shape == shape)
}

fn go_before_the_form(turn: &mut Turn) {
    if turn.item().is_some_and(|item| item.ways.is_empty()) {
        // Nobody identified.
        turn.session.page = Page::Guide;
        return;
    }
    let from_card = turn
        .session
        .visit
        .as_ref()
        .and_then(|visit| visit.applicant.as_ref())
        .is_some_and(|applicant| applicant.way != crate::applicant::IdentificationWay::Typed);
    match from_card {
        true => turn.session.page = Page::ConfirmPerson,
        false => {
            turn.session.page = Page::Identify(super::Identify::new(true));
            super::identify::read_again(turn);
        }
    }
}

/// The questions a resident answers by hand, in order: those that the card did not fill in.
fn by_hand(turn: &Turn) -> Vec<QuestionId> {
    let applicant = turn.session.visit.as_ref().and_then(|visit| visit.applicant.as_ref());
    let filled = |question: &Question| applicant.is_some_and(|who| prefilled(who, question).is_some());
    asked(turn).unwrap_or_default().into_iter().filter(|q| !filled(q)).map(|q| q.id).collect()
}

fn current(turn: &Turn) -> Option<Question> {
    let Page::Question(draft) = &turn.session.page else { return None };
    turn.item()?.question(&draft.question).cloned()
}

/// Where the resident stands: "question `number` of `total`".
pub fn progress(rules: &super::Rules, session: &super::Session) -> Option<(usize, usize)> {
    let Page::Question(draft) = &session.page else { return None };
    let turn =
        Turn { rules, session: session.clone(), moment: super::Moment::default(), effects: Vec::new() };
    let mut ids = by_hand(&turn);
    if !ids.contains(&draft.question) {
        ids.push(draft.question.clone());
    }
    let number = ids.iter().position(|id| *id == draft.question)? + 1;
    Some((number, ids.len()))
}
