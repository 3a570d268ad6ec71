//! Stands for the kiosk process: the one writer of a terminal's outbox. Cases, ratings and attachments are sealed,
//! signed and committed with the kiosk's own store, and what the store promises is said on standard output after the
//! commit returned, as a printer would. What keeps the outbox in order is done as the kiosk does it.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kiosk_store::{
    BegunBecause, Damaged, DeliveryReader, NewRecord, NewVoid, Outbox, PrintState, SealedBlob, StoreError,
    StoreErrorKind, Stub,
};
use rand::rngs::ThreadRng;
use rand::{Rng, RngCore};
use serde_json::{Map, Value, json};
use sync_agent::Config;
use sync_protocol::{
    AgeSealer, BlobRef, ClockEvidence, Manifest, NO_PREVIOUS, PROTOCOL_VERSION, Rating, RecordKind, Sealer,
    Submission, TerminalKey, sha256_hex,
};
use time::OffsetDateTime;

use crate::books::{self, Promise};

/// Words that must be nowhere but inside a seal.
pub const NAME: &str = "欧阳守恒测试";

/// A made-up number of a made-up place, with its check digit.
pub const NUMBER: &str = "990001199001011235";

/// The item that residents ask for, of the project's catalog.
const ITEM: (&str, u32) = ("12345-appeal", 2);

/// Time between two cases.
const PAUSE_MS: std::ops::Range<u64> = 80..600;

/// Room kept for what is begun; little, so that a full disk is soon met by a commit.
const RESERVE: u64 = 256 * 1024;

const PURGE_EVERY: Duration = Duration::from_secs(3);

/// The writer of one outbox.
pub struct Feeder {
    config: Config,
    key: TerminalKey,
    sealer: AgeSealer,
    /// Absent only while it is opened anew.
    outbox: Option<Outbox>,
    random: ThreadRng,
    /// The last case, for a rating.
    last: Option<(String, String)>,
    /// A photo that more than one case has.
    photo: Vec<u8>,
    purged: Instant,
}

impl Feeder {
    /// Opens the outbox and closes what is damaged.
    pub fn open(config: &Path) -> Result<Self> {
        let config = Config::load(config)?;
        let read = |name: &str| {
            std::fs::read_to_string(config.keys.join(name)).with_context(|| format!("keys/{name}"))
        };
        let key = TerminalKey::from_pem(&read("terminal.key.pem")?)?;
        let sealer = AgeSealer::from_recipients(&read("city-seal.pub")?)?;
        let outbox = Some(Outbox::open(&config.state, &config.terminal)?);
        let mut random = rand::rng();
        let photo = noise(&mut random, 300_000);
        let mut feeder =
            Self { config, key, sealer, outbox, random, last: None, photo, purged: Instant::now() };
        feeder.mend()?;
        Ok(feeder)
    }

    /// A pause, the regular care, and one record.
    pub fn round(&mut self) -> Result<()> {
        std::thread::sleep(Duration::from_millis(self.random.random_range(PAUSE_MS)));
        self.care()?;
        match self.random.random_range(0..10) {
            0 => self.rating(),
            1..=3 => {
                let photos = self.photos();
                self.case(photos)
            }
            _ => self.case(Vec::new()),
        }
    }

    /// One case with a photo.
    pub fn one(&mut self) -> Result<()> {
        let photo = noise(&mut self.random, 400_000);
        self.case(vec![photo])
    }

    fn outbox(&mut self) -> Result<&mut Outbox> {
        self.outbox.as_mut().context("the outbox is not open")
    }

    /// No damaged record may stand in the way of the others.
    fn mend(&mut self) -> Result<()> {
        let nothing_can_follow = self.outbox()?.must_repair();
        for damaged in self.outbox()?.damaged()? {
            let void = self.void(&damaged);
            self.outbox()?.close_with_void(&void)?;
            say(&format!("voided {} {}\n", damaged.incarnation, damaged.seq))?;
        }
        if nothing_can_follow {
            self.outbox()?.begin_incarnation(BegunBecause::Repaired, now_ms())?;
        }
        Ok(())
    }

