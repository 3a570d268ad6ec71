//! The card through PC/SC (`pcscd` on Linux): find the reader, connect, read, let go.
//!
//! PC/SC has no deadline of its own for an exchange with a card, so each call works on a thread and is waited for. One
//! that does not come back in time is left to itself: what it still reads is wiped and never seen, and until it ends
//! the reader counts as not answering. At most one such thread is left.

use std::ffi::{CStr, CString};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pcsc::{Card, Context, Disposition, Error, Protocols, ReaderState, Scope, ShareMode, State};

use super::protocol::apdu::split_answer;
use super::protocol::conversation::MAX_ANSWER;
use super::protocol::{CardChannel, ChannelError, read_card};
use super::{SocialSecurityCard, SocialSecurityCardError, SocialSecurityCardReader};

/// How long looking for a card may take.
const FIND_DEADLINE: Duration = Duration::from_secs(2);
/// How long reading may take: some 27 exchanges, whose bytes alone take half a second on a T=0 line of 9600 baud.
pub const READ_DEADLINE: Duration = Duration::from_secs(8);
/// How long `pcscd` may take to notice that a card was pulled: it looks some twice a second.
const PULL_NOTICED: Duration = Duration::from_secs(2);

/// A PC/SC reader.
pub struct PcscCardReader {
    wanted: String,
    read_deadline: Duration,
    left: Option<JoinHandle<()>>,
    unanswered: u32,
}

impl PcscCardReader {
    /// The first reader whose name contains `wanted`; empty means the first of all. It may be plugged in later.
    pub fn new(wanted: &str) -> PcscCardReader {
        PcscCardReader { wanted: wanted.to_owned(), read_deadline: READ_DEADLINE, left: None, unanswered: 0 }
    }

    /// The same reader with another deadline for reading a whole card; [`READ_DEADLINE`] otherwise.
    pub fn with_read_deadline(self, read_deadline: Duration) -> PcscCardReader {
        PcscCardReader { read_deadline, ..self }
    }

    /// The names of all readers that PC/SC knows, for a technician's eyes.
    pub fn names(&mut self) -> Result<Vec<String>, SocialSecurityCardError> {
        self.within(FIND_DEADLINE, |_| {
            let context = Context::establish(Scope::System).map_err(connect_error)?;
            let readers = context.list_readers_owned().map_err(connect_error)?;
            Ok(readers.iter().map(|name| name.to_string_lossy().into_owned()).collect())
        })
    }

    /// Lets `work` be done within a deadline.
    fn within<R: Send + 'static>(
        &mut self,
        deadline: Duration,
        work: impl FnOnce(&str) -> Result<R, SocialSecurityCardError> + Send + 'static,
    ) -> Result<R, SocialSecurityCardError> {
        if self.left.take_if(|thread| thread.is_finished()).is_some() {
            tracing::debug!("a late call to the social-security card reader came back and was dropped");
        }
        if self.left.is_some() {
            return Err(self.silence());
        }
        let (sender, receiver) = sync_channel(1);
        let wanted = self.wanted.clone();
        let thread = std::thread::Builder::new()
            .name("social-security-card".into())
            .spawn(move || {
                // Nobody may be waiting any more; the card then wipes itself here.
                let _ = sender.send(work(&wanted));
            })
            .map_err(|_| SocialSecurityCardError::Fault)?;
        match receiver.recv_timeout(deadline) {
            Ok(result) => {
                self.unanswered = 0;
                result
            }
            Err(RecvTimeoutError::Timeout) => {
                self.left = Some(thread);
                Err(self.silence())
            }
            Err(RecvTimeoutError::Disconnected) => Err(SocialSecurityCardError::Fault),
        }
    }

    fn silence(&mut self) -> SocialSecurityCardError {
        self.unanswered = self.unanswered.saturating_add(1);
        SocialSecurityCardError::NoAnswer { in_a_row: self.unanswered }
    }
}

impl SocialSecurityCardReader for PcscCardReader {
    fn is_card_in(&mut self) -> Result<bool, SocialSecurityCardError> {
        self.within(FIND_DEADLINE, |wanted| {
            let (context, reader) = find_reader(wanted)?;
            Ok(state_of(&context, &reader)?.contains(State::PRESENT))
        })
    }

