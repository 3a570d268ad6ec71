//! Opens what a cut left with the real store and compares it with what was promised.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;
use std::path::Path;

use kiosk_store::{
    Acknowledgement, AcknowledgementStatus, AuditEvent, AuditLog, Delivery, DeliveryReader, Outbox,
    OutboxReader, PrintState, RecordKind, StoreError,
};

use crate::records::sha256;
use crate::story::{DeliveryState, Handed, OutboxState, Recording};
use crate::terminal::TERMINAL;

/// What is wrong, in one sentence. The invariants are those of the sync design, I1 to I8.
pub type Wrong = String;

fn opens<T>(what: &str, outcome: Result<T, StoreError>) -> Result<T, Wrong> {
    outcome.map_err(|error| format!("I5: {what}: {error}"))
}

/// The outbox and its blobs. `sound` holds the blobs whose bytes were already read from this very image's files.
/// Returns which of the right states it is in.
pub fn outbox(
    state: &Path,
    recording: &Recording,
    right: Range<usize>,
    reader_first: bool,
    sound: &mut HashSet<String>,
) -> Result<usize, Wrong> {
    outbox_with(state, recording, right, reader_first, Blobs::All(sound))
}

/// Which blobs must be there.
pub enum Blobs<'a> {
    /// Those of every record. Those in the set were read from this very image's files already.
    All(&'a mut HashSet<String>),
    /// Those of records of which the delivery log does not say that the city has them with all blobs.
    Needed,
}

/// The same, where a blob may be lost that nobody needs any more.
pub fn outbox_with(
    state: &Path,
    recording: &Recording,
    right: Range<usize>,
    reader_first: bool,
    mut blobs: Blobs<'_>,
) -> Result<usize, Wrong> {
    // The agent may be up before the kiosk; it may say "unknown", but nothing wrong.
    let early = if reader_first { OutboxReader::open(state).ok().flatten() } else { None };
    if let Some(Ok(head)) = early.as_ref().map(OutboxReader::head) {
        let right: Vec<u64> =
            right.clone().map(|at| recording.story.outbox.states[at].records.len() as u64).collect();
        if !right.contains(&head) {
            return Err(format!("I1: the agent, before the kiosk, sees {head} records instead of {right:?}"));
        }
    }
    let mut outbox = opens("the outbox does not open", Outbox::open(state, TERMINAL))?;
    let reader =
        opens("the outbox cannot be read", OutboxReader::open(state))?.ok_or("I5: no outbox to read")?;
    let found = found(&outbox, &reader)?;
    if found.damaged.is_empty() {
        opens("the chain does not verify", outbox.verify_all())?;
    }
    let states = &recording.story.outbox.states;
    // Two states can be alike from outside: after a record that failed came another.
    let mut first = None;
    for at in right.clone().filter(|at| found.is(&states[*at])) {
        let promised = Promised::of(recording, at);
        let mut found_blobs = || match &mut blobs {
            Blobs::All(sound) => same_blobs(state, &reader, recording, &promised, sound),
            Blobs::Needed => needed_blobs(state, &reader, &promised),
        };
        match same_records(&reader, &promised).and_then(|()| found_blobs()) {
            Ok(()) => {
                drop(early);
                accepts(&mut outbox, &reader, found.records, &cut_off(recording, at))?;
                return Ok(at);
            }
            Err(wrong) => first = first.or(Some(wrong)),
        }
    }
    let promised = &states[right.start];
    Err(first.unwrap_or_else(|| format!("I1: the outbox holds {found:?}, but {promised:?} was promised")))
}

/// What a state of the outbox says is there.
struct Promised<'a> {
    state: &'a OutboxState,
    /// Its records, in order.
    handed: Vec<&'a Handed>,
    voids: &'a BTreeMap<usize, Handed>,
}

impl<'a> Promised<'a> {
    fn of(recording: &'a Recording, at: usize) -> Self {
        let story = &recording.story;
        let state = &story.outbox.states[at];
        let handed = state.records.iter().map(|record| &story.handed[*record]).collect();
        Self { state, handed, voids: &story.voids }
    }

    /// Places whose content was not given back, from 0, and what was handed over for them.
    fn kept(&self) -> impl Iterator<Item = (usize, &'a Handed)> {
        let kept = self.handed.iter().copied().enumerate();
        kept.filter(|(at, _)| !self.state.given_back.contains(at))
    }
}

