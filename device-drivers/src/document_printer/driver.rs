//! The printer behind IPP: state first, then the job, then the printer's own word that it is done.
//!
//! A print-out is handed over once per call. What does not end in time is taken back; where that is impossible, the
//! error says so, and the next print looks through the printer's jobs and takes back what is ours before anything else.
//! So does the first print of a process: a kiosk that was killed in the middle leaves nothing for the next resident.

use std::time::{Duration, Instant};

use ipp::parser::IppParseError;
use ipp::prelude::Uri;
use zeroize::Zeroizing;

use super::http_line::{HttpLine, LineError};
use super::protocol::answer::decode;
use super::protocol::{Answer, Asker, JobFacts, JobNumber, JobState, Obstacle, PrinterFacts};
use super::{
    DocumentPrinter, DocumentPrinterError, DocumentPrinterStatus, Failure, Go, JobProgress, MAX_PDF_BYTES,
    PrintOut, Printed, Sides,
};

/// The port of IPP (RFC 8010 §4.3).
const IPP_PORT: u16 = 631;

/// How long each thing may take. The defaults are ours and were chosen without a real printer at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// An answer to a question.
    pub answer: Duration,
    /// The first answer of a printer that sleeps.
    pub wake: Duration,
    /// Handing over a whole print-out.
    pub hand_over: Duration,
    /// Between two looks at a job.
    pub poll: Duration,
    /// How long a printer at work may say nothing at all.
    pub lost: Duration,
    /// How long it may take to take a job back.
    pub withdraw: Duration,
    /// How long after the last page a jam may still show.
    pub settle: Duration,
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        Deadlines {
            answer: Duration::from_secs(5),
            wake: Duration::from_secs(30),
            hand_over: Duration::from_secs(60),
            poll: Duration::from_millis(500),
            lost: Duration::from_secs(10),
            withdraw: Duration::from_secs(10),
            settle: Duration::from_secs(3),
        }
    }
}

/// Why an address or a name cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not of the form `ipp://host[:port]/path`. Encrypted `ipps` is not spoken here.
    #[error("a document printer's address looks like ipp://host/ipp/print")]
    Address,
    /// Too long for the protocol.
    #[error("the printer's address or the terminal's name is too long")]
    TooLong,
}

/// An IPP Everywhere printer.
pub struct IppDocumentPrinter {
    line: HttpLine,
    asker: Asker,
    deadlines: Deadlines,
    last_id: i32,
    /// Nothing of ours is left in the printer.
    clean: bool,
}

impl IppDocumentPrinter {
    /// The printer at `address` (`ipp://host[:port]/path`; the path is nearly always `/ipp/print`). It is spoken to at
    /// the first use and may be switched on later. `terminal` is what it files our jobs under: the terminal's code.
    pub fn new(address: &str, terminal: &str) -> Result<IppDocumentPrinter, AddressError> {
        let uri: Uri = address.parse().map_err(|_| AddressError::Address)?;
        let host = uri.host().filter(|host| !host.is_empty() && uri.scheme_str() == Some("ipp"));
        let host = host.ok_or(AddressError::Address)?;
        let url = format!("http://{host}:{}{}", uri.port_u16().unwrap_or(IPP_PORT), uri.path());
        let asker = Asker::new(uri, terminal).map_err(|_| AddressError::TooLong)?;
        let line = HttpLine::new(url);
        Ok(IppDocumentPrinter { line, asker, deadlines: Deadlines::default(), last_id: 0, clean: false })
    }

    /// The same printer with other deadlines.
    pub fn with_deadlines(self, deadlines: Deadlines) -> IppDocumentPrinter {
        IppDocumentPrinter { deadlines, ..self }
    }

    /// Sends one request, with a print-out behind it, and takes its answer whatever status it has.
    fn ask(
        &mut self,
        within: Duration,
        request: impl FnOnce(&Asker, i32) -> Result<Vec<u8>, IppParseError>,
        pdf: &[u8],
    ) -> Result<Answer, Failure> {
        self.last_id = self.last_id % i32::MAX + 1;
        // Lengths were checked when the address was taken, so a request can always be written.
        let request = request(&self.asker, self.last_id).map_err(|_| Failure::Garbled)?;
        let mut message = Zeroizing::new(Vec::with_capacity(request.len() + pdf.len()));
        message.extend_from_slice(&request);
        message.extend_from_slice(pdf);
        let answer = self.line.ask(&message, within).map_err(failure_of)?;
        decode(&answer, self.last_id).map_err(|error| {
            tracing::debug!(%error, "the document printer's answer cannot be understood");
            Failure::Garbled
        })
    }

    fn question(
        &mut self,
        request: impl FnOnce(&Asker, i32) -> Result<Vec<u8>, IppParseError>,
    ) -> Result<Answer, Failure> {
        self.ask(self.deadlines.answer, request, &[])
    }

    fn facts(&mut self, within: Duration) -> Result<PrinterFacts, Failure> {
        let answer = self.ask(within, Asker::printer_attributes, &[])?;
        done(&answer)?;
        answer.printer().map_err(|_| Failure::Garbled)
    }

