//! From a submission to a record on disk: name it, seal it, sign it, commit it.

use anyhow::Result;
use kiosk_core::photo::Photo;
use kiosk_core::service::ItemCode;
use kiosk_core::session::{SavedCase, Submission};
use kiosk_core::{case_number, verification_code};
use kiosk_store::{Damaged, NewRecord, NewVoid, Outbox, PrintState, SealedBlob, Stub};
use std::time::Instant;
use sync_protocol::{
    BlobRef, ClockEvidence, Manifest, NO_PREVIOUS, PROTOCOL_VERSION, RecordKind, Sealer, sha256_hex,
};

use super::{StoreSettings, wall_ms, watch};
use crate::submission;

/// Makes records, in the name of this terminal.
pub(super) struct Records {
    settings: StoreSettings,
    started: Instant,
}

/// What a record is about, before it has its place in the chain.
struct Draft {
    kind: RecordKind,
    case_id: String,
    about: Option<String>,
    item_version: u32,
    case: SavedCase,
}

impl Records {
    pub(super) fn new(settings: StoreSettings) -> Self {
        Records { settings, started: Instant::now() }
    }

    /// Records name this version of the catalog from now on.
    pub(super) fn catalog_is(&mut self, version: String) {
        self.settings.catalog_version = version;
    }

    /// Id, number and code of a case that is about to be committed.
    pub(super) fn name_case(&self, submission: &Submission) -> SavedCase {
        SavedCase {
            case_id: uuid::Uuid::new_v4().to_string(),
            case_number: case_number::compose(&self.settings.terminal, rand::random()),
            item: ItemCode(submission.item.0.clone()),
            verification: verification_code::compose(rand::random()),
            finalised_at_ms: wall_ms(),
        }
    }

    /// Seal → sign → commit. When this returns `Ok`, with its place, the case and its photos are on disk.
    pub(super) fn commit_case(
        &self,
        outbox: &mut Outbox,
        submission: &Submission,
        case: &SavedCase,
    ) -> Result<u64> {
        let plaintext =
            submission::plaintext(submission, &case.case_id, &case.case_number, case.finalised_at_ms);
        let draft = Draft {
            kind: RecordKind::Case,
            case_id: case.case_id.clone(),
            about: None,
            item_version: submission.item_version,
            case: case.clone(),
        };
        let stub = Stub {
            case_id: case.case_id.clone(),
            case_number: case.case_number.clone(),
            item: case.item.0.clone(),
            verification: case.verification.clone(),
            finalised_at_ms: case.finalised_at_ms,
            print: PrintState::NotPrinted,
        };
        let photos = submission.answers.values().flat_map(|answer| answer.photos());
        let blobs = photos.map(|photo| self.seal_photo(photo)).collect::<Result<_>>()?;
        self.commit(outbox, draft, &plaintext.to_plaintext(), blobs, Some(stub))
    }

    /// A photo as it lies in the blob folder: sealed to the city as the case is. What is inside has the hash that the
    /// answers name.
    fn seal_photo(&self, photo: &Photo) -> Result<SealedBlob> {
        let bytes = self.settings.sealer.seal(photo.jpeg.expose())?;
        Ok(SealedBlob { sha256: sha256_hex(&bytes), bytes })
    }

    /// The same for the stars given to a case; gives the id of the rating's own record.
    pub(super) fn commit_rating(&self, outbox: &mut Outbox, case: &SavedCase, stars: u8) -> Result<String> {
        let rating = sync_protocol::Rating {
            version: 1,
            about: case.case_id.clone(),
            case_number: case.case_number.clone(),
            stars,
        };
        let case_id = uuid::Uuid::new_v4().to_string();
        let draft = Draft {
            kind: RecordKind::Rating,
            case_id: case_id.clone(),
            about: Some(case.case_id.clone()),
            item_version: 0,
            case: case.clone(),
        };
        self.commit(outbox, draft, &rating.to_plaintext(), Vec::new(), None)?;
        Ok(case_id)
    }

