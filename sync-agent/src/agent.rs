//! The agent: looks at the outbox, asks the plan, does what it says, and reports back to it what happened.

mod answers;
mod completion;
mod given_back;
mod lives;
mod local;
mod tpm;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use kiosk_store::{Attempt, AuditBook, DeliveryReader, OutboxReader, StoreError, disk_used_percent};
use sync_protocol::ranges::RangeSet;
use sync_protocol::{HelloAnswer, HelloRequest, Ledger, PROTOCOL_VERSION, SealedRecord};
use tokio::sync::{mpsc, watch};

use crate::Config;
use crate::catalog::CatalogThread;
use crate::client::{Cause, CityClient, GoodReceipt, RecordName, Refused};
use crate::clock::Clock;
use crate::journal::{Journal, JournalWork, NOTED, Noted, open_delivery};
use crate::local_socket::{LocalSocket, Wish};
use crate::plan::{Plan, Retry, Step};
use crate::surroundings::{Machine, Surroundings};
use crate::throttle::Throttle;
use crate::tpm::thread::{NoteWish, TpmThread};

/// Most sealed bytes under way at once, beyond the first record: keeps memory flat whatever the records weigh.
const BYTES_UNDER_WAY: usize = 16 * 1024 * 1024;

/// Answers that may wait to be looked at; the tasks that bring them wait as well.
const EVENTS: usize = 256;

/// How long a clean stop waits for answers that are under way.
const STOP_WITHIN_MS: u64 = 3_000;

