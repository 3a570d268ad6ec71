//! What a printer answers (RFC 8010 §3, RFC 8011 §5.3 and §5.4), reduced to what the driver needs.

use std::io::Cursor;

use ipp::attribute::{IppAttributeGroup, IppAttributes};
use ipp::model::DelimiterTag;
use ipp::parser::IppParser;
use ipp::reader::IppReader;
use ipp::value::IppValue;

use super::reasons::{Obstacle, Reasons};
use super::request::PDF;

/// Bytes before the attributes: version, status, request id.
const HEADER_BYTES: usize = 8;
/// The deepest nesting of collections that is parsed; the standards know three levels.
const MAX_DEPTH: usize = 8;

/// A job's number at the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobNumber(pub i32);

/// Where a job stands (`job-state`, RFC 8011 §5.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobState {
    /// 3: waits.
    Pending,
    /// 4: held back, or its print-out is still on the way.
    Held,
    /// 5: is being printed.
    Processing,
    /// 6: begun, and stands still.
    Stopped,
    /// 7: taken back.
    Cancelled,
    /// 8: given up by the printer.
    Aborted,
    /// 9: printed.
    Completed,
}

impl JobState {
    fn from_enum(value: i32) -> Option<JobState> {
        Some(match value {
            3 => JobState::Pending,
            4 => JobState::Held,
            5 => JobState::Processing,
            6 => JobState::Stopped,
            7 => JobState::Cancelled,
            8 => JobState::Aborted,
            9 => JobState::Completed,
            _ => return None,
        })
    }

    /// Whether the job is over.
    pub fn is_over(self) -> bool {
        matches!(self, JobState::Cancelled | JobState::Aborted | JobState::Completed)
    }
}

/// Why bytes are no answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Cut off, or lengths that do not fit.
    #[error("the answer is damaged")]
    Damaged,
    /// The answer to another request.
    #[error("the answer belongs to another request")]
    OtherRequest,
    /// Something that every answer of its kind must hold is not there.
    #[error("the answer holds no {0}")]
    Missing(&'static str),
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code (RFC 8011 appendix B): below 0100 it is a success.
    pub status: u16,
    attributes: IppAttributes,
}

/// Decodes the answer to request `id`. Bytes behind the attributes are ignored.
pub fn decode(bytes: &[u8], id: i32) -> Result<Answer, AnswerError> {
    let end = look_through(bytes).ok_or(AnswerError::Damaged)?;
    let reader = IppReader::new(Cursor::new(bytes[..end].to_vec()));
    let (header, attributes, _) = IppParser::new(reader).parse_parts().map_err(|_| AnswerError::Damaged)?;
    if header.request_id != id {
        return Err(AnswerError::OtherRequest);
    }
    Ok(Answer { status: header.operation_or_status.cast_unsigned(), attributes })
}

/// Walks over a message and returns where its attributes end; `None` when they do not, or when a length inside a
/// value (text or name with language, RFC 8010 §3.9) does not fit, or collections nest too deep.
fn look_through(bytes: &[u8]) -> Option<usize> {
    let mut at = HEADER_BYTES;
    let mut depth = 0_usize;
    loop {
        let tag = *bytes.get(at)?;
        at += 1;
        match tag {
            0x03 => return Some(at),
            0x01 | 0x02 | 0x04 | 0x05 if depth == 0 => {}
            0x10..=0x4A => {
                let name = field(bytes, at)?;
                at += 2 + name.len();
                let value = field(bytes, at)?;
                at += 2 + value.len();
                match tag {
                    0x34 => depth = Some(depth + 1).filter(|depth| *depth <= MAX_DEPTH)?,
                    0x37 => depth = depth.checked_sub(1)?,
                    0x35 | 0x36 => {
                        let language = field(value, 0)?;
                        let text = field(value, 2 + language.len())?;
                        (4 + language.len() + text.len() == value.len()).then_some(())?;
                    }
                    _ => {}
                }
            }
            _ => return None,
        }
    }
}

