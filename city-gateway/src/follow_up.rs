//! Finding the case that a record follows: by its number, and by the verification code that only its receipt bears.
//!
//! A record may arrive before its case, from another terminal's queue. Then it is kept as a dead letter that names the
//! number, and tried again when a case with that number was opened. Deliberately absent: a trace of the code.

use service_catalog::FollowUp;
use subtle::ConstantTimeEq;
use sync_protocol::CaseReference;

use crate::store::{DeadLetterReason, InboxStore, MaskedPerson, Outcome, StoreError};

/// What the judge found out about a record.
pub(crate) enum Judgement {
    /// What becomes of it.
    Decided(Outcome),
    /// It follows a case, which has to be found.
    Follows(Following),
}

/// A record that follows a case.
pub(crate) struct Following {
    pub(crate) follows: FollowUp,
    pub(crate) about: CaseReference,
    pub(crate) person: MaskedPerson,
    /// Title of its item.
    pub(crate) title: String,
}

/// What becomes of a record that follows a case.
pub(crate) async fn resolve(store: &dyn InboxStore, following: &Following) -> Result<Outcome, StoreError> {
    let Following { follows, about, person, title } = following;
    let named = store.named(&about.case_number).await?;
    let mut found = None;
    // All are compared, so that the time says nothing.
    for case in &named {
        if bool::from(case.verification.as_bytes().ct_eq(about.verification.as_bytes())) {
            found = Some(case.key.clone());
        }
    }
    Ok(match found {
        Some(case) => Outcome::Follows {
            follows: *follows,
            case,
            person: person.clone(),
            summary: format!("{title} · {}", about.case_number),
        },
        None => {
            let reason =
                if named.is_empty() { DeadLetterReason::NoSuchCase } else { DeadLetterReason::WrongCode };
            // The store finds the case by it, once there is one.
            Outcome::DeadLetter { reason, detail: Some(about.case_number.clone()) }
        }
    })
}
