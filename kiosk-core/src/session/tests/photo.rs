//! Photos: taken, looked at, kept, taken out again; a camera that comes and goes; nothing that stays behind.

use super::*;
use crate::answers::Answer;
use crate::photo::{Photo, PhotoView};
use crate::private::Private;
use crate::remedy::FaultCode;
use std::sync::Arc;

fn taken(name: &str) -> Photo {
    let view = PhotoView { width: 1, height: 1, rgb: Private::new(vec![1, 2, 3]) };
    let jpeg = Arc::new(Private::new(name.as_bytes().to_vec()));
    Photo { sha256: name.into(), jpeg, view: Arc::new(view) }
}

/// At a question that takes two photos, the camera there or not.
fn at_the_question(required: bool, camera_present: bool) -> Bench {
    let mut bench = Bench::new();
    let mut item = bench.items[0].clone();
    item.code = ItemCode("photos".into());
    item.questions = vec![
        question("papers", QuestionKind::Photo { most: 2 }, required, None),
        question("phone", QuestionKind::Phone, true, None),
    ];
    bench.items.push(item);
    bench.send(Event::Device(Device::CameraPresent(camera_present)));
    let ticket = bench.go_to_identify("photos");
    bench.lay(ticket, card("1971-01-01", None));
    bench.touch(Citizen::PersonConfirmed);
    assert_eq!(bench.shown_question(), "papers");
    bench
}

fn preview(bench: &Bench) -> Option<Ticket> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::StartPreview(ticket) => Some(*ticket),
        _ => None,
    })
}

fn stops_preview(bench: &Bench) -> bool {
    bench.effects.contains(&Effect::StopPreview)
}

fn stage(bench: &Bench) -> PhotoStage {
    let Page::Question(draft) = &bench.session.page else { panic!("no question") };
    draft.photo.stage(2, bench.session.surroundings.camera_present)
}

fn kept(bench: &Bench) -> Vec<String> {
    let Page::Question(draft) = &bench.session.page else { panic!("no question") };
    draft.photo.kept.iter().map(|photo| photo.sha256.clone()).collect()
}

fn order(bench: &mut Bench) -> Ticket {
    bench.touch(Citizen::PhotoWanted);
    let order = bench.effects.iter().find_map(|effect| match effect {
        Effect::TakePhoto(ticket) => Some(*ticket),
        _ => None,
    });
    order.expect("the camera is asked")
}

fn take(bench: &mut Bench, name: &str) {
    let ticket = order(bench);
    assert_eq!(stage(bench), PhotoStage::Taking);
    bench.send(Event::Device(Device::PhotoTaken { ticket, photo: taken(name), doubt: None }));
    assert_eq!(stage(bench), PhotoStage::Fresh);
}

#[test]
fn photos_are_looked_at_kept_and_sent() {
    let mut bench = at_the_question(false, true);
    let ticket = preview(&bench).expect("the page shows what lies there");
    bench.send(Event::Device(Device::CameraSees(ticket, Some(Notice::MaterialGlare))));
    assert!(
        matches!(&bench.session.page, Page::Question(d) if d.photo.sees == Some(Some(Notice::MaterialGlare)))
    );
    take(&mut bench, "one");
    assert!(stops_preview(&bench), "the photo is shown, not the live picture");
    bench.touch(Citizen::Answered);
    assert_eq!(stage(&bench), PhotoStage::Fresh, "it wants a word first");
    bench.touch(Citizen::PhotoRetaken);
    assert!(preview(&bench).is_some());
    take(&mut bench, "two");
    bench.touch(Citizen::PhotoKept);
    assert!(preview(&bench).is_some(), "another one can be taken");
    take(&mut bench, "three");
    bench.touch(Citizen::PhotoKept);
    assert_eq!((stage(&bench), kept(&bench)), (PhotoStage::Full, vec!["two".to_owned(), "three".to_owned()]));
    bench.touch(Citizen::PhotoWanted);
    assert_eq!(stage(&bench), PhotoStage::Full, "two are the most");
    bench.touch(Citizen::PhotoRemoved(0));
    assert!(preview(&bench).is_some(), "there is room again");
    take(&mut bench, "three");
    bench.touch(Citizen::PhotoKept);
    assert_eq!(kept(&bench), ["three"], "the same bytes are the same photo");
    take(&mut bench, "four");
    bench.touch(Citizen::PhotoKept).touch(Citizen::Answered).type_in("13800000000");
    assert_eq!(bench.session.page, Page::Review);
    bench.touch(Citizen::ChangeWanted(id("papers")));
    assert_eq!(kept(&bench), ["three", "four"]);
    bench.touch(Citizen::Answered);
    let (_, submission) = bench.submit();
    assert_eq!(submission.answers[&id("papers")].photos(), [taken("three"), taken("four")]);
}

