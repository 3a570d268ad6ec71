//! What the session is told when a commit fails.

use super::*;
use crate::inbox::{Message, inbox};
use async_channel::Receiver;
use kiosk_core::answers::Answers;
use kiosk_core::applicant::{Applicant, DocumentKind, IdentificationWay};
use kiosk_core::session::Event;
use kiosk_core::settings::Language;
use kiosk_store::StoreError;
use sync_protocol::SealKeyPair;

fn worker(folder: &std::path::Path) -> (Worker, Receiver<Message>) {
    let (inbox, messages) = inbox();
    let settings = StoreSettings {
        state: folder.to_owned(),
        terminal: "DG0001".into(),
        min_free_bytes: 0,
        terminal_key: TerminalKey::generate(),
        sealer: AgeSealer::from_recipients(&SealKeyPair::generate().recipient).unwrap(),
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
        applicant: Applicant {
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
        },
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
    worker.reopen_if_shaken();
    worker.settle();
    assert_eq!(answer(&messages), Some(Store::Finalised(Ticket(7), case)));
}

#[test]
fn a_case_that_is_not_on_disk_failed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut worker, messages) = worker(folder.path());
    worker.unsettled = Some(unsettled(&worker.records.name_case(&submission())));
    worker.reopen_if_shaken();
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
