//! Records as a resident's day makes them: a whole 12345 诉求提交, sealed to the city and signed by its terminal, that
//! the gateway's opener accepts as good. Made beforehand, so that making them costs nothing while something is measured.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use hyper::body::Bytes;
use kiosk_core::case_number;
use serde_json::{Map, Value, json};
use service_catalog::Catalog;
use sync_protocol::{
    AgeSealer, ClockEvidence, Manifest, NO_PREVIOUS, PROTOCOL_VERSION, RecordKind, SealedRecord, Sealer,
    Submission, TerminalKey, sha256_hex,
};
use time::{Duration, OffsetDateTime};

const ITEM: &str = "12345-appeal";

/// One record, ready to be sent.
pub struct Record {
    /// UUID of the record.
    pub case_id: String,
    /// Hash of what is sealed.
    pub sha256: String,
    /// Hash of the manifest.
    pub manifest_hash: String,
    /// The body of its request.
    pub body: Bytes,
}

/// Makes records.
pub struct Maker {
    sealer: AgeSealer,
    catalog_version: String,
    item_version: u32,
    applicant: Map<String, Value>,
    answers: Map<String, Value>,
}

/// Whose records they are.
pub struct Queue<'a> {
    /// Key of the terminal.
    pub key: &'a TerminalKey,
    /// Its code.
    pub code: &'a str,
    /// Life of its queue.
    pub incarnation: &'a str,
}

impl Maker {
    /// For the items of this catalog, sealed to this recipient.
    pub fn new(catalog: &Path, recipient: &str) -> Result<Self> {
        let catalog = Catalog::load(catalog);
        let item =
            catalog.items.iter().find(|item| item.code == ITEM).context("the item is in the catalog")?;
        Ok(Self {
            sealer: AgeSealer::from_recipients(recipient)?,
            catalog_version: catalog.version.clone(),
            item_version: item.version,
            applicant: applicant()?,
            answers: answers()?,
        })
    }

    /// The first so many records of a queue.
    pub fn chain(&self, queue: &Queue<'_>, count: u64) -> Result<Vec<Record>> {
        let mut previous = NO_PREVIOUS.to_owned();
        let mut records = Vec::new();
        for seq in 1..=count {
            let record = self.make(queue, seq, previous)?;
            previous = record.manifest_hash.clone();
            records.push(record);
        }
        Ok(records)
    }

    fn make(&self, queue: &Queue<'_>, seq: u64, prev_hash: String) -> Result<Record> {
        let case_id = uuid::Uuid::new_v4().to_string();
        let case_number = case_number::compose(queue.code, rand::random());
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
            terminal: queue.code.into(),
            incarnation: queue.incarnation.into(),
            seq,
            case_id: case_id.clone(),
            about: None,
            voids: None,
            case_number,
            verification: format!("{:032x}", rand::random::<u128>())[..20].to_owned(),
            item: ITEM.into(),
            item_version: self.item_version,
            catalog_version: self.catalog_version.clone(),
            prev_hash,
            sha256: sha256.clone(),
            bytes: ciphertext.len() as u64,
            blobs: Vec::new(),
            clock: clock(),
        };
        let manifest = manifest.sign(queue.key);
        let manifest_hash = Manifest::hash(&manifest);
        let body = Bytes::from(SealedRecord { manifest, ciphertext }.to_json());
        Ok(Record { case_id, sha256, manifest_hash, body })
    }
}

/// What the clock of an emulated terminal is worth.
pub fn clock() -> ClockEvidence {
    let boot_id = "6f1c2a50-0000-4000-8000-000000000001".to_owned();
    ClockEvidence { wall_ms: wall_ms(), monotonic_ms: 3_600_000, boot_id, last_sync_age_s: Some(12) }
}

fn applicant() -> Result<Map<String, Value>> {
    object(json!({
        "document": "resident-id-card",
        "name": "陈桂英",
        "number": "990001197105230046",
        "sex": "女",
        "ethnic": "汉",
        "birth": "1971-05-23",
        "address": "广东省东莞市示例镇样本路12号3栋501房",
        "issuer": "东莞市公安局示例分局",
        "valid_from": "2019-06-12",
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

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
