//! What the program says, and how it ends.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use device_drivers::Remedy;

use crate::words::{self, Advice};

/// How a command ended.
pub type Outcome = Result<(), Failure>;

/// The device says no.
const REFUSED: u8 = 1;
/// The program was called wrongly, as clap says it too.
const MISUSED: u8 = 2;

/// Why a command failed.
pub struct Failure {
    exit: u8,
    what: String,
    remedy: Option<(String, Advice)>,
}

impl Failure {
    /// A device that says no, and what can be done about it.
    pub fn device(error: &dyn Display, remedy: Remedy) -> Failure {
        let remedy = Some((words::code(remedy), words::advice(remedy)));
        Failure { exit: REFUSED, what: error.to_string(), remedy }
    }

    /// Something else that says no, with words of its own.
    pub fn refused(what: impl Display, code: &str, advice: Advice) -> Failure {
        Failure { exit: REFUSED, what: what.to_string(), remedy: Some((code.to_owned(), advice)) }
    }

    /// A wrong call.
    pub fn usage(what: impl Display) -> Failure {
        Failure { exit: MISUSED, what: what.to_string(), remedy: None }
    }

    /// Says it on standard error, in both languages.
    pub fn tell(self) -> ExitCode {
        let mut lines = format!("error: {}\n", printable(&self.what));
        match &self.remedy {
            Some((code, advice)) => {
                lines += &format!("remedy: {code}\n  {}\n  {}\n", advice.english, advice.chinese);
            }
            None => lines += "usage: devctl help\n",
        }
        // Nobody is left to be told when standard error is closed.
        let _ = io::stderr().write_all(lines.as_bytes());
        ExitCode::from(self.exit)
    }
}

/// Says one fact: a stable word, and its value.
pub fn fact(word: &str, value: impl Display) {
    // A reader that has seen enough (`| head`) is no fault of the device.
    let _ = writeln!(io::stdout().lock(), "{word}: {}", printable(&value.to_string()));
}

/// Yes or no as a value.
pub fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// What a device says of itself may hold anything; a terminal obeys control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
