//! Questions that wait for an answer, and the key of the session that the answers are sealed to.

use kiosk_core::session::Ticket;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use sync_protocol::AgeOpener;

/// Questions under way at once; the session asks one at a time, and the agent takes eight.
const MOST: usize = 4;

/// What is outstanding, between the loop, the thread that writes and the one that reads.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Outstanding>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Outstanding> {
        // Each change is whole by itself, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of one session. Replacing it by an empty one forgets the session: the key wipes itself.
#[derive(Default)]
pub(super) struct Outstanding {
    key: Option<SessionKey>,
    waiting: HashMap<String, Waiting>,
}

struct SessionKey {
    opener: AgeOpener,
    recipient: String,
}

struct Waiting {
    ticket: Ticket,
    until: Instant,
    /// The line it was said on, by its number; none yet, when it still waits to be written.
    line: Option<u64>,
}

impl Outstanding {
    /// Notes a question and gives it a name for the wire; `None` when too many are under way.
    pub(super) fn begin(&mut self, ticket: Ticket, until: Instant) -> Option<String> {
        if self.waiting.len() >= MOST {
            return None;
        }
        let name = uuid::Uuid::new_v4().to_string();
        self.waiting.insert(name.clone(), Waiting { ticket, until, line: None });
        Some(name)
    }

    /// Whom the answer to this question is to be sealed to; `None` when nobody waits for it any more.
    pub(super) fn recipient(&mut self, name: &str) -> Option<String> {
        self.waiting.get(name)?;
        let key = self.key.get_or_insert_with(|| {
            let (opener, recipient) = AgeOpener::ephemeral();
            SessionKey { opener, recipient }
        });
        Some(key.recipient.clone())
    }

    /// This question is said on this line.
    pub(super) fn said_on(&mut self, name: &str, line: u64) {
        if let Some(waiting) = self.waiting.get_mut(name) {
            waiting.line = Some(line);
        }
    }

    /// Whose question this was; it waits no longer. `None` for a foreign or late answer.
    pub(super) fn take(&mut self, name: &str) -> Option<Ticket> {
        self.waiting.remove(name).map(|waiting| waiting.ticket)
    }

    /// The same, with the key to the answer.
    pub(super) fn take_with_key(&mut self, name: &str) -> Option<(Ticket, &AgeOpener)> {
        let ticket = self.take(name)?;
        Some((ticket, &self.key.as_ref()?.opener))
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.until).min()
    }

    /// Those whose time has passed; they wait no longer.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<Ticket> {
        self.drain(|waiting| waiting.until <= now)
    }

    /// Those that were said on a line that has ended; they wait no longer.
    pub(super) fn lost(&mut self, line: u64) -> Vec<Ticket> {
        self.drain(|waiting| waiting.line == Some(line))
    }

    fn drain(&mut self, gone: impl Fn(&Waiting) -> bool) -> Vec<Ticket> {
        self.waiting.extract_if(|_, waiting| gone(waiting)).map(|(_, waiting)| waiting.ticket).collect()
    }
}
