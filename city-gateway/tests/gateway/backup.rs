//! A copy, a loss, and the way back: a terminal that keeps what is not durable gives everything back by itself.

use std::collections::BTreeMap;

use city_gateway::{Key, Operation};
use sync_protocol::{HelloAnswer, Manifest, SealedRecord};

use crate::support::{City, Terminal, hello_request};

/// A terminal as the protocol wants it: it keeps records until they are durable, and sends again what is not known to
/// be received, or was received by a city that has forgotten.
struct Keeper {
    terminal: Terminal,
    records: BTreeMap<u64, (Manifest, SealedRecord, Vec<u8>)>,
    token: Option<String>,
    hellos: u64,
}

impl Keeper {
    fn new(city: &City) -> Self {
        Self { terminal: city.terminal("DG0001"), records: BTreeMap::new(), token: None, hellos: 0 }
    }

    fn finalise(&mut self, seq: u64) {
        let photo = vec![seq as u8; 3_000];
        let (manifest, record) = self.terminal.case_with_blobs(seq, &[&photo]);
        self.records.insert(seq, (manifest, record, photo));
    }

    /// Hello, and what follows from it. Throws away what is durable.
    async fn round(&mut self, city: &City) -> HelloAnswer {
        self.hellos += 1;
        let mut hello = hello_request("DG0001");
        hello.finalised_seq = 20;
        hello.continuity.clone_from(&self.token);
        hello.clock.monotonic_ms = self.hellos;
        let answer = self.terminal.say(city, &hello).await;
        self.token.clone_from(&answer.continuity);
        self.records.retain(|seq, _| *seq > answer.durable_seq);
        for (seq, (manifest, record, photo)) in &self.records {
            if !answer.received.iter().any(|(first, last)| (first..=last).contains(&seq)) {
                self.terminal.deliver(city, manifest, record).await;
            }
            self.terminal.send_blob(city, photo).await;
            assert!(self.terminal.receipt(city, &manifest.case_id).await.unwrap().1.complete);
        }
        answer
    }
}

