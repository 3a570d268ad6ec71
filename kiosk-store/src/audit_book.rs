//! An audit chain for a process that goes on whatever the disk does: what could not be written waits, in memory and up
//! to a limit, until the chain was opened and checked anew.

use std::path::{Path, PathBuf};

use crate::{AuditEvent, AuditLog, StoreError, StoreErrorKind};

/// Most events that wait for the disk.
const WAITING: usize = 4096;

/// The chain of one process, and what is still to be written to it.
pub struct AuditBook {
    state: PathBuf,
    process: &'static str,
    /// `None` before the first opening and after a write that failed.
    log: Option<AuditLog>,
    /// When and what, in order.
    waiting: Vec<(i64, AuditEvent)>,
    /// The position that the first of them was to have when a write failed.
    unsure_from: Option<u64>,
}

impl AuditBook {
    /// The chain of a process (`kiosk` or `agent`) in the state folder, not opened yet.
    pub fn new(state_dir: &Path, process: &'static str) -> Self {
        Self { state: state_dir.to_owned(), process, log: None, waiting: Vec::new(), unsure_from: None }
    }

    /// The chain, unless it has to be opened first.
    pub fn log(&self) -> Option<&AuditLog> {
        self.log.as_ref()
    }

    /// Takes an event to be written next. `false` when too many wait already, or it belongs to the other process.
    #[must_use]
    pub fn note(&mut self, at_ms: i64, event: AuditEvent) -> bool {
        let taken = self.waiting.len() < WAITING && event.info().process == self.process;
        if taken {
            self.waiting.push((at_ms, event));
        }
        taken
    }

    /// Writes all that waits; opens the chain first when it is not open, and closes it when the write failed.
    pub fn write(&mut self) -> Result<(), StoreError> {
        if self.log.is_none() {
            self.open()?;
        }
        let Some(log) = self.log.as_mut().filter(|_| !self.waiting.is_empty()) else { return Ok(()) };
        match log.record_all(&self.waiting) {
            Ok(()) => self.waiting.clear(),
            Err(error) => {
                if !matches!(error.kind(), StoreErrorKind::DiskFull | StoreErrorKind::Retry) {
                    self.unsure_from = Some(log.next());
                    self.log = None;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), StoreError> {
        let log = AuditLog::open(&self.state, self.process)?;
        // A write that failed may have reached the disk all the same; nothing is told twice.
        if let Some(from) = self.unsure_from.take() {
            let there = usize::try_from(log.next().saturating_sub(from)).unwrap_or(usize::MAX);
            self.waiting.drain(..there.min(self.waiting.len()));
        }
        self.log = Some(log);
        Ok(())
    }
}
