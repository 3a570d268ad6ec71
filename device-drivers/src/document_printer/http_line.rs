//! HTTP/1.1 to one printer (RFC 8010 §4): one message out, one answer back, within a time and a size.
//!
//! A connection serves one exchange: printers close idle ones without a word, and a job must never be sent twice
//! because nobody knows whether the first sending arrived.

use std::io::ErrorKind;
use std::time::Duration;

use ureq::Agent;

/// How long a connection may take to be made.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// The longest answer. What is asked for fits into a few kilobytes.
const MAX_ANSWER: u64 = 256 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineError {
    /// No connection was made, so nothing was said.
    Unreachable,
    /// There was a connection, and no whole answer in time.
    Silent,
    /// The connection broke.
    Cut,
    /// An answer that is no HTTP, or too long.
    Garbled,
    /// An HTTP status other than 200.
    Status(u16),
}

/// The way to one printer.
pub(super) struct HttpLine {
    agent: Agent,
    url: String,
}

impl HttpLine {
    pub(super) fn new(url: String) -> HttpLine {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // A proxy of the environment is for other machines than the printer on our own cable.
            .proxy(None)
            .max_idle_connections(0)
            .timeout_connect(Some(CONNECT_DEADLINE))
            .user_agent("kiosk")
            .build()
            .new_agent();
        HttpLine { agent, url }
    }

    /// Sends one message and waits for its answer, `within` for everything together.
    pub(super) fn ask(&self, message: &[u8], within: Duration) -> Result<Vec<u8>, LineError> {
        let mut response = self
            .agent
            .post(&self.url)
            .header("Content-Type", "application/ipp")
            .config()
            .timeout_global(Some(within))
            .build()
            .send(message)
            .map_err(|error| line_error(&error))?;
        if response.status().as_u16() != 200 {
            return Err(LineError::Status(response.status().as_u16()));
        }
        let body = response.body_mut().with_config().limit(MAX_ANSWER);
        body.read_to_vec().map_err(|error| line_error(&error))
    }
}

fn line_error(error: &ureq::Error) -> LineError {
    tracing::debug!(%error, "no answer of the document printer");
    match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => LineError::Unreachable,
        ureq::Error::Timeout(_) => LineError::Silent,
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable
            | ErrorKind::NotFound => LineError::Unreachable,
            ErrorKind::TimedOut | ErrorKind::WouldBlock => LineError::Silent,
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::WriteZero | ErrorKind::Other => {
                LineError::Cut
            }
            // A name that nobody knows comes without a number of the system and without a kind of its own.
            _ if error.raw_os_error().is_none() => LineError::Unreachable,
            _ => LineError::Cut,
        },
        _ => LineError::Garbled,
    }
}
