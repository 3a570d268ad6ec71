//! One gateway under load: terminals that send one case after the other, a steady rate, and the store by itself.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use city_gateway::store::postgres::PostgresStore;
use city_gateway::store::{Arrival, InboxStore, Kept, Kind, Place};
use hyper::Method;
use sync_protocol::{CityReceiptPublicKey, Receipt, ReceiptReply, SealedRecord};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::city::{City, project};
use crate::keys::{Identity, code};
use crate::records::{Maker, Queue, Record};
use crate::wire::{Line, Tls, Wire};

/// What a record consists of, for rows that are as large as true ones.
pub struct Sample {
    /// A signed manifest.
    pub manifest: String,
    /// A sealed content.
    pub ciphertext: Vec<u8>,
    /// Its hash.
    pub sha256: String,
}

/// Terminals that are connected to one gateway.
pub struct Load {
    wire: Wire,
    city: CityReceiptPublicKey,
    maker: Maker,
    terminals: Vec<(Identity, Tls)>,
}

/// A connected terminal with records to send.
struct Sender {
    line: Line,
    code: String,
    incarnation: String,
    records: Vec<Record>,
}

impl Load {
    /// So many terminals of this city.
    pub fn new(city: &City, terminals: usize) -> Result<Self> {
        let wire = Wire::new(city.terminals, city.keys.authorities.clone())?;
        let maker = Maker::new(&project().join("assets/catalog"), &city.keys.recipient)?;
        let terminals = (0..terminals).map(|number| {
            let identity = city.keys.enrol(&code(number))?;
            let tls = wire.tls(&identity);
            Ok((identity, tls))
        });
        let terminals = terminals.collect::<Result<_>>()?;
        Ok(Self { wire, city: city.keys.receipt.clone(), maker, terminals })
    }

    /// What its records consist of.
    pub fn sample(&self) -> Result<Sample> {
        let (identity, _) = self.terminals.first().context("there is a terminal")?;
        let queue = Queue { key: &identity.key, code: &identity.code, incarnation: "sample" };
        let record = self.maker.chain(&queue, 1)?.pop().context("a record was made")?;
        let SealedRecord { manifest, ciphertext } = SealedRecord::from_json(&record.body)?;
        Ok(Sample { manifest, ciphertext, sha256: record.sha256 })
    }

    /// How many cases a second so many terminals deliver, one after the other each, every receipt verified.
    pub async fn rate(&self, terminals: usize, each: u64) -> Result<f64> {
        let senders = self.senders(terminals, each).await?;
        let begun = Instant::now();
        let work = senders.iter().map(async |sender| {
            for at in 0..sender.records.len() {
                self.put(sender, at).await?;
            }
            anyhow::Ok(())
        });
        futures_util::future::try_join_all(work).await?;
        Ok((terminals as u64 * each) as f64 / begun.elapsed().as_secs_f64())
    }

    /// Milliseconds of each case from the moment it was meant to be sent, at so many a second from all terminals. A
    /// city that is slow for a while is not spared the cases that would have come meanwhile.
    pub async fn paced(self: &Arc<Self>, rate: u32, seconds: u64) -> Result<Vec<f64>> {
        let terminals = self.terminals.len() as u64;
        let each = (u64::from(rate) * seconds).div_ceil(terminals);
        let senders = Arc::new(self.senders(self.terminals.len(), each).await?);
        let (begun, mut under_way) = (Instant::now() + Duration::from_millis(100), JoinSet::new());
        for number in 0..each * terminals {
            let meant = begun + Duration::from_secs_f64(number as f64 / f64::from(rate));
            sleep_until(meant).await;
            let (load, senders) = (Arc::clone(self), Arc::clone(&senders));
            let (which, at) = ((number % terminals) as usize, (number / terminals) as usize);
            under_way.spawn(async move {
                load.put(&senders[which], at).await?;
                anyhow::Ok(meant.elapsed().as_secs_f64() * 1000.0)
            });
        }
        let mut times = Vec::new();
        while let Some(time) = under_way.join_next().await {
            times.push(time??);
        }
        Ok(times)
    }

