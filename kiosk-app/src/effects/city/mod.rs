//! The session's hand on the city: live questions through the agent's socket, and "try now".
//!
//! Two threads: one seals and writes, one ([`line`]) reads. What is outstanding, and the key that opens the answers,
//! lie behind one lock, so that the end of a session forgets both at once, whatever the threads are doing. Losing a
//! question loses nothing: the session has its own deadline and says that the city cannot be asked now.

mod border;
mod line;
mod outstanding;
#[cfg(test)]
mod tests;

use crate::inbox::Inbox;
use kiosk_core::session::{CannotAsk, City, CityQuestion, Ticket};
use line::Line;
use outstanding::{Outstanding, Shared};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use sync_protocol::local::{LOCAL_VERSION, LocalBody, LocalRequest, SOCKET, frame};
use sync_protocol::{AgeOpener, AgeSealer};

const COMMANDS_MAX: usize = 16;

/// How long "try now" may take to be taken.
const TRY_NOW: Duration = Duration::from_secs(5);

/// How long the city may be tried to be told something.
const TELL: Duration = Duration::from_secs(10);

enum Command {
    /// The question with this wire ticket.
    Ask(String, Box<CityQuestion>, Instant),
    /// Say this; nobody waits for an answer.
    Tell(Box<CityQuestion>),
    TryNow,
}

/// The session's hand on the city.
pub struct CityHand {
    commands: SyncSender<Command>,
    outstanding: Shared,
    inbox: Inbox,
}

/// Whom to ask, and as whom.
pub struct CitySettings {
    /// Folder of the agent's socket.
    pub state: PathBuf,
    /// Terminal code.
    pub terminal: String,
    /// Where it stands, for a keeper who is called.
    pub place: String,
    /// The city's sealing keys.
    pub sealer: AgeSealer,
}

impl CityHand {
    /// Starts the thread. It connects when there is something to say.
    pub fn spawn(settings: CitySettings, inbox: Inbox) -> std::io::Result<Self> {
        let (sender, commands) = sync_channel(COMMANDS_MAX);
        let outstanding = Shared::default();
        let worker = Worker {
            // Calls are counted from one again when this process is started again: their names must not be.
            run: uuid::Uuid::new_v4().to_string(),
            settings,
            outstanding: outstanding.clone(),
            inbox: inbox.clone(),
            line: None,
            away: false,
        };
        std::thread::Builder::new().name("city".into()).spawn(move || worker.run(&commands))?;
        Ok(CityHand { commands: sender, outstanding, inbox })
    }

    /// Asks; answers with this ticket, at the latest after so many milliseconds.
    pub fn ask(&self, ticket: Ticket, within_ms: u64, question: CityQuestion) {
        let until = Instant::now() + Duration::from_millis(within_ms);
        let asked = self.outstanding.lock().begin(ticket, until);
        let taken = asked.is_some_and(|name| {
            let taken = self.commands.try_send(Command::Ask(name.clone(), Box::new(question), until)).is_ok();
            if !taken {
                self.outstanding.lock().take(&name);
            }
            taken
        });
        if !taken {
            self.inbox.city(City::CannotAsk(ticket, CannotAsk::Busy));
        }
    }

    /// Says this to the city. Nobody waits for an answer, and [`CityHand::forget`] does not take it back.
    pub fn tell(&self, question: CityQuestion) {
        if self.commands.try_send(Command::Tell(Box::new(question))).is_err() {
            tracing::warn!("the city could not be told something");
        }
    }

    /// Asks the agent to deliver now. Nothing depends on it.
    pub fn try_now(&self) {
        let _ = self.commands.try_send(Command::TryNow);
    }

    /// The session is over: its questions and the key to their answers are gone when this returns.
    pub fn forget(&self) {
        *self.outstanding.lock() = Outstanding::default();
    }
}

struct Worker {
    settings: CitySettings,
    /// Names this run of the process.
    run: String,
    outstanding: Shared,
    inbox: Inbox,
    line: Option<Line>,
    /// Whether the agent was away at the last try, so that only changes are logged.
    away: bool,
}

impl Worker {
    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let next = self.outstanding.lock().next_deadline();
            let pause = next.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            match commands.recv_timeout(pause) {
                Ok(Command::Ask(name, question, until)) => self.ask(&name, *question, until),
                Ok(Command::Tell(question)) => self.tell(*question),
                Ok(Command::TryNow) => {
                    let name = uuid::Uuid::new_v4().to_string();
                    self.say(&request(name, TRY_NOW, LocalBody::TryNow));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            for ticket in self.outstanding.lock().expired(Instant::now()) {
                self.inbox.city(City::CannotAsk(ticket, CannotAsk::TooLate));
            }
        }
    }

    fn ask(&mut self, name: &str, question: CityQuestion, until: Instant) {
        // Forgotten meanwhile, when there is nothing to seal to.
        let recipient = self.outstanding.lock().recipient(name);
        let Some(reply_to) = recipient else { return };
        let within = until.saturating_duration_since(Instant::now());
        let said = self.query(name, reply_to, within, question);
        if !said && let Some(ticket) = self.outstanding.lock().take(name) {
            self.inbox.city(City::CannotAsk(ticket, CannotAsk::Away));
        }
    }

    /// The answer is sealed to a key that nobody has: it belongs to no session.
    fn tell(&mut self, question: CityQuestion) {
        let name = uuid::Uuid::new_v4().to_string();
        let (_, nobody) = AgeOpener::ephemeral();
        if !self.query(&name, nobody, TELL, question) {
            tracing::info!("the city could not be told something; it forgets it in time");
        }
    }

    /// Seals a question and hands it to the agent.
    fn query(&mut self, name: &str, reply_to: String, within: Duration, question: CityQuestion) -> bool {
        let asker = border::Asker {
            terminal: &self.settings.terminal,
            place: &self.settings.place,
            run: &self.run,
            reply_to,
        };
        match border::sealed(&self.settings.sealer, name, asker, question) {
            Ok(question) => self.say(&request(name.to_owned(), within, LocalBody::Query { question })),
            Err(error) => {
                tracing::error!(%error, "a question could not be sealed");
                false
            }
        }
    }

    /// Writes to the agent. A line that broke since it was last used is replaced, once.
    fn say(&mut self, request: &LocalRequest) -> bool {
        let Ok(bytes) = frame(request) else { return false };
        if self.line.as_mut().is_some_and(|line| line.write(&request.ticket, &bytes)) {
            return true;
        }
        self.line = self.connect();
        self.line.as_mut().is_some_and(|line| line.write(&request.ticket, &bytes))
    }

    fn connect(&mut self) -> Option<Line> {
        // Whatever was said on the line before can have no answer any more.
        self.line = None;
        let path: &Path = &self.settings.state.join(SOCKET);
        let connected = Line::connect(path, self.outstanding.clone(), self.inbox.clone());
        let away = connected.is_err();
        if std::mem::replace(&mut self.away, away) != away {
            match &connected {
                Ok(_) => tracing::info!("the sync agent can be asked again"),
                Err(error) => tracing::warn!(%error, "the sync agent cannot be asked"),
            }
        }
        connected.ok()
    }
}

fn request(ticket: String, within: Duration, body: LocalBody) -> LocalRequest {
    let within_ms = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
    LocalRequest { version: LOCAL_VERSION, ticket, within_ms, body }
}
