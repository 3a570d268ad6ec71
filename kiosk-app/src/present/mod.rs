//! The screen is a picture of the state: pure functions from the session to what each page shows.

pub mod fetched;
pub mod lights;
pub mod lines;
pub mod pages_print;
pub mod picker;
pub mod progress;
pub mod question;
pub mod spoken;
pub mod typing;

use crate::catalog::{Catalog, words};
use kiosk_core::remedy::Notice;
use kiosk_core::session::{LifeEvent, Page, PrintStatus, PrinterCondition, Session};
use kiosk_core::settings::{Language, TextSize, Theme};
use kiosk_ui::{
    ItemTile, LanguageKind, NoticeKind, PrintStatus as ShownPrint, ScreenKind, TextSizeKind, ThemeKind,
};
use service_catalog::{ServiceItem, Shape};

/// Which screen shows this page.
pub fn screen_of(page: &Page) -> ScreenKind {
    match page {
        Page::Home(_) => ScreenKind::Home,
        Page::Guide => ScreenKind::Guide,
        Page::LifeEvent => ScreenKind::LifeEvent,
        Page::Consent => ScreenKind::Consent,
        Page::Identify(_) => ScreenKind::Identify,
        Page::ConfirmPerson => ScreenKind::ConfirmPerson,
        Page::Question(_) => ScreenKind::Question,
        Page::Review => ScreenKind::Review,
        Page::Outcome(_) => ScreenKind::Outcome,
        Page::Fetched(_) => ScreenKind::Fetched,
        Page::Unfetched(_) => ScreenKind::Unfetched,
        Page::Saving(_) => ScreenKind::Saving,
        Page::Receipt(_) => ScreenKind::Receipt,
        Page::Rating(_) => ScreenKind::Rating,
        Page::Enquiry(_) => ScreenKind::Enquiry,
        Page::Asking(_) | Page::Fetching(_) => ScreenKind::Asking,
        Page::Progress(_) => ScreenKind::Progress,
        Page::FollowUp(_) => ScreenKind::FollowUp,
        Page::Leaving(_) => ScreenKind::Leaving,
    }
}

/// The language as the markup knows it.
pub fn language_kind(language: Language) -> LanguageKind {
    match language {
        Language::ZhHans => LanguageKind::ZhHans,
        Language::ZhHant => LanguageKind::ZhHant,
        Language::En => LanguageKind::En,
    }
}

/// The language as the session knows it.
pub fn language_of(kind: LanguageKind) -> Language {
    match kind {
        LanguageKind::ZhHans => Language::ZhHans,
        LanguageKind::ZhHant => Language::ZhHant,
        LanguageKind::En => Language::En,
    }
}

/// The theme as the markup knows it.
pub fn theme_kind(theme: Theme) -> ThemeKind {
    match theme {
        Theme::Standard => ThemeKind::Standard,
        Theme::Senior => ThemeKind::Senior,
    }
}

/// The text size as the markup knows it.
pub fn text_size_kind(size: TextSize) -> TextSizeKind {
    match size {
        TextSize::Normal => TextSizeKind::Normal,
        TextSize::Large => TextSizeKind::Large,
        TextSize::Larger => TextSizeKind::Larger,
        TextSize::Largest => TextSizeKind::Largest,
    }
}

/// The text size as the session knows it.
pub fn text_size_of(kind: TextSizeKind) -> TextSize {
    match kind {
        TextSizeKind::Normal => TextSize::Normal,
        TextSizeKind::Large => TextSize::Large,
        TextSizeKind::Larger => TextSize::Larger,
        TextSizeKind::Largest => TextSize::Largest,
    }
}

