//! The border between the session's submission (typed, private) and the record that is sealed.

use crate::catalog::{answers_as_json, document_of};
use kiosk_core::applicant::{Applicant, IdentificationWay};
use kiosk_core::calendar;
use kiosk_core::private::Private;
use kiosk_core::session::{CaseReference, Submission, Submitter};
use serde_json::{Map, Value};

/// What an ID card says instead of a last day.
const NO_LAST_DAY: &str = "长期";

/// Builds the plaintext of a case. It lives only until it is sealed, and erases itself.
pub fn plaintext(
    submission: &Submission,
    case_id: &str,
    case_number: &str,
    finalised_at_ms: i64,
) -> sync_protocol::Submission {
    sync_protocol::Submission {
        version: 1,
        case_id: case_id.to_owned(),
        case_number: case_number.to_owned(),
        item: submission.item.0.clone(),
        item_version: submission.item_version,
        language: submission.language.tag().to_owned(),
        finalised_at_ms,
        identification: match &submission.by {
            Submitter::Applicant(applicant) => way(applicant.way),
            Submitter::ReceiptHolder(_) => "receipt",
        }
        .to_owned(),
        applicant: match &submission.by {
            Submitter::Applicant(applicant) => applicant_as_json(applicant),
            // Its case knows who asked.
            Submitter::ReceiptHolder(_) => Map::new(),
        },
        answers: answers_as_json(&submission.answers),
        consent_version: submission.consent_version,
        about: match &submission.by {
            Submitter::Applicant(_) => None,
            Submitter::ReceiptHolder(about) => Some(reference(about)),
        },
    }
}

fn reference(about: &CaseReference) -> sync_protocol::CaseReference {
    sync_protocol::CaseReference {
        case_number: about.case_number.expose().clone(),
        verification: about.verification.expose().clone(),
    }
}

/// How the resident identified, in the word of the protocol.
pub fn way(way: IdentificationWay) -> &'static str {
    match way {
        IdentificationWay::IdCard => "id-card",
        IdentificationWay::SocialSecurityCard => "social-security-card",
        IdentificationWay::Typed => "typed",
    }
}

/// Only what is known: a typed applicant has no name, and no empty one either.
pub fn applicant_as_json(applicant: &Applicant) -> Map<String, Value> {
    let mut json = Map::new();
    json.insert("document".into(), document_of(applicant.document).word().into());
    let known: [(&str, Option<&Private<String>>); 7] = [
        ("name", applicant.name.as_ref()),
        ("number", Some(&applicant.number)),
        ("sex", applicant.sex.as_ref()),
        ("ethnic", applicant.ethnic.as_ref()),
        ("birth", applicant.birth.as_ref()),
        ("address", applicant.address.as_ref()),
        ("issuer", applicant.issuer.as_ref()),
    ];
    for (key, value) in known {
        if let Some(value) = value.filter(|value| !value.expose().is_empty()) {
            json.insert(key.into(), value.expose().clone().into());
        }
    }
    if let Some(day) = applicant.valid_from {
        json.insert("valid_from".into(), calendar::iso(day).into());
    }
    // An ID card without a last day says so; of another card without one, nothing is known.
    let last_day = match (applicant.valid_to, applicant.way) {
        (Some(day), _) => Some(calendar::iso(day)),
        (None, IdentificationWay::IdCard) => Some(NO_LAST_DAY.to_owned()),
        (None, IdentificationWay::SocialSecurityCard | IdentificationWay::Typed) => None,
    };
    if let Some(day) = last_day {
        json.insert("valid_to".into(), day.into());
    }
    json
}
