//! Runs a simulated device on a thread behind a pseudo terminal, with the timing of a serial wire.
//!
//! Bytes travel in both directions at the configured rate (10 bit times per byte), so a driver meets short
//! reads, long answers and half-sent frames as on hardware. Unplugging drops the terminal and its link.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, poll};

use crate::pty::Pty;

/// Bytes in flight at a time on a paced wire: about 5 ms at 115200 baud.
const PACED_CHUNK: usize = 64;
/// Bytes moved at a time on an unpaced wire.
const UNPACED_CHUNK: usize = 4096;
/// How often a hung-up terminal is looked at: the kernel does not report that a host has opened it again.
const HUNG_UP_POLL: Duration = Duration::from_millis(5);
/// The longest that plugging and unplugging may take.
const PLUG_DEADLINE: Duration = Duration::from_secs(5);

/// The time of one byte on the wire: start bit, eight bits, stop bit.
pub(crate) fn byte_time(baud: u32) -> Duration {
    Duration::from_nanos(10_000_000_000 / u64::from(baud.max(1)))
}

/// A device as the wire sees it.
pub(crate) trait WireDevice: Send + 'static {
    /// Takes bytes that have arrived from the host.
    fn receive(&mut self, bytes: &[u8], now: Instant);
    /// Does what is due by `now` and returns the bytes that leave the device.
    fn advance(&mut self, now: Instant) -> Vec<u8>;
    /// When the device has something to do next.
    fn next_due(&self) -> Option<Instant>;
    /// The device loses its power and forgets what it was doing.
    fn power_off(&mut self);
}

struct State<D> {
    device: D,
    paced: bool,
    stop: bool,
    want_plugged: bool,
    plugged: bool,
    plug_error: Option<io::ErrorKind>,
}

struct Shared<D> {
    state: Mutex<State<D>>,
    changed: Condvar,
    waker: OwnedFd,
}

impl<D> Shared<D> {
    fn lock(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        // The counter cannot overflow in practice, and then the thread is awake anyway.
        let _ = rustix::io::write(&self.waker, &1u64.to_ne_bytes());
    }
}

/// A running simulated device. Dropping it unplugs the device and ends its thread.
pub(crate) struct Wire<D: WireDevice> {
    shared: Arc<Shared<D>>,
    thread: Option<JoinHandle<()>>,
}

