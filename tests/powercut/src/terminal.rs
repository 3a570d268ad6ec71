//! One terminal as the two processes drive it, with every promise noted: cases, ratings, print states, receipts, epochs,
//! audit rows, restarts. It uses the store as kiosk-app and sync-agent do and knows nothing of how the store writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use kiosk_store::{
    Acknowledgement, AcknowledgementStatus, Attempt, AuditBook, AuditCode, AuditEvent, AuditId,
    CaseNotStoredCause, Delivery, DeliveryReader, Outbox, OutboxReader, PrintRequestedAgain, PrintState,
    RecordKind, SessionEndedReason, StoreError,
};

use crate::chance::Chance;
use crate::processes::{KioskApp, SyncAgent, again, write_audit};
use crate::recorder::position;
use crate::records::make_record;
use crate::story::{DeliveryState, Handed, OutboxState, Story, Track};

/// Code of the terminal.
pub const TERMINAL: &str = "DG0001";
/// Item that residents ask for.
pub const ITEM: &str = "hotline-12345";

/// When a promise is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Promise {
    /// After the commit has returned.
    #[default]
    AfterTheCommit,
    /// The mutation.
    BeforeTheCommit,
}

/// Both processes of a terminal, running.
pub struct Terminal {
    /// The state folder.
    pub(crate) state: PathBuf,
    /// What was promised so far.
    pub story: Story,
    promise: Promise,
    pub(crate) chance: Chance,
    pub(crate) clock_ms: i64,
    pub(crate) kiosk: Option<KioskApp>,
    pub(crate) sync: Option<SyncAgent>,
}

impl Terminal {
    /// A terminal whose processes are not started yet. The story says what is in the folder already.
    pub fn new(state: &Path, story: Story, seed: u64, promise: Promise) -> Self {
        let chance = Chance::new(seed, &[0x7e57]);
        // A terminal that was switched off for an hour has a later clock; nothing may depend on it.
        let clock_ms = 1_795_300_000_000 + story.handed.len() as i64 * 600_000;
        Self { state: state.to_owned(), story, promise, chance, clock_ms, kiosk: None, sync: None }
    }

    /// Starts kiosk-app's part.
    pub fn start_kiosk(&mut self) -> Result<()> {
        let mut outbox = self.story.outbox.act(
            || again(|| Outbox::open(&self.state, TERMINAL)).context("opening the outbox"),
            |state, outbox| state.incarnation = Some(outbox.incarnation().to_owned()),
        )?;
        outbox.sweep().context("sweeping the blob folder")?;
        self.story.incarnation = Some(outbox.incarnation().to_owned());
        let mut audit = AuditBook::new(&self.state, "kiosk");
        again(|| audit.write()).context("opening the kiosk's audit chain")?;
        self.kiosk = Some(KioskApp { outbox: Some(outbox), audit });
        Ok(())
    }

    /// Starts sync-agent's part.
    pub fn start_sync(&mut self) -> Result<()> {
        let delivery = again(|| Delivery::open(&self.state)).context("opening the delivery log")?;
        let mut audit = AuditBook::new(&self.state, "agent");
        again(|| audit.write()).context("opening the sync agent's audit chain")?;
        self.sync = Some(SyncAgent { delivery: Some(delivery), audit, reader: None });
        Ok(())
    }

    /// Ends kiosk-app's part; SQLite writes its log back when nobody else has the file open.
    pub fn stop_kiosk(&mut self) {
        self.kiosk = None;
    }

    /// Ends sync-agent's part.
    pub fn stop_sync(&mut self) {
        self.sync = None;
    }

