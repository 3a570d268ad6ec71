//! Takes a catalog over: verify, stage, remember, switch, in this order. Whatever cuts it short, the old catalog or
//! the new one is in use, whole, and the next try goes on from there.

use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::error::CatalogError;
use super::folder::{CatalogFolder, Wanted};
use super::source::Source;
use super::status::CatalogStatus;
use super::time::{Clocks, DAY_MS, TrustedTime};
use super::trust::{Trust, root_version};
use super::verify::{Verified, verify};

/// The city's time is written down again when it differs from the last note by more than this.
const NOTE_TIME_MS: i64 = DAY_MS / 24;

/// What a try brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The catalog in use is the newest.
    Unchanged,
    /// The same catalog, signed anew: it is fresh again.
    SignedAnew,
    /// Another catalog is in use now.
    Switched(u64),
}

/// The one who changes the catalog's folder.
#[derive(Debug)]
pub struct CatalogKeeper {
    folder: CatalogFolder,
    shipped_root: String,
    time: TrustedTime,
}

impl CatalogKeeper {
    /// `root` is the root of trust that came with the terminal's keys.
    pub fn open(folder: &Path, root: &Path, disk: Disk) -> Result<Self, CatalogError> {
        let shipped_root = std::fs::read_to_string(root).map_err(|_| CatalogError::Root)?;
        root_version(&shipped_root).ok_or(CatalogError::Root)?;
        let folder = CatalogFolder::new(folder, disk);
        let remembered_ms = Trust::load(&folder, &shipped_root)?.city_ms;
        Ok(Self { folder, shipped_root, time: TrustedTime::new(remembered_ms) })
    }

    /// The city said its time, signed.
    pub fn city_said(&mut self, city_ms: i64, monotonic_ms: u64) -> Result<(), CatalogError> {
        self.time.city_said(city_ms, monotonic_ms);
        let mut trust = Trust::load(&self.folder, &self.shipped_root)?;
        if trust.city_ms.is_none_or(|noted| noted.abs_diff(city_ms) > NOTE_TIME_MS.unsigned_abs()) {
            self.prepare()?;
            trust.city_ms = Some(city_ms);
            trust.commit(&self.folder)?;
        }
        Ok(())
    }

    /// Number of the catalog in use.
    pub fn number(&self) -> Option<u64> {
        self.folder.current().map(|current| current.number)
    }

    /// Looks whether a repository has a newer catalog, and takes it over.
    pub async fn update(&mut self, source: &Source, clocks: Clocks) -> Result<Outcome, CatalogError> {
        let outcome = self.try_update(source, clocks).await;
        if let Err(error) = &outcome {
            let status = CatalogStatus { fault: error.code().into(), ..CatalogStatus::load(&self.folder) };
            self.write_status(status, clocks);
        }
        outcome
    }

    /// Counts the days since the catalog went stale.
    pub fn grow_older(&self, clocks: Clocks) {
        self.write_status(CatalogStatus::load(&self.folder), clocks);
    }

    fn write_status(&self, status: CatalogStatus, clocks: Clocks) {
        if let Err(error) = status.aged(self.time.now(clocks)).write(&self.folder) {
            tracing::warn!(%error, "the catalog's status could not be written");
        }
    }

    async fn try_update(&mut self, source: &Source, clocks: Clocks) -> Result<Outcome, CatalogError> {
        let trust = Trust::load(&self.folder, &self.shipped_root)?;
        let scratch = self.prepare()?;
        let at_least_ms = self.time.now(clocks).at_least_ms;
        let verified = verify(source, &trust, self.number(), at_least_ms, &scratch).await;
        let removed = self.folder.disk().remove(&scratch);
        let verified = match verified {
            Ok(verified) => verified,
            Err(rejected) => {
                if let Some(learnt) = rejected.learnt {
                    learnt.commit(&self.folder)?;
                }
                return Err(rejected.error);
            }
        };
        removed?;
        let outcome = self.take_over(&trust, &verified).await?;
        self.write_status(CatalogStatus::fresh(verified.number, &verified.life), clocks);
        Ok(outcome)
    }

    async fn take_over(&self, before: &Trust, verified: &Verified) -> Result<Outcome, CatalogError> {
        let wanted: Vec<Wanted> = verified.files.iter().map(|(_, wanted)| wanted.clone()).collect();
        let current = self.folder.current();
        let in_use = current
            .filter(|current| current.number == verified.number && self.folder.is_whole(current, &wanted));
        if in_use.is_some() {
            if before.floor == verified.trust.floor && before.targets.is_some() {
                return Ok(Outcome::Unchanged);
            }
            verified.trust.commit(&self.folder)?;
            return Ok(Outcome::SignedAnew);
        }
        // A cut may have come between the name and the switch.
        let waiting = self.folder.installed().into_iter().rev();
        let waiting = waiting
            .filter(|found| found.number == verified.number && Some(found) != self.folder.current().as_ref())
            .find(|found| self.folder.is_whole(found, &wanted));
        let installed = match waiting {
            Some(found) => found,
            None => {
                self.stage(verified).await?;
                let floor = serde_json::to_vec(&verified.trust.floor).expect("numbers become JSON");
                self.folder.finish(verified.number, &floor)?
            }
        };
        // Remembered before it is used: after a cut here the old catalog is in use and the new one can still come,
        // but nothing older any more.
        verified.trust.commit(&self.folder)?;
        self.folder.switch_to(&installed)?;
        if let Err(error) = self.folder.tidy() {
            tracing::warn!(%error, "an old catalog could not be removed");
        }
        Ok(Outcome::Switched(verified.number))
    }

    async fn stage(&self, verified: &Verified) -> Result<(), CatalogError> {
        let number = verified.number;
        self.folder.stage(number)?;
        for (name, wanted) in &verified.files {
            let bytes = match self.folder.at_hand(number, wanted) {
                Some(bytes) => bytes,
                None => verified.fetch(name).await?,
            };
            self.folder.stage_file(number, wanted, &bytes)?;
        }
        Ok(())
    }

    /// Makes the folder and an empty one for the library to work in.
    fn prepare(&self) -> Result<PathBuf, CatalogError> {
        let (disk, scratch) = (self.folder.disk(), self.folder.beside(".scratch"));
        disk.make_folder(&self.folder.beside("versions"))?;
        disk.remove(&scratch)?;
        disk.make_folder(&scratch)?;
        Ok(scratch)
    }
}
