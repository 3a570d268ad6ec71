//! The store's thread: the only writer of the outbox. A submission is sealed and signed in memory,
//! committed to disk, and only then answered; nothing of it can be read back on this machine.

use crate::effects::facts;
use crate::inbox::Inbox;
use crate::submission;
use anyhow::{Context, Result};
use kiosk_core::case_number;
use kiosk_core::remedy::{FaultCode, Notice, Remedy};
use kiosk_core::service::ItemCode;
use kiosk_core::session::{Admission, AuditFact, Device, PrintStatus, SavedCase, Store, Submission, Ticket};
use kiosk_store::{
    AuditEvent, AuditLog, ClosedBecause, DeliveryReader, NewRecord, Outbox, PrintState, StoreErrorKind, Stub,
};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use sync_protocol::{AgeSealer, ClockEvidence, Manifest, RecordKind, Sealer, TerminalKey, sha256_hex};

/// Time between two looks at the disk's room and at what the city has acknowledged.
const WATCH: Duration = Duration::from_millis(500);
/// Time between two tries to open a store that cannot be opened.
const REOPEN: Duration = Duration::from_secs(5);
/// A case this young is offered again after a restart.
const RECENT_MS: i64 = 10 * 60 * 1_000;
/// The city counts as reachable when the agent heard from it this lately.
const NETWORK_FRESH_MS: i64 = 90_000;
const COMMANDS_MAX: usize = 256;

enum Command {
    Finalise(Ticket, Box<Submission>),
    Rate(SavedCase, u8),
    PrintStarted(String, bool),
    PrintEnded(String, PrintStatus),
    Audit(AuditFact),
    ItemsHidden(usize, usize),
}

/// The session's hand on the store.
#[derive(Clone)]
pub struct StoreHand(SyncSender<Command>);

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
        let worker = Worker {
            settings,
            inbox,
            opened: None,
            audit: None,
            admission: None,
            network: None,
            awaited: None,
            next_open: Instant::now(),
            started: Instant::now(),
        };
        std::thread::Builder::new().name("store".into()).spawn(move || worker.run(&commands))?;
        Ok(StoreHand(sender))
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

    /// How the print ended.
    pub fn print_ended(&self, case_id: &str, status: PrintStatus) {
        self.send(Command::PrintEnded(case_id.to_owned(), status));
    }

    /// Write an audit line.
    pub fn audit(&self, fact: AuditFact) {
        self.send(Command::Audit(fact));
    }

    /// Report that so many items are hidden because their data is broken, and so many are not.
    pub fn items_hidden(&self, hidden: usize, usable: usize) {
        self.send(Command::ItemsHidden(hidden, usable));
    }

    fn send(&self, command: Command) {
        if self.0.try_send(command).is_err() {
            tracing::error!("the store's queue is full: a command was dropped");
        }
    }
}

struct Worker {
    settings: StoreSettings,
    inbox: Inbox,
    opened: Option<Outbox>,
    audit: Option<AuditLog>,
    admission: Option<Admission>,
    network: Option<bool>,
    /// The last case of this process, until the city has acknowledged it.
    awaited: Option<(String, u64)>,
    next_open: Instant,
    started: Instant,
}