    /// A resident comes, finishes a case and leaves.
    pub fn visit(&mut self) -> Result<()> {
        let item = AuditCode::new(ITEM).context("the item's code")?;
        self.audit_kiosk(&[AuditEvent::SessionStarted])?;
        self.audit_kiosk(&[AuditEvent::ItemOpened { item }])?;
        let case = make_record(&mut self.chance, &self.story, RecordKind::Case, self.clock_ms);
        let record = AuditId::parse(&case.case_id).context("the record's name")?;
        if !self.commit(case)? {
            let cause = CaseNotStoredCause::Io;
            return self.audit_kiosk(&[AuditEvent::CaseNotStored { cause }, AuditEvent::SessionWiped]);
        }
        let seq = self.story.outbox.newest().records.len() as u64;
        self.audit_kiosk(&[AuditEvent::CaseFinalised { record, item, seq, took: 12 }])?;
        self.newest_is_named();
        self.print(seq as usize - 1, PrintState::Printing)?;
        self.audit_kiosk(&[AuditEvent::PrintRequested { record, again: PrintRequestedAgain::No }])?;
        let printed = if self.chance.once_in(9) { PrintState::Failed } else { PrintState::Confirmed(2) };
        self.print(seq as usize - 1, printed)?;
        if self.chance.once_in(3) {
            let rating = make_record(&mut self.chance, &self.story, RecordKind::Rating, self.clock_ms);
            let about = AuditId::or_nil(&rating.case_id);
            if self.commit(rating)? {
                self.audit_kiosk(&[AuditEvent::RatingStored { record: about, about: record, stars: 5 }])?;
                self.newest_is_named();
            }
        }
        self.audit_kiosk(&[
            AuditEvent::SessionEnded { reason: SessionEndedReason::Finished, length: 90_000 },
            AuditEvent::SessionWiped,
        ])
    }

    fn newest_is_named(&mut self) {
        self.story.named_from.last_mut().into_iter().for_each(|named| *named = Some(position()));
    }

    /// `false` when the record is not there, which only a failing disk may do.
    fn commit(&mut self, handed: Handed) -> Result<bool> {
        let kiosk = self.kiosk.as_mut().context("kiosk-app is not running")?;
        let case_id = handed.case_id.clone();
        let print = handed.stub.as_ref().map(|stub| stub.print);
        let record = handed.record(kiosk.outbox()?.next_slot());
        let number = self.story.handed.len();
        self.story.handed.push(handed);
        self.story.named_from.push(None);
        let began = position();
        let written = kiosk.outbox()?.commit(record);
        let happened = kiosk.settle(written, |outbox| outbox.holds(&case_id))?;
        let change = |state: &mut OutboxState| {
            state.prints.extend(print.map(|print| (state.records.len(), print)));
            state.records.push(number);
        };
        self.clock_ms += 90_000;
        match self.promise {
            Promise::AfterTheCommit => self.story.outbox.settled(began, happened, change),
            Promise::BeforeTheCommit => self.story.outbox.promised_early(began, change),
        }
        Ok(happened)
    }

    fn print(&mut self, at: usize, print: PrintState) -> Result<()> {
        let case_id = self.story.handed[self.story.outbox.newest().records[at]].case_id.clone();
        let kiosk = self.kiosk.as_mut().context("kiosk-app is not running")?;
        let began = position();
        let written = kiosk.outbox()?.set_print_state(&case_id, print);
        let happened = kiosk
            .settle(written, |outbox| Ok(outbox.stub(&case_id)?.is_some_and(|stub| stub.print == print)))?;
        self.story.outbox.settled(began, happened, |state| {
            state.prints.insert(at, print);
        });
        Ok(())
    }

    /// Prints the first receipt again and again, until the outbox's log file has this many bytes. The states between are
    /// not noted: cuts are judged only before and after.
    pub fn fill_outbox_log(&mut self, bytes: u64) -> Result<()> {
        let case_id = self.story.handed[0].case_id.clone();
        let log = self.state.join("outbox.db-wal");
        let outbox = self.kiosk.as_mut().context("kiosk-app is not running")?.outbox()?;
        let print_often = || -> Result<()> {
            while std::fs::metadata(&log)?.len() < bytes {
                outbox.set_print_state(&case_id, PrintState::Printing)?;
                outbox.set_print_state(&case_id, PrintState::Confirmed(2))?;
            }
            Ok(())
        };
        self.story.outbox.act(print_often, |state, ()| {
            state.prints.insert(0, PrintState::Confirmed(2));
        })
    }

