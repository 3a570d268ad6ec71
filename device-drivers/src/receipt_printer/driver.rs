//! The printer behind a serial port: status first, then the print, then the printer's own confirmation.
//!
//! A receipt is sent once per call. When the printer stops in the middle, what is left is taken back from the
//! line and cleared in the printer, so that nothing comes out later by itself.

use std::path::Path;
use std::time::{Duration, Instant};

use super::protocol::encode::{self, ProcessId};
use super::protocol::reply::{Reply, ReplyDecoder};
use super::protocol::status::{self, Asb, ErrorCause, OfflineCause, PrinterBits, RollPaper};
use super::{Bitmap, Paper, PrintLevel, PrinterError, PrinterFault, PrinterStatus, ReceiptPrinter};
use crate::serial_line::SerialLine;
use crate::transport::{LineError, Ready, Transport};

/// How long a real-time status may take; it is answered out of turn.
const STATUS_DEADLINE: Duration = Duration::from_millis(500);
/// Times that a status is asked for before the printer counts as silent.
const STATUS_SENDS: usize = 2;
/// How long the printer may take to work off the few bytes before a probe.
const PROBE_DEADLINE: Duration = Duration::from_secs(2);
/// What a print may take beyond its bytes and its rows: cutting, cooling, a slow start.
const PRINT_SLACK: Duration = Duration::from_secs(3);
/// The slowest printer's rows per second (40 mm/s).
const SLOWEST_ROWS: u64 = 320;
/// How much longer a printer may take that asks the host to wait (hot head, full buffer).
const HOLD_LIMIT: Duration = Duration::from_secs(30);
/// Bytes between two looks at what the printer says.
const CHUNK: usize = 512;

/// What the printer can confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Confirmation {
    ProcessId,
    QueuedStatus,
    Nothing,
}

/// A receipt printer on a serial port.
pub struct SerialReceiptPrinter {
    line: SerialLine,
    dots: u32,
    replies: ReplyDecoder,
    confirmation: Option<Confirmation>,
    /// The printer holds nothing of an earlier print.
    clean: bool,
    last_id: u16,
    asb: Option<Asb>,
    /// The printer asked the host to wait.
    hold: bool,
}

impl SerialReceiptPrinter {
    /// A printer with `dots` dots per row that is opened at its first use; it may be plugged in later.
    pub fn new(port: impl AsRef<Path>, baud: u32, dots: u32) -> SerialReceiptPrinter {
        SerialReceiptPrinter {
            line: SerialLine::new(port.as_ref(), baud),
            dots,
            replies: ReplyDecoder::new(),
            confirmation: None,
            clean: false,
            last_id: 0,
            asb: None,
            hold: false,
        }
    }

    /// Opens the port now; fails with [`PrinterError::Gone`] when that is not possible.
    pub fn open(port: impl AsRef<Path>, baud: u32, dots: u32) -> Result<SerialReceiptPrinter, PrinterError> {
        let mut printer = SerialReceiptPrinter::new(port, baud, dots);
        printer.ready()?;
        Ok(printer)
    }

    fn ready(&mut self) -> Result<(), PrinterError> {
        let ready = self.line.ready().map_err(|error| line_error(error, false))?;
        if ready == Ready::Opened {
            // Another printer may hang on the cable now, and nobody knows what this one holds.
            self.confirmation = None;
            self.clean = false;
        }
        self.replies.resync();
        Ok(())
    }

    /// Reads what the printer says until `until`, or until there is a reply.
    fn reply(&mut self, until: Instant) -> Result<Option<Reply>, LineError> {
        loop {
            if let Some(reply) = self.replies.next_reply() {
                return Ok(Some(reply));
            }
            let mut buffer = [0u8; 64];
            let count = self.line.read_some(&mut buffer, until)?;
            if count == 0 {
                return Ok(None);
            }
            self.replies.push(&buffer[..count]);
        }
    }

    /// Asks one real-time question.
    fn ask_realtime(&mut self, n: u8, started: bool) -> Result<u8, PrinterError> {
        for _ in 0..STATUS_SENDS {
            let deadline = Instant::now() + STATUS_DEADLINE;
            self.send(&encode::realtime_status(n), deadline, started)?;
            while let Some(reply) = self.reply(deadline).map_err(|e| line_error(e, started))? {
                match reply {
                    Reply::Realtime(byte) => return Ok(byte),
                    other => self.note(&other),
                }
            }
            self.replies.resync();
        }
        Err(PrinterError::NoAnswer { started })
    }

