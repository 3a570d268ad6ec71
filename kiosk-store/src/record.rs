//! The small types that writer and readers of the outbox share.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A resident's finished request.
    Case,
    /// The stars given to a case.
    Rating,
    /// Closes the place of a record whose bytes were lost.
    Void,
}

impl RecordKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Rating => "rating",
            Self::Void => "void",
        }
    }
}

impl FromSql for RecordKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "case" => Ok(Self::Case),
            "rating" => Ok(Self::Rating),
            "void" => Ok(Self::Void),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// How far the receipt of a case got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrintState {
    /// Nobody asked for it yet.
    NotPrinted,
    /// Sent to the printer, no answer yet. After a crash this means: unknown, never print unasked.
    Printing,
    /// The printer confirmed; the level says how much it could confirm.
    Confirmed(u8),
    /// It did not come out.
    Failed,
}

impl PrintState {
    pub(crate) fn columns(self) -> (&'static str, u8) {
        match self {
            Self::NotPrinted => ("not-printed", 0),
            Self::Printing => ("printing", 0),
            Self::Confirmed(level) => ("confirmed", level),
            Self::Failed => ("failed", 0),
        }
    }

    pub(crate) fn from_columns(state: &str, level: u8) -> Option<Self> {
        Some(match state {
            "not-printed" => Self::NotPrinted,
            "printing" => Self::Printing,
            "confirmed" => Self::Confirmed(level),
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

/// What may be known in clear about a case: enough to print again and to show the QR, nothing about the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stub {
    /// UUID of the record.
    pub case_id: String,
    /// Case number as printed.
    pub case_number: String,
    /// Code of the service item.
    pub item: String,
    /// Verification code as printed in the QR.
    pub verification: String,
    /// When the resident confirmed, milliseconds since 1970.
    pub finalised_at_ms: i64,
    /// How far the receipt got.
    pub print: PrintState,
}

/// Columns of a stub from its record and its print state, in the order [`stub_from`] reads them.
pub(crate) const STUB_COLUMNS: &str = "r.case_id, r.case_number, r.item, r.verification, r.finalised_at_ms, \
     p.state, p.level FROM record r LEFT JOIN print p ON p.seq = r.seq WHERE r.case_number IS NOT NULL";

pub(crate) fn stub_from(row: &rusqlite::Row<'_>) -> rusqlite::Result<Stub> {
    let state: Option<String> = row.get(5)?;
    let print = match state {
        None => Some(PrintState::NotPrinted),
        Some(state) => PrintState::from_columns(&state, row.get(6)?),
    };
    Ok(Stub {
        case_id: row.get(0)?,
        case_number: row.get(1)?,
        item: row.get(2)?,
        verification: row.get(3)?,
        finalised_at_ms: row.get(4)?,
        print: print.ok_or_else(|| {
            rusqlite::Error::InvalidColumnType(5, "state".into(), rusqlite::types::Type::Text)
        })?,
    })
}
