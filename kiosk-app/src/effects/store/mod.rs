//! The store's thread: the only writer of the outbox. A submission is sealed and signed in memory,
//! committed to disk ([`records`]), and only then answered; nothing of it can be read back on this
//! machine. In between it looks at the disk and at the deliveries ([`watch`]) and keeps the outbox in
//! order ([`upkeep`]).

mod records;
mod upkeep;
mod watch;

use crate::effects::facts;
use crate::inbox::Inbox;
use anyhow::{Context, Result};
use kiosk_core::remedy::{FaultCode, Notice, Remedy};
use kiosk_core::service::ItemCode;
use kiosk_core::session::{AuditFact, PrintStatus, RECENT_MS, SavedCase, Store, Submission, Ticket};
use kiosk_store::{AuditBook, AuditEvent, ClosedBecause, Outbox, PrintState, StoreErrorKind, Stub};
use records::Records;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use sync_protocol::{AgeSealer, TerminalKey};
use upkeep::Upkeep;
use watch::Watch;

/// Time between two looks at the disk's room and at what the city has acknowledged.
const WATCH: Duration = Duration::from_millis(500);
/// Time between two tries to open a store that cannot be opened.
const REOPEN: Duration = Duration::from_secs(5);
const COMMANDS_MAX: usize = 256;

enum Command {
    Finalise(Ticket, Box<Submission>),
    Rate(SavedCase, u8),
    PrintStarted(String, bool),
    PrintEnded { case_id: String, status: PrintStatus, on_paper: bool },
    Audit(AuditFact),
    ItemsHidden(usize, usize),
    CatalogIs(String),
}

/// The session's hand on the store.
#[derive(Clone)]
pub struct StoreHand {
    commands: SyncSender<Command>,
    inbox: Inbox,
}

/// Where and as whom to store.
pub struct StoreSettings {
    /// Folder of the databases.
    pub state: PathBuf,
    /// Terminal code.
    pub terminal: String,
    /// With less room, no new case is taken.
    pub min_free_bytes: u64,
    /// The terminal's private key, PEM.
    pub terminal_key: TerminalKey,
    /// The city's sealing keys.
    pub sealer: AgeSealer,
    /// Version of the catalog in use.
    pub catalog_version: String,
}

impl StoreHand {
    /// Starts the thread.
    pub fn spawn(settings: StoreSettings, inbox: Inbox) -> std::io::Result<Self> {
        let (sender, commands) = sync_channel(COMMANDS_MAX);
        let worker = Worker::new(settings, inbox.clone());
        std::thread::Builder::new().name("store".into()).spawn(move || worker.run(&commands))?;
        Ok(StoreHand { commands: sender, inbox })
    }

    /// Seal and commit; answer with this ticket.
    pub fn finalise(&self, ticket: Ticket, submission: Box<Submission>) {
        self.send(Command::Finalise(ticket, submission));
    }

    /// Seal and commit a rating.
    pub fn rate(&self, case: SavedCase, stars: u8) {
        self.send(Command::Rate(case, stars));
    }

    /// The receipt goes to the printer; `again` when (part of) one came out before.
    pub fn print_started(&self, case_id: &str, again: bool) {
        self.send(Command::PrintStarted(case_id.to_owned(), again));
    }

    /// How the print ended, and whether this time or before (a part of) the receipt may have come out.
    pub fn print_ended(&self, case_id: &str, status: PrintStatus, on_paper: bool) {
        self.send(Command::PrintEnded { case_id: case_id.to_owned(), status, on_paper });
    }

    /// Write an audit line.
    pub fn audit(&self, fact: AuditFact) {
        self.send(Command::Audit(fact));
    }

    /// Report that so many items are hidden because their data is broken, and so many are not.
    pub fn items_hidden(&self, hidden: usize, usable: usize) {
        self.send(Command::ItemsHidden(hidden, usable));
    }

    /// Records name this version of the catalog from now on. False when the queue is full: then they do not, and it has
    /// to be said again.
    #[must_use]
    pub fn catalog_is(&self, version: &str) -> bool {
        self.commands.try_send(Command::CatalogIs(version.to_owned())).is_ok()
    }

    fn send(&self, command: Command) {
        let Err(TrySendError::Full(dropped) | TrySendError::Disconnected(dropped)) =
            self.commands.try_send(command)
        else {
            return;
        };
        tracing::error!("the store's queue is full or closed: a command was dropped");
        if let Command::Finalise(ticket, _) = dropped {
            self.inbox.store(Store::FinaliseFailed(ticket, Remedy::CallOperator(FaultCode::Store)));
        }
    }
}

struct Worker {
    state: PathBuf,
    terminal: String,
    records: Records,
    watch: Watch,
    upkeep: Upkeep,
    inbox: Inbox,
    opened: Option<Outbox>,
    audit: AuditBook,
    unsettled: Option<Unsettled>,
    next_open: Instant,
}

