//! What the city shows without sign-in: a health check, the public page behind the code on a receipt, and, on a demo's
//! own machine, an inbox to look at with its JSON.
//!
//! Deliberately absent: personal data beyond the masked summaries, anything about a person on the public page, and
//! every resource from elsewhere.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use service_catalog::Catalog;
use sync_protocol::limits::MAX_FIELD;

use crate::metrics::{Family, Metrics, prometheus};
use crate::pages;
use crate::refusal::Refusal;
use crate::relay::RelayFigures;
use crate::store::blobs::BlobIndex;
use crate::store::lives::{LastWord, TerminalBook};
use crate::store::{Found, InboxRow, InboxStore, Page, Status, StoreError};
use crate::terminals::now_ms;
use crate::verification::{self, Verification};

/// Lines of one HTML page.
const LINES: usize = 50;

/// Most records of one JSON answer.
const MOST: usize = 1000;

struct City {
    store: Arc<dyn InboxStore>,
    catalog: Arc<Catalog>,
    figures: Figures,
    feed: Feed,
}

/// What figures are made from.
#[derive(Clone)]
pub(crate) struct Figures {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) inbox: Arc<dyn InboxStore>,
    pub(crate) blobs: Arc<dyn BlobIndex>,
    pub(crate) book: Arc<dyn TerminalBook>,
    /// Absent when nothing is relayed.
    pub(crate) relay: Option<Arc<RelayFigures>>,
}

impl Figures {
    /// All of them, as they are now.
    pub(crate) async fn gather(&self) -> Result<Vec<Family>, StoreError> {
        let Self { metrics, inbox, blobs, book, relay } = self;
        let mut families =
            metrics.families(&inbox.counts().await?, &blobs.blob_counts().await?, &book.fleet().await?);
        if let Some(relay) = relay {
            families.extend(relay.gather(now_ms()).await?);
        }
        Ok(families)
    }
}

/// What is shown without sign-in, beside the public page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    /// The inbox too, masked and to look at only: for a demo's own machine.
    Open,
    /// Figures without personal data, to whoever is on this machine.
    Figures,
    /// Nothing: the pages can be reached from elsewhere.
    Nothing,
}

/// The routes of the city's pages that need no sign-in.
pub(crate) fn router(
    store: Arc<dyn InboxStore>,
    catalog: Arc<Catalog>,
    figures: Figures,
    feed: Feed,
    verification: Verification,
) -> Router {
    let mut looking = match feed {
        Feed::Open => Router::new()
            .route("/", get(|| async { Redirect::temporary("/city/") }))
            .route("/city", get(|| async { Redirect::temporary("/city/") }))
            .route("/city/", get(inbox))
            .route("/city/part", get(inbox_part))
            .route("/city/inbox.json", get(inbox_json)),
        Feed::Figures | Feed::Nothing => {
            let desk = || async { Redirect::temporary("/desk/") };
            Router::new().route("/", get(desk)).route("/city", get(desk)).route("/city/", get(desk))
        }
    };
    if feed != Feed::Nothing {
        looking = looking.route("/city/terminals.json", get(terminals_json)).route("/metrics", get(metrics));
    }
    looking
        .route("/city/healthz", get(healthz))
        .route("/v/{verification}", get(verify))
        .route(
            "/assets/city.css",
            get(|| asset("text/css; charset=utf-8", include_str!("../pages/city.css"))),
        )
        .route(
            "/assets/inbox.js",
            get(|| asset("text/javascript; charset=utf-8", include_str!("../pages/inbox.js"))),
        )
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::WrongMethod })
        .with_state(Arc::new(City { store, catalog, figures, feed }))
        .merge(verification::router(Arc::new(verification)))
        .layer(middleware::map_response(guard))
}

/// Nothing from elsewhere, nothing kept, nothing framed.
async fn guard(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 5] = [
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(
                "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                 base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    ];
    response
        .headers_mut()
        .extend(HEADERS.into_iter().map(|(name, value)| (Some(name), value)).collect::<Vec<_>>());
    response
}

async fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text)
}

/// Which part of the inbox an address asks for.
#[derive(Deserialize)]
struct Asked {
    after: Option<i64>,
    before: Option<i64>,
    limit: Option<usize>,
}

impl Asked {
    fn page(&self) -> Page {
        Page::Before(self.before.unwrap_or(i64::MAX))
    }
}

async fn inbox(State(city): State<Arc<City>>, Query(asked): Query<Asked>) -> Result<Html<String>, Refusal> {
    let part = city.part(&asked).await?;
    Ok(Html(pages::inbox(&part)))
}

