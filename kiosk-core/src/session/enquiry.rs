//! 查办件进度, what is typed: the case number, then the verification code, each as it stands on the receipt; or its QR code
//! is scanned ([`super::scanning`]). Nothing else is asked of the resident: who holds the receipt may ask.

use super::{CaseReference, Citizen, EndReason, Page, Turn, asking, follow_up};
use crate::case_number::{self, NumberSlip};
use crate::private::Private;
use crate::receipt_code::ReceiptCode;
use crate::remedy::Notice;
use crate::verification_code;

/// Which of the two is typed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnquiryField {
    /// The case number.
    Number,
    /// The verification code.
    Code,
}

/// State of the page: letters and digits as typed, capitals, without dashes and spaces.
#[derive(Clone, Debug, PartialEq)]
pub struct Enquiry {
    /// Which field is shown.
    pub field: EnquiryField,
    /// The case number so far.
    pub number: Private<String>,
    /// The verification code so far.
    pub code: Private<String>,
}

impl Enquiry {
    pub(super) fn new() -> Self {
        Enquiry {
            field: EnquiryField::Number,
            number: Private::with_capacity(case_number::CHARACTERS),
            code: Private::with_capacity(verification_code::CHARACTERS),
        }
    }

    /// What is typed so far in the field that is shown.
    pub fn typed(&self) -> &str {
        match self.field {
            EnquiryField::Number => self.number.expose(),
            EnquiryField::Code => self.code.expose(),
        }
    }

    fn typed_mut(&mut self) -> &mut String {
        match self.field {
            EnquiryField::Number => self.number.expose_mut(),
            EnquiryField::Code => self.code.expose_mut(),
        }
    }

    /// The case that both fields name, once both are complete.
    fn reference(&self) -> Option<CaseReference> {
        let case_number = Private::new(case_number::parse(self.number.expose()).ok()?);
        let whole = self.code.expose().len() == verification_code::CHARACTERS;
        whole.then(|| CaseReference { case_number, verification: self.code.clone() })
    }

    /// Takes what can stand in the field and forgives the rest: small letters, full-width ones, dashes, spaces.
    fn type_in(&mut self, text: &str) {
        let (most, fits): (usize, fn(char) -> bool) = match self.field {
            EnquiryField::Number => (case_number::CHARACTERS, |_| true),
            EnquiryField::Code => (verification_code::CHARACTERS, verification_code::may_hold),
        };
        let typed = self.typed_mut();
        for character in text.chars().filter_map(case_number::plain).filter(|c| fits(*c)) {
            // One byte each, so the buffer never grows and leaves no copy behind.
            if typed.len() < most {
                typed.push(character);
            }
        }
    }
}

pub(super) fn on(turn: &mut Turn, touch: Citizen) {
    let Page::Enquiry(enquiry) = &mut turn.session.page else { return };
    match touch {
        Citizen::KeyTyped(key) => enquiry.type_in(key.encode_utf8(&mut [0; 4])),
        Citizen::TextTyped(text) => enquiry.type_in(text.expose()),
        Citizen::Erased => {
            enquiry.typed_mut().pop();
        }
        Citizen::Cleared => enquiry.typed_mut().clear(),
        Citizen::EnquirySubmitted => submit(turn),
        // The city could not be asked: the case can be followed all the same.
        Citizen::NoticeContinued if turn.session.notice.is_some_and(follow_up::is_possible_after) => {
            if let Some(about) = enquiry.reference() {
                turn.session.notice = None;
                turn.session.page = Page::FollowUp(about);
            }
        }
        Citizen::Back => match enquiry.field {
            EnquiryField::Number => turn.leave(EndReason::Left),
            EnquiryField::Code => show(turn, EnquiryField::Number),
        },
        _ => {}
    }
}

/// The field is complete: on to the next, or to the city. A slip is named here, before anybody is asked.
fn submit(turn: &mut Turn) {
    let Page::Enquiry(enquiry) = &turn.session.page else { return };
    match enquiry.field {
        EnquiryField::Number => match case_number::parse(enquiry.number.expose()) {
            Ok(_) => show(turn, EnquiryField::Code),
            Err(NumberSlip::Length) => turn.session.notice = Some(Notice::CaseNumberLength),
            Err(NumberSlip::Check) => turn.session.notice = Some(Notice::CaseNumberCheck),
        },
        EnquiryField::Code if enquiry.code.expose().len() < verification_code::CHARACTERS => {
            turn.session.notice = Some(Notice::VerificationCodeLength);
        }
        EnquiryField::Code => asking::ask(turn),
    }
}

/// Both fields at once, as the receipt's QR code says them: nothing is left to type, and the city is asked.
pub(super) fn fill(turn: &mut Turn, code: &ReceiptCode) {
    type_both(turn, &code.case_number, &code.verification);
    asking::ask(turn);
}

/// Both fields as they were, so that nobody types them twice.
pub(super) fn type_again(turn: &mut Turn, about: &CaseReference) {
    type_both(turn, &about.case_number, &about.verification);
}

fn type_both(turn: &mut Turn, case_number: &Private<String>, verification: &Private<String>) {
    let Page::Enquiry(enquiry) = &mut turn.session.page else { return };
    for (field, text) in [(EnquiryField::Number, case_number), (EnquiryField::Code, verification)] {
        enquiry.field = field;
        enquiry.typed_mut().clear();
        enquiry.type_in(text.expose());
    }
}

/// Two fields are two pages: the second must not take the tail of a double tap.
fn show(turn: &mut Turn, field: EnquiryField) {
    let Page::Enquiry(enquiry) = &mut turn.session.page else { return };
    enquiry.field = field;
    turn.session.page_changed_at_ms = Some(turn.moment.monotonic_ms);
}