/// A case whose commit failed in a way that leaves open whether it is on disk.
struct Unsettled {
    ticket: Ticket,
    case: SavedCase,
    begun: Instant,
    error: anyhow::Error,
}

impl Worker {
    fn new(settings: StoreSettings, inbox: Inbox) -> Self {
        Worker {
            audit: AuditBook::new(&settings.state, "kiosk"),
            state: settings.state.clone(),
            terminal: settings.terminal.clone(),
            watch: Watch::new(settings.state.clone(), settings.min_free_bytes),
            records: Records::new(settings),
            upkeep: Upkeep::new(),
            inbox,
            opened: None,
            unsettled: None,
            next_open: Instant::now(),
        }
    }

    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            self.look_around();
            match commands.recv_timeout(WATCH) {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok(command) = commands.try_recv() {
                self.obey(command);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Finalise(ticket, submission) => self.on_finalise(ticket, &submission),
            Command::Rate(case, stars) => {
                if let Err(error) = self.rate(&case, stars) {
                    tracing::error!(error = %format!("{error:#}"), "a rating was not stored");
                }
            }
            Command::PrintStarted(case_id, again) => {
                self.set_print(&case_id, PrintState::Printing);
                self.record(facts::print_requested(&case_id, again));
            }
            Command::PrintEnded { case_id, status, on_paper } => {
                let state = match status {
                    PrintStatus::Printed { level } => PrintState::Confirmed(level),
                    _ if on_paper => PrintState::Failed,
                    _ => PrintState::NotPrinted,
                };
                self.set_print(&case_id, state);
                self.record(facts::print_ended(&case_id, status));
            }
            Command::Audit(fact) => self.record(facts::event_of(&fact)),
            Command::CatalogIs(version) => self.records.catalog_is(version),
            Command::ItemsHidden(hidden, usable) => {
                self.record(AuditEvent::ItemsRejected { rejected: hidden as u64, usable: usable as u64 });
            }
        }
        // Not only when the next resident waits for it.
        self.reopen_if_shaken();
    }

    fn look_around(&mut self) {
        self.reopen_if_shaken();
        if (self.opened.is_none() || self.audit.log().is_none()) && Instant::now() >= self.next_open {
            self.open();
        }
        let closed = self.keep_up();
        if let Some(room) = self.watch.admission(closed, &self.inbox) {
            self.record(facts::admission(room));
        }
        self.watch.delivery(self.opened.as_ref(), &self.inbox);
    }