    /// Looks at a job; `None` when the printer does not know it (any more).
    fn look(&mut self, job: JobNumber) -> Result<Option<JobFacts>, Failure> {
        let answer = self.question(|asker, id| asker.job_attributes(id, job))?;
        if matches!(answer.status, 0x0406 | 0x0407) {
            return Ok(None);
        }
        done(&answer)?;
        answer.job().map(Some).map_err(|_| Failure::Garbled)
    }

    /// Takes every job of ours back that is left in the printer, and returns how many there were. For a technician;
    /// a print does it by itself.
    pub fn take_back(&mut self) -> Result<usize, DocumentPrinterError> {
        let left = self.our_jobs().map_err(DocumentPrinterError::before)?.len();
        self.clean = false;
        self.clean_up()?;
        Ok(left)
    }

    /// The jobs of ours that are not over.
    fn our_jobs(&mut self) -> Result<Vec<JobNumber>, Failure> {
        let answer = self.question(Asker::my_jobs)?;
        let ours = answer
            .jobs()
            // A printer may answer with everybody's jobs, whatever was asked.
            .filter(|job| !job.state.is_over() && job.user.as_deref() == Some(self.asker.user()))
            .map(|job| job.number);
        Ok(ours.collect())
    }

    /// Takes back what an earlier print, or an earlier life of this process, left in the printer.
    fn clean_up(&mut self) -> Result<(), DocumentPrinterError> {
        let until = Instant::now() + self.deadlines.withdraw;
        while !self.clean {
            let ours = self.our_jobs().map_err(DocumentPrinterError::before)?;
            self.clean = ours.is_empty();
            if !self.clean && Instant::now() >= until {
                return Err(DocumentPrinterError {
                    left_behind: true,
                    ..DocumentPrinterError::before(Failure::Busy)
                });
            }
            for job in ours {
                tracing::debug!("an earlier job is taken back from the document printer");
                let _ = self.question(|asker, id| asker.cancel_job(id, job));
                std::thread::sleep(self.deadlines.poll);
            }
        }
        Ok(())
    }

    fn create_job(&mut self, print_out: &PrintOut<'_>, printer: &PrinterFacts) -> Result<JobNumber, Failure> {
        let wanted = if printer.two_sided { print_out.sides } else { Sides::One };
        let sides = printer.knows_sides.then_some(wanted);
        let answer = self.question(|asker, id| asker.create_job(id, print_out.copies, sides))?;
        done(&answer)?;
        answer.job().map(|job| job.number).map_err(|_| Failure::Garbled)
    }

    fn hand_over(&mut self, job: JobNumber, pdf: &[u8]) -> Result<(), Failure> {
        let answer = self.ask(self.deadlines.hand_over, |asker, id| asker.send_document(id, job), pdf)?;
        done(&answer)
    }

    /// Waits until the job has ended.
    fn follow(
        &mut self,
        job: JobNumber,
        patience: Duration,
        watch: &mut dyn FnMut(JobProgress) -> Go,
    ) -> Result<Printed, DocumentPrinterError> {
        let until = Instant::now() + patience;
        let mut heard = Instant::now();
        let mut started = false;
        let mut suspect = None;
        loop {
            let seen = match self.look(job) {
                Ok(None) => return Err(ended(Failure::Unconfirmed, true)),
                Ok(Some(facts)) if facts.state.is_over() => return self.conclude(&facts, None, started),
                Ok(Some(facts)) => self.facts(self.deadlines.answer).map(|printer| (facts, printer)),
                Err(failure) => Err(failure),
            };
            match seen {
                Ok((facts, printer)) => {
                    heard = Instant::now();
                    started |= has_begun(&facts);
                    let stopped = printer.stopped || facts.state == JobState::Stopped;
                    let obstacle = printer.reasons.obstacle(stopped);
                    suspect = obstacle.or(printer.reasons.named());
                    let progress =
                        JobProgress { state: facts.state, impressions: facts.impressions, obstacle };
                    if watch(progress) == Go::Withdraw {
                        return self.withdraw(job, Failure::Withdrawn, started);
                    }
                }
                Err(failure) if heard.elapsed() >= self.deadlines.lost => {
                    self.clean = false;
                    return Err(DocumentPrinterError { failure, started: true, left_behind: true });
                }
                Err(_) => {}
            }
            if Instant::now() >= until {
                let failure = suspect.map_or(Failure::Unfinished, Failure::Obstacle);
                return self.withdraw(job, failure, started);
            }
            std::thread::sleep(self.deadlines.poll);
        }
    }

    /// Takes a job back because of `failure`, and makes sure that it is over.
    fn withdraw(
        &mut self,
        job: JobNumber,
        failure: Failure,
        started: bool,
    ) -> Result<Printed, DocumentPrinterError> {
        let until = Instant::now() + self.deadlines.withdraw;
        let mut started = started;
        loop {
            // Asked again each time: the first may have been lost, and a job that is over only says so.
            let _ = self.question(|asker, id| asker.cancel_job(id, job));
            match self.look(job) {
                Ok(None) => return Err(ended(failure, started)),
                Ok(Some(facts)) if facts.state.is_over() => {
                    return self.conclude(&facts, Some(failure), started);
                }
                Ok(Some(facts)) => started |= has_begun(&facts),
                Err(_) => {}
            }
            if Instant::now() >= until {
                self.clean = false;
                return Err(DocumentPrinterError { failure, started, left_behind: true });
            }
            std::thread::sleep(self.deadlines.poll);
        }
    }

