//! A request as the simulated printer reads it, and whether its form is right.

use std::io::Cursor;

use ipp::attribute::{IppAttribute, IppAttributeGroup, IppAttributes};
use ipp::model::{DelimiterTag, IppVersion, Operation, StatusCode};
use ipp::parser::{IppParseError, IppParser};
use ipp::reader::IppReader;
use ipp::request::IppRequestResponse;
use ipp::value::IppValue;

/// A request as it arrived.
pub(super) struct Request {
    pub(super) operation: u16,
    version: u16,
    id: i32,
    attributes: IppAttributes,
    /// What stands behind the attributes.
    pub(super) document: Vec<u8>,
}

impl Request {
    pub(super) fn decode(bytes: &[u8]) -> Result<Request, IppParseError> {
        let reader = IppReader::new(Cursor::new(bytes.to_vec()));
        let (header, attributes, reader) = IppParser::new(reader).parse_parts()?;
        let cursor = reader.into_inner();
        let document = cursor.get_ref()[cursor.position() as usize..].to_vec();
        let operation = header.operation_or_status.cast_unsigned();
        Ok(Request { operation, version: header.version.0, id: header.request_id, attributes, document })
    }

    /// What is wrong with the request's form (RFC 8011 §4.1): a printer refuses it whatever it asks for.
    pub(super) fn fault(&self) -> Option<StatusCode> {
        let first = self.attributes.groups().first();
        let first = first.filter(|group| group.tag() == DelimiterTag::OperationAttributes);
        let names = first.map(IppAttributeGroup::attributes).unwrap_or_default().iter();
        let names: Vec<&str> = names.map(|attribute| attribute.name().as_str()).take(3).collect();
        let in_order = names == ["attributes-charset", "attributes-natural-language", "printer-uri"];
        match (self.version >> 8, self.id) {
            (1 | 2, 1..) if in_order => None,
            (1 | 2, _) => Some(StatusCode::ClientErrorBadRequest),
            _ => Some(StatusCode::ServerErrorVersionNotSupported),
        }
    }

    pub(super) fn value(&self, group: DelimiterTag, name: &str) -> Option<&IppValue> {
        self.attributes.groups_of(group).find_map(|group| group.get(name)).map(IppAttribute::value)
    }

    pub(super) fn number(&self, group: DelimiterTag, name: &str) -> Option<i32> {
        self.value(group, name)?.as_integer().copied()
    }

    pub(super) fn user(&self) -> &str {
        match self.value(DelimiterTag::OperationAttributes, "requesting-user-name") {
            Some(IppValue::NameWithoutLanguage(name)) => name.as_str(),
            _ => "anonymous",
        }
    }

    /// Whether the host wants this attribute. One that names none gets all, and of jobs in a list their numbers alone.
    pub(super) fn wants(&self, name: &str) -> bool {
        match self.value(DelimiterTag::OperationAttributes, "requested-attributes") {
            None if self.operation == Operation::GetJobs as u16 => matches!(name, "job-id" | "job-uri"),
            None => true,
            Some(IppValue::Array(names)) => names.iter().any(|wanted| is_wanted(wanted, name)),
            Some(wanted) => is_wanted(wanted, name),
        }
    }

    /// Whether the host names this attribute itself: some are too long to be part of "all".
    pub(super) fn names(&self, name: &str) -> bool {
        let is = |wanted: &IppValue| wanted.as_keyword().is_some_and(|wanted| wanted.as_str() == name);
        match self.value(DelimiterTag::OperationAttributes, "requested-attributes") {
            Some(IppValue::Array(names)) => names.iter().any(is),
            Some(wanted) => is(wanted),
            None => false,
        }
    }

    /// An answer in the host's version of IPP, or in the nearest (RFC 8011 §4.1.8).
    pub(super) fn answer(&self, status: StatusCode) -> Result<IppRequestResponse, IppParseError> {
        let version = if self.version >> 8 == 2 { IppVersion::v2_0() } else { IppVersion::v1_1() };
        IppRequestResponse::new_response(version, status, self.id)
    }
}

fn is_wanted(wanted: &IppValue, name: &str) -> bool {
    let groups = ["all", "printer-description", "job-template", "job-description"];
    wanted.as_keyword().is_some_and(|wanted| wanted.as_str() == name || groups.contains(&wanted.as_str()))
}
