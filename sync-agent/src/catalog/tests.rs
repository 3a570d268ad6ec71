//! The catalog on the terminal against a city that really signs, and against everyone who does not.

mod attacks;
mod clock;
mod cuts;
mod life;

use std::fs;
use std::path::{Path, PathBuf};

use catalog_publisher::{Keys, Publisher};
use service_catalog::{Catalog, current_folder};

use super::disk::Disk;
use super::error::CatalogError;
use super::keeper::{CatalogKeeper, Outcome};
use super::source::Source;
use super::status::CatalogStatus;
use super::time::{Clocks, DAY_MS};

/// A moment in November 2026.
const NOW: i64 = 1_795_300_000_000;

/// A good item of the project's own catalog; its version tells catalogs apart.
const ITEM: &str = include_str!("../../../assets/catalog/items/minsheng-wish.toml");

/// A city with keys, a catalog and a repository.
struct City {
    folder: tempfile::TempDir,
}

impl City {
    fn new() -> Self {
        let city = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(city.path("catalog/items")).unwrap();
        city.write_item(1);
        city
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    fn source(&self) -> Source {
        Source::folder(&self.repository())
    }

    fn write_item(&self, version: u32) {
        let text = ITEM.replace("\nversion = 1\nshape", &format!("\nversion = {version}\nshape"));
        fs::write(self.path("catalog/items/minsheng-wish.toml"), text).unwrap();
    }

    fn publisher_at(&self, now_ms: i64) -> Publisher {
        let keys = Keys::open(&self.path("keys")).unwrap();
        Publisher::open(&self.repository(), keys, now_ms, 30).unwrap()
    }

    fn publisher(&self) -> Publisher {
        self.publisher_at(NOW)
    }

    /// Publishes a catalog whose item has this version; returns its number.
    async fn publish(&self, version: u32) -> u64 {
        self.publish_at(version, NOW).await
    }

    async fn publish_at(&self, version: u32, now_ms: i64) -> u64 {
        self.write_item(version);
        self.publisher_at(now_ms).publish(&self.path("catalog"), 1).await.unwrap().number
    }

    /// The repository as it is now, kept aside.
    fn kept(&self, name: &str) -> PathBuf {
        let to = self.path(name);
        copy(&self.repository(), &to);
        to
    }

    /// A terminal that trusts this city as it is now.
    fn terminal(&self) -> Terminal {
        let terminal = Terminal { folder: tempfile::tempdir().unwrap() };
        fs::write(terminal.root(), self.publisher().root().unwrap()).unwrap();
        terminal
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A terminal with a root of trust.
struct Terminal {
    folder: tempfile::TempDir,
}

impl Terminal {
    fn root(&self) -> PathBuf {
        self.folder.path().join("catalog-root.json")
    }

    fn catalog(&self) -> PathBuf {
        self.folder.path().join("catalog")
    }

    fn keeper(&self) -> CatalogKeeper {
        self.keeper_on(Disk::default())
    }

    fn keeper_on(&self, disk: Disk) -> CatalogKeeper {
        CatalogKeeper::open(&self.catalog(), &self.root(), disk).unwrap()
    }

    /// One look by a process that was just started, without a word of the city about the time.
    async fn look(&self, source: &Source) -> Result<Outcome, CatalogError> {
        self.keeper().update(source, clocks(NOW)).await
    }

    /// One look after the city said its time.
    async fn look_at(&self, source: &Source, city_ms: i64) -> Result<Outcome, CatalogError> {
        let mut keeper = self.keeper();
        keeper.city_said(city_ms, 0).unwrap();
        keeper.update(source, clocks(city_ms)).await
    }

    /// The version of the item, as the kiosk would load it; the catalog must be whole.
    fn item_version(&self) -> Option<u32> {
        let catalog = Catalog::load(&current_folder(&self.catalog()));
        if self.catalog().join("current").exists() {
            assert!(catalog.rejected.is_empty(), "{:?}", catalog.rejected);
            assert_eq!(catalog.items.len(), 1);
        }
        catalog.items.first().map(|item| item.version)
    }

    fn number(&self) -> Option<u64> {
        self.keeper().number()
    }

    fn status(&self) -> CatalogStatus {
        serde_json::from_slice(&fs::read(self.catalog().join("status.json")).unwrap()).unwrap()
    }

    fn versions(&self) -> Vec<String> {
        let entries = fs::read_dir(self.catalog().join("versions")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn clocks(wall_ms: i64) -> Clocks {
    Clocks { monotonic_ms: 0, wall_ms }
}

/// The code of the error a look must end with.
fn code(looked: Result<Outcome, CatalogError>) -> &'static str {
    looked.expect_err("this must not be taken over").code()
}
