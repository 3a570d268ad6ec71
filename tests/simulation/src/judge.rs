//! The judge: what must hold of every run when its faults have stopped and everything was delivered. I1 to I6 of the
//! invariants; that nothing lies in clear and that content never goes back is for others to show.

use std::collections::BTreeMap;

use anyhow::Result;
use kiosk_store::{DeliveryReader, OutboxReader};

use crate::world::World;

/// Most times that a record may be sent once nothing goes wrong any more.
const PUTS_IN_CALM: u64 = 8;
/// Most times in all: a run lasts hours, and the agent waits between tries.
const PUTS_IN_ALL: u64 = 400;
/// Most requests of one terminal in a minute.
const REQUESTS_IN_A_MINUTE: u64 = 600;

impl World<'_> {
    /// Judges the run.
    pub(crate) fn judge(&mut self, disks_were_honest: bool) -> Result<()> {
        self.every_promise_is_kept()?;
        self.nothing_was_invented()?;
        for at in 0..self.terminals.len() {
            self.only_receipts_are_believed(at)?;
        }
        self.lives_have_no_gaps()?;
        self.nobody_flooded_anybody();
        if disks_were_honest {
            let disagreeing = self.city.disagreeing()?;
            if disagreeing > 0 {
                self.truth
                    .violated(format!("I4: the books of {disagreeing} terminals differ from the city's"));
            }
        }
        Ok(())
    }

    /// I1, I2: exactly one effect with the same hash, or a void in its place.
    fn every_promise_is_kept(&mut self) -> Result<()> {
        let holdings = self.city.holdings()?;
        let records: Vec<_> = self.truth.all().cloned().collect();
        for record in records {
            let number = record.number;
            let Some(holding) = holdings.get(&(record.case_id.clone(), record.sha256.clone())) else {
                if !record.destroyed && !record.damaged {
                    self.truth.violated(format!("I1: promise {number} has no effect in the city"));
                }
                continue;
            };
            if holding.taken > 1 {
                self.truth.violated(format!("I1: promise {number} has {} effects", holding.taken));
            }
            if holding.incomplete && !record.blobs_destroyed && !record.damaged {
                self.truth.violated(format!("I1: promise {number} still waits for its blobs"));
            }
            if holding.taken == 1 && !holding.incomplete && !holding.opened {
                self.truth.violated(format!("I1: promise {number} was not opened"));
            }
        }
        Ok(())
    }

    /// I3: no effect that nobody promised.
    fn nothing_was_invented(&mut self) -> Result<()> {
        for row in self.city.rows()? {
            let promised = self.truth.record(&row.case_id).is_some_and(|record| record.sha256 == row.sha256);
            if !promised && !self.truth.voids.contains(&row.case_id) {
                self.truth
                    .violated(format!("I3: the city holds a record that nobody finalised: {:?}", row.kind));
            }
        }
        Ok(())
    }

    /// Whatever an agent counts as delivered, it does so on a receipt that the city signed. Asked again and again during
    /// the run: a true receipt that comes later hides the false one.
    pub(crate) fn only_receipts_are_believed(&mut self, at: usize) -> Result<()> {
        let state = self.terminals[at].state();
        let Some(log) = DeliveryReader::open(&state)? else { return Ok(()) };
        for incarnation in lives(&state)? {
            for (first, last) in log.acknowledged(&incarnation)? {
                for seq in first..=last {
                    let believed = log.acknowledgement(&incarnation, seq)?;
                    if !believed.is_some_and(|good| self.truth.receipts.contains(&good.receipt)) {
                        self.truth.violated(format!("place {seq} counts as delivered without a receipt"));
                    }
                }
            }
        }
        Ok(())
    }

    /// I4: every place of every life was received, and the terminals' own chains are whole.
    fn lives_have_no_gaps(&mut self) -> Result<()> {
        let mut heads: BTreeMap<(String, String), u64> = BTreeMap::new();
        for at in 0..self.terminals.len() {
            let terminal = &self.terminals[at];
            let (state, code, name) = (terminal.state(), terminal.code.clone(), terminal.name.clone());
            if let Some(outbox) = &terminal.outbox
                && let Err(error) = outbox.verify_all()
            {
                self.truth.violated(format!("I4: {name}'s chain is broken: {error}"));
            }
            for incarnation in lives(&state)? {
                let Some(life) = OutboxReader::open_incarnation(&state, &incarnation)? else { continue };
                let head = heads.entry((code.clone(), incarnation)).or_default();
                *head = (*head).max(life.head()?);
            }
        }
        for ((code, incarnation), head) in heads.into_iter().filter(|(_, head)| *head > 0) {
            let received = self.city.received(&code, &incarnation)?;
            if received.first().is_none_or(|(first, last)| *first != 1 || *last < head) {
                let life = self.trace.alias("life", &incarnation);
                self.truth
                    .violated(format!("I4: of {life} the city has {received:?}, but it ends at {head}"));
            }
        }
        Ok(())
    }

    /// Bounded sends.
    fn nobody_flooded_anybody(&mut self) {
        let records: Vec<_> = self.truth.all().cloned().collect();
        for record in records {
            if record.puts > PUTS_IN_ALL || record.puts_since_calm > PUTS_IN_CALM {
                let (number, puts, calm) = (record.number, record.puts, record.puts_since_calm);
                self.truth
                    .violated(format!("promise {number} was sent {puts} times, {calm} of them in calm"));
            }
        }
        if self.most_in_a_minute > REQUESTS_IN_A_MINUTE {
            let most = self.most_in_a_minute;
            self.truth.violated(format!("a terminal made {most} requests in one minute"));
        }
    }
}

fn lives(state: &std::path::Path) -> Result<Vec<String>> {
    Ok(match OutboxReader::open(state)? {
        Some(queue) => queue.incarnations()?,
        None => Vec::new(),
    })
}
