//! The voice, through Speech Dispatcher.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use device_drivers::descriptor_line::DescriptorLine;
use device_drivers::speaker::{Speaker, SpeakerError, SpeechDispatcher, Voice};

use crate::answer::{Failure, Outcome, fact};
use crate::tape::Tape;

/// The kind's name in recordings.
const KIND: &str = "speaker";

#[derive(clap::Args)]
pub struct SpeakerKind {
    #[command(flatten)]
    way: Way,
    #[command(flatten)]
    tape: Tape,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Args)]
struct Way {
    /// The server's Unix socket
    #[arg(long, value_name = "PATH", default_value = "/run/speech-dispatcher/speechd.sock")]
    socket: PathBuf,
}

#[derive(Subcommand)]
enum Verb {
    /// Whether the server answers
    Look,
    /// Say this text, in place of what is being said
    Say {
        /// The text
        text: String,
        /// In which tongue
        #[arg(long, value_enum, default_value_t = Tongue::Mandarin)]
        voice: Tongue,
    },
    /// Break off what is being said
    Hush,
}

#[derive(Clone, Copy, ValueEnum)]
enum Tongue {
    Mandarin,
    Cantonese,
    English,
}

impl From<Tongue> for Voice {
    fn from(tongue: Tongue) -> Voice {
        match tongue {
            Tongue::Mandarin => Voice::Mandarin,
            Tongue::Cantonese => Voice::Cantonese,
            Tongue::English => Voice::English,
        }
    }
}

impl From<SpeakerError> for Failure {
    fn from(error: SpeakerError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl SpeakerKind {
    pub fn run(self) -> Outcome {
        let line = DescriptorLine::unix(self.way.socket);
        let (transport, reel) = self.tape.thread(KIND, Some(Box::new(line)))?;
        let outcome = self.verb.ask(&mut SpeechDispatcher::over(transport));
        reel.finish(outcome)
    }
}

impl Verb {
    fn ask(&self, speaker: &mut SpeechDispatcher) -> Outcome {
        match self {
            Verb::Look => {
                speaker.look()?;
                fact("server", "here");
            }
            Verb::Say { text, voice } => {
                let voice = Voice::from(*voice);
                speaker.say(voice, text)?;
                fact("said", format!("{} characters in {}", text.chars().count(), voice.tag()));
            }
            Verb::Hush => {
                speaker.hush()?;
                fact("voice", "silent");
            }
        }
        Ok(())
    }
}
