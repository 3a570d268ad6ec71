//! Records that are kept aside, and what is decided about them.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::{Desk, Failure, Posted};
use crate::desk::aside_desk::AsideError;
use crate::desk::pages::aside as page;
use crate::desk::sign_in::Signed;
use crate::store::desk::{AsideFilter, AsideName, CaseKey, Verdict};

/// Lines of one page.
const LINES: usize = 50;

/// Where the list is.
const LIST: &str = "/desk/aside";

#[derive(Deserialize)]
pub(super) struct Asked {
    /// Anything: those too that wait for nobody.
    all: Option<String>,
    before: Option<i64>,
}

pub(super) async fn list(
    State(desk): State<Arc<Desk>>,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let filter = AsideFilter { before: asked.before.unwrap_or(i64::MAX), undecided: asked.all.is_none() };
    let mut rows = desk.aside.list(&signed, filter, LINES + 1).await?;
    let more = rows.len() > LINES;
    rows.truncate(LINES);
    let waiting = desk.store.undecided().await?;
    Ok(Html(page::page(&signed, &desk.catalog, filter, &rows, more, waiting)))
}

pub(super) async fn decide(State(desk): State<Arc<Desk>>, form: Posted) -> Result<Response, Failure> {
    let text = |name| form.fields.text(name);
    let number = |name| text(name).parse::<i64>().map_err(|_| AsideError::Missing);
    let verdict = Verdict::from_code(text("verdict")).ok_or(AsideError::BadReason)?;
    let key = CaseKey { terminal: text("terminal").to_owned(), case_id: text("case_id").to_owned() };
    let name = AsideName { id: number("id")?, key, sha256: text("sha256").to_owned() };
    desk.aside
        .decide(&form.signed, name, number("version")?, verdict, text("reason"), text("reference"))
        .await?;
    Ok(Redirect::to(LIST).into_response())
}
