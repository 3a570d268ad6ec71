//! IPP as the simulated printer answers it: the operations an IPP Everywhere printer must know, as far as hosts use
//! them on the way to a page.

use std::io::Cursor;

use ipp::attribute::{IppAttribute, IppAttributeGroup, IppAttributes};
use ipp::model::{DelimiterTag, IppVersion, Operation, StatusCode};
use ipp::parser::{IppParseError, IppParser};
use ipp::reader::IppReader;
use ipp::request::IppRequestResponse;
use ipp::value::IppValue;

use super::machine::{Job, SimulatedDocumentPrinter};
use crate::document_printer::JobState;
use crate::document_printer::protocol::request::PDF;

/// A request as it arrived.
pub(super) struct Request {
    pub(super) operation: u16,
    id: i32,
    attributes: IppAttributes,
    document: Vec<u8>,
}

/// What the printer is addressed as.
pub(super) struct Address {
    pub(super) uri: String,
}

impl Request {
    pub(super) fn decode(bytes: &[u8]) -> Result<Request, IppParseError> {
        let reader = IppReader::new(Cursor::new(bytes.to_vec()));
        let (header, attributes, reader) = IppParser::new(reader).parse_parts()?;
        let cursor = reader.into_inner();
        let document = cursor.get_ref()[cursor.position() as usize..].to_vec();
        let operation = header.operation_or_status.cast_unsigned();
        Ok(Request { operation, id: header.request_id, attributes, document })
    }

    fn value(&self, group: DelimiterTag, name: &str) -> Option<&IppValue> {
        self.attributes.groups_of(group).find_map(|group| group.get(name)).map(IppAttribute::value)
    }

    fn number(&self, group: DelimiterTag, name: &str) -> Option<i32> {
        self.value(group, name)?.as_integer().copied()
    }

    fn user(&self) -> &str {
        match self.value(DelimiterTag::OperationAttributes, "requesting-user-name") {
            Some(IppValue::NameWithoutLanguage(name)) => name.as_str(),
            _ => "anonymous",
        }
    }

    /// The names that the host wants; none means all.
    fn wants(&self, name: &str) -> bool {
        match self.value(DelimiterTag::OperationAttributes, "requested-attributes") {
            None => true,
            Some(IppValue::Array(names)) => names.iter().any(|wanted| is_wanted(wanted, name)),
            Some(wanted) => is_wanted(wanted, name),
        }
    }

    fn answer(&self, status: StatusCode) -> Result<IppRequestResponse, IppParseError> {
        IppRequestResponse::new_response(IppVersion::v2_0(), status, self.id)
    }
}

fn is_wanted(wanted: &IppValue, name: &str) -> bool {
    let groups = ["all", "printer-description", "job-template", "job-description"];
    wanted.as_keyword().is_some_and(|wanted| wanted.as_str() == name || groups.contains(&wanted.as_str()))
}

/// Does what a request asks, and returns the answer's bytes.
pub(super) fn serve(
    request: Request,
    machine: &mut SimulatedDocumentPrinter,
    address: &Address,
) -> Result<Vec<u8>, IppParseError> {
    let known = |operation: Operation| operation as u16;
    let job = request.number(DelimiterTag::OperationAttributes, "job-id");
    let number = job.filter(|number| machine.jobs.iter().any(|job| job.number == *number));
    let answer = match request.operation {
        code if code == known(Operation::GetPrinterAttributes) => {
            printer_attributes(&request, machine, address)?
        }
        code if code == known(Operation::ValidateJob) => request.answer(StatusCode::SuccessfulOk)?,
        code if code == known(Operation::CreateJob) => create(&request, machine, address)?,
        code if code == known(Operation::PrintJob) => {
            let created = create(&request, machine, address)?;
            if let Some(number) = machine.jobs.last().map(|job| job.number) {
                machine.load(number, request.document);
            }
            created
        }
        code if code == known(Operation::GetJobs) => jobs(&request, machine, address)?,
        code => match number {
            None => request.answer(StatusCode::ClientErrorNotFound)?,
            Some(number) if code == known(Operation::SendDocument) => {
                let answer = with_job(&request, machine, number, address)?;
                machine.load(number, request.document);
                answer
            }
            Some(number) if code == known(Operation::GetJobAttributes) => {
                with_job(&request, machine, number, address)?
            }
            Some(number) if code == known(Operation::CancelJob) => {
                request.answer(match machine.cancel(number) {
                    true => StatusCode::SuccessfulOk,
                    false => StatusCode::ClientErrorNotPossible,
                })?
            }
            Some(_) => request.answer(StatusCode::ServerErrorOperationNotSupported)?,
        },
    };
    Ok(answer.to_bytes().to_vec())
}

fn create(
    request: &Request,
    machine: &mut SimulatedDocumentPrinter,
    address: &Address,
) -> Result<IppRequestResponse, IppParseError> {
    if machine.has_jobs() {
        return request.answer(StatusCode::ServerErrorBusy);
    }
    let copies = request.number(DelimiterTag::JobAttributes, "copies").unwrap_or(1).clamp(1, 999);
    let sides = request.value(DelimiterTag::JobAttributes, "sides").and_then(IppValue::as_keyword);
    let two_sided = sides.is_some_and(|sides| sides.as_str() != "one-sided");
    let number = machine.new_job(request.user(), copies.unsigned_abs(), two_sided);
    with_job(request, machine, number, address)
}

