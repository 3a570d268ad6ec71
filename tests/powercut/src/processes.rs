//! The two processes of a terminal as far as they write, and what each does when a write failed: closes, opens, looks.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use kiosk_store::{
    AuditBook, AuditEvent, Delivery, DeliveryReader, Outbox, OutboxReader, PrintState, StoreError,
    StoreRemedy,
};

use crate::recorder;
use crate::story::Story;

/// kiosk-app, running.
pub struct KioskApp {
    /// `None` only between closing and opening.
    pub outbox: Option<Outbox>,
    /// Its audit chain.
    pub audit: AuditBook,
}

/// sync-agent, running.
pub struct SyncAgent {
    /// `None` only between closing and opening.
    pub delivery: Option<Delivery>,
    /// Its audit chain.
    pub audit: AuditBook,
    /// The queue, once it was needed.
    pub reader: Option<OutboxReader>,
}

/// Both processes try again what failed, some seconds later; a sync breaks once only.
pub fn again<T>(mut what: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    what().or_else(|error| if recorder::has_failed() { what() } else { Err(error) })
}

impl KioskApp {
    /// The outbox, which is open but for a moment.
    pub fn outbox(&mut self) -> Result<&mut Outbox> {
        self.outbox.as_mut().context("the outbox is not open")
    }

    /// What kiosk-app does after a write: nothing when it went well; else it closes, opens, verifies, and looks what is
    /// there. Whether it happened after all.
    pub fn settle(
        &mut self,
        written: Result<(), StoreError>,
        happened: impl FnOnce(&Outbox) -> Result<bool, StoreError>,
    ) -> Result<bool> {
        let Err(error) = written else { return Ok(true) };
        ensure!(recorder::has_failed(), "a write failed on a disk that works: {error}");
        ensure!(error.remedy() == StoreRemedy::Reopen, "{error} does not call for reopening");
        let mut shaken = self.outbox.take().context("the outbox is not open")?;
        ensure!(shaken.must_reopen(), "the store goes on after {error}");
        let refused = shaken.set_print_state("any", PrintState::Printing);
        ensure!(matches!(refused, Err(StoreError::MustReopen)), "a write is begun after {error}");
        let opened = shaken.reopen().context("opening again after a failed sync")?;
        let happened = happened(&opened).context("looking what is there")?;
        self.outbox = Some(opened);
        Ok(happened)
    }
}

impl SyncAgent {
    /// What sync-agent does after a failed write: closes and opens. Whether it happened after all.
    pub fn settle(
        &mut self,
        state: &Path,
        written: Result<(), StoreError>,
        happened: impl FnOnce(&DeliveryReader) -> Result<bool, StoreError>,
    ) -> Result<bool> {
        let Err(error) = written else { return Ok(true) };
        ensure!(recorder::has_failed(), "a write failed on a disk that works: {error}");
        self.delivery = None;
        self.delivery = Some(Delivery::open(state).context("opening the delivery log again")?);
        let reader = DeliveryReader::open(state)?.context("a delivery log that is open can be read")?;
        Ok(happened(&reader)?)
    }
}

/// Writes to an audit chain (0 is the kiosk's, 1 the sync agent's), and again after it was opened anew.
pub fn write_audit(
    story: &mut Story,
    chain: usize,
    audit: &mut AuditBook,
    now_ms: i64,
    events: &[AuditEvent],
) -> Result<()> {
    for event in events {
        ensure!(audit.note(now_ms, *event), "an event is not taken");
        story.audited[chain].push((now_ms, event.info().name));
    }
    let write = || again(|| audit.write()).context("writing an audit row");
    story.audits[chain].act(write, |count, ()| *count += events.len())
}
