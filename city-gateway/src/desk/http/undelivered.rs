//! Cases that no department has, and putting them back.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::{Desk, Failure, Posted, require};
use crate::desk::pages::undelivered as page;
use crate::desk::rights::Right;
use crate::desk::sign_in::Signed;
use crate::store::Place;
use crate::store::desk::AuditAct;
use crate::store::relay::{Release, UndeliveredReason};

/// Dead letters shown, the oldest first; the others come when these are dealt with.
const LINES: usize = 200;

pub(super) async fn list(State(desk): State<Arc<Desk>>, signed: Signed) -> Result<Html<String>, Failure> {
    require(&signed, Right::MendRecords)?;
    let mut letters = desk.relay.undelivered(LINES + 1).await?;
    let more = letters.len() > LINES;
    letters.truncate(LINES);
    let waiting = desk.store.undecided().await?;
    Ok(Html(page::page(&signed, &desk.catalog, &letters, more, waiting)))
}

pub(super) async fn release(State(desk): State<Arc<Desk>>, form: Posted) -> Result<Response, Failure> {
    require(&form.signed, Right::MendRecords)?;
    let text = |name| form.fields.text(name).to_owned();
    let chosen = match UndeliveredReason::from_code(&text("reason")) {
        Some(reason) => Some((Release::All(reason), format!("reason {}", reason.code()))),
        None => text("seq").parse().ok().map(|seq| {
            let place = Place { terminal: text("terminal"), incarnation: text("incarnation"), seq };
            let subject = format!("{}/{seq}", place.terminal);
            (Release::One(place), subject)
        }),
    };
    if let Some((which, subject)) = chosen {
        let by = form.signed.by((desk.clock)());
        // One that is no dead letter any more is not released, and nothing is noted.
        if desk.relay.release(which, by.did(AuditAct::RelayReleased, &subject, "")).await? > 0 {
            desk.opened.notify_one();
        }
    }
    Ok(Redirect::to("/desk/undelivered").into_response())
}
