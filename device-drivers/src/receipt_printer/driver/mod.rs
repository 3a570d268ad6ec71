//! The printer behind its line: status first, then the print, then the printer's own confirmation.
//!
//! A receipt is sent once per call. When the printer stops in the middle, what is left is taken back from the
//! line and cleared in the printer, so that nothing comes out later by itself.

mod confirm;
mod dialogue;

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::protocol::encode;
use super::protocol::{encode_receipt, encode_receipt_as_text};
use super::{Connection, LineSpeed, Paper, PrintLevel, PrinterError, PrinterModel, PrinterStatus};
use super::{Receipt, ReceiptPrinter};
use crate::transport::{Ready, Transport};
use confirm::Confirmation;
use dialogue::{Dialogue, STATUS_DEADLINE};

/// What a print may take beyond its bytes and its rows: cutting, cooling, a slow start.
const PRINT_SLACK: Duration = Duration::from_secs(3);
/// How much longer a printer may take that asks the host to wait (hot head, full buffer).
const HOLD_LIMIT: Duration = Duration::from_secs(30);
/// Bytes, and time, between two looks at what the printer says.
const CHUNK: usize = 512;
const LOOK: Duration = Duration::from_millis(50);

/// A receipt printer that speaks ESC/POS.
pub struct EscPosPrinter {
    dialogue: Dialogue,
    speed: LineSpeed,
    model: PrinterModel,
    confirmation: Option<Confirmation>,
    /// The printer holds nothing of an earlier print.
    clean: bool,
    last_id: u16,
    /// What became of the last receipt.
    reached: PrintLevel,
}

impl EscPosPrinter {
    /// A printer that is opened at its first use; it may be plugged in later.
    pub fn new(connection: &Connection, model: PrinterModel) -> EscPosPrinter {
        EscPosPrinter::over(connection.transport(), connection.speed(), model)
    }

    /// A printer behind this transport, which is opened at its first use.
    pub fn over(transport: impl Transport + 'static, speed: LineSpeed, model: PrinterModel) -> EscPosPrinter {
        EscPosPrinter {
            dialogue: Dialogue::new(Box::new(transport)),
            speed,
            model,
            confirmation: None,
            clean: false,
            last_id: 0,
            reached: PrintLevel::SENT,
        }
    }

    /// Opens the line now; fails with [`PrinterError::Gone`] when that is not possible.
    pub fn open(connection: &Connection, model: PrinterModel) -> Result<EscPosPrinter, PrinterError> {
        let mut printer = EscPosPrinter::new(connection, model);
        printer.ready()?;
        Ok(printer)
    }

    /// Finds out how far this printer can confirm a print, to be asked at the start; the first print asks by itself. A
    /// printer in an unknown state is brought out of it first, which can move paper. A level above
    /// [`PrintLevel::COMPLETED`] is what the sensor at the mouth can tell.
    pub fn probe(&mut self) -> Result<PrintLevel, PrinterError> {
        let status = self.status()?;
        if let Some(obstacle) = status.obstacle(false) {
            return Err(obstacle);
        }
        if !self.clean {
            self.clean_up()?;
        }
        let level = match self.learn_confirmation()? {
            Confirmation::ProcessId => PrintLevel::COMPLETED,
            Confirmation::QueuedStatus => PrintLevel::PROCESSED,
            Confirmation::Nothing => PrintLevel::SENT,
        };
        let sees = level.is_confirmed() && self.mouth(false)?.is_some();
        Ok(if sees { PrintLevel::TAKEN } else { level })
    }

    fn ready(&mut self) -> Result<(), PrinterError> {
        if self.dialogue.ready()? == Ready::Opened {
            // Another printer may hang on the cable now, and nobody knows what this one holds.
            self.confirmation = None;
            self.clean = false;
        }
        Ok(())
    }

    /// Brings the printer out of whatever an earlier print left: an unfinished raster command, text in its line,
    /// half a receipt on the strip, which must not hang on the next resident's.
    fn clean_up(&mut self) -> Result<(), PrinterError> {
        let mut bytes = encode::RECOVER_AND_CLEAR.to_vec();
        bytes.extend(encode::finish_open_raster(self.model.dots));
        bytes.extend(encode::INITIALISE);
        bytes.extend(encode::FEED_AND_CUT);
        let deadline = Instant::now() + self.speed.time_of(bytes.len()) + PRINT_SLACK;
        self.dialogue.send(&bytes, deadline, false)?;
        self.clean = true;
        Ok(())
    }

