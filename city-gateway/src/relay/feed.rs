//! The door at which departments fetch their cases.
//!
//! | address | what |
//! |---|---|
//! | `GET /v1/departments/{code}/cases?after=…&limit=…` | what is not acknowledged and comes after a cursor |
//! | `POST /v1/departments/{code}/cases/acknowledge` | the department has everything up to a cursor |
//! | `GET /v1/openapi.json` | `openapi/departments.json`, which describes them |
//!
//! A cursor is the life of the city's database and a number in it. Numbers become visible in their own order, so
//! whoever goes on after the last one misses nothing; a cursor of another life begins at the start, because a database
//! that was put back gives the same numbers to other cases.
//!
//! Deliberately absent: a way to see another department's cases, or how many it has.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConstantTimeEq};
use tokio::sync::Semaphore;

use super::departments::Fetching;
use super::parcel::{NotMade, Parcels};
use crate::desk::random;
use crate::openapi;
use crate::refusal::Refusal;
use crate::store::relay::{RelayStore, UndeliveredReason};
use crate::terminals::now_ms;

/// Cases of one answer, when nothing is asked for.
const CASES: usize = 20;

/// Most cases of one answer.
const MOST_CASES: usize = 100;

/// Sealed bytes of one answer; one case is given whatever its size.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// Answers under way at a time: each may hold some ten MiB.
const AT_ONCE: usize = 4;

/// Cases that get a number before an answer.
const NUMBERED: usize = 1000;

/// Longest acknowledgement.
const MAX_BODY: usize = 64 * 1024;

/// Cases that one acknowledgement may decline.
const MOST_DECLINED: usize = 100;

/// Time for one request.
const DEADLINE: Duration = Duration::from_secs(60);

/// A token for a department, and the hash of it for the configuration.
pub fn new_token() -> (String, String) {
    let token = random::token();
    let hash = random::fingerprint(&token);
    (token, hash)
}

struct Feed {
    departments: HashMap<String, Arc<Fetching>>,
    store: Arc<dyn RelayStore>,
    parcels: Arc<Parcels>,
    epoch: String,
    places: Semaphore,
}

/// The routes of the door.
pub(super) fn routes(
    fetching: Vec<Arc<Fetching>>,
    store: Arc<dyn RelayStore>,
    parcels: Arc<Parcels>,
    epoch: String,
) -> Router {
    let departments = fetching.into_iter().map(|one| (one.addressee.code.clone(), one)).collect();
    let feed = Feed { departments, store, parcels, epoch, places: Semaphore::new(AT_ONCE) };
    Router::new()
        .route("/v1/departments/{code}/cases", get(cases))
        .route("/v1/departments/{code}/cases/acknowledge", post(acknowledge))
        .route("/v1/openapi.json", get(openapi::departments))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::WrongMethod })
        .layer(middleware::from_fn(deadline))
        .with_state(Arc::new(feed))
}