    /// Regular care of the outbox. Gives why no case can be taken, when that is so.
    fn keep_up(&mut self) -> Option<ClosedBecause> {
        let mut events = Vec::new();
        let closed = match &mut self.opened {
            None => Some(ClosedBecause::Unwritable),
            Some(outbox) => match self.upkeep.look(&self.state, outbox, &mut events) {
                Ok(true) => None,
                Ok(false) => Some(ClosedBecause::DiskFull),
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be kept up");
                    Some(ClosedBecause::Unwritable)
                }
            },
        };
        events.into_iter().for_each(|event| self.record(event));
        closed.or_else(|| self.audit.log().is_none().then_some(ClosedBecause::Unwritable))
    }

    fn open(&mut self) {
        self.next_open = Instant::now() + REOPEN;
        if let Err(error) = self.audit.write() {
            tracing::error!(%error, "the audit log cannot be opened");
        }
        if self.opened.is_none() {
            self.open_outbox();
        }
    }

    fn open_outbox(&mut self) {
        let mut events = Vec::new();
        let opened = Outbox::open(&self.state, &self.terminal).and_then(|mut outbox| {
            upkeep::mend(&self.records, &mut outbox, self.audit.log(), &mut events)?;
            Ok(outbox)
        });
        match opened {
            Ok(outbox) => self.opened = Some(outbox),
            Err(error) => tracing::error!(%error, "the outbox cannot be opened: no case is taken"),
        }
        events.into_iter().for_each(|event| self.record(event));
        self.settle();
        self.offer_recent();
    }

    fn offer_recent(&self) {
        let Some(outbox) = &self.opened else { return };
        if let Ok(Some(stub)) = outbox.recent_stub(wall_ms(), RECENT_MS) {
            let print = match stub.print {
                PrintState::NotPrinted => PrintStatus::NotPrinted,
                PrintState::Printing => PrintStatus::Printing,
                PrintState::Confirmed(level) => PrintStatus::Printed { level },
                PrintState::Failed => PrintStatus::Failed,
            };
            self.inbox.store(Store::RecentCaseFound(case_of(stub), print));
        }
    }

    fn on_finalise(&mut self, ticket: Ticket, submission: &Submission) {
        let begun = Instant::now();
        let case = self.records.name_case(submission);
        self.answer_before_the_commit(ticket, &case);
        let committed = match &mut self.opened {
            Some(outbox) => self.records.commit_case(outbox, submission, &case),
            None => Err(anyhow::anyhow!("the outbox is not open")),
        };
        match committed {
            Ok(seq) => self.on_committed(ticket, case, seq, begun),
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "the case was not committed");
                self.unsettled = Some(Unsettled { ticket, case, begun, error });
                self.reopen_if_shaken();
                self.settle();
            }
        }
    }

    fn on_committed(&mut self, ticket: Ticket, case: SavedCase, seq: u64, begun: Instant) {
        // First the answer: the resident waits for it, the auditor does not.
        self.inbox.store(Store::Finalised(ticket, case.clone()));
        self.watch.await_delivery(&case.case_id, seq);
        self.record(facts::case_finalised(&case, seq, begun.elapsed()));
    }

    /// A commit that failed may have reached the disk all the same. Only what an outbox holds that was
    /// opened since is an answer; until there is one, none is given, and the screen says so.
    fn settle(&mut self) {
        let Some(unsettled) = self.unsettled.take() else { return };
        let held = match &self.opened {
            Some(outbox) => outbox.holds(&unsettled.case.case_id).map(|held| held.then(|| outbox.head())),
            None if is_shaken(&unsettled.error) => return self.unsettled = Some(unsettled),
            None => Ok(None),
        };
        let Unsettled { ticket, case, begun, error } = unsettled;
        match held {
            Ok(Some(seq)) => self.on_committed(ticket, case, seq, begun),
            Ok(None) => {
                self.inbox.store(Store::FinaliseFailed(ticket, remedy_of(&error)));
                self.record(facts::case_not_stored(&error));
            }
            Err(unreadable) => {
                tracing::error!(error = %unreadable, "whether the case is stored cannot be read");
                self.unsettled = Some(Unsettled { ticket, case, begun, error });
                self.opened = None;
            }
        }
    }

    /// A mutation for the crash test, which must notice it: the receipt goes out, and the commit comes
    /// ten seconds later. The failpoint exists only in test builds.
    fn answer_before_the_commit(&self, ticket: Ticket, case: &SavedCase) {
        if failpoint("kiosk::receipt-before-commit") {
            self.inbox.store(Store::Finalised(ticket, case.clone()));
            std::thread::sleep(Duration::from_secs(10));
        }
    }

    fn rate(&mut self, case: &SavedCase, stars: u8) -> Result<()> {
        let outbox = self.opened.as_mut().context("the outbox is not open")?;
        let case_id = self.records.commit_rating(outbox, case, stars)?;
        self.record(facts::rating_stored(&case_id, &case.case_id, stars));
        Ok(())
    }

    fn set_print(&mut self, case_id: &str, state: PrintState) {
        if let Some(outbox) = &mut self.opened
            && let Err(error) = outbox.set_print_state(case_id, state)
        {
            tracing::error!(%error, "how far the receipt came was not stored");
        }
    }

    /// After a failed write nothing that the disk said before is believed: close, open, verify.
    fn reopen_if_shaken(&mut self) {
        let Some(outbox) = self.opened.take_if(|outbox| outbox.must_reopen()) else { return };
        match outbox.reopen() {
            Ok(outbox) => self.opened = Some(outbox),
            Err(error) => tracing::error!(%error, "the outbox does not open again: no case is taken"),
        }
    }

    fn record(&mut self, event: AuditEvent) {
        if !self.audit.note(wall_ms(), event) {
            tracing::error!("an audit line is lost: too many wait for the disk");
        }
        // A closed book is opened no more often than the outbox.
        if self.audit.log().is_some()
            && let Err(error) = self.audit.write()
        {
            tracing::error!(%error, "an audit line waits for the disk");
        }
    }
}

fn case_of(stub: Stub) -> SavedCase {
    SavedCase {
        case_id: stub.case_id,
        case_number: stub.case_number,
        item: ItemCode(stub.item),
        verification: stub.verification,
        finalised_at_ms: stub.finalised_at_ms,
    }
}

/// A full disk is told as such; everything else means that nothing was saved.
fn remedy_of(error: &anyhow::Error) -> Remedy {
    match kind_of(error) {
        Some(StoreErrorKind::DiskFull) => Remedy::AskCitizen(Notice::SubmissionsClosed),
        _ => Remedy::CallOperator(FaultCode::Store),
    }
}

/// Whether the write may have reached the disk although it failed.
fn is_shaken(error: &anyhow::Error) -> bool {
    matches!(kind_of(error), Some(StoreErrorKind::Io | StoreErrorKind::Corrupt))
}

fn kind_of(error: &anyhow::Error) -> Option<StoreErrorKind> {
    Some(error.downcast_ref::<kiosk_store::StoreError>()?.kind())
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Whether a failpoint is on (`FAILPOINTS=name=return` in the environment of a test build).
#[cfg(feature = "failpoints")]
fn failpoint(name: &str) -> bool {
    fail::eval(name, |_| ()).is_some()
}

#[cfg(not(feature = "failpoints"))]
fn failpoint(_: &str) -> bool {
    false
}

#[cfg(test)]
mod tests;
