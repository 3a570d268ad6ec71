//! What the publisher refuses, and what it leaves on the disk.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use catalog_publisher::{Keys, Publisher, Role};

const NOW: i64 = 1_795_300_000_000;
const ITEM: &str = include_str!("../../assets/catalog/items/minsheng-wish.toml");

struct Office {
    folder: tempfile::TempDir,
}

impl Office {
    fn new() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(office.path("catalog/items")).unwrap();
        fs::write(office.path("catalog/items/minsheng-wish.toml"), ITEM).unwrap();
        office
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn publisher(&self) -> Publisher {
        let keys = Keys::open(&self.path("keys")).unwrap();
        Publisher::open(&self.path("repository"), keys, NOW, 30).unwrap()
    }

    async fn publish(&self) -> anyhow::Result<u64> {
        Ok(self.publisher().publish(&self.path("catalog"), 1).await?.number)
    }

    fn names(&self, below: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(below)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn numbers_count_up_and_every_version_stays_readable() {
    let office = Office::new();
    assert_eq!(office.publish().await.unwrap(), 1);
    assert_eq!(office.publish().await.unwrap(), 2);
    let skipped = office.publisher().publish(&office.path("catalog"), 10).await.unwrap();
    assert_eq!((skipped.number, skipped.timestamp, skipped.files, skipped.new_root), (10, 3, 1, false));
    assert_eq!(skipped.fresh_until, "2026-12-21T22:26:40Z");
    assert_eq!(office.publisher().refresh().await.unwrap().timestamp, 4);
    let metadata = office.names("repository/metadata");
    for name in ["1.root.json", "1.targets.json", "10.targets.json", "4.snapshot.json", "timestamp.json"] {
        assert!(metadata.iter().any(|found| found == name), "{name} in {metadata:?}");
    }
    assert_eq!(office.names("repository/targets/items").len(), 1, "one content, one file");
}

#[tokio::test]
async fn a_broken_item_is_named_with_its_line_and_nothing_is_published() {
    let office = Office::new();
    office.publish().await.unwrap();
    let before = fs::read(office.path("repository/metadata/timestamp.json")).unwrap();
    let broken = ITEM.replacen("order = 20", "order = \"first\"", 1);
    let line = broken.lines().position(|line| line.starts_with("order")).unwrap() + 1;
    fs::write(office.path("catalog/items/minsheng-wish.toml"), broken).unwrap();
    let said = format!("{:#}", office.publish().await.unwrap_err());
    assert!(said.contains(&format!("items/minsheng-wish.toml:{line}: ")), "{said}");
    fs::remove_file(office.path("catalog/items/minsheng-wish.toml")).unwrap();
    let said = format!("{:#}", office.publish().await.unwrap_err());
    assert!(said.contains("holds no items"), "{said}");
    assert_eq!(fs::read(office.path("repository/metadata/timestamp.json")).unwrap(), before);
}

#[tokio::test]
async fn keys_are_for_their_owner_and_stay_out_of_repositories() {
    let office = Office::new();
    office.publish().await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&office.path("keys")), 0o700);
    let keys = office.names("keys");
    assert_eq!(keys.len(), 6, "{keys:?}");
    assert!(keys.iter().all(|name| mode(&office.path("keys").join(name)) == 0o600));

    fs::set_permissions(office.path("keys"), fs::Permissions::from_mode(0o750)).unwrap();
    assert!(Keys::open(&office.path("keys")).unwrap_err().to_string().contains("others can enter"));
    fs::create_dir_all(office.path("project/.git")).unwrap();
    let said = Keys::open(&office.path("project/keys")).unwrap_err().to_string();
    assert!(said.contains("version control"), "{said}");
    let inside = Keys::open(&office.path("repository/keys")).unwrap();
    let opened = Publisher::open(&office.path("repository"), inside, NOW, 30);
    assert!(opened.err().unwrap().to_string().contains("lie in the repository"));
}

#[tokio::test]
async fn publishing_needs_no_root_key_and_changing_keys_needs_two() {
    let office = Office::new();
    office.publish().await.unwrap();
    fs::create_dir(office.path("safe")).unwrap();
    let move_key = |name: &str, from: &str, to: &str| {
        fs::rename(office.path(from).join(name), office.path(to).join(name)).unwrap();
    };
    move_key("root-1.pk8", "keys", "safe");
    assert_eq!(office.publisher().rotate(Role::Snapshot).await.unwrap(), 2, "two of three agree");
    move_key("root-2.pk8", "keys", "safe");
    assert_eq!(office.publish().await.unwrap(), 2);
    let said = format!("{:#}", office.publisher().rotate(Role::Timestamp).await.unwrap_err());
    assert!(said.contains("1 of the old root's keys agree"), "{said}");
    // The key in the safe still counts, though it was not there when the root was renewed.
    move_key("root-3.pk8", "keys", "safe");
    move_key("root-1.pk8", "safe", "keys");
    move_key("root-2.pk8", "safe", "keys");
    assert_eq!(office.publisher().rotate(Role::Timestamp).await.unwrap(), 3);
    assert_eq!(office.publish().await.unwrap(), 3);
}

#[tokio::test]
async fn lost_keys_are_said_and_not_replaced() {
    let office = Office::new();
    office.publish().await.unwrap();
    fs::remove_file(office.path("keys/targets-1.pk8")).unwrap();
    let said = format!("{:#}", office.publish().await.unwrap_err());
    assert!(said.contains("targets cannot be signed"), "{said}");
    assert_eq!(office.names("keys").len(), 5);
}

#[tokio::test]
async fn two_publishers_do_not_meet() {
    let office = Office::new();
    let _first = office.publisher();
    let keys = Keys::open(&office.path("keys")).unwrap();
    let second = Publisher::open(&office.path("repository"), keys, NOW, 30);
    assert!(second.err().unwrap().to_string().contains("somebody else"));
}

#[test]
fn a_check_names_what_a_kiosk_would_leave_out_and_counts_the_rest() {
    let office = Office::new();
    assert_eq!(catalog_publisher::check(&office.path("catalog")).unwrap(), 1);
    fs::write(office.path("catalog/areas.toml"), "towns = []\n").unwrap();
    let said = format!("{:#}", catalog_publisher::check(&office.path("catalog")).unwrap_err());
    assert!(said.contains("areas.toml:1: missing field `city`"), "{said}");
}
