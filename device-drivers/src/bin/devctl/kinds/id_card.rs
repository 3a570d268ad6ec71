//! The ID-card reader: which it is, whether a card lies on it, and whether the card can be read.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Subcommand;
use device_drivers::bulk_pipes::{UsbBulk, UsbId};
use device_drivers::id_card_reader::{
    CardRead, CardText, Extra, Extras, Found, FourPipes, IdCardReader, PipeLayout, ReaderError, SamReader,
    SerialIdCardReader,
};
use device_drivers::serial_line::SerialLine;
use device_drivers::transport::Transport;

use crate::answer::{Failure, Outcome, fact};
use crate::masked;
use crate::tape::Tape;

/// The kind's name in recordings.
const KIND: &str = "id-card-reader";

#[derive(clap::Args)]
pub struct IdCardKind {
    #[command(flatten)]
    way: Way,
    /// Bits per second of the serial line
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// Serial number, where several USB readers of one product are connected
    #[arg(long, value_name = "SERIAL", requires = "usb")]
    usb_serial: Option<String>,
    /// Endpoints OUT and IN of a USB reader with one pipe each way, in hexadecimal; else the ministry's four pipes
    #[arg(long, value_name = "OUT,IN", requires = "usb")]
    pipes: Option<Pipes>,
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
    /// Vendor and product number of a USB reader, in hexadecimal
    #[arg(long, value_name = "VENDOR:PRODUCT")]
    usb: Option<Usb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Number of the reader's security module
    SamId,
    /// Look once for a card that has not been read yet
    Find,
    /// Read the card; told are its layout, which fields are filled, and masked values
    Read {
        /// Read the fingerprint file too
        #[arg(long)]
        fingerprint: bool,
        /// Read the additional address too
        #[arg(long)]
        additional_address: bool,
    },
    /// Reset the security module
    Reset,
    /// Find the rate of a serial reader
    DetectBaud,
}

#[derive(Clone, Copy)]
struct Usb {
    vendor: u16,
    product: u16,
}

impl FromStr for Usb {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Usb, Self::Err> {
        let (vendor, product) = hexadecimals(text, ':').ok_or("looks like 0400:c35a")?;
        Ok(Usb { vendor, product })
    }
}

#[derive(Clone, Copy)]
struct Pipes(PipeLayout);

impl FromStr for Pipes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Pipes, Self::Err> {
        let (out_pipe, in_pipe) = hexadecimals(text, ',').ok_or("looks like 02,81")?;
        match (u8::try_from(out_pipe), u8::try_from(in_pipe)) {
            // The highest bit of an endpoint's address is its direction.
            (Ok(out_pipe @ ..0x80), Ok(in_pipe @ 0x80..)) => {
                Ok(Pipes(PipeLayout::single_pair(out_pipe, in_pipe)))
            }
            _ => Err("an OUT endpoint is below 80, an IN endpoint from 80 to ff"),
        }
    }
}

fn hexadecimals(text: &str, between: char) -> Option<(u16, u16)> {
    let (first, second) = text.split_once(between)?;
    Some((u16::from_str_radix(first, 16).ok()?, u16::from_str_radix(second, 16).ok()?))
}

impl From<ReaderError> for Failure {
    fn from(error: ReaderError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl IdCardKind {
    pub fn run(self) -> Outcome {
        if matches!(self.verb, Verb::DetectBaud) {
            let port =
                self.way.port.ok_or_else(|| Failure::usage("only a serial port has a rate: --port"))?;
            fact("baud", SerialIdCardReader::new(port, self.baud).detect_baud()?);
            return Ok(());
        }
        let (transport, reel) = self.tape.thread(KIND, self.transport())?;
        let outcome = self.verb.ask(&mut SamReader::over(transport));
        reel.finish(outcome)
    }

    fn transport(&self) -> Option<Box<dyn Transport>> {
        if let Some(port) = &self.way.port {
            return Some(Box::new(SerialLine::new(port, self.baud)));
        }
        let Usb { vendor, product } = self.way.usb?;
        let layout = self.pipes.map_or(PipeLayout::MINISTRY, |pipes| pipes.0);
        let id = UsbId { vendor, product, serial: self.usb_serial.clone(), interface: 0 };
        Some(Box::new(FourPipes::new(UsbBulk::new(id, &layout.outs(), &layout.ins()), layout)))
    }
}

impl Verb {
    fn ask(&self, reader: &mut dyn IdCardReader) -> Outcome {
        match self {
            Verb::SamId => fact("sam-id", reader.sam_id()?),
            Verb::Find => match reader.find()? {
                Found::Card => fact("card", "found"),
                Found::Nothing => {
                    fact("card", "none, or read already");
                    return Err(ReaderError::NoCard.into());
                }
            },
            Verb::Read { fingerprint, additional_address } => {
                let extras = Extras { fingerprint: *fingerprint, additional_address: *additional_address };
                tell(&reader.read_with(extras)?);
            }
            Verb::Reset => {
                reader.reset()?;
                fact("reset", "done");
            }
            Verb::DetectBaud => {}
        }
        Ok(())
    }
}

fn tell(card: &CardRead) {
    fact("card", card.text.document());
    fact("name", masked::name(card.text.name()));
    fact("name-whole", crate::answer::yes(card.text.name_is_whole()));
    fact("number", masked::number(card.text.number()));
    let (filled, empty): (Vec<_>, Vec<_>) =
        fields(&card.text).into_iter().partition(|(_, value)| !value.is_empty());
    fact("filled", words_of(&filled));
    fact("empty", words_of(&empty));
    fact("photo", format!("{} bytes, closed format", card.photo.as_bytes().len()));
    fact("fingerprint", extra(&card.fingerprint));
    fact("additional-address", extra(&card.additional_address));
}

fn words_of(fields: &[(&'static str, &str)]) -> String {
    let words: Vec<_> = fields.iter().map(|(word, _)| *word).collect();
    if words.is_empty() { "-".to_owned() } else { words.join(" ") }
}

fn extra<T>(extra: &Extra<T>) -> &'static str {
    match extra {
        Extra::NotAsked => "not asked",
        Extra::Absent => "absent",
        Extra::Unreadable => "unreadable",
        Extra::Read(_) => "read",
    }
}

/// The layout's fields with their words.
fn fields(text: &CardText) -> Vec<(&'static str, &str)> {
    macro_rules! of {
        ($card:ident, $($field:ident $word:literal),+) => { vec![$(($word, $card.$field.as_str())),+] };
    }
    match text {
        CardText::Mainland(card) => of!(card, name "name", sex "sex", ethnic "ethnic", birth "birth",
            address "address", number "number", issuer "issuer", valid_from "valid-from", valid_to "valid-to"),
        CardText::HmtResidence(card) => of!(card, name "name", sex "sex", birth "birth", address "address",
            number "number", issuer "issuer", valid_from "valid-from", valid_to "valid-to",
            travel_permit_number "travel-permit-number", issue_count "issue-count"),
        CardText::Foreigner2017(card) => of!(card, english_name "english-name", sex "sex", number "number",
            nationality "nationality", chinese_name "chinese-name", issue_date "issue-date",
            expiry_date "expiry-date", birth "birth", card_version "card-version",
            authority_code "authority-code"),
        CardText::Foreigner2023(card) => of!(card, chinese_name "chinese-name", sex "sex",
            renewal_count "renewal-count", birth "birth", english_name "english-name", number "number",
            valid_from "valid-from", valid_to "valid-to", nationality "nationality",
            previous_number_link "previous-number-link"),
    }
}
