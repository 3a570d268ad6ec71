//! Speech Dispatcher: one connection over its Unix socket, opened on demand, commands one at a time.
//!
//! A connection on which anything went wrong is given up, so that no late answer is taken for the next one. One that
//! the server closed while nothing was said is opened again without a word.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::protocol::{Reply, ReplyDecoder, message};
use super::{Speaker, SpeakerError, Voice};

/// How long one command and its whole answer may take. The server queues a text; it does not say it first.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);
/// The answer to `SPEAK`: now the text.
const RECEIVING: u16 = 230;

/// The server's voice.
#[derive(Debug)]
pub struct SpeechDispatcher {
    socket: PathBuf,
    connection: Option<Connection>,
}

impl SpeechDispatcher {
    /// The server behind this socket; it is reached with the first call.
    pub fn new(socket: PathBuf) -> SpeechDispatcher {
        SpeechDispatcher { socket, connection: None }
    }

    /// Uses the open connection, or a fresh one.
    fn with_connection(
        &mut self,
        order: impl Fn(&mut Connection) -> Result<(), SpeakerError>,
    ) -> Result<(), SpeakerError> {
        if let Some(mut connection) = self.connection.take() {
            match order(&mut connection) {
                // The server ended, or was restarted, while nothing was said.
                Err(SpeakerError::Gone) => {}
                outcome => return self.keep(connection, outcome),
            }
        }
        let mut connection = Connection::open(&self.socket)?;
        let outcome = order(&mut connection);
        self.keep(connection, outcome)
    }

    fn keep(
        &mut self,
        connection: Connection,
        outcome: Result<(), SpeakerError>,
    ) -> Result<(), SpeakerError> {
        // After a plain no the connection is sound.
        let sound = matches!(outcome, Ok(()) | Err(SpeakerError::Refused(_)));
        self.connection = sound.then_some(connection);
        outcome
    }
}

impl Speaker for SpeechDispatcher {
    fn say(&mut self, voice: Voice, text: &str) -> Result<(), SpeakerError> {
        self.with_connection(|connection| {
            connection.command("CANCEL self")?;
            connection.command(&format!("SET self LANGUAGE {}", voice.tag()))?;
            connection.speak(text)
        })
    }

    fn hush(&mut self) -> Result<(), SpeakerError> {
        self.with_connection(|connection| connection.command("CANCEL self"))
    }

    fn look(&mut self) -> Result<(), SpeakerError> {
        self.with_connection(|connection| connection.command("HISTORY GET CLIENT_ID"))
    }
}

#[derive(Debug)]
struct Connection {
    stream: UnixStream,
    replies: ReplyDecoder,
}

impl Connection {
    fn open(socket: &std::path::Path) -> Result<Connection, SpeakerError> {
        let stream = UnixStream::connect(socket).map_err(|error| failed(&error))?;
        let mut connection = Connection { stream, replies: ReplyDecoder::default() };
        connection.command("SET self CLIENT_NAME kiosk:kiosk:voice")?;
        Ok(connection)
    }

    fn command(&mut self, line: &str) -> Result<(), SpeakerError> {
        self.exchange(&format!("{line}\r\n")).map(drop)
    }

    fn speak(&mut self, text: &str) -> Result<(), SpeakerError> {
        if self.exchange("SPEAK\r\n")?.code != RECEIVING {
            return Err(SpeakerError::Garbled);
        }
        self.exchange(&message(text)).map(drop)
    }

    /// Sends a command, or a text, and waits for what the server says to it.
    fn exchange(&mut self, bytes: &str) -> Result<Reply, SpeakerError> {
        let deadline = Instant::now() + ANSWER_DEADLINE;
        self.stream.set_write_timeout(Some(ANSWER_DEADLINE)).map_err(|error| failed(&error))?;
        self.stream.write_all(bytes.as_bytes()).map_err(|error| failed(&error))?;
        let reply = self.reply(deadline)?;
        if reply.is_good() { Ok(reply) } else { Err(SpeakerError::Refused(reply.code)) }
    }

    fn reply(&mut self, deadline: Instant) -> Result<Reply, SpeakerError> {
        loop {
            match self.replies.next_reply() {
                Some(Ok(event)) if event.is_event() => continue,
                Some(reply) => return reply.map_err(|_| SpeakerError::Garbled),
                None => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(SpeakerError::NoAnswer);
            }
            let mut buffer = [0u8; 1024];
            let read = self.stream.set_read_timeout(Some(left)).and_then(|()| self.stream.read(&mut buffer));
            match read {
                Ok(0) => return Err(SpeakerError::Gone),
                Ok(count) => self.replies.push(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&error)),
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Good manners; a server that is gone does not miss them.
        let _ = self.stream.write_all(b"QUIT\r\n");
    }
}

fn failed(error: &io::Error) -> SpeakerError {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => SpeakerError::NoAnswer,
        _ => SpeakerError::Gone,
    }
}
