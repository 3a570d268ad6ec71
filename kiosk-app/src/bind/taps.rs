//! Taps in the markup, as events.

use crate::inbox::{Inbox, Message};
use crate::present;
use kiosk_core::service::{FollowUp, ItemCode, QuestionId};
use kiosk_core::session::Citizen;
use kiosk_core::settings::Contrast;
use kiosk_ui as ui;
use kiosk_ui::KioskWindow;
use slint::{ComponentHandle, SharedString};

/// Connects every callback of every screen.
pub(super) fn connect(window: &KioskWindow, inbox: &Inbox, terminal: &str) {
    shell(window, inbox);
    before_the_form(window, inbox);
    form(window, inbox);
    after_the_form(window, inbox);
    progress(window, inbox, terminal);
}

/// A callback that means one thing.
pub(super) fn says(inbox: &Inbox, touch: Citizen) -> impl Fn() + use<> {
    let inbox = inbox.clone();
    move || inbox.citizen(touch.clone())
}

/// A key of a pad: its one character.
fn types(inbox: &Inbox) -> impl Fn(SharedString) + use<> {
    let inbox = inbox.clone();
    move |key| {
        if let Some(character) = key.chars().next() {
            inbox.citizen(Citizen::KeyTyped(character));
        }
    }
}

fn shell(window: &KioskWindow, inbox: &Inbox) {
    let shell = window.global::<ui::Shell>();
    shell.on_senior_tapped(says(inbox, Citizen::SeniorToggled));
    shell.on_back_tapped(says(inbox, Citizen::Back));
    shell.on_end_tapped(says(inbox, Citizen::End));
    shell.on_help_tapped(says(inbox, Citizen::HelpWanted));
    shell.on_help_end_tapped(says(inbox, Citizen::HelpNotNeeded));
    shell.on_notice_close_tapped(says(inbox, Citizen::NoticeClosed));
    shell.on_notice_continue_tapped(says(inbox, Citizen::NoticeContinued));
    shell.on_stay_tapped(says(inbox, Citizen::Touched));
    shell.on_touched(says(inbox, Citizen::Touched));
    shell.on_settings_tapped(says(inbox, Citizen::SettingsWanted));
    shell.on_settings_done_tapped(says(inbox, Citizen::SettingsDone));
    let to = inbox.clone();
    shell.on_text_size_tapped(move |kind| to.citizen(Citizen::TextSizeChosen(present::text_size_of(kind))));
    let to = inbox.clone();
    shell.on_contrast_tapped(move |high| to.citizen(Citizen::ContrastChosen(contrast(high))));
    let to = inbox.clone();
    shell.on_language_tapped(move |kind| to.citizen(Citizen::LanguageChosen(present::language_of(kind))));
    let to = inbox.clone();
    shell.on_key_pressed(move |text| to.put(Message::KeyboardTyped(text.into())));
}

fn contrast(high: bool) -> Contrast {
    if high { Contrast::High } else { Contrast::Normal }
}

fn before_the_form(window: &KioskWindow, inbox: &Inbox) {
    let home = window.global::<ui::HomeScreen>();
    let to = inbox.clone();
    home.on_item_tapped(move |code| to.citizen(Citizen::ItemChosen(ItemCode(code.into()))));
    home.on_progress_tapped(says(inbox, Citizen::ProgressWanted));
    home.on_saved_case_tapped(says(inbox, Citizen::SavedCaseOpened));
    home.on_saved_case_dismiss_tapped(says(inbox, Citizen::SavedCaseDismissed));

    let life_event = window.global::<ui::LifeEventScreen>();
    let to = inbox.clone();
    life_event.on_item_tapped(move |code| to.citizen(Citizen::ItemChosen(ItemCode(code.into()))));
    life_event.on_done_tapped(says(inbox, Citizen::LifeEventDone));

    let guide = window.global::<ui::GuideScreen>();
    guide.on_start_tapped(says(inbox, Citizen::Started));
    guide.on_print_tapped(says(inbox, Citizen::GuidePrintWanted));

    let consent = window.global::<ui::ConsentScreen>();
    consent.on_agree_tapped(says(inbox, Citizen::Agreed));
    consent.on_decline_tapped(says(inbox, Citizen::Declined));

    let identify = window.global::<ui::IdentifyScreen>();
    identify.on_type_instead_tapped(says(inbox, Citizen::TypingChosen));
    identify.on_use_card_tapped(says(inbox, Citizen::CardChosen));
    identify.on_key_tapped(types(inbox));
    identify.on_erase_tapped(says(inbox, Citizen::Erased));
    identify.on_submit_tapped(says(inbox, Citizen::NumberSubmitted));

    let person = window.global::<ui::ConfirmPersonScreen>();
    person.on_confirm_tapped(says(inbox, Citizen::PersonConfirmed));
    person.on_not_me_tapped(says(inbox, Citizen::PersonDenied));
}

