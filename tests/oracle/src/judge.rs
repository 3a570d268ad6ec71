//! The oracle: compares what the terminals promised, what lies in their queues, and what the city has. Call it when
//! nothing waits any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kiosk_store::{AcknowledgementStatus, DeliveryReader, OutboxReader, RecordKind};
use sync_protocol::{Receipt, sha256_hex};

use crate::books::Promise;
use crate::city::City;
use crate::feeder::{NAME, NUMBER};
use crate::terminal::Terminal;
use crate::world::World;

/// Longest wait for a hello of every terminal.
const NEXT_HELLO: Duration = Duration::from_secs(15);

/// What was compared, and what must not be.
#[derive(Debug, Default)]
pub struct Findings {
    /// Records that terminals promised to residents.
    pub promised: usize,
    /// Records in their queues.
    pub finalised: usize,
    /// Records that the city holds.
    pub received: usize,
    /// Different blobs that the city holds whole, re-hashed.
    pub blobs: usize,
    /// Records whose content terminals gave back.
    pub purged: usize,
    /// Lives of queues.
    pub lives: usize,
    /// The faults that happened.
    pub happened: String,
    /// Everything that must not be.
    pub violations: Vec<String>,
    /// Where the logs of a run with violations are.
    pub kept: Option<PathBuf>,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { promised, finalised, received, blobs, purged, lives, .. } = self;
        writeln!(f, "{}", self.happened)?;
        write!(
            f,
            "{promised} promised, {finalised} finalised in {lives} lives ({purged} given back), {received} in the city, \
             {blobs} blobs whole, {} violations",
            self.violations.len()
        )?;
        for violation in self.violations.iter().take(20) {
            write!(f, "\n  {violation}")?;
        }
        match &self.kept {
            Some(logs) => write!(f, "\n  logs: {}", logs.display()),
            None => Ok(()),
        }
    }
}

/// A place in a queue: terminal, life, position.
type Place = (String, String, u64);

/// A record as both ends should have it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    case_id: String,
    kind: String,
    sha256: String,
}

/// What the city has.
struct CityBooks {
    inbox: BTreeMap<Place, Held>,
    /// Blobs that each record names, and their lengths.
    named: BTreeMap<Place, BTreeMap<String, u64>>,
    /// Blobs that count as whole.
    whole: BTreeMap<String, u64>,
}

/// Compares everything.
pub async fn judge(world: &World) -> Result<Findings> {
    let mut findings = Findings::default();
    let city = CityBooks::read(&world.city, &mut findings.violations).await?;
    findings.received = city.inbox.len();
    findings.blobs = whole_blobs(&world.city, &city, &mut findings.violations);
    let mut finalised = BTreeSet::new();
    for terminal in &world.terminals {
        Queue { terminal, world: &world.city, city: &city }.judge(&mut findings, &mut finalised)?;
    }
    for (place, held) in city.inbox.iter().filter(|(place, _)| !finalised.contains(*place)) {
        findings
            .violations
            .push(format!("I3: the city has {} at {place:?}, which was never finalised", held.case_id));
    }
    undisputed(&world.city, &mut findings.violations).await?;
    no_plaintext(world, &mut findings.violations)?;
    Ok(findings)
}

/// The city has counted for itself, and says so about the books in each hello. The next hello may take a moment.
async fn undisputed(city: &City, violations: &mut Vec<String>) -> Result<()> {
    let disputed = "SELECT count(*) FROM terminal_word WHERE disagreements > 0 OR waiting > 0";
    let deadline = Instant::now() + NEXT_HELLO;
    let mut count = city.ask(disputed).await?;
    while count != "0" && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(200)).await;
        count = city.ask(disputed).await?;
    }
    if count != "0" {
        violations.push(format!("I4: {count} terminals whose books the city disputes"));
    }
    Ok(())
}

/// One terminal's queue against the city.
struct Queue<'a> {
    terminal: &'a Terminal,
    world: &'a City,
    city: &'a CityBooks,
}

