//! The inbox and the pages of single cases.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use time::macros::{format_description, offset};
use time::{Date, PrimitiveDateTime, Time};

use super::{Desk, Failure, Posted};
use crate::desk::case_desk::DeskError;
use crate::desk::pages::{case as case_page, follow_up as follow_up_page, inbox as inbox_page};
use crate::desk::rights;
use crate::desk::sign_in::Signed;
use crate::desk::totp::percent;
use crate::store::desk::{CaseFilter, CaseKey, CaseState, ItemSet};

/// Lines of one page.
const LINES: usize = 50;

/// Longest text of a filter.
const MAX_FILTER: usize = 200;

/// What an address of the inbox asks for. Whatever is not sensible is as if it were not there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub(crate) state: String,
    pub(crate) department: String,
    pub(crate) item: String,
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) number: String,
    pub(crate) before: String,
}

impl Asked {
    fn filter(&self, desk: &Desk, signed: &Signed) -> CaseFilter {
        let mut filter = CaseFilter {
            before: self.before.parse().unwrap_or(i64::MAX),
            states: states(&self.state),
            from_ms: day(&self.from),
            until_ms: day(&self.until).map(|start| start + 24 * 60 * 60 * 1000),
            ..CaseFilter::default()
        };
        let departments = desk.cases.departments();
        if departments.all().contains(&self.department.as_str())
            && rights::sees_department(&signed.operator, &self.department)
        {
            filter.items.push(departments.items_of(&self.department));
        }
        if !self.item.is_empty() && self.item.len() <= MAX_FILTER {
            filter.items.push(ItemSet::Only(vec![self.item.clone()]));
        }
        let number = self.number.trim();
        if !number.is_empty() && number.len() <= MAX_FILTER {
            filter.case_number = Some(number.to_owned());
        }
        filter
    }

    /// The address of the same list with something changed.
    pub(crate) fn with(&self, state: Option<&str>, before: Option<i64>) -> String {
        let before = before.map(|before| before.to_string()).unwrap_or_default();
        let parts = [
            ("state", state.unwrap_or(&self.state)),
            ("department", &self.department),
            ("item", &self.item),
            ("from", &self.from),
            ("until", &self.until),
            ("number", &self.number),
            ("before", &before),
        ];
        let said = parts.iter().filter(|(_, value)| !value.is_empty());
        let query: Vec<String> = said.map(|(name, value)| format!("{name}={}", percent(value))).collect();
        if query.is_empty() { "/desk/".into() } else { format!("/desk/?{}", query.join("&")) }
    }
}

/// The states behind a tab; what asks for work, when none is named.
fn states(tab: &str) -> Vec<CaseState> {
    match tab {
        "all" => Vec::new(),
        "" => vec![CaseState::PreReview, CaseState::Accepted, CaseState::SupplementRequested],
        word => CaseState::from_code(word).map_or_else(|| states(""), |state| vec![state]),
    }
}

/// The first millisecond of a day in China.
fn day(text: &str) -> Option<i64> {
    let day = Date::parse(text, &format_description!("[year]-[month]-[day]")).ok()?;
    let start = PrimitiveDateTime::new(day, Time::MIDNIGHT).assume_offset(offset!(+8));
    i64::try_from(start.unix_timestamp_nanos() / 1_000_000).ok()
}

pub(super) async fn inbox(
    State(desk): State<Arc<Desk>>,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    let filter = asked.filter(&desk, &signed);
    // One more than shown tells whether there is an older page.
    let (mut rows, work) = desk.cases.list(&signed, filter, LINES + 1).await?;
    let more = rows.len() > LINES;
    rows.truncate(LINES);
    let list = inbox_page::List { asked: &asked, rows: &rows, more, work };
    Ok(Html(inbox_page::page(&signed, &desk.catalog, desk.cases.departments(), &list)))
}

pub(super) async fn case(
    State(desk): State<Arc<Desk>>,
    signed: Signed,
    Path((terminal, case_id)): Path<(String, String)>,
) -> Result<Html<String>, Failure> {
    let key = CaseKey { terminal, case_id };
    match desk.cases.file(&signed, &key).await {
        // What followed a case is no case of its own, and has a page like one.
        Err(DeskError::Missing) => {
            let file = desk.cases.follow_up(&signed, &key).await?;
            Ok(Html(follow_up_page::page(&signed, &desk.catalog, &file, None)))
        }
        file => Ok(Html(case_page::page(&signed, &desk.catalog, &file?, None))),
    }
}

pub(super) async fn step(
    State(desk): State<Arc<Desk>>,
    Path((terminal, case_id)): Path<(String, String)>,
    form: Posted,
) -> Result<Response, Failure> {
    let Posted { signed, fields } = form;
    let key = CaseKey { terminal, case_id };
    let (version, to) = (fields.text("version").parse(), CaseState::from_code(fields.text("to")));
    let (Ok(version), Some(to)) = (version, to) else { return Err(DeskError::Stale.into()) };
    let made = desk.cases.step(&signed, &key, version, to, fields.text("reason"), fields.text("note")).await;
    made.map_err(|error| Failure::about(error, case_page::address(&key)))?;
    Ok(Redirect::to(&case_page::address(&key)).into_response())
}

pub(super) async fn unmask(
    State(desk): State<Arc<Desk>>,
    Path((terminal, case_id)): Path<(String, String)>,
    form: Posted,
) -> Result<Html<String>, Failure> {
    let Posted { signed, fields } = form;
    let key = CaseKey { terminal, case_id };
    let (reason, reference) = (fields.text("reason"), fields.text("reference"));
    let failed = |error| Failure::about(error, case_page::address(&key));
    match desk.cases.unmask(&signed, &key, reason, reference).await {
        Err(DeskError::Missing) => {
            let opened = desk.cases.unmask_follow_up(&signed, &key, reason, reference).await;
            let (file, content) = opened.map_err(failed)?;
            Ok(Html(follow_up_page::page(&signed, &desk.catalog, &file, Some(&content))))
        }
        opened => {
            let (file, content) = opened.map_err(failed)?;
            Ok(Html(case_page::page(&signed, &desk.catalog, &file, Some(&content))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_chinas() {
        assert_eq!(day("2026-11-22"), Some(1_795_276_800_000));
        assert_eq!(day("2026-13-22"), None);
        assert_eq!(day("22.11.2026"), None);
    }

    #[test]
    fn addresses_keep_the_filter() {
        let asked = Asked { item: "a&b".into(), from: "2026-11-22".into(), ..Asked::default() };
        assert_eq!(asked.with(Some("closed"), None), "/desk/?state=closed&item=a%26b&from=2026-11-22");
        assert_eq!(asked.with(None, Some(7)), "/desk/?item=a%26b&from=2026-11-22&before=7");
        assert_eq!(states("nonsense").len(), 3);
        assert!(states("all").is_empty());
    }
}
