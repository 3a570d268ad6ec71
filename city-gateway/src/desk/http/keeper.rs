//! The keeper's page: who of one's own terminals asks for help, and "I am coming". It shows nothing of cases.
//!
//! On a demo's own machine it is shown without sign-in, as the inbox is there, with the calls of every terminal.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts as RequestParts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use sync_protocol::KeeperCallState;

use super::{Desk, Failure, Fields, Own, Posted, Signed, require, with_headers};
use crate::calls::{LASTS_MS, state_of};
use crate::desk::accounts::By;
use crate::desk::pages::keeper as page;
use crate::desk::rights::Right;
use crate::store::desk::AuditAct;
use crate::store::keeper::{Answered, CallAnswer, CallId, CallRow, Sites};

/// The page's own script asks for news and sends forms; sound is made by the browser itself, so nothing is fetched for it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/keeper", get(|| async { Redirect::to("/keeper/") }))
        .route("/keeper/", get(whole))
        .route("/keeper/part", get(part))
        .route("/keeper/answer", post(answer))
        .route(
            "/assets/keeper.css",
            get(|| asset("text/css; charset=utf-8", include_str!("../../../pages/keeper.css"))),
        )
        .route(
            "/assets/keeper.js",
            get(|| asset("text/javascript; charset=utf-8", include_str!("../../../pages/keeper.js"))),
        )
        .layer(middleware::map_response(|response: Response| async { with_headers(response, POLICY) }))
}

async fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text)
}

/// Somebody who may see calls, and whose.
pub(super) struct Keeper {
    /// Absent on a demo's own machine.
    signed: Option<Signed>,
    sites: Sites,
    address: IpAddr,
}

impl Keeper {
    fn of(signed: Signed) -> Result<Self, Failure> {
        require(&signed, Right::AnswerCalls)?;
        let (sites, address) = (Sites::Only(signed.operator.sites.clone()), signed.address);
        Ok(Self { signed: Some(signed), sites, address })
    }

    fn anybody(address: IpAddr) -> Self {
        Self { signed: None, sites: Sites::All, address }
    }

    fn by(&self, now_ms: i64) -> By {
        match &self.signed {
            Some(signed) => signed.by(now_ms),
            None => By { actor: "-".into(), address: self.address.to_string(), now_ms },
        }
    }
}

impl FromRequestParts<Arc<Desk>> for Keeper {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut RequestParts, desk: &Arc<Desk>) -> Result<Self, Failure> {
        match Signed::from_request_parts(parts, desk).await {
            Ok(signed) => Keeper::of(signed),
            Err(Failure::SignIn) if desk.open_calls => Ok(Keeper::anybody(super::address(parts))),
            Err(failure) => Err(failure),
        }
    }
}

/// A form of the keeper's page.
pub(super) struct Said {
    keeper: Keeper,
    fields: Fields,
}

impl FromRequest<Arc<Desk>> for Said {
    type Rejection = Failure;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let keeper = Keeper::from_request_parts(&mut parts, desk).await?;
        let request = Request::from_parts(parts, body);
        let fields = match &keeper.signed {
            Some(_) => Posted::from_request(request, desk).await?.fields,
            None => Own::from_request(request, desk).await?.fields,
        };
        Ok(Self { keeper, fields })
    }
}

async fn whole(State(desk): State<Arc<Desk>>, keeper: Keeper) -> Result<Html<String>, Failure> {
    let part = listed(&desk, &keeper).await?;
    Ok(Html(page::page(keeper.signed.as_ref(), &keeper.sites, &part)))
}

async fn part(State(desk): State<Arc<Desk>>, keeper: Keeper) -> Result<Html<String>, Failure> {
    listed(&desk, &keeper).await.map(Html)
}

/// What changes of the page. Whatever it shows has been heard.
async fn listed(desk: &Desk, keeper: &Keeper) -> Result<String, Failure> {
    let now_ms = (desk.clock)();
    let rows = desk.calls.calls(keeper.sites.clone(), now_ms - LASTS_MS).await?;
    let unheard = rows.iter().filter(|row| state_of(row, now_ms) == KeeperCallState::Ringing);
    let unheard: Vec<CallId> = unheard.map(|row| row.call.id.clone()).collect();
    if !unheard.is_empty() {
        desk.calls.calls_heard(unheard, now_ms).await?;
    }
    Ok(page::part(keeper.signed.as_ref(), &desk.catalog, &rows, now_ms))
}

async fn answer(State(desk): State<Arc<Desk>>, Said { keeper, fields }: Said) -> Result<Response, Failure> {
    let now_ms = (desk.clock)();
    let id = CallId { terminal: fields.text("terminal").to_owned(), name: fields.text("call").to_owned() };
    let missing = || Failure::About(StatusCode::NOT_FOUND, page::OVER, ("/keeper/".into(), page::BACK));
    // Of other keepers' terminals nobody learns whether they call.
    let call = if keeper.sites.hold(&id.terminal) {
        desk.calls.keeper_call(&id.terminal, &id.name).await?
    } else {
        None
    };
    let Some(CallRow { call, .. }) = call else { return Err(missing()) };
    let by = keeper.by(now_ms);
    let waited_s = (now_ms - call.opened_at_ms).max(0) / 1000;
    let subject = format!("{}/{}", id.terminal, id.name);
    let audit = by.did(AuditAct::CallAnswered, &subject, &format!("after {waited_s} s"));
    let answer = CallAnswer { id, by: by.actor, at_ms: now_ms, after_ms: now_ms - LASTS_MS };
    match desk.calls.answer_call(answer, audit).await? {
        // Who was first stands on the page.
        Answered::Done | Answered::Before(_) => Ok(Redirect::to("/keeper/").into_response()),
        Answered::Over => Err(missing()),
    }
}