    /// What the kiosk does between two residents. Unlike there, what is durable is given back at once.
    fn care(&mut self) -> Result<()> {
        let delivery = DeliveryReader::open(&self.config.state).ok().flatten();
        let outbox = self.outbox.as_mut().context("the outbox is not open")?;
        if delivery.is_some_and(|delivery| delivery.must_leave(outbox.incarnation()).unwrap_or(false)) {
            outbox.begin_incarnation(BegunBecause::CopiedDisk, now_ms())?;
            say("told that this disk is a copy\n")?;
        }
        if self.purged.elapsed() > PURGE_EVERY {
            self.purged = Instant::now();
            let purged = passing(outbox.purge(i64::MAX, now_ms()))?;
            if purged.is_some_and(|rows| rows > 0) {
                say("purged\n")?;
            }
        }
        passing(outbox.keep_reserve(RESERVE)).map(drop)
    }

    fn photos(&mut self) -> Vec<Vec<u8>> {
        let count = self.random.random_range(1..=2);
        let mut photos: Vec<Vec<u8>> = Vec::new();
        for _ in 0..count {
            // From a signature to a photo; small ones are as likely as large ones.
            let bits = self.random.random_range(9..=20);
            let bytes = self.random.random_range(1..1 << bits);
            photos.push(noise(&mut self.random, bytes));
        }
        if self.random.random_ratio(1, 5) {
            photos.push(self.photo.clone());
        }
        photos
    }

    fn case(&mut self, photos: Vec<Vec<u8>>) -> Result<()> {
        let case_id = uuid::Uuid::new_v4().to_string();
        let number = format!("{}-{:08X}-T", self.config.terminal, self.random.next_u32());
        let submission = Submission {
            version: PROTOCOL_VERSION,
            case_id: case_id.clone(),
            case_number: number.clone(),
            item: ITEM.0.into(),
            item_version: ITEM.1,
            language: "zh-Hans".into(),
            finalised_at_ms: now_ms(),
            identification: "typed".into(),
            applicant: object(json!({ "document": "resident-id-card", "name": NAME, "number": NUMBER })),
            answers: object(json!({
                "kind": "noise", "what": NAME, "place": NAME, "date": yesterday(), "reply": "none",
            })),
            consent_version: 1,
            about: None,
        };
        let plaintext = submission.to_plaintext();
        let draft =
            Draft { kind: RecordKind::Case, case_id: case_id.clone(), number: number.clone(), about: None };
        self.commit(draft, &plaintext, photos)?;
        self.last = Some((case_id, number));
        Ok(())
    }

    fn rating(&mut self) -> Result<()> {
        let Some((about, case_number)) = self.last.clone() else { return self.case(Vec::new()) };
        let stars = self.random.random_range(1..=5);
        let rating = Rating {
            version: PROTOCOL_VERSION,
            about: about.clone(),
            case_number: case_number.clone(),
            stars,
        };
        let case_id = uuid::Uuid::new_v4().to_string();
        let draft = Draft { kind: RecordKind::Rating, case_id, number: case_number, about: Some(about) };
        self.commit(draft, &rating.to_plaintext(), Vec::new())
    }

    /// Seal → sign → commit → say so. A full disk promises nothing; after any other failure the disk itself tells.
    fn commit(&mut self, draft: Draft, plaintext: &[u8], photos: Vec<Vec<u8>>) -> Result<()> {
        let ciphertext = self.sealer.seal(plaintext)?;
        let record = self.record(&draft, ciphertext, photos)?;
        let promise = Promise {
            incarnation: self.outbox()?.incarnation().to_owned(),
            seq: record.slot.seq,
            sha256: record.sha256.clone(),
            blobs: record.blobs.iter().map(|blob| blob.sha256.clone()).collect(),
        };
        match self.outbox()?.commit(record) {
            Ok(()) => say(&books::line(&draft.case_id, &promise)),
            Err(StoreError::DiskFull) => say("full\n"),
            Err(error) if error.kind() == StoreErrorKind::Retry => say("busy\n"),
            Err(error) => {
                eprintln!("the commit failed: {error}");
                let outbox = self.outbox.take().context("the outbox is open")?.reopen()?;
                let held = outbox.holds(&draft.case_id)?;
                self.outbox = Some(outbox);
                if held { say(&books::line(&draft.case_id, &promise)) } else { Ok(()) }
            }
        }
    }

