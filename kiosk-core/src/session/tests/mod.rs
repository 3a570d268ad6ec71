//! The pure machine without clock, device or screen: here the bench that drives it, the journeys beside.

mod around;
mod cards;
mod enquiry;
mod fetch;
mod follow_up;
mod guide_print;
mod help;
mod journeys;
mod kinds;
mod life_event;
mod outcome;
mod photo;
mod saving;
mod scanning;
mod settings_panel;
mod typing;
mod voice;

use super::*;
use crate::applicant::{Applicant, DocumentKind, IdentificationWay};
use crate::calendar;
use crate::remedy::Remedy;
use crate::service::{
    BrokenCondition, DayLimit, Facts, FollowUp, Prefill, Question, QuestionId, QuestionKind, Shape,
};
use crate::settings::Language;

/// `detail` is asked only when `kind` is "other"; eligible from 50 on; an answer "break" breaks the item.
struct TestConditions;

impl Conditions for TestConditions {
    fn is_asked(&self, _: &ItemCode, question: &QuestionId, facts: &Facts) -> Result<bool, BrokenCondition> {
        let kind = match facts.answers.get(&id("kind")) {
            Some(crate::answers::Answer::One(value)) => value.expose().clone(),
            _ => String::new(),
        };
        if kind == "break" {
            return Err(BrokenCondition);
        }
        Ok(question.0 != "detail" || kind == "other")
    }

    fn is_eligible(&self, item: &ItemCode, facts: &Facts) -> Result<bool, BrokenCondition> {
        let age = facts.applicant.and_then(|applicant| applicant.age_on(facts.today));
        Ok(item.0 != "pension" || age.is_some_and(|age| age >= 50))
    }

    /// Who has lost the card replaces it; who has not renews it; an answer "break" breaks the item.
    fn outcome(&self, _: &ItemCode, facts: &Facts) -> Result<usize, BrokenCondition> {
        match facts.answers.get(&id("lost")) {
            Some(crate::answers::Answer::One(lost)) => Ok(usize::from(lost.expose() != "yes")),
            _ => Err(BrokenCondition),
        }
    }
}

fn id(text: &str) -> QuestionId {
    QuestionId(text.to_owned())
}

fn question(name: &str, kind: QuestionKind, required: bool, prefill: Option<Prefill>) -> Question {
    Question { id: id(name), kind, required, prefill }
}

fn items() -> Vec<ServiceItem> {
    let choice = QuestionKind::Choice(vec!["noise".into(), "other".into(), "break".into()]);
    let several = QuestionKind::Choices(vec!["a".into(), "b".into(), "c".into()]);
    let last_month = QuestionKind::Date {
        first: Some(DayLimit::FromToday(-30)),
        last: Some(DayLimit::FromToday(0)),
        weekdays_only: false,
    };
    let questions = vec![
        question("kind", choice, true, None),
        question("detail", QuestionKind::Text { max_chars: 5 }, true, None),
        question("place", QuestionKind::Text { max_chars: 60 }, true, Some(Prefill::Address)),
        question("day", last_month, false, None),
        question("wishes", several, true, None),
        question("phone", QuestionKind::Phone, true, None),
    ];
    ["appeal", "pension"]
        .map(|code| ServiceItem {
            code: ItemCode(code.into()),
            version: 3,
            shape: Shape::Submit,
            consent_version: 2,
            ways: match code {
                "appeal" => vec![IdentificationWay::IdCard, IdentificationWay::Typed],
                _ => vec![
                    IdentificationWay::IdCard,
                    IdentificationWay::SocialSecurityCard,
                    IdentificationWay::Typed,
                ],
            },
            accepts_expired_card: code == "appeal",
            questions: questions.clone(),
            queues: Vec::new(),
            items: Vec::new(),
        })
        .into()
}

/// 2026-11-22T06:00:00Z.
const NOW_MS: i64 = 1_795_327_200_000;