impl<D: WireDevice> Wire<D> {
    /// Starts the device and plugs it in; when this returns, `link` can be opened.
    pub(crate) fn start(name: &str, link: &Path, baud: u32, device: D) -> io::Result<Wire<D>> {
        let state =
            State { device, paced: true, stop: false, want_plugged: true, plugged: false, plug_error: None };
        let waker = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), waker });
        let (theirs, link): (_, PathBuf) = (Arc::clone(&shared), link.to_path_buf());
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&theirs, &link, baud))?;
        let wire = Wire { shared, thread: Some(thread) };
        wire.plug()?;
        Ok(wire)
    }

    /// Looks at or changes the device, then lets the wire act on the change.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut D) -> R) -> R {
        let result = f(&mut self.shared.lock().device);
        self.shared.wake();
        result
    }

    /// Waits until the device satisfies `condition`; false when `timeout` passed first.
    pub(crate) fn wait_until(&self, timeout: Duration, mut condition: impl FnMut(&D) -> bool) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.lock();
        loop {
            if condition(&state.device) {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether bytes take the time they take on a serial wire.
    pub(crate) fn set_paced(&self, paced: bool) {
        self.shared.lock().paced = paced;
        self.shared.wake();
    }

    pub(crate) fn is_plugged(&self) -> bool {
        self.shared.lock().plugged
    }

    /// Pulls the plug; when this returns, the terminal and its link are gone.
    pub(crate) fn unplug(&self) {
        // Unplugging cannot fail: the thread only drops what it has.
        let _ = self.set_plugged(false);
    }

    /// Plugs in again on a fresh terminal at the same path.
    pub(crate) fn plug(&self) -> io::Result<()> {
        self.set_plugged(true)
    }

    fn set_plugged(&self, plugged: bool) -> io::Result<()> {
        let deadline = Instant::now() + PLUG_DEADLINE;
        let mut state = self.shared.lock();
        state.want_plugged = plugged;
        state.plug_error = None;
        self.shared.wake();
        while state.plugged != plugged {
            if let Some(kind) = state.plug_error {
                return Err(kind.into());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

impl<D: WireDevice> Drop for Wire<D> {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run<D: WireDevice>(shared: &Shared<D>, link: &Path, baud: u32) {
    let mut pty: Option<Pty> = None;
    let mut line = Line::new(baud);
    loop {
        let due = {
            let mut state = shared.lock();
            if state.stop {
                return;
            }
            follow_plug(&mut state, &mut pty, &mut line, link);
            line.paced = state.paced;
            let now = Instant::now();
            if let Some(bytes) = line.take_received(now) {
                state.device.receive(&bytes, now);
            }
            let leaving = state.device.advance(now);
            line.send(&leaving, pty.is_some());
            shared.changed.notify_all();
            state.device.next_due()
        };
        line.exchange(pty.as_ref(), shared.waker.as_fd(), due);
    }
}

fn follow_plug<D: WireDevice>(state: &mut State<D>, pty: &mut Option<Pty>, line: &mut Line, link: &Path) {
    if state.want_plugged == pty.is_some() {
        return;
    }
    line.cut();
    state.device.power_off();
    if !state.want_plugged {
        *pty = None;
    } else {
        match Pty::open(link) {
            Ok(fresh) => *pty = Some(fresh),
            Err(e) => {
                state.plug_error = Some(e.kind());
                state.want_plugged = false;
            }
        }
    }
    state.plugged = pty.is_some();
}

/// The wire itself: what is in flight in each direction.
struct Line {
    byte_time: Duration,
    paced: bool,
    arriving: Option<(Vec<u8>, Instant)>,
    leaving: VecDeque<u8>,
    departing: Option<(Vec<u8>, Instant)>,
    /// When each direction's last byte was through.
    in_free: Instant,
    out_free: Instant,
    hung_up: bool,
}

impl Line {
    fn new(baud: u32) -> Line {
        let now = Instant::now();
        Line {
            byte_time: byte_time(baud),
            paced: true,
            arriving: None,
            leaving: VecDeque::new(),
            departing: None,
            in_free: now,
            out_free: now,
            hung_up: false,
        }
    }

    /// Everything in flight is lost.
    fn cut(&mut self) {
        self.arriving = None;
        self.departing = None;
        self.leaving.clear();
        self.hung_up = false;
    }

    fn chunk(&self) -> usize {
        if self.paced { PACED_CHUNK } else { UNPACED_CHUNK }
    }

    fn through(&self, count: usize, free: Instant) -> Instant {
        let time = if self.paced { self.byte_time * count as u32 } else { Duration::ZERO };
        free.max(Instant::now()) + time
    }

    fn take_received(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.arriving.take_if(|(_, at)| *at <= now).map(|(bytes, _)| bytes)
    }

    fn send(&mut self, bytes: &[u8], connected: bool) {
        if connected && !self.hung_up {
            self.leaving.extend(bytes);
        }
    }

    /// Writes what is due, then waits for the host, the waker or the next thing due.
    fn exchange(&mut self, pty: Option<&Pty>, waker: BorrowedFd<'_>, due: Option<Instant>) {
        if let Some(pty) = pty {
            self.depart(pty);
        }
        let listening = pty.filter(|_| !self.hung_up && self.arriving.is_none());
        let looked = self.hung_up.then(|| Instant::now() + HUNG_UP_POLL);
        let arriving = self.arriving.as_ref().map(|(_, at)| *at);
        let departing = self.departing.as_ref().map(|(_, at)| *at);
        let until = [due, looked, arriving, departing].into_iter().flatten().min();
        let mut fds = vec![PollFd::from_borrowed_fd(waker, PollFlags::IN)];
        fds.extend(listening.map(|pty| PollFd::from_borrowed_fd(pty.master(), PollFlags::IN)));
        // An interrupted wait is a short one.
        let _ = poll(&mut fds, until.map(timespec_until).as_ref());
        let host_spoke = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
        let mut counter = [0u8; 8];
        let _ = rustix::io::read(waker, &mut counter);
        if let Some(pty) = pty {
            if host_spoke {
                self.arrive(pty);
            } else if self.hung_up {
                self.hung_up = is_hung_up(pty);
            }
        }
    }

    fn depart(&mut self, pty: &Pty) {
        loop {
            if self.departing.is_none() && !self.leaving.is_empty() {
                let count = self.leaving.len().min(self.chunk());
                let bytes: Vec<u8> = self.leaving.drain(..count).collect();
                let at = self.through(count, self.out_free);
                self.departing = Some((bytes, at));
            }
            let now = Instant::now();
            let Some((bytes, at)) = self.departing.take_if(|(_, at)| *at <= now) else { return };
            self.out_free = at;
            // What the host's buffer does not hold is lost, as on a wire without handshake.
            let _ = rustix::io::write(pty.master(), &bytes);
        }
    }

    fn arrive(&mut self, pty: &Pty) {
        let mut buffer = vec![0u8; self.chunk()];
        match rustix::io::read(pty.master(), &mut buffer) {
            Ok(0) | Err(rustix::io::Errno::IO) => {
                // Nobody has the terminal open: what was on its way is lost.
                self.leaving.clear();
                self.departing = None;
                self.hung_up = true;
            }
            Ok(count) => {
                buffer.truncate(count);
                let at = self.through(count, self.in_free);
                self.in_free = at;
                self.arriving = Some((buffer, at));
            }
            Err(_) => {}
        }
    }
}

fn is_hung_up(pty: &Pty) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(pty.master(), PollFlags::IN)];
    let _ = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
    fds[0].revents().contains(PollFlags::HUP) && !fds[0].revents().contains(PollFlags::IN)
}

pub(crate) fn timespec_until(at: Instant) -> Timespec {
    let left = at.saturating_duration_since(Instant::now());
    Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
}
