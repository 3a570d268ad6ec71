//! One emulated terminal: the sync agent's pure plan decides, this does what it says and reports back, as the agent
//! does, with a real connection and verified answers. Its disk is memory.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use futures_util::future::join_all;
use hyper::Method;
use hyper::body::Bytes;
use rand::random;
use sync_agent::client::{Cause, Refused};
use sync_agent::plan::{Plan, Settings, Step};
use sync_protocol::ranges::RangeSet;
use sync_protocol::{
    CityReceiptPublicKey, HelloAnswer, HelloReply, HelloRequest, Ledger, PROTOCOL_VERSION, Receipt,
    ReceiptReply,
};
use tokio::time::{Instant, sleep};

use crate::keys::{self, CityKeys};
use crate::outage::Outage;
use crate::records::{Maker, Queue, Record, clock};
use crate::wire::{Line, Tls, Wire};

/// What all terminals share.
pub struct Surroundings {
    /// The way to the city.
    pub wire: Wire,
    /// With which its words are checked.
    pub city: CityReceiptPublicKey,
    /// Time zero of the terminals' clock, which is the end of the outage.
    pub begun: Instant,
    /// What the clock showed then, milliseconds.
    pub begun_ms: u64,
    /// After so long without a request a connection is closed.
    pub idle: Duration,
}

impl Surroundings {
    fn now_ms(&self) -> u64 {
        self.begun_ms + u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// See the module.
pub struct Terminal {
    number: usize,
    code: String,
    incarnation: String,
    tls: Tls,
    plan: Plan,
    records: Vec<Record>,
    continuity: Option<String>,
    line: Option<Line>,
    used: Instant,
}

/// What a terminal went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passed {
    /// Verified hellos.
    pub hellos: u64,
    /// Hellos without a believable answer.
    pub hellos_failed: u64,
    /// Records that were refused, or lost with their connection; each was sent again.
    pub records_failed: u64,
}

impl Terminal {
    /// Makes a terminal with so many records that nobody has finalised yet.
    pub fn make(
        number: usize,
        keys: &CityKeys,
        maker: &Maker,
        wire: &Wire,
        settings: Settings,
        records: u64,
    ) -> Result<Self> {
        let code = keys::code(number);
        let identity = keys.enrol(&code)?;
        let incarnation = uuid::Uuid::new_v4().to_string();
        let queue = Queue { key: &identity.key, code: &code, incarnation: &incarnation };
        let records = maker.chain(&queue, records)?;
        let plan = Plan::new(settings, RangeSet::new(), &[]);
        let (tls, used) = (wire.tls(&identity), Instant::now());
        Ok(Self { number, code, incarnation, tls, plan, records, continuity: None, line: None, used })
    }

    /// The day before: connects with its certificate, says hello with an empty queue, keeps the session's ticket and
    /// hangs up.
    pub async fn meet(&mut self, around: &Surroundings) -> Result<()> {
        for tried in 1.. {
            self.plan.hello_started(0);
            match self.hello(around).await {
                Ok(answer) => {
                    self.plan.hello_answered(0, &RangeSet::new(), answer.send_allowance, 0, random());
                    break;
                }
                Err(refused) if tried == 10 => bail!("{} was never answered: {refused:?}", self.code),
                Err(refused) => {
                    self.plan.hello_failed(0, refused.retry_after_ms, random());
                    self.line = None;
                    sleep(Duration::from_millis(100 * tried)).await;
                }
            }
        }
        self.line = None;
        Ok(())
    }

    /// Nothing goes through for long, and residents come all the same, at any time of the first half.
    pub fn endure(&mut self, outage: &Outage) {
        let mut finalised: Vec<u64> =
            self.records.iter().map(|_| rand::random_range(0..outage.lasts_ms / 2)).collect();
        finalised.sort_unstable();
        outage.endure(&mut self.plan, &finalised, random);
    }

    /// Delivers everything. `delivered` is called for each record when its receipt has been verified.
    pub async fn deliver(mut self, around: Arc<Surroundings>, delivered: impl Fn()) -> Result<Passed> {
        let mut passed = Passed::default();
        while self.plan.waiting_count() > 0 {
            let now = around.now_ms();
            self.plan.tick(now);
            match self.plan.next(now) {
                Step::Hello => {
                    self.plan.hello_started(now);
                    let answer = self.hello(&around).await;
                    self.heard(around.now_ms(), answer, &mut passed);
                }
                Step::Send(seqs) => self.send(&around, &seqs, &mut passed, &delivered).await,
                Step::Complete(seq) => {
                    bail!("{} has no blobs, but {seq} is said to wait for some", self.code)
                }
                Step::Wait { until_ms } => self.wait(&around, Duration::from_millis(until_ms - now)).await,
            }
        }
        // Nothing is left to send; the connection stays until it was idle for too long.
        self.wait(&around, around.idle + Duration::from_millis(1)).await;
        Ok(passed)
    }

    /// Waits, and hangs up on the way when the connection has been idle for long enough.
    async fn wait(&mut self, around: &Surroundings, time: Duration) {
        let until = Instant::now() + time.max(Duration::from_millis(1));
        let hang_up = self.used + around.idle;
        if self.line.is_some() && hang_up < until {
            tokio::time::sleep_until(hang_up).await;
            self.line = None;
        }
        tokio::time::sleep_until(until).await;
    }