/// Drives the machine as a resident would, one second between touches.
struct Bench {
    items: Vec<ServiceItem>,
    session: Session,
    at_ms: u64,
    effects: Vec<Effect>,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Bench { items: items(), session: Session::default(), at_ms: 0, effects: Vec::new() };
        bench.send(Event::Store(Store::AdmissionChanged(Admission::Open)));
        bench.send(Event::Device(Device::NetworkChanged(true)));
        bench.send(Event::Device(Device::ReaderPresent(true)));
        bench.send(Event::Device(Device::PrinterChanged(PrinterCondition::Ready)));
        bench
    }

    fn send_at_once(&mut self, event: Event) {
        let rules = Rules { items: &self.items, conditions: &TestConditions, limits: Limits::default() };
        let moment = Moment { monotonic_ms: self.at_ms, wall_ms: NOW_MS + self.at_ms as i64 };
        let step = step(&rules, std::mem::take(&mut self.session), moment, event);
        self.session = step.session;
        self.effects = step.effects;
    }

    fn send(&mut self, event: Event) {
        self.at_ms += 1_000;
        self.send_at_once(event);
    }

    fn touch(&mut self, touch: Citizen) -> &mut Self {
        self.send(Event::Citizen(touch));
        self
    }

    fn choose(&mut self, value: &str) -> &mut Self {
        self.touch(Citizen::OptionChosen(value.into())).touch(Citizen::Answered)
    }

    fn type_in(&mut self, text: &str) -> &mut Self {
        self.touch(Citizen::TextTyped(text.into())).touch(Citizen::Answered)
    }

    fn ticket_of_reading(&self) -> Ticket {
        self.effects
            .iter()
            .find_map(|effect| match effect {
                Effect::StartReading(CardKind::IdCard, ticket) => Some(*ticket),
                _ => None,
            })
            .expect("the reader was asked")
    }

    fn go_to_identify(&mut self, code: &str) -> Ticket {
        self.touch(Citizen::ItemChosen(ItemCode(code.into()))).touch(Citizen::Started).touch(Citizen::Agreed);
        self.ticket_of_reading()
    }

    fn lay(&mut self, ticket: Ticket, applicant: Applicant) {
        self.send(Event::Device(Device::CardFound(ticket)));
        self.send(Event::Device(Device::CardRead(ticket, Box::new(applicant))));
    }

    fn go_to_review(&mut self) {
        let ticket = self.go_to_identify("appeal");
        self.lay(ticket, card("1971-01-01", Some("2036-01-01")));
        self.touch(Citizen::PersonConfirmed).choose("noise");
        self.touch(Citizen::Skipped);
        self.choose("b").type_in("13800000000");
        assert_eq!(self.session.page, Page::Review);
    }

    fn submit(&mut self) -> (Ticket, Submission) {
        self.touch(Citizen::Confirmed);
        let found = self.effects.iter().find_map(|effect| match effect {
            Effect::Finalise(ticket, submission) => Some((*ticket, (**submission).clone())),
            _ => None,
        });
        found.expect("the submission goes to the store")
    }

    fn shown_question(&self) -> &str {
        match &self.session.page {
            Page::Question(draft) => &draft.question.0,
            other => panic!("no question but {other:?}"),
        }
    }
}

fn card(birth: &str, valid_to: Option<&str>) -> Applicant {
    Applicant {
        way: IdentificationWay::IdCard,
        document: DocumentKind::ResidentIdCard,
        name: Some("样本".into()),
        number: "99000119710101001X".into(),
        sex: Some("2".into()),
        ethnic: Some("01".into()),
        birth: Some(birth.into()),
        address: Some("广东省东莞市示例镇".into()),
        issuer: Some("示例市公安局".into()),
        valid_from: calendar::from_iso("2016-01-01"),
        valid_to: valid_to.and_then(calendar::from_iso),
    }
}

fn saved() -> SavedCase {
    SavedCase {
        case_id: "c-1".into(),
        case_number: "DG0001-34679ACD-E".into(),
        item: ItemCode("appeal".into()),
        verification: "V".into(),
        finalised_at_ms: NOW_MS,
    }
}

fn printing(bench: &Bench) -> Option<Ticket> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::Print(ticket, _) => Some(*ticket),
        _ => None,
    })
}
