//! The A4 printer: its state, a test page, and jobs that were left in it.

use std::time::Duration;

use clap::Subcommand;
use device_drivers::document_printer::{
    DocumentPrinter, DocumentPrinterError, Failure as PrintFailure, Go, IppDocumentPrinter, JobProgress,
    JobState, Obstacle, PrintOut, Sides,
};

use crate::answer::{Failure, Outcome, fact, yes};

#[derive(clap::Args)]
pub struct DocumentPrinterKind {
    /// Address of the printer, as ipp://192.0.2.7/ipp/print
    #[arg(long, value_name = "URI")]
    uri: String,
    /// Name that the printer files our jobs under; the terminal's code to reach the kiosk's own
    #[arg(long, default_value = "devctl")]
    terminal: String,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// The printer's state
    Status,
    /// Print a test page and wait until the printer says that it is done
    TestPage {
        /// How many copies
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
        copies: u8,
        /// Two pages on one sheet
        #[arg(long)]
        two_sided: bool,
        /// Seconds to wait before the job is taken back
        #[arg(long, default_value_t = 60)]
        wait: u64,
    },
    /// Take back our jobs that are left in the printer
    Cancel,
}

impl From<DocumentPrinterError> for Failure {
    fn from(error: DocumentPrinterError) -> Failure {
        Failure::device(&error, error.remedy())
    }
}

impl DocumentPrinterKind {
    pub fn run(self) -> Outcome {
        let mut printer = IppDocumentPrinter::new(&self.uri, &self.terminal).map_err(Failure::usage)?;
        match self.verb {
            Verb::Status => status(&mut printer)?,
            Verb::TestPage { copies, two_sided, wait } => {
                let (sides, pages) = if two_sided { (Sides::Both, 2) } else { (Sides::One, 1) };
                let pdf = test_page(pages);
                let print_out = PrintOut { pdf: &pdf, copies, sides };
                let printed = printer.print(&print_out, Duration::from_secs(wait), &mut tell_changes())?;
                let counted = printed.impressions.map_or("not counted".to_owned(), |sides| sides.to_string());
                fact("impressions", counted);
                fact("job", "printed");
            }
            Verb::Cancel => fact("taken-back", printer.take_back()?),
        }
        Ok(())
    }
}

fn status(printer: &mut IppDocumentPrinter) -> Outcome {
    let status = printer.status()?;
    fact("obstacle", status.obstacle.map_or("-", word));
    fact("attention", status.attention.map_or("-", word));
    fact("accepting", yes(status.accepting));
    fact("two-sided", yes(status.two_sided));
    let Some(obstacle) = status.obstacle else { return Ok(()) };
    let failure = PrintFailure::Obstacle(obstacle);
    Err(DocumentPrinterError { failure, started: false, left_behind: false }.into())
}

/// Tells where the job stands, each time that it changes.
fn tell_changes() -> impl FnMut(JobProgress) -> Go {
    let mut told = None;
    move |progress| {
        let now = (progress.state, progress.obstacle);
        if told != Some(now) {
            fact("job", state(progress.state));
            if let Some(obstacle) = progress.obstacle {
                fact("obstacle", word(obstacle));
            }
            told = Some(now);
        }
        Go::On
    }
}

fn state(state: JobState) -> &'static str {
    match state {
        JobState::Pending => "pending",
        JobState::Held => "held",
        JobState::Processing => "processing",
        JobState::Stopped => "stopped",
        JobState::Cancelled => "cancelled",
        JobState::Aborted => "aborted",
        JobState::Completed => "completed",
    }
}

fn word(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::CoverOpen => "cover-open",
        Obstacle::Jam => "jam",
        Obstacle::PaperEnd => "paper-end",
        Obstacle::OutputFull => "output-full",
        Obstacle::TonerEmpty => "toner-empty",
        Obstacle::Paused => "paused",
        Obstacle::Fault => "fault",
    }
}

/// A PDF (ISO 32000-1) of A4 pages: a frame 10 mm from the edge, grey steps, and a line of text in a font that every
/// printer has.
fn test_page(pages: usize) -> Vec<u8> {
    let kids: Vec<_> = (0..pages).map(|page| format!("{} 0 R", 4 + 2 * page)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {pages} /Kids [{}] >>", kids.join(" ")),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    for page in 0..pages {
        let content = 5 + 2 * page;
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> \
             /Contents {content} 0 R >>"
        ));
        let steps: String = (0..8)
            .map(|step| format!("{} g {} 600 50 50 re f ", step as f32 / 8.0, 97 + step * 50))
            .collect();
        let drawn = format!(
            "28 28 539 786 re S {steps}0 g BT /F 24 Tf 97 700 Td (devctl test page {} of {pages}) Tj ET",
            page + 1
        );
        objects.push(format!("<< /Length {} >>\nstream\n{drawn}\nendstream", drawn.len()));
    }
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut places = String::new();
    for (number, object) in (1..).zip(&objects) {
        places += &format!("{:010} 00000 n \n", pdf.len());
        pdf += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let (size, start) = (objects.len() + 1, pdf.len());
    pdf += &format!("xref\n0 {size}\n0000000000 65535 f \n{places}trailer\n<< /Size {size} /Root 1 0 R >>\n");
    pdf += &format!("startxref\n{start}\n%%EOF\n");
    pdf.into_bytes()
}