/// The blobs of the record that was under way, whose remains may lie about.
fn cut_off(recording: &Recording, at: usize) -> Vec<(String, Vec<u8>)> {
    let states = &recording.story.outbox.states;
    let next = states.get(at + 1).and_then(|next| next.records.get(states[at].records.len()));
    next.map(|record| recording.story.handed[*record].blobs.clone()).unwrap_or_default()
}

/// What the store says of itself.
#[derive(Debug)]
struct Found {
    incarnation: String,
    records: usize,
    prints: BTreeMap<usize, PrintState>,
    damaged: BTreeSet<usize>,
    voids: BTreeSet<usize>,
    given_back: BTreeSet<usize>,
}

fn found(outbox: &Outbox, reader: &OutboxReader) -> Result<Found, Wrong> {
    let records = outbox.head() as usize;
    let stubs = opens("stubs cannot be read", reader.stubs(usize::MAX >> 1))?;
    let mut prints = BTreeMap::new();
    for entry in opens("the queue cannot be listed", reader.list(usize::MAX >> 1))? {
        if entry.case_number.is_some() {
            let stub =
                stubs.iter().find(|stub| stub.case_id == entry.case_id).ok_or("I1: a stub is missing")?;
            prints.insert(entry.seq as usize - 1, stub.print);
        }
    }
    let damaged = opens("damage cannot be looked for", outbox.damaged())?;
    let damaged = damaged.iter().map(|damaged| damaged.seq as usize - 1).collect();
    let (mut voids, mut given_back) = (BTreeSet::new(), BTreeSet::new());
    for at in 0..records {
        let known_as = opens("a place cannot be read", reader.given_back(at as u64 + 1))?;
        let record = opens("a record cannot be read", reader.record(at as u64 + 1))?;
        if !known_as.is_empty() {
            given_back.insert(at);
        }
        if known_as.len() > 1 || record.is_some_and(|record| record.kind == RecordKind::Void) {
            voids.insert(at);
        }
    }
    Ok(Found { incarnation: outbox.incarnation().to_owned(), records, prints, damaged, voids, given_back })
}

impl Found {
    /// A queue that was never promised a name may have been given another.
    fn is(&self, promised: &OutboxState) -> bool {
        promised.incarnation.as_ref().is_none_or(|name| *name == self.incarnation)
            && promised.records.len() == self.records
            && promised.prints == self.prints
            && promised.damaged == self.damaged
            && promised.voids == self.voids
            && promised.given_back == self.given_back
    }
}

fn same_records(reader: &OutboxReader, promised: &Promised<'_>) -> Result<(), Wrong> {
    let Promised { state, handed, voids } = promised;
    let mut kept = promised.kept().peekable();
    while let Some(&(from, _)) = kept.peek() {
        let page = opens("records cannot be read", reader.records(from as u64 + 1, 1000))?;
        if page.is_empty() {
            return Err(format!("I4: the queue ends before {from} instead of at {}", handed.len()));
        }
        for record in page {
            let Some((at, handed)) = kept.next().filter(|(at, _)| record.seq == *at as u64 + 1) else {
                return Err(format!("I4: record {} stands where another should", record.seq));
            };
            let handed = voids.get(&at).filter(|_| state.voids.contains(&at)).unwrap_or(handed);
            let same = record.case_id == handed.case_id
                && record.kind == handed.kind
                && record.manifest == handed.manifest
                && record.ciphertext == handed.ciphertext
                && record.sha256 == handed.sha256
                && record.finalised_at_ms == handed.finalised_at_ms;
            if !same && !state.damaged.contains(&at) {
                return Err(format!("I2: record {} is not the one that was finalised", record.seq));
            }
        }
    }
    for &at in &state.given_back {
        let known_as = opens("a place cannot be read", reader.given_back(at as u64 + 1))?;
        let promised = std::iter::once(handed[at]).chain(voids.get(&at));
        if !promised
            .map(|handed| (&handed.case_id, &handed.sha256))
            .eq(known_as.iter().map(|(id, hash)| (id, hash)))
        {
            return Err(format!("I2: what was given back at {at} is known by another name"));
        }
    }
    let stubs = opens("stubs cannot be read", reader.stubs(usize::MAX >> 1))?;
    let cases = handed.iter().filter_map(|handed| handed.stub.as_ref());
    let same = cases.rev().zip(&stubs).all(|(handed, stub)| {
        (&handed.case_id, &handed.case_number, &handed.item, &handed.verification, handed.finalised_at_ms)
            == (&stub.case_id, &stub.case_number, &stub.item, &stub.verification, stub.finalised_at_ms)
    });
    if same { Ok(()) } else { Err("I1: a stub is not the one that was promised".into()) }
}

