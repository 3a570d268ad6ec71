//! The good days: published, fetched, switched, kept, renewed, repaired; keys changed while the terminal was away.

use catalog_publisher::Role;

use super::*;
use crate::catalog::trust::{Trust, root_version};

#[tokio::test]
async fn published_fetched_switched_loaded_and_the_one_before_is_kept() {
    let city = City::new();
    assert_eq!(city.publish(1).await, 1);
    let terminal = city.terminal();
    assert_eq!(terminal.item_version(), None);
    assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::Switched(1));
    assert_eq!(terminal.item_version(), Some(1));
    assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::Unchanged);

    let pinned = current_folder(&terminal.catalog());
    for number in 2..=3 {
        assert_eq!(city.publish(number as u32).await, number);
        assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::Switched(number));
        assert_eq!(terminal.item_version(), Some(number as u32));
        // Who loads while the link moves on once still finds every file.
        assert_eq!(pinned.exists(), number == 2);
    }
    assert_eq!(terminal.versions(), ["2", "3"]);
    let status = terminal.status();
    assert_eq!((status.number, status.stale_days, status.fault.as_str()), (3, 0, ""));
    assert_eq!(status.published, "2026-11-21T22:26:40Z");
}

#[tokio::test]
async fn files_that_came_with_the_machine_serve_until_the_first_signed_catalog() {
    let city = City::new();
    city.publish(2).await;
    let terminal = city.terminal();
    fs::create_dir_all(terminal.catalog().join("items")).unwrap();
    fs::write(terminal.catalog().join("items/minsheng-wish.toml"), ITEM).unwrap();
    assert_eq!(terminal.item_version(), Some(1));
    terminal.look(&city.source()).await.unwrap();
    assert_eq!(terminal.item_version(), Some(2));
}

#[tokio::test]
async fn signing_anew_makes_it_fresh_without_another_catalog() {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    terminal.look_at(&city.source(), NOW).await.unwrap();
    let later = NOW + 40 * DAY_MS;
    assert_eq!(
        terminal.look_at(&city.source(), later).await.unwrap(),
        Outcome::Unchanged,
        "stale, and in use"
    );
    assert_eq!(terminal.status().stale_days, 11);
    city.publisher_at(later).refresh().await.unwrap();
    assert_eq!(terminal.look_at(&city.source(), later).await.unwrap(), Outcome::SignedAnew);
    assert_eq!(terminal.status().stale_days, 0);
    assert_eq!(terminal.versions(), ["1"]);
}

#[tokio::test]
async fn a_damaged_catalog_is_put_there_anew() {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    terminal.look(&city.source()).await.unwrap();
    let file = terminal.catalog().join("current/items/minsheng-wish.toml");
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::Switched(1));
    assert_eq!(terminal.item_version(), Some(1));
    assert_eq!(terminal.versions(), ["1", "1.1"]);
    assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::Unchanged);
}

#[tokio::test]
async fn keys_changed_twice_while_the_terminal_was_away() {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    terminal.look(&city.source()).await.unwrap();
    assert_eq!(city.publisher().rotate(Role::Root).await.unwrap(), 2);
    assert_eq!(city.publisher().rotate(Role::Targets).await.unwrap(), 3);
    assert_eq!(city.publisher().rotate(Role::Timestamp).await.unwrap(), 4);
    let number = city.publish(5).await;
    assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::Switched(number));
    assert_eq!(terminal.item_version(), Some(5));
    assert_eq!(trust_of(&terminal).floor.root, 4);
}

#[tokio::test]
async fn a_new_root_is_remembered_even_when_the_rest_is_broken() {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    terminal.look(&city.source()).await.unwrap();
    let old = city.kept("old");
    city.publisher().rotate(Role::Timestamp).await.unwrap();
    fs::write(city.repository().join("metadata/timestamp.json"), "{}").unwrap();
    assert_eq!(code(terminal.look(&city.source()).await), "not-trusted");
    assert_eq!(root_version(&trust_of(&terminal).root), Some(2));
    // Whoever still has the old keys can no longer pretend that nothing happened.
    assert_eq!(code(terminal.look(&Source::folder(&old)).await), "not-trusted");
    assert_eq!(terminal.item_version(), Some(1));
}

#[tokio::test]
async fn stolen_online_keys_cannot_block_the_city_with_huge_numbers() {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    let before = city.kept("before");
    for _ in 0..5 {
        city.publisher().refresh().await.unwrap();
    }
    terminal.look(&city.source()).await.unwrap();
    assert_eq!(trust_of(&terminal).floor.timestamp, 6);
    // The city takes its repository back from before the theft and changes the key.
    fs::remove_dir_all(city.repository()).unwrap();
    copy(&before, &city.repository());
    assert_eq!(code(terminal.look(&city.source()).await), "older");
    city.publisher().rotate(Role::Timestamp).await.unwrap();
    assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::SignedAnew);
    assert_eq!(trust_of(&terminal).floor.timestamp, 2);
}

#[tokio::test]
async fn a_cut_download_goes_on_where_it_was() {
    let city = City::new();
    fs::write(city.path("catalog/b.txt"), "the second file").unwrap();
    city.publish(1).await;
    let terminal = city.terminal();
    let items = city.repository().join("targets/items");
    let aside = city.path("aside");
    fs::rename(&items, &aside).unwrap();
    assert_eq!(code(terminal.look(&city.source()).await), "not-trusted");
    assert_eq!(terminal.versions(), [".staging-1"]);
    // The part that came is not fetched again: it is gone from the repository now.
    fs::rename(&aside, &items).unwrap();
    for entry in fs::read_dir(city.repository().join("targets")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::remove_file(path).unwrap();
        }
    }
    assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::Switched(1));
    assert_eq!(fs::read_to_string(terminal.catalog().join("current/b.txt")).unwrap(), "the second file");
}

fn trust_of(terminal: &Terminal) -> Trust {
    let folder = crate::catalog::folder::CatalogFolder::new(&terminal.catalog(), Disk::default());
    Trust::load(&folder, &fs::read_to_string(terminal.root()).unwrap()).unwrap()
}
