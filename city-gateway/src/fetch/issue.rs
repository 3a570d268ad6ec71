//! From what a register said to a document: its words in the resident's language, its stamp, its PDF.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kiosk_documents::{Certificate, CertificateRenderer, Column, DocumentError};
use serde_json::Value;
use service_catalog::{Field, FieldKind, Language, ServiceItem, Values, day_in_china, shown_day};
use sha2::{Digest, Sha256};
use sync_protocol::{
    DocumentContent, DocumentKey, DocumentNumber, FetchQuestion, Fetched, ProtocolError, Stamp,
};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::config::Documents;
use crate::mask;
use crate::registers::Holding;
use crate::store::desk::chain::hex;
use crate::store::issued::IssuedDocument;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// So long after its end a document is still known.
const KNOWN_AFTER_MS: i64 = 365 * DAY_MS;

/// Documents that ended before this moment are forgotten.
pub(super) fn forgotten_before(now_ms: i64) -> i64 {
    now_ms - KNOWN_AFTER_MS
}

/// What is noted of a stamp.
pub(crate) fn fingerprint(stamp: &str) -> String {
    hex(&Sha256::digest(stamp.to_ascii_uppercase()))
}

/// Makes documents.
pub(crate) struct Issuer {
    key: DocumentKey,
    address: String,
    valid_days: u16,
    demo: bool,
    renderer: CertificateRenderer,
    within: Duration,
    places: Arc<Semaphore>,
}

/// A document, ready to be noted and handed out.
pub(super) struct Issued {
    pub(super) record: IssuedDocument,
    pub(super) fetched: Fetched,
}

