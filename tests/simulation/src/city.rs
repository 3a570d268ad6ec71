//! The city of a run: the true gateway on a folder, up or down, with its copies; and what is checked whenever it
//! answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use city_gateway::simulation::{Caller, City, CityKeys};
use city_gateway::store::{InboxRow, Page, Status};
use city_gateway::{Budget, Config};
use sync_protocol::{Receipt, ReceiptReply, sha256_hex};
use tokio::runtime::Runtime;

use crate::truth::Truth;

/// The one item of the catalog.
const ITEM: &str = include_str!("../../../city-gateway/tests/gateway/item.toml");
/// Its code.
pub const ITEM_CODE: &str = "test-appeal";
/// Its version.
pub const ITEM_VERSION: u32 = 3;

/// A request as it crosses the network.
#[derive(Clone)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// An answer as it crosses the network.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// See the module.
pub struct CityHouse {
    runtime: Runtime,
    folder: PathBuf,
    config: Config,
    keys: CityKeys,
    gateway: Option<City>,
    copies: u32,
}

impl CityHouse {
    /// Makes the folders and starts the gateway.
    pub fn build(folder: &Path, keys: CityKeys) -> Result<Self> {
        let items = folder.join("catalog/items");
        std::fs::create_dir_all(&items)?;
        std::fs::write(items.join(format!("{ITEM_CODE}.toml")), ITEM)?;
        let text = "[listen]\nterminals = \"127.0.0.1:0\"\ncity = \"127.0.0.1:0\"\n\
             [paths]\nstate = \"state\"\nkeys = \"keys\"\ncatalog = \"catalog\"\n\
             [limits]\nrequest_seconds = 3600\nblob_request_seconds = 3600\n";
        let file = folder.join("gateway.toml");
        std::fs::write(&file, text)?;
        let config = Config::load(&file)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut house = Self { runtime, folder: folder.to_owned(), config, keys, gateway: None, copies: 0 };
        house.start()?;
        Ok(house)
    }

    /// Starts the gateway when it is down.
    pub fn start(&mut self) -> Result<()> {
        if self.gateway.is_none() {
            let started = self.runtime.block_on(City::start(&self.config, &self.keys));
            self.gateway = Some(started.context("the gateway does not start")?);
        }
        Ok(())
    }

