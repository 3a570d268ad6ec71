//! Judging one record: open the seal, compare with the manifest, check the answers against the form.
//!
//! Pure but for the key it holds. Deliberately absent: a reason that quotes what a resident wrote.

use std::collections::HashMap;
use std::mem::take;
use std::sync::Arc;

use serde_json::{Map, Value};
use service_catalog::{Catalog, FollowUp, FormCheck, QuestionKind, ServiceItem, Shape};
use sync_protocol::{AgeSealer, Opener, Rating, Sealer, Submission, understands};
use time::Date;
use zeroize::{Zeroize, Zeroizing};

use crate::follow_up::{Following, Judgement};
use crate::mask;
use crate::store::{Claimed, DeadLetterReason, Kind, MaskedPerson, Outcome};

/// Fields named in one reason; more would help nobody.
const MAX_FIELDS: usize = 8;

/// Longest detail, in characters.
const MAX_DETAIL: usize = 400;

/// Holds what judging needs: the city's key, the catalog, and the forms that were met so far, ready to check.
pub(crate) struct Judge<S> {
    seal: S,
    catalog: Arc<Catalog>,
    forms: HashMap<String, FormCheck>,
}

impl<S: Opener> Judge<S> {
    pub(crate) fn new(seal: S, catalog: Arc<Catalog>) -> Self {
        Self { seal, catalog, forms: HashMap::new() }
    }

    /// What becomes of a record.
    pub(crate) fn judge(&mut self, record: &Claimed) -> Judgement {
        let judged = match record.kind {
            Kind::Case => self.open(record).and_then(|plaintext| self.case(record, &plaintext)),
            Kind::Rating => self.open(record).and_then(|plaintext| rating(record, &plaintext)),
            Kind::Void => Err((DeadLetterReason::LostAtTerminal, None)),
        };
        judged.unwrap_or_else(|(reason, detail)| Judgement::Decided(dead(reason, detail)))
    }

    fn open(&self, record: &Claimed) -> Result<Zeroizing<Vec<u8>>, (DeadLetterReason, Option<String>)> {
        self.seal
            .open(&record.ciphertext)
            .map_err(|error| (DeadLetterReason::NotOpenable, Some(error.to_string())))
    }

    /// The content of one case, which wipes itself; `None` when it cannot be opened or speaks of another record.
    pub(crate) fn reveal(&self, record: &Claimed) -> Option<Submission> {
        let plaintext = self.seal.open(&record.ciphertext).ok()?;
        let submission = Submission::from_plaintext(&plaintext).ok()?;
        (submission.case_id == record.case_id && submission.item == record.item).then_some(submission)
    }

    /// The content of one case, as it was written but for the code of a case that it follows, sealed to somebody else; `None` as in [`Judge::reveal`]. What is
    /// open meanwhile wipes itself.
    pub(crate) fn reseal(&self, record: &Claimed, sealer: &AgeSealer) -> Option<Vec<u8>> {
        let mut submission = self.reveal(record)?;
        let Some(about) = &mut submission.about else {
            return sealer.seal(&self.seal.open(&record.ciphertext).ok()?).ok();
        };
        // The code of its case is the resident's: who has it can withdraw the case.
        about.verification.zeroize();
        sealer.seal(&submission.to_plaintext()).ok()
    }

    fn case(&mut self, record: &Claimed, plaintext: &[u8]) -> Verdict {
        let mut submission = Submission::from_plaintext(plaintext)
            .map_err(|error| (DeadLetterReason::Unreadable, Some(error.to_string())))?;
        readable(submission.version)?;
        let differing = [
            ("case_id", submission.case_id != record.case_id),
            ("case_number", submission.case_number != record.case_number),
            ("item", submission.item != record.item),
            ("item_version", submission.item_version != record.item_version),
        ];
        agree(&differing)?;
        // Of a where-to-go item, and of a life event itself, nothing is ever submitted.
        let current = |item: &&ServiceItem| {
            item.version == record.item_version && !matches!(item.shape, Shape::WhereToGo | Shape::LifeEvent)
        };
        let item = self.catalog.item(&record.item).filter(current);
        let item = item.ok_or((DeadLetterReason::UnknownItem, None))?;
        let follows = item.shape.follows();
        names_a_case(follows, &submission)?;
        let form = self.forms.entry(item.code.clone()).or_insert_with(|| FormCheck::new(item));

        let person = person(item, &submission);
        let day = service_catalog::day_in_china(submission.finalised_at_ms);
        let submission = &mut submission;
        let valid = fits(form, &mut submission.applicant, &mut submission.answers, day);
        valid.map_err(|reasons| (DeadLetterReason::WrongAnswers, Some(detail(&reasons))))?;
        let title = item.title.zh_hans.clone();
        Ok(match (follows, submission.about.take()) {
            (Some(follows), Some(about)) => Judgement::Follows(Following { follows, about, person, title }),
            _ => Judgement::Decided(Outcome::Opened { person: Some(person), summary: title }),
        })
    }
}

