//! What an item of the shape `fetch` asks: judged as a submission would be, asked of the department's register, checked
//! against the catalog, issued as a signed document, and noted. Every way out is an answer; none of them says more to the
//! log than which item, which register and which terminal.
//!
//! Deliberately absent: a copy of what a register said, and a queue: whoever would have to wait is told to come again.

mod issue;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use service_catalog::{Catalog, FetchFault, FormCheck, ServiceItem, Shape, Way, day_in_china};
use sync_protocol::limits::MAX_FIELD;
use sync_protocol::{AnswerBody, FetchQuestion};
use time::Date;

use crate::budgets::Shares;
use crate::desk::Clock;
use crate::judge;
use crate::metrics::{Fetch as Counted, Metrics};
use crate::registers::{Away, Holding, Inquiry, Registers};
use crate::store::StoreError;
use crate::store::desk::{AuditAct, AuditEntry};
use crate::store::issued::IssuedDocuments;

pub(crate) use issue::{Issuer, fingerprint};

/// Fetches at once from one terminal; then one in ten seconds. One person stands at it.
const FETCHES: f64 = 12.0;
const FETCHES_PER_SECOND: f64 = 0.1;

/// Time that is left for the document when the register has answered.
const FOR_THE_DOCUMENT: Duration = Duration::from_secs(4);

/// Answers what is fetched.
pub(crate) struct Fetcher {
    catalog: Arc<Catalog>,
    registers: Registers,
    issuer: Issuer,
    store: Arc<dyn IssuedDocuments>,
    metrics: Arc<Metrics>,
    clock: Clock,
    /// Forms that were met so far, ready to check.
    forms: Mutex<HashMap<String, Arc<FormCheck>>>,
    shares: Shares,
}

/// Why there is no document.
#[derive(Debug, PartialEq, Eq)]
enum No {
    /// The register keeps nothing about this person.
    NothingHeld,
    /// The department cannot be asked.
    Away,
    /// Not what the gateway knows: another version of the catalog, or a terminal at fault.
    Unfit,
    /// Come again.
    NotNow,
}

