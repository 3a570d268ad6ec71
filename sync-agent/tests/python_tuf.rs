//! The reference implementation of TUF, python-tuf, as the other side: the terminal reads a repository it made and
//! refuses malicious ones it made, and it reads what our publisher signs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use foreign_programs::{Bench, said};
use sync_agent::catalog::{CatalogKeeper, Clocks, Disk, Outcome, Source};

/// The time that `repository.py` takes for now.
const NOW: i64 = 1_795_300_000_000;

/// The folder of the Python files.
fn bench() -> Bench {
    Bench::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python-tuf"), env!("CARGO_TARGET_TMPDIR"))
}

fn python() -> PathBuf {
    bench().python("python-tuf", "requirements.txt")
}

struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// Repositories made by python-tuf, and a terminal that trusts their root.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        fs::create_dir(&made).unwrap();
        said(Command::new(python()).arg(bench().script("repository.py")).arg(&made));
        Self { folder }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    async fn look(&self, name: &str) -> Result<Outcome, String> {
        let root = self.path("made/root.json");
        let mut keeper = CatalogKeeper::open(&self.path("catalog"), &root, Disk::default()).unwrap();
        keeper.city_said(NOW, 0).unwrap();
        let source = Source::folder(&self.path("made").join(name));
        let looked = keeper.update(&source, Clocks { monotonic_ms: 0, wall_ms: NOW }).await;
        looked.map_err(|error| error.code().to_owned())
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path("catalog/current").join(file)).unwrap()
    }
}

#[tokio::test]
async fn its_repository_is_read_with_delegations_and_changed_keys() {
    let world = World::new();
    assert_eq!(world.look("first").await, Ok(Outcome::Switched(1)));
    assert_eq!((world.read("items/a.txt"), world.read("words.txt")), ("first".into(), "目录".into()));
    assert_eq!(world.look("second").await, Ok(Outcome::Switched(2)));
    assert_eq!(world.read("items/a.txt"), "second");
    assert_eq!(world.read("health/b.txt"), "from the department");
    assert_eq!(world.look("second").await, Ok(Outcome::Unchanged));
    assert_eq!(world.look("rotated").await, Ok(Outcome::Switched(3)));
    assert_eq!(world.read("items/a.txt"), "rotated");
}

#[tokio::test]
async fn its_malicious_repositories_are_refused() {
    let world = World::new();
    assert_eq!(world.look("second").await, Ok(Outcome::Switched(2)));
    for (name, code) in [
        ("first", "older"),
        ("targets-back", "older"),
        ("frozen", "expired"),
        ("wrong-key", "not-trusted"),
        ("stranger", "not-trusted"),
        ("usurped", "not-trusted"),
        ("nowhere", "not-offered"),
    ] {
        assert_eq!(world.look(name).await, Err(code.to_owned()), "{name}");
        assert_eq!(world.read("items/a.txt"), "second", "after {name}");
    }
    assert_eq!(world.look("rotated").await, Ok(Outcome::Switched(3)), "a good one is still taken");
}

#[tokio::test]
async fn its_changed_file_is_refused() {
    let world = World::new();
    assert_eq!(world.look("first").await, Ok(Outcome::Switched(1)));
    assert_eq!(world.look("changed-file").await, Err("not-trusted".into()));
    assert_eq!(world.read("items/a.txt"), "first");
    assert_eq!(world.look("second").await, Ok(Outcome::Switched(2)));
}

#[tokio::test]
async fn it_reads_what_our_publisher_signs() {
    let folder = tempfile::tempdir().unwrap();
    let path = |below: &str| folder.path().join(below);
    let item = include_str!("../../assets/catalog/items/minsheng-wish.toml");
    fs::create_dir_all(path("catalog/items")).unwrap();
    fs::write(path("catalog/items/minsheng-wish.toml"), item).unwrap();
    // python-tuf's client looks at the true clock.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let keys = || catalog_publisher::Keys::open(&path("keys")).unwrap();
    let publisher = || catalog_publisher::Publisher::open(&path("repository"), keys(), now, 30).unwrap();
    publisher().publish(&path("catalog"), 1).await.unwrap();
    let root = publisher().root().unwrap();
    fs::write(path("root.json"), root).unwrap();
    for role in
        [catalog_publisher::Role::Root, catalog_publisher::Role::Timestamp, catalog_publisher::Role::Targets]
    {
        publisher().rotate(role).await.unwrap();
    }
    let script = bench().script("client.py");
    let read = || {
        let mut client = Command::new(python());
        client.arg(&script).arg(path("root.json")).arg(path("repository")).arg(path("scratch"));
        client.arg("items/minsheng-wish.toml");
        client
    };
    assert_eq!(said(&mut read()), item.as_bytes());
    // And it refuses what we would refuse: a check of the check.
    fs::write(path("repository/metadata/timestamp.json"), "{}").unwrap();
    assert!(!read().output().unwrap().status.success());
}
