//! A maker's closed library, called in its own process through `device-host`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Subcommand;
use device_drivers::id_card_reader::vendor_photo::DECODE_PHOTO;
use device_drivers::vendor_library::protocol::{INPUT_BYTES_MAX, OUTPUT_BYTES_MAX, SETTINGS_BYTES_MAX};
use device_drivers::vendor_library::{VendorConfig, VendorError, VendorLibrary};
use zeroize::Zeroizing;

use crate::answer::{Failure, Outcome, fact};
use crate::private_file;

#[derive(clap::Args)]
pub struct VendorKind {
    /// The shim, a shared library
    #[arg(long, value_name = "PATH")]
    library: PathBuf,
    /// The program device-host; beside this one where nothing is said
    #[arg(long, value_name = "PATH")]
    host: Option<PathBuf>,
    /// What is handed to the library when it is opened
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Load and open the library, and tell what it calls itself
    Identify,
    /// Have the library do one thing
    Call {
        /// decode-photo, or a number, also hexadecimal (0x80000001)
        verb: VendorVerb,
        /// What goes in
        #[arg(long, value_name = "FILE")]
        input: Option<PathBuf>,
        /// Where what comes out is written; else only its length is told
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Bytes of room for what comes out
        #[arg(long, value_name = "BYTES", default_value_t = OUTPUT_BYTES_MAX)]
        room: usize,
        /// Seconds that the call may take
        #[arg(long, value_name = "SECONDS", default_value_t = 10)]
        within: u64,
    },
}

#[derive(Clone, Copy)]
struct VendorVerb(u32);

impl FromStr for VendorVerb {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<VendorVerb, Self::Err> {
        let number = match text.strip_prefix("0x") {
            _ if text == "decode-photo" => Ok(DECODE_PHOTO),
            Some(digits) => u32::from_str_radix(digits, 16),
            None => text.parse(),
        };
        number.map(VendorVerb).map_err(|_| "a verb is decode-photo or a number")
    }
}

impl From<VendorError> for Failure {
    fn from(error: VendorError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl VendorKind {
    pub fn run(self) -> Outcome {
        let mut library = VendorLibrary::new(self.config()?);
        library.tend()?;
        fact("library", library.identity().unwrap_or("-"));
        let Verb::Call { verb, input, output, room, within } = self.verb else { return Ok(()) };
        let input = read(input.as_ref(), INPUT_BYTES_MAX)?;
        let answer = library.call(verb.0, &input, room, Duration::from_secs(within))?;
        fact("output", format!("{} bytes", answer.len()));
        match output {
            Some(path) => private_file::create(&path, &answer),
            None => Ok(()),
        }
    }

    fn config(&self) -> Result<VendorConfig, Failure> {
        let host = match &self.host {
            Some(host) => host.clone(),
            None => std::env::current_exe().map_err(Failure::usage)?.with_file_name("device-host"),
        };
        let mut config = VendorConfig::new(host, &self.library);
        config.settings = read(self.settings.as_ref(), SETTINGS_BYTES_MAX)?;
        Ok(config)
    }
}

fn read(path: Option<&PathBuf>, bytes_max: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    path.map_or(Ok(Zeroizing::default()), |path| private_file::read(path, bytes_max as u64))
}
