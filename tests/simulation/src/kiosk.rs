//! The kiosk's half of a terminal: what kiosk-app does with the outbox. A resident's case is sealed, signed and
//! committed; damaged places are closed by voids; a copied disk goes on in a new life; what is durable is given back.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use kiosk_store::{
    BegunBecause, Damaged, DeliveryReader, NewRecord, NewVoid, Outbox, PrintState, RecordKind as StoredKind,
    SealedBlob, StoreError, Stub,
};
use rusqlite::Connection;
use serde_json::json;
use sync_protocol::{
    AgeSealer, BlobRef, ClockEvidence, Manifest, NO_PREVIOUS, PROTOCOL_VERSION, RecordKind, Sealer,
    Submission, TerminalKey, sha256_hex,
};

use crate::city::{ITEM_CODE, ITEM_VERSION};
use crate::terminal::Terminal;
use crate::truth::Truth;

/// What the city holds for good is given back this long after it was finalised.
const RETENTION_MS: i64 = 10 * 60 * 1000;

/// What every kiosk of the city has.
pub struct Office {
    /// Seals to the city.
    pub sealer: AgeSealer,
    /// The key of each terminal, by its code.
    pub keys: BTreeMap<String, TerminalKey>,
}

/// What became of a resident's visit.
#[derive(Debug, PartialEq, Eq)]
pub enum Visit {
    /// Finalised: the number of the promise, its position.
    Promised(usize, u64),
    /// The kiosk takes no cases just now.
    Closed,
    /// Nothing was promised, because there was no room.
    NoRoom,
}

impl Terminal {
    /// Starts the kiosk's process when it does not run: opens the outbox and mends what is damaged. Returns the places
    /// that were closed, and whether a new life began.
    pub fn start_kiosk(&mut self, office: &Office, truth: &mut Truth) -> Result<Option<(Vec<u64>, bool)>> {
        if self.outbox.is_some() {
            return Ok(None);
        }
        let mut outbox = Outbox::open(&self.state(), &self.code).context("the outbox does not open")?;
        let nothing_can_follow = outbox.must_repair();
        let mut closed = Vec::new();
        for damaged in outbox.damaged()? {
            let void = self.void(&damaged, office)?;
            outbox.close_with_void(&void)?;
            truth.voids.insert(void.case_id);
            closed.push(damaged.seq);
        }
        if nothing_can_follow {
            outbox.begin_incarnation(BegunBecause::Repaired, self.clocks.wall_ms())?;
        }
        if self.disk_is_full {
            outbox.limit_pages(1)?;
        }
        self.outbox = Some(outbox);
        Ok(Some((closed, nothing_can_follow)))
    }

    /// A resident comes, fills a form in, perhaps has photos taken, confirms.
    pub fn visit(&mut self, office: &Office, truth: &mut Truth) -> Result<Visit> {
        let (case_id, blobs) = (self.chance.uuid(), self.photos());
        // What is sealed has another length each time, and would find room or not on a full disk's last page; so much
        // never does, and the seed alone decides.
        let words = 1 + self.chance.below(400) as usize % 90;
        let words = if self.disk_is_full { 20_000 } else { words };
        let submission = submission(&case_id, self.clocks.wall_ms(), words);
        let ciphertext = office.sealer.seal(&submission.to_plaintext())?;
        let sha256 = sha256_hex(&ciphertext);
        let Some(outbox) = &self.outbox else { return Ok(Visit::Closed) };
        let slot = outbox.next_slot();
        let (incarnation, seq) = (outbox.incarnation().to_owned(), slot.seq);
        let manifest = Manifest {
            kind: RecordKind::Case,
            case_id: case_id.clone(),
            case_number: submission.case_number.clone(),
            verification: case_id[..13].to_owned(),
            item: ITEM_CODE.into(),
            item_version: ITEM_VERSION,
            sha256: sha256.clone(),
            bytes: ciphertext.len() as u64,
            blobs: blobs
                .iter()
                .map(|blob| BlobRef { sha256: blob.sha256.clone(), bytes: blob.bytes.len() as u64 })
                .collect(),
            ..self.manifest(&incarnation, seq, &slot.prev_hash)
        };
        let hashes: Vec<String> = blobs.iter().map(|blob| blob.sha256.clone()).collect();
        let record = NewRecord {
            slot,
            case_id: case_id.clone(),
            kind: StoredKind::Case,
            manifest: manifest.sign(self.key(office)?),
            ciphertext,
            sha256: sha256.clone(),
            finalised_at_ms: self.clocks.wall_ms(),
            blobs,
            stub: Some(Stub {
                case_id: case_id.clone(),
                case_number: submission.case_number.clone(),
                item: ITEM_CODE.into(),
                verification: case_id[..13].to_owned(),
                finalised_at_ms: self.clocks.wall_ms(),
                print: PrintState::NotPrinted,
            }),
        };
        let Some(outbox) = &mut self.outbox else { return Ok(Visit::Closed) };
        match outbox.commit(record) {
            Ok(()) => {
                let number = truth.finalised(&case_id, &incarnation, seq, &sha256, hashes);
                Ok(Visit::Promised(number, seq))
            }
            Err(StoreError::DiskFull) => Ok(Visit::NoRoom),
            Err(error) => Err(error).context("a case could not be committed"),
        }
    }

