//! A simulated A4 printer on a TCP port: it answers IPP over HTTP, and shows what lies in its output tray.
//!
//! The rules of a real printer hold, as far as CUPS's own tests of IPP/1.1, IPP/2.0 and IPP Everywhere printers ask for
//! them. It takes one job at a time; pages come out one by one in their time; trouble stops it in the middle, with
//! printer and job both "stopped", and it goes on by itself when the trouble is over; without power it forgets its jobs.
//! The line to it takes faults as well: silence, a cut, garbage, a refusal.

mod http;
mod ipp_attributes;
mod ipp_everywhere;
mod ipp_request;
mod ipp_server;
mod machine;

use std::collections::VecDeque;
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use machine::{MachineProfile, SimulatedDocumentPrinter, SimulatedPrintOut, Trouble};

use self::ipp_attributes::Address;
use self::ipp_request::Request;
use crate::document_printer::JobState;

/// How often the paper path is looked at while somebody waits for it.
const TICK: Duration = Duration::from_millis(5);
/// Requests that are remembered; who runs for days forgets the oldest.
const HEARD_MAX: usize = 4096;
/// Connections that are served at once; a printer has few.
const MAX_CONNECTIONS: usize = 16;

/// What goes wrong on the line to the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFault {
    /// The request is done, and never answered.
    Silence,
    /// The request is done, and answered late.
    Late(Duration),
    /// The request is not even done: the line breaks when it has arrived.
    CutBefore,
    /// The request is done; the line breaks after so many bytes of the answer, HTTP head included.
    CutAfter(usize),
    /// The request is done; a byte of the answer's attributes is another one.
    Garbage,
    /// The request is done; the answer carries another request's number.
    OtherId,
    /// The request is done; the answer comes byte by byte, with this pause between two.
    Trickle(Duration),
    /// The request is done; the answer never comes to an end.
    Flood,
    /// The request is done; what comes back is no HTTP.
    NoHttp,
    /// The request is refused at the level of HTTP.
    Http(u16),
    /// The request is refused with this IPP status.
    Status(u16),
}

/// A request of the host, as the printer read it.
#[derive(Clone, PartialEq, Eq)]
pub struct HeardRequest {
    /// Operation code (RFC 8011 §5.4.15).
    pub operation: u16,
    /// The message's bytes, print-out included.
    pub message: Vec<u8>,
}

impl std::fmt::Debug for HeardRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HeardRequest({:04X}, [redacted])", self.operation)
    }
}

struct State {
    machine: SimulatedDocumentPrinter,
    faults: VecDeque<(Option<u16>, LineFault)>,
    /// At work for every request, until it is taken away.
    lasting: Option<LineFault>,
    heard: VecDeque<HeardRequest>,
    connections: Vec<TcpStream>,
    powered: bool,
    asleep_until: Option<Instant>,
    stop: bool,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    address: SocketAddr,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.machine.advance(Instant::now());
        state
    }

    fn uri(&self) -> String {
        format!("ipp://{}/ipp/print", self.address)
    }
}

/// Starts a simulated printer on a free port of this machine; when this returns, it can be reached.
pub fn serve(profile: MachineProfile) -> io::Result<SimulatedDocumentPrinterHandle> {
    serve_at((Ipv4Addr::LOCALHOST, 0).into(), profile)
}

/// The same at this address; port 0 is a free one.
pub fn serve_at(address: SocketAddr, profile: MachineProfile) -> io::Result<SimulatedDocumentPrinterHandle> {
    let listener = TcpListener::bind(address)?;
    let state = State {
        machine: SimulatedDocumentPrinter::new(profile),
        faults: VecDeque::new(),
        lasting: None,
        heard: VecDeque::new(),
        connections: Vec::new(),
        powered: true,
        asleep_until: None,
        stop: false,
    };
    let address = listener.local_addr()?;
    let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), address });
    let mut handle = SimulatedDocumentPrinterHandle { shared, thread: None };
    handle.thread = Some(handle.listen(listener)?);
    Ok(handle)
}

/// The hands at a running simulated printer. Dropping it switches the printer off.
pub struct SimulatedDocumentPrinterHandle {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedDocumentPrinterHandle {
    /// The printer's address, for [`IppDocumentPrinter::new`](crate::document_printer::IppDocumentPrinter::new).
    pub fn uri(&self) -> String {
        self.shared.uri()
    }

    /// Brings the printer into trouble, or out of it.
    pub fn set_trouble(&self, trouble: Option<Trouble>) {
        self.with(|state| state.machine.set_trouble(trouble));
    }

    /// Brings the printer into trouble when so many pages of the next job are out.
    pub fn trouble_after(&self, pages: u32, trouble: Trouble) {
        self.with(|state| state.machine.set_trouble_after(pages, trouble));
    }

