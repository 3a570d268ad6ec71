//! What the terminal did and promised, beside what it wrote: the oracle of every judgement.
//!
//! Each store is a track of states. An act leads from one state to the next; once it has returned, a cut must leave that
//! state or a later one. So after a cut there are at most two right answers: the last promised state and, when an act was
//! under way, the one it leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;
use kiosk_store::{Acknowledgement, Attempt, NewRecord, PrintState, RecordKind, SealedBlob, Slot, Stub};

use crate::broken_sync::BrokenSync;
use crate::recorder::{Log, position};

/// One act of a store: from where to where in the log.
#[derive(Clone, Copy, Debug)]
pub struct Act {
    /// Changes recorded before it began.
    pub began: usize,
    /// Changes recorded when it had returned and its outcome was promised.
    pub promised: usize,
}

/// The states of one store, and the acts between them.
#[derive(Debug)]
pub struct Track<S> {
    /// One more than there are acts.
    pub states: Vec<S>,
    /// What led from each state to the next.
    pub acts: Vec<Act>,
}

impl<S: Clone> Track<S> {
    /// Before the first act.
    pub fn new(first: S) -> Self {
        Self { states: vec![first], acts: Vec::new() }
    }

    /// The newest state.
    pub fn newest(&self) -> &S {
        self.states.last().expect("a track begins with a state")
    }

    /// Does something and notes what it leads to; the promise stands from when it has returned.
    pub fn act<T>(&mut self, act: impl FnOnce() -> Result<T>, change: impl FnOnce(&mut S, &T)) -> Result<T> {
        let began = position();
        let outcome = act()?;
        self.noted(|state| change(state, &outcome), Act { began, promised: position() });
        Ok(outcome)
    }

    /// The mutation: what is promised before it is done.
    pub fn promised_early(&mut self, began: usize, change: impl FnOnce(&mut S)) {
        self.noted(change, Act { began, promised: began });
    }

    /// Notes something that was begun at `began`, may have failed, and of which it is known now whether it happened.
    /// Until now both were right; from now on only what was found.
    pub fn settled(&mut self, began: usize, happened: bool, change: impl FnOnce(&mut S)) {
        let (before, promised) = (self.newest().clone(), position());
        self.noted(change, Act { began, promised });
        if !happened {
            self.noted(|state| *state = before, Act { began, promised });
        }
    }

    fn noted(&mut self, change: impl FnOnce(&mut S), act: Act) {
        let mut next = self.newest().clone();
        change(&mut next);
        self.states.push(next);
        self.acts.push(act);
    }

    /// The states that are right after a cut behind the first `at` changes.
    pub fn right_after(&self, at: usize) -> Range<usize> {
        let promised = self.acts.partition_point(|act| act.promised <= at);
        let under_way = self.acts.get(promised).is_some_and(|act| act.began < at);
        promised..promised + 1 + usize::from(under_way)
    }
}

/// A record as it was handed to the outbox.
#[derive(Clone, Debug)]
pub struct Handed {
    /// UUID.
    pub case_id: String,
    /// What it is.
    pub kind: RecordKind,
    /// Signed manifest.
    pub manifest: String,
    /// Sealed content.
    pub ciphertext: Vec<u8>,
    /// SHA-256 (hex) of `ciphertext`.
    pub sha256: String,
    /// Milliseconds since 1970.
    pub finalised_at_ms: i64,
    /// SHA-256 (hex) and bytes of its blobs.
    pub blobs: Vec<(String, Vec<u8>)>,
    /// For a case.
    pub stub: Option<Stub>,
}

impl Handed {
    /// What the outbox is given.
    pub fn record(&self, slot: Slot) -> NewRecord {
        let blob =
            |(sha256, bytes): &(String, Vec<u8>)| SealedBlob { sha256: sha256.clone(), bytes: bytes.clone() };
        NewRecord {
            slot,
            case_id: self.case_id.clone(),
            kind: self.kind,
            manifest: self.manifest.clone(),
            ciphertext: self.ciphertext.clone(),
            sha256: self.sha256.clone(),
            finalised_at_ms: self.finalised_at_ms,
            blobs: self.blobs.iter().map(blob).collect(),
            stub: self.stub.clone(),
        }
    }
}

/// The outbox as it was promised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// Its name, once it was opened.
    pub incarnation: Option<String>,
    /// Which of the handed records are in it, in order.
    pub records: Vec<usize>,
    /// How far the receipts of the cases got, by position of the record from 0.
    pub prints: BTreeMap<usize, PrintState>,
    /// Records that were found damaged and are not closed yet, by position from 0.
    pub damaged: BTreeSet<usize>,
    /// Places that were closed by a void, by position from 0.
    pub voids: BTreeSet<usize>,
    /// Records whose content was given back, by position from 0.
    pub given_back: BTreeSet<usize>,
}

/// The delivery log as it was promised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryState {
    /// Life of the city's store.
    pub epoch: Option<String>,
    /// Receipts that count.
    pub receipts: BTreeMap<u64, Arc<Acknowledgement>>,
    /// What is to be tried again.
    pub attempts: BTreeMap<u64, Attempt>,
    /// When the city last answered, and how far it was ahead.
    pub last_sync: Option<(i64, i64)>,
    /// Up to here the city holds everything for good.
    pub durable: u64,
}

/// A stretch of a terminal's life, with everything needed to judge a cut in it.
#[derive(Debug)]
pub struct Recording {
    /// Which part of the day it is; appears in findings.
    pub part: &'static str,
    /// What was done to the disk.
    pub log: Log,
    /// What was promised meanwhile.
    pub story: Story,
    /// Behind how many changes cuts are tried.
    pub judged: Vec<usize>,
    /// The sync that did not do its work, when there was one.
    pub broken: Option<BrokenSync>,
}

/// Everything promised in a recording.
#[derive(Debug)]
pub struct Story {
    /// The queue's name in this recording, once it has one.
    pub incarnation: Option<String>,
    /// Records in the order in which they were handed over, those included that were refused.
    pub handed: Vec<Handed>,
    /// What closed the places of damaged records, by position from 0.
    pub voids: BTreeMap<usize, Handed>,
    /// For each of them: changes recorded when an audit row that names it was promised.
    pub named_from: Vec<Option<usize>>,
    /// Audit rows by process, kiosk and agent: when and what, in order.
    pub audited: [Vec<(i64, &'static str)>; 2],
    /// The outbox.
    pub outbox: Track<OutboxState>,
    /// The delivery log.
    pub delivery: Track<DeliveryState>,
    /// How many audit rows there are, by process.
    pub audits: [Track<usize>; 2],
}

/// Where each store stands after a cut that was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Survived {
    /// State of the outbox.
    pub outbox: usize,
    /// State of the delivery log.
    pub delivery: usize,
    /// States of the audit chains.
    pub audits: [usize; 2],
}
