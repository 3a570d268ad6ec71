//! The voice's contract, on the real Speech Dispatcher and on the simulated one; then what only a simulated one would
//! ever say.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use device_drivers::speaker::simulator::{SimulatedSpeaker, SpeakerFault};
use device_drivers::speaker::{Manner, Speaker, SpeakerError, SpeechDispatcher, Voice};
use device_drivers::{Fault, Remedy};

use crate::speech_dispatcher::{LOOK, RealSpeaker, bytes_by_espeak};

/// Synthesis on a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// A pause that is none between two sentences: the sound goes into a file, which takes it as fast as it comes.
const SILENCE: Duration = Duration::from_secs(2);
const WORDS: &str = "请取走您的身份证。";

/// Something that can be heard.
trait Heard {
    fn socket(&self) -> PathBuf;
    /// Grows with everything that comes out.
    fn sound(&self) -> u64;
    fn set_running(&mut self, running: bool);
}

impl Heard for RealSpeaker {
    fn socket(&self) -> PathBuf {
        RealSpeaker::socket(self)
    }

    fn sound(&self) -> u64 {
        RealSpeaker::sound(self)
    }

    fn set_running(&mut self, running: bool) {
        if running { self.run() } else { self.stop() }
    }
}

struct Simulated {
    // Ended before its folder goes.
    speaker: SimulatedSpeaker,
    folder: tempfile::TempDir,
}

impl Simulated {
    fn start() -> Simulated {
        let folder = tempfile::tempdir().unwrap();
        let speaker = SimulatedSpeaker::start(&folder.path().join("socket")).unwrap();
        Simulated { speaker, folder }
    }
}

impl Heard for Simulated {
    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn sound(&self) -> u64 {
        self.speaker.said().len() as u64
    }

    fn set_running(&mut self, running: bool) {
        if running { self.speaker.plug().unwrap() } else { self.speaker.unplug() }
    }
}

fn is_heard(heard: &dyn Heard, before: u64) {
    let start = Instant::now();
    while heard.sound() <= before {
        assert!(start.elapsed() < SOON, "nothing is to be heard");
        std::thread::sleep(LOOK);
    }
}

/// Waits until nothing more comes out, and gives how much came.
fn until_silent(heard: &dyn Heard) -> u64 {
    let start = Instant::now();
    let (mut sound, mut since) = (heard.sound(), Instant::now());
    while since.elapsed() < SILENCE {
        assert!(start.elapsed() < SOON, "it does not end");
        std::thread::sleep(LOOK);
        let now = heard.sound();
        if now != sound {
            (sound, since) = (now, Instant::now());
        }
    }
    sound
}

/// The voice is heard, also after the server was restarted.
fn what_is_said_is_heard(heard: &mut dyn Heard, voice: Voice) {
    let mut speaker = SpeechDispatcher::new(heard.socket());
    assert_eq!(speaker.look(), Ok(()));
    let before = heard.sound();
    assert_eq!(speaker.say(voice, WORDS), Ok(()));
    is_heard(heard, before);
    assert_eq!(speaker.hush(), Ok(()));
    assert_eq!(speaker.hush(), Ok(()), "also when nothing is being said");
    heard.set_running(false);
    for _ in 0..2 {
        assert_eq!(speaker.say(voice, WORDS), Err(SpeakerError::Gone));
    }
    assert_eq!(SpeakerError::Gone.remedy(), Remedy::CallOperator(Fault::SpeakerGone));
    heard.set_running(true);
    assert_eq!(speaker.look(), Ok(()));
    // The old connection is dead, and nobody hears of it.
    heard.set_running(false);
    heard.set_running(true);
    let before = heard.sound();
    assert_eq!(speaker.say(voice, WORDS), Ok(()));
    is_heard(heard, before);
}

#[test]
fn the_real_server_is_heard_in_every_voice_and_comes_back() {
    for voice in Voice::ALL {
        let mut real = RealSpeaker::start();
        what_is_said_is_heard(&mut real, voice);
        assert!(!real.log().contains("身份证"), "what was said is in no log");
    }
}

#[test]
fn the_simulated_server_is_heard_and_comes_back() {
    what_is_said_is_heard(&mut Simulated::start(), Voice::Mandarin);
}

#[test]
fn a_text_arrives_as_it_was_in_its_language() {
    let simulated = Simulated::start();
    let mut speaker = SpeechDispatcher::new(simulated.socket());
    for (voice, text) in [
        (Voice::Mandarin, "莞城𬱖㛃，道滘"),
        (Voice::Cantonese, "第一行\n.第二行"),
        (Voice::English, ".\nQUIT"),
    ] {
        speaker.say(voice, text).unwrap();
        let last = simulated.speaker.said().pop().unwrap();
        assert_eq!((last.language.as_str(), last.text.as_str()), (voice.tag(), text));
    }
    assert_eq!(simulated.speaker.said().len(), 3);
}

