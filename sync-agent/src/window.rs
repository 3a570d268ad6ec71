//! What is under way: positions sent and not answered, and positions answered and not yet noted on disk.

use std::collections::BTreeMap;

/// Positions that must not be sent again just now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    /// Position → when it was sent.
    sent: BTreeMap<u64, u64>,
    /// Position → since when a verified receipt is in hand and the journal is writing it.
    confirming: BTreeMap<u64, u64>,
}

impl Window {
    pub(crate) fn sent(&mut self, seq: u64, now_ms: u64) {
        self.sent.insert(seq, now_ms);
    }

    /// The answer came. `false` when nobody waited for it any more.
    pub(crate) fn answered(&mut self, seq: u64) -> bool {
        self.sent.remove(&seq).is_some()
    }

    pub(crate) fn confirming(&mut self, seq: u64, now_ms: u64) {
        self.sent.remove(&seq);
        self.confirming.insert(seq, now_ms);
    }

    pub(crate) fn settled(&mut self, seq: u64) {
        self.confirming.remove(&seq);
    }

    pub(crate) fn holds(&self, seq: u64) -> bool {
        self.sent.contains_key(&seq) || self.confirming.contains_key(&seq)
    }

    /// Room for more, given how many may be under way. A slow disk must not let receipts pile up either.
    pub(crate) fn room(&self, limit: usize) -> usize {
        let piled_up = self.confirming.len() >= limit.saturating_mul(8);
        if piled_up { 0 } else { limit.saturating_sub(self.sent.len()) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.confirming.is_empty()
    }

    /// Forgets what was sent, or handed to the disk, so long ago that no answer can come any more.
    pub(crate) fn drop_older_than(&mut self, at_ms: u64) {
        self.sent.retain(|_, since| *since >= at_ms);
        self.confirming.retain(|_, since| *since >= at_ms);
    }
}
