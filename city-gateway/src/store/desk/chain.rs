//! The audit chain: each line carries a hash over itself and the hash before it, so that a line that was changed,
//! left out or put in later is found. Pure, so that every store links alike and an auditor's own program can check.
//!
//! The hash is SHA-256 over the domain word, the previous hash (hex), the number (8 bytes, big-endian), the time
//! (8 bytes, big-endian) and each text, every part led by its length (8 bytes, big-endian).

use sha2::{Digest, Sha256};

use super::{AuditEntry, AuditHead, AuditLine};

/// What comes before the first line.
pub const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const DOMAIN: &[u8] = b"city-gateway audit v1";

/// The hash of a line, in hex.
pub fn link(previous: &str, seq: i64, entry: &AuditEntry) -> String {
    let mut hash = Sha256::new();
    let numbers = [seq.to_be_bytes(), entry.at_ms.to_be_bytes()];
    let parts: [&[u8]; 9] = [
        DOMAIN,
        previous.as_bytes(),
        &numbers[0],
        &numbers[1],
        entry.actor.as_bytes(),
        entry.address.as_bytes(),
        entry.act.code().as_bytes(),
        entry.subject.as_bytes(),
        entry.detail.as_bytes(),
    ];
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// Bytes as small hexadecimal letters.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

/// Follows the chain line by line.
#[derive(Debug, Clone)]
pub struct Follower {
    seq: i64,
    hash: String,
}

/// Where a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A number is missing.
    #[error("line {wanted} is missing")]
    Missing {
        /// Which one.
        wanted: i64,
    },
    /// The hash does not follow from the line and the hash before it.
    #[error("line {seq} or what comes before it was changed")]
    Changed {
        /// Which one.
        seq: i64,
    },
    /// The chain is shorter or longer than its head says, or ends in another hash.
    #[error("the chain does not end where its head says")]
    End,
}

impl Follower {
    /// Starts where the chain starts.
    pub fn new(head: &AuditHead) -> Self {
        Self { seq: head.base_seq, hash: head.base_hash.clone() }
    }

    /// Number of the last line that was followed.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// Takes the next line.
    pub fn follow(&mut self, line: &AuditLine) -> Result<(), Broken> {
        if line.seq != self.seq + 1 {
            return Err(Broken::Missing { wanted: self.seq + 1 });
        }
        if link(&self.hash, line.seq, &line.entry) != line.hash {
            return Err(Broken::Changed { seq: line.seq });
        }
        self.seq = line.seq;
        self.hash.clone_from(&line.hash);
        Ok(())
    }

    /// Whether the end was reached that the head names.
    pub fn finish(&self, head: &AuditHead) -> Result<(), Broken> {
        if self.seq == head.seq && self.hash == head.hash { Ok(()) } else { Err(Broken::End) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::desk::AuditAct;

    fn lines() -> Vec<AuditLine> {
        let mut previous = START.to_owned();
        (1..=4)
            .map(|seq| {
                let entry = AuditEntry {
                    at_ms: seq * 10,
                    actor: "wang".into(),
                    address: "10.0.0.1".into(),
                    act: AuditAct::Unmask,
                    subject: format!("DG0001/{seq}"),
                    detail: "contact".into(),
                };
                previous = link(&previous, seq, &entry);
                AuditLine { seq, entry, hash: previous.clone() }
            })
            .collect()
    }

    fn check(lines: &[AuditLine], head: &AuditHead) -> Result<(), Broken> {
        let mut follower = Follower::new(head);
        lines.iter().try_for_each(|line| follower.follow(line))?;
        follower.finish(head)
    }

    #[test]
    fn a_whole_chain_verifies_and_every_change_is_found() {
        let whole = lines();
        let head = AuditHead { base_seq: 0, base_hash: START.into(), seq: 4, hash: whole[3].hash.clone() };
        assert_eq!(check(&whole, &head), Ok(()));
        let changes: [fn(&mut AuditEntry); 6] = [
            |entry| entry.at_ms += 1,
            |entry| entry.actor.push('x'),
            |entry| entry.address.clear(),
            |entry| entry.act = AuditAct::SignIn,
            |entry| entry.subject.push('1'),
            |entry| entry.detail.clear(),
        ];
        for change in changes {
            let mut changed = whole.clone();
            change(&mut changed[1].entry);
            assert_eq!(check(&changed, &head), Err(Broken::Changed { seq: 2 }));
        }
        // Text that moves from one field to the next is a change too.
        let mut moved = whole.clone();
        moved[1].entry.actor = "wang1".into();
        moved[1].entry.address = "0.0.0.1".into();
        assert_eq!(check(&moved, &head), Err(Broken::Changed { seq: 2 }));
        let mut without = whole.clone();
        without.remove(2);
        assert_eq!(check(&without, &head), Err(Broken::Missing { wanted: 3 }));
        assert_eq!(check(&whole[..3], &head), Err(Broken::End));
    }

    #[test]
    fn a_chain_without_its_oldest_lines_still_verifies() {
        let whole = lines();
        let head =
            AuditHead { base_seq: 2, base_hash: whole[1].hash.clone(), seq: 4, hash: whole[3].hash.clone() };
        assert_eq!(check(&whole[2..], &head), Ok(()));
        assert_eq!(check(&whole[3..], &head), Err(Broken::Missing { wanted: 3 }));
    }
}