#[test]
fn a_text_is_said_in_the_manner_last_told_on_a_new_connection_too() {
    let mut simulated = Simulated::start();
    let mut speaker = SpeechDispatcher::new(simulated.socket());
    let manner = |simulated: &Simulated| {
        let last = simulated.speaker.said().pop().unwrap();
        (last.rate, last.volume)
    };
    speaker.say(Voice::Mandarin, WORDS).unwrap();
    assert_eq!(manner(&simulated), (0, 100), "the server's own");
    speaker.set_manner(Manner { rate: -40, volume: 10 });
    speaker.say(Voice::Mandarin, WORDS).unwrap();
    assert_eq!(manner(&simulated), (-40, 10));
    simulated.set_running(false);
    assert_eq!(speaker.look(), Err(SpeakerError::Gone));
    simulated.set_running(true);
    speaker.say(Voice::Mandarin, WORDS).unwrap();
    assert_eq!(manner(&simulated), (-40, 10));
}

/// As long as espeak-ng itself takes in the voice that is meant. In its voice `cmn` the same characters are English words
/// with a number behind each, and twice as long.
#[test]
fn the_real_server_speaks_mandarin_cantonese_and_english() {
    for (voice, text) in [
        (Voice::Mandarin, "请取走您的身份证和凭条"),
        (Voice::Cantonese, "請取回你嘅身份證同收據"),
        (Voice::English, "Please take your ID card and your receipt"),
    ] {
        let real = RealSpeaker::start();
        let mut speaker = SpeechDispatcher::new(real.socket());
        speaker.say(voice, text).unwrap();
        is_heard(&real, 0);
        let said = until_silent(&real);
        let expected = bytes_by_espeak(voice.tag(), text);
        let difference = said.abs_diff(expected) * 100 / expected;
        println!("{voice:?}: {said} bytes of sound, {expected} by espeak-ng itself");
        assert!(difference < 25, "{voice:?}: {said} bytes of sound, not {expected}");
    }
}

#[test]
fn the_real_server_stops_when_told_and_speaks_faster_when_told() {
    let real = RealSpeaker::start();
    let mut speaker = SpeechDispatcher::new(real.socket());
    // Minutes of speech.
    let long = WORDS.repeat(250);
    let whole = bytes_by_espeak(Voice::Mandarin.tag(), &long);
    // The file shows nothing before a text has ended: given a little longer each time, it was begun and broken off.
    let broken_off = (1..).map(|times| {
        speaker.say(Voice::Mandarin, &long).unwrap();
        std::thread::sleep(LOOK * times);
        speaker.hush().unwrap();
        until_silent(&real)
    });
    let said = broken_off.take(20).find(|said| *said > 0).expect("it is heard before it is broken off");
    println!("{said} of {whole} bytes of sound came out before the end");
    assert!(said < whole / 2, "{said} of {whole} bytes of sound came out: nobody stopped");

    let lasts = |rate: i8| {
        let real = RealSpeaker::start();
        let mut speaker = SpeechDispatcher::new(real.socket());
        speaker.set_manner(Manner { rate, volume: 40 });
        speaker.say(Voice::Mandarin, &WORDS.repeat(3)).unwrap();
        is_heard(&real, 0);
        until_silent(&real)
    };
    let (slow, fast) = (lasts(-50), lasts(50));
    assert!(slow > fast * 3 / 2, "slow: {slow} bytes of sound, fast: {fast}");
}

#[test]
fn a_new_text_ends_the_old_one_and_hush_ends_all() {
    let simulated = Simulated::start();
    let mut speaker = SpeechDispatcher::new(simulated.socket());
    speaker.say(Voice::Mandarin, WORDS).unwrap();
    speaker.say(Voice::Mandarin, WORDS).unwrap();
    assert!(simulated.speaker.is_speaking());
    let broken_off = || simulated.speaker.said().iter().map(|text| text.broken_off).collect::<Vec<_>>();
    assert_eq!(broken_off(), [true, false]);
    speaker.hush().unwrap();
    assert!(!simulated.speaker.is_speaking());
    assert_eq!(broken_off(), [true, true]);
}

#[test]
fn a_server_that_misbehaves_gives_an_error_in_time_and_is_asked_again() {
    let simulated = Simulated::start();
    let mut speaker = SpeechDispatcher::new(simulated.socket());
    assert_eq!(speaker.look(), Ok(()));
    for (fault, error) in [
        (SpeakerFault::Close, SpeakerError::Gone),
        (SpeakerFault::CloseInside, SpeakerError::Gone),
        (SpeakerFault::Silence, SpeakerError::NoAnswer),
        (SpeakerFault::Garbage, SpeakerError::Garbled),
        (SpeakerFault::Refuse(300), SpeakerError::Refused(300)),
        (SpeakerFault::Refuse(500), SpeakerError::Refused(500)),
        (SpeakerFault::Refuse(208), SpeakerError::Garbled),
    ] {
        simulated.speaker.set_fault(Some(fault));
        let start = Instant::now();
        assert_eq!(speaker.say(Voice::Mandarin, WORDS), Err(error), "{fault:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "{fault:?} took {:?}", start.elapsed());
        simulated.speaker.set_fault(None);
        assert_eq!(speaker.look(), Ok(()), "after {fault:?}");
    }
    for harmless in [SpeakerFault::ByteByByte, SpeakerFault::Events] {
        simulated.speaker.set_fault(Some(harmless));
        assert_eq!(speaker.say(Voice::Mandarin, WORDS), Ok(()), "{harmless:?}");
    }
}

#[test]
fn nobody_at_the_socket_is_gone() {
    let mut speaker = SpeechDispatcher::new("/nowhere/at/all".into());
    assert_eq!(speaker.look(), Err(SpeakerError::Gone));
    assert_eq!(speaker.hush(), Err(SpeakerError::Gone));
}