/// Every blob of every record that is kept is there and whole; every finished file in the folder is one that was handed over.
fn same_blobs(
    state: &Path,
    reader: &OutboxReader,
    recording: &Recording,
    promised: &Promised<'_>,
    sound: &mut HashSet<String>,
) -> Result<(), Wrong> {
    for (name, _) in promised.kept().flat_map(|(_, handed)| &handed.blobs) {
        if !state.join("blobs").join(name).exists() {
            return Err("I1: a blob of a promised record is missing".into());
        }
    }
    let Ok(folder) = std::fs::read_dir(state.join("blobs")) else { return Ok(()) };
    for entry in folder.flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        if name.starts_with('.') || !sound.insert(name.clone()) {
            continue;
        }
        if !recording.story.handed.iter().any(|handed| handed.blobs.iter().any(|(blob, _)| *blob == name)) {
            return Err("I3: a blob was never handed over".into());
        }
        if let Err(error) = reader.blob(&name) {
            return Err(format!("I2: a blob is not what its name says: {error}"));
        }
    }
    Ok(())
}

fn needed_blobs(state: &Path, reader: &OutboxReader, promised: &Promised<'_>) -> Result<(), Wrong> {
    let delivery = DeliveryReader::open(state).ok().flatten();
    let holds = |seq: u64| {
        let receipt = delivery.as_ref()?.acknowledgement(reader.incarnation(), seq).ok().flatten();
        receipt.filter(|receipt| receipt.complete)
    };
    for (at, handed) in promised.kept() {
        let seq = at as u64 + 1;
        if holds(seq).is_none() && handed.blobs.iter().any(|(name, _)| reader.blob(name).is_err()) {
            return Err(format!("I2: a blob of record {seq} is gone or damaged"));
        }
    }
    Ok(())
}

/// I5: the next resident is served, and with the blobs of the record that was cut off, whose remains may lie about.
fn accepts(
    outbox: &mut Outbox,
    reader: &OutboxReader,
    records: usize,
    cut_off: &[(String, Vec<u8>)],
) -> Result<(), Wrong> {
    let next = after_the_cut(records, cut_off);
    let slot = outbox.next_slot();
    if slot.seq != records as u64 + 1 {
        return Err(format!("I4: after record {records} comes {}", slot.seq));
    }
    opens("a record after the cut is refused", outbox.commit(next.record(slot)))?;
    let head = opens("the outbox cannot be read", reader.head())?;
    if head != records as u64 + 1 {
        return Err("I5: a record after the cut is not seen by the agent".into());
    }
    for (name, bytes) in &next.blobs {
        let found = opens("a blob written after the cut cannot be read", reader.blob(name))?;
        if found != *bytes {
            return Err("I2: a blob written after the cut is another".into());
        }
    }
    Ok(())
}

/// What the next resident leaves.
pub fn after_the_cut(number: usize, blobs: &[(String, Vec<u8>)]) -> Handed {
    let ciphertext = b"sealed after the cut".to_vec();
    Handed {
        case_id: format!("ffffffff-ffff-4fff-8fff-{number:012x}"),
        kind: RecordKind::Rating,
        manifest: "manifest after the cut".into(),
        sha256: sha256(&ciphertext),
        ciphertext,
        finalised_at_ms: 1,
        blobs: blobs.to_vec(),
        stub: None,
    }
}

