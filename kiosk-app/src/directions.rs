//! The border between the catalog's where-to-go items and the directions (指引凭条) that are printed of one.

use crate::catalog::words;
use crate::present::lines;
use kiosk_core::calendar;
use kiosk_core::service::QuestionId;
use kiosk_core::session::DirectionsOrder;
use kiosk_core::settings::Language;
use kiosk_documents::{Directions, QueueNumber, Window};
use service_catalog::{Place, ServiceItem, Text};

/// What an order prints; the letterhead is still to come. `None` when the item has no such outcome.
pub fn compose(item: &ServiceItem, order: &DirectionsOrder) -> Option<Directions> {
    let outcome = item.outcomes.get(order.outcome)?;
    let language = order.language;
    let say = |text: &Text| words(text, language).to_owned();
    let answer = |question: &service_catalog::Question| {
        let given = order.answers.get(&QuestionId(question.id.clone()))?;
        Some((say(&question.label), lines::plain_answer(question, given, language)?))
    };
    let window = |place: &Place| Window {
        name: say(&place.window),
        address: say(&place.address),
        hours: say(&place.hours),
        phone: place.phone.clone(),
    };
    Some(Directions {
        language: match language {
            Language::ZhHans => kiosk_documents::Language::ZhHans,
            Language::ZhHant => kiosk_documents::Language::ZhHant,
            Language::En => kiosk_documents::Language::En,
        },
        item_title: say(&item.title),
        verdict: say(&outcome.title),
        advice: say(&outcome.advice),
        bring: outcome.bring.iter().map(say).collect(),
        window: outcome.place.as_ref().map(window),
        answers: item.questions.iter().filter_map(answer).collect(),
        number: order.queue_ticket.as_ref().map(|ticket| QueueNumber {
            number: ticket.number.clone(),
            waiting: ticket.waiting,
            day: lines::day(calendar::day_in_china(order.asked_at_ms), language),
        }),
        printed_at: calendar::minute_in_china(order.asked_at_ms),
        ..Directions::default()
    })
}
