//! Speech Dispatcher: one connection over its Unix socket ([`crate::text_server`]), commands one at a time.

use std::path::PathBuf;

use super::protocol::{NoReply, Reply, ReplyDecoder, message};
use super::{Manner, Speaker, SpeakerError, Voice};
use crate::descriptor_line::DescriptorLine;
use crate::text_server::{Answers, Leaves, TalkError, TextServer, Unanswered};
use crate::transport::Transport;

/// The answer to `SPEAK`: now the text.
const RECEIVING: u16 = 230;

type Server = TextServer<ReplyDecoder>;

/// The server's voice.
pub struct SpeechDispatcher {
    server: Server,
    /// The server's own until it was told.
    manner: Option<Manner>,
}

impl SpeechDispatcher {
    /// The server behind this socket; it is reached with the first call.
    pub fn new(socket: PathBuf) -> SpeechDispatcher {
        SpeechDispatcher::over(DescriptorLine::unix(socket))
    }

    /// The server behind this transport, which is opened at its first use.
    pub fn over(transport: impl Transport + 'static) -> SpeechDispatcher {
        SpeechDispatcher { server: TextServer::over(transport, "QUIT\r\n"), manner: None }
    }

    fn order(&mut self, order: impl Fn(&mut Server) -> Result<(), SpeakerError>) -> Result<(), SpeakerError> {
        self.server.talk(|server| command(server, "SET self CLIENT_NAME kiosk:kiosk:voice"), order)
    }
}

impl Speaker for SpeechDispatcher {
    fn say(&mut self, voice: Voice, text: &str) -> Result<(), SpeakerError> {
        let manner = self.manner;
        self.order(|server| {
            command(server, "CANCEL self")?;
            command(server, &format!("SET self LANGUAGE {}", voice.tag()))?;
            // With each text: the connection may be a new one, which knows nothing.
            if let Some(Manner { rate, volume }) = manner {
                command(server, &format!("SET self RATE {rate}"))?;
                command(server, &format!("SET self VOLUME {volume}"))?;
            }
            speak(server, text)
        })
    }

    fn set_manner(&mut self, manner: Manner) {
        self.manner = Some(manner);
    }

    fn hush(&mut self) -> Result<(), SpeakerError> {
        self.order(|server| command(server, "CANCEL self"))
    }

    fn look(&mut self) -> Result<(), SpeakerError> {
        self.order(|server| command(server, "HISTORY GET CLIENT_ID"))
    }
}

fn command(server: &mut Server, line: &str) -> Result<(), SpeakerError> {
    exchange(server, &format!("{line}\r\n")).map(drop)
}

fn speak(server: &mut Server, text: &str) -> Result<(), SpeakerError> {
    if exchange(server, "SPEAK\r\n")?.code != RECEIVING {
        return Err(SpeakerError::Garbled);
    }
    exchange(server, &message(text)).map(drop)
}

/// Sends a command, or a text, and waits for what the server says to it. The server queues a text; it does not say it
/// first.
fn exchange(server: &mut Server, words: &str) -> Result<Reply, SpeakerError> {
    let deadline = server.ask(words)?;
    loop {
        let reply = server.answer(deadline)?.map_err(|NoReply| SpeakerError::Garbled)?;
        if reply.is_event() {
            continue;
        }
        return if reply.is_good() { Ok(reply) } else { Err(SpeakerError::Refused(reply.code)) };
    }
}

impl Answers for ReplyDecoder {
    type Answer = Result<Reply, NoReply>;

    fn push(&mut self, bytes: &[u8]) {
        ReplyDecoder::push(self, bytes);
    }

    fn next_answer(&mut self) -> Option<Self::Answer> {
        self.next_reply()
    }
}

impl From<Unanswered> for SpeakerError {
    fn from(error: Unanswered) -> SpeakerError {
        match error {
            Unanswered::Gone => SpeakerError::Gone,
            Unanswered::Silent => SpeakerError::NoAnswer,
        }
    }
}

impl TalkError for SpeakerError {
    fn leaves(&self) -> Leaves {
        match self {
            SpeakerError::Gone => Leaves::Closed,
            SpeakerError::Refused(_) => Leaves::Sound,
            SpeakerError::NoAnswer | SpeakerError::Garbled => Leaves::Broken,
        }
    }
}
