//! What the simulated printer says about itself and its jobs: the attributes that IPP/1.1 demands (RFC 8011 §5.3 and
//! §5.4), and those that a host needs on the way to a page.

use ipp::attribute::{IppAttribute, IppAttributeGroup};
use ipp::model::DelimiterTag;
use ipp::parser::IppParseError;
use ipp::value::IppValue;

use super::ipp_everywhere;
use super::ipp_request::Request;
use super::machine::{Job, SimulatedDocumentPrinter};
use crate::document_printer::JobState;
use crate::document_printer::protocol::request::{A4, PDF};

/// What the printer is addressed as.
pub(super) struct Address {
    pub(super) uri: String,
}

/// One group of an answer in the making: only what was asked for gets in.
pub(super) struct Group<'a> {
    group: IppAttributeGroup,
    request: &'a Request,
}

impl Group<'_> {
    pub(super) fn put(&mut self, name: &str, value: IppValue) -> Result<(), IppParseError> {
        if self.request.wants(name) {
            self.group.attributes_mut().push(IppAttribute::with_name(name, value)?);
        }
        Ok(())
    }

    /// The same for an attribute that comes only when it is asked for by its name.
    pub(super) fn put_if_named(&mut self, name: &str, value: IppValue) -> Result<(), IppParseError> {
        if self.request.names(name) { self.put(name, value) } else { Ok(()) }
    }
}

pub(super) fn job_group(
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
    group.put("job-printer-uri", IppValue::new_uri(address.uri.as_str())?)?;
    group.put("job-name", IppValue::new_name_without_language(job.name.as_str())?)?;
    group.put("job-state", IppValue::Enum(state))?;
    group.put("job-state-reasons", IppValue::new_keyword(reason)?)?;
    group.put("job-originating-user-name", IppValue::new_name_without_language(job.user.as_str())?)?;
    let seconds =
        |when: Option<u32>| when.map_or(IppValue::NoValue, |when| IppValue::Integer(when.cast_signed()));
    group.put("time-at-creation", seconds(Some(job.created)))?;
    group.put("time-at-processing", seconds(job.begun))?;
    group.put("time-at-completed", seconds(job.ended))?;
    group.put("job-printer-up-time", seconds(Some(machine.up_time())))?;
    if machine.profile.counts {
        group.put("job-impressions-completed", IppValue::Integer(job.done.cast_signed()))?;
    }
    Ok(group.group)
}

pub(super) fn printer_group(
    request: &Request,
    machine: &SimulatedDocumentPrinter,
    address: &Address,
) -> Result<IppAttributeGroup, IppParseError> {
    let mut group = Group { group: IppAttributeGroup::new(DelimiterTag::PrinterAttributes), request };
    let state = match (machine.trouble, machine.has_jobs()) {
        (Some(_), _) => 5,
        (None, true) => 4,
        (None, false) => 3,
    };
    let keywords = |words: &[&str]| -> Result<IppValue, IppParseError> {
        Ok(IppValue::Array(words.iter().map(|word| IppValue::new_keyword(*word)).collect::<Result<_, _>>()?))
    };
    let formats: &[&str] = if machine.profile.pdf {
        &[PDF, "image/jpeg", "image/pwg-raster", "image/urf"]
    } else {
        &["image/urf"]
    };
    let formats =
        formats.iter().map(|format| IppValue::new_mime_media_type(*format)).collect::<Result<_, _>>()?;
    let sides: &[&str] =
        if machine.profile.two_sided { &["one-sided", "two-sided-long-edge"] } else { &["one-sided"] };
    let operations =
        [0x02, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0A, 0x0B, 0x39, 0x3B, 0x3C].map(IppValue::Enum).to_vec();
    let copies = i32::from(machine.profile.copies);
    group.put("printer-uri-supported", IppValue::new_uri(address.uri.as_str())?)?;
    group.put("uri-security-supported", IppValue::new_keyword("none")?)?;
    group.put("uri-authentication-supported", IppValue::new_keyword("requesting-user-name")?)?;
    group.put("charset-configured", IppValue::new_charset("utf-8")?)?;
    group.put("charset-supported", IppValue::new_charset("utf-8")?)?;
    group.put("natural-language-configured", IppValue::new_natural_language("en")?)?;
    group.put("generated-natural-language-supported", IppValue::new_natural_language("en")?)?;
    group.put("compression-supported", IppValue::new_keyword("none")?)?;
    group.put("pdl-override-supported", IppValue::new_keyword("attempted")?)?;
    group.put("printer-up-time", IppValue::Integer(machine.up_time().cast_signed()))?;
    group.put("printer-name", IppValue::new_name_without_language("Simulated printer")?)?;
    group.put("printer-state", IppValue::Enum(state))?;
    group.put("printer-state-reasons", reasons(machine)?)?;
    group.put("printer-is-accepting-jobs", IppValue::Boolean(true))?;
    group.put("queued-job-count", IppValue::Integer(i32::from(machine.has_jobs())))?;
    group.put("operations-supported", IppValue::Array(operations))?;
    group.put("ipp-versions-supported", keywords(&["1.1", "2.0"])?)?;
    group.put("document-format-default", IppValue::new_mime_media_type("image/urf")?)?;
    group.put("document-format-supported", IppValue::Array(formats))?;
    group.put("copies-supported", IppValue::RangeOfInteger { min: 1, max: copies })?;
    group.put("sides-supported", keywords(sides)?)?;
    group.put("media-supported", keywords(&[A4])?)?;
    ipp_everywhere::describe(&mut group, machine, &address.uri)?;
    Ok(group.group)
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
