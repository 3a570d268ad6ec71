//! The code scanner: codes as they are scanned, each by its kind and length.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Subcommand, ValueEnum};
use device_drivers::code_scanner::{
    CodeRules, CodeScanner, KeyboardCodeScanner, ScanEnd, ScannedCode, ScannerError, SerialCodeScanner,
};
use device_drivers::serial_line::SerialLine;
use device_drivers::transport::Transport;
use device_drivers::{Hint, Remedy};

use crate::answer::{Failure, Outcome, fact};
use crate::tape::{Reel, Tape};

/// The kind's name in recordings.
const KIND: &str = "code-scanner";

#[derive(clap::Args)]
pub struct CodeScannerKind {
    #[command(flatten)]
    way: Way,
    /// Bits per second of the serial line
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// How the scanner ends a code
    #[arg(long, value_enum, default_value_t = End::SuffixOrSilence)]
    end: End,
    /// Silence that ends a code or shows that it broke off; longer for a scanner that stops inside a code
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 100)]
    silence_ms: u64,
    #[command(flatten)]
    tape: Tape,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Args)]
#[group(multiple = false)]
struct Way {
    /// Serial port, better by /dev/serial/by-id/
    #[arg(long, value_name = "PATH")]
    port: Option<PathBuf>,
    /// Input device of a scanner that types, better by /dev/input/by-id/…-event-kbd
    #[arg(long, value_name = "PATH")]
    evdev: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum End {
    /// Always with CR, LF or both
    Suffix,
    /// With CR, LF, both, or by silence
    SuffixOrSilence,
}

#[derive(Subcommand)]
enum Verb {
    /// Wait for codes; told are kind, length and characters, never the code
    Listen {
        /// How many codes
        #[arg(long, default_value_t = 1)]
        codes: u32,
        /// Seconds to wait for each
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
}

impl From<ScannerError> for Failure {
    fn from(error: ScannerError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl CodeScannerKind {
    pub fn run(self) -> Outcome {
        let (mut scanner, reel) = self.scanner()?;
        let outcome = self.verb.ask(&mut *scanner);
        reel.finish(outcome)
    }

    fn scanner(&self) -> Result<(Box<dyn CodeScanner>, Reel), Failure> {
        let end = match self.end {
            End::Suffix => ScanEnd::Suffix,
            End::SuffixOrSilence => ScanEnd::SuffixOrSilence,
        };
        let silence = Duration::from_millis(self.silence_ms);
        if let Some(device) = &self.way.evdev {
            let mut scanner = KeyboardCodeScanner::new(device, end);
            scanner.set_silence(silence);
            return Ok((Box::new(scanner), self.tape.none()?));
        }
        let line = |port: &PathBuf| Box::new(SerialLine::new(port, self.baud)) as Box<dyn Transport>;
        let (transport, reel) = self.tape.thread(KIND, self.way.port.as_ref().map(line))?;
        let mut scanner = SerialCodeScanner::over(transport, end);
        scanner.set_silence(silence);
        Ok((Box::new(scanner), reel))
    }
}

impl Verb {
    fn ask(&self, scanner: &mut dyn CodeScanner) -> Outcome {
        let Verb::Listen { codes, seconds } = self;
        scanner.clear()?;
        fact("listening", format!("{seconds} s"));
        for _ in 0..*codes {
            let code = scanner.next_code(Instant::now() + Duration::from_secs(*seconds))?;
            let Some(code) = code else {
                let what = format!("no code was scanned in {seconds} s");
                return Err(Failure::device(&what, Remedy::AskCitizen(Hint::ScanAgain)));
            };
            tell(&code);
        }
        Ok(())
    }
}

fn tell(code: &ScannedCode) {
    let text = code.as_str();
    let all = |of: fn(char) -> bool| text.chars().all(of);
    let characters = if all(|c| c.is_ascii_digit()) {
        "digits"
    } else if all(|c| c.is_ascii_alphanumeric()) {
        "letters and digits"
    } else if text.is_ascii() {
        "ASCII"
    } else {
        "Unicode"
    };
    let rules = CodeRules::default();
    let kind = rules.kind_of(code).unwrap_or("unknown");
    fact("code", format!("{kind}, {} characters, {characters}", text.chars().count()));
}
