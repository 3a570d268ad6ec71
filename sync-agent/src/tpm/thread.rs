//! The thread that asks the TPM, beside the agent: a TPM that is slow, locked, gone or mad costs a line in the log and
//! the member of the hello, never a delivery.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use kiosk_store::{DeliveryReader, OutboxReader, StoreError, TpmMemory};
use tokio::sync::watch;

use super::{Device, Memory, Note, NvCounter, TpmError, round};
use crate::{AgentError, Config};

/// Time between two steps of the counter, see [`super::round`].
const STEP_EVERY: Duration = Duration::from_secs(60 * 60);

/// Time to the next look after one that failed.
const AGAIN_AFTER: Duration = Duration::from_secs(10 * 60);

/// From the start of the agent, hellos wait this long for the first look. A copy should say so in its first hello; and
/// a resident's case is not held up noticeably.
const FIRST_LOOK_MS: u64 = 3_000;

/// A note that the journal is to write, and where its fate goes.
pub(crate) struct NoteWish {
    pub(crate) note: Note,
    pub(crate) done: SyncSender<bool>,
}

/// What is known of the counter.
#[derive(Clone, Copy)]
enum Known {
    NotYet,
    Value(u64),
    No,
}

/// The way to the thread. Dropping it ends the thread, which is not waited for: it may hang in the kernel.
pub(crate) struct TpmThread {
    known: watch::Receiver<Known>,
    _end: SyncSender<()>,
}

impl TpmThread {
    /// Starts the thread; `wish` hands a note to the agent. Without `[tpm]` in `terminal.toml` there is none.
    pub(crate) fn start(
        config: &Config,
        boot_id: String,
        wish: impl FnMut(NoteWish) -> bool + Send + 'static,
    ) -> Result<Option<Self>, AgentError> {
        let Some(tpm) = &config.tpm else { return Ok(None) };
        let (tell, known) = watch::channel(Known::NotYet);
        let (end, ended) = sync_channel(0);
        let mut watcher = Watcher {
            device: tpm.device.clone(),
            index: tpm.index,
            boot_id,
            memory: DiskMemory { state: config.state.clone(), wish },
            last_step: None,
            trouble: None,
        };
        std::thread::Builder::new()
            .name("tpm".into())
            .spawn(move || watcher.run(&tell, &ended))
            .map_err(|error| AgentError::Thread(error.kind()))?;
        Ok(Some(Self { known, _end: end }))
    }

    /// The counter's value at the last look; nothing when that look failed.
    pub(crate) fn counter(&self) -> Option<u64> {
        match *self.known.borrow() {
            Known::Value(value) => Some(value),
            Known::NotYet | Known::No => None,
        }
    }

    /// Whether a hello should still wait for the first look.
    pub(crate) fn is_awaited(&self, now_ms: u64) -> bool {
        now_ms < FIRST_LOOK_MS && matches!(*self.known.borrow(), Known::NotYet)
    }
}

struct Watcher<W> {
    device: PathBuf,
    index: u32,
    boot_id: String,
    memory: DiskMemory<W>,
    last_step: Option<Instant>,
    /// What was said of the last failure, so that each is said once.
    trouble: Option<String>,
}

impl<W: FnMut(NoteWish) -> bool> Watcher<W> {
    fn run(&mut self, tell: &watch::Sender<Known>, ended: &Receiver<()>) {
        loop {
            let (device, looked) = match Device::open(&self.device) {
                Ok(mut device) => {
                    let looked = self.look(&mut device);
                    (Some(device), looked)
                }
                Err(error) => (None, Err(error)),
            };
            let (known, wait) = match &looked {
                Ok(value) => (Known::Value(*value), STEP_EVERY),
                Err(_) => (Known::No, AGAIN_AFTER),
            };
            tell.send_replace(known);
            self.say(looked);
            // Last, because the kernel closes a device only when its last command has ended.
            drop(device);
            match ended.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn look(&mut self, device: &mut Device) -> Result<u64, TpmError> {
        let an_hour_is_over = self.last_step.is_some_and(|at| at.elapsed() >= STEP_EVERY);
        let mut counter = NvCounter::at(self.index, device);
        let value = round(&mut counter, &mut self.memory, &self.boot_id, an_hour_is_over)?;
        if an_hour_is_over || self.last_step.is_none() {
            self.last_step = Some(Instant::now());
        }
        Ok(value)
    }

    fn say(&mut self, looked: Result<u64, TpmError>) {
        match looked {
            Ok(counter) => {
                if self.trouble.take().is_some() {
                    tracing::info!("the TPM's counter is known again");
                }
                tracing::debug!(counter, "the TPM's counter");
            }
            Err(error) => {
                let text = error.to_string();
                if self.trouble.as_ref() != Some(&text) {
                    let (cause, remedy) = (std::error::Error::source(&error), error.remedy());
                    let cause = cause.map(ToString::to_string);
                    tracing::error!(alarm = true, %error, cause, remedy, "hellos go without the TPM's counter");
                    self.trouble = Some(text);
                }
            }
        }
    }
}

/// `delivery.db` as this thread sees it: read here, written by the journal.
struct DiskMemory<W> {
    state: PathBuf,
    wish: W,
}

impl<W: FnMut(NoteWish) -> bool> Memory for DiskMemory<W> {
    fn recall(&self) -> Result<Option<TpmMemory>, StoreError> {
        DeliveryReader::open(&self.state)?.map_or(Ok(None), |log| log.tpm_memory())
    }

    fn newest_life(&self) -> Result<Option<String>, StoreError> {
        Ok(OutboxReader::open(&self.state)?.map(|outbox| outbox.incarnation().to_owned()))
    }

    fn note(&mut self, note: Note) -> bool {
        if let Some(doubt) = note.doubt {
            let why = doubt.label();
            tracing::error!(
                alarm = true,
                why,
                "this disk is a copy or an older image: its queue goes on in a new life"
            );
        }
        let (done, fate) = sync_channel(1);
        // When the agent ends meanwhile, the other end of `fate` is dropped.
        (self.wish)(NoteWish { note, done }) && fate.recv().unwrap_or(false)
    }
}
