//! 字号与对比: the panel that belongs to every page, and what is left of it at the end.

use super::*;
use crate::settings::{Contrast, TextSize};

#[test]
fn larger_words_and_contrast_are_chosen_on_any_page_and_the_page_stays() {
    let mut bench = Bench::new();
    bench.go_to_identify("appeal");
    bench.touch(Citizen::SettingsWanted);
    assert!(bench.session.settings_open);
    for size in TextSize::ALL.into_iter().rev() {
        bench.touch(Citizen::TextSizeChosen(size));
        assert_eq!(bench.session.settings.text_size, size);
    }
    bench.touch(Citizen::TextSizeChosen(TextSize::Largest)).touch(Citizen::ContrastChosen(Contrast::High));
    bench.touch(Citizen::SettingsDone);
    assert!(!bench.session.settings_open);
    assert!(matches!(bench.session.page, Page::Identify(_)));
    assert_eq!(bench.session.settings.text_size, TextSize::Largest);
    assert_eq!(bench.session.settings.contrast, Contrast::High);
}

#[test]
fn nothing_beneath_the_panel_can_be_touched_and_back_puts_it_away() {
    let mut bench = Bench::new();
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into()))).touch(Citizen::SettingsWanted);
    bench.touch(Citizen::Started);
    assert_eq!(bench.session.page, Page::Guide);
    bench.touch(Citizen::Back);
    assert!(!bench.session.settings_open);
    assert_eq!(bench.session.page, Page::Guide, "one step back was the panel");
    bench.touch(Citizen::TextSizeChosen(TextSize::Largest));
    assert_eq!(bench.session.settings.text_size, TextSize::Normal, "the buttons are gone with the panel");
}

#[test]
fn a_notice_waits_under_the_panel_and_help_comes_at_once() {
    let mut bench = Bench::new();
    let ticket = bench.go_to_identify("appeal");
    bench.touch(Citizen::SettingsWanted);
    let slipped = Remedy::AskCitizen(Notice::CardHoldStill);
    bench.send(Event::Device(Device::CardFailed(ticket, slipped)));
    bench.touch(Citizen::NoticeClosed);
    assert_eq!(bench.session.notice, Some(Notice::CardHoldStill), "it was not seen yet");
    bench.touch(Citizen::SettingsDone).touch(Citizen::SettingsWanted).touch(Citizen::HelpWanted);
    assert_eq!((bench.session.notice, bench.session.settings_open), (Some(Notice::Help), false));
}

#[test]
fn the_panel_and_its_settings_end_with_the_session() {
    let mut bench = Bench::new();
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into()))).touch(Citizen::SeniorToggled);
    bench.touch(Citizen::SettingsWanted);
    bench.touch(Citizen::TextSizeChosen(TextSize::Larger)).touch(Citizen::ContrastChosen(Contrast::High));
    bench.touch(Citizen::End);
    assert_eq!(bench.session.page, Page::Home(None));
    assert_eq!(bench.session.settings, Settings::default());
    assert!(!bench.session.settings_open);
}

#[test]
fn an_open_panel_on_an_empty_home_screen_is_put_away_by_the_idle_clock() {
    let mut bench = Bench::new();
    bench.touch(Citizen::SettingsWanted);
    for _ in 0..=Limits::default().countdown_standard_s {
        let ticket = bench.session.idle.ticket.expect("somebody may still be there");
        bench.send(Event::Timer(ticket));
    }
    assert!(!bench.session.settings_open);
    assert_eq!(bench.session.idle.ticket, None);
}

#[test]
fn a_double_tap_on_the_settings_does_not_put_them_away_again() {
    let mut bench = Bench::new();
    bench.touch(Citizen::SettingsWanted);
    bench.at_ms += 100;
    bench.send_at_once(Event::Citizen(Citizen::SettingsWanted));
    assert!(bench.session.settings_open);
}