    /// Hears from the city again and again, until the delivery log's log file has this many bytes.
    pub fn fill_delivery_log(&mut self, bytes: u64) -> Result<()> {
        let log = self.state.join("delivery.db-wal");
        let sync = self.sync.as_mut().context("sync-agent is not running")?;
        let delivery = sync.delivery.as_mut().context("the delivery log is not open")?;
        let (mut now, from) = (self.clock_ms, self.clock_ms);
        let hear_often = || -> Result<i64> {
            while now == from || std::fs::metadata(&log)?.len() < bytes {
                now += 1000;
                delivery.record_sync(&heard("a-life", now, 7, &DeliveryState::default()))?;
            }
            Ok(now)
        };
        let now = self.story.delivery.act(hear_often, |state, now| state.last_sync = Some((*now, 7)))?;
        self.clock_ms = now;
        Ok(())
    }

    /// Writes audit rows of a long quiet day, until the chain's log file has this many bytes.
    pub fn fill_audit_log(&mut self, bytes: u64) -> Result<()> {
        let log = self.state.join("audit-kiosk.db-wal");
        while std::fs::metadata(&log)?.len() < bytes {
            self.audit_kiosk(&[AuditEvent::SessionStarted])?;
        }
        Ok(())
    }

    fn audit_kiosk(&mut self, events: &[AuditEvent]) -> Result<()> {
        self.clock_ms += 1000;
        let audit = &mut self.kiosk.as_mut().context("kiosk-app is not running")?.audit;
        write_audit(&mut self.story, 0, audit, self.clock_ms, events)
    }

    fn audit_sync(&mut self, event: AuditEvent) -> Result<()> {
        let audit = &mut self.sync.as_mut().context("sync-agent is not running")?.audit;
        write_audit(&mut self.story, 1, audit, self.clock_ms, &[event])
    }

    /// The sync agent reaches the city: hello, and receipts for up to `limit` records.
    pub fn deliver(&mut self, limit: usize) -> Result<()> {
        self.clock_ms += 2000;
        let (now, ahead) = (self.clock_ms, self.chance.below(2000) as i64 - 1000);
        let sync = self.sync.as_mut().context("sync-agent is not running")?;
        if sync.reader.is_none() {
            sync.reader = OutboxReader::open(&self.state).context("reading the outbox")?;
        }
        let reader = sync.reader.as_ref().context("there is no outbox to read")?;
        let incarnation = reader.incarnation().to_owned();
        let hello = heard(&incarnation, now, ahead, self.story.delivery.newest());
        self.note(
            |delivery| delivery.record_sync(&hello),
            |found| Ok(found.last_sync_ms()? == Some(now)),
            |state| state.last_sync = Some((now, ahead)),
        )?;
        let sync = self.sync.as_ref().context("sync-agent is not running")?;
        let reader = sync.reader.as_ref().context("there is no outbox to read")?;
        let known = &self.story.delivery.newest().receipts;
        let first = (1..).find(|seq| !known.contains_key(seq)).unwrap_or(1);
        let waiting = reader.records(first, limit).context("reading the queue")?;
        let receipts: Vec<Acknowledgement> = waiting
            .iter()
            .filter(|record| !known.contains_key(&record.seq))
            .map(|record| receipt(&incarnation, record.seq, &record.sha256, now))
            .collect();
        if receipts.is_empty() {
            return self.audit_sync(AuditEvent::HelloOk { waiting: 0 });
        }
        let noted = self.note(
            |delivery| delivery.record_receipts(&receipts),
            |found| found.is_acknowledged(&incarnation, receipts[0].seq),
            |state| {
                for receipt in &receipts {
                    state.attempts.remove(&receipt.seq);
                    state.receipts.insert(receipt.seq, Arc::new(receipt.clone()));
                }
            },
        )?;
        for receipt in receipts.iter().filter(|_| noted) {
            let number = self.story.outbox.newest().records[receipt.seq as usize - 1];
            let record = AuditId::or_nil(&self.story.handed[number].case_id);
            self.audit_sync(AuditEvent::RecordAcknowledged { record, seq: receipt.seq })?;
        }
        Ok(())
    }

