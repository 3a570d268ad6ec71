//! Which life of the queue is served. Nearly always there is one. When a disk turned out to be a copy, or its end was
//! damaged, an earlier life may still hold what was not delivered: the lives are then served in turns, each until it
//! has nothing to send just now, so that neither waits for the other's refused records.

use kiosk_store::{DeliveryReader, OutboxReader, StoreError};
use sync_protocol::ranges::RangeSet;

use super::{Agent, Queue};

/// While the newest life is served, an earlier one that still waits for something gets its turn this often.
const REVISIT_MS: u64 = 10 * 60 * 1000;

impl Agent {
    /// Opens the life whose turn it is, and says whether others wait.
    pub(super) fn open_life(
        &mut self,
        log: &DeliveryReader,
    ) -> Result<Option<(OutboxReader, bool)>, StoreError> {
        let state = &self.config.state;
        let Some(newest) = OutboxReader::open(state)? else { return Ok(None) };
        let names = newest.incarnations()?;
        let served_last =
            self.served_last.as_ref().and_then(|last| names.iter().position(|name| name == last));
        let first = served_last.map_or(0, |at| at + 1);
        let (mut chosen, mut others) = (None, false);
        for at in 0..names.len() {
            let name = &names[(first + at) % names.len()];
            let is_newest = name == newest.incarnation();
            if !is_newest && is_drained(state, name, log)? {
                continue;
            }
            match chosen {
                None => chosen = Some(name.clone()),
                Some(_) => others = true,
            }
        }
        let name = chosen.unwrap_or_else(|| newest.incarnation().to_owned());
        let reader = OutboxReader::open_incarnation(state, &name)?;
        self.served_last = Some(name);
        Ok(reader.map(|reader| (reader, others)))
    }

    /// Whether this life has had its turn.
    pub(super) fn has_had_its_turn(&self, queue: &Queue) -> bool {
        let now = self.clock.now_ms();
        let long_enough = !queue.is_newest || now >= queue.opened_ms + REVISIT_MS;
        queue.others_wait && long_enough && queue.plan.is_idle(now)
    }
}

fn is_drained(state: &std::path::Path, name: &str, log: &DeliveryReader) -> Result<bool, StoreError> {
    let Some(reader) = OutboxReader::open_incarnation(state, name)? else { return Ok(true) };
    let acknowledged = RangeSet::from(log.acknowledged(name)?);
    let all_acknowledged = acknowledged.missing_ranges(reader.head()?).next().is_none();
    Ok(all_acknowledged && log.incomplete(name)?.is_empty())
}