#[test]
fn going_back_and_forth_loses_no_photo_that_was_kept() {
    let mut bench = at_the_question(false, true);
    take(&mut bench, "one");
    bench.touch(Citizen::PhotoKept);
    bench.touch(Citizen::Back);
    assert_eq!(bench.session.page, Page::ConfirmPerson);
    assert!(stops_preview(&bench));
    bench.touch(Citizen::PersonConfirmed);
    assert_eq!(bench.shown_question(), "phone");
    bench.touch(Citizen::Back);
    assert_eq!(kept(&bench), ["one"]);
}

#[test]
fn an_optional_question_is_left_out_and_a_needed_one_is_not() {
    let mut bench = at_the_question(false, true);
    bench.touch(Citizen::Answered);
    assert_eq!(bench.shown_question(), "phone", "next on an empty optional question leaves it out");
    assert!(stops_preview(&bench));
    let mut bench = at_the_question(false, true);
    take(&mut bench, "one");
    bench.touch(Citizen::PhotoKept).touch(Citizen::PhotoRemoved(0)).touch(Citizen::Skipped);
    bench.type_in("13800000000");
    let (_, submission) = bench.submit();
    assert!(!submission.answers.contains_key(&id("papers")));
    let mut bench = at_the_question(true, true);
    bench.touch(Citizen::Answered);
    assert_eq!(bench.session.notice, Some(Notice::AnswerNeeded));
}

#[test]
fn without_a_camera_the_page_says_so_and_goes_on_when_it_is_back() {
    let mut bench = at_the_question(false, false);
    assert_eq!((stage(&bench), preview(&bench)), (PhotoStage::Away, None));
    bench.send(Event::Device(Device::CameraPresent(true)));
    let first = preview(&bench).expect("it is there now");
    let taking = order(&mut bench);
    bench.send(Event::Device(Device::CameraPresent(false)));
    assert!(stops_preview(&bench));
    assert_eq!((stage(&bench), bench.session.notice), (PhotoStage::Away, None));
    let photo = taken("late");
    bench.send(Event::Device(Device::PhotoTaken { ticket: taking, photo, doubt: None }));
    assert_eq!(stage(&bench), PhotoStage::Away, "nobody waits for it any more");
    bench.send(Event::Device(Device::CameraPresent(true)));
    let again = preview(&bench).expect("the live picture is back");
    bench.send(Event::Device(Device::CameraSees(first, Some(Notice::CameraCovered))));
    assert!(matches!(&bench.session.page, Page::Question(d) if d.photo.sees.is_none()), "that was before");
    assert_ne!(first, again);
    bench.send(Event::Device(Device::CameraPresent(false)));
    bench.touch(Citizen::Skipped);
    assert_eq!(bench.shown_question(), "phone");
}

#[test]
fn an_item_that_needs_a_photo_does_not_begin_without_a_camera() {
    for (required, camera, begins) in [(true, false, false), (true, true, true), (false, false, true)] {
        let mut bench = Bench::new();
        bench.items[0].questions[0] = question("papers", QuestionKind::Photo { most: 1 }, required, None);
        bench.send(Event::Device(Device::CameraPresent(camera)));
        bench.touch(Citizen::ItemChosen(ItemCode("appeal".into()))).touch(Citizen::Started);
        assert_eq!(bench.session.page == Page::Consent, begins, "{required} {camera}");
        assert_eq!(bench.session.notice, (!begins).then_some(Notice::CameraAway));
    }
}

