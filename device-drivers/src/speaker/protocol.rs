//! SSIP (Speech Synthesis Interface Protocol 0.2, Speech Dispatcher's manual) as pure text: no I/O, no clock.
//!
//! A command is one line that ends in CR LF. An answer is any number of lines `NNN-data` and then one `NNN words`. The
//! first digit is the class: 2 done, 3 to 5 refused, 7 an event that nobody waits for.

use crate::text_lines::LineDecoder;

/// Lines of data in the longest answer; those asked for here have one.
const MAX_DATA: usize = 64;
/// Bytes of the longest text that is said at once: minutes of speech.
pub const MAX_TEXT: usize = 8 * 1024;

/// An answer, or an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its code, 100 to 999.
    pub code: u16,
    /// The lines before the last one.
    pub data: Vec<String>,
}

impl Reply {
    /// Whether the server did what it was told.
    pub fn is_good(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether it answers nothing, but tells how far a text has come.
    pub fn is_event(&self) -> bool {
        self.code / 100 == 7
    }
}

/// The server does not speak this protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no answer of SSIP")]
pub struct NoReply;

/// Takes bytes as they come and gives answers.
#[derive(Debug, Default)]
pub struct ReplyDecoder {
    lines: LineDecoder,
    /// Of an answer whose last line has not come.
    begun: Option<Reply>,
}

impl ReplyDecoder {
    /// Adds bytes from the connection.
    pub fn push(&mut self, bytes: &[u8]) {
        self.lines.push(bytes);
    }

    /// The next whole answer. After an error the connection is of no use any more.
    pub fn next_reply(&mut self) -> Option<Result<Reply, NoReply>> {
        while let Some(line) = self.lines.next_line() {
            match line.map_err(|_| NoReply).and_then(|line| self.take(&line)) {
                Ok(None) => {}
                Ok(Some(reply)) => return Some(Ok(reply)),
                Err(NoReply) => return Some(Err(NoReply)),
            }
        }
        None
    }

    fn take(&mut self, line: &str) -> Result<Option<Reply>, NoReply> {
        let (code, rest) = line.split_at_checked(3).ok_or(NoReply)?;
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        let code = code.parse().ok().filter(|code| digits && (100..1000).contains(code)).ok_or(NoReply)?;
        let mut reply = self.begun.take().unwrap_or(Reply { code, data: Vec::new() });
        if reply.code != code || reply.data.len() > MAX_DATA {
            return Err(NoReply);
        }
        match rest.split_at_checked(1) {
            Some(("-", data)) => {
                reply.data.push(data.to_owned());
                self.begun = Some(reply);
                Ok(None)
            }
            Some((" ", _)) => Ok(Some(reply)),
            _ => Err(NoReply),
        }
    }
}

/// A text as it follows `SPEAK`, with its end: lines end in CR LF, a dot at the beginning of a line is doubled, a line
/// with nothing but a dot ends it. Control characters are left out; what is beyond [`MAX_TEXT`] is cut off at a character.
pub fn message(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(MAX_TEXT)];
    let mut message = String::with_capacity(text.len() + 16);
    for line in text.lines() {
        // A control character before a dot would otherwise hide it.
        let mut characters = line.chars().filter(|character| !character.is_control()).peekable();
        if characters.peek() == Some(&'.') {
            message.push('.');
        }
        message.extend(characters);
        message.push_str("\r\n");
    }
    message.push_str(".\r\n");
    message
}

/// Runs every decoder over arbitrary bytes; for fuzzing. Returns how many answers were understood.
pub fn fuzz_decode(bytes: &[u8]) -> usize {
    let mut decoder = ReplyDecoder::default();
    decoder.push(bytes);
    let mut understood = 0;
    while let Some(Ok(_)) = decoder.next_reply() {
        understood += 1;
    }
    understood
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn replies(bytes: &[u8]) -> Vec<Result<Reply, NoReply>> {
        let mut decoder = ReplyDecoder::default();
        decoder.push(bytes);
        std::iter::from_fn(|| decoder.next_reply()).collect()
    }

    #[test]
    fn an_answer_ends_with_its_line_without_a_dash() {
        let said =
            replies(b"208 OK CLIENT NAME SET\r\n225-7\r\n225 OK MESSAGE QUEUED\r\n409 ERR RATE TOO HIGH\r\n");
        let codes: Vec<(u16, bool, usize)> = said
            .iter()
            .map(|reply| reply.as_ref().unwrap())
            .map(|r| (r.code, r.is_good(), r.data.len()))
            .collect();
        assert_eq!(codes, [(208, true, 0), (225, true, 1), (409, false, 0)]);
        let event = replies(b"701-7\r\n701-1\r\n701 BEGIN\r\n");
        assert!(event[0].as_ref().unwrap().is_event());
        assert!(replies(b"225-7\r\n").is_empty(), "the end is still to come");
    }

    #[test]
    fn what_is_no_answer_is_said() {
        for line in ["", "OK", "20 OK", "2x8 OK", "+08 OK", "208OK", "225-7\r\n226 OK", "099 OK"] {
            let said = replies(format!("{line}\r\n").as_bytes());
            assert_eq!(said.last(), Some(&Err(NoReply)), "{line:?}");
        }
        let endless = "225-7\r\n".repeat(MAX_DATA + 2);
        assert_eq!(replies(endless.as_bytes()), [Err(NoReply)]);
    }

    #[test]
    fn a_text_cannot_end_itself_or_hide_a_command() {
        assert_eq!(message("请取走\n.\nQUIT"), "请取走\r\n..\r\nQUIT\r\n.\r\n");
        assert_eq!(message("a\r.\rb\u{7}"), "a.b\r\n.\r\n");
        assert_eq!(message("\u{7}.\nQUIT"), "..\r\nQUIT\r\n.\r\n");
        assert_eq!(message(""), ".\r\n");
        let long = "证".repeat(MAX_TEXT);
        assert!(message(&long).len() <= MAX_TEXT + 5);
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_answers(bytes: Vec<u8>, at: prop::sample::Index) {
            let at = at.index(bytes.len() + 1);
            let mut decoder = ReplyDecoder::default();
            let mut halves = Vec::new();
            for half in [&bytes[..at], &bytes[at..]] {
                decoder.push(half);
                halves.extend(std::iter::from_fn(|| decoder.next_reply()));
            }
            prop_assert_eq!(halves, replies(&bytes));
        }

        #[test]
        fn a_message_has_one_end(text in "(.|\n|\r){0,200}") {
            let message = message(&text);
            prop_assert!(message.ends_with(".\r\n"));
            let body = &message[..message.len() - 3];
            let ends_early = body.starts_with(".\r\n") || body.contains("\r\n.\r\n");
            prop_assert!(!ends_early);
        }
    }
}
