//! One connection to the agent: frames out, and a thread that takes the replies until it ends.

use super::border;
use super::outstanding::Shared;
use crate::inbox::Inbox;
use kiosk_core::session::{CannotAsk, City, CityAnswer};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use sync_protocol::local::{LocalOutcome, LocalReply, read_frame};

/// How long an agent may leave a question unread. Questions are small, so it hangs when they do not fit.
const WRITE: Duration = Duration::from_secs(1);

/// Lines are numbered, so that the end of one takes nothing of the next with it.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// An open connection. Dropping it ends the thread.
pub(super) struct Line {
    stream: UnixStream,
    number: u64,
    outstanding: Shared,
    ended: Arc<AtomicBool>,
}

impl Line {
    /// Connects without ever waiting: an agent that takes nobody is as good as none.
    pub(super) fn connect(path: &Path, outstanding: Shared, inbox: Inbox) -> std::io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
        let stream = UnixStream::from(socket);
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(WRITE))?;
        let from = stream.try_clone()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let ended = Arc::new(AtomicBool::new(false));
        let reader = Reader { from, number, outstanding: outstanding.clone(), inbox, ended: ended.clone() };
        std::thread::Builder::new().name("city-replies".into()).spawn(move || reader.run())?;
        Ok(Self { stream, number, outstanding, ended })
    }

    /// Writes one frame, that of the question with this name; `false` when the line is of no use any more.
    pub(super) fn write(&mut self, name: &str, frame: &[u8]) -> bool {
        if self.ended.load(Ordering::Acquire) || self.stream.write_all(frame).is_err() {
            return false;
        }
        // Under the lock under which the reader ends the line: either this sees the end, and the question is said again on
        // the next line, or the reader finds the question.
        let mut outstanding = self.outstanding.lock();
        let heard = !self.ended.load(Ordering::Acquire);
        if heard {
            outstanding.said_on(name, self.number);
        }
        heard
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

struct Reader {
    from: UnixStream,
    number: u64,
    outstanding: Shared,
    inbox: Inbox,
    ended: Arc<AtomicBool>,
}

impl Reader {
    /// Until the line ends, or says what is no frame.
    fn run(mut self) {
        while let Ok(reply) = read_frame::<LocalReply>(&mut self.from) {
            self.take(reply);
        }
        let _ = self.from.shutdown(Shutdown::Both);
        let mut outstanding = self.outstanding.lock();
        self.ended.store(true, Ordering::Release);
        let lost = outstanding.lost(self.number);
        drop(outstanding);
        for ticket in lost {
            self.inbox.city(City::CannotAsk(ticket, CannotAsk::Away));
        }
    }

    fn take(&self, reply: LocalReply) {
        let mut outstanding = self.outstanding.lock();
        let Some((ticket, key)) = outstanding.take_with_key(&reply.ticket) else {
            return tracing::debug!("a reply of the agent that nobody waits for");
        };
        let said: Result<CityAnswer, CannotAsk> = match reply.outcome {
            LocalOutcome::Answer { answer } => border::opened(key, &reply.ticket, &answer),
            LocalOutcome::TooLate => Err(CannotAsk::TooLate),
            LocalOutcome::Busy => Err(CannotAsk::Busy),
            LocalOutcome::Done | LocalOutcome::Unreachable | LocalOutcome::NotPossible => {
                Err(CannotAsk::Away)
            }
        };
        // Said under the lock: what a session has forgotten cannot be said after it.
        self.inbox.city(match said {
            Ok(answer) => City::Answered(ticket, answer),
            Err(why) => City::CannotAsk(ticket, why),
        });
    }
}
