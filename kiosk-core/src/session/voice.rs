//! 语音播报: what is read out, and when. Whatever page, notice or warning comes up is read once; a new one breaks the old
//! one off. The words are not here: a [`Topic`] names a text of `assets/voice/screens.toml`, a notice has its own.
//!
//! Nothing of a resident is read out: topics have room for no such thing, and a text on the screen that is a resident's is
//! read only when it is touched while headphones are plugged in.

use super::address::AddressStage;
use super::enquiry::EnquiryField;
use super::photo::PhotoStage;
use super::receipt::PrintStatus;
use super::{CardStatus, Citizen, Effect, Known, Number, Page, Session, Turn, Unfetched};
use crate::private::Private;
use crate::remedy::Notice;
use crate::service::{FollowUp, ItemCode, QuestionId, QuestionKind, Shape};
use crate::settings::{Language, Manner, VoiceChoice};

/// What a page is about, as far as the voice is concerned: one text in each language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of the pages; what differs within a page is said")]
pub enum Topic {
    Home,
    /// A case that was saved before a restart is offered.
    HomeSavedCase,
    /// The same person goes on with another item.
    HomeNextItem,
    Guide,
    LifeEvent,
    Consent,
    /// Lay the ID card.
    Identify,
    /// Lay the ID card, or put in the social-security card.
    IdentifyEitherCard,
    /// A card is being read.
    IdentifyReading,
    IdentifyTyping,
    ConfirmPerson,
    QuestionChoice,
    /// More options than anybody would listen to.
    QuestionManyOptions,
    QuestionChoices,
    QuestionText,
    /// A telephone number, a number or a sum: digits are touched.
    QuestionDigits,
    QuestionDate,
    AddressTown,
    AddressVillage,
    QuestionPhoto,
    /// A photo was just taken.
    PhotoFresh,
    /// There is no camera.
    PhotoAway,
    Review,
    /// The check page of a withdrawal: what it means.
    ReviewWithdrawal,
    /// Where to go.
    Outcome,
    /// Where to go, and a number of the window can be taken.
    OutcomeQueue,
    /// Where to go, with a number of the window.
    OutcomeNumber,
    /// Where to go, and there is no number of the window now.
    OutcomeNoNumber,
    Fetched,
    /// The register keeps nothing about this person.
    NothingHeld,
    /// The city cannot be asked: again, or leave the request as a case.
    Unfetched,
    Saving,
    SavingOverdue,
    ReceiptPrinting,
    ReceiptPrinted,
    ReceiptNotPrinted,
    Rating,
    EnquiryNumber,
    EnquiryCode,
    Asking,
    Progress,
    /// The city asks for more.
    ProgressSupplement,
    /// 补材料 or 撤回, with the city away.
    FollowUp,
    /// With nothing to take along; else a prompt says what to take.
    Leaving,
    IdleWarning,
    /// How the screen looks and how the voice speaks.
    SettingsPanel,
    /// A resident's own text was touched, and is not read out here.
    PrivateKept,
    /// The same, on a terminal with a place for headphones.
    PrivateNeedsHeadphones,
}