/// Why a document could not be made. Holds nothing of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotIssued {
    /// What was to be shown cannot be.
    #[error("a value cannot be shown")]
    Unshown,
    /// Its stamp.
    #[error("its stamp: {0}")]
    Stamp(#[from] ProtocolError),
    /// Its PDF.
    #[error("its PDF: {0}")]
    Pdf(#[from] DocumentError),
    /// Too many are being made.
    #[error("too many are being typeset")]
    Busy,
    /// The thread that waited for the typesetter ended badly.
    #[error("the typesetter was lost")]
    Lost,
}

impl Issuer {
    /// With this key, as configured; `None` where no address is.
    pub(crate) fn new(key: DocumentKey, config: &Documents) -> Option<Self> {
        Some(Self {
            key,
            address: config.address.clone()?,
            valid_days: config.valid_days,
            demo: config.demo,
            renderer: CertificateRenderer::new(config.program()),
            within: config.within(),
            places: Arc::new(Semaphore::new(config.at_once)),
        })
    }

    /// Makes one. Takes the holding's values, which travel to the terminal.
    pub(super) async fn issue(
        &self,
        item: &ServiceItem,
        terminal: &str,
        question: &FetchQuestion,
        holding: &mut Holding,
        now_ms: i64,
        until: Instant,
    ) -> Result<Issued, NotIssued> {
        let text = |key: &str| question.applicant.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = DocumentNumber::random();
        let issued_at_s = now_ms.div_euclid(1000);
        let person_number = Zeroizing::new(mask::number(text("number")));
        let stamp = self.stamp(item, number, issued_at_s, text("name"), &person_number, holding)?;
        let ends_at_ms = stamp.valid_until_s() * 1000;
        let signed = Zeroizing::new(stamp.sign(&self.key)?);
        let address = Zeroizing::new(format!("{}{}", self.address, *signed));

        let language = Language::from_code(&question.language).unwrap_or(Language::ZhHans);
        let day = |ms: i64| day_in_china(ms).map(|day| shown_day(day, language)).unwrap_or_default();
        let mut certificate = written(item, holding, language)?;
        certificate.demo = self.demo;
        certificate.number = number.to_string();
        certificate.issued_on = day(now_ms);
        certificate.valid_until = day(ends_at_ms);
        certificate.terminal = terminal.to_owned();
        certificate.name = text("name").to_owned();
        certificate.person_number = person_number.to_string();
        certificate.address = address.to_string();
        certificate.site = site(&self.address);
        let pdf = self.typeset(certificate, until).await?;

        let record = IssuedDocument {
            number: number.to_string(),
            item: item.code.clone(),
            stamp_sha256: fingerprint(&signed),
            issued_at_ms: issued_at_s * 1000,
            ends_at_ms,
            revoked_at_ms: None,
        };
        let fetched = Fetched {
            item: item.code.clone(),
            number: number.to_string(),
            issued_at_ms: issued_at_s * 1000,
            facts: std::mem::take(&mut holding.facts),
            rows: std::mem::take(&mut holding.rows),
            address: address.to_string(),
            pdf: STANDARD.encode(&*pdf),
        };
        Ok(Issued { record, fetched })
    }

    fn stamp(
        &self,
        item: &ServiceItem,
        number: DocumentNumber,
        issued_at_s: i64,
        name: &str,
        person_number: &str,
        holding: &Holding,
    ) -> Result<Stamp, NotIssued> {
        let fields = item.fetch.iter().flat_map(|fetch| &fetch.facts);
        let facts =
            fields.filter_map(|field| Some((field.key.as_str(), holding.facts.get(&field.key)?.as_str())));
        let mut stamp = Stamp {
            number,
            item: item.code.clone(),
            item_version: item.version,
            issued_at_s,
            valid_days: self.valid_days,
            name: mask::name(name),
            person_number: person_number.to_owned(),
            facts: Stamp::short_facts(facts),
            rows: u8::try_from(holding.rows.len()).map_err(|_| NotIssued::Unshown)?,
            content: [0; 32],
        };
        let content = DocumentContent {
            item: &item.code,
            item_version: item.version,
            number: &number.to_string(),
            issued_at_s,
            valid_until_s: stamp.valid_until_s(),
            name,
            person_number,
            facts: &holding.facts,
            rows: &holding.rows,
        };
        stamp.content = content.hash();
        Ok(stamp)
    }

    /// In a process of its own; the gateway's threads only wait for it.
    async fn typeset(
        &self,
        certificate: Certificate,
        until: Instant,
    ) -> Result<Zeroizing<Vec<u8>>, NotIssued> {
        let left = || until.saturating_duration_since(Instant::now());
        let place = tokio::time::timeout(left(), Arc::clone(&self.places).acquire_owned());
        let place = place.await.map_err(|_| NotIssued::Busy)?.map_err(|_| NotIssued::Busy)?;
        let (renderer, within) = (self.renderer.clone(), self.within.min(left()));
        let typeset = tokio::task::spawn_blocking(move || {
            let _place = place;
            renderer.render(&certificate, within)
        });
        Ok(typeset.await.map_err(|_| NotIssued::Lost)??)
    }
}

/// What the register said, in the words of the catalog.
fn written(item: &ServiceItem, holding: &Holding, language: Language) -> Result<Certificate, NotIssued> {
    let fetch = item.fetch.as_ref().ok_or(NotIssued::Unshown)?;
    let show = |field: &Field, values: &Values| {
        values.get(&field.key).and_then(|raw| field.show(raw, language)).ok_or(NotIssued::Unshown)
    };
    let mut certificate = Certificate::default();
    certificate.language = printed(language);
    certificate.title = fetch.title.get(language).to_owned();
    certificate.department = item.guide.department.get(language).to_owned();
    certificate.notes = fetch.notes.iter().map(|note| note.get(language).to_owned()).collect();
    for field in &fetch.facts {
        certificate.facts.push((field.label.get(language).to_owned(), show(field, &holding.facts)?));
    }
    let figures = |kind| matches!(kind, FieldKind::Number | FieldKind::Money);
    let column = |field: &Field| Column {
        label: field.label.get(language).to_owned(),
        figures: figures(field.kind),
        wide: field.kind == FieldKind::Text,
    };
    certificate.columns = fetch.columns.iter().map(column).collect();
    for row in &holding.rows {
        let shown = fetch.columns.iter().map(|field| show(field, row));
        certificate.rows.push(shown.collect::<Result<_, _>>()?);
    }
    Ok(certificate)
}

fn printed(language: Language) -> kiosk_documents::Language {
    match language {
        Language::ZhHans => kiosk_documents::Language::ZhHans,
        Language::ZhHant => kiosk_documents::Language::ZhHant,
        Language::En => kiosk_documents::Language::En,
    }
}

/// Scheme and host of the public address: what a checker looks for in the bar of the browser.
fn site(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    format!("{scheme}://{}/", rest.split('/').next().unwrap_or(rest))
}
