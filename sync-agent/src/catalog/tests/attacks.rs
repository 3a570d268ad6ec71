//! What must not be taken over, and must not take away what is in use.

use super::*;
use crate::catalog::error::Trouble;

/// A city with two catalogs, a terminal that has the second, and the repository as it was with the first.
async fn second_of_two() -> (City, Terminal, Source) {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    let first = city.kept("first");
    city.publish(2).await;
    terminal.look(&city.source()).await.unwrap();
    (city, terminal, Source::folder(&first))
}

#[tokio::test]
async fn an_older_catalog_is_never_taken() {
    let (_city, terminal, first) = second_of_two().await;
    assert_eq!(code(terminal.look(&first).await), "older");
    assert_eq!((terminal.number(), terminal.item_version()), (Some(2), Some(2)));
    assert_eq!(terminal.status().fault, "older");
}

#[tokio::test]
async fn an_older_catalog_is_not_taken_after_the_memory_was_lost_or_torn() {
    let (city, terminal, first) = second_of_two().await;
    let trust = terminal.catalog().join("trust.json");
    let whole = fs::read(&trust).unwrap();
    for length in (0..whole.len()).step_by(whole.len() / 8).chain([whole.len() - 1]) {
        fs::write(&trust, &whole[..length]).unwrap();
        assert_eq!(code(terminal.look(&first).await), "older", "cut to {length} bytes");
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 4;
    fs::write(&trust, flipped).unwrap();
    assert_eq!(code(terminal.look(&first).await), "older", "a flipped bit");
    fs::remove_file(&trust).unwrap();
    assert_eq!(code(terminal.look(&first).await), "older", "lost");
    assert_eq!(terminal.number(), Some(2));
    city.publish(3).await;
    assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::Switched(3), "and it goes on");
}

#[tokio::test]
async fn another_citys_catalog_is_not_taken() {
    let (_city, terminal, _) = second_of_two().await;
    let other = City::new();
    for version in 1..=4 {
        other.publish(version).await;
    }
    assert_eq!(code(terminal.look(&other.source()).await), "not-trusted");
    assert_eq!(terminal.item_version(), Some(2));
}

#[tokio::test]
async fn a_frozen_repository_is_not_taken_once_it_has_certainly_expired() {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    terminal.look_at(&city.source(), NOW).await.unwrap();
    city.publish(2).await;
    let late = NOW + 31 * DAY_MS;
    assert_eq!(code(terminal.look_at(&city.source(), late).await), "expired");
    assert_eq!(terminal.item_version(), Some(1), "the stale one stays in use");
    assert_eq!(terminal.status().stale_days, 2);
    // The word is remembered: after a restart, without the network, it still counts.
    assert_eq!(code(terminal.look(&city.source()).await), "expired");
    city.publisher_at(late).refresh().await.unwrap();
    assert_eq!(terminal.look_at(&city.source(), late).await.unwrap(), Outcome::Switched(2));
}

#[tokio::test]
async fn parts_of_different_catalogs_do_not_mix() {
    let (city, terminal, _) = second_of_two().await;
    city.publish(3).await;
    let whole = city.kept("whole");
    let metadata = city.repository().join("metadata");
    for (put, in_place_of) in [
        ("2.snapshot.json", "3.snapshot.json"),
        ("2.targets.json", "3.targets.json"),
        ("1.targets.json", "3.targets.json"),
    ] {
        fs::copy(metadata.join(put), metadata.join(in_place_of)).unwrap();
        assert_eq!(code(terminal.look(&city.source()).await), "not-trusted", "{put}");
        copy(&whole, &city.repository());
    }
    assert_eq!(terminal.item_version(), Some(2));
    assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::Switched(3));
}

#[tokio::test]
async fn a_changed_file_is_not_taken() {
    let (city, terminal, _) = second_of_two().await;
    city.publish(3).await;
    let items = city.repository().join("targets/items");
    for entry in fs::read_dir(&items).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(code(terminal.look(&city.source()).await), "not-trusted");
    // Longer than signed: it is cut off at the signed length, not read to an end that may never come.
    for entry in fs::read_dir(&items).unwrap() {
        fs::write(entry.unwrap().path(), vec![b'#'; 1024 * 1024]).unwrap();
    }
    assert_eq!(code(terminal.look(&city.source()).await), "not-trusted");
    assert_eq!(terminal.item_version(), Some(2));
}

#[tokio::test]
async fn data_without_end_is_cut_off() {
    let (city, terminal, _) = second_of_two().await;
    for (name, kib) in [("timestamp.json", 65), ("2.root.json", 513)] {
        let path = city.repository().join("metadata").join(name);
        let before = fs::read(&path).ok();
        fs::write(&path, vec![b' '; kib * 1024]).unwrap();
        assert_eq!(code(terminal.look(&city.source()).await), "not-trusted", "{name} of {kib} KiB");
        fs::write(&path, vec![b' '; 5 * 1024 * 1024]).unwrap();
        let looked = terminal.look(&city.source()).await;
        let too_large = matches!(looked, Err(CatalogError::Unreachable(Trouble::TooLarge)));
        assert!(too_large, "{name}: {looked:?}");
        match before {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    }
    assert_eq!(terminal.look(&city.source()).await.unwrap(), Outcome::Unchanged);
}

#[tokio::test]
async fn one_number_means_one_catalog() {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    let fork = city.kept("fork");
    city.publish(2).await;
    terminal.look(&city.source()).await.unwrap();
    fs::remove_dir_all(city.repository()).unwrap();
    copy(&fork, &city.repository());
    assert_eq!(city.publish(3).await, 2, "a city restored from a backup counts anew");
    assert_eq!(code(terminal.look(&city.source()).await), "contradiction");
    assert_eq!(terminal.item_version(), Some(2));
    city.publish(4).await;
    assert_eq!(
        terminal.look(&city.source()).await.unwrap(),
        Outcome::Switched(3),
        "the next number is good again"
    );
}

#[tokio::test]
async fn a_repository_that_cannot_be_read_changes_nothing() {
    let (city, terminal, _) = second_of_two().await;
    let nowhere = Source::folder(&city.path("nowhere"));
    assert_eq!(code(terminal.look(&nowhere).await), "not-offered");
    let root = city.repository().join("metadata/2.root.json");
    fs::create_dir(&root).unwrap();
    // Not being able to read a newer root is not the same as there being none.
    assert_eq!(code(terminal.look(&city.source()).await), "unreachable");
    assert_eq!(terminal.item_version(), Some(2));
}

#[test]
fn without_a_usable_root_nothing_begins() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("catalog-root.json");
    for text in ["", "{}", "not JSON"] {
        fs::write(&root, text).unwrap();
        let opened = CatalogKeeper::open(folder.path(), &root, Disk::default());
        assert!(matches!(opened, Err(CatalogError::Root)), "{text:?}");
    }
}
