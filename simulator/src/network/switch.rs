//! The switch itself: accepts the terminal's connections and treats them as the present mode says.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::NetworkMode;
use super::impostor::{Impostor, ImpostorIdentities};
use super::records::RecordTracker;

/// More connections than any terminal opens; one more waits.
const CONNECTION_LIMIT: usize = 256;
/// One read; small enough that the slow mode's pace is even.
const PIECE: usize = 8 * 1024;
/// Pieces in flight during the slow mode's delay.
const IN_FLIGHT: usize = 8;
const SLOW_DELAY: Duration = Duration::from_millis(400);
const SLOW_BYTES_PER_SECOND: f64 = 16_000.0;
/// How long a connection whose answers are lost stays open after the first lost byte.
const LOST_PATIENCE: Duration = Duration::from_secs(3);
/// Cutting is a matter of microseconds.
const CUT_PATIENCE: Duration = Duration::from_secs(2);
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// The switch. Dropping it closes everything.
pub struct NetworkSwitch {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    mode: watch::Sender<NetworkMode>,
    /// Held by every connection; a change that cuts connections begins a new one.
    era: Mutex<Arc<()>>,
    gateway: SocketAddr,
    portal: Impostor,
    error: Impostor,
    stranger: Impostor,
    open: AtomicUsize,
    accepted: AtomicUsize,
}

/// What a connection begins with. All of it is taken in one step.
struct Beginning {
    mode: NetworkMode,
    changes: watch::Receiver<NetworkMode>,
    _era: Arc<()>,
}

impl Shared {
    fn era(&self) -> MutexGuard<'_, Arc<()>> {
        self.era.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> Beginning {
        let era = self.era();
        let mut changes = self.mode.subscribe();
        let mode = *changes.borrow_and_update();
        Beginning { mode, changes, _era: Arc::clone(&era) }
    }
}

