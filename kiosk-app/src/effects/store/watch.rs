//! What the store's thread looks at between two commands: the disk's room, and what the city has said.

use kiosk_core::session::{Admission, Device, Store};
use kiosk_store::{ClosedBecause, DeliveryReader, Outbox};
use std::path::{Path, PathBuf};

use super::wall_ms;
use crate::inbox::Inbox;

/// The city counts as reachable when the agent heard from it this lately, and not when its last hello failed: an agent
/// that hangs must not keep the screen cheerful.
const NETWORK_FRESH_MS: i64 = 90_000;

/// What was last seen. Only a change is reported.
pub(super) struct Watch {
    state: PathBuf,
    min_free_bytes: u64,
    admission: Option<Admission>,
    network: Option<bool>,
    /// The last case of this process, until the city has acknowledged it.
    awaited: Option<(String, u64)>,
}

impl Watch {
    pub(super) fn new(state: PathBuf, min_free_bytes: u64) -> Self {
        Watch { state, min_free_bytes, admission: None, network: None, awaited: None }
    }

    /// From now on the city's acknowledgement of this case is reported.
    pub(super) fn await_delivery(&mut self, case_id: &str, seq: u64) {
        self.awaited = Some((case_id.to_owned(), seq));
    }

    /// Whether new cases can be taken; `closed` says that they cannot, whatever the disk says. Gives what changed, for the auditor.
    pub(super) fn admission(
        &mut self,
        closed: Option<ClosedBecause>,
        inbox: &Inbox,
    ) -> Option<kiosk_store::Admission> {
        let room = match closed {
            None => kiosk_store::admission(&self.state, self.min_free_bytes),
            Some(because) => kiosk_store::Admission::Closed(because),
        };
        let admission = match room {
            kiosk_store::Admission::Open => Admission::Open,
            kiosk_store::Admission::Closed(_) => Admission::Closed,
        };
        if self.admission.replace(admission) == Some(admission) {
            return None;
        }
        inbox.store(Store::AdmissionChanged(admission));
        Some(room)
    }

    /// Whether the city can be reached, and whether it has the last case.
    pub(super) fn delivery(&mut self, outbox: Option<&Outbox>, inbox: &Inbox) {
        let Ok(Some(delivery)) = DeliveryReader::open(&self.state) else { return };
        let last_sync_ms = delivery.last_sync_ms().ok().flatten();
        let fresh = last_sync_ms.is_some_and(|at| wall_ms() - at < NETWORK_FRESH_MS);
        let network = fresh && !delivery.is_city_silent().unwrap_or(false);
        if self.network.replace(network) != Some(network) {
            inbox.device(Device::NetworkChanged(network));
        }
        if let (Some((case_id, seq)), Some(outbox)) = (&self.awaited, outbox)
            && delivery.is_acknowledged(outbox.incarnation(), *seq).unwrap_or(false)
        {
            inbox.store(Store::Delivered(case_id.clone()));
            self.awaited = None;
        }
    }
}

/// When the agent last heard from the city.
pub(super) fn last_sync_ms(state: &Path) -> Option<i64> {
    let delivery = DeliveryReader::open(state).ok().flatten()?;
    delivery.last_sync_ms().ok().flatten()
}
