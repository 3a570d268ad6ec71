//! The way without a network: what a folder holds, what is believed of what comes back in it, and what a pulled stick
//! costs.

mod city;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use city::*;
use kiosk_store::{DeliveryReader, Outbox};
use sync_agent::courier::{CourierError, Exported, Taken, export, take_receipts};
use sync_protocol::courier::{CONSIGNMENT, Consignment, blob_file, receipt_file, record_file};
use sync_protocol::{CityReceiptKey, Manifest, SealedRecord, sha256_hex};

/// Every file under a folder, by its path from there.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.insert(name);
        }
    }
    found
}

/// What the city does with the records in a folder: it writes receipts.
fn city_answers(world: &World, stick: &Path, life: &str, seqs: &[u64]) {
    for &seq in seqs {
        let record = SealedRecord::from_json(&fs::read(stick.join(record_file(life, seq))).unwrap()).unwrap();
        let manifest = Manifest::verify(&record.manifest, &world.key.public()).unwrap();
        assert!(record.matches(&manifest));
        let receipt = stick.join(receipt_file(life, seq));
        fs::create_dir_all(receipt.parent().unwrap()).unwrap();
        fs::write(receipt, world.city.signed_receipt(&manifest)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_holds_what_the_city_does_not_have_and_brings_the_receipts_back() {
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 3);
    let agent = Working::start(world.config(""));
    eventually("delivered", || acknowledged(&world.state()) == [(1, 3)]).await;
    agent.stop().await;
    finalise(&mut outbox, &world.key, 150);
    finalise_with(&mut outbox, &world.key, 100, vec![vec![7; 300_000]]);

    let (config, stick) = (world.config(""), tempfile::tempdir().unwrap());
    let done = export(&config, stick.path()).unwrap();
    assert_eq!(done, Exported { records: 151, blobs: 1, unreadable: 0 });
    let life = outbox.incarnation();
    let mut expected: BTreeSet<String> = (4..=154).map(|seq| record_file(life, seq)).collect();
    expected.extend([blob_file(&sha256_hex(&[7; 300_000])), CONSIGNMENT.to_owned()]);
    assert_eq!(files(stick.path()), expected);
    let note = Consignment::from_json(&fs::read(stick.path().join(CONSIGNMENT)).unwrap()).unwrap();
    assert_eq!(note.terminal, TERMINAL);
    assert!(note.certificates.contains("BEGIN CERTIFICATE") && !note.certificates.contains("PRIVATE"));

    let seqs: Vec<u64> = (4..=153).collect();
    city_answers(&world, stick.path(), life, &seqs);
    assert_eq!(take_receipts(&config, stick.path()).unwrap(), Taken { receipts: 150, refused: 0 });
    assert_eq!(acknowledged(&world.state()), [(1, 153)]);
    assert_eq!(take_receipts(&config, stick.path()).unwrap().receipts, 150, "a second time does no harm");
    let next = tempfile::tempdir().unwrap();
    assert_eq!(export(&config, next.path()).unwrap().records, 1, "only the last one is still missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pulled_stick_costs_a_second_export_and_nothing_else() {
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 5);
    let (config, stick) = (world.config(""), tempfile::tempdir().unwrap());
    export(&config, stick.path()).unwrap();
    let whole = files(stick.path());
    // As it lies there when the stick was pulled in the middle: a part, a torn file, the note not yet written.
    let life = outbox.incarnation();
    let third = stick.path().join(record_file(life, 3));
    fs::rename(&third, third.with_extension("part")).unwrap();
    fs::write(stick.path().join(record_file(life, 4)), b"{\"manifest\":\"to").unwrap();
    fs::remove_file(stick.path().join(CONSIGNMENT)).unwrap();
    export(&config, stick.path()).unwrap();
    assert_eq!(files(stick.path()), whole);
    city_answers(&world, stick.path(), life, &[1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_on_a_stick_is_believed_as_little_as_one_from_the_network() {
    let world = World::new().await;
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 6);
    let (config, stick) = (world.config(""), tempfile::tempdir().unwrap());
    export(&config, stick.path()).unwrap();
    let life = outbox.incarnation().to_owned();
    city_answers(&world, stick.path(), &life, &[1, 2, 3, 4, 5]);
    let receipt = |seq| stick.path().join(receipt_file(&life, seq));
    fs::copy(receipt(1), receipt(2)).unwrap();
    fs::write(receipt(3), vec![b'x'; 1 << 20]).unwrap();
    let record =
        SealedRecord::from_json(&fs::read(stick.path().join(record_file(&life, 4))).unwrap()).unwrap();
    let manifest = Manifest::verify(&record.manifest, &world.key.public()).unwrap();
    fs::write(receipt(4), world.city.receipt(&manifest).sign(&CityReceiptKey::generate())).unwrap();
    assert_eq!(take_receipts(&config, stick.path()).unwrap(), Taken { receipts: 2, refused: 3 });
    assert_eq!(acknowledged(&world.state()), [(1, 1), (5, 5)]);

    world.city.with(|city| city.epoch = "e-0".into());
    city_answers(&world, stick.path(), &life, &[6]);
    let taken = take_receipts(&config, stick.path()).unwrap();
    assert_eq!(taken.receipts, 2, "a receipt of another life of the city's store does not count");
    let log = DeliveryReader::open(&world.state()).unwrap().unwrap();
    assert!(!log.is_acknowledged(&life, 6).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_and_harms_nothing() {
    let world = World::new().await;
    let (config, stick) = (world.config(""), tempfile::tempdir().unwrap());
    assert!(matches!(export(&config, stick.path()), Err(CourierError::NoQueue)));
    let mut outbox = Outbox::open(&world.state(), TERMINAL).unwrap();
    finalise(&mut outbox, &world.key, 1);
    export(&config, stick.path()).unwrap();

    let agent = Working::start(world.config(""));
    eventually("delivered", || acknowledged(&world.state()) == [(1, 1)]).await;
    assert!(matches!(take_receipts(&config, stick.path()), Err(CourierError::Store(_))), "the agent runs");
    agent.stop().await;

    let file = tempfile::NamedTempFile::new().unwrap();
    finalise(&mut outbox, &world.key, 1);
    assert!(matches!(export(&config, file.path()), Err(CourierError::Folder { .. })));
    let other =
        Consignment { terminal: "DG0002".into(), version: 2, certificates: String::new(), made_at_ms: 0 };
    fs::write(stick.path().join(CONSIGNMENT), other.to_json()).unwrap();
    let refused = export(&config, stick.path()).unwrap_err();
    assert!(refused.to_string().contains("DG0002"), "{refused}");
}
