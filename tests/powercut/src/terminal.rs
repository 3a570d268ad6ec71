//! One terminal as the two processes drive it, with every promise noted: cases, ratings, print states, receipts, epochs,
//! audit rows, restarts. It uses the store as kiosk-app and sync-agent do and knows nothing of how the store writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use kiosk_store::{
    Acknowledgement, AcknowledgementStatus, Attempt, AuditCode, AuditEvent, AuditId, AuditLog, Delivery,
    Outbox, OutboxReader, PrintRequestedAgain, PrintState, RecordKind, SessionEndedReason, Stub,
};
use sha2::{Digest, Sha256};

use crate::chance::Chance;
use crate::story::{DeliveryState, Handed, OutboxState, Story, Track};

/// Code of the terminal.
pub const TERMINAL: &str = "DG0001";
const ITEM: &str = "hotline-12345";
/// What a made-up resident entered; none of it may be found on the disk.
pub const ENTERED: [&str; 2] = ["测试甲乙丙丁", "990001209912319997"];

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

pub(crate) struct KioskApp {
    pub(crate) outbox: Outbox,
    audit: AuditLog,
}

pub(crate) struct SyncAgent {
    pub(crate) delivery: Delivery,
    audit: AuditLog,
    reader: Option<OutboxReader>,
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
        let outbox = self.story.outbox.act(
            || Outbox::open(&self.state, TERMINAL).context("opening the outbox"),
            |state, outbox| state.incarnation = Some(outbox.incarnation().to_owned()),
        )?;
        self.story.incarnation = Some(outbox.incarnation().to_owned());
        let audit = AuditLog::open(&self.state, "kiosk").context("opening the kiosk's audit chain")?;
        self.kiosk = Some(KioskApp { outbox, audit });
        Ok(())
    }

    /// Starts sync-agent's part.
    pub fn start_sync(&mut self) -> Result<()> {
        let delivery = Delivery::open(&self.state).context("opening the delivery log")?;
        let audit = AuditLog::open(&self.state, "agent").context("opening the sync agent's audit chain")?;
        self.sync = Some(SyncAgent { delivery, audit, reader: None });
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

    fn kiosk(&mut self) -> Result<&mut KioskApp> {
        self.kiosk.as_mut().context("kiosk-app is not running")
    }

    /// A resident comes, finishes a case and leaves.
    pub fn visit(&mut self) -> Result<()> {
        let item = AuditCode::new(ITEM).context("the item's code")?;
        self.audit_kiosk(&[AuditEvent::SessionStarted])?;
        self.audit_kiosk(&[AuditEvent::ItemOpened { item }])?;
        let case = make_record(&mut self.chance, &self.story, RecordKind::Case, self.clock_ms);
        let record = AuditId::parse(&case.case_id).context("the record's name")?;
        self.commit(case)?;
        let seq = self.story.outbox.newest().records as u64;
        self.audit_kiosk(&[AuditEvent::CaseFinalised { record, item, seq, took: 12 }])?;
        self.print(seq as usize - 1, PrintState::Printing)?;
        self.audit_kiosk(&[AuditEvent::PrintRequested { record, again: PrintRequestedAgain::No }])?;
        let printed = if self.chance.once_in(9) { PrintState::Failed } else { PrintState::Confirmed(2) };
        self.print(seq as usize - 1, printed)?;
        if self.chance.once_in(3) {
            let rating = make_record(&mut self.chance, &self.story, RecordKind::Rating, self.clock_ms);
            self.commit(rating)?;
        }
        self.audit_kiosk(&[
            AuditEvent::SessionEnded { reason: SessionEndedReason::Finished, length: 90_000 },
            AuditEvent::SessionWiped,
        ])
    }

    fn commit(&mut self, handed: Handed) -> Result<()> {
        let kiosk = self.kiosk.as_mut().context("kiosk-app is not running")?;
        let at = self.story.outbox.newest().records;
        let print = handed.stub.as_ref().map(|stub| stub.print);
        let record = handed.record(kiosk.outbox.next_slot());
        self.story.handed.truncate(at);
        self.story.handed.push(handed);
        let commit = || kiosk.outbox.commit(record).context("committing a record");
        let change = |state: &mut OutboxState, _: &()| {
            state.records += 1;
            state.prints.extend(print.map(|print| (at, print)));
        };
        self.clock_ms += 90_000;
        match self.promise {
            Promise::AfterTheCommit => self.story.outbox.act(commit, change),
            Promise::BeforeTheCommit => self.story.outbox.act_promised_early(commit, change),
        }
    }

    fn print(&mut self, at: usize, print: PrintState) -> Result<()> {
        let case_id = self.story.handed[at].case_id.clone();
        let outbox = &mut self.kiosk.as_mut().context("kiosk-app is not running")?.outbox;
        self.story.outbox.act(
            || outbox.set_print_state(&case_id, print).context("noting a print state"),
            |state, ()| {
                state.prints.insert(at, print);
            },
        )
    }

    /// Prints the first receipt again and again, until the outbox's log file has this many bytes. The states between are
    /// not noted: cuts are judged only before and after.
    pub fn fill_outbox_log(&mut self, bytes: u64) -> Result<()> {
        let case_id = self.story.handed[0].case_id.clone();
        let log = self.state.join("outbox.db-wal");
        let outbox = &mut self.kiosk.as_mut().context("kiosk-app is not running")?.outbox;
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
        let delivery = &mut self.sync.as_mut().context("sync-agent is not running")?.delivery;
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
        let now = self.clock_ms;
        let rows: Vec<_> = events.iter().map(|event| (now, *event)).collect();
        self.story.audited[0].extend(rows.iter().map(|(at, event)| (*at, event.info().name)));
        let audit = &mut self.kiosk.as_mut().context("kiosk-app is not running")?.audit;
        self.story.audits[0]
            .act(|| audit.record_all(&rows).context("writing an audit row"), |count, ()| *count += rows.len())
    }

    fn audit_sync(&mut self, event: AuditEvent) -> Result<()> {
        let now = self.clock_ms;
        self.story.audited[1].push((now, event.info().name));
        let audit = &mut self.sync.as_mut().context("sync-agent is not running")?.audit;
        self.story.audits[1]
            .act(|| audit.record(now, &event).context("writing an audit row"), |count, ()| *count += 1)
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
        let delivery = &mut sync.delivery;
        let sync = heard(reader.incarnation(), now, ahead, self.story.delivery.newest());
        self.story.delivery.act(
            || delivery.record_sync(&sync).context("noting a hello"),
            |state, ()| state.last_sync = Some((now, ahead)),
        )?;
        let known = &self.story.delivery.newest().receipts;
        let first = (1..).find(|seq| !known.contains_key(seq)).unwrap_or(1);
        let waiting = reader.records(first, limit).context("reading the queue")?;
        let receipts: Vec<Acknowledgement> = waiting
            .iter()
            .filter(|record| !known.contains_key(&record.seq))
            .map(|record| receipt(reader.incarnation(), record.seq, &record.sha256, now))
            .collect();
        if receipts.is_empty() {
            return self.audit_sync(AuditEvent::HelloOk { waiting: 0 });
        }
        self.story.delivery.act(
            || delivery.record_receipts(&receipts).context("noting receipts"),
            |state, ()| {
                for receipt in &receipts {
                    state.attempts.remove(&receipt.seq);
                    state.receipts.insert(receipt.seq, Arc::new(receipt.clone()));
                }
            },
        )?;
        for receipt in &receipts {
            let record = AuditId::or_nil(&self.story.handed[receipt.seq as usize - 1].case_id);
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
        let delivery = &mut self.sync.as_mut().context("sync-agent is not running")?.delivery;
        self.story.delivery.act(
            || {
                let attempts = std::slice::from_ref(&attempt);
                delivery.record_attempts(&incarnation, attempts).context("noting an attempt")
            },
            |state, ()| {
                state.attempts.insert(seq, attempt.clone());
            },
        )
    }

    /// The city begins a new life, and what was not durable there is to be sent again.
    pub fn city_restored(&mut self) -> Result<()> {
        let known = self.story.delivery.newest();
        let last = known.receipts.keys().last().copied().unwrap_or(0);
        let durable = last.saturating_sub(2);
        let epoch = format!("epoch-{:016x}", self.chance.next());
        let incarnation = self.story.incarnation.clone().context("the queue has no name yet")?;
        let now = self.clock_ms;
        let delivery = &mut self.sync.as_mut().context("sync-agent is not running")?.delivery;
        let to_send_again = self.story.delivery.act(
            || delivery.forget_not_durable(&incarnation, durable, &epoch, now).context("noting a new epoch"),
            |state, _| {
                (state.epoch, state.durable) = (Some(epoch.clone()), 0);
                state.receipts.retain(|seq, _| *seq <= durable);
            },
        )?;
        self.audit_sync(AuditEvent::EpochChanged { to_send_again })
    }

    /// Checks that the running outbox thinks what the story says.
    pub fn head(&mut self) -> Result<u64> {
        Ok(self.kiosk()?.outbox.head())
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
        audited: [Vec::new(), Vec::new()],
        outbox: Track::new(OutboxState::default()),
        delivery: Track::new(Default::default()),
        audits: [Track::new(0), Track::new(0)],
    }
}

/// A sealed record: random bytes over what the resident entered, as a cipher leaves them. Cases have none, one or two
/// blobs, most of them small and some the size of a photo.
pub fn make_record(chance: &mut Chance, story: &Story, kind: RecordKind, at_ms: i64) -> Handed {
    let at = story.outbox.newest().records;
    let (high, low) = (chance.next(), chance.next());
    let case_id = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    );
    let length = match (kind, chance.below(16)) {
        (RecordKind::Rating | RecordKind::Void, _) => 400,
        (RecordKind::Case, 0) => 30_000,
        (RecordKind::Case, _) => 900 + chance.below(4000),
    };
    let ciphertext = sealed(chance, length);
    let is_case = kind == RecordKind::Case;
    let blobs = if is_case && chance.once_in(2) { 1 + chance.below(2) } else { 0 };
    let blobs = (0..blobs)
        .map(|_| {
            let length = if chance.once_in(6) { 300_000 } else { 200 + chance.below(9000) };
            let bytes = sealed(chance, length);
            (sha256(&bytes), bytes)
        })
        .collect();
    let sha256 = sha256(&ciphertext);
    let stub = is_case.then(|| Stub {
        case_id: case_id.clone(),
        case_number: format!("{TERMINAL}-{at:06}-7"),
        item: ITEM.into(),
        verification: format!("V{low:012x}"),
        finalised_at_ms: at_ms,
        print: PrintState::NotPrinted,
    });
    let manifest = format!("eyJhbGciOiJFUzI1NiJ9.{case_id}{sha256}{}.{}", "m".repeat(600), "s".repeat(86));
    Handed { case_id, kind, manifest, ciphertext, sha256, finalised_at_ms: at_ms, blobs, stub }
}

fn sealed(chance: &mut Chance, length: usize) -> Vec<u8> {
    let entered = ENTERED.join(" ").into_bytes();
    let mut bytes = vec![0; length];
    chance.fill(&mut bytes);
    for (byte, entered) in bytes.iter_mut().zip(entered.iter().cycle()) {
        *byte ^= entered;
    }
    bytes
}

/// SHA-256 in hex, as the store writes it.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
