//! Publishing: check, sign, write; the timestamp last, because it is what makes the rest the newest.

use std::collections::HashMap;
use std::fs::{self, File};
use std::num::NonZeroU64;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use jiff::{SignedDuration, Timestamp as Moment};
use serde_json::Value;
use service_catalog::Catalog;
use tough::TargetName;
use tough::editor::signed::SignedRole;
use tough::schema::{
    Hashes, KeyHolder, Metafile, Role as SignedPart, Root, Snapshot, Target, Targets, Timestamp,
};

use crate::files;
use crate::keys::{Keys, Role};
use crate::repository::Repository;
use crate::root::{self, SPEC};

/// Days that a root counts; it is renewed when keys change.
const ROOT_DAYS: u32 = 3650;

/// Days that the list of files counts at least; the timestamp is what grows old quickly.
const TARGETS_DAYS: u32 = 365;

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The catalog's number.
    pub number: u64,
    /// Version of the timestamp.
    pub timestamp: u64,
    /// Files in it.
    pub files: usize,
    /// Until when terminals count it as fresh.
    pub fresh_until: String,
    /// Whether this began a new repository, so that terminals need its root.
    pub new_root: bool,
}

/// Publishes into one repository with one set of keys.
pub struct Publisher {
    repository: Repository,
    keys: Keys,
    now: Moment,
    expires_days: u32,
    /// Held while this lives: two publishers would give one number to two catalogs.
    _lock: File,
}

impl Publisher {
    /// `now_ms` is the time in milliseconds since 1970; a timestamp made now counts for `expires_days`.
    pub fn open(to: &Path, keys: Keys, now_ms: i64, expires_days: u32) -> Result<Self> {
        ensure!((1..=3650).contains(&expires_days), "--expires-days must be from 1 to 3650");
        fs::create_dir_all(to).with_context(|| format!("{} cannot be made", to.display()))?;
        let to = to.canonicalize()?;
        ensure!(
            !keys.folder().starts_with(&to),
            "the keys lie in the repository ({}); it will be read by everyone",
            keys.folder().display()
        );
        let lock = File::create(to.join(".lock"))?;
        lock.try_lock().context("somebody else is publishing into this repository")?;
        let now = Moment::from_millisecond(now_ms).context("a time that cannot be written")?;
        Ok(Self { repository: Repository::new(&to), keys, now, expires_days, _lock: lock })
    }

    /// Checks, signs and publishes a catalog under the next number, at least `at_least`.
    pub async fn publish(&self, from: &Path, at_least: u64) -> Result<Published> {
        check(from).context("nothing was published")?;
        let new_root = self.repository.root()?.is_none();
        if new_root {
            self.begin().await?;
        }
        let before = self.repository.newest()?;
        let next = before.as_ref().map_or(1, |newest| newest.targets.signed.version.get() + 1);
        let number = next.max(at_least);
        let mut targets =
            Targets::new(SPEC.into(), nonzero(number)?, self.after(TARGETS_DAYS.max(self.expires_days))?);
        targets._extra.insert("x-published".into(), Value::from(written(self.now)?));
        let found = files::collect(from)?;
        let files = found.len();
        for (name, bytes) in found {
            let hash = digest(&SHA256, &bytes).as_ref().to_vec();
            self.repository.write_target(&name, &hex(&hash), &bytes)?;
            let target = Target {
                length: bytes.len() as u64,
                hashes: Hashes { sha256: hash.into(), _extra: HashMap::new() },
                custom: HashMap::new(),
                _extra: HashMap::new(),
            };
            targets.add_target(TargetName::new(name)?, target);
        }
        let targets = self.sign(targets).await?;
        self.repository.write_metadata(&format!("{number}.targets.json"), targets.buffer())?;
        let meta = metafile(&targets, number)?;
        let (timestamp, fresh_until) = self.seal(meta).await?;
        Ok(Published { number, timestamp, files, fresh_until, new_root })
    }

    /// Signs what is published anew, so that it counts as fresh for some more days. Needs no key but those of
    /// snapshot and timestamp.
    pub async fn refresh(&self) -> Result<Published> {
        let Some(newest) = self.repository.newest()? else { bail!("nothing is published here yet") };
        let number = newest.targets.signed.version.get();
        let Some(meta) = newest.snapshot.signed.meta.get("targets.json") else { bail!("no targets") };
        let (timestamp, fresh_until) = self.seal(meta.clone()).await?;
        let files = newest.targets.signed.targets.len();
        Ok(Published { number, timestamp, files, fresh_until, new_root: false })
    }

