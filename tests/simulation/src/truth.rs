//! What was promised to residents, kept outside of everything that is simulated: the book the judge reads.

use std::collections::{BTreeMap, BTreeSet};

/// A record that a terminal finalised: its resident holds a receipt.
#[derive(Clone, Debug)]
pub struct Finalised {
    /// Order of promises, to name it in the trace.
    pub number: usize,
    /// UUID of the record.
    pub case_id: String,
    /// Life of the queue.
    pub incarnation: String,
    /// Position in it.
    pub seq: u64,
    /// Hash of the sealed content.
    pub sha256: String,
    /// Hashes of its blobs.
    pub blobs: Vec<String>,
    /// Its place was damaged on the disk, so a void may stand for it.
    pub damaged: bool,
    /// Its last copy was destroyed, together with the disk it lay on and before the city had it.
    pub destroyed: bool,
    /// The same for its blobs alone.
    pub blobs_destroyed: bool,
    /// How often it reached the city.
    pub puts: u64,
    /// The same since the faults stopped.
    pub puts_since_calm: u64,
}

/// See the module.
#[derive(Default)]
pub struct Truth {
    records: BTreeMap<String, Finalised>,
    numbers: Vec<String>,
    /// Every receipt that the city really signed.
    pub receipts: BTreeSet<String>,
    /// Promises kept by voids: UUIDs of voids that terminals wrote.
    pub voids: BTreeSet<String>,
    /// What is wrong, in sentences.
    pub violations: Vec<String>,
}

impl Truth {
    /// Notes a promise.
    pub fn finalised(
        &mut self,
        case_id: &str,
        incarnation: &str,
        seq: u64,
        sha256: &str,
        blobs: Vec<String>,
    ) -> usize {
        let number = self.numbers.len() + 1;
        self.numbers.push(case_id.to_owned());
        let record = Finalised {
            number,
            case_id: case_id.to_owned(),
            incarnation: incarnation.to_owned(),
            seq,
            sha256: sha256.to_owned(),
            blobs,
            damaged: false,
            destroyed: false,
            blobs_destroyed: false,
            puts: 0,
            puts_since_calm: 0,
        };
        self.records.insert(case_id.to_owned(), record);
        number
    }

    /// A promise.
    pub fn record(&self, case_id: &str) -> Option<&Finalised> {
        self.records.get(case_id)
    }

    /// The same, to note something about it.
    pub fn record_mut(&mut self, case_id: &str) -> Option<&mut Finalised> {
        self.records.get_mut(case_id)
    }

    /// All promises, in their order.
    pub fn all(&self) -> impl Iterator<Item = &Finalised> {
        self.numbers.iter().filter_map(|case_id| self.records.get(case_id))
    }

    /// How many promises there are.
    pub fn count(&self) -> usize {
        self.numbers.len()
    }

    /// Notes that something is wrong.
    pub fn violated(&mut self, what: impl Into<String>) {
        /// More would not help anybody.
        const MOST: usize = 20;
        let what = what.into();
        if self.violations.len() < MOST && !self.violations.contains(&what) {
            self.violations.push(what);
        }
    }
}