fn jobs(
    request: &Request,
    machine: &SimulatedDocumentPrinter,
    address: &Address,
) -> Result<IppRequestResponse, IppParseError> {
    let mine = request.value(DelimiterTag::OperationAttributes, "my-jobs") == Some(&IppValue::Boolean(true));
    let which = request.value(DelimiterTag::OperationAttributes, "which-jobs").and_then(IppValue::as_keyword);
    let over = which.is_some_and(|which| which.as_str() == "completed");
    let mut answer = request.answer(StatusCode::SuccessfulOk)?;
    let wanted = machine.jobs.iter().filter(|job| job.state.is_over() == over);
    for job in wanted.filter(|job| !mine || job.user == request.user()) {
        answer.attributes_mut().groups_mut().push(job_group(request, machine, job, address)?);
    }
    Ok(answer)
}

fn with_job(
    request: &Request,
    machine: &SimulatedDocumentPrinter,
    number: i32,
    address: &Address,
) -> Result<IppRequestResponse, IppParseError> {
    let mut answer = request.answer(StatusCode::SuccessfulOk)?;
    if let Some(job) = machine.jobs.iter().find(|job| job.number == number) {
        answer.attributes_mut().groups_mut().push(job_group(request, machine, job, address)?);
    }
    Ok(answer)
}

/// One group of an answer in the making: only what was asked for gets in.
struct Group<'a> {
    group: IppAttributeGroup,
    request: &'a Request,
}

impl Group<'_> {
    fn put(&mut self, name: &str, value: IppValue) -> Result<(), IppParseError> {
        if self.request.wants(name) {
            self.group.attributes_mut().push(IppAttribute::with_name(name, value)?);
        }
        Ok(())
    }
}

fn job_group(
    request: &Request,
    machine: &SimulatedDocumentPrinter,
    job: &Job,
    address: &Address,
) -> Result<IppAttributeGroup, IppParseError> {
    let mut group = Group { group: IppAttributeGroup::new(DelimiterTag::JobAttributes), request };
    let (state, reason) = match job.state {
        JobState::Pending => (3, "none"),
        JobState::Held => (4, "job-incoming"),
        JobState::Processing => (5, "job-printing"),
        JobState::Stopped => (6, "printer-stopped"),
        JobState::Cancelled => (7, "job-canceled-by-user"),
        JobState::Aborted => (8, "aborted-by-system"),
        JobState::Completed if job.with_errors => (9, "job-completed-with-errors"),
        JobState::Completed => (9, "job-completed-successfully"),
    };
    group.put("job-id", IppValue::Integer(job.number))?;
    group.put("job-uri", IppValue::new_uri(format!("{}/{}", address.uri, job.number))?)?;
    group.put("job-state", IppValue::Enum(state))?;
    group.put("job-state-reasons", IppValue::new_keyword(reason)?)?;
    group.put("job-originating-user-name", IppValue::new_name_without_language(job.user.as_str())?)?;
    if machine.profile.counts {
        group.put("job-impressions-completed", IppValue::Integer(job.done.cast_signed()))?;
    }
    Ok(group.group)
}

fn printer_attributes(
    request: &Request,
    machine: &SimulatedDocumentPrinter,
    address: &Address,
) -> Result<IppRequestResponse, IppParseError> {
    let mut group = Group { group: IppAttributeGroup::new(DelimiterTag::PrinterAttributes), request };
    let state = match (machine.trouble, machine.has_jobs()) {
        (Some(_), _) => 5,
        (None, true) => 4,
        (None, false) => 3,
    };
    let keywords = |words: &[&str]| -> Result<IppValue, IppParseError> {
        Ok(IppValue::Array(words.iter().map(|word| IppValue::new_keyword(*word)).collect::<Result<_, _>>()?))
    };
    let formats: &[&str] = if machine.profile.pdf { &[PDF, "image/urf"] } else { &["image/urf"] };
    let formats =
        formats.iter().map(|format| IppValue::new_mime_media_type(*format)).collect::<Result<_, _>>()?;
    let sides: &[&str] =
        if machine.profile.two_sided { &["one-sided", "two-sided-long-edge"] } else { &["one-sided"] };
    let operations = [2, 4, 5, 6, 8, 9, 10, 11].map(IppValue::Enum).to_vec();
    let copies = i32::from(machine.profile.copies);
    group.put("printer-uri-supported", IppValue::new_uri(address.uri.as_str())?)?;
    group.put("printer-name", IppValue::new_name_without_language("Simulated printer")?)?;
    group.put("printer-state", IppValue::Enum(state))?;
    group.put("printer-state-reasons", reasons(machine)?)?;
    group.put("printer-is-accepting-jobs", IppValue::Boolean(true))?;
    group.put("queued-job-count", IppValue::Integer(i32::from(machine.has_jobs())))?;
    group.put("operations-supported", IppValue::Array(operations))?;
    group.put("ipp-versions-supported", keywords(&["1.1", "2.0"])?)?;
    group.put("document-format-supported", IppValue::Array(formats))?;
    group.put("copies-supported", IppValue::RangeOfInteger { min: 1, max: copies })?;
    group.put("sides-supported", keywords(sides)?)?;
    group.put("media-supported", keywords(&["iso_a4_210x297mm"])?)?;
    let mut answer = request.answer(StatusCode::SuccessfulOk)?;
    answer.attributes_mut().groups_mut().push(group.group);
    Ok(answer)
}

fn reasons(machine: &SimulatedDocumentPrinter) -> Result<IppValue, IppParseError> {
    let word = |stem: &str, suffix: &str| match machine.profile.suffixes {
        true => IppValue::new_keyword(format!("{stem}-{suffix}")),
        false => IppValue::new_keyword(stem),
    };
    let trouble = machine.trouble.map(|trouble| word(trouble.stem(), "error"));
    let warning = machine.warning.map(|trouble| word(trouble.stem(), "warning"));
    let words: Vec<IppValue> = trouble.into_iter().chain(warning).collect::<Result<_, _>>()?;
    if words.is_empty() { IppValue::new_keyword("none") } else { Ok(IppValue::Array(words)) }
}