    /// Takes back a [`SimulatedDocumentPrinterHandle::trouble_after`] that has not come yet.
    pub fn disarm(&self) {
        self.with(|state| state.machine.forget_trouble_after());
    }

    /// Lets pages take so long from now on: the first, and each further one.
    pub fn set_pace(&self, first_page: Duration, next_page: Duration) {
        self.with(|state| {
            (state.machine.profile.first_page, state.machine.profile.next_page) = (first_page, next_page);
        });
    }

    /// Lets the printer name a trouble as a mere warning.
    pub fn set_warning(&self, trouble: Option<Trouble>) {
        self.with(|state| state.machine.warning = trouble);
    }

    /// Somebody ends the present job at the printer's panel.
    pub fn end_job(&self, state: JobState, with_errors: bool) {
        self.with(|printer| printer.machine.spoil_job(state, with_errors));
    }

    /// A job of somebody else lies in the printer from now on.
    pub fn put_job_of(&self, user: &str) {
        self.with(|state| {
            let number = state.machine.new_job(user, "another", 1, false);
            state.machine.load(number, b"%PDF-1.4".to_vec());
        });
    }

    /// Lets something go wrong once: with the next request of this operation, or with whichever comes next.
    pub fn inject(&self, operation: Option<u16>, fault: LineFault) {
        self.with(|state| state.faults.push_back((operation, fault)));
    }

    /// Lets something go wrong with every request from now on, or with none.
    pub fn set_line_fault(&self, fault: Option<LineFault>) {
        self.with(|state| state.lasting = fault);
    }

    /// Lets the printer sleep: the next request is answered this much later, and wakes it.
    pub fn sleep(&self, takes_to_wake: Duration) {
        self.with(|state| state.asleep_until = Some(Instant::now() + takes_to_wake));
    }

    /// Switches the printer off: connections break and new ones are refused.
    pub fn power_off(&mut self) {
        self.with(|state| {
            state.powered = false;
            state.machine.power_off();
            for connection in state.connections.drain(..) {
                let _ = connection.shutdown(Shutdown::Both);
            }
        });
        self.end_listening();
    }

    /// Switches the printer on again, at the same address.
    pub fn power_on(&mut self) -> io::Result<()> {
        let listener = TcpListener::bind(self.shared.address)?;
        self.with(|state| state.powered = true);
        self.thread = Some(self.listen(listener)?);
        Ok(())
    }

    /// Whether the printer is switched on.
    pub fn is_powered(&self) -> bool {
        self.shared.lock().powered
    }

    /// Looks at the printer as it is now.
    pub fn look<T>(&self, look: impl FnOnce(&SimulatedDocumentPrinter) -> T) -> T {
        look(&self.shared.lock().machine)
    }

    /// What lies in the tray.
    pub fn tray(&self) -> Vec<SimulatedPrintOut> {
        self.shared.lock().machine.tray().to_vec()
    }

    /// What the host has asked so far.
    pub fn heard(&self) -> Vec<HeardRequest> {
        self.shared.lock().heard.iter().cloned().collect()
    }

    /// Waits until the printer satisfies `condition`; false when `timeout` passed first.
    pub fn wait_until(
        &self,
        timeout: Duration,
        mut condition: impl FnMut(&SimulatedDocumentPrinter) -> bool,
    ) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.shared.lock();
        loop {
            state.machine.advance(Instant::now());
            if condition(&state.machine) {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            state = self.shared.changed.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn with(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.shared.lock());
        self.shared.changed.notify_all();
    }

    fn listen(&self, listener: TcpListener) -> io::Result<JoinHandle<()>> {
        let shared = Arc::clone(&self.shared);
        std::thread::Builder::new()
            .name("document-printer-sim".into())
            .spawn(move || accept(&shared, &listener))
    }

    fn end_listening(&mut self) {
        if let Some(thread) = self.thread.take() {
            // Wakes the thread that waits for a connection.
            let _ = TcpStream::connect(self.shared.address);
            let _ = thread.join();
        }
    }
}

impl Drop for SimulatedDocumentPrinterHandle {
    fn drop(&mut self) {
        self.with(|state| state.stop = true);
        self.power_off();
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    for connection in listener.incoming() {
        let mut state = shared.lock();
        if state.stop || !state.powered {
            return;
        }
        let Ok(connection) = connection else { continue };
        let Ok(held) = connection.try_clone() else { continue };
        state.connections.retain(|connection| connection.peer_addr().is_ok());
        if state.connections.len() >= MAX_CONNECTIONS {
            continue;
        }
        state.connections.push(held);
        drop(state);
        let theirs = Arc::clone(shared);
        // A printer that cannot serve one more connection drops it.
        let _ = std::thread::Builder::new()
            .name("document-printer-line".into())
            .spawn(move || converse(&theirs, connection));
    }
}

/// Serves one connection until it ends.
fn converse(shared: &Shared, connection: TcpStream) {
    let Ok(mut writer) = connection.try_clone() else { return };
    let mut reader = BufReader::new(connection);
    while let Ok(Some(message)) = http::read_request(&mut reader) {
        let Some(answer) = answer_to(shared, &message) else { break };
        if answer.write_to(&mut writer).is_err() || answer.then == Then::HangUp {
            break;
        }
    }
    let _ = writer.shutdown(Shutdown::Both);
}

/// Bytes that leave for the host.
struct Leaving {
    bytes: Vec<u8>,
    /// Between two bytes; zero sends them all at once.
    pause: Duration,
    then: Then,
}

/// What the printer does behind an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Listen,
    HangUp,
    /// Goes on with zeros until the host has enough.
    Flood,
}

impl Leaving {
    fn whole(bytes: Vec<u8>, then: Then) -> Leaving {
        Leaving { bytes, pause: Duration::ZERO, then }
    }

