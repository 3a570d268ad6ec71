//! Records whose content was given back because the city held it for good, and of which a receipt is wanted again: the
//! delivery log was lost, or the city was put back from a copy that knows less. The city is asked, not told.

use super::Queue;
use crate::client::{CityClient, GoodReceipt, RecordName, Refused};

/// What the city may know such a record as.
#[derive(Clone)]
pub(super) struct KnownAs {
    /// Its own name.
    pub(super) name: RecordName,
    /// The name of the void that closed its place when it was found damaged here, perhaps after the city had it.
    void: Option<RecordName>,
}

impl Queue {
    /// What the city may know this record as, if its content was given back.
    pub(super) fn given_back(&self, seq: u64) -> Option<KnownAs> {
        let incarnation = self.reader.incarnation();
        let mut known_as = self.reader.given_back(seq).ok()?.into_iter().map(|(case_id, sha256)| {
            RecordName { incarnation: incarnation.into(), seq, case_id, sha256: Some(sha256) }
        });
        let (mut name, void) = (known_as.next()?, known_as.next());
        if void.is_some() {
            // Its hash may be what was damaged.
            name.sha256 = None;
        }
        Some(KnownAs { name, void })
    }
}

impl KnownAs {
    /// Asks for the receipt under the one name and then the other, and says which it was.
    pub(super) async fn receipt(self, client: &CityClient) -> (RecordName, Result<GoodReceipt, Refused>) {
        let own = client.receipt(&self.name).await;
        match self.void {
            Some(void) if own.is_err() => {
                let result = client.receipt(&void).await;
                (void, result)
            }
            _ => (self.name, own),
        }
    }
}