    fn record(&mut self, draft: &Draft, ciphertext: Vec<u8>, photos: Vec<Vec<u8>>) -> Result<NewRecord> {
        let slot = self.outbox()?.next_slot();
        let blobs: Vec<SealedBlob> =
            photos.into_iter().map(|bytes| SealedBlob { sha256: sha256_hex(&bytes), bytes }).collect();
        let manifest = Manifest {
            seq: slot.seq,
            prev_hash: slot.prev_hash.clone(),
            sha256: sha256_hex(&ciphertext),
            bytes: ciphertext.len() as u64,
            blobs: blobs
                .iter()
                .map(|blob| BlobRef { sha256: blob.sha256.clone(), bytes: blob.bytes.len() as u64 })
                .collect(),
            ..self.manifest(draft)?
        };
        let is_case = draft.kind == RecordKind::Case;
        let stub = is_case.then(|| Stub {
            case_id: draft.case_id.clone(),
            case_number: draft.number.clone(),
            item: ITEM.0.into(),
            verification: manifest.verification.clone(),
            finalised_at_ms: now_ms(),
            print: PrintState::NotPrinted,
        });
        Ok(NewRecord {
            slot,
            case_id: draft.case_id.clone(),
            kind: if is_case { kiosk_store::RecordKind::Case } else { kiosk_store::RecordKind::Rating },
            sha256: manifest.sha256.clone(),
            manifest: manifest.sign(&self.key),
            ciphertext,
            finalised_at_ms: now_ms(),
            blobs,
            stub,
        })
    }

    /// All that does not depend on content and place.
    fn manifest(&mut self, draft: &Draft) -> Result<Manifest> {
        Ok(Manifest {
            version: PROTOCOL_VERSION,
            kind: draft.kind,
            terminal: self.config.terminal.clone(),
            incarnation: self.outbox()?.incarnation().into(),
            seq: 1,
            case_id: draft.case_id.clone(),
            about: draft.about.clone(),
            voids: None,
            case_number: draft.number.clone(),
            verification: format!("{:016X}", self.random.next_u64()),
            item: ITEM.0.into(),
            item_version: if draft.kind == RecordKind::Case { ITEM.1 } else { 0 },
            catalog_version: "oracle".into(),
            prev_hash: NO_PREVIOUS.into(),
            sha256: sha256_hex(b""),
            bytes: 0,
            blobs: Vec::new(),
            clock: ClockEvidence {
                wall_ms: now_ms(),
                monotonic_ms: 0,
                boot_id: "feeder".into(),
                last_sync_age_s: None,
            },
        })
    }

    fn void(&mut self, damaged: &Damaged) -> NewVoid {
        let case_id = uuid::Uuid::new_v4().to_string();
        let draft = Draft {
            kind: RecordKind::Void,
            case_id: case_id.clone(),
            number: format!("{}-VOID", self.config.terminal),
            about: None,
        };
        let manifest = self.manifest(&draft).expect("the outbox is open while it is mended");
        let manifest = Manifest {
            incarnation: damaged.incarnation.clone(),
            seq: damaged.seq,
            prev_hash: damaged.prev_hash.clone(),
            voids: Some(damaged.manifest_hash.clone()),
            ..manifest
        };
        NewVoid {
            incarnation: damaged.incarnation.clone(),
            seq: damaged.seq,
            case_id,
            manifest: manifest.sign(&self.key),
            at_ms: now_ms(),
        }
    }
}

/// A record before it has its content and its place.
struct Draft {
    kind: RecordKind,
    case_id: String,
    number: String,
    about: Option<String>,
}

/// What a moment's trouble leaves undone is done the next time.
fn passing<T>(done: Result<T, StoreError>) -> Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if matches!(error.kind(), StoreErrorKind::DiskFull | StoreErrorKind::Retry) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// One write for a line, so that a kill leaves a whole one or nothing that counts.
fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    Ok(out.flush()?)
}

fn noise(random: &mut ThreadRng, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    random.fill_bytes(&mut noise);
    noise
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// A day that is never in the future, whatever the hour in China.
fn yesterday() -> String {
    let day = (OffsetDateTime::now_utc() - time::Duration::days(1)).date();
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

fn now_ms() -> i64 {
    i64::try_from(OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}
