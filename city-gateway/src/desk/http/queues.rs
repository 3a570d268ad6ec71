//! 叫号: how far the windows are today, and the next number. Kiosks tell it to whoever takes one.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::{Desk, Failure, Posted, require};
use crate::desk::pages::queues as page;
use crate::desk::rights::Right;
use crate::desk::sign_in::Signed;
use crate::numbers::day_of;

pub(super) async fn list(State(desk): State<Arc<Desk>>, signed: Signed) -> Result<Html<String>, Failure> {
    require(&signed, Right::CallNumbers)?;
    let queues = desk.numbers.queues(&day_of((desk.clock)())).await?;
    Ok(Html(page::list(&signed, &desk.catalog, &queues)))
}

/// The form names the number, so that two touches, or two windows at once, call it once.
pub(super) async fn call(State(desk): State<Arc<Desk>>, form: Posted) -> Result<Response, Failure> {
    require(&form.signed, Right::CallNumbers)?;
    let (queue, number) = (form.fields.text("queue"), form.fields.text("number").parse());
    if let Ok(number) = number {
        // One that was never given out changes nothing, and the page shows how things are.
        desk.numbers.number_called(queue, &day_of((desk.clock)()), number).await?;
    }
    Ok(Redirect::to("/desk/queues").into_response())
}