impl NetworkSwitch {
    /// Starts a switch between `listener` and the gateway.
    pub fn start(
        listener: TcpListener,
        gateway: SocketAddr,
        identities: &ImpostorIdentities,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            mode: watch::Sender::new(NetworkMode::On),
            era: Mutex::default(),
            gateway,
            portal: Impostor::start(NetworkMode::CaptivePortal, identities)?,
            error: Impostor::start(NetworkMode::Error500, identities)?,
            stranger: Impostor::start(NetworkMode::WrongCertificate, identities)?,
            open: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// Where the terminal connects.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what the network does. Open connections are cut (this waits for it), except that a working one
    /// stays open when its answers begin to get lost: that is what makes this fault nasty.
    pub async fn set(&self, mode: NetworkMode) {
        let before = {
            let mut era = self.shared.era();
            let present = self.mode();
            if present == mode {
                return;
            }
            tracing::info!(?mode, "the network changes");
            self.shared.mode.send_replace(mode);
            if mode == NetworkMode::LoseReplies && matches!(present, NetworkMode::On | NetworkMode::Slow) {
                return;
            }
            std::mem::take(&mut *era)
        };
        let deadline = Instant::now() + CUT_PATIENCE;
        while Arc::strong_count(&before) > 1 && Instant::now() < deadline {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// What the network does now.
    pub fn mode(&self) -> NetworkMode {
        *self.shared.mode.borrow()
    }

    /// Connections open now.
    pub fn open_connections(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// Connections accepted so far, in any mode.
    pub fn accepted_connections(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for NetworkSwitch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTION_LIMIT));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => {
                // Out of file descriptors or the like; others may free some.
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        shared.accepted.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            shared.open.fetch_add(1, Ordering::Relaxed);
            connection(stream, &shared).await;
            shared.open.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
}

async fn connection(mut stream: TcpStream, shared: &Shared) {
    let Beginning { mode, mut changes, _era } = shared.begin();
    let _ = stream.set_nodelay(true);
    let impostor = match mode {
        NetworkMode::Off => {
            // A reset: the terminal learns at once, as with an unplugged cable on its own side.
            let _ = stream.set_zero_linger();
            return;
        }
        NetworkMode::On | NetworkMode::Slow | NetworkMode::LoseReplies => {
            return relay(stream, shared, changes, mode).await;
        }
        NetworkMode::CaptivePortal => &shared.portal,
        NetworkMode::Error500 => &shared.error,
        NetworkMode::WrongCertificate => &shared.stranger,
    };
    let (mut near, far) = tokio::io::duplex(4 * PIECE);
    impostor.take(far);
    let cut = tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut stream, &mut near) => false,
        // A pooled connection must not go on being answered by a portal that is gone.
        _ = changes.changed() => true,
    };
    if cut {
        let _ = stream.set_zero_linger();
    }
}

/// Passes bytes both ways until both sides have ended or the mode changes.
async fn relay(
    mut terminal: TcpStream,
    shared: &Shared,
    changes: watch::Receiver<NetworkMode>,
    mode: NetworkMode,
) {
    let Ok(Ok(mut city)) = timeout(CONNECT_PATIENCE, TcpStream::connect(shared.gateway)).await else {
        let _ = terminal.set_zero_linger();
        return;
    };
    let _ = city.set_nodelay(true);
    if pass(&mut terminal, &mut city, changes, mode).await == Ending::Cut {
        let _ = terminal.set_zero_linger();
        let _ = city.set_zero_linger();
    }
}

#[derive(PartialEq, Eq)]
enum Ending {
    /// Both sides closed; everything was passed on.
    Finished,
    /// The network failed: no polite goodbye.
    Cut,
}

async fn pass(
    terminal: &mut TcpStream,
    city: &mut TcpStream,
    mut changes: watch::Receiver<NetworkMode>,
    mode: NetworkMode,
) -> Ending {
    let (from_terminal, to_terminal) = terminal.split();
    let (from_city, to_city) = city.split();
    let handshake_over = watch::Sender::new(false);
    let losing = watch::Sender::new(mode == NetworkMode::LoseReplies);
    let lost = watch::Sender::new(None);
    let pace = (mode == NetworkMode::Slow).then(Pace::default);
    let outward = carry(from_terminal, to_city, pace, Ways::Outward(&handshake_over));
    let back = Ways::Back { handshake_over: &handshake_over, losing: &losing, lost: &lost };
    let inward = carry(from_city, to_terminal, pace, back);
    let mut first_lost = lost.subscribe();
    let give_up = async {
        let at = first_lost.wait_for(Option::is_some).await.ok().and_then(|at| *at);
        sleep_until(at.unwrap_or_else(Instant::now) + LOST_PATIENCE).await;
    };
    let both = async { tokio::join!(outward, inward) };
    tokio::pin!(both, give_up);
    loop {
        tokio::select! {
            _ = &mut both => return Ending::Finished,
            () = &mut give_up => return Ending::Cut,
            changed = changes.changed() => {
                let next = *changes.borrow_and_update();
                if changed.is_err() || next != NetworkMode::LoseReplies {
                    return Ending::Cut;
                }
                losing.send_replace(true);
            }
        }
    }
}

/// The slow mode's delay and rate.
#[derive(Clone, Copy)]
struct Pace {
    delay: Duration,
    bytes_per_second: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { delay: SLOW_DELAY, bytes_per_second: SLOW_BYTES_PER_SECOND }
    }
}

#[derive(Clone, Copy)]
enum Ways<'a> {
    Outward(&'a watch::Sender<bool>),
    Back {
        handshake_over: &'a watch::Sender<bool>,
        losing: &'a watch::Sender<bool>,
        lost: &'a watch::Sender<Option<Instant>>,
    },
}

/// Carries one direction. Reading and writing run side by side, joined by a short queue whose entries carry the
/// time at which they may be written.
async fn carry(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, pace: Option<Pace>, way: Ways<'_>) {
    let (queue, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(IN_FLIGHT);
    let mut records = RecordTracker::default();
    let read = async move {
        let mut buffer = vec![0; PIECE];
        loop {
            let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
            let piece = &buffer[..length];
            match way {
                Ways::Outward(over) => {
                    records.feed(piece);
                    if records.handshake_is_over() {
                        over.send_if_modified(|known| !std::mem::replace(known, true));
                    }
                }
                Ways::Back { handshake_over, losing, lost } => {
                    if *losing.borrow() && *handshake_over.borrow() {
                        lost.send_if_modified(|at| at.is_none() && at.replace(Instant::now()).is_none());
                        continue;
                    }
                }
            }
            let due = Instant::now() + pace.map_or(Duration::ZERO, |pace| pace.delay);
            if queue.send((due, piece.to_vec())).await.is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, piece)) = waiting.recv().await {
            if let Some(pace) = pace {
                sleep_until(due).await;
                sleep(Duration::from_secs_f64(piece.len() as f64 / pace.bytes_per_second)).await;
            }
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}