/// Every topic with its name in `assets/voice/screens.toml`.
const NAMES: [(Topic, &str); 48] = [
    (Topic::Home, "home"),
    (Topic::HomeSavedCase, "home-saved-case"),
    (Topic::HomeNextItem, "home-next-item"),
    (Topic::Guide, "guide"),
    (Topic::LifeEvent, "life-event"),
    (Topic::Consent, "consent"),
    (Topic::Identify, "identify"),
    (Topic::IdentifyEitherCard, "identify-either-card"),
    (Topic::IdentifyReading, "identify-reading"),
    (Topic::IdentifyTyping, "identify-typing"),
    (Topic::ConfirmPerson, "confirm-person"),
    (Topic::QuestionChoice, "question-choice"),
    (Topic::QuestionManyOptions, "question-many-options"),
    (Topic::QuestionChoices, "question-choices"),
    (Topic::QuestionText, "question-text"),
    (Topic::QuestionDigits, "question-digits"),
    (Topic::QuestionDate, "question-date"),
    (Topic::AddressTown, "address-town"),
    (Topic::AddressVillage, "address-village"),
    (Topic::QuestionPhoto, "question-photo"),
    (Topic::PhotoFresh, "photo-fresh"),
    (Topic::PhotoAway, "photo-away"),
    (Topic::Review, "review"),
    (Topic::ReviewWithdrawal, "review-withdrawal"),
    (Topic::Outcome, "outcome"),
    (Topic::OutcomeQueue, "outcome-queue"),
    (Topic::OutcomeNumber, "outcome-number"),
    (Topic::OutcomeNoNumber, "outcome-no-number"),
    (Topic::Fetched, "fetched"),
    (Topic::NothingHeld, "nothing-held"),
    (Topic::Unfetched, "unfetched"),
    (Topic::Saving, "saving"),
    (Topic::SavingOverdue, "saving-overdue"),
    (Topic::ReceiptPrinting, "receipt-printing"),
    (Topic::ReceiptPrinted, "receipt-printed"),
    (Topic::ReceiptNotPrinted, "receipt-not-printed"),
    (Topic::Rating, "rating"),
    (Topic::EnquiryNumber, "enquiry-number"),
    (Topic::EnquiryCode, "enquiry-code"),
    (Topic::Asking, "asking"),
    (Topic::Progress, "progress"),
    (Topic::ProgressSupplement, "progress-supplement"),
    (Topic::FollowUp, "follow-up"),
    (Topic::Leaving, "leaving"),
    (Topic::IdleWarning, "idle-warning"),
    (Topic::SettingsPanel, "settings-panel"),
    (Topic::PrivateKept, "private-kept"),
    (Topic::PrivateNeedsHeadphones, "private-needs-headphones"),
];

impl Topic {
    /// Every topic.
    pub fn all() -> impl Iterator<Item = Topic> {
        NAMES.into_iter().map(|(topic, _)| topic)
    }

    /// Its name in `assets/voice/screens.toml`.
    pub fn name(self) -> &'static str {
        // The list is in the order of the enum; a test holds it to that.
        NAMES[self as usize].1
    }
}

/// Options of a question that are read out; of more, only the question is.
const LISTENED_TO: usize = 10;

/// Something to read out.
#[derive(Clone, Debug, PartialEq)]
pub enum Passage {
    /// What the page is about.
    Page(Topic),
    /// The words of a notice.
    Notice(Notice),
    /// A text that was touched.
    Touched(Private<String>),
}

/// Whose a text on the screen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The kiosk's or the catalog's: the same for everybody.
    Everybodys,
    /// A resident's: what a card says, what was answered or typed, a case.
    Residents,
}

/// What is being read, or was: a change of any part is a reason to read anew.
#[derive(Clone, Debug, PartialEq)]
struct Reading {
    passage: Passage,
    item: Option<ItemCode>,
    question: Option<QuestionId>,
    language: Language,
    manner: Manner,
}

/// The voice's part of the session.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct VoiceState {
    reading: Option<Reading>,
    /// As the speaker was last told to speak.
    manner: Manner,
}

/// A touch that is the voice's business; all others come back.
pub(super) fn on(turn: &mut Turn, touch: Citizen) -> Option<Citizen> {
    match touch {
        Citizen::VoiceToggled => {
            let settings = &mut turn.session.settings;
            settings.voice = if settings.speaks() { VoiceChoice::Off } else { VoiceChoice::On };
        }
        Citizen::SpeedStepped(by) => {
            let manner = &mut turn.session.settings.manner;
            manner.speed = manner.speed.stepped(by);
        }
        Citizen::VolumeStepped(by) => {
            let manner = &mut turn.session.settings.manner;
            manner.volume = manner.volume.stepped(by);
        }
        Citizen::VoiceRepeated => repeat(turn),
        Citizen::VoiceStopped => turn.effects.push(Effect::Hush),
        Citizen::TextTouched(text, whose) => on_text_touched(turn, text, whose),
        other => return Some(other),
    }
    None
}