    /// What becomes of a job that is over. It may be printed although it was to be taken back.
    fn conclude(
        &mut self,
        facts: &JobFacts,
        withdrawn: Option<Failure>,
        started: bool,
    ) -> Result<Printed, DocumentPrinterError> {
        let failure = match facts.state {
            JobState::Completed if facts.with_errors => Failure::Unconfirmed,
            JobState::Completed => return self.settle(facts),
            JobState::Aborted => withdrawn.unwrap_or(Failure::Aborted),
            _ => withdrawn.unwrap_or(Failure::Cancelled),
        };
        Err(ended(
            failure,
            started || facts.state == JobState::Completed || facts.impressions.unwrap_or(0) > 0,
        ))
    }

    /// A jam of the last page shows after the job counts as completed. Everything else that shows then came later.
    fn settle(&mut self, facts: &JobFacts) -> Result<Printed, DocumentPrinterError> {
        let until = Instant::now() + self.deadlines.settle;
        loop {
            match self.facts(self.deadlines.answer) {
                Ok(printer) if printer.obstacle() == Some(Obstacle::Jam) => {
                    return Err(ended(Failure::Obstacle(Obstacle::Jam), true));
                }
                Ok(printer) if !printer.idle && Instant::now() < until => {}
                Ok(_) | Err(_) => return Ok(Printed { impressions: facts.impressions }),
            }
            std::thread::sleep(self.deadlines.poll);
        }
    }
}

impl DocumentPrinter for IppDocumentPrinter {
    fn status(&mut self) -> Result<DocumentPrinterStatus, DocumentPrinterError> {
        let printer = self.facts(self.deadlines.answer).map_err(DocumentPrinterError::before)?;
        Ok(DocumentPrinterStatus {
            obstacle: printer.obstacle(),
            attention: printer.reasons.attention(),
            accepting: printer.accepting,
            two_sided: printer.two_sided,
        })
    }

    fn print(
        &mut self,
        print_out: &PrintOut<'_>,
        patience: Duration,
        watch: &mut dyn FnMut(JobProgress) -> Go,
    ) -> Result<Printed, DocumentPrinterError> {
        let before = DocumentPrinterError::before;
        let good = print_out.pdf.starts_with(b"%PDF-") && print_out.pdf.len() <= MAX_PDF_BYTES;
        if !good || print_out.copies == 0 {
            return Err(before(Failure::BadPrintOut));
        }
        let printer = self.facts(self.deadlines.wake).map_err(before)?;
        may_print(print_out, &printer).map_err(before)?;
        self.clean_up()?;
        let job = self.create_job(print_out, &printer).map_err(|failure| {
            // The job may be there, without a page in it, and in the way of the next.
            self.clean = false;
            let _ = self.clean_up();
            before(failure)
        })?;
        match self.hand_over(job, print_out.pdf) {
            Ok(()) => self.follow(job, patience, watch),
            // Whether the printer has enough of it to begin, nobody knows.
            Err(failure) => self.withdraw(job, failure, failure != Failure::Gone),
        }
    }
}

/// Whether the printer can take this print-out now.
fn may_print(print_out: &PrintOut<'_>, printer: &PrinterFacts) -> Result<(), Failure> {
    match printer.obstacle() {
        Some(obstacle) => Err(Failure::Obstacle(obstacle)),
        None if !printer.pdf => Err(Failure::NoPdf),
        None if u32::from(print_out.copies) > printer.copies => Err(Failure::Copies),
        None if !printer.accepting => Err(Failure::Busy),
        None => Ok(()),
    }
}

fn has_begun(facts: &JobFacts) -> bool {
    matches!(facts.state, JobState::Processing | JobState::Stopped) || facts.impressions.unwrap_or(0) > 0
}

/// The job is over, and this is why it did not come out.
fn ended(failure: Failure, started: bool) -> DocumentPrinterError {
    DocumentPrinterError { failure, started, left_behind: false }
}

fn failure_of(error: LineError) -> Failure {
    match error {
        LineError::Unreachable => Failure::Gone,
        LineError::Silent => Failure::NoAnswer,
        LineError::Cut => Failure::Cut,
        LineError::Garbled => Failure::Garbled,
        LineError::Status(status) => Failure::Http(status),
    }
}

/// Whether the printer did as it was asked (RFC 8011 appendix B).
fn done(answer: &Answer) -> Result<(), Failure> {
    match answer.status {
        _ if answer.is_success() => Ok(()),
        0x040A => Err(Failure::NoPdf),
        0x0504 => Err(Failure::Obstacle(Obstacle::Fault)),
        0x0502 | 0x0505..=0x0507 => Err(Failure::Busy),
        0x0508 => Err(Failure::Cancelled),
        status => Err(Failure::Refused(status)),
    }
}
