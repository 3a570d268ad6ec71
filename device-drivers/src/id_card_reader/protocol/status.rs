//! SW3: the reader's verdict on a command.

/// What a driver makes of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusClass {
    /// Done.
    Ok,
    /// Done, and there is no such item on the card.
    OkEmpty,
    /// No card: poll again.
    Idle,
    /// Start again from find.
    Retry,
    /// Start again once, then give up.
    RetryOnce,
    /// The card is refused.
    Refuse,
    /// The text is usable, the fingerprint is not.
    Partial,
    /// The request was damaged on the line: send it again.
    Resend,
    /// Bad command or wrong state.
    DriverBug,
    /// The reader is out of order.
    DeviceFault,
    /// Not in the table.
    Unknown,
}

/// One line of the status table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusInfo {
    /// SW3.
    pub code: u8,
    /// What it means.
    pub meaning: &'static str,
    /// What to make of it.
    pub class: StatusClass,
}

const fn line(code: u8, class: StatusClass, meaning: &'static str) -> StatusInfo {
    StatusInfo { code, meaning, class }
}

/// Every status that a reader is known to send. 01, 02, 03, 05 and 09 are codes of a PC library and never come
/// over the wire.
pub const STATUSES: [StatusInfo; 20] = [
    line(0x90, StatusClass::Ok, "success"),
    line(0x9F, StatusClass::Ok, "card found"),
    line(0x91, StatusClass::OkEmpty, "the card has no such item (for example no additional address)"),
    line(0x80, StatusClass::Idle, "no card found"),
    line(0x81, StatusClass::Retry, "select failed"),
    line(0x41, StatusClass::Retry, "read failed (card moved away)"),
    line(0x31, StatusClass::RetryOnce, "card rejected the SAM"),
    line(0x32, StatusClass::Refuse, "SAM rejected the card"),
    line(0x33, StatusClass::Refuse, "information check failed"),
    line(0x37, StatusClass::Partial, "fingerprint information check failed"),
    line(0x3F, StatusClass::Refuse, "information length error"),
    line(0x40, StatusClass::Refuse, "unknown card type"),
    line(0x47, StatusClass::RetryOnce, "random number failed"),
    line(0x10, StatusClass::Resend, "checksum of our request was wrong"),
    line(0x11, StatusClass::Resend, "length of our request was wrong"),
    line(0x21, StatusClass::DriverBug, "bad command"),
    line(0x23, StatusClass::DriverBug, "command not permitted"),
    line(0x24, StatusClass::DriverBug, "command not recognised"),
    line(0x60, StatusClass::DeviceFault, "SAM self-test failed, takes no commands"),
    line(0x66, StatusClass::DeviceFault, "SAM not licensed"),
];

/// Looks up a status.
pub fn status(code: u8) -> StatusInfo {
    STATUSES.iter().find(|info| info.code == code).copied().unwrap_or(line(
        code,
        StatusClass::Unknown,
        "not in the table",
    ))
}