    /// Ends the gateway.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(gateway) = self.gateway.take() {
            self.runtime.block_on(gateway.stop())?;
        }
        Ok(())
    }

    /// Whether it is up.
    pub fn is_up(&self) -> bool {
        self.gateway.is_some()
    }

    /// Sets what the city and each terminal may send in a second; holds from the next start.
    pub fn budget(&mut self, records: u32) {
        let mib = if records < 100 { 1 } else { 64 };
        let budget = Budget { records_per_second: records, mib_per_second: mib, blob_mib_per_second: mib };
        self.config.limits.city = budget.clone();
        self.config.limits.terminal = budget;
    }

    /// Life of the store.
    pub fn epoch(&self) -> Option<&str> {
        self.gateway.as_ref().map(City::epoch)
    }

    /// Answers, when it is up, and checks what it said.
    pub fn answer(&mut self, caller: &Caller, asked: &Asked, truth: &mut Truth) -> Result<Option<Answered>> {
        let Some(gateway) = &self.gateway else { return Ok(None) };
        let mut request = Request::builder().method(asked.method.clone()).uri(&asked.path);
        if let Some(headers) = request.headers_mut() {
            headers.clone_from(&asked.headers);
            headers.insert("content-length", asked.body.len().into());
        }
        let request = request.body(Body::from(asked.body.clone()))?;
        let answered = self.runtime.block_on(async {
            let response = gateway.answer(caller, request).await;
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await?.to_vec();
            anyhow::Ok(Answered { status: parts.status.as_u16(), headers: parts.headers, body })
        })?;
        if answered.status == StatusCode::OK.as_u16()
            && let Ok(reply) = serde_json::from_slice::<ReceiptReply>(&answered.body)
        {
            self.check_receipt(&reply.receipt, truth)?;
        }
        Ok(Some(answered))
    }

    /// A receipt is signed: then the record is there, and with it its blobs when it says so.
    fn check_receipt(&self, jws: &str, truth: &mut Truth) -> Result<()> {
        let Some(gateway) = &self.gateway else { return Ok(()) };
        let receipt = Receipt::unverified(jws)?;
        truth.receipts.insert(jws.to_owned());
        let held = gateway.book().record(&receipt.terminal, &receipt.case_id, Some(&receipt.sha256));
        if self.runtime.block_on(held)?.is_none() {
            truth.violated(format!("a receipt was signed for record {} and it is not held", receipt.seq));
        }
        if receipt.complete {
            self.check_blobs(&receipt.case_id, "a receipt says complete", truth)?;
        }
        Ok(())
    }

    /// Whether all blobs of a record are whole, looked up in the store of bytes and not in any index.
    pub fn check_blobs(&self, case_id: &str, why: &str, truth: &mut Truth) -> Result<()> {
        let Some(record) = truth.record(case_id) else { return Ok(()) };
        let (number, blobs) = (record.number, record.blobs.clone());
        for sha256 in blobs {
            if !self.has_blob(&sha256)? {
                truth.violated(format!("{why}, but a blob of promise {number} is not whole in the city"));
            }
        }
        Ok(())
    }

    /// Whether the city has a blob, byte for byte.
    pub fn has_blob(&self, sha256: &str) -> Result<bool> {
        let Some(gateway) = &self.gateway else { return Ok(false) };
        let bytes = self.runtime.block_on(gateway.blob(sha256))?;
        Ok(bytes.is_some_and(|bytes| sha256_hex(&bytes) == sha256))
    }

    /// A round of the opener: what it opens is complete, and was promised by somebody. Returns how much it judged.
    pub fn open_records(&mut self, truth: &mut Truth) -> Result<usize> {
        let Some(gateway) = &mut self.gateway else { return Ok(0) };
        let judged = self.runtime.block_on(gateway.open_records())?;
        for (record, outcome) in &judged {
            let is_void = truth.voids.contains(&record.case_id);
            if truth.record(&record.case_id).is_none() && !is_void {
                truth.violated("the opener got a record that nobody finalised");
            }
            let opened = matches!(outcome, city_gateway::store::Outcome::Opened { .. });
            if opened == is_void {
                truth.violated(format!("a record was judged {outcome:?}"));
            }
            self.check_blobs(&record.case_id, "the opener got it", truth)?;
        }
        Ok(judged.len())
    }

    /// A round of the sweep.
    pub fn sweep(&self) -> Result<()> {
        match &self.gateway {
            Some(gateway) => self.runtime.block_on(gateway.sweep()),
            None => Ok(()),
        }
    }

    /// Copies the store; `false` when the gateway is down.
    pub fn back_up(&mut self) -> Result<bool> {
        let Some(gateway) = &self.gateway else { return Ok(false) };
        self.runtime.block_on(gateway.back_up(&self.folder.join("copy")))?;
        self.copies += 1;
        Ok(true)
    }

    /// Puts the last copy back, on a machine that kept its folder of blobs or has lost it; `false` when there is none.
    pub fn restore(&mut self, blobs_lost: bool) -> Result<bool> {
        if self.copies == 0 {
            return Ok(false);
        }
        self.stop()?;
        let blobs = self.config.paths.state.join("blobs");
        if blobs_lost && blobs.exists() {
            std::fs::remove_dir_all(blobs)?;
        }
        let copy = self.folder.join("copy");
        let restored = city_gateway::simulation::restore(&self.config, &copy);
        self.runtime.block_on(restored)?;
        self.start()?;
        Ok(true)
    }

    /// Everything in the inbox and in quarantine.
    pub fn rows(&self) -> Result<Vec<InboxRow>> {
        let gateway = self.gateway.as_ref().context("the gateway is down")?;
        let (mut rows, mut after) = (Vec::new(), 0);
        loop {
            let page = self.runtime.block_on(gateway.inbox().page(Page::After(after), 500))?;
            let Some(last) = page.last() else { return Ok(rows) };
            after = last.id;
            rows.extend(page);
        }
    }

    /// What the city holds of each record: in the inbox so often, in quarantine so often.
    pub fn holdings(&self) -> Result<BTreeMap<(String, String), Holding>> {
        let mut holdings: BTreeMap<(String, String), Holding> = BTreeMap::new();
        for row in self.rows()? {
            let holding = holdings.entry((row.case_id, row.sha256)).or_default();
            match row.status {
                Status::Quarantined(_) => holding.aside += 1,
                status => {
                    holding.taken += 1;
                    holding.incomplete |= status == Status::Incomplete;
                    holding.opened |= matches!(status, Status::Opened { .. } | Status::DeadLetter { .. });
                }
            }
        }
        Ok(holdings)
    }

    /// Received ranges of one life of a queue.
    pub fn received(&self, terminal: &str, incarnation: &str) -> Result<Vec<(u64, u64)>> {
        let gateway = self.gateway.as_ref().context("the gateway is down")?;
        Ok(self.runtime.block_on(gateway.inbox().received(terminal, incarnation))?.ranges)
    }

    /// Terminals whose books have differed from the city's for longer than a message takes.
    pub fn disagreeing(&self) -> Result<u64> {
        let gateway = self.gateway.as_ref().context("the gateway is down")?;
        Ok(self.runtime.block_on(gateway.book().fleet())?.disagreeing)
    }

    /// UUIDs of everything held.
    pub fn held_ids(&self) -> Result<BTreeSet<String>> {
        Ok(self.rows()?.into_iter().map(|row| row.case_id).collect())
    }
}

/// How often a record is held, and where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Holding {
    /// Rows in the inbox.
    pub taken: u32,
    /// Rows in quarantine.
    pub aside: u32,
    /// The one in the inbox waits for blobs.
    pub incomplete: bool,
    /// The one in the inbox was opened.
    pub opened: bool,
}
