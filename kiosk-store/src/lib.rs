//! Sole owner of the terminal's SQLite files: the outbox (what residents finished), the delivery log (what the city
//! acknowledged) and the audit chains.
//!
//! Every file has exactly one process that writes it: kiosk-app writes `outbox.db`, its blobs and `audit-kiosk.db`;
//! sync-agent writes `delivery.db` and `audit-agent.db`. A writer holds a lock file and a second one is refused.
//! Writers run WAL with `synchronous=FULL` and read their pragmas back before anything depends on them. When
//! [`Outbox::commit`] returns `Ok`, the record is on disk.
//!
//! Deliberately absent: any way to change or remove a sealed record before the city holds it for good; any fall-back to memory; any column or audit
//! field that could hold a resident's data in clear; networking, cryptography beyond SHA-256, other crates of this
//! project.

mod admission;
mod audit;
mod audit_book;
mod audit_event;
mod blobs;
mod connection;
mod delivery;
mod delivery_reader;
mod disk_watch;
mod error;
mod hash;
mod incarnation;
mod mend;
mod outbox;
mod outbox_check;
mod outbox_reader;
mod purge;
mod record;
mod reserve;
mod void;

pub use admission::{Admission, ClosedBecause, admission, disk_used_percent};
pub use audit::{AuditLog, AuditRow, ChainReport};
pub use audit_book::AuditBook;
pub use audit_event::*;
pub use delivery::{Acknowledgement, AcknowledgementStatus, Attempt, Delivery, Sync, TpmMemory};
pub use delivery_reader::{DeliveryCounts, DeliveryReader};
#[cfg(feature = "disk-watch")]
pub use disk_watch::{DiskStep, Precaution, SyncFate, decide_syncs, leave_out, watch_disk};
pub use error::{StoreError, StoreErrorKind, StoreRemedy};
pub use incarnation::BegunBecause;
pub use mend::Mended;
pub use outbox::{CommitStep, NewRecord, Outbox, SealedBlob, Slot};
pub use outbox_reader::{OutboxReader, QueueEntry, StoredBlob, StoredRecord};
pub use record::{PrintState, RecordKind, Stub};
pub use void::{Damaged, NewVoid};
