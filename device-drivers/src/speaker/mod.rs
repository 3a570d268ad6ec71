//! The voice: text in, speech out of the loudspeaker or the headphones, through Speech Dispatcher.
//!
//! [`protocol`] is pure text lines (SSIP, the Speech Synthesis Interface Protocol), [`driver`] speaks it over the
//! server's Unix socket, [`simulator`] is such a server that keeps what it was told to say. Absent: synthesis and sound
//! (the server's modules do that), what is said when (the session decides), and any record of what was said: it may be
//! a resident's own.

pub mod driver;
pub mod protocol;
pub mod simulator;

pub use driver::SpeechDispatcher;

use crate::remedy::{Fault, Remedy};

/// Something that can say a text.
pub trait Speaker: Send {
    /// Begins to say this and returns at once. What was being said is broken off (EN 301 549, 5.1.3.5: new speech ends
    /// old). Blocks at most as long as the driver's deadlines.
    fn say(&mut self, voice: Voice, text: &str) -> Result<(), SpeakerError>;
    /// How everything is said from the next text on.
    fn set_manner(&mut self, manner: Manner);
    /// Breaks off what is being said; nothing when nothing is.
    fn hush(&mut self) -> Result<(), SpeakerError>;
    /// Whether somebody is there to speak.
    fn look(&mut self) -> Result<(), SpeakerError>;
}

/// How a text is said, as SSIP measures it: each from -100 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Manner {
    /// 0 is the server's usual speed.
    pub rate: i8,
    /// 100 is as loud as the server can.
    pub volume: i8,
}

/// In which tongue a text is read out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Voice {
    /// 普通话.
    Mandarin,
    /// 粤语.
    Cantonese,
    /// English.
    English,
}

impl Voice {
    /// Every voice.
    pub const ALL: [Voice; 3] = [Voice::Mandarin, Voice::Cantonese, Voice::English];

    /// Its language as a BCP 47 tag, which is also what espeak-ng calls it.
    ///
    /// Not `cmn`: espeak-ng looks every character up as pinyin, and of release 1.51 on that voice reads pinyin as English
    /// words with a number behind (espeak-ng issues 1028 and 1370). In the voice that takes Latin letters for pinyin,
    /// characters are Mandarin.
    pub fn tag(self) -> &'static str {
        match self {
            Voice::Mandarin => "cmn-latn-pinyin",
            Voice::Cantonese => "yue",
            Voice::English => "en",
        }
    }
}

/// Why nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpeakerError {
    /// The server cannot be reached. The next call tries again.
    #[error("the server that speaks cannot be reached")]
    Gone,
    /// The server does not answer.
    #[error("the server that speaks did not answer")]
    NoAnswer,
    /// The server says no, with this code.
    #[error("the server that speaks refuses, code {0}")]
    Refused(u16),
    /// The server says what makes no sense here.
    #[error("the server that speaks answers what was not asked")]
    Garbled,
}

impl SpeakerError {
    /// What can be done about it. The screen says everything that the voice says, so the resident goes on without.
    pub fn remedy(&self) -> Remedy {
        Remedy::CallOperator(match self {
            SpeakerError::Gone => Fault::SpeakerGone,
            SpeakerError::NoAnswer => Fault::SpeakerSilent,
            SpeakerError::Refused(_) | SpeakerError::Garbled => Fault::SpeakerFault,
        })
    }
}
