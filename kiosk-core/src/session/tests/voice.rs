//! What is read out when, and what never is.

use super::*;
use crate::settings::{Level, Manner};

fn read(bench: &Bench) -> Vec<Passage> {
    let passages = bench.effects.iter().filter_map(|effect| match effect {
        Effect::ReadAloud(passage, _) => Some(passage.clone()),
        _ => None,
    });
    passages.collect()
}

fn topics(bench: &Bench) -> Vec<Topic> {
    let passages = read(bench).into_iter().filter_map(|passage| match passage {
        Passage::Page(topic) => Some(topic),
        Passage::Notice(_) | Passage::Touched(_) => None,
    });
    passages.collect()
}

fn is_hushed(bench: &Bench) -> bool {
    bench.effects.contains(&Effect::Hush)
}

/// A bench that speaks.
fn speaking() -> Bench {
    let mut bench = Bench::new();
    bench.touch(Citizen::VoiceToggled);
    assert_eq!(topics(&bench), [Topic::Home]);
    bench
}

#[test]
fn the_senior_theme_speaks_and_the_standard_one_when_asked() {
    let mut bench = Bench::new();
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into())));
    assert!(read(&bench).is_empty());
    bench.touch(Citizen::SeniorToggled);
    assert_eq!(topics(&bench), [Topic::Guide]);
    bench.touch(Citizen::SeniorToggled);
    assert!(read(&bench).is_empty() && is_hushed(&bench));
    bench.touch(Citizen::VoiceToggled);
    assert_eq!(topics(&bench), [Topic::Guide]);
    bench.touch(Citizen::SeniorToggled);
    assert!(read(&bench).is_empty(), "it has just been read");
    bench.touch(Citizen::VoiceToggled);
    assert!(is_hushed(&bench), "the resident's own choice counts in every theme");
}

#[test]
fn each_page_is_read_once_when_it_comes_up() {
    let mut bench = speaking();
    let mut heard = Vec::new();
    let mut go = |bench: &mut Bench, touch: Citizen| {
        bench.touch(touch);
        heard.extend(topics(bench));
        // Whatever happens beside the page is no reason to read it again.
        bench.send(Event::Device(Device::NetworkChanged(true)));
        assert!(read(bench).is_empty());
    };
    go(&mut bench, Citizen::ItemChosen(ItemCode("appeal".into())));
    go(&mut bench, Citizen::Started);
    bench.touch(Citizen::Agreed);
    assert_eq!(topics(&bench), [Topic::Identify]);
    let ticket = bench.ticket_of_reading();
    bench.send(Event::Device(Device::CardFound(ticket)));
    assert_eq!(topics(&bench), [Topic::IdentifyReading]);
    bench.send(Event::Device(Device::CardRead(ticket, Box::new(card("1971-01-01", None)))));
    assert_eq!(topics(&bench), [Topic::ConfirmPerson]);
    for touch in [
        Citizen::PersonConfirmed,
        Citizen::OptionChosen("noise".into()),
        Citizen::Answered,
        Citizen::Skipped,
        Citizen::OptionChosen("b".into()),
        Citizen::Answered,
        Citizen::TextTyped("13800000000".into()),
        Citizen::Answered,
        Citizen::Confirmed,
    ] {
        go(&mut bench, touch);
    }
    let expected = [
        Topic::Guide,
        Topic::Consent,
        Topic::QuestionChoice,
        Topic::QuestionDate,
        Topic::QuestionChoices,
        Topic::QuestionDigits,
        Topic::Review,
        Topic::Saving,
    ];
    assert_eq!(heard, expected);
}

#[test]
fn notices_are_read_and_then_the_page_again() {
    let mut bench = speaking();
    bench.touch(Citizen::HelpWanted);
    assert_eq!(read(&bench), [Passage::Notice(Notice::Help)]);
    bench.touch(Citizen::NoticeClosed);
    assert_eq!(topics(&bench), [Topic::Home]);
    bench.go_to_identify("appeal");
    bench.touch(Citizen::TypingChosen).touch(Citizen::NumberSubmitted);
    assert_eq!(read(&bench), [Passage::Notice(Notice::IdNumberLength)]);
}

#[test]
fn the_idle_warning_is_read_once_and_ends_in_silence() {
    let mut bench = speaking();
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into())));
    for second in 0..3 {
        let idle = bench.session.idle.ticket.unwrap();
        bench.send(Event::Timer(idle));
        let expected: &[Topic] = if second == 0 { &[Topic::IdleWarning] } else { &[] };
        assert_eq!(topics(&bench), expected);
    }
    bench.touch(Citizen::Touched);
    assert!(read(&bench).is_empty() && is_hushed(&bench));
}