    fn commit(
        &self,
        outbox: &mut Outbox,
        draft: Draft,
        plaintext: &[u8],
        blobs: Vec<SealedBlob>,
        stub: Option<Stub>,
    ) -> Result<u64> {
        let settings = &self.settings;
        let ciphertext = settings.sealer.seal(plaintext)?;
        let slot = outbox.next_slot();
        let finalised_at_ms = match draft.kind {
            RecordKind::Case => draft.case.finalised_at_ms,
            RecordKind::Rating | RecordKind::Void => wall_ms(),
        };
        let sha256 = sha256_hex(&ciphertext);
        let manifest = Manifest {
            version: PROTOCOL_VERSION,
            kind: draft.kind,
            terminal: settings.terminal.clone(),
            incarnation: outbox.incarnation().to_owned(),
            seq: slot.seq,
            case_id: draft.case_id.clone(),
            about: draft.about,
            voids: None,
            case_number: draft.case.case_number,
            verification: draft.case.verification,
            item: draft.case.item.0,
            item_version: draft.item_version,
            catalog_version: settings.catalog_version.clone(),
            prev_hash: slot.prev_hash.clone(),
            sha256: sha256.clone(),
            bytes: ciphertext.len() as u64,
            blobs: blobs.iter().map(named).collect(),
            clock: self.clock(),
        };
        let manifest = manifest.sign(&settings.terminal_key);
        let seq = slot.seq;
        outbox.commit(NewRecord {
            slot,
            case_id: draft.case_id,
            kind: match draft.kind {
                RecordKind::Case => kiosk_store::RecordKind::Case,
                RecordKind::Rating => kiosk_store::RecordKind::Rating,
                RecordKind::Void => kiosk_store::RecordKind::Void,
            },
            manifest,
            ciphertext,
            sha256,
            finalised_at_ms,
            blobs,
            stub,
        })?;
        Ok(seq)
    }

    /// Signs that what stood in this place is lost.
    pub(super) fn void(&self, damaged: &Damaged) -> NewVoid {
        let case_id = uuid::Uuid::new_v4().to_string();
        let manifest = Manifest {
            version: PROTOCOL_VERSION,
            kind: RecordKind::Void,
            terminal: self.settings.terminal.clone(),
            incarnation: damaged.incarnation.clone(),
            seq: damaged.seq,
            case_id: case_id.clone(),
            about: uuid::Uuid::parse_str(&damaged.case_id).ok().map(|id| id.to_string()),
            voids: is_hash(&damaged.manifest_hash).then(|| damaged.manifest_hash.clone()),
            case_number: String::new(),
            verification: String::new(),
            item: String::new(),
            item_version: 0,
            catalog_version: self.settings.catalog_version.clone(),
            prev_hash: match is_hash(&damaged.prev_hash) {
                true => damaged.prev_hash.clone(),
                false => NO_PREVIOUS.to_owned(),
            },
            sha256: sha256_hex(&[]),
            bytes: 0,
            blobs: Vec::new(),
            clock: self.clock(),
        };
        let manifest = manifest.sign(&self.settings.terminal_key);
        NewVoid {
            incarnation: damaged.incarnation.clone(),
            seq: damaged.seq,
            case_id,
            manifest,
            at_ms: wall_ms(),
        }
    }

    /// Clocks as they stand, so that the city can judge a wrong one.
    fn clock(&self) -> ClockEvidence {
        ClockEvidence {
            wall_ms: wall_ms(),
            monotonic_ms: self.started.elapsed().as_millis() as u64,
            boot_id: boot_id(),
            last_sync_age_s: watch::last_sync_ms(&self.settings.state)
                .map(|at| ((wall_ms() - at).max(0) / 1_000) as u64),
        }
    }
}

fn named(blob: &SealedBlob) -> BlobRef {
    BlobRef { sha256: blob.sha256.clone(), bytes: blob.bytes.len() as u64 }
}

/// What a damaged row says of itself need not be what it should be.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}
