//! Audit events: the enum is generated from `docs/audit-events.toml`; here are the few value types it is made of.
//! None of them can carry free text.

/// What is declared about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditEventInfo {
    /// Name in the chain.
    pub name: &'static str,
    /// Whose chain it is written to: `kiosk` or `agent`.
    pub process: &'static str,
    /// Whose doing it records: `citizen`, `terminal` or `city`.
    pub role: &'static str,
    /// Chinese words for it.
    pub zh: &'static str,
    /// English words for it.
    pub en: &'static str,
}

/// A short name from the project's own data: a service item, a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuditCode {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl AuditCode {
    /// Longest code.
    pub const MAX: usize = 40;

    /// Takes ASCII letters, digits, `-`, `_` and `.`. Refuses everything that could be the number of a person or a
    /// telephone: a code without letters, or digits with an X at the end.
    pub fn new(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let named = text.strip_suffix(['X', 'x']).unwrap_or(text).bytes().any(|b| b.is_ascii_alphabetic());
        if text.len() > Self::MAX || !named || !text.bytes().all(plain) {
            return None;
        }
        let mut bytes = [0; Self::MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Some(Self { bytes, len: text.len() as u8 })
    }

    /// Like [`AuditCode::new`], with `-` where the text is no code: an event must not fail for its decoration.
    pub fn or_dash(text: &str) -> Self {
        Self::new(text).unwrap_or_else(|| {
            let mut bytes = [0; Self::MAX];
            bytes[0] = b'-';
            Self { bytes, len: 1 }
        })
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("only ASCII is let in")
    }
}

impl std::fmt::Debug for AuditCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The random name of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditId(u128);

impl AuditId {
    /// Reads a UUID in its usual form.
    pub fn parse(text: &str) -> Option<Self> {
        let well_placed =
            text.bytes().enumerate().all(|(at, b)| (b == b'-') == matches!(at, 8 | 13 | 18 | 23));
        if text.len() != 36 || !well_placed || text.contains('+') {
            return None;
        }
        u128::from_str_radix(&text.replace('-', ""), 16).ok().map(Self)
    }

    /// Like [`AuditId::parse`], with the nil UUID where the text is none: an event must not fail for its decoration.
    pub fn or_nil(text: &str) -> Self {
        Self::parse(text).unwrap_or(Self(0))
    }
}

impl std::fmt::Display for AuditId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// A value on its way into the chain.
pub(crate) enum AuditValue {
    Number(u64),
    Word(&'static str),
    Code(AuditCode),
    Id(AuditId),
}

impl std::fmt::Display for AuditValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
            Self::Code(code) => f.write_str(code.as_str()),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

impl From<u64> for AuditValue {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<AuditCode> for AuditValue {
    fn from(code: AuditCode) -> Self {
        Self::Code(code)
    }
}

impl From<AuditId> for AuditValue {
    fn from(id: AuditId) -> Self {
        Self::Id(id)
    }
}

impl AuditEvent {
    /// What is declared about this event.
    pub fn info(&self) -> &'static AuditEventInfo {
        &AUDIT_EVENTS[self.index()]
    }

    /// The fields as they are written and hashed: `name=value`, one space between.
    pub fn fields(&self) -> String {
        let parts: Vec<String> =
            self.values().iter().map(|(name, value)| format!("{name}={value}")).collect();
        parts.join(" ")
    }
}

include!(concat!(env!("OUT_DIR"), "/audit_event.rs"));
