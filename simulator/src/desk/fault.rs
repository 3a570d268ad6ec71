//! Faults by name, some with a number: what page, HTTP and scenarios call them, and what the simulators do.

use serde::Serialize;
use serde_json::Value;

use super::device::DeskError;

/// What the number of a fault counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes on the wire.
    Bytes,
    /// Milliseconds.
    Milliseconds,
    /// Rows of dots, eight to a millimetre.
    Rows,
    /// A status byte.
    Code,
    /// Sheets of paper.
    Pages,
}

/// The number that a fault takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Scale {
    /// What it counts.
    pub unit: Unit,
    /// The smallest that makes sense.
    pub least: u64,
    /// The largest.
    pub most: u64,
    /// Taken when none is given.
    pub usual: u64,
}

/// A fault that a device knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FaultKind {
    /// Its name.
    pub name: &'static str,
    /// The number that it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<Scale>,
}

/// A fault that is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Its name.
    pub name: &'static str,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
}

/// A fault and what it is to a simulator.
pub(super) struct Known<F> {
    kind: FaultKind,
    make: fn(u64) -> F,
}

/// A fault without a number.
pub(super) const fn plain<F>(name: &'static str, make: fn(u64) -> F) -> Known<F> {
    Known { kind: FaultKind { name, number: None }, make }
}

/// A fault with a number.
pub(super) const fn numbered<F>(name: &'static str, scale: Scale, make: fn(u64) -> F) -> Known<F> {
    Known { kind: FaultKind { name, number: Some(scale) }, make }
}

/// A number of bytes.
pub(super) const fn bytes(least: u64, most: u64, usual: u64) -> Scale {
    Scale { unit: Unit::Bytes, least, most, usual }
}

/// Milliseconds, up to a minute.
pub(super) const fn millis(usual: u64) -> Scale {
    Scale { unit: Unit::Milliseconds, least: 1, most: 60_000, usual }
}

/// All faults of a list.
pub(super) fn kinds<F>(known: &[Known<F>]) -> Vec<FaultKind> {
    known.iter().map(|known| known.kind).collect()
}

/// What a fault is to the simulator. The fault must be one of the list.
pub(super) fn made<F>(known: &[Known<F>], fault: Fault) -> Option<F> {
    let known = known.iter().find(|known| known.kind.name == fault.name)?;
    Some((known.make)(fault.number.unwrap_or_default()))
}

/// Reads `"checksum"`, `{"name": "truncated", "number": 200}` or `null`.
pub(super) fn parse(
    device: &'static str,
    kinds: &[FaultKind],
    wanted: &Value,
) -> Result<Option<Fault>, DeskError> {
    let unknown = |name: String| DeskError::NoSuchFault { device, name, known: list(kinds) };
    let (name, number) = match wanted {
        Value::Null => return Ok(None),
        Value::String(name) => (name.as_str(), None),
        Value::Object(fields) => {
            if let Some(stranger) = fields.keys().find(|key| !["name", "number"].contains(&key.as_str())) {
                return Err(unknown(format!("… with {stranger}")));
            }
            let name = fields.get("name").and_then(Value::as_str);
            (name.ok_or_else(|| unknown(wanted.to_string()))?, fields.get("number"))
        }
        other => return Err(unknown(other.to_string())),
    };
    let kind = kinds.iter().find(|kind| kind.name == name).ok_or_else(|| unknown(name.to_owned()))?;
    let number = match (kind.number, number) {
        (None, None) => None,
        (None, Some(_)) => return Err(DeskError::NoNumber { device, fault: kind.name }),
        (Some(scale), None) => Some(scale.usual),
        (Some(scale), Some(number)) => {
            let in_range = number.as_u64().filter(|number| (scale.least..=scale.most).contains(number));
            Some(in_range.ok_or(DeskError::NumberOutOfRange { device, fault: kind.name, scale })?)
        }
    };
    Ok(Some(Fault { name: kind.name, number }))
}

fn list(kinds: &[FaultKind]) -> String {
    let name = |kind: &FaultKind| match kind.number {
        None => kind.name.to_owned(),
        Some(scale) => format!("{} ({})", kind.name, scale.words()),
    };
    kinds.iter().map(name).collect::<Vec<_>>().join(", ")
}

impl Scale {
    /// For the sentences of errors.
    pub(super) fn words(&self) -> String {
        let unit = match self.unit {
            Unit::Bytes => "bytes",
            Unit::Milliseconds => "milliseconds",
            Unit::Rows => "rows",
            Unit::Code => "as a status code",
            Unit::Pages => "pages",
        };
        format!("{} to {} {unit}", self.least, self.most)
    }
}