    fn heard(&mut self, now: u64, answer: Result<HelloAnswer, Refused>, passed: &mut Passed) {
        match answer {
            Ok(answer) => {
                passed.hellos += 1;
                let retry_after_ms = u64::from(answer.retry_after_s) * 1000;
                let received = RangeSet::from(answer.received);
                let held =
                    self.plan.hello_answered(now, &received, answer.send_allowance, retry_after_ms, random());
                passed.records_failed += held.len() as u64;
            }
            Err(refused) => {
                passed.hellos_failed += 1;
                self.line = None;
                self.plan.hello_failed(now, refused.retry_after_ms, random());
            }
        }
    }

    async fn hello(&mut self, around: &Surroundings) -> Result<HelloAnswer, Refused> {
        self.connected(around).await?;
        let waiting = self.plan.waiting_count();
        let issued = if around.begun_ms == 0 { 0 } else { self.records.len() as u64 };
        let request = HelloRequest {
            version: PROTOCOL_VERSION,
            terminal: self.code.clone(),
            incarnation: self.incarnation.clone(),
            finalised_seq: issued,
            oldest_unacked_age_s: (waiting > 0).then_some(around.begun_ms / 1000),
            agent_version: "emulated".into(),
            clock: clock(),
            nonce: Some(format!("{:032x}", random::<u128>())),
            head_hash: usize::try_from(issued)
                .ok()
                .and_then(|issued| Some(self.records.get(issued.checked_sub(1)?)?.manifest_hash.clone())),
            continuity: self.continuity.clone(),
            tpm_counter: None,
            earlier: Vec::new(),
            ledger: Some(Ledger { issued, acknowledged: issued - waiting, waiting, ..Ledger::default() }),
            catalog_version: None,
            disk_used_percent: Some(12),
        };
        let body = Bytes::from(serde_json::to_vec(&request).map_err(|_| Cause::NotJson)?);
        let answer = self.ask(around, Method::POST, "/v1/hello", body).await?;
        let reply: HelloReply = serde_json::from_slice(&answer).map_err(|_| Cause::NotJson)?;
        let answer = HelloAnswer::verify(&reply.hello, &around.city).map_err(|_| Cause::NotVerified)?;
        if answer.terminal != self.code || answer.nonce != request.nonce {
            return Err(Cause::Other.into());
        }
        if answer.continuity.is_some() {
            self.continuity.clone_from(&answer.continuity);
        }
        Ok(answer)
    }

    async fn send(
        &mut self,
        around: &Surroundings,
        seqs: &[u64],
        passed: &mut Passed,
        delivered: &impl Fn(),
    ) {
        if let Err(refused) = self.connected(around).await {
            let now = around.now_ms();
            for &seq in seqs {
                self.plan.sent(seq, now);
                self.plan.failed(seq, refused.failure(), now, random());
            }
            return;
        }
        let now = around.now_ms();
        seqs.iter().for_each(|&seq| self.plan.sent(seq, now));
        let this = &*self;
        let answers = join_all(seqs.iter().map(|&seq| async move {
            let receipt = this.put(around, seq).await;
            if receipt.is_ok() {
                delivered();
            }
            (seq, receipt)
        }))
        .await;
        self.used = Instant::now();
        let now = around.now_ms();
        for (seq, receipt) in answers {
            match receipt {
                Ok(receipt) => {
                    self.plan.receipt_came(seq, now);
                    self.plan.receipt_noted(seq, receipt.complete);
                }
                Err(refused) => {
                    passed.records_failed += 1;
                    self.plan.failed(seq, refused.failure(), now, random());
                    self.line.take_if(|line| line.is_closed());
                }
            }
        }
    }

    async fn put(&self, around: &Surroundings, seq: u64) -> Result<Receipt, Refused> {
        let record = &self.records[seq as usize - 1];
        let path = format!("/v1/records/{}", record.case_id);
        let answer = self.ask(around, Method::PUT, &path, record.body.clone()).await?;
        let reply: ReceiptReply = serde_json::from_slice(&answer).map_err(|_| Cause::NotJson)?;
        let receipt = Receipt::verify(&reply.receipt, &around.city).map_err(|_| Cause::NotVerified)?;
        let fits = receipt.matches(&self.code, &self.incarnation, seq, &record.case_id, &record.sha256);
        if fits { Ok(receipt) } else { Err(Cause::Other.into()) }
    }

    async fn ask(
        &self,
        around: &Surroundings,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Bytes, Refused> {
        let line = self.line.as_ref().ok_or(Cause::Connect)?;
        around.wire.ask(line, method, path, body).await
    }

    /// Makes sure there is a connection.
    async fn connected(&mut self, around: &Surroundings) -> Result<(), Refused> {
        if self.line.as_ref().is_none_or(Line::is_closed) {
            self.line = Some(around.wire.connect(self.number, &self.tls).await?);
        }
        self.used = Instant::now();
        Ok(())
    }
}
