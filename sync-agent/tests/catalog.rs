//! The signed catalog through the whole agent: over the city's own TLS, and from a USB folder.

mod city;

use std::fs;
use std::path::{Path, PathBuf};

use catalog_publisher::{Keys, Publisher};
use city::*;
use kiosk_store::Outbox;
use service_catalog::{Catalog, current_folder};
use sync_protocol::Command;
use sync_protocol::local::{LOCAL_VERSION, LocalBody, LocalOutcome, LocalReply, LocalRequest, SOCKET};

const ITEM: &str = include_str!("../../assets/catalog/items/minsheng-wish.toml");

/// The time the city of these tests tells.
const CITY_MS: i64 = 1_795_300_000_000;

struct Office {
    folder: tempfile::TempDir,
}

impl Office {
    fn new() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir_all(office.folder.path().join("catalog/items")).unwrap();
        office
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    async fn publish(&self, version: u32) {
        let text = ITEM.replace("\nversion = 1\nshape", &format!("\nversion = {version}\nshape"));
        fs::write(self.folder.path().join("catalog/items/minsheng-wish.toml"), text).unwrap();
        self.publisher().publish(&self.folder.path().join("catalog"), 1).await.unwrap();
    }

    fn publisher(&self) -> Publisher {
        let keys = Keys::open(&self.folder.path().join("keys")).unwrap();
        Publisher::open(&self.repository(), keys, CITY_MS, 30).unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-rT").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

async fn terminal_of(office: &Office) -> (World, Outbox) {
    let world = World::new().await;
    let root = world.folder.path().join("keys/catalog-root.json");
    fs::write(root, office.publisher().root().unwrap()).unwrap();
    let outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    (world, outbox)
}

fn config(world: &World) -> sync_agent::Config {
    let text = world.config_text("").replace("keys = \"keys\"", "keys = \"keys\"\ncatalog = \"catalog\"");
    let text = format!("{text}[catalog]\nusb = \"usb\"\nspread_s = 0\n");
    sync_agent::Config::parse(&text, world.folder.path()).unwrap()
}

fn item_version(world: &World) -> Option<u32> {
    let catalog = Catalog::load(&current_folder(&world.folder.path().join("catalog")));
    catalog.items.first().map(|item| item.version)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_over_the_network_whenever_the_city_names_another_one() {
    let office = Office::new();
    office.publish(1).await;
    let (world, _outbox) = terminal_of(&office).await;
    world.city.with(|inner| inner.repository = office.repository());
    let agent = Working::start(config(&world));
    eventually("the first catalog", || item_version(&world) == Some(1)).await;
    office.publish(2).await;
    world.city.with(|inner| inner.catalog_version = "another".into());
    eventually("the second catalog", || item_version(&world) == Some(2)).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_that_offers_none_or_a_bad_one_leaves_delivery_alone() {
    let office = Office::new();
    office.publish(1).await;
    let (world, mut outbox) = terminal_of(&office).await;
    let stranger = Office::new();
    stranger.publish(9).await;
    world.city.with(|inner| inner.repository = stranger.repository());
    finalise(&mut outbox, &world.key, 3);
    let agent = Working::start(config(&world));
    let state = world.state();
    eventually("delivered", || acknowledged(&state) == [(1, 3)]).await;
    let status = world.folder.path().join("catalog/status.json");
    let said = || fs::read_to_string(&status).unwrap_or_default();
    eventually("refused", || said().contains("not-trusted")).await;
    assert_eq!(item_version(&world), None);
    world.city.with(|inner| {
        inner.repository = office.repository();
        inner.catalog_version = "the right one".into();
    });
    eventually("the right one", || item_version(&world) == Some(1)).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_by_usb_and_an_older_stick_is_ignored() {
    let office = Office::new();
    office.publish(1).await;
    let (world, _outbox) = terminal_of(&office).await;
    let usb = world.folder.path().join("usb");
    let old = world.folder.path().join("old-stick");
    copy(&office.repository(), &old);
    office.publish(2).await;
    let agent = Working::start(config(&world));
    // A stick appears whole when it is mounted.
    let mount = |from: &Path| {
        copy(from, &world.folder.path().join("stick"));
        fs::rename(world.folder.path().join("stick"), &usb).unwrap();
    };
    mount(&office.repository());
    eventually("the catalog of the stick", || item_version(&world) == Some(2)).await;
    fs::remove_dir_all(&usb).unwrap();
    mount(&old);
    let status = world.folder.path().join("catalog/status.json");
    eventually("the old stick was seen", || {
        fs::read_to_string(&status).unwrap_or_default().contains("\"older\"")
    })
    .await;
    assert_eq!(item_version(&world), Some(2));
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_root_of_trust_the_folder_is_left_alone() {
    let office = Office::new();
    office.publish(1).await;
    let (world, _outbox) = terminal_of(&office).await;
    fs::remove_file(world.folder.path().join("keys/catalog-root.json")).unwrap();
    world.city.with(|inner| inner.repository = office.repository());
    let agent = Working::start(config(&world));
    eventually("a hello", || world.city.with(|inner| inner.hellos > 1)).await;
    assert_eq!(fetch(&world).await, LocalOutcome::NotPossible);
    agent.stop().await;
    assert!(!world.folder.path().join("catalog").exists());
}

/// Wishes through the kiosk's socket for a look at once.
async fn fetch(world: &World) -> LocalOutcome {
    let socket = world.state().join(SOCKET);
    eventually("the socket", || socket.exists()).await;
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
        let (version, ticket, body) = (LOCAL_VERSION, "t-1".into(), LocalBody::FetchCatalog);
        let request = LocalRequest { version, ticket, within_ms: 30_000, body };
        sync_protocol::local::write_frame(&mut stream, &request).unwrap();
        sync_protocol::local::read_frame::<LocalReply>(&mut stream).unwrap().outcome
    });
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kiosk_wishes_for_a_look_and_hears_what_came_of_it() {
    let office = Office::new();
    office.publish(1).await;
    let (world, _outbox) = terminal_of(&office).await;
    world.city.with(|inner| inner.repository = office.repository());
    let agent = Working::start(config(&world));
    eventually("the first catalog", || item_version(&world) == Some(1)).await;
    // The city's word for it stays the same, so by itself the agent would look again after hours only.
    office.publish(2).await;
    assert_eq!(item_version(&world), Some(1));
    assert_eq!(fetch(&world).await, LocalOutcome::Done);
    assert_eq!(item_version(&world), Some(2));
    assert_eq!(fetch(&world).await, LocalOutcome::Done, "the newest is in use already");
    world.city.set(Mood::Status(503));
    assert_eq!(fetch(&world).await, LocalOutcome::Unreachable);
    world.city.set(Mood::Good);
    let stranger = Office::new();
    stranger.publish(9).await;
    world.city.with(|inner| inner.repository = stranger.repository());
    assert_eq!(fetch(&world).await, LocalOutcome::NotPossible, "it must not be taken over");
    assert_eq!(item_version(&world), Some(2));
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_city_asks_one_terminal_to_look_and_hears_its_number() {
    let office = Office::new();
    office.publish(1).await;
    let (world, _outbox) = terminal_of(&office).await;
    world.city.with(|inner| inner.repository = office.repository());
    let agent = Working::start(config(&world));
    eventually("the first catalog", || item_version(&world) == Some(1)).await;
    office.publish(2).await;
    world.city.with(|inner| inner.commands = vec![Command::FetchCatalog]);
    eventually("the second catalog", || item_version(&world) == Some(2)).await;
    let named =
        || world.city.with(|inner| inner.last_hello.as_ref().and_then(|hello| hello.catalog_version.clone()));
    eventually("the number in a hello", || named().as_deref() == Some("2")).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_root_of_trust_leaves_delivery_alone() {
    let office = Office::new();
    office.publish(1).await;
    let (world, mut outbox) = terminal_of(&office).await;
    fs::write(world.folder.path().join("keys/catalog-root.json"), "torn").unwrap();
    finalise(&mut outbox, &world.key, 2);
    let agent = Working::start(config(&world));
    let state = world.state();
    eventually("delivered", || acknowledged(&state) == [(1, 2)]).await;
    assert_eq!(fetch(&world).await, LocalOutcome::NotPossible);
    agent.stop().await;
}