    fn ask_status(&mut self, started: bool) -> Result<PrinterStatus, PrinterError> {
        let mut answers = [0u8; 4];
        for (answer, n) in answers.iter_mut().zip(1..) {
            *answer = self.ask_realtime(n, started)?;
        }
        let [printer, cause, error, paper] = answers;
        // The reply decoder lets only real-time answers through, and any of them has a meaning.
        let status = status::from_realtime(
            PrinterBits::from_byte(printer).unwrap_or_default(),
            OfflineCause::from_byte(cause).unwrap_or_default(),
            ErrorCause::from_byte(error).unwrap_or_default(),
            RollPaper::from_byte(paper).unwrap_or_default(),
        );
        Ok(status)
    }

    fn send(&mut self, bytes: &[u8], deadline: Instant, started: bool) -> Result<(), PrinterError> {
        self.line.write_all(bytes, deadline).map_err(|error| line_error(error, started))
    }

    /// Remembers what the printer says on its own account.
    fn note(&mut self, reply: &Reply) {
        match reply {
            Reply::Asb(asb) => {
                self.asb = Some(*asb);
                self.hold = asb.status().error == Some(PrinterFault::HeadHot);
            }
            Reply::Xoff => self.hold = true,
            Reply::Xon => self.hold = false,
            Reply::Realtime(_) | Reply::QueuedStatus(_) | Reply::ProcessId(_) => {}
            Reply::Block(_) | Reply::Noise(_) => tracing::debug!("the receipt printer said something else"),
        }
    }

    /// Brings the printer out of whatever an earlier print left: an unfinished raster command, text in its line,
    /// half a receipt on the strip, which must not hang on the next resident's.
    fn clean_up(&mut self) -> Result<(), PrinterError> {
        let mut bytes = encode::RECOVER_AND_CLEAR.to_vec();
        bytes.extend(encode::finish_open_raster(self.dots));
        bytes.extend(encode::INITIALISE);
        bytes.extend(encode::FEED_AND_CUT);
        let deadline = Instant::now() + self.line_time(bytes.len()) + PRINT_SLACK;
        self.send(&bytes, deadline, false)?;
        self.clean = true;
        Ok(())
    }

    /// Finds out once how the printer confirms. GS r stands behind the question as a fence: when it is answered
    /// and the process id was not, there is no process id. A printer that takes the question for text has it in
    /// its line, unprinted, until the ESC @ of the receipt that follows wipes it off.
    fn learn_confirmation(&mut self) -> Result<Confirmation, PrinterError> {
        if let Some(known) = self.confirmation {
            return Ok(known);
        }
        let id = self.next_id();
        let mut bytes = id.request().to_vec();
        bytes.extend(encode::QUEUED_STATUS);
        let deadline = Instant::now() + PROBE_DEADLINE;
        self.send(&bytes, deadline, false)?;
        let mut found = Confirmation::Nothing;
        while let Some(reply) = self.reply(deadline).map_err(|error| line_error(error, false))? {
            match reply {
                Reply::ProcessId(answer) if answer == id => found = Confirmation::ProcessId,
                Reply::QueuedStatus(_) => {
                    if found == Confirmation::Nothing {
                        found = Confirmation::QueuedStatus;
                    }
                    break;
                }
                other => self.note(&other),
            }
        }
        if found != Confirmation::Nothing {
            self.confirmation = Some(found);
        }
        tracing::debug!(?found, "how the receipt printer confirms");
        Ok(found)
    }

    fn next_id(&mut self) -> ProcessId {
        self.last_id = (self.last_id + 1) % 10_000;
        ProcessId::from_number(self.last_id)
    }

    fn line_time(&self, bytes: usize) -> Duration {
        Duration::from_micros(bytes as u64 * 10_000_000 / u64::from(self.line.baud().max(1)))
    }

    /// Sends the receipt and waits for its confirmation.
    fn run(&mut self, bitmap: &Bitmap, confirmation: Confirmation) -> Result<PrintLevel, PrinterError> {
        let job = encode::encode_receipt(bitmap);
        let id = self.next_id();
        let rows = Duration::from_millis(u64::from(bitmap.height) * 1000 / SLOWEST_ROWS);
        let mut deadline = Deadline::new(self.line_time(job.len()) * 2 + rows + PRINT_SLACK);
        self.asb = None;
        self.hold = false;
        let head = [&encode::INITIALISE[..], &encode::ENABLE_ASB].concat();
        self.send(&head, deadline.at, true)?;
        for chunk in job.chunks(CHUNK) {
            self.send(chunk, deadline.at, true)?;
            self.watch(&mut deadline)?;
        }
        match confirmation {
            Confirmation::ProcessId => self.send(&id.request(), deadline.at, true)?,
            Confirmation::QueuedStatus => self.send(&encode::QUEUED_STATUS, deadline.at, true)?,
            Confirmation::Nothing => return self.settle_unconfirmed(self.line_time(job.len())),
        }
        self.await_confirmation(id, confirmation, deadline)
    }

