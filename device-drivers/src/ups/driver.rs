//! A UPS behind NUT's server: one TCP connection, opened on demand, questions one at a time.
//!
//! A connection on which anything went wrong is given up, so that no late answer is taken for the next one.
//! One that the server closed while nothing was asked is opened again without a word.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::protocol::{
    Answer, ErrorCode, LineDecoder, UpsName, charge_percent, power_state, replace_battery, runtime,
};
use super::{Ups, UpsError, UpsReport};

/// Where `upsd` listens (RFC 9271, 2).
pub const NUT_PORT: u16 = 3493;
/// How long connecting may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);
/// How long one question and its whole answer may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);
/// Variables in the longest list; the richest UPS known has some 150.
const MAX_VARIABLES: usize = 512;

/// A UPS that NUT knows.
#[derive(Debug)]
pub struct NutUps {
    server: SocketAddr,
    name: UpsName,
    connection: Option<Connection>,
}

impl NutUps {
    /// The UPS `name` of the server there. An address, not a name: looking a name up has no deadline.
    pub fn new(server: SocketAddr, name: UpsName) -> NutUps {
        NutUps { server, name, connection: None }
    }

    /// Where its server is.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// All that the UPS says of itself, name and value, for a technician's eyes.
    pub fn variables(&mut self) -> Result<Vec<(String, String)>, UpsError> {
        self.with_connection(Connection::list)
    }

    /// Asks on the open connection, or on a fresh one.
    fn with_connection<R>(
        &mut self,
        ask: impl Fn(&mut Connection, &str) -> Result<R, UpsError>,
    ) -> Result<R, UpsError> {
        if let Some(mut connection) = self.connection.take() {
            match ask(&mut connection, self.name.as_str()) {
                // The server ended, or was restarted, while nobody asked.
                Err(UpsError::Gone) => {}
                outcome => return self.keep(connection, outcome),
            }
        }
        let mut connection = Connection::open(self.server)?;
        let outcome = ask(&mut connection, self.name.as_str());
        self.keep(connection, outcome)
    }

    fn keep<R>(&mut self, connection: Connection, outcome: Result<R, UpsError>) -> Result<R, UpsError> {
        // After a plain no the connection is sound; after anything else the rest of an answer may be under
        // way.
        let sound = matches!(outcome, Ok(_) | Err(UpsError::Away | UpsError::UnknownUps | UpsError::Denied));
        self.connection = sound.then_some(connection);
        outcome
    }
}

impl Ups for NutUps {
    fn look(&mut self) -> Result<UpsReport, UpsError> {
        self.with_connection(|connection, ups| {
            let status = connection.get(ups, "ups.status")?.ok_or(UpsError::Garbled)?;
            let charge = connection.get(ups, "battery.charge")?;
            let left = connection.get(ups, "battery.runtime")?;
            Ok(UpsReport {
                power: power_state(&status),
                charge_percent: charge.as_deref().and_then(charge_percent),
                runtime: left.as_deref().and_then(runtime),
                replace_battery: replace_battery(&status),
            })
        })
    }
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    lines: LineDecoder,
}

impl Connection {
    fn open(server: SocketAddr) -> Result<Connection, UpsError> {
        let stream = TcpStream::connect_timeout(&server, CONNECT_DEADLINE).map_err(|error| gone(&error))?;
        stream.set_nodelay(true).map_err(|error| gone(&error))?;
        Ok(Connection { stream, lines: LineDecoder::new() })
    }

    /// One variable; `None` when this UPS does not have it.
    fn get(&mut self, ups: &str, wanted: &str) -> Result<Option<String>, UpsError> {
        let deadline = self.ask(&format!("GET VAR {ups} {wanted}\n"))?;
        match self.answer(deadline)? {
            Answer::Variable { ups: whose, name, value } if whose == ups && name == wanted => Ok(Some(value)),
            Answer::Error(ErrorCode::VariableNotSupported) => Ok(None),
            Answer::Error(code) => Err(refused(code)),
            _ => Err(UpsError::Garbled),
        }
    }

    fn list(&mut self, ups: &str) -> Result<Vec<(String, String)>, UpsError> {
        let deadline = self.ask(&format!("LIST VAR {ups}\n"))?;
        match self.answer(deadline)? {
            Answer::ListBegins { ups: whose } if whose == ups => {}
            Answer::Error(code) => return Err(refused(code)),
            _ => return Err(UpsError::Garbled),
        }
        let mut variables = Vec::new();
        while variables.len() <= MAX_VARIABLES {
            match self.answer(deadline)? {
                Answer::Variable { ups: whose, name, value } if whose == ups => variables.push((name, value)),
                Answer::ListEnds { ups: whose } if whose == ups => return Ok(variables),
                _ => return Err(UpsError::Garbled),
            }
        }
        Err(UpsError::Garbled)
    }

    /// Sends a question; returns until when its whole answer must be there.
    fn ask(&mut self, question: &str) -> Result<Instant, UpsError> {
        let deadline = Instant::now() + ANSWER_DEADLINE;
        self.stream.set_write_timeout(Some(ANSWER_DEADLINE)).map_err(|error| gone(&error))?;
        self.stream.write_all(question.as_bytes()).map_err(|error| failed(&error))?;
        Ok(deadline)
    }

    fn answer(&mut self, deadline: Instant) -> Result<Answer, UpsError> {
        loop {
            if let Some(line) = self.lines.next_line() {
                return line.ok().and_then(|line| Answer::parse(&line)).ok_or(UpsError::Garbled);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(UpsError::NoAnswer);
            }
            let mut buffer = [0u8; 1024];
            let read = self.stream.set_read_timeout(Some(left)).and_then(|()| self.stream.read(&mut buffer));
            match read {
                Ok(0) => return Err(UpsError::Gone),
                Ok(count) => self.lines.push(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(&error)),
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Good manners; a server that is gone does not miss them.
        let _ = self.stream.write_all(b"LOGOUT\n");
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn refused(code: ErrorCode) -> UpsError {
    match code {
        ErrorCode::DataStale | ErrorCode::DriverNotConnected => UpsError::Away,
        ErrorCode::UnknownUps => UpsError::UnknownUps,
        ErrorCode::AccessDenied => UpsError::Denied,
        ErrorCode::VariableNotSupported | ErrorCode::Other => UpsError::Garbled,
    }
}

fn failed(error: &io::Error) -> UpsError {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => UpsError::NoAnswer,
        _ => gone(error),
    }
}

fn gone(error: &io::Error) -> UpsError {
    tracing::debug!(%error, "the UPS's server cannot be reached");
    UpsError::Gone
}