    fn read(&mut self) -> Result<SocialSecurityCard, SocialSecurityCardError> {
        self.within(self.read_deadline, |wanted| {
            let (context, reader) = find_reader(wanted)?;
            // Nobody else reads from the card meanwhile.
            let card = context
                .connect(&reader, ShareMode::Exclusive, Protocols::T0 | Protocols::T1)
                .map_err(connect_error)?;
            let mut channel = PcscChannel { context, reader, card };
            let read = read_card(&mut channel);
            // Without power the card forgets what was selected; if that fails it was pulled.
            let _ = channel.card.disconnect(Disposition::UnpowerCard);
            read
        })
    }
}

fn find_reader(wanted: &str) -> Result<(Context, CString), SocialSecurityCardError> {
    let context = Context::establish(Scope::System).map_err(connect_error)?;
    let readers = context.list_readers_owned().map_err(connect_error)?;
    let found = readers.into_iter().find(|name| name.to_string_lossy().contains(wanted));
    let reader = found.ok_or(SocialSecurityCardError::Gone)?;
    Ok((context, reader))
}

/// What the reader's slot looks like now.
fn state_of(context: &Context, reader: &CStr) -> Result<State, SocialSecurityCardError> {
    let mut states = [ReaderState::new(reader, State::UNAWARE)];
    context.get_status_change(Duration::ZERO, &mut states).map_err(connect_error)?;
    let state = states[0].event_state();
    let gone = state.intersects(State::UNKNOWN | State::UNAVAILABLE | State::IGNORE);
    if gone { Err(SocialSecurityCardError::Gone) } else { Ok(state) }
}

/// What PC/SC says before the first exchange.
fn connect_error(error: Error) -> SocialSecurityCardError {
    match error {
        Error::NoSmartcard | Error::RemovedCard => SocialSecurityCardError::NoCard,
        Error::UnresponsiveCard | Error::UnpoweredCard | Error::UnsupportedCard | Error::ProtoMismatch => {
            SocialSecurityCardError::Mute
        }
        Error::SharingViolation => SocialSecurityCardError::Busy,
        error if says_gone(error) => SocialSecurityCardError::Gone,
        error => {
            tracing::debug!(%error, "PC/SC reports a fault");
            SocialSecurityCardError::Fault
        }
    }
}

/// The reader, or `pcscd` itself, is not there.
fn says_gone(error: Error) -> bool {
    matches!(
        error,
        Error::NoService
            | Error::ServiceStopped
            | Error::NoReadersAvailable
            | Error::UnknownReader
            | Error::ReaderUnavailable
            | Error::InvalidHandle
            | Error::CommError
    )
}

/// A connected card.
struct PcscChannel {
    context: Context,
    reader: CString,
    card: Card,
}

impl CardChannel for PcscChannel {
    fn transmit(&mut self, command: &[u8], answer: &mut [u8; MAX_ANSWER]) -> Result<usize, ChannelError> {
        match self.card.transmit(command, answer) {
            Ok(answer) if split_answer(answer).is_some() => Ok(answer.len()),
            // A reader may answer for a card that is not there any more, with nothing or with a piece.
            Ok(_) => Err(self.why()),
            Err(Error::RemovedCard | Error::NoSmartcard | Error::ResetCard) => Err(ChannelError::CardGone),
            Err(error) if says_gone(error) => Err(ChannelError::ReaderGone),
            Err(error) => {
                tracing::debug!(%error, "an exchange with the card failed");
                Err(self.why())
            }
        }
    }
}

impl PcscChannel {
    /// Whether an exchange failed because the card, or the reader, is gone: `pcscd` learns of it a little later.
    fn why(&self) -> ChannelError {
        let until = Instant::now() + PULL_NOTICED;
        let mut states = [ReaderState::new(self.reader.clone(), State::UNAWARE)];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.context.get_status_change(left, &mut states) {
                Ok(()) => {}
                Err(error) if says_gone(error) => return ChannelError::ReaderGone,
                Err(_) => return ChannelError::Failed,
            }
            let state = states[0].event_state();
            if state.intersects(State::UNKNOWN | State::UNAVAILABLE) {
                return ChannelError::ReaderGone;
            }
            if state.contains(State::EMPTY) {
                return ChannelError::CardGone;
            }
            if left.is_zero() {
                return ChannelError::Failed;
            }
            states[0].sync_current_state();
        }
    }
}
