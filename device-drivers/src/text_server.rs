//! The connection to a server that speaks in lines of text, as those of the UPS and of the voice do: opened on
//! demand, one question at a time, one deadline for a question and its whole answer.
//!
//! A connection on which anything went wrong is given up, so that no late answer is taken for the next one. One that
//! the server closed while nothing was asked is opened again without a word. What lines mean is the drivers' business:
//! they bring a decoder of bounded lines, and say how each of their errors leaves the connection.

use std::time::{Duration, Instant};

use crate::text_lines::{self, LineDecoder};
use crate::transport::{LineError, Ready, Transport};

/// How long one question and its whole answer may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);

/// Makes answers of the bytes that a server sends.
pub trait Answers: Default + Send {
    /// One answer, or why the bytes are none.
    type Answer;

    /// Takes bytes as they come.
    fn push(&mut self, bytes: &[u8]);

    /// The next answer in what has come so far.
    fn next_answer(&mut self) -> Option<Self::Answer>;
}

impl Answers for LineDecoder {
    type Answer = Result<String, text_lines::LineError>;

    fn push(&mut self, bytes: &[u8]) {
        LineDecoder::push(self, bytes);
    }

    fn next_answer(&mut self) -> Option<Self::Answer> {
        self.next_line()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// The server cannot be reached, or has closed the connection.
    Gone,
    /// It says nothing, or takes nothing.
    Silent,
}

impl From<LineError> for Unanswered {
    fn from(error: LineError) -> Unanswered {
        match error {
            LineError::Gone => Unanswered::Gone,
            LineError::Stuck => Unanswered::Silent,
        }
    }
}

/// How a failed conversation leaves the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// As good as before: the server said a plain no, and nothing more is under way.
    Sound,
    /// The rest of an answer may be under way.
    Broken,
    /// The server has closed it.
    Closed,
}

/// An error of a driver that talks to such a server.
pub trait TalkError: From<Unanswered> {
    /// How it leaves the connection.
    fn leaves(&self) -> Leaves;
}

/// A server, its answers made by `A`.
pub struct TextServer<A> {
    line: Box<dyn Transport>,
    farewell: &'static str,
    answers: A,
    open: bool,
}

impl<A: Answers> TextServer<A> {
    /// The server behind this transport, which is opened at the first question. It hears `farewell` when nobody will
    /// ask any more.
    pub fn over(transport: impl Transport + 'static, farewell: &'static str) -> TextServer<A> {
        TextServer { line: Box::new(transport), farewell, answers: A::default(), open: false }
    }

    /// Talks on the open connection, or on a fresh one, which is greeted first. When the open one turns out to have been
    /// closed by the server, everything is said once more on a fresh one: questions must bear that.
    pub fn talk<R, E: TalkError>(
        &mut self,
        greet: impl Fn(&mut TextServer<A>) -> Result<(), E>,
        talk: impl Fn(&mut TextServer<A>) -> Result<R, E>,
    ) -> Result<R, E> {
        if self.connect()? == Ready::StillOpen {
            let outcome = talk(self);
            match self.keep(outcome) {
                Err(error) if error.leaves() == Leaves::Closed => {}
                outcome => return outcome,
            }
            self.connect()?;
        }
        if let Err(error) = greet(self) {
            // Whatever it was: nobody knows this connection yet.
            self.give_up();
            return Err(error);
        }
        let outcome = talk(self);
        self.keep(outcome)
    }

    /// Sends a question; returns until when its whole answer must be there.
    pub fn ask(&mut self, question: &str) -> Result<Instant, Unanswered> {
        let deadline = Instant::now() + ANSWER_DEADLINE;
        self.line.write_all(question.as_bytes(), deadline)?;
        Ok(deadline)
    }

    /// The next answer, or the next part of a long one.
    pub fn answer(&mut self, deadline: Instant) -> Result<A::Answer, Unanswered> {
        let mut buffer = [0u8; 1024];
        loop {
            if let Some(answer) = self.answers.next_answer() {
                return Ok(answer);
            }
            // A server that never stops sending what is no answer is as good as a silent one.
            if Instant::now() >= deadline {
                return Err(Unanswered::Silent);
            }
            match self.line.read_some(&mut buffer, deadline)? {
                0 => return Err(Unanswered::Silent),
                count => self.answers.push(&buffer[..count]),
            }
        }
    }

    fn connect(&mut self) -> Result<Ready, Unanswered> {
        self.open = false;
        let ready = self.line.ready()?;
        self.open = true;
        // What nobody asked for was thrown away; so is what of it had been read.
        self.answers = A::default();
        Ok(ready)
    }

    fn keep<R, E: TalkError>(&mut self, outcome: Result<R, E>) -> Result<R, E> {
        match outcome.as_ref().err().map_or(Leaves::Sound, TalkError::leaves) {
            Leaves::Sound => {}
            Leaves::Broken => self.give_up(),
            Leaves::Closed => self.open = false,
        }
        outcome
    }

