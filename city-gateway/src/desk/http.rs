//! The routes of the operators' pages, and what every one of them has in common: who is asking, whether the form is
//! one of ours, and headers that let nothing in from elsewhere.
//!
//! A page takes [`Signed`] and thereby cannot be seen without a session; a form takes [`Posted`] and thereby cannot
//! be sent from somebody else's page.

mod accounts;
mod aside;
mod audit;
mod cases;
mod doors;
mod keeper;
mod queues;
mod terminals;
mod troubles;
mod undelivered;

pub(super) use cases::Asked;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Form, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts as RequestParts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use service_catalog::Catalog;
use subtle::ConstantTimeEq;
use tokio::sync::Notify;
use zeroize::{Zeroize, Zeroizing};

use super::Clock;
use super::accounts::AccountError;
use super::aside_desk::{AsideDesk, AsideError};
use super::case_desk::{CaseDesk, DeskError};
use super::departments::Departments;
use super::pages::{self, layout};
use super::rights::{self, Right};
use super::session::Transport;
use super::sign_in::{Door, Signed};
use crate::opener::Revealer;
use crate::store::StoreError;
use crate::store::desk::DeskStore;
use crate::store::keeper::KeeperCalls;
use crate::store::lives::TerminalBook;
use crate::store::numbers::QueueNumbers;
use crate::store::relay::RelayStore;

/// Longest form.
const MAX_FORM: usize = 16 * 1024;

/// Most fields of a form.
const MAX_FIELDS: usize = 32;

/// What the operators' side is made of.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn DeskStore>,
    pub(crate) relay: Arc<dyn RelayStore>,
    /// Rung when the relay has something to do.
    pub(crate) opened: Arc<Notify>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) default_department: String,
    pub(crate) revealer: Revealer,
    /// Rung when the opener has something to do.
    pub(crate) arrivals: Arc<Notify>,
    pub(crate) clock: Clock,
    pub(crate) book: Arc<dyn TerminalBook>,
    pub(crate) calls: Arc<dyn KeeperCalls>,
    pub(crate) numbers: Arc<dyn QueueNumbers>,
    /// Whether calls are shown and answered without sign-in: on a demo's own machine.
    pub(crate) open_calls: bool,
    pub(crate) transport: Transport,
}

/// What the routes share.
struct Desk {
    store: Arc<dyn DeskStore>,
    relay: Arc<dyn RelayStore>,
    opened: Arc<Notify>,
    cases: Arc<CaseDesk>,
    aside: AsideDesk,
    door: Door,
    catalog: Arc<Catalog>,
    clock: Clock,
    book: Arc<dyn TerminalBook>,
    calls: Arc<dyn KeeperCalls>,
    numbers: Arc<dyn QueueNumbers>,
    open_calls: bool,
    transport: Transport,
}

