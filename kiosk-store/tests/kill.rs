//! Real kills in the middle of a commit: the test runs itself as a child that aborts at a given step.

mod support;

use std::process::Command;

use kiosk_store::{CommitStep, Outbox, OutboxReader};
use support::*;

const STEPS: [CommitStep; 6] = [
    CommitStep::BlobWritten,
    CommitStep::BlobSynced,
    CommitStep::BlobNamed,
    CommitStep::FolderSynced,
    CommitStep::RowsWritten,
    CommitStep::Committed,
];

const FOLDER: &str = "KIOSK_STORE_TEST_FOLDER";
const STEP: &str = "KIOSK_STORE_TEST_STEP";

/// Not a test by itself: the body of the child. Without the variables it has nothing to do.
#[test]
fn child_commits_and_dies() {
    let (Ok(folder), Ok(step)) = (std::env::var(FOLDER), std::env::var(STEP)) else { return };
    let step = STEPS[step.parse::<usize>().unwrap()];
    let mut outbox = Outbox::open(folder.as_ref(), TERMINAL).unwrap();
    outbox.observe_commits(move |at| {
        if at == step {
            std::process::abort();
        }
    });
    let mut last = record(outbox.next_slot());
    last.blobs = vec![blob("a photo that belongs to the last record")];
    outbox.commit(last).unwrap();
    unreachable!("the child dies at every step");
}

#[test]
fn a_kill_at_any_step_leaves_the_record_whole_or_absent() {
    for (index, step) in STEPS.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        fill(&mut Outbox::open(folder.path(), TERMINAL).unwrap(), 2);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_commits_and_dies"])
            .env(FOLDER, folder.path())
            .env(STEP, index.to_string())
            .output()
            .unwrap();
        assert!(!child.status.success(), "the child was to die at {step:?}");
        let reader = OutboxReader::open(folder.path()).unwrap().unwrap();
        let expected = if *step == CommitStep::Committed { 3 } else { 2 };
        assert_eq!(reader.head().unwrap(), expected, "{step:?}: the reader, before the writer is back");
        let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
        outbox.verify_all().unwrap();
        assert_eq!(outbox.head(), expected, "{step:?}");
        let photo = sha256(b"a photo that belongs to the last record");
        if outbox.holds(&case_id(3)).unwrap() {
            assert!(reader.blob(&photo).is_ok(), "a row never names a blob that is not there");
        }
        fill(&mut outbox, 1);
        assert_eq!(reader.head().unwrap(), expected + 1, "{step:?}: it goes on");
    }
}

#[test]
fn the_order_is_blobs_then_rows_then_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut outbox = Outbox::open(folder.path(), TERMINAL).unwrap();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = seen.clone();
    outbox.observe_commits(move |step| noted.lock().unwrap().push(step));
    let mut with_blob = record(outbox.next_slot());
    with_blob.blobs = vec![blob("photo")];
    outbox.commit(with_blob).unwrap();
    assert_eq!(*seen.lock().unwrap(), STEPS);
}