#[test]
fn again_and_stop() {
    let mut bench = speaking();
    bench.touch(Citizen::VoiceStopped);
    assert!(is_hushed(&bench) && read(&bench).is_empty());
    bench.touch(Citizen::VoiceRepeated);
    assert_eq!(topics(&bench), [Topic::Home]);
    // Also over a notice, and that is what is repeated.
    bench.touch(Citizen::HelpWanted).touch(Citizen::VoiceRepeated);
    assert_eq!(read(&bench), [Passage::Notice(Notice::Help)]);
    bench.touch(Citizen::NoticeClosed).touch(Citizen::VoiceToggled).touch(Citizen::VoiceRepeated);
    assert!(read(&bench).is_empty(), "who turned it off is left in peace");
}

#[test]
fn speed_and_loudness_are_heard_at_once_and_are_usual_again_for_the_next() {
    let mut bench = speaking();
    bench.touch(Citizen::SettingsWanted);
    assert_eq!(topics(&bench), [Topic::SettingsPanel]);
    for _ in 0..5 {
        bench.touch(Citizen::SpeedStepped(1));
    }
    bench.touch(Citizen::VolumeStepped(-1));
    let manner = Manner { speed: Level::default().stepped(2), volume: Level::default().stepped(-1) };
    assert_eq!(bench.session.settings.manner, manner);
    assert!(bench.effects.contains(&Effect::SpeakLike(manner)));
    assert_eq!(topics(&bench), [Topic::SettingsPanel], "the change can be heard");
    bench.touch(Citizen::SettingsDone);
    assert_eq!(topics(&bench), [Topic::Home], "what lies under the panel comes up again");
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into()))).touch(Citizen::End);
    assert_eq!(bench.session.page, Page::Home(None));
    assert_eq!(bench.session.settings, Settings::default());
    assert!(bench.effects.contains(&Effect::SpeakLike(Manner::default())));
    assert!(read(&bench).is_empty());
}

#[test]
fn a_prompt_is_not_talked_over_and_is_repeated_when_asked() {
    let mut bench = speaking();
    let ticket = bench.go_to_identify("appeal");
    bench.lay(ticket, card("1971-01-01", None));
    bench.touch(Citizen::End);
    let last = bench.effects.iter().rev().find(|effect| {
        matches!(effect, Effect::Say(..) | Effect::ReadAloud(..) | Effect::Hush | Effect::WipeSession)
    });
    assert_eq!(last, Some(&Effect::Say(Prompt::TakeCard, Language::ZhHans)));
    bench.touch(Citizen::VoiceRepeated);
    assert!(bench.effects.contains(&Effect::Say(Prompt::TakeCard, Language::ZhHans)));
}

#[test]
fn another_language_reads_the_page_anew() {
    let mut bench = speaking();
    bench.touch(Citizen::LanguageChosen(Language::En));
    assert!(bench.effects.contains(&Effect::ReadAloud(Passage::Page(Topic::Home), Language::En)));
}

#[test]
fn a_touched_text_is_read_and_a_residents_own_only_into_headphones() {
    let mut bench = speaking();
    let touched = |whose| Citizen::TextTouched("样本".into(), whose);
    let passage = Passage::Touched("样本".into());
    bench.touch(touched(Whose::Everybodys));
    assert_eq!(read(&bench), std::slice::from_ref(&passage));
    bench.touch(touched(Whose::Residents));
    assert_eq!(topics(&bench), [Topic::PrivateKept]);
    bench.send(Event::Device(Device::HeadphonesPlugged(false)));
    bench.touch(touched(Whose::Residents));
    assert_eq!(topics(&bench), [Topic::PrivateNeedsHeadphones]);
    bench.send(Event::Device(Device::HeadphonesPlugged(true)));
    bench.touch(touched(Whose::Residents));
    assert_eq!(read(&bench), std::slice::from_ref(&passage));
    bench.send(Event::Device(Device::HeadphonesPlugged(false)));
    assert!(is_hushed(&bench), "the hall must not hear the rest");
    bench.touch(Citizen::VoiceToggled).touch(touched(Whose::Everybodys));
    assert!(read(&bench).is_empty());
}

#[test]
fn what_is_read_is_in_no_debug_text() {
    let mut bench = speaking();
    bench.send(Event::Device(Device::HeadphonesPlugged(true)));
    bench.touch(Citizen::TextTouched("样本".into(), Whose::Residents));
    assert!(!format!("{:?} {:?}", bench.effects, bench.session).contains("样本"));
}