async fn inbox_part(
    State(city): State<Arc<City>>,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Refusal> {
    city.part(&asked).await.map(Html)
}

impl City {
    async fn part(&self, asked: &Asked) -> Result<String, Refusal> {
        let counts = self.store.counts().await?;
        // One more than shown tells whether there is an older page.
        let mut rows = self.store.page(asked.page(), LINES + 1).await?;
        let more = rows.len() > LINES;
        rows.truncate(LINES);
        Ok(pages::inbox_part(&self.catalog, counts, &rows, more, asked.before.is_some()))
    }
}

/// `?after=ID` oldest first (the default, from 0), `?before=ID` newest first, `?limit=N`.
async fn inbox_json(
    State(city): State<Arc<City>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let page = match asked.before {
        Some(before) => Page::Before(before),
        None => Page::After(asked.after.unwrap_or(0)),
    };
    let rows = city.store.page(page, asked.limit.unwrap_or(MOST).min(MOST)).await?;
    Ok(Json(json!({ "records": rows.iter().map(row_json).collect::<Vec<_>>() })))
}

fn row_json(row: &InboxRow) -> Value {
    let (person, summary, reason) = match &row.status {
        Status::Received | Status::Incomplete => (None, None, None),
        Status::Opened { person, summary } => (person.as_ref(), Some(summary.clone()), None),
        Status::DeadLetter { reason, detail } => {
            let reason = match detail {
                Some(detail) => format!("{}: {detail}", reason.label()),
                None => reason.label().to_owned(),
            };
            (None, None, Some(reason))
        }
        Status::Quarantined(conflict) => (None, None, Some(conflict.label().to_owned())),
    };
    json!({
        "id": row.id,
        "case_id": row.case_id,
        "case_number": row.case_number,
        "kind": row.kind.as_str(),
        "item": row.item,
        "terminal": row.place.terminal,
        "incarnation": row.place.incarnation,
        "seq": row.place.seq,
        "sha256": row.sha256,
        "received_at_ms": row.received_at_ms,
        "status": row.status.as_str(),
        "reason": reason,
        "person": person.map(|person| json!({
            "name": person.name, "number": person.number, "phone": person.phone,
        })),
        "summary": summary,
    })
}

async fn healthz(State(city): State<Arc<City>>) -> Result<Json<Value>, Refusal> {
    // One read proves that the database answers; the waiting list is what an operator asks next.
    let counts = city.store.counts().await?;
    if city.feed != Feed::Open {
        return Ok(Json(json!({ "status": "ok" })));
    }
    Ok(Json(json!({
        "status": "ok",
        "epoch": city.store.epoch().await?,
        "catalog_version": city.catalog.version,
        "items_left_out": city.catalog.rejected.len(),
        "waiting": counts.waiting,
        "opened": counts.opened,
        "dead_letters": counts.dead_letters,
        "quarantined": counts.quarantined,
        "undecided": counts.undecided,
        "incomplete": counts.incomplete,
    })))
}

/// Figures for Prometheus.
async fn metrics(State(city): State<Arc<City>>) -> Result<Response, Refusal> {
    let text = prometheus::text(&city.figures.gather().await?);
    Ok(([(header::CONTENT_TYPE, prometheus::CONTENT_TYPE)], text).into_response())
}

#[derive(Deserialize)]
struct From {
    after: Option<String>,
}

/// The books of terminals beside the city's: `?after=CODE`.
async fn terminals_json(
    State(city): State<Arc<City>>,
    Query(from): Query<From>,
) -> Result<Json<Value>, Refusal> {
    let words = city.figures.book.last_words(&from.after.unwrap_or_default(), MOST).await?;
    let word_json = |word: &LastWord| {
        json!({
            "terminal": word.terminal,
            "incarnation": word.incarnation,
            "heard_at_ms": word.heard_at_ms,
            "agent_version": word.agent_version,
            "catalog_version": word.catalog_version,
            "oldest_unacked_age_s": word.oldest_unacked_age_s,
            "disk_used_percent": word.disk_used_percent,
            "ledger": word.ledger,
            "received": word.received,
            "disagreements": word.disagreements,
        })
    };
    Ok(Json(json!({ "terminals": words.iter().map(word_json).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
struct Format {
    format: Option<String>,
}

/// The page behind the code on a receipt. It says that a case exists and nothing about who made it.
async fn verify(
    State(city): State<Arc<City>>,
    Path(verification): Path<String>,
    Query(Format { format }): Query<Format>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let sensible = !verification.is_empty()
        && verification.len() <= MAX_FIELD
        && verification.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let found = if sensible { city.store.find(&verification).await? } else { None };
    let status = if found.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if format.as_deref() == Some("json") || accepts.starts_with("application/json") {
        return Ok((status, Json(verify_json(&city.catalog, found.as_ref()))).into_response());
    }
    Ok((status, Html(pages::verification(&city.catalog, found.as_ref()))).into_response())
}

fn verify_json(catalog: &Catalog, found: Option<&Found>) -> Value {
    let Some(found) = found else { return json!({ "exists": false }) };
    let title = catalog.item(&found.item).map(|item| &item.title);
    json!({
        "exists": true,
        "case_number": found.case_number,
        "item": found.item,
        "item_title": title.map(|title| json!({
            "zh-Hans": title.zh_hans, "zh-Hant": title.zh_hant, "en": title.en,
        })),
        "received_at_ms": found.received_at_ms,
    })
}
