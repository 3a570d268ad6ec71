//! The simulated printer's inside: paper, covers, and the page that comes out next.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::document_printer::JobState;

/// Print-outs in the tray; who lays another on top takes the lowest away.
const TRAY_MAX: usize = 200;

/// What stands in the way, as the printer reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// `media-empty`.
    PaperOut,
    /// `media-jam`.
    Jam,
    /// `cover-open`.
    CoverOpen,
    /// `output-area-full`.
    OutputFull,
    /// `toner-empty`.
    TonerOut,
    /// `paused`.
    Paused,
}

impl Trouble {
    /// The keyword without its suffix (RFC 8011 §5.4.12).
    pub fn stem(self) -> &'static str {
        match self {
            Trouble::PaperOut => "media-empty",
            Trouble::Jam => "media-jam",
            Trouble::CoverOpen => "cover-open",
            Trouble::OutputFull => "output-area-full",
            Trouble::TonerOut => "toner-empty",
            Trouble::Paused => "paused",
        }
    }
}

/// What kind of printer is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineProfile {
    /// From the first byte of a print-out to its first page.
    pub first_page: Duration,
    /// Between two pages.
    pub next_page: Duration,
    /// Whether it takes PDF.
    pub pdf: bool,
    /// Whether it can turn paper.
    pub two_sided: bool,
    /// How many copies it makes at most.
    pub copies: u8,
    /// Whether it counts `job-impressions-completed`.
    pub counts: bool,
    /// Whether it forgets a job as soon as it is over.
    pub forgets: bool,
    /// Whether it carries a severity behind its reasons.
    pub suffixes: bool,
}

impl Default for MachineProfile {
    /// A desk printer of 20 pages a minute.
    fn default() -> MachineProfile {
        MachineProfile {
            first_page: Duration::from_secs(6),
            next_page: Duration::from_secs(3),
            pdf: true,
            two_sided: true,
            copies: 99,
            counts: true,
            forgets: false,
            suffixes: true,
        }
    }
}

/// A job in the printer.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) number: i32,
    pub(super) user: String,
    pub(super) name: String,
    pub(super) state: JobState,
    pub(super) copies: u32,
    pub(super) two_sided: bool,
    pub(super) document: Vec<u8>,
    /// Pages that came out.
    pub(super) done: u32,
    /// Whether it ended badly although it is completed.
    pub(super) with_errors: bool,
    /// When it was made, begun and over, in seconds of the printer's up-time.
    pub(super) created: u32,
    pub(super) begun: Option<u32>,
    pub(super) ended: Option<u32>,
    /// When its print-out arrived, milliseconds since 1970.
    arrived_at_ms: u64,
    /// Which pages are wanted, first and last; none means all.
    ranges: Vec<(u32, u32)>,
    next_page: Option<Instant>,
}

impl Job {
    fn pages(&self) -> u32 {
        let wanted = |page: &u32| {
            self.ranges.is_empty() || self.ranges.iter().any(|(first, last)| (*first..=*last).contains(page))
        };
        let pages = (1..=pages_of(&self.document)).filter(wanted).count();
        // A range that holds no page of the print-out is none.
        u32::try_from(pages).unwrap_or(1).max(1) * self.copies
    }

    fn print_out(&self, pdf: Vec<u8>) -> SimulatedPrintOut {
        SimulatedPrintOut {
            job: self.number,
            at_ms: self.arrived_at_ms,
            pdf,
            pages: self.done,
            copies: self.copies,
            two_sided: self.two_sided,
            complete: self.state == JobState::Completed,
        }
    }
}

/// What lies in the output tray.
#[derive(Clone, PartialEq, Eq)]
pub struct SimulatedPrintOut {
    /// The job's number, which no other print-out of this printer has.
    pub job: i32,
    /// When it arrived, milliseconds since 1970.
    pub at_ms: u64,
    /// The PDF as it arrived.
    pub pdf: Vec<u8>,
    /// Pages that came out, copies counted.
    pub pages: u32,
    /// How many copies were asked for.
    pub copies: u32,
    /// Whether on both sides.
    pub two_sided: bool,
    /// Whether all of it came out.
    pub complete: bool,
}

