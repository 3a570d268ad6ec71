//! What a touch or a key means that only the page knows: which words a phrase has, what a cell of the picker holds, which
//! button a real keyboard's Enter is.

use crate::catalog::{Catalog, words};
use crate::present::picker;
use kiosk_core::private::Private;
use kiosk_core::session::{Citizen, Page, Session, TypingTouch};

/// The ready phrase at this place, in the language shown.
pub fn phrase(session: &Session, catalog: &Catalog, at: usize) -> Option<Citizen> {
    let Page::Question(draft) = &session.page else { return None };
    let code = &session.visit.as_ref()?.item;
    let phrase = catalog.question(code, &draft.question)?.phrases.get(at)?;
    Some(Citizen::TextTyped(Private::from(words(phrase, session.settings.language))))
}

/// What the touched cell of the picker holds.
pub fn picked(session: &Session, at: usize) -> Option<Citizen> {
    let picker = &session.typing()?.picker;
    picker::cells(picker).into_iter().nth(at).map(|pick| Citizen::Typing(TypingTouch::Picked(pick)))
}

/// A real keyboard means the same as the keys on the screen.
pub fn keyboard(session: &Session, text: &str) -> Vec<Citizen> {
    let enter = match &session.page {
        Page::Identify(_) => Citizen::NumberSubmitted,
        Page::Enquiry(_) => Citizen::EnquirySubmitted,
        _ => Citizen::Answered,
    };
    text.chars()
        .filter_map(|character| match character {
            '\u{8}' | '\u{7f}' => Some(Citizen::Erased),
            '\n' | '\r' => Some(enter.clone()),
            // Slint's codes for keys without a character lie in the private use area.
            c if c.is_control() || ('\u{e000}'..='\u{f8ff}').contains(&c) => None,
            c => Some(Citizen::KeyTyped(c)),
        })
        .collect()
}
