//! How far a print is known to have come: what the printer can confirm, and waiting for it.

use std::time::{Duration, Instant};

use super::{Deadline, EscPosPrinter};
use crate::receipt_printer::protocol::encode::{self, ProcessId};
use crate::receipt_printer::protocol::reply::Reply;
use crate::receipt_printer::protocol::status::RollPaper;
use crate::receipt_printer::{PrintLevel, PrinterError};

/// How long the printer may take to work off the few bytes before a probe.
const PROBE_DEADLINE: Duration = Duration::from_secs(2);
/// Times that a queued question is asked again because its answer may have gone under in noise.
const ASKED_AGAIN_MAX: usize = 3;
/// Quiet after which no more of a disturbed answer comes.
const QUIET: Duration = Duration::from_millis(50);
/// How long a cut receipt may take to reach the sensor at the mouth.
const EXIT_DEADLINE: Duration = Duration::from_secs(2);
/// Time between two questions to that sensor.
const EXIT_LOOK: Duration = Duration::from_millis(50);

/// What the printer can confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirmation {
    ProcessId,
    QueuedStatus,
    Nothing,
}

impl EscPosPrinter {
    /// Finds out once how the printer confirms. GS r stands behind the question as a fence: when it is answered
    /// and the process id was not, there is no process id. A printer that takes the question for text has it in
    /// its line, unprinted, until the ESC @ of the receipt that follows wipes it off.
    pub(super) fn learn_confirmation(&mut self) -> Result<Confirmation, PrinterError> {
        if let Some(known) = self.confirmation {
            return Ok(known);
        }
        let id = self.next_id();
        let mut bytes = id.request().to_vec();
        bytes.extend(encode::QUEUED_STATUS);
        let deadline = Instant::now() + PROBE_DEADLINE;
        self.dialogue.noise = false;
        self.dialogue.send(&bytes, deadline, false)?;
        let mut found = Confirmation::Nothing;
        while let Some(reply) = self.dialogue.reply(deadline, false)? {
            match reply {
                Reply::ProcessId(answer) if answer == id => found = Confirmation::ProcessId,
                Reply::QueuedStatus(_) => {
                    if found == Confirmation::Nothing {
                        found = Confirmation::QueuedStatus;
                    }
                    break;
                }
                other => self.dialogue.note(&other),
            }
        }
        // What was learnt among noise, or from silence, is learnt again at the next print.
        if found != Confirmation::Nothing && !self.dialogue.noise {
            self.confirmation = Some(found);
        }
        tracing::debug!(?found, "how the receipt printer confirms");
        Ok(found)
    }

    pub(super) fn next_id(&mut self) -> ProcessId {
        self.last_id = (self.last_id + 1) % 10_000;
        ProcessId::from_number(self.last_id)
    }

    /// Asks for the confirmation of everything sent so far and waits for it.
    pub(super) fn confirm(
        &mut self,
        confirmation: Confirmation,
        line_time: Duration,
        deadline: Deadline,
    ) -> Result<PrintLevel, PrinterError> {
        match confirmation {
            Confirmation::ProcessId => self.await_process_id(deadline),
            Confirmation::QueuedStatus => self.await_queued_status(deadline),
            Confirmation::Nothing => self.settle_unconfirmed(line_time),
        }
    }

    fn await_process_id(&mut self, deadline: Deadline) -> Result<PrintLevel, PrinterError> {
        let id = self.next_id();
        self.answer_to(&id.request(), deadline, |reply, _| *reply == Reply::ProcessId(id))?;
        // Without a word of the printer's own about its state this proves no more than GS r does.
        let silent = self.dialogue.asb.is_none();
        Ok(if silent { PrintLevel::PROCESSED } else { PrintLevel::COMPLETED })
    }