    /// The regular care. Says what was done.
    pub fn care(&mut self) -> Result<Vec<String>> {
        let (state, wall_ms) = (self.state(), self.clocks.wall_ms());
        let Some(outbox) = &mut self.outbox else { return Ok(Vec::new()) };
        let mut done = Vec::new();
        let log = DeliveryReader::open(&state).ok().flatten();
        if log.is_some_and(|log| log.must_leave(outbox.incarnation()).unwrap_or(false)) {
            let before = outbox.incarnation().to_owned();
            match outbox.begin_incarnation(BegunBecause::CopiedDisk, wall_ms) {
                Ok(()) if outbox.incarnation() != before => {
                    done.push("goes on in a new life: its disk is a copy or an older image".to_owned());
                }
                Ok(()) => {}
                Err(StoreError::DiskFull) => done.push("has no room for a new life".to_owned()),
                Err(error) => return Err(error).context("a new life"),
            }
        }
        // A full disk refuses the note of what is given back; the next care finds room or not.
        match outbox.purge(wall_ms - RETENTION_MS, wall_ms) {
            Ok(0) | Err(StoreError::DiskFull) => {}
            Ok(purged) => done.push(format!("gives {purged} back")),
            Err(error) => return Err(error).context("purging"),
        }
        Ok(done)
    }

    /// A disk with no room left, or with room again.
    pub fn disk_full(&mut self, full: bool) -> Result<()> {
        self.disk_is_full = full;
        if let Some(outbox) = &self.outbox {
            outbox.limit_pages(u32::from(full))?;
        }
        Ok(())
    }

    /// Flips bits in one record on the disk; nobody may have it open. Returns the record's id.
    pub fn damage(&mut self) -> Result<Option<String>> {
        let path = self.state().join("outbox.db");
        let rows = rows(&path)?;
        let whole: Vec<&Row> = rows.iter().filter(|row| !row.voided && !row.purged).collect();
        let Some(row) = self.chance.pick(&whole) else { return Ok(None) };
        let what = match self.chance.below(3) {
            0 => "manifest = manifest || 'x'",
            1 => "ciphertext = x'00'",
            _ => "sha256 = prev_hash",
        };
        let db = Connection::open(&path)?;
        let trigger: String = db.query_row(
            "SELECT sql FROM sqlite_master WHERE name = 'record_is_sealed_update'",
            [],
            |row| row.get(0),
        )?;
        let at = row.at;
        db.execute_batch(&format!(
            "BEGIN; DROP TRIGGER record_is_sealed_update; UPDATE record SET {what} WHERE seq = {at}; \
             {trigger}; COMMIT"
        ))?;
        Ok(Some(row.case_id.clone()))
    }

    fn photos(&mut self) -> Vec<SealedBlob> {
        let count = match self.chance.below(10) {
            0..7 => 0,
            7..9 => 1,
            _ => 2,
        };
        let photo = |chance: &mut crate::chance::Chance| {
            // Some are taken twice: the same bytes in two cases.
            let (size, same) = (chance.between(1_000, 700_000) as usize, chance.permille(150));
            let bytes = if same { vec![7; 300_000] } else { chance.bytes(size) };
            SealedBlob { sha256: sha256_hex(&bytes), bytes }
        };
        let mut photos: Vec<SealedBlob> = (0..count).map(|_| photo(&mut self.chance)).collect();
        photos.dedup_by(|one, other| one.sha256 == other.sha256);
        photos
    }