impl Worker {
    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            self.watch();
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
            Command::PrintEnded(case_id, status) => {
                let state = match status {
                    PrintStatus::Printed { level } => PrintState::Confirmed(level),
                    _ => PrintState::Failed,
                };
                self.set_print(&case_id, state);
                self.record(facts::print_ended(&case_id, status));
            }
            Command::Audit(fact) => self.record(facts::event_of(&fact)),
            Command::ItemsHidden(hidden, usable) => {
                self.record(AuditEvent::ItemsRejected { rejected: hidden as u64, usable: usable as u64 });
            }
        }
    }

    fn watch(&mut self) {
        if self.opened.is_none() && Instant::now() >= self.next_open {
            self.open();
        }
        self.watch_admission();
        self.watch_delivery();
    }

    fn open(&mut self) {
        self.next_open = Instant::now() + REOPEN;
        match Outbox::open(&self.settings.state, &self.settings.terminal) {
            Ok(outbox) => {
                self.offer_recent(&outbox);
                self.opened = Some(outbox);
            }
            Err(error) => tracing::error!(%error, "the outbox cannot be opened: no case is taken"),
        }
        if self.audit.is_none() {
            match AuditLog::open(&self.settings.state, "kiosk") {
                Ok(log) => self.audit = Some(log),
                Err(error) => tracing::error!(%error, "the audit log cannot be opened"),
            }
        }
    }

    fn offer_recent(&self, outbox: &Outbox) {
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

    fn watch_admission(&mut self) {
        let room = match (&self.opened, &self.audit) {
            (Some(_), Some(_)) => kiosk_store::admission(&self.settings.state, self.settings.min_free_bytes),
            _ => kiosk_store::Admission::Closed(ClosedBecause::Unwritable),
        };
        let admission = match room {
            kiosk_store::Admission::Open => Admission::Open,
            kiosk_store::Admission::Closed(_) => Admission::Closed,
        };
        if self.admission.replace(admission) != Some(admission) {
            self.record(facts::admission(room));
            self.inbox.store(Store::AdmissionChanged(admission));
        }
    }

    fn watch_delivery(&mut self) {
        let Ok(Some(delivery)) = DeliveryReader::open(&self.settings.state) else { return };
        let last_sync_ms = delivery.last_sync_ms().ok().flatten();
        let network = last_sync_ms.is_some_and(|at| wall_ms() - at < NETWORK_FRESH_MS);
        if self.network.replace(network) != Some(network) {
            self.inbox.device(Device::NetworkChanged(network));
        }
        if let (Some((case_id, seq)), Some(outbox)) = (&self.awaited, &self.opened)
            && delivery.is_acknowledged(outbox.incarnation(), *seq).unwrap_or(false)
        {
            self.inbox.store(Store::Delivered(case_id.clone()));
            self.awaited = None;
        }
    }

    fn on_finalise(&mut self, ticket: Ticket, submission: &Submission) {
        let early = self.answer_before_the_commit(ticket, submission);
        let begun = Instant::now();
        match self.finalise(submission, early) {
            Ok((case, seq)) => {
                // First the answer: the resident waits for it, the auditor does not.
                self.inbox.store(Store::Finalised(ticket, case.clone()));
                self.record(facts::case_finalised(&case, seq, begun.elapsed()));
            }
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), "the case was not saved");
                self.inbox.store(Store::FinaliseFailed(ticket, remedy_of(&error)));
                self.record(facts::case_not_stored(&error));
                self.reopen_if_shaken(&error);
            }
        }
    }

    /// A mutation for the crash test, which must notice it: the receipt goes out, and the commit comes
    /// ten seconds later. The failpoint exists only in test builds.
    fn answer_before_the_commit(&self, ticket: Ticket, submission: &Submission) -> Option<SavedCase> {
        if !failpoint("kiosk::receipt-before-commit") {
            return None;
        }
        let case = self.name_case(submission);
        self.inbox.store(Store::Finalised(ticket, case.clone()));
        std::thread::sleep(Duration::from_secs(10));
        Some(case)
    }

    /// Seal → sign → commit. When this returns `Ok`, the case is on disk.
    fn finalise(&mut self, submission: &Submission, names: Option<SavedCase>) -> Result<(SavedCase, u64)> {
        let case = names.unwrap_or_else(|| self.name_case(submission));
        let plaintext =
            submission::plaintext(submission, &case.case_id, &case.case_number, case.finalised_at_ms);
        let record = Record {
            kind: RecordKind::Case,
            case_id: case.case_id.clone(),
            about: None,
            item_version: submission.item_version,
            case: case.clone(),
        };
        let stub = Stub {
            case_id: case.case_id.clone(),
            case_number: case.case_number.clone(),
            item: case.item.0.clone(),
            verification: case.verification.clone(),
            finalised_at_ms: case.finalised_at_ms,
            print: PrintState::NotPrinted,
        };
        let seq = self.commit(record, &plaintext.to_plaintext(), Some(stub))?;
        self.awaited = Some((case.case_id.clone(), seq));
        Ok((case, seq))
    }

    fn rate(&mut self, case: &SavedCase, stars: u8) -> Result<()> {
        let rating = sync_protocol::Rating {
            version: 1,
            about: case.case_id.clone(),
            case_number: case.case_number.clone(),
            stars,
        };
        let case_id = uuid::Uuid::new_v4().to_string();
        let record = Record {
            kind: RecordKind::Rating,
            case_id: case_id.clone(),
            about: Some(case.case_id.clone()),
            item_version: 0,
            case: case.clone(),
        };
        self.commit(record, &rating.to_plaintext(), None)?;
        self.record(facts::rating_stored(&case_id, &case.case_id, stars));
        Ok(())
    }

    fn commit(&mut self, record: Record, plaintext: &[u8], stub: Option<Stub>) -> Result<u64> {
        let settings = &self.settings;
        let outbox = self.opened.as_mut().context("the outbox is not open")?;
        let ciphertext = settings.sealer.seal(plaintext)?;
        let slot = outbox.next_slot();
        let finalised_at_ms = match record.kind {
            RecordKind::Case => record.case.finalised_at_ms,
            RecordKind::Rating => wall_ms(),
        };
        let sha256 = sha256_hex(&ciphertext);
        let manifest = Manifest {
            version: 1,
            kind: record.kind,
            terminal: settings.terminal.clone(),
            incarnation: outbox.incarnation().to_owned(),
            seq: slot.seq,
            case_id: record.case_id.clone(),
            about: record.about,
            case_number: record.case.case_number,
            verification: record.case.verification,
            item: record.case.item.0,
            item_version: record.item_version,
            catalog_version: settings.catalog_version.clone(),
            prev_hash: slot.prev_hash.clone(),
            sha256: sha256.clone(),
            bytes: ciphertext.len() as u64,
            blobs: Vec::new(),
            clock: self.network_clock(),
        };
        let manifest = manifest.sign(&settings.terminal_key);
        let seq = slot.seq;
        let outbox = self.opened.as_mut().context("the outbox is not open")?;
        outbox.commit(NewRecord {
            slot,
            case_id: record.case_id,
            kind: match record.kind {
                RecordKind::Case => kiosk_store::RecordKind::Case,
                RecordKind::Rating => kiosk_store::RecordKind::Rating,
            },
            manifest,
            ciphertext,
            sha256,
            finalised_at_ms,
            blobs: Vec::new(),
            stub,
        })?;
        Ok(seq)
    }

    fn name_case(&self, submission: &Submission) -> SavedCase {
        SavedCase {
            case_id: uuid::Uuid::new_v4().to_string(),
            case_number: case_number::compose(&self.settings.terminal, rand::random()),
            item: ItemCode(submission.item.0.clone()),
            verification: verification_code(),
            finalised_at_ms: wall_ms(),
        }
    }

    /// Clocks as they stand, so that the city can judge a wrong one.
    fn network_clock(&self) -> ClockEvidence {
        let last_sync_ms = DeliveryReader::open(&self.settings.state)
            .ok()
            .flatten()
            .and_then(|delivery| delivery.last_sync_ms().ok().flatten());
        ClockEvidence {
            wall_ms: wall_ms(),
            monotonic_ms: self.started.elapsed().as_millis() as u64,
            boot_id: boot_id(),
            last_sync_age_s: last_sync_ms.map(|at| ((wall_ms() - at).max(0) / 1_000) as u64),
        }
    }

    fn set_print(&mut self, case_id: &str, state: PrintState) {
        if let Some(outbox) = &mut self.opened
            && let Err(error) = outbox.set_print_state(case_id, state)
        {
            tracing::error!(%error, "how far the receipt came was not stored");
        }
    }

    /// After a failed write nothing that the disk said before is believed: close, open, verify.
    fn reopen_if_shaken(&mut self, error: &anyhow::Error) {
        let shaken = error
            .downcast_ref::<kiosk_store::StoreError>()
            .is_some_and(|error| error.kind() == StoreErrorKind::Io);
        let Some(outbox) = self.opened.take_if(|_| shaken) else { return };
        match outbox.reopen() {
            Ok(outbox) => self.opened = Some(outbox),
            Err(error) => tracing::error!(%error, "the outbox does not open again: no case is taken"),
        }
    }

    fn record(&mut self, event: AuditEvent) {
        if let Some(log) = &mut self.audit
            && let Err(error) = log.record(wall_ms(), &event)
        {
            tracing::error!(%error, "an audit line was not written");
        }
    }
}

/// What a record is about, before it has its place in the chain.
struct Record {
    kind: RecordKind,
    case_id: String,
    about: Option<String>,
    item_version: u32,
    case: SavedCase,
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
    let full = error
        .downcast_ref::<kiosk_store::StoreError>()
        .is_some_and(|error| error.kind() == StoreErrorKind::DiskFull);
    match full {
        true => Remedy::AskCitizen(Notice::SubmissionsClosed),
        false => Remedy::CallOperator(FaultCode::Store),
    }
}

/// Sixteen letters and digits behind the receipt's QR: 80 random bits, not guessable.
fn verification_code() -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let random: [u8; 16] = rand::random();
    random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

fn boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
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
