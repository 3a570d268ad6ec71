//! Makes what travels to a department: the case, sealed anew by the opener's thread, and the city's signed note about it.

use std::sync::Arc;

use sync_protocol::{BlobRef, CaseDelivery, CityReceiptKey, DeliveryNote, PROTOCOL_VERSION, sha256_hex};

use super::departments::Addressee;
use crate::opener::{Resealer, RevealError};
use crate::store::StoreError;
use crate::store::relay::{OwedCase, RelayStore};
use crate::terminals::now_ms;

/// A case on its way.
pub(crate) struct Parcel {
    /// The same for the same case, always.
    pub(crate) id: String,
    pub(crate) delivery: CaseDelivery,
}

/// Why there is no parcel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotMade {
    /// The content was deleted by rule.
    #[error("the content was deleted by rule")]
    Erased,
    /// The city's key does not open it, or it is another case's.
    #[error("the content cannot be opened")]
    NotOpenable,
    /// The gateway is stopping.
    #[error("the opener has ended")]
    Ended,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes parcels. Holds no key that opens anything.
pub(crate) struct Parcels {
    store: Arc<dyn RelayStore>,
    resealer: Resealer,
    key: CityReceiptKey,
}

impl Parcels {
    pub(crate) fn new(store: Arc<dyn RelayStore>, resealer: Resealer, key: CityReceiptKey) -> Self {
        Self { store, resealer, key }
    }

    /// Seals a case to a department, and signs what is said about it.
    pub(crate) async fn make(&self, case: &OwedCase, to: &Addressee) -> Result<Parcel, NotMade> {
        let content = self.store.owed_content(&case.place).await?.ok_or(NotMade::Erased)?;
        let sealed = self.resealer.reseal(content.record, Arc::clone(&to.sealer)).await;
        let sealed = sealed.map_err(|error| match error {
            RevealError::Busy | RevealError::Ended => NotMade::Ended,
            RevealError::NotOpenable => NotMade::NotOpenable,
        })?;
        let id = DeliveryNote::id_of(&case.place.terminal, &case.case_id);
        let note = DeliveryNote {
            version: PROTOCOL_VERSION,
            id: id.clone(),
            department: to.code.clone(),
            terminal: case.place.terminal.clone(),
            case_id: case.case_id.clone(),
            case_number: case.case_number.clone(),
            item: case.item.clone(),
            item_version: case.item_version,
            record_sha256: case.sha256.clone(),
            sealed_sha256: sha256_hex(&sealed),
            blobs: content.blobs.into_iter().map(|(sha256, bytes)| BlobRef { sha256, bytes }).collect(),
            about: content.about.map(|about| DeliveryNote::id_of(&about.terminal, &about.case_id)),
            received_at_ms: case.received_at_ms,
            created_at_ms: now_ms(),
        };
        Ok(Parcel { id, delivery: CaseDelivery::new(note.sign(&self.key), &sealed) })
    }
}