/// The notice as the markup knows it; its words stand there, in every language.
pub fn notice_kind(notice: Option<Notice>) -> NoticeKind {
    let Some(notice) = notice else { return NoticeKind::None };
    match notice {
        Notice::CardHoldStill => NoticeKind::CardHoldStill,
        Notice::CardNotReadable => NoticeKind::CardNotReadable,
        Notice::CardAlreadyThere => NoticeKind::CardAlreadyThere,
        Notice::CardExpired => NoticeKind::CardExpired,
        Notice::CardExpiredAccepted => NoticeKind::CardExpiredAccepted,
        Notice::CardUnknown => NoticeKind::CardUnknown,
        Notice::CardRefused => NoticeKind::CardRefused,
        Notice::SocialCardPulled => NoticeKind::SocialCardPulled,
        Notice::SocialCardNotRead => NoticeKind::SocialCardNotRead,
        Notice::SocialCardAlreadyThere => NoticeKind::SocialCardAlreadyThere,
        Notice::SocialCardExpired => NoticeKind::SocialCardExpired,
        Notice::SocialCardExpiredAccepted => NoticeKind::SocialCardExpiredAccepted,
        Notice::SocialCardUnknown => NoticeKind::SocialCardUnknown,
        Notice::SocialCardLocked => NoticeKind::SocialCardLocked,
        Notice::ReaderAway => NoticeKind::ReaderAway,
        Notice::IdNumberLength => NoticeKind::IdNumberLength,
        Notice::IdNumberCharacters => NoticeKind::IdNumberCharacters,
        Notice::IdNumberDate => NoticeKind::IdNumberDate,
        Notice::IdNumberCheck => NoticeKind::IdNumberCheck,
        Notice::AnswerNeeded => NoticeKind::AnswerNeeded,
        Notice::PhoneWrong => NoticeKind::PhoneWrong,
        Notice::DateWrong => NoticeKind::DateWrong,
        Notice::NumberWrong => NoticeKind::NumberWrong,
        Notice::MoneyWrong => NoticeKind::MoneyWrong,
        Notice::TextTooLong => NoticeKind::TextTooLong,
        Notice::ChooseAtLeastOne => NoticeKind::ChooseAtLeastOne,
        Notice::NotEligible => NoticeKind::NotEligible,
        Notice::ItemBroken => NoticeKind::ItemBroken,
        Notice::SubmissionsClosed => NoticeKind::SubmissionsClosed,
        Notice::PowerOut => NoticeKind::PowerOut,
        Notice::GoingOff => NoticeKind::GoingOff,
        Notice::SaveFailed => NoticeKind::SaveFailed,
        Notice::CaseNumberLength => NoticeKind::CaseNumberLength,
        Notice::CaseNumberCheck => NoticeKind::CaseNumberCheck,
        Notice::VerificationCodeLength => NoticeKind::VerificationCodeLength,
        Notice::CaseNotFound => NoticeKind::CaseNotFound,
        Notice::CityAway => NoticeKind::CityAway,
        Notice::CitySlow => NoticeKind::CitySlow,
        Notice::CityBusy => NoticeKind::CityBusy,
        Notice::NothingSupplied => NoticeKind::NothingSupplied,
        Notice::MaterialMissing => NoticeKind::MaterialMissing,
        Notice::MaterialHoldStill => NoticeKind::MaterialHoldStill,
        Notice::MaterialLayFlat => NoticeKind::MaterialLayFlat,
        Notice::MaterialInside => NoticeKind::MaterialInside,
        Notice::MaterialGlare => NoticeKind::MaterialGlare,
        Notice::CameraCovered => NoticeKind::CameraCovered,
        Notice::CameraAway => NoticeKind::CameraAway,
        Notice::PhotoFailed => NoticeKind::PhotoFailed,
        Notice::FaceHoldStill => NoticeKind::FaceHoldStill,
        Notice::FaceLight => NoticeKind::FaceLight,
        Notice::TypingLost => NoticeKind::TypingLost,
        Notice::TypingAway => NoticeKind::TypingAway,
        Notice::TypingUnfinished => NoticeKind::TypingUnfinished,
        Notice::ScanAgain => NoticeKind::ScanAgain,
        Notice::CodeUnusable => NoticeKind::CodeUnusable,
        Notice::Help => NoticeKind::Help,
        Notice::HelpCalled => NoticeKind::HelpCalled,
        Notice::HelpComing => NoticeKind::HelpComing,
        Notice::HelpAway => NoticeKind::HelpAway,
        Notice::HelpUnanswered => NoticeKind::HelpUnanswered,
    }
}

/// The part of a notice that only the moment knows: the card's last day, the item's own words.
pub fn notice_detail(session: &Session, catalog: &Catalog) -> String {
    match session.notice {
        Some(
            Notice::CardExpired
            | Notice::CardExpiredAccepted
            | Notice::SocialCardExpired
            | Notice::SocialCardExpiredAccepted,
        ) => {
            let Page::Identify(identify) = &session.page else { return String::new() };
            let last_day = identify.pending.as_ref().and_then(|applicant| applicant.valid_to);
            last_day.map(|day| lines::day(day, session.settings.language)).unwrap_or_default()
        }
        Some(Notice::NumberWrong | Notice::MoneyWrong) => {
            question::allowed(session, catalog).unwrap_or_default()
        }
        Some(Notice::NotEligible) => session
            .visit
            .as_ref()
            .and_then(|visit| catalog.item(&visit.item)?.eligibility.as_ref())
            .map(|eligibility| words(&eligibility.otherwise, session.settings.language).to_owned())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

/// How far the receipt came, with what the printer says now: paper that is back is not "no paper".
pub fn shown_print(status: PrintStatus, printer: PrinterCondition) -> ShownPrint {
    match (status, printer) {
        (PrintStatus::Printing, _) => ShownPrint::Printing,
        (PrintStatus::Printed { .. }, _) => ShownPrint::Printed,
        (_, PrinterCondition::NoPaper) => ShownPrint::NoPaper,
        (_, PrinterCondition::CoverOpen) => ShownPrint::CoverOpen,
        (_, PrinterCondition::Away) => ShownPrint::PrinterAway,
        (PrintStatus::NotPrinted, PrinterCondition::Ready) => ShownPrint::NotPrinted,
        (_, PrinterCondition::Ready) => ShownPrint::Failed,
    }
}

/// The items of the home screen.
pub fn tiles(catalog: &Catalog, session: &Session) -> Vec<ItemTile> {
    catalog.tiles().map(|item| tile(item, session)).collect()
}

/// The items of a life event.
pub fn tiles_of(catalog: &Catalog, session: &Session, life_event: &LifeEvent) -> Vec<ItemTile> {
    let tile = |item: &ServiceItem| ItemTile {
        done: life_event.done.iter().any(|done| done.0 == item.code),
        ..tile(item, session)
    };
    catalog.items_of(&life_event.item).map(tile).collect()
}

fn tile(item: &ServiceItem, session: &Session) -> ItemTile {
    let language = session.settings.language;
    ItemTile {
        code: item.code.as_str().into(),
        title: words(&item.title, language).into(),
        summary: words(&item.summary, language).into(),
        available: item.works_offline || session.surroundings.network,
        looks_up: item.shape == Shape::Fetch,
        done: false,
    }
}
