//! What a terminal does for itself: closes the places of damaged records, and gives back the room of what the city holds
//! for good.

use anyhow::{Context, Result, ensure};
use kiosk_store::{NewVoid, RecordKind};

use crate::records::{make_record, sha256};
use crate::story::Handed;
use crate::terminal::{Terminal, heard};

impl Terminal {
    /// Closes the place of each damaged record with a void.
    pub fn close_damaged(&mut self) -> Result<()> {
        let outbox = self.kiosk.as_mut().context("kiosk-app is not running")?.outbox()?;
        for damaged in outbox.damaged().context("looking for damage")? {
            let at = damaged.seq as usize - 1;
            let finalised_at_ms = self.story.handed[at].finalised_at_ms;
            let made = make_record(&mut self.chance, &self.story, RecordKind::Void, finalised_at_ms);
            let void = Handed { ciphertext: Vec::new(), sha256: sha256(b""), ..made };
            let new = NewVoid {
                incarnation: damaged.incarnation,
                seq: damaged.seq,
                case_id: void.case_id.clone(),
                manifest: void.manifest.clone(),
                at_ms: self.clock_ms,
            };
            self.story.voids.insert(at, void);
            self.story.outbox.act(
                || outbox.close_with_void(&new).context("closing a place"),
                |state, ()| {
                    state.damaged.remove(&at);
                    state.voids.insert(at);
                },
            )?;
        }
        Ok(())
    }

    /// The city says that it holds for good all that it gave receipts for without a gap.
    pub fn all_is_durable(&mut self) -> Result<()> {
        self.clock_ms += 2000;
        let mut known = self.story.delivery.newest().clone();
        known.durable = (1..).find(|seq| !known.receipts.contains_key(seq)).map_or(0, |seq| seq - 1);
        known.epoch.get_or_insert_with(|| "epoch-1".into());
        let (durable, epoch) = (known.durable, known.epoch.clone());
        let incarnation = self.story.incarnation.as_deref().context("the queue has no name yet")?;
        let sync = heard(incarnation, self.clock_ms, 7, &known);
        let agent = self.sync.as_mut().context("sync-agent is not running")?;
        let delivery = agent.delivery.as_mut().context("the delivery log is not open")?;
        self.story.delivery.act(
            || delivery.set_epoch(&sync.epoch).context("noting an epoch"),
            |state, ()| state.epoch = epoch,
        )?;
        self.story.delivery.act(
            || delivery.record_sync(&sync).context("noting what is durable"),
            |state, ()| (state.durable, state.last_sync) = (durable, Some((sync.now_ms, 7))),
        )
    }

    /// Gives back the room of everything that is durable.
    pub fn give_back(&mut self) -> Result<()> {
        let now = self.clock_ms;
        let outbox = self.kiosk.as_mut().context("kiosk-app is not running")?.outbox()?;
        let durable = self.story.delivery.newest().durable as usize;
        let before = &self.story.outbox.newest().given_back;
        let places: Vec<_> = (0..durable).filter(|at| !before.contains(at)).collect();
        let expected = places.len();
        let given_back = self.story.outbox.act(
            || outbox.purge(i64::MAX, now).context("giving back room"),
            |state, _| state.given_back.extend(places),
        )?;
        ensure!(given_back == expected, "{given_back} records were given back instead of {expected}");
        Ok(())
    }
}