    /// Makes new keys for a role and tells the terminals by a new root. Needs the root's keys.
    pub async fn rotate(&self, role: Role) -> Result<u64> {
        let Some(before) = self.repository.root()? else { bail!("nothing is published here yet") };
        let newest = self.repository.newest()?;
        self.keys.make(role)?;
        let root = root::after(&before.signed, role, self.after(ROOT_DAYS)?, &self.keys)?;
        let version = root.version.get();
        let signed = root::sign(root, Some(&before), &self.keys).await?;
        self.repository.write_metadata(&format!("{version}.root.json"), signed.buffer())?;
        let Some(newest) = newest else { return Ok(version) };
        // What the old keys signed no longer counts, so it is signed anew at once.
        let mut targets = newest.targets.signed;
        if role == Role::Targets {
            let number = targets.version.get() + 1;
            targets.version = nonzero(number)?;
            let targets = self.sign(targets).await?;
            self.repository.write_metadata(&format!("{number}.targets.json"), targets.buffer())?;
            self.seal(metafile(&targets, number)?).await?;
        } else {
            self.refresh().await?;
        }
        Ok(version)
    }

    /// The newest root as the terminals get it.
    pub fn root(&self) -> Result<Vec<u8>> {
        let Some(root) = self.repository.root()? else { bail!("nothing is published here yet") };
        Ok(serde_json::to_vec_pretty(&root)?)
    }

    async fn begin(&self) -> Result<()> {
        if self.keys.is_empty()? {
            self.keys.make_all()?;
        }
        let root = root::first(self.after(ROOT_DAYS)?, &self.keys)?;
        let signed = root::sign(root, None, &self.keys).await?;
        self.repository.write_metadata("1.root.json", signed.buffer())
    }

    /// Signs a snapshot and a timestamp over these targets and writes them, the timestamp last.
    async fn seal(&self, targets: Metafile) -> Result<(u64, String)> {
        let newest = self.repository.newest()?;
        let next = |version: Option<NonZeroU64>| version.map_or(1, |version| version.get() + 1);
        let number = next(newest.as_ref().map(|newest| newest.snapshot.signed.version));
        let expires = self.after(self.expires_days)?;
        let mut snapshot = Snapshot::new(SPEC.into(), nonzero(number)?, expires);
        snapshot.meta.insert("targets.json".into(), targets);
        let snapshot = self.sign(snapshot).await?;
        self.repository.write_metadata(&format!("{number}.snapshot.json"), snapshot.buffer())?;

        let version = next(newest.as_ref().map(|newest| newest.timestamp.signed.version));
        let mut timestamp = Timestamp::new(SPEC.into(), nonzero(version)?, expires);
        timestamp.meta.insert("snapshot.json".into(), metafile(&snapshot, number)?);
        let timestamp = self.sign(timestamp).await?;
        self.repository.write_metadata("timestamp.json", timestamp.buffer())?;
        Ok((version, written(expires)?))
    }

    async fn sign<T: SignedPart + serde::Serialize>(&self, part: T) -> Result<SignedRole<T>> {
        let root: Root = self.repository.root()?.context("there is no root yet")?.signed;
        let sources = self.keys.sources()?;
        let what = T::TYPE;
        SignedRole::new(part, &KeyHolder::Root(root), &sources, &SystemRandom::new()).await.with_context(
            || format!("{what} cannot be signed with the keys in {}", self.keys.folder().display()),
        )
    }

    fn after(&self, days: u32) -> Result<Moment> {
        let expires = self.now + SignedDuration::from_hours(24 * i64::from(days));
        // The standard knows whole seconds only.
        Ok(Moment::from_second(expires.as_second())?)
    }
}

/// Refuses a catalog with a file that a kiosk would leave out, and says which and why; else tells how many items it has.
pub fn check(from: &Path) -> Result<usize> {
    let catalog = Catalog::load(from);
    if !catalog.rejected.is_empty() {
        let lines = catalog.rejected.iter().map(|rejected| {
            let line = rejected.line.map(|line| format!(":{line}")).unwrap_or_default();
            format!("{}/{}{line}: {}", from.display(), rejected.file, rejected.reason)
        });
        bail!("a kiosk would leave these out:\n{}", lines.collect::<Vec<_>>().join("\n"));
    }
    ensure!(!catalog.items.is_empty(), "{} holds no items", from.display());
    Ok(catalog.items.len())
}

fn metafile<T: SignedPart + serde::Serialize>(signed: &SignedRole<T>, version: u64) -> Result<Metafile> {
    Ok(Metafile {
        length: Some(*signed.length()),
        hashes: Some(Hashes { sha256: signed.sha256().to_vec().into(), _extra: HashMap::new() }),
        version: nonzero(version)?,
        _extra: HashMap::new(),
    })
}

fn nonzero(version: u64) -> Result<NonZeroU64> {
    NonZeroU64::new(version).context("versions start at 1")
}

fn written(moment: Moment) -> Result<String> {
    Ok(Moment::from_second(moment.as_second())?.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
