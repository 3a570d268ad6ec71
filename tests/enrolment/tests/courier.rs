//! The way without a network, from the true program at the terminal to a true gateway and back.

use std::fs;
use std::path::{Path, PathBuf};

use city_gateway::Enrolment;
use city_gateway::operator::CourierProgress;
use enrolment_tests::{Authority, City, Days, Terminal, eventually};
use sync_protocol::courier::{BLOBS, CONSIGNMENT, RECEIPTS, RECORDS};
use tempfile::TempDir;

const EXPORT: [&str; 2] = ["export", "--to"];
const TAKE: [&str; 2] = ["take-receipts", "--from"];

async fn city() -> City {
    City::start_with(Enrolment { trust_unlisted: true, ..Enrolment::default() }).await
}

/// A terminal that was never connected, its certificate long over, with three cases and a photo of two pieces.
fn terminal_without_network(city: &City) -> (Terminal, TempDir) {
    let terminal = city.terminal();
    terminal.certify(&city.terminals, Days { from: -455, until: -365 });
    terminal.finalise(2);
    terminal.finalise_with(1, &[vec![9; 5_000_000]]);
    let stick = tempfile::tempdir().unwrap();
    let said = terminal.courier(EXPORT, stick.path()).unwrap();
    assert!(said.contains("3 records and 1 blobs"), "{said}");
    (terminal, stick)
}

fn below(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for life in fs::read_dir(folder.join(kind)).into_iter().flatten() {
        let life = life.unwrap().path();
        match life.is_dir() {
            true => found.extend(fs::read_dir(life).unwrap().map(|file| file.unwrap().path())),
            false => found.push(life),
        }
    }
    found.sort();
    found
}

fn kept(records: u64, blobs: u64) -> CourierProgress {
    CourierProgress { records, blobs, ended: true, ..CourierProgress::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_without_network_is_carried_to_the_city_and_its_receipts_back() {
    let city = city().await;
    let (terminal, stick) = terminal_without_network(&city);
    assert_eq!(city.take_courier(stick.path()).await, kept(3, 1));
    assert_eq!(city.arrived().await, (vec![1, 2, 3], vec![]));
    let receipts: Vec<_> = below(stick.path(), RECEIPTS).iter().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(receipts.len(), 3);

    // Twice, as careful people do: the same receipts, nothing kept twice.
    assert_eq!(city.take_courier(stick.path()).await, CourierProgress { again: 3, ..kept(3, 1) });
    assert_eq!(city.arrived().await, (vec![1, 2, 3], vec![]));
    let again: Vec<_> = below(stick.path(), RECEIPTS).iter().map(|file| fs::read(file).unwrap()).collect();
    assert_eq!(again, receipts);

    let said = terminal.courier(TAKE, stick.path()).unwrap();
    assert!(said.contains("3 records count as delivered"), "{said}");
    assert_eq!(terminal.acknowledged(), [(1, 3)]);
    let next = tempfile::tempdir().unwrap();
    assert!(terminal.courier(EXPORT, next.path()).unwrap().contains("0 records and 0 blobs"), "all complete");

    // When the network comes, the queue goes on where the stick left it.
    terminal.finalise(1);
    let working = terminal.work();
    eventually("delivered", async || terminal.acknowledged() == [(1, 4)]).await;
    working.stop().await;
    assert_eq!(city.arrived().await, (vec![1, 2, 3, 4], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_revoked_terminal_sends_by_hand_is_kept_aside() {
    let city = city().await;
    let (_terminal, stick) = terminal_without_network(&city);
    // Seen once, then revoked.
    fs::rename(stick.path().join(RECORDS), stick.path().join("later")).unwrap();
    assert_eq!(city.take_courier(stick.path()).await, kept(0, 0));
    fs::rename(stick.path().join("later"), stick.path().join(RECORDS)).unwrap();
    city.revoke().await;
    assert_eq!(city.take_courier(stick.path()).await, CourierProgress { aside: 3, ..kept(3, 1) });
    assert_eq!(city.arrived().await, (vec![], vec![1, 2, 3]));
    assert_eq!(below(stick.path(), RECEIPTS).len(), 3, "a receipt, because nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_file_keeps_no_other_out() {
    let city = city().await;
    let (terminal, stick) = terminal_without_network(&city);
    let records = below(stick.path(), RECORDS);
    fs::write(&records[0], b"{\"manifest\":\"torn").unwrap();
    let photo = below(stick.path(), BLOBS).remove(0);
    fs::write(&photo, vec![9; 4_999_999]).unwrap();
    // Somebody else's secret, in the hope that it is copied.
    let secret = city.path("keys/city-seal.key");
    std::os::unix::fs::symlink(secret, records[0].with_file_name("000000000009.json")).unwrap();
    let done = city.take_courier(stick.path()).await;
    assert_eq!((done.records, done.blobs, done.refused), (2, 0, 3), "{done:?}");
    assert_eq!(done.failed, None);
    assert!(done.troubles.iter().any(|trouble| trouble.contains("damaged")), "{done:?}");
    assert_eq!(city.arrived().await, (vec![2, 3], vec![]));
    // A second export mends the folder; what is held is not taken twice.
    terminal.courier(EXPORT, stick.path()).unwrap();
    fs::remove_file(records[0].with_file_name("000000000009.json")).unwrap();
    assert_eq!(city.take_courier(stick.path()).await, CourierProgress { again: 2, ..kept(3, 1) });
    assert_eq!(city.arrived().await, (vec![1, 2, 3], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_ours_is_refused_whole() {
    let city = city().await;
    let (_terminal, stick) = terminal_without_network(&city);
    let note = stick.path().join(CONSIGNMENT);
    let good = fs::read(&note).unwrap();

    let foreign = city.terminal();
    foreign.certify(&Authority::new(), Days { from: -1, until: 30 });
    foreign.finalise(1);
    let other = tempfile::tempdir().unwrap();
    foreign.courier(EXPORT, other.path()).unwrap();
    fs::copy(other.path().join(CONSIGNMENT), &note).unwrap();
    let not_ours = city.take_courier(stick.path()).await;
    assert!(
        not_ours.failed.as_ref().is_some_and(|why| why.contains("not one that the city issued")),
        "{not_ours:?}"
    );

    // Another terminal of the city cannot speak for this one.
    let neighbour = city.terminal();
    neighbour.certify(&city.terminals, Days { from: -1, until: 30 });
    neighbour.finalise(1);
    let third = tempfile::tempdir().unwrap();
    neighbour.courier(EXPORT, third.path()).unwrap();
    fs::copy(third.path().join(CONSIGNMENT), &note).unwrap();
    let forged = city.take_courier(stick.path()).await;
    assert_eq!((forged.records, forged.refused), (0, 3), "{forged:?}");

    fs::write(&note, b"not json").unwrap();
    assert!(city.take_courier(stick.path()).await.failed.is_some());
    fs::remove_file(&note).unwrap();
    assert!(city.take_courier(stick.path()).await.failed.is_some());
    assert_eq!(city.arrived().await, (vec![], vec![]));
    assert!(!stick.path().join(RECEIPTS).exists());

    // And receipts are not written where a link leads.
    fs::write(&note, good).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), stick.path().join(RECEIPTS)).unwrap();
    let linked = city.take_courier(stick.path()).await;
    assert!(linked.failed.as_ref().is_some_and(|why| why.contains("leads out")), "{linked:?}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}