    fn write_to(&self, line: &mut TcpStream) -> io::Result<()> {
        if self.pause.is_zero() {
            line.write_all(&self.bytes)?;
        } else {
            for byte in &self.bytes {
                line.write_all(&[*byte])?;
                std::thread::sleep(self.pause);
            }
        }
        match self.then {
            Then::Flood => loop {
                line.write_all(&[0; 4096])?;
            },
            Then::Listen | Then::HangUp => Ok(()),
        }
    }
}

/// `None` when the line breaks without an answer.
fn answer_to(shared: &Shared, message: &[u8]) -> Option<Leaving> {
    let request = match Request::decode(message) {
        Ok(request) => request,
        Err(_) => return Some(Leaving::whole(http::answer(400, &[]), Then::HangUp)),
    };
    let operation = request.operation;
    wait_for_waking(shared);
    let mut state = shared.lock();
    if state.heard.len() == HEARD_MAX {
        state.heard.pop_front();
    }
    state.heard.push_back(HeardRequest { operation, message: message.to_vec() });
    let at = state.faults.iter().position(|(only, _)| only.is_none_or(|only| only == operation));
    let once = at.and_then(|at| state.faults.remove(at)).map(|(_, fault)| fault);
    let fault = once.or(state.lasting);
    if let Some(LineFault::CutBefore) = fault {
        return None;
    }
    if let Some(LineFault::Http(status)) = fault {
        return Some(Leaving::whole(http::answer(status, &[]), Then::Listen));
    }
    let refused = matches!(fault, Some(LineFault::Status(_)));
    let body = if refused {
        // Version, status, the request's number, no attributes at all.
        [&[2, 0, 0, 0][..], message.get(4..8)?, &[3]].concat()
    } else {
        ipp_server::serve(request, &mut state.machine, &Address { uri: shared.uri() }).ok()?
    };
    state.machine.advance(Instant::now());
    drop(state);
    shared.changed.notify_all();
    Some(spoiled(fault, body))
}

/// The answer as the fault leaves it.
fn spoiled(fault: Option<LineFault>, mut body: Vec<u8>) -> Leaving {
    match fault {
        Some(LineFault::Late(by)) => std::thread::sleep(by),
        Some(LineFault::Garbage) => {
            let middle = 8 + (body.len() - 8) / 2;
            body.truncate(middle);
            body.push(0x0F);
        }
        Some(LineFault::OtherId) => body[7] ^= 0x55,
        Some(LineFault::Status(status)) => body[2..4].copy_from_slice(&status.to_be_bytes()),
        _ => {}
    }
    let mut bytes = http::answer(200, &body);
    match fault {
        // The host hangs up by itself when it has waited enough.
        Some(LineFault::Silence) => Leaving::whole(Vec::new(), Then::Listen),
        Some(LineFault::CutAfter(count)) => {
            bytes.truncate(count);
            Leaving::whole(bytes, Then::HangUp)
        }
        Some(LineFault::Trickle(pause)) => Leaving { bytes, pause, then: Then::Listen },
        Some(LineFault::Flood) => Leaving::whole(http::endless_answer(&body), Then::Flood),
        Some(LineFault::NoHttp) => Leaving::whole(b"@PJL INFO STATUS\r\n".repeat(20), Then::HangUp),
        _ => Leaving::whole(bytes, Then::Listen),
    }
}

fn wait_for_waking(shared: &Shared) {
    let until = shared.lock().asleep_until.take();
    if let Some(until) = until {
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
    }
}