/// Puts the desk together: what others may ask, and its pages.
pub(crate) fn desk(parts: Parts) -> (Arc<CaseDesk>, Router) {
    let Parts {
        store,
        relay,
        opened,
        catalog,
        default_department,
        revealer,
        arrivals,
        clock,
        book,
        calls,
        numbers,
        open_calls,
        transport,
    } = parts;
    let departments = Departments::new(&catalog, &default_department);
    let aside = AsideDesk::new(Arc::clone(&store), Arc::clone(&clock), Arc::clone(&arrivals));
    let cases =
        Arc::new(CaseDesk::new(Arc::clone(&store), departments, Arc::clone(&clock), revealer, arrivals));
    let door = Door::new(Arc::clone(&store), Arc::clone(&clock));
    let desk = Desk {
        store,
        relay,
        opened,
        cases: Arc::clone(&cases),
        aside,
        door,
        catalog,
        clock,
        book,
        calls,
        numbers,
        open_calls,
        transport,
    };
    (cases, router(Arc::new(desk)))
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/desk", get(|| async { Redirect::to("/desk/") }))
        .route("/desk/", get(cases::inbox))
        .route("/desk/sign-in", get(doors::sign_in_page).post(doors::sign_in))
        .route("/desk/sign-out", post(doors::sign_out))
        .route("/desk/password", get(doors::password_page).post(doors::change_password))
        .route("/desk/case/{terminal}/{case_id}", get(cases::case))
        .route("/desk/case/{terminal}/{case_id}/step", post(cases::step))
        .route("/desk/case/{terminal}/{case_id}/unmask", post(cases::unmask))
        .route("/desk/troubles", get(troubles::troubles))
        .route("/desk/troubles/retry", post(troubles::retry))
        .route("/desk/aside", get(aside::list))
        .route("/desk/aside/decide", post(aside::decide))
        .route("/desk/terminals", get(terminals::terminals))
        .route("/desk/queues", get(queues::list))
        .route("/desk/queues/call", post(queues::call))
        .route("/desk/undelivered", get(undelivered::list))
        .route("/desk/undelivered/release", post(undelivered::release))
        .route("/desk/accounts", get(accounts::list))
        .route("/desk/accounts/add", post(accounts::add))
        .route("/desk/accounts/reset", post(accounts::reset))
        .route("/desk/accounts/disable", post(accounts::disable))
        .route("/desk/accounts/role", post(accounts::role))
        .route("/desk/audit", get(audit::list).post(audit::verify))
        .route("/assets/desk.css", get(style))
        .layer(middleware::map_response(guard))
        .merge(keeper::routes())
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .with_state(desk)
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../pages/desk.css"))
}

async fn guard(response: Response) -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    with_headers(response, POLICY)
}

/// Nothing from elsewhere, nothing kept, nothing framed. The referrer stays within our own pages, because browsers
/// that send none do not say either where a form comes from.
fn with_headers(mut response: Response, policy: &'static str) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 5] = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    let policy = (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    for (name, value) in HEADERS.into_iter().chain([policy]) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// A request that does not get what it asked for.
enum Failure {
    /// Whoever it is signs in first.
    SignIn,
    /// The password was given by somebody else and has to be replaced first.
    NewPassword,
    /// A page that says why, in one sentence.
    Page(StatusCode, &'static str),
    /// The same, with the way back to what it was about: its address, and what the way is called.
    About(StatusCode, &'static str, (String, &'static str)),
}

impl Failure {
    /// With a way back to the case, when there is one to go back to.
    fn about(error: DeskError, address: String) -> Self {
        let lost = matches!(error, DeskError::Missing | DeskError::Forbidden);
        match Failure::from(error) {
            Failure::Page(status, why) if !lost => {
                Failure::About(status, why, (address, pages::words::BACK_TO_CASE))
            }
            failure => failure,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Failure::SignIn => Redirect::to("/desk/sign-in").into_response(),
            Failure::NewPassword => Redirect::to("/desk/password").into_response(),
            Failure::Page(status, why) => {
                (status, Html(layout::failure(why, "/desk/", pages::words::BACK))).into_response()
            }
            Failure::About(status, why, (address, label)) => {
                (status, Html(layout::failure(why, &address, label))).into_response()
            }
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the operators' pages could not ask the store");
        Failure::Page(StatusCode::SERVICE_UNAVAILABLE, "系统繁忙，请稍后再试。")
    }
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        let status = match &error {
            DeskError::Forbidden => StatusCode::FORBIDDEN,
            DeskError::Missing => StatusCode::NOT_FOUND,
            DeskError::Stale => StatusCode::CONFLICT,
            DeskError::Unfit(_) | DeskError::BadReason => StatusCode::UNPROCESSABLE_ENTITY,
            DeskError::Erased => StatusCode::GONE,
            DeskError::TooMany => StatusCode::TOO_MANY_REQUESTS,
            DeskError::NotOpenable => StatusCode::INTERNAL_SERVER_ERROR,
            DeskError::Store(error) => return error.clone().into(),
        };
        Failure::Page(status, pages::words::desk_error(&error))
    }
}

impl From<AsideError> for Failure {
    fn from(error: AsideError) -> Self {
        let status = match &error {
            AsideError::Forbidden => return DeskError::Forbidden.into(),
            AsideError::Missing => StatusCode::NOT_FOUND,
            AsideError::Stale | AsideError::Blocked(_) => StatusCode::CONFLICT,
            AsideError::BadReason => StatusCode::UNPROCESSABLE_ENTITY,
            AsideError::Store(error) => return error.clone().into(),
        };
        let back = ("/desk/aside".to_owned(), pages::words::BACK_TO_ASIDE);
        Failure::About(status, pages::words::aside_error(&error), back)
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        let status = match &error {
            AccountError::BadName | AccountError::Department | AccountError::Sites => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            AccountError::Taken | AccountError::Stale => StatusCode::CONFLICT,
            AccountError::Missing => StatusCode::NOT_FOUND,
            AccountError::Own => StatusCode::FORBIDDEN,
            AccountError::Store(error) => return error.clone().into(),
        };
        Failure::Page(status, pages::words::account_error(&error))
    }
}

fn require(signed: &Signed, right: Right) -> Result<(), Failure> {
    if rights::may(signed.operator.role, right) { Ok(()) } else { Err(DeskError::Forbidden.into()) }
}

/// Pages on which somebody with a password from somebody else may be.
const BEFORE_NEW_PASSWORD: [&str; 2] = ["/desk/password", "/desk/sign-out"];

/// Where a request comes from; without a connection (only in tests) it is nobody's.
fn address(parts: &RequestParts) -> IpAddr {
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    from.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip())
}

