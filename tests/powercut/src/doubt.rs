//! Judges what a lying disk left. It may have lost anything; but nobody may be told that all is well when it is not:
//! either every promise is kept, or the store says what is damaged or missing, and goes on or takes no more cases.
//!
//! One loss cannot be seen by the terminal: the very last record, when the power is cut before anything else was written
//! that names it. Its resident has a receipt, and only the city's "not found" will show it.

use std::path::Path;

use kiosk_store::{
    Acknowledgement, AcknowledgementStatus, AuditBook, AuditEvent, Delivery, DeliveryReader, Mended, NewVoid,
    Outbox, OutboxReader, RecordKind, StoreError, StoreErrorKind,
};

use crate::enumerate::Cut;
use crate::judge::{self, Blobs, Wrong};
use crate::place::Store;
use crate::story::{Handed, Recording};
use crate::terminal::TERMINAL;

/// Opens the stores as the two processes do at start.
pub fn stores(recording: &Recording, state: &Path, cut: Cut, stores: &[Store]) -> Result<(), Wrong> {
    for store in stores {
        match store {
            Store::Outbox => outbox(recording, state, cut)?,
            Store::Delivery => delivery(state)?,
            Store::AuditKiosk => audit(state, "kiosk", AuditEvent::SessionWiped)?,
            Store::AuditSync => audit(state, "agent", AuditEvent::HelloOk { waiting: 0 })?,
        }
    }
    Ok(())
}

fn outbox(recording: &Recording, state: &Path, cut: Cut) -> Result<(), Wrong> {
    let mut book = AuditBook::new(state, "kiosk");
    // A store or a chain that does not open is said, and no case is taken.
    if book.write().is_err() {
        return Ok(());
    }
    let Ok(mut outbox) = Outbox::open(state, TERMINAL) else { return Ok(()) };
    let before = outbox.incarnation().to_owned();
    let mut number = 0;
    let mended = outbox.mend(book.log(), 1, |damaged| {
        number += 1;
        NewVoid {
            incarnation: damaged.incarnation.clone(),
            seq: damaged.seq,
            case_id: format!("eeeeeeee-eeee-4eee-8eee-{number:012x}"),
            manifest: "a signed void".into(),
            at_ms: 1,
        }
    });
    let Ok(mended) = mended else { return Ok(()) };
    if mended.is_empty() {
        return nothing_said(recording, state, cut, outbox);
    }
    let voided: Vec<u64> = mended
        .iter()
        .filter_map(|mended| match mended {
            Mended::Voided(damaged) => Some(damaged.seq),
            Mended::Missing(_) | Mended::BlobLost(_) | Mended::NewLife => None,
        })
        .collect();
    let old = read(OutboxReader::open_incarnation(state, &before))?;
    // An old life without a record took the new name.
    let renamed = || read(OutboxReader::open(state)).map(|reader| reader.filter(|_| outbox.head() == 0));
    let reader = old.map_or_else(renamed, |old| Ok(Some(old)))?.ok_or("I5: the old life cannot be read")?;
    same_or_void(recording, &reader, &voided)?;
    let next = outbox.next_slot();
    read(outbox.commit(judge::after_the_cut(next.seq as usize, &[]).record(next)))
}

fn read<T>(outcome: Result<T, StoreError>) -> Result<T, Wrong> {
    outcome.map_err(|error| format!("I5: after mending: {error}"))
}

/// What is there is what was handed over, but for the places that were closed.
fn same_or_void(recording: &Recording, reader: &OutboxReader, voided: &[u64]) -> Result<(), Wrong> {
    let handed = |case_id: &str| recording.story.handed.iter().find(|handed| handed.case_id == case_id);
    for record in read(reader.records(1, usize::MAX >> 1))? {
        let is_void = record.kind == RecordKind::Void;
        if is_void != voided.contains(&record.seq) {
            return Err(format!("I2: place {} is closed, or not, against what was said", record.seq));
        }
        let is_handed = |handed: &Handed| {
            (&handed.manifest, &handed.ciphertext) == (&record.manifest, &record.ciphertext)
        };
        if !is_void && !handed(&record.case_id).is_some_and(is_handed) {
            return Err(format!("I2: record {} is not the one that was finalised", record.seq));
        }
    }
    Ok(())
}

/// Nobody was told of anything. Then everything promised is there, but for what nothing else on the disk names.
fn nothing_said(recording: &Recording, state: &Path, cut: Cut, outbox: Outbox) -> Result<(), Wrong> {
    let story = &recording.story;
    let right = story.outbox.right_after(cut.at);
    drop(outbox);
    let wrong = match judge::outbox_with(state, recording, right.clone(), false, Blobs::Needed) {
        Ok(_) => return Ok(()),
        Err(wrong) => wrong,
    };
    // An earlier state, whole in itself, is what a lie about the newest commits leaves.
    let earlier = (0..right.start)
        .rev()
        .find(|at| judge::outbox_with(state, recording, *at..*at + 1, false, Blobs::Needed).is_ok());
    let Some(earlier) = earlier else { return Err(format!("nothing is said, but {wrong}")) };
    let promised = &story.outbox.states[right.start].records;
    let kept = story.outbox.states[earlier].records.len();
    let named = |record: &usize| story.named_from[*record].is_some_and(|at| at <= cut.at);
    match promised.iter().skip(kept).find(|record| named(record)) {
        None => Ok(()),
        Some(_) => {
            Err(format!("a record is gone although its storing was noted, and nothing is said: {wrong}"))
        }
    }
}

/// The agent opens its log, puts a damaged one aside, and goes on noting what it hears.
fn delivery(state: &Path) -> Result<(), Wrong> {
    let wrong = |error: StoreError| format!("I5: the delivery log stays unusable: {error}");
    let mut log = match Delivery::open(state) {
        Err(error) if error.kind() == StoreErrorKind::Corrupt => {
            Delivery::put_aside(state).map_err(wrong)?;
            Delivery::open(state).map_err(wrong)?
        }
        opened => opened.map_err(wrong)?,
    };
    let name = "after-the-cut";
    let receipt = Acknowledgement {
        incarnation: name.into(),
        seq: 1,
        receipt: "receipt".into(),
        status: AcknowledgementStatus::Accepted,
        complete: true,
        at_ms: 1,
    };
    log.record_receipts(&[receipt]).map_err(wrong)?;
    log.forget_not_durable(name, 0, "another-epoch", 1).map_err(wrong)?;
    let reader = DeliveryReader::open(state).map_err(wrong)?.ok_or("I5: no delivery log to read")?;
    let acknowledged = reader.acknowledged(name).map_err(wrong)?;
    let epoch = reader.epoch().map_err(wrong)?;
    let noted = acknowledged.is_empty() && epoch.as_deref() == Some("another-epoch");
    if noted { Ok(()) } else { Err("I5: what the agent notes is not kept".into()) }
}

/// A chain opens and takes rows, or says that it is damaged.
fn audit(state: &Path, process: &'static str, event: AuditEvent) -> Result<(), Wrong> {
    let mut book = AuditBook::new(state, process);
    if book.write().is_err() {
        return Ok(());
    }
    if !book.note(1, event) {
        return Err("I5: an audit event is not taken".into());
    }
    book.write().map_err(|error| format!("I5: an audit chain that opens takes no row: {error}"))
}