async fn back_up(city: &City) -> Vec<String> {
    Operation::Backup { to: city.path("copy") }.run(&city.config()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_city_put_back_from_an_older_copy_gets_everything_again() {
    let mut city = City::start().await;
    let mut keeper = Keeper::new(&city);
    for seq in 1..=3 {
        keeper.finalise(seq);
    }
    let before = keeper.round(&city).await;
    let lines = back_up(&city).await;
    assert!(lines.iter().any(|line| line.contains("has noted it")), "{lines:?}");
    for seq in 4..=6 {
        keeper.finalise(seq);
    }
    assert_eq!(keeper.round(&city).await.durable_seq, 3);
    assert_eq!(keeper.records.keys().copied().collect::<Vec<_>>(), [4, 5, 6]);
    city.all_decided().await;

    // The machine is lost, with everything since the copy.
    city.stop().await;
    std::fs::remove_dir_all(city.path("state")).unwrap();
    Operation::Restore { from: city.path("copy") }.run(&city.config()).await.unwrap();
    city.restart().await;
    assert_eq!(city.records().await.len(), 3);
    let after = keeper.round(&city).await;
    assert_ne!(after.epoch, before.epoch);
    assert_eq!((after.received.as_slice(), after.durable_seq), ([(1, 3)].as_slice(), 3));
    // The city forgot the token, and takes nobody for a copy because of that.
    assert!(after.commands.is_empty());
    let records = city.all_decided().await;
    assert_eq!(records.len(), 6);
    assert!(records.iter().all(|record| record["status"] == "opened"), "{records:?}");
    assert_eq!(keeper.round(&city).await.received, [(1, 6)]);

    // What nobody holds any more must not be overwritten by mistake.
    let again = Operation::Restore { from: city.path("copy") };
    city.stop().await;
    assert!(again.run(&city.config()).await.unwrap_err().to_string().contains("is there already"));
    // And a copy of this life counts from the next start on.
    let lines = back_up(&city).await;
    assert!(lines.iter().any(|line| line.contains("when one starts")), "{lines:?}");
    city.restart().await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while keeper.round(&city).await.durable_seq != 6 {
        assert!(std::time::Instant::now() < deadline, "the note was not taken");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_whose_photo_is_missing_is_not_durable() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let photo = vec![7; 3_000];
    for seq in [1, 2, 3] {
        let (manifest, record) =
            if seq == 2 { terminal.case_with_blobs(2, &[&photo]) } else { terminal.case(seq) };
        terminal.deliver(&city, &manifest, &record).await;
    }
    back_up(&city).await;
    assert_eq!(terminal.hello(&city).await.durable_seq, 1);
    terminal.send_blob(&city, &photo).await;
    assert_eq!(terminal.hello(&city).await.durable_seq, 1);
    let up_to = "now".to_owned();
    Operation::MarkDurable { up_to }.run(&city.config()).await.unwrap();
    assert_eq!(terminal.hello(&city).await.durable_seq, 3);
    let future = Operation::MarkDurable { up_to: "2999-01-01T00:00:00Z".into() };
    assert!(future.run(&city.config()).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_lost_before_the_copy_is_asked_for_after_it() {
    let mut city = City::start().await;
    let mut keeper = Keeper::new(&city);
    keeper.finalise(1);
    keeper.round(&city).await;
    std::fs::remove_dir_all(city.path("state/blobs/whole")).unwrap();
    let lines = back_up(&city).await;
    assert!(lines.iter().any(|line| line.starts_with("1 blobs are gone")), "{lines:?}");
    // Not in the copy, so not durable, so the terminal still has it.
    let answer = keeper.round(&city).await;
    assert_eq!(answer.durable_seq, 0);
    city.stop().await;
    std::fs::remove_dir_all(city.path("state")).unwrap();
    Operation::Restore { from: city.path("copy") }.run(&city.config()).await.unwrap();
    city.restart().await;
    keeper.round(&city).await;
    assert_eq!(keeper.records.len(), 1);
}

#[tokio::test]
async fn a_new_epoch_can_be_begun_by_hand() {
    let mut city = City::start().await;
    let terminal = city.terminal("DG0001");
    let before = terminal.hello(&city).await.epoch;
    assert!(Operation::NewEpoch.run(&city.config()).await.is_err(), "the gateway runs");
    city.stop().await;
    Operation::NewEpoch.run(&city.config()).await.unwrap();
    city.restart().await;
    assert_ne!(terminal.hello(&city).await.epoch, before);
}

/// A terminal got the city's new key before the gateway did.
#[tokio::test]
async fn what_could_not_be_opened_is_tried_again_with_a_new_key() {
    let mut city = City::start().await;
    let old = city.terminal("DG0001");
    let key = std::fs::read(city.path("keys/city-seal.key")).unwrap();
    Operation::Key(Key::Rotate).run(&city.config()).await.unwrap();
    let rotated = std::fs::read(city.path("keys/city-seal.key")).unwrap();
    city.recipient = std::fs::read_to_string(city.path("keys/city-seal.pub")).unwrap();
    let new = city.terminal("DG0002");
    std::fs::write(city.path("keys/city-seal.key"), key).unwrap();
    city.restart().await;
    for terminal in [&old, &new] {
        let (manifest, record) = terminal.case(1);
        terminal.deliver(&city, &manifest, &record).await;
    }
    let statuses = |records: Vec<serde_json::Value>| {
        records.iter().map(|record| record["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(city.all_decided().await), ["opened", "dead_letter"]);
    std::fs::write(city.path("keys/city-seal.key"), rotated).unwrap();
    city.restart().await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while statuses(city.all_decided().await) != ["opened", "opened"] {
        assert!(std::time::Instant::now() < deadline, "it was not tried again");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // Older seals open as before.
    let (manifest, record) = old.case(2);
    old.deliver(&city, &manifest, &record).await;
    assert_eq!(statuses(city.all_decided().await), ["opened", "opened", "opened"]);
}