    /// The city cannot be reached: the next record is noted to be tried later.
    pub fn fail_to_deliver(&mut self) -> Result<()> {
        let known = &self.story.delivery.newest().receipts;
        let seq = (1..).find(|seq| !known.contains_key(seq)).unwrap_or(1);
        let failures =
            1 + self.story.delivery.newest().attempts.get(&seq).map_or(0, |attempt| attempt.failures);
        let attempt = Attempt {
            seq,
            failures,
            next_attempt_ms: self.clock_ms + 60_000,
            side_lane: failures > 3,
            last_error: "connect".into(),
        };
        let incarnation = self.story.incarnation.clone().context("the queue has no name yet")?;
        self.note(
            |delivery| delivery.record_attempts(&incarnation, std::slice::from_ref(&attempt)),
            |found| Ok(found.attempts(&incarnation)?.contains(&attempt)),
            |state| {
                state.attempts.insert(seq, attempt.clone());
            },
        )
        .map(drop)
    }

    /// Writes to the delivery log. `false` when it is not there, which only a failing disk may do.
    fn note(
        &mut self,
        write: impl FnOnce(&mut Delivery) -> Result<(), StoreError>,
        happened: impl FnOnce(&DeliveryReader) -> Result<bool, StoreError>,
        change: impl FnOnce(&mut DeliveryState),
    ) -> Result<bool> {
        let sync = self.sync.as_mut().context("sync-agent is not running")?;
        let began = position();
        let written = write(sync.delivery.as_mut().context("the delivery log is not open")?);
        let happened = sync.settle(&self.state, written, happened)?;
        self.story.delivery.settled(began, happened, change);
        Ok(happened)
    }

    /// The city begins a new life, and what was not durable there is to be sent again.
    pub fn city_restored(&mut self) -> Result<()> {
        let known = self.story.delivery.newest();
        let last = known.receipts.keys().last().copied().unwrap_or(0);
        let durable = last.saturating_sub(2);
        let epoch = format!("epoch-{:016x}", self.chance.next());
        let incarnation = self.story.incarnation.clone().context("the queue has no name yet")?;
        let now = self.clock_ms;
        let mut to_send_again = 0;
        self.note(
            |delivery| {
                to_send_again = delivery.forget_not_durable(&incarnation, durable, &epoch, now)?;
                Ok(())
            },
            |found| Ok(found.epoch()?.as_ref() == Some(&epoch)),
            |state| {
                (state.epoch, state.durable) = (Some(epoch.clone()), 0);
                state.receipts.retain(|seq, _| *seq <= durable);
            },
        )?;
        self.audit_sync(AuditEvent::EpochChanged { to_send_again })
    }

    /// Checks that the running outbox thinks what the story says.
    pub fn head(&mut self) -> Result<u64> {
        Ok(self.kiosk.as_mut().context("kiosk-app is not running")?.outbox()?.head())
    }
}

/// What an answer to hello leaves in the delivery log.
pub(crate) fn heard(
    incarnation: &str,
    now_ms: i64,
    city_ahead_ms: i64,
    known: &DeliveryState,
) -> kiosk_store::Sync {
    kiosk_store::Sync {
        incarnation: incarnation.to_owned(),
        now_ms,
        city_ahead_ms,
        epoch: known.epoch.clone().unwrap_or_else(|| "epoch-1".into()),
        durable_seq: known.durable,
        continuity: Some(format!("token-{now_ms}")),
        begin_incarnation: false,
    }
}

fn receipt(incarnation: &str, seq: u64, sha256: &str, at_ms: i64) -> Acknowledgement {
    Acknowledgement {
        incarnation: incarnation.to_owned(),
        seq,
        receipt: format!("eyJhbGciOiJFZERTQSJ9.{sha256}{sha256}.{}", "s".repeat(86)),
        status: AcknowledgementStatus::Accepted,
        complete: true,
        at_ms,
    }
}

/// An empty story: nothing promised yet.
pub fn nothing_yet() -> Story {
    Story {
        incarnation: None,
        handed: Vec::new(),
        voids: BTreeMap::new(),
        named_from: Vec::new(),
        audited: [Vec::new(), Vec::new()],
        outbox: Track::new(OutboxState::default()),
        delivery: Track::new(Default::default()),
        audits: [Track::new(0), Track::new(0)],
    }
}
