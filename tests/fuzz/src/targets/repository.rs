//! The signed catalog on its way to the terminal, and what the terminal remembers of it: metadata and items with
//! changed bytes, from a city, a stick or a failing disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use catalog_publisher::{Keys, Publisher};
use service_catalog::{Catalog, current_folder};
use sync_agent::catalog::{CatalogKeeper, Clocks, Disk, Outcome, Source};
use tokio::runtime::Runtime;

use crate::{Target, scratch};

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "agent-catalog",
        decodes: "files of a signed repository, trust.json, floor.json and status.json: CatalogKeeper",
        inputs: 400,
        seeds,
        run,
    }]
}

/// A moment in November 2026.
const NOW: i64 = 1_795_300_000_000;

const ITEM: &str = include_str!("../../../../assets/catalog/items/minsheng-wish.toml");

/// The first of these bits in an input says that the file is changed here and there and not replaced.
const CHANGES: u8 = 0x80;

/// Where a change is (16 bits), and to what.
const CHANGE: usize = 3;

/// A city's repository with its second catalog, and a terminal that has the first.
struct World {
    folder: tempfile::TempDir,
    /// What can be changed, from the folder.
    files: Vec<PathBuf>,
    first: u64,
    second: u64,
}

static WORLD: LazyLock<World> = LazyLock::new(World::build);

impl World {
    fn build() -> Self {
        let folder = scratch::folder();
        let path = |below: &str| folder.path().join(below);
        fs::create_dir_all(path("city/items")).expect("a folder can be made");
        let runtime = runtime();
        let publish = |version: u32| {
            let text = ITEM.replace("\nversion = 1\nshape", &format!("\nversion = {version}\nshape"));
            fs::write(path("city/items/minsheng-wish.toml"), text).expect("a file can be written");
            let keys = Keys::open(&path("keys")).expect("keys can be made");
            let publisher =
                Publisher::open(&path("repository"), keys, NOW, 30).expect("a repository can be made");
            let published = runtime.block_on(publisher.publish(&path("city"), 1)).expect("a good catalog");
            fs::write(path("root.json"), publisher.root().expect("there is a root"))
                .expect("a file can be written");
            published.number
        };
        let first = publish(1);
        update(folder.path(), &runtime).expect("the first catalog is good");
        let second = publish(2);
        let mut files = Vec::new();
        for below in ["repository", "terminal"] {
            list(&path(below), Path::new(below), &mut files);
        }
        files.sort();
        Self { folder, files, first, second }
    }
}

/// Files below a folder; what a link leads to is listed where it lies.
fn list(folder: &Path, below: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is ours").flatten() {
        let (path, below) = (entry.path(), below.join(entry.file_name()));
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list(&path, &below, files),
            Ok(kind) if kind.is_file() => files.push(below),
            _ => {}
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime can be made")
}

fn update(folder: &Path, runtime: &Runtime) -> Result<Outcome, sync_agent::catalog::CatalogError> {
    let mut keeper =
        CatalogKeeper::open(&folder.join("terminal"), &folder.join("root.json"), Disk::default())?;
    let source = Source::folder(&folder.join("repository"));
    runtime.block_on(keeper.update(&source, Clocks { monotonic_ms: 1, wall_ms: NOW }))
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, file) in WORLD.files.iter().enumerate().take(usize::from(CHANGES)) {
        let content = fs::read(WORLD.folder.path().join(file)).expect("our own file can be read");
        let number = number as u8;
        seeds.push([&[number][..], &content].concat());
        seeds.push(vec![number | CHANGES, 0, 40, b'0', 0, 90, b'9']);
    }
    seeds
}

fn run(bytes: &[u8]) {
    let Some((&which, rest)) = bytes.split_first() else { return };
    let folder = scratch::folder();
    scratch::copy_all(WORLD.folder.path(), folder.path());
    let file = &WORLD.files[usize::from(which & !CHANGES) % WORLD.files.len()];
    let path = folder.path().join(file);
    let mut content = fs::read(&path).expect("our own file can be read");
    if which & CHANGES == 0 {
        content = rest.to_vec();
    } else {
        let (changes, _) = rest.as_chunks::<CHANGE>();
        for [high, low, to] in changes.iter().take(64) {
            let Some(at) = usize::from(u16::from_be_bytes([*high, *low])).checked_rem(content.len()) else {
                break;
            };
            content[at] = *to;
        }
    }
    fs::write(&path, content).expect("a file can be written");
    judge(folder.path(), update(folder.path(), &runtime()), file);
}

/// Whatever was changed: the catalog in use is the first or the second, whole, and nothing else is ever taken for it.
fn judge(folder: &Path, outcome: Result<Outcome, sync_agent::catalog::CatalogError>, changed: &Path) {
    if let Ok(Outcome::Switched(number)) = outcome {
        assert!(number == WORLD.second || number == WORLD.first, "a catalog was made up");
    }
    // A file of the catalog in use may be the one that was changed; the kiosk leaves that item out.
    if !changed.starts_with("terminal/versions") {
        let catalog = Catalog::load(&current_folder(&folder.join("terminal")));
        assert!(catalog.rejected.is_empty() && catalog.items.len() == 1, "the catalog in use is whole");
        assert!(matches!(catalog.items[0].version, 1 | 2), "an item was made up");
    }
}
