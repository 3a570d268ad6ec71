//! Runs a simulated device on a thread behind a pseudo terminal or a TCP port, with the timing of a wire.
//!
//! Bytes travel in both directions at the configured rate (10 bit times per byte), so a driver meets short
//! reads, long answers and half-sent frames as on hardware. Unplugging drops the terminal and its link.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, poll};

mod plug;

pub(crate) use plug::Outlet;
use plug::Plug;

use crate::uart;

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
    /// Bytes that the device can take; the host has to wait with the rest. A device without handshake takes all.
    fn room(&self) -> usize {
        usize::MAX
    }
    /// The rate at which the device listens and speaks, bits per second; `None` for one that minds none.
    fn rate(&self) -> Option<u32> {
        None
    }
    /// Whether the plug comes out once everything said so far has left.
    fn loses_plug(&self) -> bool {
        false
    }
}

struct State<D> {
    device: D,
    paced: bool,
    stop: bool,
    want_plugged: bool,
    plugged: bool,
    plug_error: Option<io::ErrorKind>,
    address: Option<SocketAddr>,
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
    /// Starts the device and plugs it in behind a pseudo terminal; when this returns, `link` can be opened.
    pub(crate) fn start(name: &str, link: &Path, baud: u32, device: D) -> io::Result<Wire<D>> {
        Wire::start_at(name, Outlet::Tty(link.to_path_buf()), baud, device)
    }

    /// Starts the device and plugs it in; when this returns, it can be opened or connected to.
    pub(crate) fn start_at(name: &str, outlet: Outlet, baud: u32, device: D) -> io::Result<Wire<D>> {
        let state = State {
            device,
            paced: true,
            stop: false,
            want_plugged: true,
            plugged: false,
            plug_error: None,
            address: None,
        };
        let waker = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), waker });
        let theirs = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&theirs, outlet, baud))?;
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

    /// The address of the TCP port, if the device was ever plugged into one.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.shared.lock().address
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

fn run<D: WireDevice>(shared: &Shared<D>, mut outlet: Outlet, baud: u32) {
    let mut plug: Option<Plug> = None;
    let mut line = Line::new(baud);
    loop {
        let due = {
            let mut state = shared.lock();
            if state.stop {
                return;
            }
            follow_plug(&mut state, &mut plug, &mut line, &mut outlet);
            line.paced = state.paced;
            let now = Instant::now();
            let rates = plug.as_ref().and_then(|plug| Some((state.device.rate()?, plug.host_rate()?)));
            if let Some(bytes) = line.take_received(now) {
                state.device.receive(&heard(&bytes, rates.map(|(device, host)| (host, device))), now);
            }
            let leaving = heard(&state.device.advance(now), rates);
            line.send(&leaving, plug.is_some());
            line.room = state.device.room();
            if state.device.loses_plug() && line.is_quiet() {
                state.want_plugged = false;
                follow_plug(&mut state, &mut plug, &mut line, &mut outlet);
            }
            shared.changed.notify_all();
            state.device.next_due()
        };
        line.exchange(plug.as_mut(), shared.waker.as_fd(), due);
    }
}

fn follow_plug<D: WireDevice>(
    state: &mut State<D>,
    plug: &mut Option<Plug>,
    line: &mut Line,
    outlet: &mut Outlet,
) {
    if state.want_plugged == plug.is_some() {
        return;
    }
    line.cut();
    state.device.power_off();
    *plug = None;
    if state.want_plugged {
        match Plug::open(outlet) {
            Ok(fresh) => {
                line.hung_up = fresh.line().is_none();
                *plug = Some(fresh);
            }
            Err(e) => {
                state.plug_error = Some(e.kind());
                state.want_plugged = false;
            }
        }
    }
    if let Outlet::Tcp(address) = outlet {
        state.address = Some(*address);
    }
    state.plugged = plug.is_some();
}

/// What arrives of bytes that were sent at the first rate to an end that listens at the second.
fn heard(bytes: &[u8], rates: Option<(u32, u32)>) -> Vec<u8> {
    rates.map_or_else(|| bytes.to_vec(), |(sent, heard)| uart::heard(bytes, sent, heard))
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
    /// Bytes that the device can take.
    room: usize,
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
            room: usize::MAX,
        }
    }

    /// Everything in flight is lost.
    fn cut(&mut self) {
        self.arriving = None;
        self.departing = None;
        self.leaving.clear();
        self.hung_up = false;
    }

    /// Whether everything that the device said has left.
    fn is_quiet(&self) -> bool {
        self.leaving.is_empty() && self.departing.is_none()
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
    fn exchange(&mut self, plug: Option<&mut Plug>, waker: BorrowedFd<'_>, due: Option<Instant>) {
        if let Some(fd) = plug.as_deref().and_then(Plug::line) {
            let was_quiet = self.is_quiet();
            self.depart(fd);
            if self.is_quiet() != was_quiet {
                // The last byte has left: the device may want to know before it waits.
                return;
            }
        }
        let listening = !self.hung_up && self.arriving.is_none() && self.room > 0;
        let look = self.hung_up && plug.as_deref().is_some_and(Plug::must_be_looked_at);
        let looked = look.then(|| Instant::now() + HUNG_UP_POLL);
        let arriving = self.arriving.as_ref().map(|(_, at)| *at);
        let departing = self.departing.as_ref().map(|(_, at)| *at);
        let until = [due, looked, arriving, departing].into_iter().flatten().min();
        let mut fds = vec![PollFd::from_borrowed_fd(waker, PollFlags::IN)];
        fds.extend(plug.as_deref().and_then(|plug| plug.watched(listening)));
        // An interrupted wait is a short one.
        let _ = poll(&mut fds, until.map(timespec_until).as_ref());
        let seen = fds.get(1).map_or(PollFlags::empty(), PollFd::revents);
        let mut counter = [0u8; 8];
        let _ = rustix::io::read(waker, &mut counter);
        let Some(plug) = plug else { return };
        if self.hung_up {
            self.hung_up = !plug.admit() && plug.is_hung_up();
        } else if listening && !seen.is_empty() {
            self.arrive(plug);
        } else if seen.contains(PollFlags::ERR) {
            // A connection was broken off while the device could not take more.
            self.hang_up(plug);
        }
    }

    fn depart(&mut self, fd: BorrowedFd<'_>) {
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
            let _ = rustix::io::write(fd, &bytes);
        }
    }

    fn arrive(&mut self, plug: &mut Plug) {
        let Some(fd) = plug.line() else { return };
        let mut buffer = vec![0u8; self.chunk().min(self.room)];
        match rustix::io::read(fd, &mut buffer) {
            Ok(0) | Err(rustix::io::Errno::IO | rustix::io::Errno::CONNRESET) => self.hang_up(plug),
            Ok(count) => {
                buffer.truncate(count);
                let at = self.through(count, self.in_free);
                self.in_free = at;
                self.arriving = Some((buffer, at));
            }
            Err(_) => {}
        }
    }

    /// Nobody is at the other end any more: what was on its way there is lost.
    fn hang_up(&mut self, plug: &mut Plug) {
        self.leaving.clear();
        self.departing = None;
        self.hung_up = true;
        plug.part();
    }
}

pub(crate) fn timespec_until(at: Instant) -> Timespec {
    let left = at.saturating_duration_since(Instant::now());
    Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
}
