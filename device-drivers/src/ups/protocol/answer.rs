//! What the server answers: words between spaces, those with spaces in quotation marks.

/// One line of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// `VAR <ups> <name> "<value>"`.
    Variable {
        /// Whose.
        ups: String,
        /// Which, as `ups.status`.
        name: String,
        /// Its value.
        value: String,
    },
    /// `BEGIN LIST VAR <ups>`.
    ListBegins {
        /// Whose variables follow.
        ups: String,
    },
    /// `END LIST VAR <ups>`.
    ListEnds {
        /// Whose variables are through.
        ups: String,
    },
    /// `ERR <code>`.
    Error(ErrorCode),
}

/// Why the server says no (RFC 9271, 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// `DATA-STALE`: the UPS has not answered its driver for a while.
    DataStale,
    /// `DRIVER-NOT-CONNECTED`: the driver of the UPS does not run.
    DriverNotConnected,
    /// `UNKNOWN-UPS`.
    UnknownUps,
    /// `VAR-NOT-SUPPORTED`: this UPS does not have the variable.
    VariableNotSupported,
    /// `ACCESS-DENIED`.
    AccessDenied,
    /// Any other.
    Other,
}

impl Answer {
    /// What a line says; `None` when it says nothing that is known here.
    pub fn parse(line: &str) -> Option<Answer> {
        let words = words(line)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["VAR", ups, name, value] => Some(Answer::Variable {
                ups: (*ups).to_owned(),
                name: (*name).to_owned(),
                value: (*value).to_owned(),
            }),
            ["BEGIN", "LIST", "VAR", ups] => Some(Answer::ListBegins { ups: (*ups).to_owned() }),
            ["END", "LIST", "VAR", ups] => Some(Answer::ListEnds { ups: (*ups).to_owned() }),
            // More words may follow in later versions.
            ["ERR", code, ..] => Some(Answer::Error(match *code {
                "DATA-STALE" => ErrorCode::DataStale,
                "DRIVER-NOT-CONNECTED" => ErrorCode::DriverNotConnected,
                "UNKNOWN-UPS" => ErrorCode::UnknownUps,
                "VAR-NOT-SUPPORTED" => ErrorCode::VariableNotSupported,
                "ACCESS-DENIED" => ErrorCode::AccessDenied,
                _ => ErrorCode::Other,
            })),
            _ => None,
        }
    }
}

/// A word as it stands in a line: in quotation marks, with those inside it and backslashes escaped.
pub(in crate::ups) fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The words of a line; `None` when a quotation mark is not closed or a backslash stands last.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut in_quotes = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                in_quotes = !in_quotes;
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().push(characters.next()?),
            ' ' | '\t' if !in_quotes => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    (!in_quotes).then_some(words)
}
