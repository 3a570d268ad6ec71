//! The catalog's words in what is read out of a page. A resident's answers are not among them.

use crate::catalog::{Catalog, words};
use crate::voice::screens::{Value, in_order, sentence};
use kiosk_core::session::{Page, Rules, Session, progress};
use kiosk_core::settings::Language;
use service_catalog::{Question, Text};

/// The words of a named value, in the language of the session; nothing where it has no meaning.
pub fn value(session: &Session, rules: &Rules, catalog: &Catalog, wanted: Value) -> String {
    let language = session.settings.language;
    let life_event = session.life_event.as_ref().map(|life_event| &life_event.item);
    let item = session.visit.as_ref().map(|visit| &visit.item).or(life_event);
    let item = item.and_then(|code| catalog.item(code));
    let consent = item.and_then(|item| item.consent.as_ref());
    let said =
        |text: Option<&Text>| text.map(|text| sentence(words(text, language), language)).unwrap_or_default();
    match wanted {
        Value::Items if session.page == Page::LifeEvent => {
            let items = life_event.into_iter().flat_map(|code| catalog.items_of(code));
            in_order(items.map(|item| words(&item.title, language).to_owned()), language)
        }
        Value::Items => {
            let titles = catalog.tiles().map(|item| words(&item.title, language).to_owned());
            in_order(titles, language)
        }
        Value::Item => item.map(|item| words(&item.title, language).to_owned()).unwrap_or_default(),
        Value::What => said(item.map(|item| &item.guide.what)),
        Value::Purpose => said(consent.map(|consent| &consent.purpose)),
        Value::Bring => item.map(|item| listed(&item.guide.bring, language)).unwrap_or_default(),
        Value::Data => consent.map(|consent| listed(&consent.data, language)).unwrap_or_default(),
        Value::Number => figure(session, rules, |(number, _)| number),
        Value::Total => figure(session, rules, |(_, total)| total),
        Value::Question => said(asked(session, catalog).map(|asked| &asked.label)),
        Value::Hint => said(asked(session, catalog).and_then(|asked| asked.hint.as_ref())),
        Value::Options => {
            let options = asked(session, catalog).map(|asked| asked.options.as_slice()).unwrap_or_default();
            in_order(options.iter().map(|option| words(&option.label, language).to_owned()), language)
        }
    }
}

fn listed(texts: &[Text], language: Language) -> String {
    let texts: Vec<&str> = texts.iter().map(|text| words(text, language)).collect();
    texts.join(if language == Language::En { "; " } else { "；" })
}

fn figure(session: &Session, rules: &Rules, of: fn((usize, usize)) -> usize) -> String {
    progress(rules, session).map(|progress| of(progress).to_string()).unwrap_or_default()
}

fn asked<'a>(session: &Session, catalog: &'a Catalog) -> Option<&'a Question> {
    let Page::Question(draft) = &session.page else { return None };
    catalog.question(&session.visit.as_ref()?.item, &draft.question)
}
