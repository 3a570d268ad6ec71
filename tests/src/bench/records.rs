//! Records as a resident's day makes them: a whole 12345 诉求提交, sealed for the city and signed by the
//! terminal, that the gateway's opener accepts as good.

use anyhow::{Context, Result};
use kiosk_core::case_number;
use kiosk_store::{NewRecord, PrintState, SealedBlob, Slot, Stub};
use kiosk_tests::workshop;
use serde_json::{Map, Value, json};
use service_catalog::Catalog;
use simulator::cards::DeskCard;
use simulator::world::TERMINAL_CODE;
use std::time::{SystemTime, UNIX_EPOCH};
use sync_protocol::{
    AgeSealer, BlobRef, ClockEvidence, Manifest, PROTOCOL_VERSION, RecordKind, Sealer, Submission,
    TerminalKey, sha256_hex,
};
use time::{Duration, OffsetDateTime};

use super::site::Site;

const ITEM: &str = "12345-appeal";

/// Makes records of one terminal.
pub struct Maker {
    key: TerminalKey,
    sealer: AgeSealer,
    catalog_version: String,
    item_version: u32,
    applicant: Map<String, Value>,
    answers: Map<String, Value>,
}

impl Maker {
    /// With the keys of this site.
    pub fn new(site: &Site) -> Result<Maker> {
        let keys = site.terminal_keys();
        let catalog = Catalog::load(&workshop::project().join("assets/catalog"));
        let item =
            catalog.items.iter().find(|item| item.code == ITEM).context("the item is in the catalog")?;
        Ok(Maker {
            key: TerminalKey::from_pem(&std::fs::read_to_string(keys.join("terminal.key.pem"))?)?,
            sealer: AgeSealer::from_recipients(&std::fs::read_to_string(keys.join("city-seal.pub"))?)?,
            item_version: item.version,
            catalog_version: catalog.version.clone(),
            applicant: applicant()?,
            answers: answers()?,
        })
    }

    /// Everything `kiosk-app` does between the resident's confirmation and the commit.
    pub fn make(&self, incarnation: &str, slot: Slot) -> Result<NewRecord> {
        self.make_with(incarnation, slot, Vec::new())
    }

    /// A photo as the kiosk puts it into a record.
    pub fn seal_photo(&self, photo: &[u8]) -> Result<SealedBlob> {
        let bytes = self.sealer.seal(photo)?;
        Ok(SealedBlob { sha256: sha256_hex(&bytes), bytes })
    }

    /// [`Maker::make`] with sealed photos.
    pub fn make_with(&self, incarnation: &str, slot: Slot, blobs: Vec<SealedBlob>) -> Result<NewRecord> {
        let case_id = uuid::Uuid::new_v4().to_string();
        let case_number = case_number::compose(TERMINAL_CODE, rand::random());
        let verification = format!("{:032x}", rand::random::<u128>())[..20].to_owned();
        let finalised_at_ms = wall_ms();
        let submission = Submission {
            version: PROTOCOL_VERSION,
            case_id: case_id.clone(),
            case_number: case_number.clone(),
            item: ITEM.into(),
            item_version: self.item_version,
            language: "zh-Hans".into(),
            finalised_at_ms,
            identification: "id-card".into(),
            applicant: self.applicant.clone(),
            answers: self.answers.clone(),
            consent_version: 1,
            about: None,
        };
        let ciphertext = self.sealer.seal(&submission.to_plaintext())?;
        let sha256 = sha256_hex(&ciphertext);
        let manifest = Manifest {
            version: PROTOCOL_VERSION,
            kind: RecordKind::Case,
            terminal: TERMINAL_CODE.into(),
            incarnation: incarnation.into(),
            seq: slot.seq,
            case_id: case_id.clone(),
            about: None,
            voids: None,
            case_number: case_number.clone(),
            verification: verification.clone(),
            item: ITEM.into(),
            item_version: self.item_version,
            catalog_version: self.catalog_version.clone(),
            prev_hash: slot.prev_hash.clone(),
            sha256: sha256.clone(),
            bytes: ciphertext.len() as u64,
            blobs: blobs.iter().map(named).collect(),
            clock: clock(),
        };
        let manifest = manifest.sign(&self.key);
        let kind = kiosk_store::RecordKind::Case;
        let (item, print) = (ITEM.to_owned(), PrintState::NotPrinted);
        let stub =
            Some(Stub { case_id: case_id.clone(), case_number, item, verification, finalised_at_ms, print });
        Ok(NewRecord { slot, case_id, kind, manifest, ciphertext, sha256, finalised_at_ms, blobs, stub })
    }

    /// So many, each following the one before.
    pub fn chain(&self, incarnation: &str, mut slot: Slot, count: usize) -> Result<Vec<NewRecord>> {
        let mut records = Vec::with_capacity(count);
        for _ in 0..count {
            let record = self.make(incarnation, slot)?;
            slot = Slot { seq: record.slot.seq + 1, prev_hash: Manifest::hash(&record.manifest) };
            records.push(record);
        }
        Ok(records)
    }
}

fn named(blob: &SealedBlob) -> BlobRef {
    BlobRef { sha256: blob.sha256.clone(), bytes: blob.bytes.len() as u64 }
}

/// Bytes of all columns of a record and its stub.
pub fn row_bytes(record: &NewRecord) -> usize {
    let hashes = 3 * 64;
    let numbers = 4 * 8;
    let stub = record.stub.as_ref().map_or(0, |stub| {
        stub.case_number.len() + stub.item.len() + stub.verification.len() + "not-printed".len()
    });
    record.case_id.len()
        + record.manifest.len()
        + record.ciphertext.len()
        + "case".len()
        + hashes
        + numbers
        + stub
}

fn applicant() -> Result<Map<String, Value>> {
    let card = DeskCard::by_id("ordinary").context("the desk has an ordinary card")?.fields();
    let day = |text: &str| format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]);
    object(json!({
        "document": "resident-id-card",
        "name": card.name,
        "number": card.number,
        "sex": "女",
        "ethnic": "汉",
        "birth": day(&card.birth),
        "address": card.address,
        "issuer": card.issuer,
        "valid_from": day(&card.valid_from),
    }))
}

fn answers() -> Result<Map<String, Value>> {
    let yesterday = OffsetDateTime::now_utc() - Duration::days(1);
    object(json!({
        "kind": "noise",
        "what": "晚上施工或唱歌声音很大，睡不了觉。已经跟物业说过两次，还是没有人管，希望能派人来看一看。",
        "place": "广东省东莞市示例镇样本路18号对面的工地",
        "date": yesterday.date().to_string(),
        "reply": "call",
        "phone": "13800000000",
    }))
}

fn object(value: Value) -> Result<Map<String, Value>> {
    value.as_object().cloned().context("an object")
}

fn clock() -> ClockEvidence {
    let boot_id = "6f1c2a50-0000-4000-8000-000000000001".to_owned();
    ClockEvidence { wall_ms: wall_ms(), monotonic_ms: 3_600_000, boot_id, last_sync_age_s: Some(12) }
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