impl Queue<'_> {
    fn judge(&self, findings: &mut Findings, finalised: &mut BTreeSet<Place>) -> Result<()> {
        let (code, state) = (&self.terminal.code, self.terminal.state());
        let promises = self.terminal.promises.all();
        findings.promised += promises.len();
        let Some(newest) = OutboxReader::open(state)? else {
            ensure!(promises.is_empty(), "{code} has no outbox");
            return Ok(());
        };
        let delivery = DeliveryReader::open(state)?.context("no delivery log")?;
        let mut kept = BTreeSet::new();
        for name in newest.incarnations()? {
            let life = OutboxReader::open_incarnation(state, &name)?.context("a life")?;
            findings.lives += 1;
            let head = life.head()?;
            findings.finalised += usize::try_from(head)?;
            self.one_life(&life, &delivery, &promises, findings)?;
            finalised.extend((1..=head).map(|seq| (code.clone(), name.clone(), seq)));
            kept.extend(life.list(usize::MAX >> 1)?.into_iter().map(|entry| (entry.case_id, entry.sha256)));
        }
        for (case_id, promise) in promises {
            if !kept.contains(&(case_id.clone(), promise.sha256)) {
                findings.violations.push(format!("I1: {code} promised {case_id} and does not have it"));
            }
        }
        Ok(())
    }

    fn one_life(
        &self,
        life: &OutboxReader,
        delivery: &DeliveryReader,
        promises: &BTreeMap<String, Promise>,
        findings: &mut Findings,
    ) -> Result<()> {
        let (code, name) = (&self.terminal.code, life.incarnation());
        let entries: BTreeMap<u64, _> =
            life.list(usize::MAX >> 1)?.into_iter().map(|entry| (entry.seq, entry)).collect();
        let mut received = 0;
        for seq in 1..=life.head()? {
            let place = (code.clone(), name.to_owned(), seq);
            let entry = entries.get(&seq).with_context(|| format!("a gap at {place:?}"))?;
            // A place that was closed travels as its void.
            let record = life.record(seq)?;
            findings.purged += usize::from(record.is_none());
            let expected = match &record {
                Some(record) => {
                    let kind = word(record.kind);
                    Held { case_id: record.case_id.clone(), kind, sha256: record.sha256.clone() }
                }
                None => {
                    let kind = word(entry.kind);
                    Held { case_id: entry.case_id.clone(), kind, sha256: entry.sha256.clone() }
                }
            };
            match self.city.inbox.get(&place) {
                None => {
                    let acknowledged = delivery.is_acknowledged(name, seq)?;
                    let told = if acknowledged { "acknowledged, and " } else { "" };
                    findings.violations.push(format!("I1: {place:?} is {told}not in the city"));
                    continue;
                }
                Some(held) if *held != expected => findings
                    .violations
                    .push(format!("I2: {place:?} is {expected:?} at the terminal and {held:?} in the city")),
                Some(_) => received += 1,
            }
            self.receipt(delivery, &place, &expected, &mut findings.violations)?;
            let blobs: BTreeMap<String, u64> =
                life.blobs_of(seq)?.into_iter().map(|blob| (blob.sha256, blob.bytes)).collect();
            let named = self.city.named.get(&place).cloned().unwrap_or_default();
            if expected.kind != "void" && blobs != named {
                findings
                    .violations
                    .push(format!("I2: {place:?} names {blobs:?} and the city knows {named:?}"));
            }
            for sha256 in blobs.keys().filter(|sha256| !self.city.whole.contains_key(*sha256)) {
                findings.violations.push(format!("I1: blob {sha256} of {place:?} is not whole in the city"));
            }
            if let Some(promise) = promises.get(&expected.case_id) {
                let promised: BTreeSet<&String> = promise.blobs.iter().collect();
                if promised != blobs.keys().collect() {
                    findings.violations.push(format!("I2: {place:?} has other blobs than were promised"));
                }
            }
        }
        let counts = delivery.counts(name)?;
        let queued = life.head()? - counts.acknowledged.min(life.head()?);
        if life.head()? != received + queued || queued > 0 {
            findings.violations.push(format!(
                "I4: {code} {name}: issued {} = received {received} + queued {queued} does not hold",
                life.head()?
            ));
        }
        if counts.conflicts > 0 {
            findings.violations.push(format!("{code} {name}: {} conflicts", counts.conflicts));
        }
        Ok(())
    }

    /// The receipt the terminal holds is the city's, for this record, and says that all is there.
    fn receipt(
        &self,
        delivery: &DeliveryReader,
        place: &Place,
        record: &Held,
        violations: &mut Vec<String>,
    ) -> Result<()> {
        let (code, name, seq) = place;
        let Some(kept) = delivery.acknowledgement(name, *seq)? else {
            violations.push(format!("I4: {place:?} is in the city and not acknowledged"));
            return Ok(());
        };
        let fits = Receipt::verify(&kept.receipt, &self.world.receipts)
            .is_ok_and(|receipt| receipt.matches(code, name, *seq, &record.case_id, &record.sha256));
        if !fits || !kept.complete || kept.status != AcknowledgementStatus::Accepted {
            violations.push(format!("{place:?} counts as delivered without a good receipt"));
        }
        Ok(())
    }
}

fn word(kind: RecordKind) -> String {
    match kind {
        RecordKind::Case => "case",
        RecordKind::Rating => "rating",
        RecordKind::Void => "void",
    }
    .to_owned()
}

