//! Accounts, for administrators.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};

use super::{Desk, Failure, Fields, Posted, require};
use crate::desk::accounts::{self, AccountError};
use crate::desk::pages::accounts as page;
use crate::desk::rights::Right;
use crate::desk::sign_in::Signed;
use crate::store::desk::{Duty, Role};

pub(super) async fn list(State(desk): State<Arc<Desk>>, signed: Signed) -> Result<Html<String>, Failure> {
    require(&signed, Right::KeepAccounts)?;
    let operators = desk.store.operators().await?;
    Ok(Html(page::list(&signed, &operators, &desk.cases.departments().all())))
}

pub(super) async fn add(State(desk): State<Arc<Desk>>, form: Posted) -> Result<Response, Failure> {
    require(&form.signed, Right::KeepAccounts)?;
    let duty = duty(&desk, &form.fields)?;
    let by = form.signed.by((desk.clock)());
    let issued = accounts::add(&*desk.store, &by, form.fields.text("name"), duty).await?;
    Ok(Html(page::issued(&form.signed, &issued)).into_response())
}

pub(super) async fn reset(State(desk): State<Arc<Desk>>, form: Posted) -> Result<Response, Failure> {
    require(&form.signed, Right::KeepAccounts)?;
    let by = form.signed.by((desk.clock)());
    let issued = accounts::reset(&*desk.store, &by, form.fields.text("name")).await?;
    Ok(Html(page::issued(&form.signed, &issued)).into_response())
}

pub(super) async fn disable(State(desk): State<Arc<Desk>>, form: Posted) -> Result<Response, Failure> {
    require(&form.signed, Right::KeepAccounts)?;
    let by = form.signed.by((desk.clock)());
    let disabled = form.fields.text("disabled") == "yes";
    accounts::set_disabled(&*desk.store, &by, form.fields.text("name"), disabled).await?;
    Ok(Redirect::to("/desk/accounts").into_response())
}

pub(super) async fn role(State(desk): State<Arc<Desk>>, form: Posted) -> Result<Response, Failure> {
    require(&form.signed, Right::KeepAccounts)?;
    let duty = duty(&desk, &form.fields)?;
    let by = form.signed.by((desk.clock)());
    accounts::set_duty(&*desk.store, &by, form.fields.text("name"), duty).await?;
    Ok(Redirect::to("/desk/accounts").into_response())
}

/// Role, department and terminals of a form; only departments that the catalog names.
fn duty(desk: &Desk, fields: &Fields) -> Result<Duty, Failure> {
    let role = Role::from_code(fields.text("role")).ok_or(AccountError::Department)?;
    if role == Role::SiteKeeper {
        return Ok(Duty { sites: accounts::sites(fields.text("sites")), ..role.into() });
    }
    if role != Role::DepartmentWorker {
        return Ok(role.into());
    }
    let department = fields.text("department");
    if !desk.cases.departments().all().contains(&department) {
        return Err(AccountError::Department.into());
    }
    Ok(Duty { department: Some(department.to_owned()), ..role.into() })
}
