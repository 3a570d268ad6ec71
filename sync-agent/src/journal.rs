//! The one thread that writes `delivery.db` and `audit-agent.db`. What arrives while it waits for the disk is written
//! in the next transaction, so a fast link does not cost one sync for each receipt.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use kiosk_store::{
    Acknowledgement, Attempt, AuditBook, AuditEvent, Delivery, StoreError, StoreErrorKind, Sync,
};
use tokio::sync::{mpsc, oneshot};

use crate::AgentError;
use crate::tpm::thread::NoteWish;

/// Most notes written in one transaction.
const BATCH: usize = 256;

/// Notes that may wait for the disk. The agent never waits for the journal: what does not fit is refused.
const NOTES: usize = 4096;

/// Fates of receipts that may wait for the agent. More than receipts can be on their way to the disk, so the journal
/// never waits for the agent either.
pub(crate) const NOTED: usize = 16 * crate::config::LARGEST_WINDOW as usize;

/// Something to be written.
pub(crate) enum Note {
    /// A verified receipt; its fate comes back as [`Noted`].
    Receipt(Acknowledgement),
    /// Records that wait because answers to them were no receipts.
    Attempts(String, Vec<Attempt>),
    /// An event for the auditor.
    Audit(i64, AuditEvent),
    /// The city answered.
    Synced(Sync),
    /// The city did not answer, or not believably.
    Silence,
    /// Where the TPM's counter is about to stand, and what the agent thinks of this disk.
    Tpm(NoteWish),
    /// The city's store began a new life.
    Forget {
        incarnation: String,
        durable_seq: u64,
        epoch: String,
        wall_ms: i64,
        done: oneshot::Sender<Forgotten>,
    },
}

/// What counts as acknowledged after forgetting, or nothing when that failed.
pub(crate) type Forgotten = Option<Vec<(u64, u64)>>;

/// Records whose receipts are on disk, or could not be written.
pub(crate) struct Noted {
    pub records: Vec<NotedRecord>,
    pub on_disk: bool,
}

/// A record whose receipt came.
pub(crate) struct NotedRecord {
    pub incarnation: String,
    pub seq: u64,
    /// Whether the city also holds its blobs.
    pub complete: bool,
}

/// The way to the thread. Dropping it ends the thread after everything is written.
pub(crate) struct Journal {
    notes: Option<SyncSender<Note>>,
    thread: Option<JoinHandle<()>>,
}

impl Journal {
    /// A journal, and the work that has to be done for it.
    pub(crate) fn new(
        state: &Path,
        delivery: Delivery,
        audit: AuditBook,
        noted: mpsc::Sender<Noted>,
    ) -> (Self, JournalWork) {
        let (notes, inbox) = sync_channel(NOTES);
        let writer = JournalThread { state: state.to_owned(), delivery: Some(delivery), audit, noted };
        (Self { notes: Some(notes), thread: None }, JournalWork { inbox, first: None, writer })
    }

