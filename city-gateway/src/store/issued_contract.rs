//! What every store must do for issued documents, whatever database is behind it. A store joins by implementing
//! [`IssuedBed`] and naming itself in [`issued_contract_suite!`].

use std::sync::Arc;

use super::desk::contract::entry;
use super::desk::{AuditAct, DeskStore};
use super::issued::*;

/// One store, from the sides that meet here.
pub type Sides = (Arc<dyn DeskStore>, Arc<dyn IssuedDocuments>);

/// A database of its own for one test. Opening it again opens the same one.
pub trait IssuedBed {
    /// Opens the store.
    fn open(&self) -> impl Future<Output = Sides>;
}

fn document(number: &str, ends_at_ms: i64) -> IssuedDocument {
    IssuedDocument {
        number: number.into(),
        item: "insurance-certificate".into(),
        stamp_sha256: "ab".repeat(32),
        issued_at_ms: 1000,
        ends_at_ms,
        revoked_at_ms: None,
    }
}

fn line() -> super::desk::AuditEntry {
    entry(AuditAct::DocumentIssued, 1000)
}

/// A document is noted once, with its line; a number is never given twice.
pub async fn a_number_is_issued_once(bed: impl IssuedBed) {
    let (desk, store) = bed.open().await;
    assert_eq!(store.issued("ZM-1").await.unwrap(), None);
    assert!(store.issue(document("ZM-1", 5000), 0, line()).await.unwrap());
    let other = IssuedDocument { item: "another".into(), ..document("ZM-1", 9000) };
    assert!(!store.issue(other, 0, line()).await.unwrap());
    assert_eq!(store.issued("ZM-1").await.unwrap(), Some(document("ZM-1", 5000)));
    let lines = desk.audit_after(0, 10).await.unwrap();
    let acts: Vec<_> = lines.iter().map(|line| line.entry.act).collect();
    assert_eq!(acts, [AuditAct::DocumentIssued]);
}

/// It is taken back once, with its line.
pub async fn a_document_is_taken_back_once(bed: impl IssuedBed) {
    let (desk, store) = bed.open().await;
    store.issue(document("ZM-1", 5000), 0, line()).await.unwrap();
    let back = || entry(AuditAct::DocumentRevoked, 2000);
    assert!(!store.revoke_document("ZM-2", 2000, back()).await.unwrap());
    assert!(store.revoke_document("ZM-1", 2000, back()).await.unwrap());
    assert!(!store.revoke_document("ZM-1", 3000, back()).await.unwrap());
    assert_eq!(store.issued("ZM-1").await.unwrap().unwrap().revoked_at_ms, Some(2000));
    assert_eq!(desk.audit_after(0, 10).await.unwrap().len(), 2);
}

/// What ended long ago goes as new ones come, and no other.
pub async fn what_ended_long_ago_is_forgotten(bed: impl IssuedBed) {
    let (_, store) = bed.open().await;
    for at in 0..TAKEN_AWAY + 5 {
        assert!(store.issue(document(&format!("ZM-OLD-{at:02}"), 100 + at), 0, line()).await.unwrap());
    }
    store.issue(document("ZM-NEW", 9000), 1000, line()).await.unwrap();
    assert_eq!(store.issued("ZM-OLD-00").await.unwrap(), None);
    let last = format!("ZM-OLD-{:02}", TAKEN_AWAY + 4);
    assert!(store.issued(&last).await.unwrap().is_some(), "not all at once");
    store.issue(document("ZM-NEWER", 9000), 1000, line()).await.unwrap();
    assert_eq!(store.issued(&last).await.unwrap(), None);
    assert!(store.issued("ZM-NEW").await.unwrap().is_some());
}

/// One test for each promise.
macro_rules! issued_contract_suite {
    ($bed:expr) => {
        $crate::store::issued_contract::issued_contract_suite!($bed;
            a_number_is_issued_once a_document_is_taken_back_once what_ended_long_ago_is_forgotten);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::issued_contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use issued_contract_suite;