fn on_text_touched(turn: &mut Turn, text: Private<String>, whose: Whose) {
    if !turn.session.settings.speaks() {
        return;
    }
    let passage = match (whose, turn.session.surroundings.headphones) {
        (Whose::Everybodys, _) | (Whose::Residents, Some(true)) => Passage::Touched(text),
        (Whose::Residents, Some(false)) => Passage::Page(Topic::PrivateNeedsHeadphones),
        (Whose::Residents, None) => Passage::Page(Topic::PrivateKept),
    };
    read(turn, passage);
}

/// Headphones were plugged in or pulled out. What a resident is listening to must not go on for the whole hall.
pub(super) fn on_headphones(turn: &mut Turn, plugged: bool) {
    let before = turn.session.surroundings.headphones.replace(plugged);
    if before == Some(true) && !plugged {
        turn.effects.push(Effect::Hush);
    }
}

/// 再听一遍.
fn repeat(turn: &mut Turn) {
    if let Page::Leaving(to_take) = &turn.session.page
        && let Some(prompt) = to_take.prompt()
    {
        turn.say(prompt);
    } else if let Some(reading) = reading_of(turn) {
        read(turn, reading.passage);
    }
}

fn read(turn: &mut Turn, passage: Passage) {
    turn.effects.push(Effect::ReadAloud(passage, turn.session.settings.language));
}

/// After every event: what came up is read, what went away is broken off.
pub(super) fn follow(turn: &mut Turn) {
    let manner = turn.session.settings.manner;
    if std::mem::replace(&mut turn.session.voice.manner, manner) != manner {
        turn.effects.push(Effect::SpeakLike(manner));
    }
    let now = reading_of(turn);
    let before = std::mem::replace(&mut turn.session.voice.reading, now.clone());
    if before == now {
        return;
    }
    let warned = before.as_ref().is_some_and(|before| before.passage == Passage::Page(Topic::IdleWarning));
    match now {
        // Whoever says "I am still here" has heard the page already.
        Some(_) if warned => turn.effects.push(Effect::Hush),
        Some(reading) => read(turn, reading.passage),
        // The farewell has said what to take, and the end of a session is silence anyway.
        None if before.is_some() && !matches!(turn.session.page, Page::Leaving(_)) => {
            turn.effects.push(Effect::Hush);
        }
        None => {}
    }
}

/// What should be read of the session as it stands.
fn reading_of(turn: &Turn) -> Option<Reading> {
    let session = &turn.session;
    if !session.settings.speaks() {
        return None;
    }
    let passage = if session.idle.warning_s.is_some() {
        Passage::Page(Topic::IdleWarning)
    } else if session.settings_open {
        Passage::Page(Topic::SettingsPanel)
    } else if let Some(notice) = session.notice {
        Passage::Notice(notice)
    } else {
        Passage::Page(topic_of(turn)?)
    };
    let question = match &session.page {
        Page::Question(draft) => Some(draft.question.clone()),
        _ => None,
    };
    let life_event = session.life_event.as_ref().map(|life_event| &life_event.item);
    let item = session.visit.as_ref().map(|visit| &visit.item).or(life_event).cloned();
    let Session { settings, .. } = session;
    Some(Reading { passage, item, question, language: settings.language, manner: settings.manner })
}