#[test]
fn a_photo_that_fails_says_why_and_a_camera_that_hangs_is_not_waited_for() {
    for (remedy, notice) in [
        (Remedy::AskCitizen(Notice::CameraCovered), Notice::CameraCovered),
        (Remedy::Retry, Notice::PhotoFailed),
        (Remedy::CallOperator(FaultCode::Camera), Notice::CameraAway),
    ] {
        let mut bench = at_the_question(false, true);
        let ticket = order(&mut bench);
        bench.send(Event::Device(Device::PhotoFailed(ticket, remedy)));
        assert_eq!((stage(&bench), bench.session.notice), (PhotoStage::Live, Some(notice)));
    }
    let mut bench = at_the_question(false, true);
    order(&mut bench);
    bench.send(Event::Timer(bench.session.page_timer.expect("a photo has a deadline")));
    assert_eq!((stage(&bench), bench.session.notice), (PhotoStage::Live, Some(Notice::CameraAway)));
    bench.send(Event::Device(Device::CameraPresent(true)));
    assert_eq!(bench.session.notice, None);
}

#[test]
fn a_photo_that_comes_after_the_end_reaches_nobody_and_the_last_copy_is_gone() {
    let mut bench = at_the_question(false, true);
    take(&mut bench, "one");
    bench.touch(Citizen::PhotoKept);
    let bytes = match &bench.session.visit.as_ref().unwrap().answers[&id("papers")] {
        Answer::Photos(photos) => Arc::downgrade(&photos[0].jpeg),
        other => panic!("{other:?}"),
    };
    let ticket = order(&mut bench);
    bench.touch(Citizen::End);
    assert!(bench.effects.contains(&Effect::WipeSession) && stops_preview(&bench));
    assert!(bytes.upgrade().is_none(), "nobody holds the bytes");
    bench.send(Event::Device(Device::PhotoTaken { ticket, photo: taken("late"), doubt: None }));
    assert!(matches!(bench.session.page, Page::Leaving(_)));
}

proptest::proptest! {
    /// Whatever happens, a preview is started once and stopped once, and runs only while the page shows it.
    #[test]
    fn the_camera_runs_while_its_picture_is_shown_and_at_no_other_time(
        numbers in proptest::collection::vec(0_u8..14, 0..120)
    ) {
        let mut bench = at_the_question(false, true);
        let (mut running, mut asked) = (true, Ticket(0));
        for number in numbers {
            let event = match number {
                0 | 1 => Event::Citizen(Citizen::PhotoWanted),
                2 | 3 => Event::Device(Device::PhotoTaken { ticket: asked, photo: taken("x"), doubt: None }),
                4 => Event::Citizen(Citizen::PhotoKept),
                5 => Event::Citizen(Citizen::PhotoRetaken),
                6 => Event::Citizen(Citizen::PhotoRemoved(0)),
                7 => Event::Citizen(Citizen::Answered),
                8 => Event::Citizen(Citizen::Back),
                9 => Event::Citizen(Citizen::PersonConfirmed),
                10 => Event::Device(Device::CameraPresent(false)),
                11 => Event::Device(Device::CameraPresent(true)),
                12 => Event::Timer(Ticket(bench.session.last_ticket.0)),
                _ => Event::Citizen(Citizen::NoticeClosed),
            };
            bench.send(event);
            for effect in &bench.effects {
                match effect {
                    Effect::StartPreview(_) => {
                        proptest::prop_assert!(!running);
                        running = true;
                    }
                    Effect::StopPreview => {
                        proptest::prop_assert!(running);
                        running = false;
                    }
                    Effect::TakePhoto(ticket) => asked = *ticket,
                    _ => {}
                }
            }
            let live = matches!(&bench.session.page, Page::Question(draft) if draft.question == id("papers"))
                && matches!(stage(&bench), PhotoStage::Live | PhotoStage::Taking);
            proptest::prop_assert_eq!(running, live);
        }
    }
}
