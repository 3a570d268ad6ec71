//! Signing in, signing out, and choosing a password.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::{Desk, Failure, Own, Posted};
use crate::desk::pages::door as page;
use crate::desk::pages::words;
use crate::desk::sign_in::{Refused, Signed};
use crate::desk::{accounts, password, rights};
use crate::store::desk::AuditAct;

pub(super) async fn sign_in_page() -> Html<String> {
    Html(page::sign_in(None))
}

pub(super) async fn sign_in(State(desk): State<Arc<Desk>>, form: Own) -> Result<Response, Failure> {
    let Own { fields, address } = form;
    let signed =
        desk.door.sign_in(fields.text("name"), fields.secret("password"), fields.text("code"), address);
    match signed.await {
        Ok(token) => {
            let cookie = [(header::SET_COOKIE, desk.transport.set(&token))];
            let signed = desk.door.signed(&token, address).await?;
            let first = signed.map_or("/desk/", |signed| rights::first_page(signed.operator.role));
            Ok((cookie, Redirect::to(first)).into_response())
        }
        Err(Refused::Wrong) => {
            Ok((StatusCode::UNAUTHORIZED, Html(page::sign_in(Some(words::WRONG)))).into_response())
        }
        Err(Refused::Wait(wait_ms)) => {
            let seconds = wait_ms.div_euclid(1000) + 1;
            let retry = [(header::RETRY_AFTER, seconds.to_string())];
            let page = page::sign_in(Some(&words::wait(seconds)));
            Ok((StatusCode::TOO_MANY_REQUESTS, retry, Html(page)).into_response())
        }
        Err(Refused::Store(error)) => Err(error.into()),
    }
}

pub(super) async fn sign_out(State(desk): State<Arc<Desk>>, form: Posted) -> Result<Response, Failure> {
    desk.door.sign_out(&form.signed).await?;
    let cookie = [(header::SET_COOKIE, desk.transport.clear())];
    Ok((cookie, Redirect::to("/desk/sign-in")).into_response())
}

pub(super) async fn password_page(signed: Signed) -> Html<String> {
    Html(page::password(&signed, None))
}

/// Takes a new password after the present one was shown. Every session ends; this browser gets a new one.
pub(super) async fn change_password(
    State(desk): State<Arc<Desk>>,
    form: Posted,
) -> Result<Response, Failure> {
    let Posted { signed, fields } = form;
    let refuse = |why: &str| {
        let page = page::password(&signed, Some(why));
        Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
    };
    let operator = &signed.operator;
    // The same brake as at the door: a stolen session must not become a way to guess.
    if let Err(wait_ms) = desk.door.try_again(&operator.name, signed.address) {
        return refuse(&words::wait(wait_ms.div_euclid(1000) + 1));
    }
    if !password::verify(fields.secret("current"), Some(operator.password_hash.clone())).await {
        let audit = signed.by((desk.clock)()).did(AuditAct::SignInFailed, &operator.name, "password change");
        desk.store.audit(audit).await?;
        return refuse("当前密码不正确。");
    }
    desk.door.forgive(&operator.name, signed.address);
    let new = fields.secret("new");
    if new.as_str() != fields.text("again") {
        return refuse("两次输入的新密码不一致。");
    }
    if new.as_str() == fields.text("current") {
        return refuse("新密码不能与当前密码相同。");
    }
    if let Err(weak) = password::check(&new, &operator.name) {
        return refuse(words::weak(weak));
    }
    let by = signed.by((desk.clock)());
    accounts::change_password(&*desk.store, &by, operator, new).await?;
    let operator = desk.store.operator(&operator.name).await?.ok_or(Failure::SignIn)?;
    let token = desk.door.open(&operator, by.did(AuditAct::SignIn, &operator.name, "new password")).await?;
    let cookie = [(header::SET_COOKIE, desk.transport.set(&token))];
    Ok((cookie, Redirect::to(rights::first_page(operator.role))).into_response())
}