impl std::fmt::Debug for SimulatedPrintOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SimulatedPrintOut({} pages, complete: {}, [redacted])", self.pages, self.complete)
    }
}

/// The machine: its jobs, its tray, its troubles.
#[derive(Debug)]
pub struct SimulatedDocumentPrinter {
    pub(super) profile: MachineProfile,
    pub(super) jobs: Vec<Job>,
    pub(super) trouble: Option<Trouble>,
    pub(super) warning: Option<Trouble>,
    trouble_after: Option<(u32, Trouble)>,
    tray: Vec<SimulatedPrintOut>,
    last_job: i32,
    switched_on: Instant,
    /// How many times it was asked to show itself.
    pub(super) identified: u32,
}

impl SimulatedDocumentPrinter {
    pub(super) fn new(profile: MachineProfile) -> SimulatedDocumentPrinter {
        SimulatedDocumentPrinter {
            profile,
            jobs: Vec::new(),
            trouble: None,
            warning: None,
            trouble_after: None,
            tray: Vec::new(),
            last_job: 0,
            switched_on: Instant::now(),
            identified: 0,
        }
    }

    /// `printer-up-time`: seconds since it was switched on, from 1.
    pub(super) fn up_time(&self) -> u32 {
        u32::try_from(self.switched_on.elapsed().as_secs()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// What lies in the tray, torn pieces included.
    pub fn tray(&self) -> &[SimulatedPrintOut] {
        &self.tray
    }

    /// What is coming out now: the pages are those that are out so far.
    pub fn coming_out(&self) -> Option<SimulatedPrintOut> {
        let job = self.jobs.iter().find(|job| !job.state.is_over() && job.done > 0)?;
        Some(job.print_out(job.document.clone()))
    }

    /// What stands in its way.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// Whether a job is being printed.
    pub fn is_printing(&self) -> bool {
        self.jobs.iter().any(|job| job.state == JobState::Processing)
    }

    /// Whether the printer holds a job that has not ended.
    pub fn has_jobs(&self) -> bool {
        self.jobs.iter().any(|job| !job.state.is_over())
    }

    /// Pages of the job that is being printed, or stands still, that came out.
    pub fn pages_out(&self) -> u32 {
        self.jobs.iter().find(|job| !job.state.is_over()).map_or(0, |job| job.done)
    }

    pub(super) fn set_trouble(&mut self, trouble: Option<Trouble>) {
        self.trouble = trouble;
    }

    pub(super) fn set_trouble_after(&mut self, pages: u32, trouble: Trouble) {
        self.trouble_after = Some((pages, trouble));
    }

    pub(super) fn forget_trouble_after(&mut self) {
        self.trouble_after = None;
    }

    pub(super) fn spoil_job(&mut self, state: JobState, with_errors: bool) {
        if let Some(job) = self.jobs.iter_mut().find(|job| !job.state.is_over()) {
            job.with_errors = with_errors;
            job.state = state;
        }
        self.collect();
    }

    pub(super) fn new_job(&mut self, user: &str, name: &str, copies: u32, two_sided: bool) -> i32 {
        self.last_job += 1;
        self.jobs.push(Job {
            number: self.last_job,
            user: user.to_owned(),
            name: name.to_owned(),
            state: JobState::Held,
            copies,
            two_sided,
            document: Vec::new(),
            done: 0,
            with_errors: false,
            created: self.up_time(),
            begun: None,
            ended: None,
            arrived_at_ms: 0,
            ranges: Vec::new(),
            next_page: None,
        });
        self.last_job
    }

    /// Only these pages of a job are wanted, first and last.
    pub(super) fn choose_pages(&mut self, number: i32, ranges: Vec<(u32, u32)>) {
        if let Some(job) = self.jobs.iter_mut().find(|job| job.number == number) {
            job.ranges = ranges;
        }
    }

    /// Whether a job was made and its print-out has not arrived yet.
    pub(super) fn is_waiting_for_its_print_out(&self, number: i32) -> bool {
        self.jobs.iter().any(|job| job.number == number && job.state == JobState::Held)
    }

    /// The whole print-out has arrived.
    pub(super) fn load(&mut self, number: i32, document: Vec<u8>) {
        if let Some(job) = self.jobs.iter_mut().find(|job| job.number == number) {
            job.document = document;
            job.arrived_at_ms = now_ms();
            job.state = JobState::Pending;
        }
    }

    /// Takes a job back; false when it is over.
    pub(super) fn cancel(&mut self, number: i32) -> bool {
        let job = self.jobs.iter_mut().find(|job| job.number == number && !job.state.is_over());
        let found = job.map(|job| job.state = JobState::Cancelled).is_some();
        self.collect();
        found
    }

    /// Takes back all jobs of this host.
    pub(super) fn cancel_jobs_of(&mut self, user: &str) {
        let theirs: Vec<i32> =
            self.jobs.iter().filter(|job| job.user == user).map(|job| job.number).collect();
        for number in theirs {
            self.cancel(number);
        }
    }

    /// No print-out comes for this job any more.
    pub(super) fn close(&mut self, number: i32) {
        if self.is_waiting_for_its_print_out(number) {
            self.cancel(number);
        }
    }

    /// How many times it was asked to show itself.
    pub fn identified(&self) -> u32 {
        self.identified
    }

    /// Without power the machine forgets its jobs; what is on paper stays.
    pub(super) fn power_off(&mut self) {
        self.jobs.iter_mut().filter(|job| !job.state.is_over()).for_each(|job| job.state = JobState::Aborted);
        self.collect();
        self.jobs.clear();
    }

    /// Lets come out what is due.
    pub(super) fn advance(&mut self, now: Instant) {
        let up_time = self.up_time();
        while let Some(job) =
            self.jobs.iter_mut().find(|job| !job.state.is_over() && !job.document.is_empty())
        {
            if self.trouble.is_some() {
                if job.state == JobState::Processing {
                    job.state = JobState::Stopped;
                }
                // The paper path starts again when it is free.
                job.next_page = None;
                return;
            }
            job.state = JobState::Processing;
            job.begun.get_or_insert(up_time);
            let wait = if job.done == 0 { self.profile.first_page } else { self.profile.next_page };
            let due = *job.next_page.get_or_insert(now + wait);
            if let Some((_, trouble)) = self.trouble_after.take_if(|(pages, _)| *pages <= job.done) {
                self.trouble = Some(trouble);
                continue;
            }
            if now < due {
                return;
            }
            job.done += 1;
            job.next_page = Some(due + self.profile.next_page);
            if job.done >= job.pages() {
                job.state = JobState::Completed;
                // A trouble that was to come behind the last page comes now.
                if let Some((_, trouble)) = self.trouble_after.take_if(|(pages, _)| *pages <= job.done) {
                    self.trouble = Some(trouble);
                }
                self.collect();
            }
        }
    }

    /// Lays what has ended into the tray.
    fn collect(&mut self) {
        let up_time = self.up_time();
        for job in self.jobs.iter_mut().filter(|job| job.state.is_over()) {
            job.ended.get_or_insert(up_time);
        }
        for job in self.jobs.iter_mut().filter(|job| job.state.is_over() && !job.document.is_empty()) {
            let pdf = std::mem::take(&mut job.document);
            if job.done > 0 {
                self.tray.push(job.print_out(pdf));
            }
        }
        self.tray.drain(..self.tray.len().saturating_sub(TRAY_MAX));
        if self.profile.forgets {
            self.jobs.retain(|job| !job.state.is_over());
        }
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Pages of a print-out: of PWG raster by the heads of its pages (PWG 5102.4 §4.3), of a PDF whose objects are not
/// packed; one at least, as in a picture.
fn pages_of(pdf: &[u8]) -> u32 {
    const PAGE_HEAD: &[u8] = b"PwgRaster\0";
    if pdf.starts_with(b"RaS2") {
        let heads = pdf.windows(PAGE_HEAD.len()).filter(|bytes| *bytes == PAGE_HEAD).count();
        return u32::try_from(heads).unwrap_or(1).max(1);
    }
    let text = String::from_utf8_lossy(pdf);
    let pages = text.replace("/Type /Page", "/Type/Page").matches("/Type/Page").count();
    let trees = text.replace("/Type /Page", "/Type/Page").matches("/Type/Pages").count();
    u32::try_from(pages.saturating_sub(trees)).unwrap_or(1).max(1)
}
