//! How the terminals are: the fleet's ledger, and who needs a look.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;

use super::{Desk, Failure, require};
use crate::desk::pages::terminals as page;
use crate::desk::rights::Right;
use crate::desk::sign_in::Signed;
use crate::store::lives::Worry;

/// Lines of the page.
const LINES: usize = 50;

/// A terminal says hello every minute; after so long without one it is silent.
const SILENT_MS: i64 = 60 * 60 * 1000;

/// A case should be at the city within minutes of the network.
const UNACKED_S: u64 = 60 * 60;

/// From here on the terminal itself alarms.
const DISK_PERCENT: u8 = 85;

pub(super) async fn terminals(
    State(desk): State<Arc<Desk>>,
    signed: Signed,
) -> Result<Html<String>, Failure> {
    require(&signed, Right::MendRecords)?;
    let now_ms = (desk.clock)();
    let worry = Worry {
        silent_since_ms: now_ms - SILENT_MS,
        unacked_age_s: UNACKED_S,
        disk_used_percent: DISK_PERCENT,
    };
    let fleet = desk.book.fleet().await?;
    let mut worrying = desk.book.worrying(worry, LINES + 1).await?;
    let more = worrying.len() > LINES;
    worrying.truncate(LINES);
    Ok(Html(page::page(&signed, &page::Shown { now_ms, worry, fleet, worrying, more })))
}