    fn await_queued_status(&mut self, deadline: Deadline) -> Result<PrintLevel, PrinterError> {
        // One byte without a mark: among noise it may be what is left of something else.
        let trusted = |reply: &Reply, noise: bool| !noise && matches!(reply, Reply::QueuedStatus(_));
        let answer = self.answer_to(&encode::QUEUED_STATUS, deadline, trusted)?;
        let paper = match answer {
            Reply::QueuedStatus(byte) => RollPaper::from_queued(byte).unwrap_or_default(),
            _ => RollPaper::default(),
        };
        let end = PrinterError::PaperEnd { started: true };
        if paper.end { Err(end) } else { Ok(PrintLevel::PROCESSED) }
    }

    /// Asks a queued question and waits for the answer; asks again when noise may have swallowed it.
    fn answer_to(
        &mut self,
        question: &[u8],
        mut deadline: Deadline,
        is_answer: impl Fn(&Reply, bool) -> bool,
    ) -> Result<Reply, PrinterError> {
        let mut again = 0;
        self.let_noise_pass(deadline.at, &is_answer)?;
        self.dialogue.send(question, deadline.at, true)?;
        loop {
            let reply = self.next_before(&mut deadline)?;
            if is_answer(&reply, self.dialogue.noise) {
                return Ok(reply);
            }
            self.dialogue.note(&reply);
            if self.dialogue.noise {
                if let Some(answer) = self.let_noise_pass(deadline.at, &is_answer)? {
                    return Ok(answer);
                }
                if again == ASKED_AGAIN_MAX {
                    return Err(PrinterError::Unconfirmed);
                }
                again += 1;
                self.dialogue.send(question, deadline.at, true)?;
            }
            self.dialogue.stop_if_obstructed()?;
        }
    }

    /// The next thing that the printer says before the deadline; a missed one is explained.
    fn next_before(&mut self, deadline: &mut Deadline) -> Result<Reply, PrinterError> {
        let until = if self.dialogue.hold { deadline.extended() } else { deadline.at };
        let reply = self.dialogue.reply(until, true)?;
        reply.ok_or_else(|| self.dialogue.why_unconfirmed())
    }

    /// Throws away what is left of a disturbed answer, if there was one, up to an answer that stands among the noise.
    fn let_noise_pass(
        &mut self,
        deadline: Instant,
        is_answer: &impl Fn(&Reply, bool) -> bool,
    ) -> Result<Option<Reply>, PrinterError> {
        while self.dialogue.noise && Instant::now() < deadline {
            match self.dialogue.reply(Instant::now() + QUIET, true)? {
                Some(reply) if is_answer(&reply, true) => return Ok(Some(reply)),
                Some(reply) => self.dialogue.note(&reply),
                None => self.dialogue.noise = false,
            }
        }
        self.dialogue.stop_if_obstructed().map(|()| None)
    }

    /// A printer that confirms nothing at all: the line's time must have passed, and its state must be good.
    fn settle_unconfirmed(&mut self, line_time: Duration) -> Result<PrintLevel, PrinterError> {
        let until = Instant::now() + line_time;
        while let Some(reply) = self.dialogue.reply(until, true)? {
            self.dialogue.note(&reply);
            self.dialogue.stop_if_obstructed()?;
        }
        match self.dialogue.ask_status(true)?.obstacle(true) {
            Some(obstacle) => Err(obstacle),
            None => Ok(PrintLevel::SENT),
        }
    }

    /// Whether paper is in the mouth now; `None` without a sensor, or when it does not answer.
    pub(super) fn mouth(&mut self, started: bool) -> Result<Option<bool>, PrinterError> {
        match &self.model.exit_sensor {
            Some(sensor) => self.dialogue.ask_exit(sensor, started),
            None => Ok(None),
        }
    }

    /// Waits for a cut receipt to reach the sensor at the mouth. What the sensor does not say is not said here: the
    /// print was confirmed without it.
    pub(super) fn await_exit(&mut self, level: PrintLevel) -> PrintLevel {
        let deadline = Instant::now() + EXIT_DEADLINE;
        while Instant::now() < deadline {
            match self.mouth(true) {
                Ok(Some(true)) => return PrintLevel::OUT,
                Ok(Some(false)) => std::thread::sleep(EXIT_LOOK),
                Ok(None) | Err(_) => break,
            }
        }
        level
    }
}