impl FromRequestParts<Arc<Desk>> for Signed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut RequestParts, desk: &Arc<Desk>) -> Result<Self, Failure> {
        let token = desk.transport.token(&parts.headers).ok_or(Failure::SignIn)?;
        let signed = desk.door.signed(token, address(parts)).await?.ok_or(Failure::SignIn)?;
        if signed.operator.must_change && !BEFORE_NEW_PASSWORD.contains(&parts.uri.path()) {
            return Err(Failure::NewPassword);
        }
        Ok(signed)
    }
}

/// The fields of a form. What was typed wipes itself.
struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field's text; empty when it is not there.
    fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, text)| text)
    }

    /// A field that nobody else may read.
    fn secret(&self, name: &str) -> Zeroizing<String> {
        Zeroizing::new(self.text(name).to_owned())
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, text)| text.zeroize());
    }
}

/// A form from one of our own pages, whoever sent it: for signing in.
struct Own {
    fields: Fields,
    address: IpAddr,
}

impl FromRequest<Arc<Desk>> for Own {
    type Rejection = Failure;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Failure> {
        let authority = request.uri().authority().map(|authority| authority.as_str());
        if !desk.transport.is_our_own(request.headers(), authority) {
            tracing::warn!(alarm = true, "a form that comes from another page was refused");
            return Err(Failure::Page(StatusCode::FORBIDDEN, "请从本系统的页面提交。"));
        }
        let (parts, body) = request.into_parts();
        let address = address(&parts);
        let Form(fields) =
            Form::<Vec<(String, String)>>::from_request(Request::from_parts(parts, body), desk)
                .await
                .map_err(|_| Failure::Page(StatusCode::BAD_REQUEST, "提交的内容无法读取，或超过了长度。"))?;
        let fields = Fields(fields);
        if fields.0.len() > MAX_FIELDS {
            return Err(Failure::Page(StatusCode::BAD_REQUEST, "提交的内容无法读取，或超过了长度。"));
        }
        Ok(Self { fields, address })
    }
}

/// A form from one of our own pages, sent by somebody who is signed in and was given that form.
struct Posted {
    signed: Signed,
    fields: Fields,
}

impl FromRequest<Arc<Desk>> for Posted {
    type Rejection = Failure;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Failure> {
        let (mut parts, body) = request.into_parts();
        let signed = Signed::from_request_parts(&mut parts, desk).await?;
        let Own { fields, .. } = Own::from_request(Request::from_parts(parts, body), desk).await?;
        let given = fields.text("form_token").as_bytes().ct_eq(signed.session.form_token.as_bytes());
        if !bool::from(given) {
            tracing::warn!(alarm = true, "a form without its token was refused");
            return Err(Failure::Page(StatusCode::FORBIDDEN, "页面已过期，请返回后刷新再提交。"));
        }
        Ok(Self { signed, fields })
    }
}