    /// Has the work done by a thread of its own.
    pub(crate) fn start(&mut self, mut work: JournalWork) -> Result<(), AgentError> {
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || work.run())
            .map_err(|error| AgentError::Thread(error.kind()))?;
        self.thread = Some(thread);
        Ok(())
    }

    /// Hands a note to the thread; `false` when it cannot take it, because the disk is far behind.
    pub(crate) fn write(&self, note: Note) -> bool {
        let taken = self.notes.as_ref().is_some_and(|notes| notes.try_send(note).is_ok());
        if !taken {
            tracing::error!("the journal cannot take a note");
        }
        taken
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.notes = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct JournalThread {
    state: PathBuf,
    /// `None` after a failed write, until it opens again.
    delivery: Option<Delivery>,
    audit: AuditBook,
    noted: mpsc::Sender<Noted>,
}

/// What the journal has to do: everything that is noted, batch after batch.
pub struct JournalWork {
    inbox: Receiver<Note>,
    /// Taken out of the inbox to see whether there is anything.
    first: Option<Note>,
    writer: JournalThread,
}

impl JournalWork {
    fn run(&mut self) {
        while let Ok(first) = self.inbox.recv() {
            self.first = Some(first);
            self.write_batch();
        }
    }

    /// Whether something is waiting to be written.
    pub fn is_waiting(&mut self) -> bool {
        if self.first.is_none() {
            self.first = self.inbox.try_recv().ok();
        }
        self.first.is_some()
    }

    /// Writes what is waiting, at most a batch. When this returns, it is on disk.
    pub fn write_batch(&mut self) {
        let batch: Vec<Note> =
            self.first.take().into_iter().chain(self.inbox.try_iter()).take(BATCH).collect();
        self.writer.write(batch);
    }
}

impl JournalThread {
    fn write(&mut self, batch: Vec<Note>) {
        let (mut receipts, mut events) = (Vec::new(), Vec::new());
        for note in batch {
            match note {
                Note::Receipt(receipt) => receipts.push(receipt),
                Note::Audit(at_ms, event) => events.push((at_ms, event)),
                // Written in their order, after the receipts that came before them.
                other => {
                    self.write_receipts(std::mem::take(&mut receipts));
                    self.write_other(other);
                }
            }
        }
        self.write_receipts(receipts);
        self.write_events(events);
    }

    fn write_receipts(&mut self, receipts: Vec<Acknowledgement>) {
        if receipts.is_empty() {
            return;
        }
        let on_disk = self.on_delivery(|delivery| delivery.record_receipts(&receipts)).is_some();
        let records = receipts
            .into_iter()
            .map(|Acknowledgement { incarnation, seq, complete, .. }| NotedRecord {
                incarnation,
                seq,
                complete,
            })
            .collect();
        // The agent may be stopping and no longer listen; the receipts are on disk all the same.
        let _ = self.noted.blocking_send(Noted { records, on_disk });
    }

    fn write_other(&mut self, note: Note) {
        match note {
            Note::Attempts(incarnation, attempts) => {
                self.on_delivery(|delivery| delivery.record_attempts(&incarnation, &attempts));
            }
            Note::Synced(sync) => {
                self.on_delivery(|delivery| {
                    if delivery.epoch()?.is_none() {
                        delivery.set_epoch(&sync.epoch)?;
                    }
                    delivery.record_sync(&sync)
                });
            }
            Note::Silence => {
                self.on_delivery(Delivery::record_silence);
            }
            Note::Tpm(NoteWish { note, done }) => {
                let noted = self.on_delivery(|delivery| {
                    delivery.remember_tpm(note.memory.as_ref(), note.leave.as_deref())
                });
                // Whoever asked may have gone.
                let _ = done.try_send(noted.is_some());
            }
            Note::Forget { incarnation, durable_seq, epoch, wall_ms, done } => {
                let left = self.on_delivery(|delivery| {
                    delivery.forget_not_durable(&incarnation, durable_seq, &epoch, wall_ms)?;
                    delivery.acknowledged(&incarnation)
                });
                let _ = done.send(left);
            }
            Note::Receipt(_) | Note::Audit(..) => {}
        }
    }

    fn write_events(&mut self, events: Vec<(i64, AuditEvent)>) {
        let lost = events.into_iter().filter(|(at_ms, event)| !self.audit.note(*at_ms, *event)).count();
        if lost > 0 {
            tracing::error!(lost, "audit events are lost: too many wait for the disk");
        }
        if let Err(error) = self.audit.write() {
            tracing::error!(%error, "audit events wait for the disk");
        }
    }

    /// Runs something on the delivery log; after a failure it is closed and opened anew, because after a failed write
    /// nothing may be assumed about what is on disk.
    fn on_delivery<T>(&mut self, work: impl FnOnce(&mut Delivery) -> Result<T, StoreError>) -> Option<T> {
        if self.delivery.is_none() {
            self.delivery = open_delivery(&self.state).inspect_err(|error| tracing::error!(%error)).ok();
        }
        match work(self.delivery.as_mut()?) {
            Ok(done) => Some(done),
            Err(error) => {
                tracing::error!(%error, "delivery.db could not be written");
                if !matches!(error.kind(), StoreErrorKind::DiskFull | StoreErrorKind::Retry) {
                    // Opening reads every page, and puts a damaged file aside.
                    self.delivery = None;
                }
                None
            }
        }
    }
}

/// Opens the delivery log. A damaged one is put aside and begun anew: all records are then sent again, and the city
/// answers with the same receipts, so nothing is lost but time.
pub(crate) fn open_delivery(state: &Path) -> Result<Delivery, StoreError> {
    match Delivery::open(state) {
        Err(error) if error.kind() == StoreErrorKind::Corrupt => {
            tracing::error!(%error, "delivery.db is put aside and begun anew");
            Delivery::put_aside(state)?;
            Delivery::open(state)
        }
        opened => opened,
    }
}
