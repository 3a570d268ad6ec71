//! A photo question: what lies under the camera is shown live, a photo is looked at before it is kept, and those that are
//! kept can be taken out again. Without a camera an optional question is left out.

use super::{Citizen, Effect, Page, Session, Ticket, TimerKind, Turn, question};
use crate::answers::Answer;
use crate::photo::Photo;
use crate::remedy::{Notice, Remedy};
use crate::service::{Question, QuestionKind};

/// What is being photographed for one question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhotoDraft {
    /// The photos that are kept. They are the answer at once: going back loses none.
    pub kept: Vec<Photo>,
    /// The photo that was just taken, and what may be wrong with it: use it or not?
    pub fresh: Option<(Photo, Option<Notice>)>,
    /// What is wrong with the live picture, once it was looked at; inside, `None` means that it is good.
    pub sees: Option<Option<Notice>>,
    /// The answer must name it.
    taking: Option<Ticket>,
}

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhotoStage {
    /// The live picture.
    Live,
    /// The live picture, of which a photo is being taken.
    Taking,
    /// The photo that was just taken.
    Fresh,
    /// No more photos can be taken.
    Full,
    /// There is no camera to take one with.
    Away,
}

impl PhotoDraft {
    /// What the page shows, of a question that takes `most` photos.
    pub fn stage(&self, most: usize, camera_present: bool) -> PhotoStage {
        if self.fresh.is_some() {
            PhotoStage::Fresh
        } else if self.kept.len() >= most {
            PhotoStage::Full
        } else if !camera_present {
            PhotoStage::Away
        } else if self.taking.is_some() {
            PhotoStage::Taking
        } else {
            PhotoStage::Live
        }
    }
}

/// What a touch does; false when it means the same as on any other question.
pub(super) fn on(turn: &mut Turn, question: &Question, touch: &Citizen) -> bool {
    let QuestionKind::Photo { most } = question.kind else { return false };
    let camera_present = turn.session.surroundings.camera_present;
    let Page::Question(draft) = &mut turn.session.page else { return false };
    let photo = &mut draft.photo;
    match (photo.stage(most, camera_present), touch) {
        (PhotoStage::Live, Citizen::PhotoWanted) => take(turn),
        (PhotoStage::Fresh, Citizen::PhotoKept) => {
            // The same bytes twice would be one file with two names.
            let fresh = photo.fresh.take().map(|(fresh, _)| fresh);
            let is_new = |fresh: &Photo| photo.kept.iter().all(|kept| kept.sha256 != fresh.sha256);
            if let Some(fresh) = fresh.filter(is_new) {
                photo.kept.push(fresh);
            }
            keep(turn);
        }
        (PhotoStage::Fresh, Citizen::PhotoRetaken) => {
            photo.fresh = None;
            turn.page_changed();
        }
        (PhotoStage::Live | PhotoStage::Full | PhotoStage::Away, Citizen::PhotoRemoved(at)) => {
            if *at < photo.kept.len() {
                photo.kept.remove(*at);
                keep(turn);
            }
        }
        (PhotoStage::Live | PhotoStage::Full | PhotoStage::Away, Citizen::Answered | Citizen::Skipped) => {
            return false;
        }
        (_, Citizen::Back) => {
            give_up(turn);
            return false;
        }
        // A photo that nobody has decided about is no answer yet, and nothing is typed here.
        _ => {}
    }
    true
}

fn take(turn: &mut Turn) {
    let ticket = turn.new_ticket();
    let Page::Question(draft) = &mut turn.session.page else { return };
    draft.photo.taking = Some(ticket);
    turn.effects.push(Effect::TakePhoto(ticket));
    let usual = turn.rules.limits.photo_ms;
    turn.start_page_timer(TimerKind::Photo, usual);
}

/// What is kept is the answer.
fn keep(turn: &mut Turn) {
    turn.page_changed();
    let Page::Question(draft) = &turn.session.page else { return };
    let (id, kept) = (draft.question.clone(), draft.photo.kept.clone());
    let Some(visit) = &mut turn.session.visit else { return };
    if kept.is_empty() {
        visit.answers.remove(&id);
    } else {
        visit.skipped.remove(&id);
        visit.answers.insert(id, Answer::Photos(kept));
    }
}