async fn deadline(request: Request, next: Next) -> Response {
    let mut response = match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::Later { seconds: 2, why: "took too long" }.into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A request that does not get what it asked for.
enum Denied {
    /// No token, or not this department's.
    Stranger,
    Refusal(Refusal),
}

impl<E: Into<Refusal>> From<E> for Denied {
    fn from(error: E) -> Self {
        Denied::Refusal(error.into())
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        match self {
            Denied::Refusal(refusal) => refusal.into_response(),
            Denied::Stranger => {
                let mut response =
                    Refusal::Of(StatusCode::UNAUTHORIZED, "a token of this department is needed")
                        .into_response();
                let ask = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
                response
            }
        }
    }
}

impl Feed {
    /// The department whose token came with a request. A department that is not there is as one whose token is wrong.
    fn department(&self, code: &str, headers: &HeaderMap) -> Result<&Fetching, Denied> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = given.and_then(|given| given.strip_prefix("Bearer ")).ok_or(Denied::Stranger)?;
        let hash = random::fingerprint(token.trim());
        let department = self.departments.get(code).ok_or(Denied::Stranger)?;
        let known = department.tokens.iter().map(|known| known.as_bytes().ct_eq(hash.as_bytes()));
        if bool::from(known.fold(Choice::from(0), |any, one| any | one)) {
            Ok(department)
        } else {
            tracing::warn!(alarm = true, department = %code, "a department's feed was asked for with a wrong token");
            Err(Denied::Stranger)
        }
    }

    fn cursor(&self, number: i64) -> String {
        format!("{}.{number}", self.epoch)
    }

    /// The number of a cursor; `None` when it is of another life of the database.
    fn number(&self, cursor: &str) -> Result<Option<i64>, Refusal> {
        let bad = || Refusal::BadRequest("not a cursor of this feed".into());
        let (epoch, number) = cursor.rsplit_once('.').ok_or_else(bad)?;
        let number = number.parse().ok().filter(|number| *number >= 0).ok_or_else(bad)?;
        Ok((epoch == self.epoch).then_some(number))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Page {
    cases: Vec<Entry>,
    /// Where to go on.
    next: String,
    /// Whether there is more at once.
    more: bool,
}

#[derive(Serialize)]
struct Entry {
    cursor: String,
    note: String,
    sealed: String,
}

async fn cases(
    State(feed): State<Arc<Feed>>,
    Path(code): Path<String>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Page>, Denied> {
    let department = feed.department(&code, &headers)?;
    let Query(asked) =
        asked.map_err(|_| Refusal::BadRequest("only `after` and `limit` can be asked".into()))?;
    let after = match asked.after.as_deref() {
        None | Some("") => 0,
        Some(cursor) => feed.number(cursor)?.unwrap_or(0),
    };
    let limit = asked.limit.unwrap_or(CASES).clamp(1, MOST_CASES);
    let busy = Refusal::Later { seconds: 1, why: "too many are fetching" };
    let _place = feed.places.try_acquire().map_err(|_| busy)?;
    feed.store.list_owed(&code, NUMBERED).await?;
    let mut listed = feed.store.feed(&code, after, limit + 1).await?;
    let mut more = listed.len() > limit;
    listed.truncate(limit);
    let (mut cases, mut last, mut bytes) = (Vec::new(), after, 0_u64);
    for one in listed {
        bytes = bytes.saturating_add(one.bytes);
        if bytes > MOST_BYTES && !cases.is_empty() {
            more = true;
            break;
        }
        last = one.number;
        let reason = match feed.parcels.make(&one.case, &department.addressee).await {
            Ok(parcel) => {
                let cursor = feed.cursor(one.number);
                cases.push(Entry { cursor, note: parcel.delivery.note, sealed: parcel.delivery.sealed });
                continue;
            }
            Err(NotMade::Erased) => UndeliveredReason::Erased,
            Err(NotMade::NotOpenable) => UndeliveredReason::NotOpenable,
            Err(NotMade::Ended) => {
                return Err(Refusal::Later { seconds: 2, why: "the gateway is stopping" }.into());
            }
            Err(NotMade::Store(error)) => return Err(error.into()),
        };
        tracing::warn!(alarm = true, department = %code, case = %one.case.case_id, why = reason.code(), "a case is not delivered");
        feed.store.withdraw(&code, vec![one.number], reason, now_ms()).await?;
    }
    Ok(Json(Page { cases, next: feed.cursor(last), more }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    /// The department has everything up to here.
    up_to: String,
    /// But for these, which it cannot take.
    #[serde(default)]
    declined: Vec<String>,
}

#[derive(Serialize)]
struct Acknowledged {
    acknowledged: u64,
    declined: u64,
}

async fn acknowledge(
    State(feed): State<Arc<Feed>>,
    Path(code): Path<String>,
    request: Request,
) -> Result<Json<Acknowledged>, Denied> {
    feed.department(&code, request.headers())?;
    let body = to_bytes(request.into_body(), MAX_BODY).await.map_err(|_| Refusal::TooLarge)?;
    let said: Acknowledgement = serde_json::from_slice(&body)
        .map_err(|_| Refusal::BadRequest("not an acknowledgement: `up_to` and `declined`".into()))?;
    if said.declined.len() > MOST_DECLINED {
        return Err(Refusal::BadRequest(format!("more than {MOST_DECLINED} declined at once")).into());
    }
    let other_life = || {
        Refusal::Of(
            StatusCode::CONFLICT,
            "the city's database was put back since; read the feed from its start",
        )
    };
    let up_to = feed.number(&said.up_to)?.ok_or_else(other_life)?;
    let mut numbers = Vec::with_capacity(said.declined.len());
    for cursor in &said.declined {
        let number = feed.number(cursor)?.ok_or_else(other_life)?;
        if number > up_to {
            return Err(Refusal::BadRequest("declined after `up_to`".into()).into());
        }
        numbers.push(number);
    }
    let reason = UndeliveredReason::Declined;
    let declined =
        if numbers.is_empty() { 0 } else { feed.store.withdraw(&code, numbers, reason, now_ms()).await? };
    if declined > 0 {
        tracing::warn!(alarm = true, department = %code, declined, "a department cannot take cases");
    }
    let acknowledged = feed.store.acknowledge(&code, up_to, now_ms()).await?;
    Ok(Json(Acknowledged { acknowledged, declined }))
}