impl Fetcher {
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        registers: Registers,
        issuer: Issuer,
        store: Arc<dyn IssuedDocuments>,
        metrics: Arc<Metrics>,
        clock: Clock,
    ) -> Self {
        let shares = Shares::new(FETCHES_PER_SECOND, FETCHES);
        Self { catalog, registers, issuer, store, metrics, clock, forms: Mutex::default(), shares }
    }

    /// The answer to one question of a terminal, before this moment.
    pub(crate) async fn answer(
        &self,
        terminal: &str,
        mut question: Box<FetchQuestion>,
        until: Instant,
    ) -> AnswerBody {
        let (body, counted) = match self.fetched(terminal, &mut question, until).await {
            Ok(body) => (body, Counted::Issued),
            Err(No::NothingHeld) => (AnswerBody::NothingHeld, Counted::NothingHeld),
            Err(No::Away) => (AnswerBody::DepartmentAway, Counted::Away),
            Err(No::Unfit) => (AnswerBody::NotNow, Counted::Refused),
            Err(No::NotNow) => (AnswerBody::NotNow, Counted::NotNow),
        };
        self.metrics.fetched(counted);
        body
    }

    async fn fetched(
        &self,
        terminal: &str,
        question: &mut FetchQuestion,
        until: Instant,
    ) -> Result<AnswerBody, No> {
        if self.shares.take(terminal).is_some() {
            tracing::warn!(%terminal, "more is fetched at a terminal than its share");
            return Err(No::NotNow);
        }
        let now_ms = (self.clock)();
        let today = day_in_china(now_ms).ok_or(No::NotNow)?;
        let item = self.judged(terminal, question, today)?;
        let holding = self.asked(terminal, item, question, today, until).await?;
        let Some(mut holding) = holding else {
            let line = line(AuditAct::NothingHeld, now_ms, terminal.to_owned(), &item.code);
            self.store.note(line).await.map_err(|error| unkept(&error))?;
            return Err(No::NothingHeld);
        };
        let issued = self.issuer.issue(item, terminal, question, &mut holding, now_ms, until).await;
        let issued = issued.map_err(|why| {
            // Nothing of the document is in the reason.
            tracing::error!(%why, item = %item.code, "a document could not be made");
            No::NotNow
        })?;
        let subject = format!("{terminal}/{}", issued.record.number);
        let line = line(AuditAct::DocumentIssued, now_ms, subject, &item.code);
        let ended_before_ms = issue::forgotten_before(now_ms);
        match self.store.issue(issued.record, ended_before_ms, line).await {
            Ok(true) => Ok(AnswerBody::Fetched(Box::new(issued.fetched))),
            // One in a million millions.
            Ok(false) => Err(No::NotNow),
            Err(error) => Err(unkept(&error)),
        }
    }

    /// The item, when the question is one that the kiosk may ask.
    fn judged(&self, terminal: &str, question: &mut FetchQuestion, today: Date) -> Result<&ServiceItem, No> {
        let refuse = |why: &'static str| {
            tracing::warn!(%terminal, why, "a fetch was refused");
            No::Unfit
        };
        let item = self.catalog.item(&question.item).filter(|_| question.item.len() <= MAX_FIELD);
        let item = item.ok_or_else(|| refuse("an item that the gateway's catalog does not have"))?;
        let consent = item.consent.as_ref().map(|consent| consent.version);
        if item.shape != Shape::Fetch
            || item.version != question.item_version
            || consent != Some(question.consent_version)
        {
            return Err(refuse("another version or shape than the gateway's catalog has"));
        }
        let document = question.applicant.get("document").and_then(Value::as_str);
        let by_social_card = document == Some("social-security-card");
        let way = match question.identification.as_str() {
            "id-card" if !by_social_card => Way::IdCard,
            "social-security-card" if by_social_card => Way::SocialSecurityCard,
            _ => return Err(refuse("a way to identify by which nothing is fetched")),
        };
        if !item.identify.ways.contains(&way) {
            return Err(refuse("a way to identify that the item does not have"));
        }
        let form = self.form(item);
        judge::fits(&form, &mut question.applicant, &mut question.answers, Some(today))
            .map_err(|_| refuse("what was filled in does not fit the form"))?;
        Ok(item)
    }

    fn form(&self, item: &ServiceItem) -> Arc<FormCheck> {
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(forms.entry(item.code.clone()).or_insert_with(|| Arc::new(FormCheck::new(item))))
    }

    /// What the register says, when it can be shown.
    async fn asked(
        &self,
        terminal: &str,
        item: &ServiceItem,
        question: &FetchQuestion,
        today: Date,
        until: Instant,
    ) -> Result<Option<Holding>, No> {
        let fetch = item.fetch.as_ref().ok_or(No::Unfit)?;
        let away = |why: &Away| {
            tracing::warn!(register = %fetch.register, item = %item.code, %why, "a department cannot be asked");
            No::Away
        };
        let Some(register) = self.registers.get(&fetch.register) else {
            tracing::error!(alarm = true, register = %fetch.register, "an item's register is not configured");
            return Err(No::Away);
        };
        let text = |key: &str| question.applicant.get(key).and_then(Value::as_str).unwrap_or_default();
        let left = until.saturating_duration_since(Instant::now());
        let within = left.saturating_sub(FOR_THE_DOCUMENT).max(left / 2);
        let inquiry = Inquiry {
            item: &item.code,
            terminal,
            document: text("document"),
            name: text("name"),
            number: text("number"),
            answers: &question.answers,
            today,
            within,
        };
        // A register that does not keep to its time is held to it.
        let told = tokio::time::timeout(within, register.ask(&inquiry)).await.unwrap_or(Err(Away::Late));
        let holding = told.map_err(|why| away(&why))?;
        if let Some(holding) = &holding {
            let checked = fetch.check(&holding.facts, &holding.rows);
            checked.map_err(|fault| away(&Away::Unusable(fault_in_words(&fault))))?;
        }
        Ok(holding)
    }
}

fn line(act: AuditAct, at_ms: i64, subject: String, item: &str) -> AuditEntry {
    AuditEntry {
        at_ms,
        actor: "gateway".into(),
        address: String::new(),
        act,
        subject,
        detail: item.to_owned(),
    }
}

/// Names keys of the catalog, never a value, and never a key that the department made up.
fn fault_in_words(fault: &FetchFault) -> String {
    match fault {
        FetchFault::Unknown(_) => "it has a key that the catalog does not have".into(),
        FetchFault::Missing(_) | FetchFault::Unfit(_) | FetchFault::TooManyRows => fault.to_string(),
    }
}

/// Nothing is handed out that is not on record.
fn unkept(error: &StoreError) -> No {
    tracing::warn!(%error, "what was fetched could not be noted, so it was not handed out");
    No::NotNow
}