    /// The receipt's bytes for this printer on this line.
    fn encoded(&self, receipt: &Receipt) -> Zeroizing<Vec<u8>> {
        match (self.speed, self.model.text) {
            (LineSpeed::Serial { .. }, Some(mode)) if !receipt.parts().is_empty() => {
                encode_receipt_as_text(receipt, mode)
            }
            _ => encode_receipt(receipt.picture()),
        }
    }

    /// Sends the receipt and waits for its confirmation.
    fn run(&mut self, receipt: &Receipt, confirmation: Confirmation) -> Result<PrintLevel, PrinterError> {
        let job = self.encoded(receipt);
        let line_time = self.speed.time_of(job.len());
        let rows = u64::from(receipt.picture().height) * 1000 / u64::from(self.model.rows_per_second_min);
        let mut deadline = Deadline::new(line_time * 2 + Duration::from_millis(rows) + PRINT_SLACK);
        self.dialogue.begin();
        let head = [&encode::INITIALISE[..], &encode::ENABLE_ASB].concat();
        self.dialogue.send(&head, deadline.at, true)?;
        self.feed(&job, &mut deadline)?;
        self.confirm(confirmation, line_time, deadline)
    }

    /// Hands the receipt over piece by piece, and listens meanwhile: a printer that stops takes no more bytes, and
    /// says why.
    fn feed(&mut self, job: &[u8], deadline: &mut Deadline) -> Result<(), PrinterError> {
        let mut rest = job;
        while !rest.is_empty() {
            let chunk = &rest[..rest.len().min(CHUNK)];
            let count = self.dialogue.send_some(chunk, deadline.at.min(Instant::now() + LOOK))?;
            rest = &rest[count..];
            self.watch(deadline)?;
            if count == 0 && Instant::now() >= deadline.at {
                return Err(self.dialogue.why_unconfirmed());
            }
        }
        Ok(())
    }

    /// Looks at what came in while sending; waits as long as the printer asks for it.
    fn watch(&mut self, deadline: &mut Deadline) -> Result<(), PrinterError> {
        loop {
            let holds = self.dialogue.hold;
            let until = if holds { deadline.extended() } else { Instant::now() };
            match self.dialogue.reply(until, true)? {
                Some(reply) => self.dialogue.note(&reply),
                None if holds => return Err(self.dialogue.why_unconfirmed()),
                None => return Ok(()),
            }
            self.dialogue.stop_if_obstructed()?;
        }
    }

    /// Takes back what has not been printed, so that it does not come out by itself when paper is back.
    fn abandon(&mut self) {
        self.dialogue.take_back();
        let deadline = Instant::now() + STATUS_DEADLINE;
        // The next print clears the printer again before it begins.
        if self.ready().is_ok() {
            let _ = self.dialogue.send(&encode::RECOVER_AND_CLEAR, deadline, true);
        }
        self.clean = false;
    }
}

impl ReceiptPrinter for EscPosPrinter {
    fn status(&mut self) -> Result<PrinterStatus, PrinterError> {
        self.ready()?;
        self.dialogue.ask_status(false)
    }

    fn print(&mut self, receipt: &Receipt) -> Result<PrintLevel, PrinterError> {
        receipt.check(self.model.dots)?;
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
        // An earlier receipt that nobody has taken would be seen in place of this one.
        let mouth_was_empty = self.mouth(false)? == Some(false);
        self.reached = PrintLevel::SENT;
        match self.run(receipt, confirmation) {
            Ok(level) => {
                let can_be_seen = mouth_was_empty && level.is_confirmed();
                self.reached = if can_be_seen { self.await_exit(level) } else { level };
                Ok(self.reached)
            }
            Err(error) => {
                tracing::warn!(%error, "a receipt was not confirmed");
                self.abandon();
                Err(error)
            }
        }
    }

    fn follow(&mut self) -> Result<PrintLevel, PrinterError> {
        if self.reached == PrintLevel::OUT {
            self.ready()?;
            if self.mouth(true)? == Some(false) {
                self.reached = PrintLevel::TAKEN;
            }
        }
        Ok(self.reached)
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
