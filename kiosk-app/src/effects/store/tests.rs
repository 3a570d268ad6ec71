//! What the session is told when a commit fails.

use super::*;
use crate::inbox::{Message, inbox};
use async_channel::Receiver;
use kiosk_core::answers::{Answer, Answers};
use kiosk_core::applicant::{Applicant, DocumentKind, IdentificationWay};
use kiosk_core::photo::{Photo, PhotoView};
use kiosk_core::private::Private;
use kiosk_core::service::QuestionId;
use kiosk_core::session::{Event, Submitter};
use kiosk_core::settings::Language;
use kiosk_store::StoreError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::collections::BTreeSet;
use std::sync::Arc;
use sync_protocol::{AgeOpener, Opener, SealKeyPair, sha256_hex};

fn worker(folder: &std::path::Path) -> (Worker, Receiver<Message>) {
    worker_for(folder, &SealKeyPair::generate())
}

fn worker_for(folder: &std::path::Path, city: &SealKeyPair) -> (Worker, Receiver<Message>) {
    let (inbox, messages) = inbox();
    let settings = StoreSettings {
        state: folder.to_owned(),
        terminal: "DG0001".into(),
        min_free_bytes: 0,
        terminal_key: TerminalKey::generate(),
        sealer: AgeSealer::from_recipients(&city.recipient).unwrap(),
        catalog_version: "1".into(),
    };
    let mut worker = Worker::new(settings, inbox);
    worker.open();
    (worker, messages)
}

fn submission() -> Submission {
    Submission {
        item: ItemCode("12345-appeal".into()),
        item_version: 1,
        consent_version: 1,
        language: Language::ZhHans,
        by: Submitter::Applicant(Applicant {
            way: IdentificationWay::Typed,
            document: DocumentKind::ResidentIdCard,
            name: None,
            number: "99000119710101001X".into(),
            sex: None,
            ethnic: None,
            birth: None,
            address: None,
            issuer: None,
            valid_from: None,
            valid_to: None,
        }),
        answers: Answers::new(),
    }
}

/// The next answer to a submission.
fn answer(messages: &Receiver<Message>) -> Option<Store> {
    std::iter::from_fn(|| messages.try_recv().ok()).find_map(|message| match message {
        Message::Event(Event::Store(answer @ (Store::Finalised(..) | Store::FinaliseFailed(..)))) => {
            Some(answer)
        }
        _ => None,
    })
}

fn unsettled(case: &SavedCase) -> Unsettled {
    let error = StoreError::Io { doing: "syncing", kind: std::io::ErrorKind::Other };
    Unsettled { ticket: Ticket(7), case: case.clone(), begun: Instant::now(), error: error.into() }
}

#[test]
fn a_case_on_disk_is_saved_although_its_commit_failed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut worker, messages) = worker(folder.path());
    let case = worker.records.name_case(&submission());
    worker.records.commit_case(worker.opened.as_mut().unwrap(), &submission(), &case).unwrap();
    worker.unsettled = Some(unsettled(&case));
    worker.settle();
    assert_eq!(answer(&messages), Some(Store::Finalised(Ticket(7), case)));
}

#[test]
fn a_case_that_is_not_on_disk_failed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut worker, messages) = worker(folder.path());
    worker.unsettled = Some(unsettled(&worker.records.name_case(&submission())));
    worker.settle();
    let failed = Store::FinaliseFailed(Ticket(7), Remedy::CallOperator(FaultCode::Store));
    assert_eq!(answer(&messages), Some(failed));
}

#[test]
fn while_the_outbox_does_not_open_again_nothing_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut worker, messages) = worker(folder.path());
    let case = worker.records.name_case(&submission());
    worker.records.commit_case(worker.opened.as_mut().unwrap(), &submission(), &case).unwrap();
    worker.opened = None;
    worker.unsettled = Some(unsettled(&case));
    worker.settle();
    assert_eq!(answer(&messages), None);
    worker.open();
    assert_eq!(answer(&messages), Some(Store::Finalised(Ticket(7), case)));
}

fn photo(bytes: &[u8]) -> Photo {
    let view = PhotoView { width: 1, height: 1, rgb: Private::new(vec![0; 3]) };
    let jpeg = Arc::new(Private::new(bytes.to_vec()));
    Photo { sha256: sha256_hex(bytes), jpeg, view: Arc::new(view) }
}