/// Judges what was filled in. It is moved out and back, so that the only copy is the one that wipes itself.
pub(crate) fn fits(
    form: &FormCheck,
    applicant: &mut Map<String, Value>,
    answers: &mut Map<String, Value>,
    day: Option<Date>,
) -> Result<(), Vec<String>> {
    let mut content = Map::new();
    content.insert("applicant".into(), Value::Object(take(applicant)));
    content.insert("answers".into(), Value::Object(take(answers)));
    let mut content = Value::Object(content);
    let valid = form.judge(&content, day);
    for (name, members) in [("applicant", applicant), ("answers", answers)] {
        if let Some(Value::Object(moved)) = content.get_mut(name).map(Value::take) {
            *members = moved;
        }
    }
    valid
}

/// A record on which the opener itself failed.
pub(crate) fn fault() -> Judgement {
    Judgement::Decided(dead(DeadLetterReason::OpenerFault, None))
}

type Verdict = Result<Judgement, (DeadLetterReason, Option<String>)>;

/// Longest case number that is looked for.
const MAX_CASE_NUMBER: usize = 40;

/// What follows a case names it, and nothing else names one.
fn names_a_case(
    follows: Option<FollowUp>,
    submission: &Submission,
) -> Result<(), (DeadLetterReason, Option<String>)> {
    let wrong = |why: &str| Err((DeadLetterReason::WrongAnswers, Some(why.to_owned())));
    match (follows, &submission.about) {
        (None, None) => Ok(()),
        (None, Some(_)) => wrong("about must be left out"),
        (Some(_), None) => wrong("about is missing"),
        (Some(_), Some(about)) => {
            let number = about.case_number.as_bytes();
            let plain = number.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
            match (1..=MAX_CASE_NUMBER).contains(&number.len()) && plain && !about.verification.is_empty() {
                true => Ok(()),
                false => wrong("about does not name a case"),
            }
        }
    }
}

fn rating(record: &Claimed, plaintext: &[u8]) -> Verdict {
    let rating = Rating::from_plaintext(plaintext)
        .map_err(|error| (DeadLetterReason::Unreadable, Some(error.to_string())))?;
    readable(rating.version)?;
    let differing = [
        ("about", Some(&rating.about) != record.about.as_ref()),
        ("case_number", rating.case_number != record.case_number),
    ];
    agree(&differing)?;
    let stars = usize::from(rating.stars.min(5));
    let summary = format!("{}{}", "★".repeat(stars), "☆".repeat(5 - stars));
    Ok(Judgement::Decided(Outcome::Opened { person: None, summary }))
}

fn readable(version: u16) -> Result<(), (DeadLetterReason, Option<String>)> {
    if understands(version) {
        return Ok(());
    }
    Err((DeadLetterReason::Unreadable, Some("a version this gateway does not know".into())))
}

/// Names what differs between the manifest and what was sealed.
fn agree(differing: &[(&str, bool)]) -> Result<(), (DeadLetterReason, Option<String>)> {
    let names: Vec<&str> = differing.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
    if names.is_empty() { Ok(()) } else { Err((DeadLetterReason::OtherRecord, Some(names.join(", ")))) }
}

fn person(item: &ServiceItem, submission: &Submission) -> MaskedPerson {
    let text = |key: &str| submission.applicant.get(key).and_then(Value::as_str);
    let phone = item
        .questions
        .iter()
        .filter(|question| question.kind == QuestionKind::Phone)
        .find_map(|question| submission.answers.get(&question.id)?.as_str());
    MaskedPerson {
        name: text("name").map(mask::name),
        number: text("number").map(mask::number),
        phone: phone.map(mask::phone),
    }
}

fn detail(reasons: &[String]) -> String {
    let mut text = reasons.iter().take(MAX_FIELDS).map(String::as_str).collect::<Vec<_>>().join("; ");
    if reasons.len() > MAX_FIELDS {
        text.push_str("; …");
    }
    if let Some((end, _)) = text.char_indices().nth(MAX_DETAIL) {
        text.truncate(end);
    }
    text
}

fn dead(reason: DeadLetterReason, detail: Option<String>) -> Outcome {
    Outcome::DeadLetter { reason, detail }
}