pub(super) fn on_taken(turn: &mut Turn, ticket: Ticket, photo: Photo, doubt: Option<Notice>) {
    if is_awaited(turn, ticket) {
        give_up(turn);
        turn.somebody_is_there();
        turn.page_changed();
        if let Page::Question(draft) = &mut turn.session.page {
            draft.photo.fresh = Some((photo, doubt));
        }
    }
}

pub(super) fn on_failed(turn: &mut Turn, ticket: Ticket, remedy: Remedy) {
    if is_awaited(turn, ticket) {
        give_up(turn);
        turn.somebody_is_there();
        turn.session.notice = Some(match remedy {
            Remedy::AskCitizen(notice) => notice,
            Remedy::Retry => Notice::PhotoFailed,
            Remedy::CallOperator(_) => Notice::CameraAway,
        });
    }
}

/// The camera's thread has not answered at all.
pub(super) fn on_timeout(turn: &mut Turn) {
    if give_up(turn) {
        turn.session.notice = Some(Notice::CameraAway);
    }
}

pub(super) fn on_sees(turn: &mut Turn, ticket: Ticket, wrong: Option<Notice>) {
    if turn.session.preview == Some(ticket)
        && let Page::Question(draft) = &mut turn.session.page
    {
        draft.photo.sees = Some(wrong);
    }
}

/// The camera came or went. The page itself says so.
pub(super) fn on_camera_present(turn: &mut Turn, present: bool) {
    turn.session.surroundings.camera_present = present;
    if present {
        turn.session.notice.take_if(|notice| *notice == Notice::CameraAway);
    } else {
        give_up(turn);
    }
}

/// Why an item that cannot do without a photo cannot be begun now.
pub(super) fn why_not_begin(turn: &Turn) -> Option<Notice> {
    let needed =
        |question: &Question| question.required && matches!(question.kind, QuestionKind::Photo { .. });
    let away = !turn.session.surroundings.camera_present;
    (away && question::asked(turn)?.iter().any(needed)).then_some(Notice::CameraAway)
}

/// Waits no longer for a photo, if one is being taken: what still comes of it reaches nobody.
pub(super) fn give_up(turn: &mut Turn) -> bool {
    let Page::Question(draft) = &mut turn.session.page else { return false };
    let taking = draft.photo.taking.take().is_some();
    if taking {
        turn.session.page_timer = None;
        turn.effects.push(Effect::StopTimer(TimerKind::Photo));
    }
    taking
}

fn is_awaited(turn: &Turn, ticket: Ticket) -> bool {
    matches!(&turn.session.page, Page::Question(draft) if draft.photo.taking == Some(ticket))
}

/// Whatever happened: the camera runs while the page shows its picture, and at no other time.
pub(super) fn follow(turn: &mut Turn) {
    match (shows_live(turn), turn.session.preview) {
        (true, None) => {
            let ticket = turn.new_ticket();
            turn.session.preview = Some(ticket);
            if let Page::Question(draft) = &mut turn.session.page {
                draft.photo.sees = None;
            }
            turn.effects.push(Effect::StartPreview(ticket));
        }
        (false, Some(_)) => {
            turn.session.preview = None;
            turn.effects.push(Effect::StopPreview);
        }
        (true, Some(_)) | (false, None) => {}
    }
}

impl Session {
    /// Whether the camera's live picture is on the screen.
    pub fn shows_live(&self) -> bool {
        self.preview.is_some()
    }
}

fn shows_live(turn: &Turn) -> bool {
    let Page::Question(draft) = &turn.session.page else { return false };
    let kind = turn.item().and_then(|item| item.question(&draft.question)).map(|question| &question.kind);
    let Some(QuestionKind::Photo { most }) = kind else { return false };
    let stage = draft.photo.stage(*most, turn.session.surroundings.camera_present);
    matches!(stage, PhotoStage::Live | PhotoStage::Taking)
}