fn form(window: &KioskWindow, inbox: &Inbox) {
    let question = window.global::<ui::QuestionScreen>();
    let to = inbox.clone();
    question.on_option_tapped(move |value| to.citizen(Citizen::OptionChosen(value.into())));
    question.on_key_tapped(types(inbox));
    question.on_erase_tapped(says(inbox, Citizen::Erased));
    question.on_clear_tapped(says(inbox, Citizen::Cleared));
    let to = inbox.clone();
    question.on_phrase_tapped(move |at| {
        if let Ok(at) = usize::try_from(at) {
            to.put(Message::PhraseTapped(at));
        }
    });
    let to = inbox.clone();
    question.on_date_step_tapped(move |years, months, days| {
        to.citizen(Citizen::DateStepped(years, months, days));
    });
    question.on_skip_tapped(says(inbox, Citizen::Skipped));
    question.on_next_tapped(says(inbox, Citizen::Answered));

    let photo = window.global::<ui::PhotoScreen>();
    photo.on_take_tapped(says(inbox, Citizen::PhotoWanted));
    photo.on_keep_tapped(says(inbox, Citizen::PhotoKept));
    photo.on_again_tapped(says(inbox, Citizen::PhotoRetaken));
    let to = inbox.clone();
    photo.on_remove_tapped(move |at| {
        if let Ok(at) = usize::try_from(at) {
            to.citizen(Citizen::PhotoRemoved(at));
        }
    });

    let review = window.global::<ui::ReviewScreen>();
    let to = inbox.clone();
    review.on_change_tapped(move |field| to.citizen(Citizen::ChangeWanted(QuestionId(field.into()))));
    review.on_confirm_tapped(says(inbox, Citizen::Confirmed));

    let outcome = window.global::<ui::OutcomeScreen>();
    outcome.on_take_number_tapped(says(inbox, Citizen::QueueTicketWanted));
    outcome.on_print_tapped(says(inbox, Citizen::PrintWanted));
    outcome.on_another_tapped(says(inbox, Citizen::AnotherItemWanted));
    outcome.on_done_tapped(says(inbox, Citizen::OutcomeRead));
}

fn after_the_form(window: &KioskWindow, inbox: &Inbox) {
    let fetched = window.global::<ui::FetchedScreen>();
    fetched.on_print_tapped(says(inbox, Citizen::PrintWanted));
    fetched.on_another_tapped(says(inbox, Citizen::AnotherItemWanted));
    fetched.on_done_tapped(says(inbox, Citizen::FetchedRead));

    let unfetched = window.global::<ui::UnfetchedScreen>();
    unfetched.on_again_tapped(says(inbox, Citizen::AskedAgain));
    unfetched.on_leave_tapped(says(inbox, Citizen::LeftAsCase));
    unfetched.on_another_tapped(says(inbox, Citizen::AnotherItemWanted));
    unfetched.on_done_tapped(says(inbox, Citizen::FetchedRead));

    let receipt = window.global::<ui::ReceiptScreen>();
    receipt.on_print_tapped(says(inbox, Citizen::PrintWanted));
    receipt.on_next_tapped(says(inbox, Citizen::ReceiptDone));

    let rating = window.global::<ui::RatingScreen>();
    let to = inbox.clone();
    rating.on_rate_tapped(move |stars| {
        if let Ok(stars) = u8::try_from(stars) {
            to.citizen(Citizen::Rated(stars));
        }
    });
    rating.on_another_tapped(says(inbox, Citizen::AnotherItemWanted));
    rating.on_skip_tapped(says(inbox, Citizen::RatingSkipped));

    window.global::<ui::LeavingScreen>().on_done_tapped(says(inbox, Citizen::FarewellDone));
}

fn progress(window: &KioskWindow, inbox: &Inbox, terminal: &str) {
    let enquiry = window.global::<ui::EnquiryScreen>();
    enquiry.on_key_tapped(types(inbox));
    enquiry.on_terminal_tapped(says(inbox, Citizen::TextTyped(terminal.into())));
    enquiry.on_erase_tapped(says(inbox, Citizen::Erased));
    enquiry.on_clear_tapped(says(inbox, Citizen::Cleared));
    enquiry.on_submit_tapped(says(inbox, Citizen::EnquirySubmitted));

    let progress = window.global::<ui::ProgressScreen>();
    progress.on_done_tapped(says(inbox, Citizen::ProgressRead));
    progress.on_another_tapped(says(inbox, Citizen::ProgressWanted));
    progress.on_supplement_tapped(says(inbox, Citizen::FollowUpWanted(FollowUp::Supplement)));
    progress.on_withdraw_tapped(says(inbox, Citizen::FollowUpWanted(FollowUp::Withdrawal)));

    let follow_up = window.global::<ui::FollowUpScreen>();
    follow_up.on_supplement_tapped(says(inbox, Citizen::FollowUpWanted(FollowUp::Supplement)));
    follow_up.on_withdraw_tapped(says(inbox, Citizen::FollowUpWanted(FollowUp::Withdrawal)));
}
