//! IPP as the simulated printer answers it: the operations that IPP/1.1 demands of a printer (RFC 8011), Create-Job and
//! Send-Document. Absent: print-outs by reference, holding, several print-outs in one job.

use ipp::model::{DelimiterTag, Operation, StatusCode};
use ipp::parser::IppParseError;
use ipp::request::IppRequestResponse;
use ipp::value::IppValue;

use super::ipp_attributes::{Address, job_group, printer_group};
use super::ipp_request::Request;
use super::machine::SimulatedDocumentPrinter;

/// Of PWG 5100.11 §5 and 5100.13 §5.1; the crate has no names for them.
const CANCEL_MY_JOBS: u16 = 0x39;
const CLOSE_JOB: u16 = 0x3B;
const IDENTIFY_PRINTER: u16 = 0x3C;

/// Does what a request asks, and returns the answer's bytes.
pub(super) fn serve(
    request: Request,
    machine: &mut SimulatedDocumentPrinter,
    address: &Address,
) -> Result<Vec<u8>, IppParseError> {
    if let Some(fault) = request.fault() {
        return Ok(request.answer(fault)?.to_bytes().to_vec());
    }
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
            let busy = machine.has_jobs();
            let created = create(&request, machine, address)?;
            if let Some(number) = machine.jobs.last().map(|job| job.number).filter(|_| !busy) {
                machine.load(number, request.document);
            }
            created
        }
        code if code == known(Operation::GetJobs) => jobs(&request, machine, address)?,
        CANCEL_MY_JOBS => {
            machine.cancel_jobs_of(request.user());
            request.answer(StatusCode::SuccessfulOk)?
        }
        IDENTIFY_PRINTER => {
            machine.identified += 1;
            request.answer(StatusCode::SuccessfulOk)?
        }
        code => match number {
            None => request.answer(StatusCode::ClientErrorNotFound)?,
            Some(number) if code == known(Operation::SendDocument) => {
                send_document(request, machine, number, address)?
            }
            Some(number) if code == known(Operation::GetJobAttributes) => {
                with_job(&request, machine, number, address)?
            }
            Some(number) if code == CLOSE_JOB => {
                // Nothing comes behind the only print-out; a job without one is over.
                machine.close(number);
                request.answer(StatusCode::SuccessfulOk)?
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
    let name = match request.value(DelimiterTag::OperationAttributes, "job-name") {
        Some(IppValue::NameWithoutLanguage(name)) => name.as_str(),
        _ => "untitled",
    };
    let number = machine.new_job(request.user(), name, copies.unsigned_abs(), two_sided);
    machine.choose_pages(number, page_ranges(request));
    with_job(request, machine, number, address)
}

fn page_ranges(request: &Request) -> Vec<(u32, u32)> {
    let range = |value: &IppValue| match value {
        IppValue::RangeOfInteger { min, max } => Some((u32::try_from(*min).ok()?, u32::try_from(*max).ok()?)),
        _ => None,
    };
    match request.value(DelimiterTag::JobAttributes, "page-ranges") {
        Some(IppValue::Array(values)) => values.iter().filter_map(range).collect(),
        Some(value) => range(value).into_iter().collect(),
        None => Vec::new(),
    }
}

fn send_document(
    request: Request,
    machine: &mut SimulatedDocumentPrinter,
    number: i32,
    address: &Address,
) -> Result<IppRequestResponse, IppParseError> {
    if request.value(DelimiterTag::OperationAttributes, "last-document").is_none() {
        return request.answer(StatusCode::ClientErrorBadRequest);
    }
    if !machine.is_waiting_for_its_print_out(number) {
        return request.answer(StatusCode::ClientErrorNotPossible);
    }
    let answer = with_job(&request, machine, number, address)?;
    machine.load(number, request.document);
    Ok(answer)
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

fn printer_attributes(
    request: &Request,
    machine: &SimulatedDocumentPrinter,
    address: &Address,
) -> Result<IppRequestResponse, IppParseError> {
    let mut answer = request.answer(StatusCode::SuccessfulOk)?;
    answer.attributes_mut().groups_mut().push(printer_group(request, machine, address)?);
    Ok(answer)
}