impl CityBooks {
    async fn read(city: &City, violations: &mut Vec<String>) -> Result<Self> {
        // The hash is the database's own, over the bytes it keeps, not the one that was announced.
        let rows =
            "SELECT terminal, incarnation, seq, case_id, kind, encode(sha256(ciphertext), 'hex'), sha256
                    FROM inbox ORDER BY 1, 2, 3";
        let (mut inbox, mut ids) = (BTreeMap::new(), BTreeSet::new());
        for row in lines(&city.ask(rows).await?) {
            let [terminal, incarnation, seq, case_id, kind, sha256, announced] = columns(&row)?;
            if sha256 != announced {
                violations.push(format!("I2: {case_id} has another content than its row says"));
            }
            if !ids.insert(case_id.clone()) {
                violations.push(format!("I1: {case_id} is in the city twice"));
            }
            inbox.insert((terminal, incarnation, seq.parse()?), Held { case_id, kind, sha256 });
        }
        let rows = "SELECT terminal, incarnation, seq, sha256, bytes FROM named_blob WHERE aside = ''";
        let mut named: BTreeMap<Place, BTreeMap<String, u64>> = BTreeMap::new();
        for row in lines(&city.ask(rows).await?) {
            let [terminal, incarnation, seq, sha256, bytes] = columns(&row)?;
            named.entry((terminal, incarnation, seq.parse()?)).or_default().insert(sha256, bytes.parse()?);
        }
        let rows = "SELECT sha256, bytes FROM whole_blob WHERE leaving = 0";
        let mut whole = BTreeMap::new();
        for row in lines(&city.ask(rows).await?) {
            let [sha256, bytes] = columns(&row)?;
            whole.insert(sha256, bytes.parse()?);
        }
        // An accept is whole or not at all; every case is owed to its department once; nothing was disbelieved, and
        // nothing could not be opened but what a terminal closed itself.
        for (what, sql) in [
            (
                "rows of the inbox without their work, or the other way round",
                "SELECT count(*) FROM inbox FULL JOIN handling USING (terminal, incarnation, seq)
                 WHERE inbox.terminal IS NULL OR handling.terminal IS NULL",
            ),
            (
                "cases not owed to a department exactly once",
                "SELECT count(*) FROM inbox i FULL JOIN relay_outbox r USING (terminal, incarnation, seq)
                 WHERE (i.kind = 'case' AND r.terminal IS NULL) OR i.terminal IS NULL",
            ),
            ("records in quarantine", "SELECT count(*) FROM quarantine"),
            (
                "records that were not opened",
                "SELECT count(*) FROM handling JOIN inbox USING (terminal, incarnation, seq)
                 WHERE state <> CASE WHEN kind = 'void' THEN 'dead_letter' ELSE 'opened' END",
            ),
        ] {
            let count = city.ask(sql).await?;
            if count != "0" {
                violations.push(format!("{count} {what}"));
            }
        }
        Ok(Self { inbox, named, whole })
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn columns<const N: usize>(row: &str) -> Result<[String; N]> {
    let columns: Vec<String> = row.split('|').map(str::to_owned).collect();
    columns.try_into().map_err(|_| anyhow::anyhow!("a row of another shape"))
}

/// Reads every blob that counts as whole and hashes it.
fn whole_blobs(city: &City, books: &CityBooks, violations: &mut Vec<String>) -> usize {
    for (sha256, bytes) in &books.whole {
        let file = city.blobs().join("whole").join(sha256.get(..2).unwrap_or_default()).join(sha256);
        match std::fs::read(&file) {
            Ok(found) if found.len() as u64 == *bytes && sha256_hex(&found) == *sha256 => {}
            Ok(_) => violations.push(format!("I2: blob {sha256} counts as whole and is another one")),
            Err(error) => violations.push(format!("I1: blob {sha256} counts as whole: {}", error.kind())),
        }
    }
    books.whole.len()
}

/// What a resident says is nowhere in clear: not at the terminal, not in a log, not in the city's folder.
fn no_plaintext(world: &World, violations: &mut Vec<String>) -> Result<()> {
    let mut files = Vec::new();
    below(world.folder(), &mut files)?;
    for file in files {
        // A program may just remove one.
        let Ok(bytes) = std::fs::read(&file) else { continue };
        for words in [NAME, NUMBER] {
            if bytes.windows(words.len()).any(|window| window == words.as_bytes()) {
                violations.push(format!("I7: words of a resident are in {}", file.display()));
            }
        }
    }
    Ok(())
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        // Attachments are noise, and there are many.
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "blobs") {
                below(&path, files)?;
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}