    fn key<'a>(&self, office: &'a Office) -> Result<&'a TerminalKey> {
        office.keys.get(&self.code).context("a terminal without a key")
    }

    /// An empty manifest for a place.
    fn manifest(&self, incarnation: &str, seq: u64, prev_hash: &str) -> Manifest {
        Manifest {
            version: PROTOCOL_VERSION,
            kind: RecordKind::Void,
            terminal: self.code.clone(),
            incarnation: incarnation.to_owned(),
            seq,
            case_id: String::new(),
            about: None,
            voids: None,
            case_number: String::new(),
            verification: String::new(),
            item: String::new(),
            item_version: 0,
            catalog_version: "simulation".into(),
            prev_hash: prev_hash.to_owned(),
            sha256: sha256_hex(&[]),
            bytes: 0,
            blobs: Vec::new(),
            clock: ClockEvidence {
                wall_ms: self.clocks.wall_ms(),
                monotonic_ms: self.clocks.now() - self.clocks.boot.1,
                boot_id: self.clocks.boot.0.clone(),
                last_sync_age_s: None,
            },
        }
    }

    fn void(&mut self, damaged: &Damaged, office: &Office) -> Result<NewVoid> {
        let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let prev_hash = if is_hash(&damaged.prev_hash) { damaged.prev_hash.as_str() } else { NO_PREVIOUS };
        let case_id = self.chance.uuid();
        let manifest = Manifest {
            case_id: case_id.clone(),
            about: Some(damaged.case_id.clone()),
            voids: is_hash(&damaged.manifest_hash).then(|| damaged.manifest_hash.clone()),
            ..self.manifest(&damaged.incarnation, damaged.seq, prev_hash)
        };
        let (incarnation, seq) = (damaged.incarnation.clone(), damaged.seq);
        let manifest = manifest.sign(self.key(office)?);
        Ok(NewVoid { incarnation, seq, case_id, manifest, at_ms: self.clocks.wall_ms() })
    }
}

/// A row of an outbox, looked at past the store.
pub struct Row {
    /// The row itself.
    pub at: i64,
    /// UUID of the record.
    pub case_id: String,
    /// A void stands for it.
    pub voided: bool,
    /// Its content was given back.
    pub purged: bool,
}

/// All rows of an outbox; none when there is no outbox.
pub fn rows(path: &Path) -> Result<Vec<Row>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let db = Connection::open(path)?;
    let mut query = db.prepare(
        "SELECT seq, case_id, EXISTS (SELECT 1 FROM void v WHERE v.seq = r.seq), \
         EXISTS (SELECT 1 FROM purged p WHERE p.seq = r.seq) FROM record r ORDER BY seq",
    )?;
    let rows = query.query_map([], |row| {
        Ok(Row { at: row.get(0)?, case_id: row.get(1)?, voided: row.get(2)?, purged: row.get(3)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn submission(case_id: &str, wall_ms: i64, words: usize) -> Submission {
    let object = |value: serde_json::Value| value.as_object().cloned().unwrap_or_default();
    let words = "测".repeat(words);
    Submission {
        version: PROTOCOL_VERSION,
        case_id: case_id.to_owned(),
        case_number: format!("S-{}", &case_id[..8]),
        item: ITEM_CODE.into(),
        item_version: ITEM_VERSION,
        language: "zh-Hans".into(),
        finalised_at_ms: wall_ms,
        identification: "id-card".into(),
        applicant: object(
            json!({ "document": "resident-id-card", "name": "欧阳测试", "number": id_number() }),
        ),
        answers: object(json!({ "words": words, "phone": "13812341234" })),
        consent_version: 1,
        about: None,
    }
}

/// A made-up number of a made-up place, with its check digit.
fn id_number() -> String {
    const START: &str = "99000119900101123";
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = START.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{START}{}", char::from(b"10X98765432"[(sum % 11) as usize]))
}