    /// Connects terminals and makes their records, each in a new life of its queue.
    async fn senders(&self, terminals: usize, each: u64) -> Result<Vec<Sender>> {
        ensure!(terminals <= self.terminals.len(), "there are fewer terminals");
        let chosen = &self.terminals[..terminals];
        let mut queues = self.records(chosen, each)?;
        let mut senders = Vec::new();
        for (number, (identity, tls)) in chosen.iter().enumerate() {
            let line = self.wire.connect(number, tls).await;
            let line = line.map_err(|refused| anyhow::anyhow!("cannot connect: {refused:?}"))?;
            let (incarnation, records) = queues.pop().context("a queue for each")?;
            senders.push(Sender { line, code: identity.code.clone(), incarnation, records });
        }
        Ok(senders)
    }

    /// In the opposite order of the terminals. On every core, because sealing and signing take their time.
    fn records(&self, terminals: &[(Identity, Tls)], each: u64) -> Result<Vec<(String, Vec<Record>)>> {
        let make = |(identity, _): &(Identity, Tls)| {
            let incarnation = uuid::Uuid::new_v4().to_string();
            let queue = Queue { key: &identity.key, code: &identity.code, incarnation: &incarnation };
            let records = self.maker.chain(&queue, each)?;
            anyhow::Ok((incarnation, records))
        };
        let (first, second) = terminals.split_at(terminals.len() / 2);
        let half = |half: &[(Identity, Tls)]| half.iter().rev().map(make).collect::<Result<Vec<_>>>();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| half(second));
            let first = half(first)?;
            let mut all = other.join().map_err(|_| anyhow::anyhow!("records could not be made"))??;
            all.extend(first);
            Ok(all)
        })
    }

    async fn put(&self, sender: &Sender, at: usize) -> Result<()> {
        let record = &sender.records[at];
        let path = format!("/v1/records/{}", record.case_id);
        let answer = self.wire.ask(&sender.line, Method::PUT, &path, record.body.clone()).await;
        let answer = answer.map_err(|refused| anyhow::anyhow!("a case was refused: {refused:?}"))?;
        let reply: ReceiptReply = serde_json::from_slice(&answer)?;
        let receipt = Receipt::verify(&reply.receipt, &self.city)?;
        let Sender { code, incarnation, .. } = sender;
        let fits = receipt.matches(code, incarnation, at as u64 + 1, &record.case_id, &record.sha256);
        ensure!(fits, "a receipt speaks of another record");
        Ok(())
    }
}

/// How many records a second the gateway's store keeps by itself when so many are always waiting: what groups of
/// records in one statement are worth. No TLS, no signatures, no opener.
pub async fn store_rate(
    store: &Arc<PostgresStore>,
    sample: &Sample,
    records: u64,
    waiting: u64,
) -> Result<f64> {
    let mut queues: Vec<Vec<Arrival>> =
        (0..waiting).map(|queue| arrivals(sample, queue, records / waiting)).collect();
    let (begun, mut under_way) = (Instant::now(), JoinSet::new());
    for queue in queues.drain(..) {
        let store = Arc::clone(store);
        under_way.spawn(async move {
            for arrival in queue {
                let acceptance = store.accept(arrival).await?;
                ensure!(acceptance.kept == Kept::Inbox && !acceptance.again, "a record was not new");
            }
            Ok(())
        });
    }
    while let Some(ended) = under_way.join_next().await {
        ended??;
    }
    Ok((records / waiting * waiting) as f64 / begun.elapsed().as_secs_f64())
}

fn arrivals(sample: &Sample, queue: u64, count: u64) -> Vec<Arrival> {
    let incarnation = uuid::Uuid::new_v4().to_string();
    let arrival = |seq| {
        let case_id = uuid::Uuid::new_v4().to_string();
        Arrival {
            place: Place { terminal: code(queue as usize), incarnation: incarnation.clone(), seq },
            verification: case_id[..20].to_owned(),
            case_id,
            kind: Kind::Case,
            about: None,
            case_number: "F00001-ABCDEFGH-0".into(),
            item: "12345-appeal".into(),
            item_version: 1,
            sha256: sample.sha256.clone(),
            manifest_hash: sample.sha256.clone(),
            manifest: sample.manifest.clone(),
            ciphertext: sample.ciphertext.clone(),
            blobs: Vec::new(),
            received_at_ms: 1_795_327_500_000,
        }
    };
    (1..=count).map(arrival).collect()
}