    /// Looks at what came in while sending; waits as long as the printer asks for it.
    fn watch(&mut self, deadline: &mut Deadline) -> Result<(), PrinterError> {
        loop {
            let until = if self.hold { deadline.extended() } else { Instant::now() };
            match self.reply(until).map_err(|error| line_error(error, true))? {
                Some(reply) => self.note(&reply),
                None if self.hold => return Err(self.why_unconfirmed()),
                None => return Ok(()),
            }
            self.stop_if_obstructed()?;
        }
    }

    fn await_confirmation(
        &mut self,
        id: ProcessId,
        confirmation: Confirmation,
        mut deadline: Deadline,
    ) -> Result<PrintLevel, PrinterError> {
        loop {
            let until = if self.hold { deadline.extended() } else { deadline.at };
            let reply = self.reply(until).map_err(|error| line_error(error, true))?;
            match reply {
                None => return Err(self.why_unconfirmed()),
                Some(Reply::ProcessId(answer)) if answer == id && confirmation == Confirmation::ProcessId => {
                    // Without a word of the printer's own about its state this proves no more than GS r does.
                    return Ok(if self.asb.is_some() {
                        PrintLevel::COMPLETED
                    } else {
                        PrintLevel::PROCESSED
                    });
                }
                Some(Reply::QueuedStatus(byte)) if confirmation == Confirmation::QueuedStatus => {
                    let paper = RollPaper::from_queued(byte).unwrap_or_default();
                    if paper.end {
                        return Err(PrinterError::PaperEnd { started: true });
                    }
                    return Ok(PrintLevel::PROCESSED);
                }
                Some(other) => self.note(&other),
            }
            self.stop_if_obstructed()?;
        }
    }

    /// A printer that confirms nothing at all: the line's time must have passed, and its state must be good.
    fn settle_unconfirmed(&mut self, line_time: Duration) -> Result<PrintLevel, PrinterError> {
        let until = Instant::now() + line_time;
        while let Some(reply) = self.reply(until).map_err(|error| line_error(error, true))? {
            self.note(&reply);
            self.stop_if_obstructed()?;
        }
        match self.ask_status(true)?.obstacle(true) {
            Some(obstacle) => Err(obstacle),
            None => Ok(PrintLevel::SENT),
        }
    }

    fn stop_if_obstructed(&self) -> Result<(), PrinterError> {
        let obstacle = self.asb.and_then(|asb| asb.status().obstacle(true));
        match obstacle {
            // A hot head cools and goes on by itself.
            None | Some(PrinterError::HeadHot { .. }) => Ok(()),
            Some(obstacle) => Err(obstacle),
        }
    }

    /// No confirmation in time: the printer's state usually says why.
    fn why_unconfirmed(&mut self) -> PrinterError {
        match self.ask_status(true) {
            Ok(status) => status.obstacle(true).unwrap_or(PrinterError::Unconfirmed),
            Err(error) => error,
        }
    }

    /// Takes back what has not been printed, so that it does not come out by itself when paper is back.
    fn abandon(&mut self) {
        self.clean = false;
        self.line.discard_output();
        let deadline = Instant::now() + STATUS_DEADLINE;
        // The next print clears the printer again before it begins.
        let _ = self.line.write_all(&encode::RECOVER_AND_CLEAR, deadline);
    }
}

impl ReceiptPrinter for SerialReceiptPrinter {
    fn status(&mut self) -> Result<PrinterStatus, PrinterError> {
        self.ready()?;
        self.ask_status(false)
    }

    fn print(&mut self, bitmap: &Bitmap) -> Result<PrintLevel, PrinterError> {
        bitmap.check(self.dots)?;
        let status = self.status()?;
        if let Some(obstacle) = status.obstacle(false) {
            return Err(obstacle);
        }
        if status.paper == Paper::NearEnd {
            tracing::warn!("the receipt printer's paper is near its end");
        }
        if !self.clean {
            self.clean_up()?;
        }
        let confirmation = self.learn_confirmation()?;
        let result = self.run(bitmap, confirmation);
        if let Err(error) = &result {
            tracing::warn!(%error, "a receipt was not confirmed");
            self.abandon();
        }
        result
    }
}

/// When a print must be through; can be put off once, for a printer that asks for it.
struct Deadline {
    at: Instant,
    extended: bool,
}

impl Deadline {
    fn new(time: Duration) -> Deadline {
        Deadline { at: Instant::now() + time, extended: false }
    }

    fn extended(&mut self) -> Instant {
        if !self.extended {
            self.at += HOLD_LIMIT;
            self.extended = true;
        }
        self.at
    }
}

fn line_error(error: LineError, started: bool) -> PrinterError {
    match error {
        LineError::Gone => PrinterError::Gone { started },
        LineError::Stuck => PrinterError::NoAnswer { started },
    }
}