/// The bytes behind a two-byte length.
fn field(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = bytes.get(at..at + 2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    bytes.get(at + 2..at + 2 + length)
}

impl Answer {
    /// Whether the printer did as it was asked.
    pub fn is_success(&self) -> bool {
        self.status < 0x0100
    }

    fn groups(&self, tag: DelimiterTag) -> impl Iterator<Item = &IppAttributeGroup> {
        self.attributes.groups_of(tag)
    }

    /// The printer that the answer describes.
    pub fn printer(&self) -> Result<PrinterFacts, AnswerError> {
        let group =
            self.groups(DelimiterTag::PrinterAttributes).next().ok_or(AnswerError::Missing("printer"))?;
        PrinterFacts::of(group)
    }

    /// The jobs that the answer describes; those without number and state are left out.
    pub fn jobs(&self) -> impl Iterator<Item = JobFacts> {
        self.groups(DelimiterTag::JobAttributes).filter_map(JobFacts::of)
    }

    /// The one job that the answer describes.
    pub fn job(&self) -> Result<JobFacts, AnswerError> {
        self.jobs().next().ok_or(AnswerError::Missing("job"))
    }
}

/// What a printer says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrinterFacts {
    /// Whether `printer-state` is idle (3).
    pub idle: bool,
    /// Whether `printer-state` is stopped (5).
    pub stopped: bool,
    /// `printer-state-reasons`.
    pub reasons: Reasons,
    /// `printer-is-accepting-jobs`.
    pub accepting: bool,
    /// Whether PDF is among `document-format-supported`.
    pub pdf: bool,
    /// The end of `copies-supported`; 1 when the printer does not say.
    pub copies: u32,
    /// Whether `sides-supported` is there at all.
    pub knows_sides: bool,
    /// Whether two-sided-long-edge is among it.
    pub two_sided: bool,
}

impl PrinterFacts {
    fn of(group: &IppAttributeGroup) -> Result<PrinterFacts, AnswerError> {
        let state = number(group, "printer-state").ok_or(AnswerError::Missing("printer state"))?;
        let copies = values(group, "copies-supported").find_map(|value| match value {
            IppValue::RangeOfInteger { max, .. } => u32::try_from(*max).ok(),
            IppValue::Integer(max) => u32::try_from(*max).ok(),
            _ => None,
        });
        Ok(PrinterFacts {
            idle: state == 3,
            stopped: state == 5,
            reasons: words(group, "printer-state-reasons").collect(),
            accepting: !values(group, "printer-is-accepting-jobs")
                .any(|value| *value == IppValue::Boolean(false)),
            pdf: words(group, "document-format-supported").any(|format| format.eq_ignore_ascii_case(PDF)),
            copies: copies.unwrap_or(1).max(1),
            knows_sides: words(group, "sides-supported").next().is_some(),
            two_sided: words(group, "sides-supported").any(|sides| sides == "two-sided-long-edge"),
        })
    }

    /// What keeps the printer from printing.
    pub fn obstacle(&self) -> Option<Obstacle> {
        self.reasons.obstacle(self.stopped)
    }
}

/// What a printer says about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// `job-id`.
    pub number: JobNumber,
    /// `job-state`.
    pub state: JobState,
    /// `job-impressions-completed`, if the printer counts.
    pub impressions: Option<u32>,
    /// Whether `job-state-reasons` holds `job-completed-with-errors`.
    pub with_errors: bool,
    /// `job-originating-user-name`.
    pub user: Option<String>,
}

impl JobFacts {
    fn of(group: &IppAttributeGroup) -> Option<JobFacts> {
        Some(JobFacts {
            number: JobNumber(number(group, "job-id")?),
            state: JobState::from_enum(number(group, "job-state")?)?,
            impressions: number(group, "job-impressions-completed").and_then(|n| u32::try_from(n).ok()),
            with_errors: words(group, "job-state-reasons")
                .any(|reason| reason == "job-completed-with-errors"),
            user: words(group, "job-originating-user-name").next().map(str::to_owned),
        })
    }
}

/// The values of an attribute: none, one, or many.
fn values<'a>(group: &'a IppAttributeGroup, name: &str) -> impl Iterator<Item = &'a IppValue> {
    let value = group.get(name).map(|attribute| attribute.value());
    let many = match value {
        Some(IppValue::Array(many)) => many.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    many.iter()
}

fn words<'a>(group: &'a IppAttributeGroup, name: &str) -> impl Iterator<Item = &'a str> {
    values(group, name).filter_map(|value| match value {
        IppValue::Keyword(word) => Some(word.as_str()),
        IppValue::MimeMediaType(word) => Some(word.as_str()),
        IppValue::NameWithoutLanguage(word) | IppValue::NameWithLanguage { name: word, .. } => {
            Some(word.as_str())
        }
        _ => None,
    })
}

fn number(group: &IppAttributeGroup, name: &str) -> Option<i32> {
    values(group, name).find_map(|value| match value {
        IppValue::Integer(number) | IppValue::Enum(number) => Some(*number),
        _ => None,
    })
}