/// The delivery log. Returns which of the right states it is in.
pub fn delivery(state: &Path, recording: &Recording, right: Range<usize>) -> Result<usize, Wrong> {
    let mut delivery = opens("the delivery log does not open", Delivery::open(state))?;
    let reader = opens("the delivery log cannot be read", DeliveryReader::open(state))?
        .ok_or("I5: no delivery log to read")?;
    let name = recording.story.incarnation.as_deref().unwrap_or("none");
    let states = &recording.story.delivery.states;
    let mut first = None;
    for at in right.clone() {
        match same_delivery(&reader, name, &states[at]) {
            Ok(()) => {
                let receipt = Acknowledgement {
                    incarnation: "after-the-cut".into(),
                    seq: 1,
                    receipt: "receipt".into(),
                    status: AcknowledgementStatus::Accepted,
                    complete: true,
                    at_ms: 1,
                };
                opens("a receipt after the cut is refused", delivery.record_receipts(&[receipt]))?;
                let noted = opens("a receipt cannot be read", reader.is_acknowledged("after-the-cut", 1))?;
                return if noted { Ok(at) } else { Err("I5: a receipt after the cut is not noted".into()) };
            }
            Err(wrong) => first = first.or(Some(wrong)),
        }
    }
    Err(first.unwrap_or_default())
}

fn same_delivery(reader: &DeliveryReader, name: &str, promised: &DeliveryState) -> Result<(), Wrong> {
    let read = |what| move |error: StoreError| format!("I5: {what} cannot be read: {error}");
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for seq in promised.receipts.keys() {
        match ranges.last_mut() {
            Some(range) if range.1 + 1 == *seq => range.1 = *seq,
            _ => ranges.push((*seq, *seq)),
        }
    }
    let found = reader.acknowledged(name).map_err(read("the receipts"))?;
    if found != ranges {
        return Err(format!("I6: receipts of {found:?} are noted, {ranges:?} were promised"));
    }
    for (seq, receipt) in &promised.receipts {
        let found = reader.acknowledgement(name, *seq).map_err(read("a receipt"))?;
        if found.as_ref() != Some(receipt.as_ref()) {
            return Err(format!("I2: the receipt of record {seq} is another"));
        }
    }
    let attempts = reader.attempts(name).map_err(read("the attempts"))?;
    if !attempts.iter().eq(promised.attempts.values()) {
        return Err(format!("I4: {attempts:?} are to be tried again, {:?} were noted", promised.attempts));
    }
    let durable = reader.durable_seq(name).map_err(read("what is durable"))?;
    if durable != promised.durable {
        return Err(format!("I6: {durable} are durable, {} were noted", promised.durable));
    }
    let epoch = reader.epoch().map_err(read("the epoch"))?;
    if epoch != promised.epoch {
        return Err(format!("I6: the epoch is {epoch:?}, {:?} was noted", promised.epoch));
    }
    let sync = reader.last_sync_ms().map_err(read("the last answer"))?;
    let ahead = reader.city_ahead_ms().map_err(read("the city's clock"))?;
    if sync.zip(ahead) != promised.last_sync {
        return Err(format!("I4: the last answer was at {sync:?}, {:?} was noted", promised.last_sync));
    }
    Ok(())
}

/// An audit chain: 0 is the kiosk's, 1 the sync agent's. Returns which of the right states it is in.
pub fn audit(state: &Path, recording: &Recording, chain: usize, right: Range<usize>) -> Result<usize, Wrong> {
    let process = ["kiosk", "agent"][chain];
    let mut log = opens("an audit chain does not open", AuditLog::open(state, process))?;
    let report = opens("an audit chain cannot be followed", AuditLog::verify(state, process))?
        .ok_or("I5: no audit chain to read")?;
    if let Some(row) = report.first_broken {
        return Err(format!("I2: row {row} of the audit chain does not fit"));
    }
    let states = &recording.story.audits[chain].states;
    let at = right.clone().find(|at| states[*at] as u64 == report.rows).ok_or_else(|| {
        format!("I1: the audit chain has {} rows, {} were promised", report.rows, states[right.start])
    })?;
    let rows = opens("audit rows cannot be read", AuditLog::read(state, process, 1, usize::MAX >> 1))?;
    let audited = &recording.story.audited[chain];
    if !rows.iter().map(|row| (row.at_ms, row.name.as_str())).eq(audited[..rows.len()].iter().copied()) {
        return Err("I2: an audit row is another".into());
    }
    let event = [AuditEvent::SessionWiped, AuditEvent::HelloOk { waiting: 0 }][chain];
    opens("an audit row after the cut is refused", log.record(1, &event))?;
    Ok(at)
}
