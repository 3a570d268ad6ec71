//! The voice's contract on recordings ([`crate::tape`]).

use device_drivers::descriptor_line::DescriptorLine;
use device_drivers::recording::ReplayError;
use device_drivers::speaker::simulator::{SimulatedSpeaker, SpeakerFault};
use device_drivers::speaker::{Speaker, SpeakerError, SpeechDispatcher, Voice};

use crate::tape::{Keep, Scenario, Tape};

const WORDS: &str = "请取走您的身份证。";

type Hands = crate::tape::Hands<SimulatedSpeaker>;

fn tape() -> Tape<SpeechDispatcher, SimulatedSpeaker, ()> {
    let scenario = |name, play| Scenario { name, setting: (), play };
    Tape {
        device: "speaker",
        scenarios: vec![
            scenario("said", said),
            scenario("refused", refused),
            scenario("restarted", restarted),
            scenario("unplugged", unplugged),
            scenario("silent", silent),
            scenario("damaged", damaged),
        ],
        driver: Box::new(|transport, ()| SpeechDispatcher::over(transport)),
    }
}

fn said(speaker: &mut SpeechDispatcher, hands: &Hands) {
    assert_eq!(speaker.look(), Ok(()));
    for (voice, text) in [
        (Voice::Mandarin, "莞城𬱖㛃，道滘"),
        (Voice::Cantonese, "第一行\n.第二行"),
        (Voice::English, ".\nQUIT"),
    ] {
        assert_eq!(speaker.say(voice, text), Ok(()));
        hands.at(|server| {
            let last = server.said().pop().unwrap();
            assert_eq!((last.language.as_str(), last.text.as_str()), (voice.tag(), text));
        });
    }
    assert_eq!(speaker.hush(), Ok(()));
    hands.at(|server| assert!(!server.is_speaking()));
    assert_eq!(speaker.hush(), Ok(()), "also when nothing is being said");
}

/// A plain no leaves the connection as it was.
fn refused(speaker: &mut SpeechDispatcher, hands: &Hands) {
    assert_eq!(speaker.look(), Ok(()));
    for code in [300, 404, 500] {
        hands.at(|server| server.set_fault(Some(SpeakerFault::Refuse(code))));
        assert_eq!(speaker.say(Voice::Mandarin, WORDS), Err(SpeakerError::Refused(code)));
        hands.at(|server| server.set_fault(None));
        assert_eq!(speaker.say(Voice::Mandarin, WORDS), Ok(()));
    }
}

fn restarted(speaker: &mut SpeechDispatcher, hands: &Hands) {
    assert_eq!(speaker.look(), Ok(()));
    hands.at(|server| {
        server.unplug();
        server.plug().unwrap();
    });
    assert_eq!(speaker.say(Voice::Mandarin, WORDS), Ok(()), "without a word");
}

fn unplugged(speaker: &mut SpeechDispatcher, hands: &Hands) {
    assert_eq!(speaker.look(), Ok(()));
    hands.at(SimulatedSpeaker::unplug);
    assert_eq!(speaker.say(Voice::Mandarin, WORDS), Err(SpeakerError::Gone));
    assert_eq!(speaker.hush(), Err(SpeakerError::Gone));
    hands.at(|server| server.plug().unwrap());
    assert_eq!(speaker.say(Voice::Mandarin, WORDS), Ok(()));
}

fn silent(speaker: &mut SpeechDispatcher, hands: &Hands) {
    assert_eq!(speaker.look(), Ok(()));
    hands.at(|server| server.set_fault(Some(SpeakerFault::Silence)));
    assert_eq!(speaker.say(Voice::Mandarin, WORDS), Err(SpeakerError::NoAnswer));
    hands.at(|server| server.set_fault(None));
    assert_eq!(speaker.say(Voice::Mandarin, WORDS), Ok(()), "on a fresh connection");
}

fn damaged(speaker: &mut SpeechDispatcher, hands: &Hands) {
    for (fault, outcome) in [
        (SpeakerFault::Garbage, Err(SpeakerError::Garbled)),
        (SpeakerFault::Close, Err(SpeakerError::Gone)),
        (SpeakerFault::CloseInside, Err(SpeakerError::Gone)),
        // Good, and not what was asked for.
        (SpeakerFault::Refuse(208), Err(SpeakerError::Garbled)),
        // No fault: told before the answer.
        (SpeakerFault::Events, Ok(())),
    ] {
        hands.at(|server| server.set_fault(Some(fault)));
        assert_eq!(speaker.say(Voice::Mandarin, WORDS), outcome, "{fault:?}");
        hands.at(|server| server.set_fault(None));
        assert_eq!(speaker.look(), Ok(()), "after {fault:?}");
    }
}

#[test]
fn what_was_recorded_is_played_back() {
    tape().is_recorded_and_played_back(Keep::WhenAsked, |socket, ()| {
        (SimulatedSpeaker::start(socket).unwrap(), Box::new(DescriptorLine::unix(socket)))
    });
}

#[test]
fn the_kept_recordings_hold_with_todays_driver() {
    tape().kept_recordings_hold();
}

#[test]
fn a_driver_that_does_something_else_is_noticed() {
    let diverged = tape().noticed("said", |speaker| {
        assert_eq!(speaker.hush(), Err(SpeakerError::Gone), "it looked then");
    });
    assert!(matches!(diverged, ReplayError::Diverged(_)));
}