/// Why the agent cannot work.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A key or certificate is missing or unusable.
    #[error("keys/{0} is missing or unusable")]
    Key(&'static str),
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls,
    /// A thread could not be started.
    #[error("a thread could not be started: {0:?}")]
    Thread(std::io::ErrorKind),
    /// There is no certificate.
    #[error("this terminal could not be enrolled")]
    Enrol(#[source] crate::enrol::EnrolError),
    /// A store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What comes back from tasks.
enum Event {
    Hello(Result<HelloAnswer, Refused>),
    Put { name: RecordName, bytes: usize, result: Result<GoodReceipt, Refused> },
    Completion { name: RecordName, result: Result<GoodReceipt, Refused> },
    Local(Wish),
    Tpm(NoteWish),
}

/// The agent of one terminal.
pub struct Agent {
    config: Config,
    around: Arc<dyn Surroundings>,
    clock: Clock,
    client: CityClient,
    /// Looks after the signed catalog, where there is a root of trust for it.
    catalog: Option<CatalogThread>,
    /// Asks the machine's TPM, where `terminal.toml` names one.
    tpm: Option<TpmThread>,
    journal: Journal,
    noted: mpsc::Receiver<Noted>,
    events: mpsc::Receiver<Event>,
    report: mpsc::Sender<Event>,
    queue: Option<Queue>,
    bytes_under_way: usize,
    epoch: Option<String>,
    last_sync_ms: Option<i64>,
    /// Token of the last answer to hello.
    continuity: Option<String>,
    /// Hellos said so far.
    hellos: u64,
    /// The last hello that had a verified answer, by its number, for whoever waits for one.
    reached: watch::Sender<u64>,
    throttle: Throttle,
    _socket: Option<LocalSocket>,
    /// Name of the life of the queue that had the last turn.
    served_last: Option<String>,
    /// What the last hello was, so that only changes are logged and audited.
    reachable: Option<Result<(), Cause>>,
}

/// The outbox as the agent sees it, with the plan for it.
struct Queue {
    reader: OutboxReader,
    plan: Plan,
    head: u64,
    /// Why the last answer to a record was not believed.
    causes: BTreeMap<u64, Cause>,
    /// Whether this is the life that goes on.
    is_newest: bool,
    /// Whether another life has something to deliver too.
    others_wait: bool,
    opened_ms: u64,
}

impl Queue {
    fn look(&mut self) -> Result<(), StoreError> {
        self.head = self.reader.head()?;
        self.plan.queue_ends_at(self.head);
        Ok(())
    }

    /// The books of this queue. Bytes are counted for the first ranges only: many gaps are rare, and a hello is often.
    fn ledger(&self) -> Ledger {
        const RANGES: usize = 8;
        let waiting = self.plan.waiting_count();
        let ranges = self.plan.waiting_ranges().take(RANGES);
        let waiting_bytes =
            ranges.filter_map(|(first, last)| self.reader.bytes_between(first, last).ok()).sum();
        Ledger {
            issued: self.head,
            acknowledged: self.head.saturating_sub(waiting),
            waiting,
            side_lane: self.plan.side_lane_count(),
            voided: 0,
            waiting_bytes,
        }
    }
}

impl Agent {
    /// Opens the agent's own files and reads the keys. Does not connect.
    pub fn new(config: Config) -> Result<Self, AgentError> {
        let machine: Arc<dyn Surroundings> = Machine::start();
        let client = CityClient::new(&config, Arc::clone(&machine))?;
        let (mut agent, work) = Self::standing_on(machine, client, config)?;
        agent.journal.start(work)?;
        agent.catalog = CatalogThread::start(&agent.config, &agent.clock, &agent.client)?;
        agent.ask_tpm()?;
        Ok(agent)
    }

    /// The same on other surroundings. Whoever calls this has the journal's work done, beside the agent.
    pub fn standing_on(
        around: Arc<dyn Surroundings>,
        client: CityClient,
        config: Config,
    ) -> Result<(Self, JournalWork), AgentError> {
        let delivery = open_delivery(&config.state)?;
        let mut audit = AuditBook::new(&config.state, "agent");
        if let Err(error) = audit.write() {
            tracing::error!(%error, "the audit chain cannot be opened; what is to be noted waits");
        }
        let (epoch, last_sync_ms) = (delivery.epoch()?, delivery.last_sync_ms()?);
        let (tell_noted, noted) = mpsc::channel(NOTED);
        let (report, events) = mpsc::channel(EVENTS);
        let (journal, work) = Journal::new(&config.state, delivery, audit, tell_noted);
        let clock = Clock::of(&around);
        let (queue, bytes_under_way, reachable) = (None, 0, None);
        let (reached, _) = watch::channel(0);
        let throttle = Throttle::new(config.sync.bandwidth.clone());
        let agent = Self {
            config,
            around,
            clock,
            client,
            catalog: None,
            tpm: None,
            journal,
            noted,
            events,
            report,
            queue,
            bytes_under_way,
            epoch,
            last_sync_ms,
            continuity: None,
            hellos: 0,
            reached,
            throttle,
            _socket: None,
            served_last: None,
            reachable,
        };
        Ok((agent, work))
    }

    /// Works until `stop` is ready, then waits a moment for what is under way.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        tracing::info!(terminal = %self.config.terminal, "sync agent started");
        self.open_socket();
        let _keeper = self.client.keep_certificate();
        self.deliver(stop).await;
        tracing::info!("sync agent stopped");
    }

    /// The same without the socket for live questions, the signed catalog and the renewal of the certificate.
    pub async fn deliver(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let (mut look_at, mut tick_at) = (0, 0);
        loop {
            if self.clock.now_ms() >= tick_at {
                self.tick();
                tick_at = self.clock.now_ms() + self.config.sync.tick_ms;
            }
            if self.clock.now_ms() >= look_at {
                self.look_at_outbox();
                look_at = self.clock.now_ms() + self.config.sync.poll_ms;
            }
            let due_ms = self.act();
            let wake_at = look_at.min(tick_at).min(self.clock.now_ms() + due_ms);
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(noted) = self.noted.recv() => self.on_noted(noted),
                Some(event) = self.events.recv() => self.on_event(event).await,
                () = self.around.sleep_until(wake_at) => {}
            }
            self.drain().await;
        }
        self.finish().await;
    }

    /// Takes everything that has already come, so that one round of planning serves it all.
    async fn drain(&mut self) {
        while let Ok(noted) = self.noted.try_recv() {
            self.on_noted(noted);
        }
        while let Ok(event) = self.events.try_recv() {
            self.on_event(event).await;
        }
    }

    async fn finish(&mut self) {
        let deadline = self.clock.now_ms() + STOP_WITHIN_MS;
        while self.queue.as_ref().is_some_and(|queue| !queue.plan.is_quiet()) {
            tokio::select! {
                () = self.around.sleep_until(deadline) => break,
                Some(noted) = self.noted.recv() => self.on_noted(noted),
                Some(event) = self.events.recv() => self.on_event(event).await,
            }
        }
    }

    fn tick(&mut self) {
        let now = self.clock.now_ms();
        if let Some(queue) = &mut self.queue {
            queue.plan.tick(now);
        }
    }

    /// Notices the outbox, new records in it, and a new outbox in its place.
    fn look_at_outbox(&mut self) {
        if self.queue.as_ref().is_some_and(|queue| !queue.reader.is_current()) {
            tracing::warn!("the outbox was replaced, or goes on in a new life");
            self.queue = None;
            // What was just left has the next turn: its records are older than any of the new life.
            self.served_last = None;
        }
        if self.queue.as_ref().is_some_and(|queue| self.has_had_its_turn(queue)) {
            self.queue = None;
        }
        let looked = match &mut self.queue {
            Some(queue) => queue.look(),
            None => self.open_outbox(),
        };
        if let Err(error) = looked {
            // The kiosk may be making it just now; the next look tells.
            tracing::warn!(%error, "the outbox cannot be read");
            self.queue = None;
        }
    }

    fn open_outbox(&mut self) -> Result<(), StoreError> {
        let Some(log) = DeliveryReader::open(&self.config.state)? else { return Ok(()) };
        let Some((reader, others_wait)) = self.open_life(&log)? else { return Ok(()) };
        let is_newest = reader.incarnations()?.last().is_some_and(|last| last == reader.incarnation());
        let acknowledged = RangeSet::from(log.acknowledged(reader.incarnation())?);
        let (now, wall) = (self.clock.now_ms(), self.clock.wall_ms());
        let retry = |attempt: Attempt| Retry {
            seq: attempt.seq,
            refusals: attempt.failures,
            // Kept as wall time; a clock that jumped since must not park a record for years (the tick clamps it).
            due_ms: now.saturating_add_signed(attempt.next_attempt_ms.saturating_sub(wall)),
            side_lane: attempt.side_lane,
        };
        let retries: Vec<Retry> = log.attempts(reader.incarnation())?.into_iter().map(retry).collect();
        let mut plan = Plan::new(self.config.sync.settings(), acknowledged, &retries);
        plan.incomplete_are(log.incomplete(reader.incarnation())?);
        self.continuity = log.continuity(reader.incarnation())?;
        plan.tick(now);
        let (causes, opened_ms) = (BTreeMap::new(), now);
        let mut queue = Queue { reader, plan, head: 0, causes, is_newest, others_wait, opened_ms };
        queue.look()?;
        tracing::info!(head = queue.head, waiting = queue.plan.waiting_count(), "outbox opened");
        self.queue = Some(queue);
        Ok(())
    }

    /// Does what the plan says until it says wait; returns how long, in milliseconds.
    fn act(&mut self) -> u64 {
        if self.tpm_is_awaited() {
            return self.config.sync.poll_ms;
        }
        loop {
            let now = self.clock.now_ms();
            let Some(queue) = &mut self.queue else { return self.config.sync.poll_ms };
            match queue.plan.next(now) {
                Step::Hello => {
                    queue.plan.hello_started(now);
                    self.hellos += 1;
                    self.say_hello();
                }
                Step::Send(seqs) => {
                    if self.send(&seqs) == 0 {
                        return self.config.sync.poll_ms;
                    }
                }
                Step::Complete(seq) => self.complete(seq),
                Step::Wait { until_ms } => return (until_ms - now).max(1),
            }
        }
    }

    fn say_hello(&self) {
        let Some(queue) = &self.queue else { return };
        let wall = self.clock.wall_ms();
        let oldest =
            queue.plan.oldest_waiting().and_then(|seq| queue.reader.finalised_at_ms(seq).ok().flatten());
        let request = HelloRequest {
            version: PROTOCOL_VERSION,
            terminal: self.config.terminal.clone(),
            incarnation: queue.reader.incarnation().to_owned(),
            finalised_seq: queue.head,
            oldest_unacked_age_s: oldest.map(|then| u64::try_from((wall - then) / 1000).unwrap_or(0)),
            agent_version: env!("CARGO_PKG_VERSION").into(),
            clock: self.clock.evidence(self.last_sync_ms),
            nonce: Some(format!("{:016x}{:016x}", self.around.random(), self.around.random())),
            head_hash: queue.reader.manifest_hash(queue.head).ok().flatten(),
            continuity: self.continuity.clone(),
            tpm_counter: self.tpm_counter(),
            earlier: Vec::new(),
            ledger: Some(queue.ledger()),
            catalog_version: self.catalog.as_ref().and_then(CatalogThread::number).map(|n| n.to_string()),
            disk_used_percent: disk_used_percent(&self.config.state),
        };
        let (client, report) = (self.client.clone(), self.report.clone());
        self.around.spawn(Box::pin(async move {
            let result = client.hello(&request).await;
            let _ = report.send(Event::Hello(result)).await;
        }));
    }

    /// Sends as many of these as memory allows and returns how many.
    fn send(&mut self, seqs: &[u64]) -> usize {
        let Some(queue) = &mut self.queue else { return 0 };
        let now = self.clock.now_ms();
        let mut sent = 0;
        for &seq in seqs {
            if self.bytes_under_way >= BYTES_UNDER_WAY {
                break;
            }
            let stored = match queue.reader.record(seq) {
                Ok(Some(stored)) => stored,
                Ok(None) if let Some(known_as) = queue.given_back(seq) => {
                    queue.plan.sent(seq, now);
                    sent += 1;
                    let (client, report) = (self.client.clone(), self.report.clone());
                    self.around.spawn(Box::pin(async move {
                        let (name, result) = known_as.receipt(&client).await;
                        let _ = report.send(Event::Put { name, bytes: 0, result }).await;
                    }));
                    continue;
                }
                Ok(None) | Err(_) => {
                    tracing::error!(seq, "a record cannot be read from the outbox");
                    queue.plan.unreadable(seq, now, self.around.random());
                    continue;
                }
            };
            let bytes = stored.ciphertext.len();
            let name = RecordName {
                incarnation: queue.reader.incarnation().to_owned(),
                seq,
                case_id: stored.case_id,
                sha256: Some(stored.sha256),
            };
            queue.plan.sent(seq, now);
            self.bytes_under_way += bytes;
            sent += 1;
            let record = SealedRecord { manifest: stored.manifest, ciphertext: stored.ciphertext };
            let (client, report) = (self.client.clone(), self.report.clone());
            self.around.spawn(Box::pin(async move {
                let result = client.put(&name, &record).await;
                let _ = report.send(Event::Put { name, bytes, result }).await;
            }));
        }
        sent
    }
}
