//! The voice's part of the border: the words of what is to be read out, and whose a touched text is.

use super::Screen;
use super::taps::says;
use crate::inbox::Inbox;
use crate::present;
use crate::present::spoken;
use crate::screen::elements::{self, Spot};
use crate::voice::screens::{Screens, sentence};
use kiosk_core::private::Private;
use kiosk_core::remedy::Notice;
use kiosk_core::session::{Citizen, Passage, Rules, Session, Whose};
use kiosk_core::settings::{Language, Level, Settings};
use kiosk_ui as ui;
use kiosk_ui::KioskWindow;
use slint::{ComponentHandle, Model, SharedString};

impl Screen {
    /// The words of a passage, as the screen shows it now: its language is chosen, its notice is up.
    pub fn words_of(
        &self,
        screens: &Screens,
        session: &Session,
        rules: &Rules,
        passage: Passage,
    ) -> Private<String> {
        match passage {
            Passage::Page(topic) => {
                let language = session.settings.language;
                let value = |wanted| spoken::value(session, rules, &self.catalog, wanted);
                Private::new(screens.spoken(topic, language, value))
            }
            Passage::Notice(notice) => Private::new(self.words_of_notice(session, notice)),
            Passage::Touched(text) => text,
        }
    }

    /// Title and advice as they stand on the screen, and an item's own reason. The last day of a card is the resident's
    /// own: it is not said.
    fn words_of_notice(&self, session: &Session, notice: Notice) -> String {
        let words = self.window.global::<ui::NoticeWords>();
        let kind = present::notice_kind(Some(notice));
        let reason = match notice {
            Notice::NotEligible => present::notice_detail(session, &self.catalog),
            _ => String::new(),
        };
        let language = session.settings.language;
        let said = [words.invoke_title(kind), reason.into(), words.invoke_advice(kind)];
        let said = said.iter().filter(|words| !words.is_empty()).map(|words| sentence(words, language));
        said.collect::<Vec<_>>().join(if language == Language::En { " " } else { "" })
    }

    pub(super) fn show_voice(&self, settings: Settings) {
        let voice = self.window.global::<ui::Voice>();
        voice.set_on(settings.speaks());
        voice.set_speed(i32::from(settings.manner.speed.steps()));
        voice.set_volume(i32::from(settings.manner.volume.steps()));
        voice.set_steps(i32::from(Level::MOST));
    }
}

/// Connects the voice's buttons, and touches that met no button.
pub(super) fn connect(window: &KioskWindow, inbox: &Inbox) {
    let voice = window.global::<ui::Voice>();
    voice.on_toggle_tapped(says(inbox, Citizen::VoiceToggled));
    voice.on_again_tapped(says(inbox, Citizen::VoiceRepeated));
    voice.on_stop_tapped(says(inbox, Citizen::VoiceStopped));
    let step = |by: i32| by.clamp(-1, 1) as i8;
    let to = inbox.clone();
    voice.on_speed_tapped(move |by| to.citizen(Citizen::SpeedStepped(step(by))));
    let to = inbox.clone();
    voice.on_volume_tapped(move |by| to.citizen(Citizen::VolumeStepped(step(by))));
    let (shown, to) = (window.as_weak(), inbox.clone());
    voice.on_spot_tapped(move |x, y| {
        let Some(window) = shown.upgrade() else { return };
        if !window.global::<ui::Voice>().get_on() {
            return;
        }
        if let Some((text, whose)) = touched(&window, x, y) {
            to.citizen(Citizen::TextTouched(text, whose));
        }
    });
}

/// The text at this place of the window, and whose it is.
fn touched(window: &KioskWindow, x: f32, y: f32) -> Option<(Private<String>, Whose)> {
    let notice = window.global::<ui::Shell>().get_notice();
    // What lies under a notice cannot be touched.
    let over = match notice {
        ui::NoticeKind::None => SharedString::default(),
        notice => window.global::<ui::NoticeWords>().invoke_title(notice),
    };
    let spot = elements::at(window.window(), (x, y), &over)?;
    let whose = whose(window, &spot);
    Some((Private::new(spot.text()), whose))
}

/// Whose this text of the window is. Values of fields, and every text that holds something of the resident, are hers; on
/// the pages of a case's progress and of what was fetched all are.
pub fn whose(window: &KioskWindow, spot: &Spot) -> Whose {
    let shown = residents(window);
    let text = spot.text();
    let holds_one = shown.iter().any(|private| text.contains(private.expose().as_str()));
    let screen = window.global::<ui::Shell>().get_screen();
    let all_are = matches!(screen, ui::ScreenKind::Progress | ui::ScreenKind::Fetched) && spot.is_plain;
    if spot.has_value() || holds_one || all_are { Whose::Residents } else { Whose::Everybodys }
}

/// Every text of a resident that the page shows, as it shows it.
fn residents(window: &KioskWindow) -> Vec<Private<String>> {
    let values = |lines: slint::ModelRc<ui::Line>| lines.iter().map(|line| line.value).collect::<Vec<_>>();
    let receipt = window.global::<ui::ReceiptScreen>();
    let texts = match window.global::<ui::Shell>().get_screen() {
        ui::ScreenKind::Home => vec![window.global::<ui::HomeScreen>().get_saved_case_number()],
        ui::ScreenKind::Identify => vec![window.global::<ui::IdentifyScreen>().get_typed()],
        ui::ScreenKind::ConfirmPerson => values(window.global::<ui::ConfirmPersonScreen>().get_lines()),
        ui::ScreenKind::Question => {
            let question = window.global::<ui::QuestionScreen>();
            // Where the rest of an address is written, the hint says which town and village were touched.
            let hint = if question.get_stage() > 0 { question.get_hint() } else { SharedString::default() };
            vec![question.get_text(), hint, window.global::<ui::TypingScreen>().get_typed()]
        }
        ui::ScreenKind::Review => {
            let review = window.global::<ui::ReviewScreen>();
            [values(review.get_person()), values(review.get_answers()), vec![review.get_about()]].concat()
        }
        ui::ScreenKind::Receipt | ui::ScreenKind::Rating => {
            vec![receipt.get_case_number(), receipt.get_verification(), receipt.get_about()]
        }
        ui::ScreenKind::Enquiry => vec![window.global::<ui::EnquiryScreen>().get_typed()],
        ui::ScreenKind::FollowUp => vec![window.global::<ui::FollowUpScreen>().get_case_number()],
        ui::ScreenKind::Guide
        | ui::ScreenKind::LifeEvent
        | ui::ScreenKind::Consent
        | ui::ScreenKind::Outcome
        | ui::ScreenKind::Fetched
        | ui::ScreenKind::Unfetched
        | ui::ScreenKind::Widgets
        | ui::ScreenKind::Saving
        | ui::ScreenKind::Asking
        | ui::ScreenKind::Progress
        | ui::ScreenKind::Leaving => Vec::new(),
    };
    // An empty text is in every other.
    texts.iter().filter(|text| !text.is_empty()).map(|text| Private::from(text.as_str())).collect()
}
