//! Dead letters.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::{Desk, Failure, Posted, require};
use crate::desk::pages::troubles as page;
use crate::desk::rights::Right;
use crate::desk::sign_in::Signed;

/// Lines of one page.
const LINES: usize = 50;

#[derive(Deserialize)]
pub(super) struct Asked {
    before: Option<i64>,
}

pub(super) async fn troubles(
    State(desk): State<Arc<Desk>>,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    require(&signed, Right::MendRecords)?;
    let mut rows = desk.store.dead_letters(asked.before.unwrap_or(i64::MAX), LINES + 1).await?;
    let more = rows.len() > LINES;
    rows.truncate(LINES);
    let waiting = desk.store.undecided().await?;
    Ok(Html(page::page(&signed, &desk.catalog, &rows, more, waiting)))
}

pub(super) async fn retry(State(desk): State<Arc<Desk>>, form: Posted) -> Result<Response, Failure> {
    if let Ok(id) = form.fields.text("id").parse() {
        // One that is no dead letter any more needs no second try.
        desk.cases.retry(&form.signed, id).await?;
    }
    Ok(Redirect::to("/desk/troubles").into_response())
}
