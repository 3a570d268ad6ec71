//! Questions to the printer and what it says, asked or not.

use std::time::{Duration, Instant};

use crate::receipt_printer::protocol::encode;
use crate::receipt_printer::protocol::reply::{Reply, ReplyDecoder};
use crate::receipt_printer::protocol::status::{self, Asb, ErrorCause, OfflineCause, PrinterBits, RollPaper};
use crate::receipt_printer::{ExitSensor, PrinterError, PrinterFault, PrinterStatus};
use crate::transport::{LineError, Ready, Transport};

/// How long a real-time status may take; it is answered out of turn.
pub(super) const STATUS_DEADLINE: Duration = Duration::from_millis(500);
/// Times that a status is asked for before the printer counts as silent.
const STATUS_SENDS: usize = 2;

/// The line, and what was heard on it.
pub(super) struct Dialogue {
    line: Box<dyn Transport>,
    replies: ReplyDecoder,
    /// The last automatic status of the print that is going on.
    pub(super) asb: Option<Asb>,
    /// The printer asked the host to wait.
    pub(super) hold: bool,
    /// Something unreadable came in. A byte of a damaged automatic status can look like an answer to GS r.
    pub(super) noise: bool,
}

impl Dialogue {
    pub(super) fn new(line: Box<dyn Transport>) -> Dialogue {
        Dialogue { line, replies: ReplyDecoder::new(), asb: None, hold: false, noise: false }
    }

    /// Opens the line if needed and forgets what was said before.
    pub(super) fn ready(&mut self) -> Result<Ready, PrinterError> {
        self.replies.resync();
        self.line.ready().map_err(|error| line_error(error, false))
    }

    pub(super) fn send(
        &mut self,
        bytes: &[u8],
        deadline: Instant,
        started: bool,
    ) -> Result<(), PrinterError> {
        self.line.write_all(bytes, deadline).map_err(|error| line_error(error, started))
    }

    /// Throws away what was sent and has not reached the printer.
    pub(super) fn take_back(&mut self) {
        self.line.discard_output();
    }

    /// Hands over the head of a receipt; 0 when there is no room until `until`.
    pub(super) fn send_some(&mut self, bytes: &[u8], until: Instant) -> Result<usize, PrinterError> {
        self.line.write_some(bytes, until).map_err(|error| line_error(error, true))
    }

    /// Reads what the printer says until `until`, or until there is a reply.
    pub(super) fn reply(&mut self, until: Instant, started: bool) -> Result<Option<Reply>, PrinterError> {
        loop {
            if let Some(reply) = self.replies.next_reply() {
                return Ok(Some(reply));
            }
            let mut buffer = [0u8; 64];
            let read = self.line.read_some(&mut buffer, until);
            let count = read.map_err(|error| line_error(error, started))?;
            if count == 0 {
                return Ok(None);
            }
            self.replies.push(&buffer[..count]);
        }
    }

    /// Remembers what the printer says on its own account.
    pub(super) fn note(&mut self, reply: &Reply) {
        match reply {
            Reply::Asb(asb) => {
                self.asb = Some(*asb);
                self.hold = asb.status().error == Some(PrinterFault::HeadHot);
            }
            Reply::Xoff => self.hold = true,
            Reply::Xon => self.hold = false,
            Reply::Realtime(_) | Reply::QueuedStatus(_) | Reply::ProcessId(_) => {}
            Reply::Block(_) | Reply::Noise(_) => {
                self.noise = true;
                tracing::debug!("the receipt printer said something else");
            }
        }
    }

    /// Forgets the last print and what was said during it.
    pub(super) fn begin(&mut self) {
        self.asb = None;
        self.hold = false;
        self.noise = false;
    }

    /// Asks one real-time question.
    fn ask_realtime(&mut self, n: u8, started: bool) -> Result<u8, PrinterError> {
        for _ in 0..STATUS_SENDS {
            let deadline = Instant::now() + STATUS_DEADLINE;
            self.send(&encode::realtime_status(n), deadline, started)?;
            while let Some(reply) = self.reply(deadline, started)? {
                match reply {
                    Reply::Realtime(byte) => return Ok(byte),
                    other => self.note(&other),
                }
            }
            self.replies.resync();
        }
        // A connection that lost its printer without a word is made anew at the next use.
        self.line.discard_output();
        Err(PrinterError::NoAnswer { started })
    }

    /// Asks for all four real-time answers.
    pub(super) fn ask_status(&mut self, started: bool) -> Result<PrinterStatus, PrinterError> {
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

    /// Asks whether paper is in the printer's mouth; `None` when it does not answer that.
    pub(super) fn ask_exit(
        &mut self,
        sensor: &ExitSensor,
        started: bool,
    ) -> Result<Option<bool>, PrinterError> {
        let deadline = Instant::now() + STATUS_DEADLINE;
        self.send(&sensor.request, deadline, started)?;
        // The answer belongs to none of the classes of the others: it is looked for by its head.
        let mut heard: Vec<u8> = Vec::new();
        let mut buffer = [0u8; 64];
        loop {
            if let Some(byte) = find_answer(&heard, sensor) {
                self.replies.resync();
                return Ok(Some(byte & sensor.mask != 0));
            }
            let read = self.line.read_some(&mut buffer, deadline);
            let count = read.map_err(|error| line_error(error, started))?;
            if count == 0 {
                return Ok(None);
            }
            heard.extend_from_slice(&buffer[..count]);
        }
    }

    /// Stops when the printer's automatic status says that it cannot go on.
    pub(super) fn stop_if_obstructed(&self) -> Result<(), PrinterError> {
        let obstacle = self.asb.and_then(|asb| asb.status().obstacle(true));
        match obstacle {
            // A hot head cools and goes on by itself.
            None | Some(PrinterError::HeadHot { .. }) => Ok(()),
            Some(obstacle) => Err(obstacle),
        }
    }

    /// No confirmation in time: the printer's state usually says why.
    pub(super) fn why_unconfirmed(&mut self) -> PrinterError {
        match self.ask_status(true) {
            Ok(status) => status.obstacle(true).unwrap_or(PrinterError::Unconfirmed),
            Err(error) => error,
        }
    }
}

/// The byte that tells, once the whole answer is there.
fn find_answer(heard: &[u8], sensor: &ExitSensor) -> Option<u8> {
    let answer = heard.windows(sensor.length.max(1)).find(|window| window.starts_with(&sensor.head))?;
    answer.get(sensor.at).copied()
}

fn line_error(error: LineError, started: bool) -> PrinterError {
    match error {
        LineError::Gone => PrinterError::Gone { started },
        LineError::Stuck => PrinterError::NoAnswer { started },
    }
}