/// With its photos, each sealed on its own, named in the manifest and by its content in the answers.
#[test]
fn photos_are_sealed_beside_the_case_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let city = SealKeyPair::generate();
    let (mut worker, messages) = worker_for(folder.path(), &city);
    let taken = [photo(b"the first photo of a paper"), photo(b"the second photo of a paper")];
    let mut submission = submission();
    submission.answers.insert(QuestionId("photos".into()), Answer::Photos(taken.to_vec()));
    worker.on_finalise(Ticket(1), &submission);
    assert!(matches!(answer(&messages), Some(Store::Finalised(Ticket(1), _))));

    let outbox = kiosk_store::OutboxReader::open(folder.path()).unwrap().unwrap();
    let record = outbox.record(1).unwrap().unwrap();
    let blobs = outbox.blobs_of(1).unwrap();
    let opener = AgeOpener::from_identities(&city.identity).unwrap();
    let opened = blobs.iter().map(|blob| {
        let sealed = outbox.blob(&blob.sha256).unwrap();
        sha256_hex(&opener.open(&sealed).unwrap())
    });
    let wanted = taken.iter().map(|photo| photo.sha256.clone());
    assert_eq!(opened.collect::<BTreeSet<_>>(), wanted.collect());
    let plain = opener.open(&record.ciphertext).unwrap();
    let sealed = sync_protocol::Submission::from_plaintext(&plain).unwrap();
    let named = serde_json::json!(
        taken
            .each_ref()
            .map(|photo| { serde_json::json!({ "sha256": photo.sha256, "bytes": photo.bytes() }) })
    );
    assert_eq!(sealed.answers["photos"], named);
    drop(outbox);
    drop(worker);
    for file in files(folder.path()) {
        let bytes = std::fs::read(&file).unwrap();
        let clear = bytes.windows(7).any(|part| part == b"photo o");
        assert!(!clear, "{}", file.display());
    }
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_full_disk_is_said_at_once_and_the_next_case_is_taken_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let (mut worker, messages) = worker(folder.path());
    // No page more than there are; the last ones still have some room.
    worker.opened.as_ref().unwrap().limit_pages(1).unwrap();
    let refused = (1..1_000).map(Ticket).find_map(|ticket| {
        worker.on_finalise(ticket, &submission());
        match answer(&messages) {
            Some(Store::FinaliseFailed(refused, remedy)) => Some((ticket, refused, remedy)),
            _ => None,
        }
    });
    let (asked, refused, remedy) = refused.expect("the disk is full at last");
    assert_eq!((refused, remedy), (asked, Remedy::AskCitizen(Notice::SubmissionsClosed)));
    worker.opened.as_ref().unwrap().limit_pages(0).unwrap();
    worker.on_finalise(Ticket(1_000), &submission());
    assert!(matches!(answer(&messages), Some(Store::Finalised(Ticket(1_000), _))));
}

/// From now on the kernel refuses to write anything anywhere in this process (each test has one of its own), with an
/// error that is not "full"; or no longer.
fn disk_fails(fails: bool) {
    // The kernel also sends a signal, which would end the process.
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default()).unwrap();
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: if fails { Some(0) } else { maximum }, maximum }).unwrap();
}

#[test]
fn while_the_disk_fails_no_case_is_taken_and_nothing_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut worker, messages) = worker(folder.path());
    disk_fails(true);
    worker.on_finalise(Ticket(7), &submission());
    worker.look_around();
    assert_eq!(answer(&messages), None, "nobody knows yet");
    assert_eq!(worker.keep_up(), Some(ClosedBecause::Unwritable));
    disk_fails(false);
    worker.next_open = Instant::now();
    worker.look_around();
    let failed = Store::FinaliseFailed(Ticket(7), Remedy::CallOperator(FaultCode::Store));
    assert_eq!(answer(&messages), Some(failed));
    worker.on_finalise(Ticket(8), &submission());
    assert!(matches!(answer(&messages), Some(Store::Finalised(Ticket(8), _))));
}

#[test]
fn a_write_that_failed_between_two_residents_is_settled_before_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let (mut worker, messages) = worker(folder.path());
    worker.on_finalise(Ticket(1), &submission());
    let Some(Store::Finalised(_, case)) = answer(&messages) else { panic!("the first case is stored") };
    disk_fails(true);
    worker.obey(Command::PrintStarted(case.case_id.clone(), false));
    worker.obey(Command::Rate(case, 5));
    disk_fails(false);
    worker.next_open = Instant::now();
    worker.look_around();
    assert_eq!(worker.keep_up(), None, "cases are taken again");
    worker.on_finalise(Ticket(2), &submission());
    assert!(matches!(answer(&messages), Some(Store::Finalised(Ticket(2), _))));
    // What could not be written when it happened is in the chain all the same.
    let rows = kiosk_store::AuditLog::read(folder.path(), "kiosk", 1, 100).unwrap();
    let lines = rows.iter().filter(|row| row.name == "print_requested").count();
    assert_eq!(lines, 1, "{rows:?}");
}

#[test]
fn a_stored_case_that_is_gone_is_reported_and_the_queue_goes_on_in_a_new_life() {
    let folder = tempfile::tempdir().unwrap();
    let (mut worker, messages) = worker(folder.path());
    worker.on_finalise(Ticket(1), &submission());
    // What is in the file now comes back: the disk loses what it said it had written since.
    let names = ["outbox.db", "outbox.db-wal"].map(|name| folder.path().join(name));
    worker.opened = None;
    let kept = names.each_ref().map(|name| std::fs::read(name).unwrap());
    worker.open();
    let before = worker.opened.as_ref().unwrap().incarnation().to_owned();
    worker.on_finalise(Ticket(2), &submission());
    worker.opened = None;
    for (name, bytes) in names.iter().zip(kept) {
        std::fs::write(name, bytes).unwrap();
    }
    worker.open();
    assert_ne!(worker.opened.as_ref().unwrap().incarnation(), before);
    let rows = kiosk_store::AuditLog::read(folder.path(), "kiosk", 1, 100).unwrap();
    assert!(rows.iter().any(|row| row.name == "record_missing"), "{rows:?}");
    while answer(&messages).is_some() {}
    worker.on_finalise(Ticket(3), &submission());
    assert!(matches!(answer(&messages), Some(Store::Finalised(Ticket(3), _))));
}