    fn give_up(&mut self) {
        if std::mem::take(&mut self.open) {
            self.line.discard_output();
        }
    }
}

impl<A> Drop for TextServer<A> {
    fn drop(&mut self) {
        if self.open {
            // Good manners; a server that is gone does not miss them.
            let _ = self.line.write_all(self.farewell.as_bytes(), Instant::now());
        }
    }
}

#[cfg(all(test, feature = "recording"))]
mod tests {
    use super::*;
    use crate::recording::{Replay, ReplayError};

    #[derive(Debug, PartialEq, Eq)]
    enum Failed {
        Unanswered(Unanswered),
        /// The server said no.
        Refused,
        /// The server said neither yes nor no.
        Garbled,
    }

    impl From<Unanswered> for Failed {
        fn from(error: Unanswered) -> Failed {
            Failed::Unanswered(error)
        }
    }

    impl TalkError for Failed {
        fn leaves(&self) -> Leaves {
            match self {
                Failed::Unanswered(Unanswered::Gone) => Leaves::Closed,
                Failed::Unanswered(Unanswered::Silent) | Failed::Garbled => Leaves::Broken,
                Failed::Refused => Leaves::Sound,
            }
        }
    }

    fn ask(server: &mut TextServer<LineDecoder>, question: &str) -> Result<(), Failed> {
        let deadline = server.ask(question)?;
        match server.answer(deadline)?.as_deref() {
            Ok("yes") => Ok(()),
            Ok("no") => Err(Failed::Refused),
            _ => Err(Failed::Garbled),
        }
    }

    fn row(event: &str, text: &str) -> String {
        let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let bytes = if text.is_empty() { String::new() } else { format!(r#","bytes":"{bytes}""#) };
        format!("\n{{\"at_ms\":0,\"event\":\"{event}\"{bytes}}}")
    }

    /// Asks `a?` as often as there are outcomes, of a server of which these things are known to happen.
    fn asked(happens: &[(&str, &str)], outcomes: &[Result<(), Failed>]) -> Result<(), ReplayError> {
        let rows: String = happens.iter().map(|(event, text)| row(event, text)).collect();
        let text = format!(r#"{{"recording":1,"device":"a-server"}}{rows}"#);
        let replay = Replay::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let mut server = TextServer::over(replay.clone(), "bye\n");
        for outcome in outcomes {
            let told = server.talk(|server| ask(server, "hello\n"), |server| ask(server, "a?\n"));
            assert_eq!(told, *outcome);
        }
        drop(server);
        replay.finish()
    }

    const HELLO: [(&str, &str); 3] = [("opened", ""), ("out", "hello\n"), ("in", "yes\n")];

    #[test]
    fn a_sound_connection_is_greeted_once_kept_also_after_a_no_and_taken_leave_of() {
        let rest = [
            ("out", "a?\n"),
            ("in", "n"),
            ("in", "o\nand more that nobody asked for"),
            ("still-open", ""),
            ("out", "a?\n"),
            ("in", "yes\n"),
            ("out", "bye\n"),
        ];
        let happens = [&HELLO[..], &rest].concat();
        assert_eq!(asked(&happens, &[Err(Failed::Refused), Ok(())]), Ok(()));
    }

    #[test]
    fn one_that_was_closed_meanwhile_is_opened_again_without_a_word_but_only_once() {
        let open = [("out", "a?\n"), ("in", "yes\n"), ("still-open", ""), ("out", "a?\n"), ("gone", "")];
        let again = [("out", "a?\n"), ("in", "yes\n"), ("out", "bye\n")];
        let happens = [&HELLO[..], &open, &HELLO, &again].concat();
        assert_eq!(asked(&happens, &[Ok(()), Ok(())]), Ok(()));
        let gone = || Err(Failed::Unanswered(Unanswered::Gone));
        let happens = [&HELLO[..], &open, &HELLO, &[("out", "a?\n"), ("gone", ""), ("gone", "")]].concat();
        assert_eq!(asked(&happens, &[Ok(()), gone(), gone()]), Ok(()));
    }

    #[test]
    fn one_on_which_anything_went_wrong_is_given_up() {
        for (said, error) in [
            (&[("in", "perhaps\n")][..], Failed::Garbled),
            (&[("in", "ye"), ("quiet", "")], Failed::Unanswered(Unanswered::Silent)),
        ] {
            let asked_once = [&HELLO[..], &[("out", "a?\n")], said, &[("dropped", "")]].concat();
            let happens =
                [&asked_once[..], &HELLO, &[("out", "a?\n"), ("in", "yes\n"), ("out", "bye\n")]].concat();
            assert_eq!(asked(&happens, &[Err(error), Ok(())]), Ok(()));
        }
    }

    #[test]
    fn one_that_refuses_the_greeting_is_given_up_too() {
        let happens = [("opened", ""), ("out", "hello\n"), ("in", "no\n"), ("dropped", "")];
        assert_eq!(asked(&happens, &[Err(Failed::Refused)]), Ok(()));
    }
}
