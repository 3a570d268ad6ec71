//! What is asked of a printer: IPP/2.0 requests (RFC 8010 §3, RFC 8011 §4).
//!
//! A print-out is handed over in two steps, Create-Job and Send-Document, and not in one: the job has its number before
//! any page of it can come out, so that it can be taken back whatever happens to the line. All operations used here are
//! required of an IPP Everywhere printer (PWG 5100.14 §5.1).

use ipp::attribute::IppAttribute;
use ipp::model::{DelimiterTag, IppVersion, Operation};
use ipp::parser::IppParseError;
use ipp::prelude::Uri;
use ipp::request::IppRequestResponse;
use ipp::value::IppValue;

use super::answer::JobNumber;
use crate::document_printer::Sides;

/// The only format that is sent.
pub const PDF: &str = "application/pdf";
/// The only paper that is asked for (PWG 5101.1).
pub const A4: &str = "iso_a4_210x297mm";
/// What jobs are called. Nothing of a print-out's content goes into a name that a printer shows and logs.
const JOB_NAME: &str = "kiosk print-out";
/// More jobs of ours than ever lie in a printer.
const MAX_JOBS: i32 = 20;

/// What is asked about a printer.
const PRINTER_ATTRIBUTES: [&str; 6] = [
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "document-format-supported",
    "copies-supported",
    "sides-supported",
];
/// What is asked about a job.
const JOB_ATTRIBUTES: [&str; 5] =
    ["job-id", "job-state", "job-state-reasons", "job-impressions-completed", "job-originating-user-name"];

/// Who asks, and which printer: what every request says.
#[derive(Debug, Clone)]
pub struct Asker {
    printer: Uri,
    user: String,
}

impl Asker {
    /// `user` is what the printer files our jobs under, at most 255 bytes: a terminal's code, never a person's name.
    pub fn new(printer: Uri, user: &str) -> Result<Asker, IppParseError> {
        let asker = Asker { printer, user: user.to_owned() };
        // What is too long for the protocol is refused here and not in the middle of a print.
        asker.printer_attributes(1)?;
        Ok(asker)
    }

    /// What our jobs are filed under.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Get-Printer-Attributes (RFC 8011 §4.2.5).
    pub fn printer_attributes(&self, id: i32) -> Result<Vec<u8>, IppParseError> {
        self.ask(Operation::GetPrinterAttributes, id)?.wanting(&PRINTER_ATTRIBUTES)?.bytes()
    }

    /// Create-Job (§4.2.4). `sides` is left out for a printer that does not know the choice.
    pub fn create_job(&self, id: i32, copies: u8, sides: Option<Sides>) -> Result<Vec<u8>, IppParseError> {
        let message = self
            .ask(Operation::CreateJob, id)?
            .operation("job-name", IppValue::new_name_without_language(JOB_NAME)?)?
            .operation("ipp-attribute-fidelity", IppValue::Boolean(false))?
            .job("copies", IppValue::Integer(i32::from(copies)))?
            .job("media", IppValue::new_keyword(A4)?)?;
        let word = |sides| match sides {
            Sides::One => "one-sided",
            Sides::Both => "two-sided-long-edge",
        };
        match sides {
            Some(sides) => message.job("sides", IppValue::new_keyword(word(sides))?)?.bytes(),
            None => message.bytes(),
        }
    }

    /// Send-Document (§4.3.1), without the document: its bytes follow.
    pub fn send_document(&self, id: i32, job: JobNumber) -> Result<Vec<u8>, IppParseError> {
        self.ask_about(Operation::SendDocument, id, job)?
            .operation("document-format", IppValue::new_mime_media_type(PDF)?)?
            .operation("last-document", IppValue::Boolean(true))?
            .bytes()
    }

    /// Get-Job-Attributes (§4.3.4).
    pub fn job_attributes(&self, id: i32, job: JobNumber) -> Result<Vec<u8>, IppParseError> {
        self.ask_about(Operation::GetJobAttributes, id, job)?.wanting(&JOB_ATTRIBUTES)?.bytes()
    }

    /// Get-Jobs (§4.2.6): those of ours that have not ended.
    pub fn my_jobs(&self, id: i32) -> Result<Vec<u8>, IppParseError> {
        self.ask(Operation::GetJobs, id)?
            .operation("limit", IppValue::Integer(MAX_JOBS))?
            .operation("which-jobs", IppValue::new_keyword("not-completed")?)?
            .operation("my-jobs", IppValue::Boolean(true))?
            .wanting(&JOB_ATTRIBUTES)?
            .bytes()
    }

    /// Cancel-Job (§4.3.3).
    pub fn cancel_job(&self, id: i32, job: JobNumber) -> Result<Vec<u8>, IppParseError> {
        self.ask_about(Operation::CancelJob, id, job)?.bytes()
    }

    fn ask(&self, operation: Operation, id: i32) -> Result<Message, IppParseError> {
        self.message(operation, id)?.by(&self.user)
    }

    fn ask_about(&self, operation: Operation, id: i32, job: JobNumber) -> Result<Message, IppParseError> {
        // The job's number stands right behind the printer's address (RFC 8011 §4.1.5).
        self.message(operation, id)?.operation("job-id", IppValue::Integer(job.0))?.by(&self.user)
    }

    fn message(&self, operation: Operation, id: i32) -> Result<Message, IppParseError> {
        let mut message = IppRequestResponse::new(IppVersion::v2_0(), operation, Some(self.printer.clone()))?;
        message.header_mut().request_id = id;
        Ok(Message(message))
    }
}

/// A request in the making.
struct Message(IppRequestResponse);

impl Message {
    fn by(self, user: &str) -> Result<Message, IppParseError> {
        self.operation("requesting-user-name", IppValue::new_name_without_language(user)?)
    }

    fn operation(self, name: &str, value: IppValue) -> Result<Message, IppParseError> {
        self.put(DelimiterTag::OperationAttributes, name, value)
    }

    fn job(self, name: &str, value: IppValue) -> Result<Message, IppParseError> {
        self.put(DelimiterTag::JobAttributes, name, value)
    }

    fn put(mut self, group: DelimiterTag, name: &str, value: IppValue) -> Result<Message, IppParseError> {
        self.0.attributes_mut().add(group, IppAttribute::with_name(name, value)?);
        Ok(self)
    }

    fn wanting(self, names: &[&str]) -> Result<Message, IppParseError> {
        let names = names.iter().map(|name| IppValue::new_keyword(*name)).collect::<Result<_, _>>()?;
        self.operation("requested-attributes", IppValue::Array(names))
    }

    fn bytes(self) -> Result<Vec<u8>, IppParseError> {
        Ok(self.0.to_bytes().to_vec())
    }
}
