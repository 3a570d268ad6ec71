//! A UPS behind NUT's server: one connection ([`crate::text_server`]), questions one at a time.

use std::net::SocketAddr;

use super::protocol::{
    Answer, ErrorCode, LineDecoder, UpsName, charge_percent, power_state, replace_battery, runtime,
};
use super::{Ups, UpsError, UpsReport};
use crate::descriptor_line::DescriptorLine;
use crate::text_server::{Leaves, TalkError, TextServer, Unanswered};
use crate::transport::Transport;

/// Where `upsd` listens (RFC 9271, 2).
pub const NUT_PORT: u16 = 3493;
/// Variables in the longest list; the richest UPS known has some 150.
const MAX_VARIABLES: usize = 512;

type Server = TextServer<LineDecoder>;

/// A UPS that NUT knows.
pub struct NutUps {
    server: Server,
    name: UpsName,
}

impl NutUps {
    /// The UPS `name` of the server there. An address, not a name: looking a name up has no deadline.
    pub fn new(server: SocketAddr, name: UpsName) -> NutUps {
        NutUps::over(DescriptorLine::tcp(server), name)
    }

    /// The UPS `name` of the server behind this transport, which is opened at its first use.
    pub fn over(transport: impl Transport + 'static, name: UpsName) -> NutUps {
        NutUps { server: TextServer::over(transport, "LOGOUT\n"), name }
    }

    /// All that the UPS says of itself, name and value, for a technician's eyes.
    pub fn variables(&mut self) -> Result<Vec<(String, String)>, UpsError> {
        self.talk(list)
    }

    fn talk<R>(&mut self, talk: impl Fn(&mut Server, &str) -> Result<R, UpsError>) -> Result<R, UpsError> {
        let NutUps { server, name } = self;
        // Nobody signs in: only questions are asked.
        server.talk(|_| Ok(()), |server| talk(server, name.as_str()))
    }
}

impl Ups for NutUps {
    fn look(&mut self) -> Result<UpsReport, UpsError> {
        self.talk(|server, ups| {
            let status = get(server, ups, "ups.status")?.ok_or(UpsError::Garbled)?;
            let charge = get(server, ups, "battery.charge")?;
            let left = get(server, ups, "battery.runtime")?;
            Ok(UpsReport {
                power: power_state(&status),
                charge_percent: charge.as_deref().and_then(charge_percent),
                runtime: left.as_deref().and_then(runtime),
                replace_battery: replace_battery(&status),
            })
        })
    }
}

/// One variable; `None` when this UPS does not have it.
fn get(server: &mut Server, ups: &str, wanted: &str) -> Result<Option<String>, UpsError> {
    let deadline = server.ask(&format!("GET VAR {ups} {wanted}\n"))?;
    match meaning(server.answer(deadline)?)? {
        Answer::Variable { ups: whose, name, value } if whose == ups && name == wanted => Ok(Some(value)),
        Answer::Error(ErrorCode::VariableNotSupported) => Ok(None),
        Answer::Error(code) => Err(refused(code)),
        _ => Err(UpsError::Garbled),
    }
}

fn list(server: &mut Server, ups: &str) -> Result<Vec<(String, String)>, UpsError> {
    let deadline = server.ask(&format!("LIST VAR {ups}\n"))?;
    match meaning(server.answer(deadline)?)? {
        Answer::ListBegins { ups: whose } if whose == ups => {}
        Answer::Error(code) => return Err(refused(code)),
        _ => return Err(UpsError::Garbled),
    }
    let mut variables = Vec::new();
    while variables.len() <= MAX_VARIABLES {
        match meaning(server.answer(deadline)?)? {
            Answer::Variable { ups: whose, name, value } if whose == ups => variables.push((name, value)),
            Answer::ListEnds { ups: whose } if whose == ups => return Ok(variables),
            _ => return Err(UpsError::Garbled),
        }
    }
    Err(UpsError::Garbled)
}

fn meaning<E>(line: Result<String, E>) -> Result<Answer, UpsError> {
    line.ok().and_then(|line| Answer::parse(&line)).ok_or(UpsError::Garbled)
}

fn refused(code: ErrorCode) -> UpsError {
    match code {
        ErrorCode::DataStale | ErrorCode::DriverNotConnected => UpsError::Away,
        ErrorCode::UnknownUps => UpsError::UnknownUps,
        ErrorCode::AccessDenied => UpsError::Denied,
        ErrorCode::VariableNotSupported | ErrorCode::Other => UpsError::Garbled,
    }
}

impl From<Unanswered> for UpsError {
    fn from(error: Unanswered) -> UpsError {
        match error {
            Unanswered::Gone => UpsError::Gone,
            Unanswered::Silent => UpsError::NoAnswer,
        }
    }
}

impl TalkError for UpsError {
    fn leaves(&self) -> Leaves {
        match self {
            UpsError::Gone => Leaves::Closed,
            UpsError::Away | UpsError::UnknownUps | UpsError::Denied => Leaves::Sound,
            UpsError::NoAnswer | UpsError::Garbled => Leaves::Broken,
        }
    }
}
