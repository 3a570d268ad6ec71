//! What is written down beside the system, so that it need not be asked: what terminals promised, and which faults
//! really happened.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What one commit promised, as the feeder said when the store had returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Life of the queue.
    pub incarnation: String,
    /// Position in it.
    pub seq: u64,
    /// Hash of the sealed content.
    pub sha256: String,
    /// Hashes of its blobs.
    pub blobs: Vec<String>,
}

/// What the feeder of one terminal said; by id of the record.
#[derive(Clone, Default)]
pub struct Promises(Arc<Mutex<BTreeMap<String, Promise>>>);

impl Promises {
    /// Takes a line of the feeder; anything else than a promise is passed over.
    pub fn hear(&self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let ["finalised", incarnation, seq, case_id, sha256, blobs] = words.as_slice() else { return };
        let Ok(seq) = seq.parse() else { return };
        let blobs = blobs.split(',').filter(|blob| *blob != "-").map(str::to_owned).collect();
        let promise = Promise { incarnation: (*incarnation).into(), seq, sha256: (*sha256).into(), blobs };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((*case_id).into(), promise);
    }

    /// All of them.
    pub fn all(&self) -> BTreeMap<String, Promise> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// The line in which the feeder says a promise.
pub fn line(case_id: &str, promise: &Promise) -> String {
    let Promise { incarnation, seq, sha256, blobs } = promise;
    let blobs = if blobs.is_empty() { "-".to_owned() } else { blobs.join(",") };
    format!("finalised {incarnation} {seq} {case_id} {sha256} {blobs}\n")
}

/// How often what happened.
#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Tally {
    /// Once more.
    pub fn count(&self, what: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }

    /// How often so far.
    pub fn of(&self, what: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<String> = tally.iter().map(|(what, count)| format!("{count} × {what}")).collect();
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_read_as_it_was_said_and_half_a_line_is_none() {
        let promises = Promises::default();
        let promise = |blobs: &[&str]| Promise {
            incarnation: "life".into(),
            seq: 7,
            sha256: "ab".into(),
            blobs: blobs.iter().map(|blob| (*blob).to_owned()).collect(),
        };
        for (id, said) in [("one", promise(&[])), ("other", promise(&["x", "y"]))] {
            let text = line(id, &said);
            promises.hear(text.trim_end());
            promises.hear(&text[..text.len() / 2]);
            assert_eq!(promises.all()[id], said);
        }
        promises.hear("full");
        assert_eq!(promises.count(), 2);
    }
}
