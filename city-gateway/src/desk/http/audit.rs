//! The audit chain, for auditors.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Html;
use serde::Deserialize;

use super::{Desk, Failure, Posted, require};
use crate::desk::pages::audit as page;
use crate::desk::rights::Right;
use crate::desk::sign_in::Signed;
use crate::store::StoreError;
use crate::store::desk::chain::{Broken, Follower};
use crate::store::desk::{AuditAct, AuditHead, DeskStore};

/// Lines of one page.
const LINES: usize = 100;

/// Lines that are checked at a time.
const STRETCH: usize = 2000;

#[derive(Deserialize)]
pub(super) struct Asked {
    before: Option<i64>,
}

pub(super) async fn list(
    State(desk): State<Arc<Desk>>,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Failure> {
    require(&signed, Right::ReadAudit)?;
    show(&desk, &signed, asked.before.unwrap_or(i64::MAX), None).await
}

/// Follows the whole chain and says whether it holds; that it was followed is a line of its own.
pub(super) async fn verify(State(desk): State<Arc<Desk>>, form: Posted) -> Result<Html<String>, Failure> {
    require(&form.signed, Right::ReadAudit)?;
    let head = desk.store.audit_head().await?;
    let found = follow(&*desk.store, &head).await?;
    let by = form.signed.by((desk.clock)());
    let detail = match &found {
        Ok(()) => format!("whole up to {}", head.seq),
        Err(broken) => {
            tracing::error!(alarm = true, %broken, "the audit chain is broken");
            broken.to_string()
        }
    };
    desk.store.audit(by.did(AuditAct::AuditVerified, "", &detail)).await?;
    show(&desk, &form.signed, i64::MAX, Some((head, found))).await
}

async fn show(
    desk: &Desk,
    signed: &Signed,
    before: i64,
    verified: Option<(AuditHead, Result<(), Broken>)>,
) -> Result<Html<String>, Failure> {
    let mut lines = desk.store.audit_before(before, LINES + 1).await?;
    let more = lines.len() > LINES;
    lines.truncate(LINES);
    let head = desk.store.audit_head().await?;
    Ok(Html(page::page(signed, &page::Chain { head, lines, more, first: before == i64::MAX, verified })))
}

/// Lines that are written while this runs lie behind the head and are left for the next time.
async fn follow(store: &dyn DeskStore, head: &AuditHead) -> Result<Result<(), Broken>, StoreError> {
    let mut follower = Follower::new(head);
    while follower.seq() < head.seq {
        let lines = store.audit_after(follower.seq(), STRETCH).await?;
        if lines.is_empty() {
            return Ok(Err(Broken::Missing { wanted: follower.seq() + 1 }));
        }
        for line in lines.iter().take_while(|line| line.seq <= head.seq) {
            if let Err(broken) = follower.follow(line) {
                return Ok(Err(broken));
            }
        }
        if lines.iter().all(|line| line.seq > head.seq) {
            return Ok(Err(Broken::Missing { wanted: follower.seq() + 1 }));
        }
    }
    Ok(follower.finish(head))
}
