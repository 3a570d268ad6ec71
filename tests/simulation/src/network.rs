//! What lies between a terminal and the city, and what becomes of one request on it.

use axum::http::{HeaderMap, HeaderValue};
use sync_agent::client::{Cause, Refused};

use crate::chance::Chance;
use crate::city::Answered;

/// Longest time to connect, and from a request to the end of its answer: the agent's own limits.
const CONNECT_MS: u64 = 5_000;
const REQUEST_MS: u64 = 20_000;

/// Who answers instead of the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Impostor {
    /// A page with a button.
    Portal,
    /// A redirect to one.
    Redirect,
    /// Something that is JSON and says all is well.
    Cheerful,
    /// A proxy that refuses.
    Forbids,
    /// A proxy that is too busy and asks for a long wait.
    Busy,
    /// A cache that answers with what the city said before, to another question.
    Stale,
    /// Somebody with another certificate.
    Certificate,
}

/// How a link is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// No connection.
    pub refuses: bool,
    /// Connections that never answer: half open.
    pub swallows: bool,
    /// Requests lost on the way, in a thousand.
    pub loses_there: u64,
    /// Answers lost on the way back, in a thousand: the city has done what it was asked.
    pub loses_back: u64,
    /// Requests that arrive twice, in a thousand; the second one up to minutes later.
    pub doubles: u64,
    /// Requests that arrive long after their sender gave up, in a thousand.
    pub delays: u64,
    /// Answers with a flipped bit, in a thousand.
    pub flips: u64,
    /// Longest ordinary time on the way, in milliseconds.
    pub slow_ms: u64,
    /// Somebody else answers.
    pub impostor: Option<Impostor>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// It arrives after so long, and again after so long more.
    Arrives(u64, Option<u64>),
    /// It does not arrive, which its sender learns after so long.
    Fails(u64, Cause),
    /// Somebody else answers after so long.
    Impostor(u64, Impostor),
}

impl Link {
    /// A good link.
    pub fn good() -> Self {
        Self { slow_ms: 60, ..Self::default() }
    }

    /// A link in some bad mood.
    pub fn bad(chance: &mut Chance) -> Self {
        let mut often = |most: u64| if chance.permille(500) { chance.below(most) } else { 0 };
        let mut link = Self {
            loses_there: often(500),
            loses_back: often(500),
            doubles: often(300),
            delays: often(200),
            flips: often(200),
            ..Self::good()
        };
        match chance.below(8) {
            0 => link.refuses = true,
            1 => link.swallows = true,
            2 | 3 => {
                let all = [
                    Impostor::Portal,
                    Impostor::Redirect,
                    Impostor::Cheerful,
                    Impostor::Forbids,
                    Impostor::Busy,
                    Impostor::Stale,
                    Impostor::Certificate,
                ];
                link.impostor = chance.pick(&all).copied();
            }
            4 => link.slow_ms = chance.between(1_000, 15_000),
            _ => {}
        }
        link
    }

    /// What becomes of a request.
    pub fn way(&self, chance: &mut Chance) -> Way {
        let there = chance.between(1, self.slow_ms.max(2));
        if self.refuses {
            return Way::Fails(there, Cause::Connect);
        }
        if self.swallows {
            return Way::Fails(CONNECT_MS, Cause::Timeout);
        }
        if let Some(impostor) = self.impostor {
            return Way::Impostor(there, impostor);
        }
        if chance.permille(self.loses_there) {
            let broken = chance.permille(500);
            return if broken {
                Way::Fails(there, Cause::Broken)
            } else {
                Way::Fails(REQUEST_MS, Cause::Timeout)
            };
        }
        let late = if chance.permille(self.delays) { chance.between(1_000, 400_000) } else { 0 };
        let again = chance.permille(self.doubles).then(|| chance.between(1, 300_000));
        Way::Arrives(there + late, again)
    }
}

/// When the sender of a request gives up on it.
pub fn gives_up_after_ms() -> u64 {
    REQUEST_MS
}

/// What an impostor says.
pub fn impostor_says(
    impostor: Impostor,
    earlier: Option<&Answered>,
    chance: &mut Chance,
) -> Result<Answered, Refused> {
    let answer = |status: u16, kind: &'static str, body: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(kind));
        Answered { status, headers, body: body.as_bytes().to_vec() }
    };
    let portal = || answer(200, "text/html", "<html>Welcome! <button>Connect</button></html>");
    Ok(match impostor {
        Impostor::Portal => portal(),
        Impostor::Redirect => answer(302, "text/html", ""),
        Impostor::Cheerful => {
            let bodies = ["{\"ok\":true}", "{\"receipt\":\"accepted\"}", "{\"hello\":\"hello\"}", "[]"];
            answer(200, "application/json", chance.pick(&bodies).copied().unwrap_or_default())
        }
        Impostor::Forbids => answer(403, "text/html", "no"),
        Impostor::Busy => {
            let mut busy = answer(503, "text/html", "later");
            busy.headers.insert("retry-after", HeaderValue::from(chance.between(0, 100_000)));
            busy
        }
        Impostor::Stale => earlier.cloned().unwrap_or_else(portal),
        Impostor::Certificate => return Err(Cause::Tls.into()),
    })
}