/// The page's topic; none while a prompt says what there is to say.
fn topic_of(turn: &Turn) -> Option<Topic> {
    Some(match &turn.session.page {
        Page::Home(None) if turn.session.known.as_ref().is_some_and(Known::is_identified) => {
            Topic::HomeNextItem
        }
        Page::Home(None) => Topic::Home,
        Page::Home(Some(_)) => Topic::HomeSavedCase,
        Page::Guide => Topic::Guide,
        Page::LifeEvent => Topic::LifeEvent,
        Page::Consent => Topic::Consent,
        Page::Identify(identify) if identify.typing => Topic::IdentifyTyping,
        Page::Identify(identify) => match identify.status {
            CardStatus::Reading(_) => Topic::IdentifyReading,
            CardStatus::Waiting if super::identify::takes_either_card(turn) => Topic::IdentifyEitherCard,
            CardStatus::Waiting => Topic::Identify,
        },
        Page::ConfirmPerson => Topic::ConfirmPerson,
        Page::Question(draft) => {
            let question = turn.item()?.question(&draft.question)?;
            match &question.kind {
                QuestionKind::Choice(values) if values.len() > LISTENED_TO => Topic::QuestionManyOptions,
                QuestionKind::Choice(_) => Topic::QuestionChoice,
                QuestionKind::Choices(_) => Topic::QuestionChoices,
                QuestionKind::Text { .. } => Topic::QuestionText,
                QuestionKind::Phone | QuestionKind::Number(_) | QuestionKind::Money(_) => {
                    Topic::QuestionDigits
                }
                QuestionKind::Address(_) => match draft.address.stage {
                    AddressStage::Town => Topic::AddressTown,
                    AddressStage::Village => Topic::AddressVillage,
                    AddressStage::Rest => Topic::QuestionText,
                },
                QuestionKind::Date { .. } => Topic::QuestionDate,
                QuestionKind::Photo { most } => {
                    match draft.photo.stage(*most, turn.session.surroundings.camera_present) {
                        PhotoStage::Live | PhotoStage::Taking | PhotoStage::Full => Topic::QuestionPhoto,
                        PhotoStage::Fresh => Topic::PhotoFresh,
                        PhotoStage::Away => Topic::PhotoAway,
                    }
                }
            }
        }
        Page::Review if withdraws(turn) => Topic::ReviewWithdrawal,
        Page::Review => Topic::Review,
        Page::Outcome(page) => match page.number {
            Number::NotOffered => Topic::Outcome,
            Number::Offered | Number::Asking => Topic::OutcomeQueue,
            Number::Taken(_) => Topic::OutcomeNumber,
            Number::NotTaken(_) => Topic::OutcomeNoNumber,
        },
        Page::Fetched(_) => Topic::Fetched,
        Page::Unfetched(Unfetched::NothingHeld) => Topic::NothingHeld,
        Page::Unfetched(Unfetched::CannotAsk(_)) => Topic::Unfetched,
        Page::Saving(saving) if saving.overdue => Topic::SavingOverdue,
        Page::Saving(_) => Topic::Saving,
        Page::Receipt(receipt) => match receipt.print {
            PrintStatus::Printing => Topic::ReceiptPrinting,
            PrintStatus::Printed { .. } => Topic::ReceiptPrinted,
            PrintStatus::NotPrinted
            | PrintStatus::NoPaper
            | PrintStatus::CoverOpen
            | PrintStatus::PrinterAway
            | PrintStatus::Failed => Topic::ReceiptNotPrinted,
        },
        Page::Rating(_) => Topic::Rating,
        Page::Enquiry(enquiry) => match enquiry.field {
            EnquiryField::Number => Topic::EnquiryNumber,
            EnquiryField::Code => Topic::EnquiryCode,
        },
        Page::Asking(_) | Page::Fetching(_) => Topic::Asking,
        Page::Progress(page) if page.told.may_follow(FollowUp::Supplement) => Topic::ProgressSupplement,
        Page::Progress(_) => Topic::Progress,
        Page::FollowUp(_) => Topic::FollowUp,
        Page::Leaving(to_take) if to_take.is_nothing() => Topic::Leaving,
        Page::Leaving(_) => return None,
    })
}

fn withdraws(turn: &Turn) -> bool {
    turn.item().is_some_and(|item| item.shape == Shape::FollowUp(FollowUp::Withdrawal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_its_own_name_in_the_order_of_the_enum() {
        for (at, (topic, name)) in NAMES.into_iter().enumerate() {
            assert_eq!((topic as usize, topic.name()), (at, name));
            assert_eq!(NAMES.iter().filter(|(_, other)| *other == name).count(), 1, "{name}");
        }
        // The last one: an enum that has grown has another.
        assert_eq!(Topic::PrivateNeedsHeadphones as usize + 1, NAMES.len());
    }
}
