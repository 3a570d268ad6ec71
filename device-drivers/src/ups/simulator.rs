//! A simulated NUT server with one UPS, that can be told to misbehave on the wire.
//!
//! The real server is at hand too (the tests run it with its `dummy-ups`); this one says what the real one
//! never would.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::protocol::LineDecoder;
use super::protocol::answer::quoted;

/// How often a connection looks whether it should end.
const LOOK: Duration = Duration::from_millis(20);
/// Connections at a time; the server closes those on top.
const MAX_CONNECTIONS: usize = 8;

/// What the server does instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerFault {
    /// Nothing.
    Silence,
    /// Closes the connection.
    Close,
    /// Closes it in the middle of the answer.
    CloseInside,
    /// Sends the answer in pieces of one byte; no fault of the server, but a trap for clients.
    ByteByByte,
    /// Sends a line that does not end.
    EndlessLine,
    /// Sends a list that does not end.
    EndlessList,
    /// Sends bytes that are no text.
    NoText,
    /// Leaves the closing quotation mark out.
    OpenQuote,
    /// Answers for another UPS.
    OtherUps,
    /// Answers with another variable.
    OtherVariable,
    /// Answers `ERR` with this code.
    Error(&'static str),
}

#[derive(Debug)]
struct Settings {
    name: String,
    variables: Vec<(String, String)>,
    fault: Option<ServerFault>,
    stop: bool,
    /// Of each connection its number and a copy to close it by.
    connections: BTreeMap<u64, TcpStream>,
    accepted: u64,
}

/// A running simulated server. Dropping it closes all its connections.
#[derive(Debug)]
pub struct SimulatedUpsServer {
    settings: Arc<Mutex<Settings>>,
    address: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedUpsServer {
    /// Starts a server on a free port of this machine, with a UPS of this name that is on line and full.
    pub fn start(name: &str) -> io::Result<SimulatedUpsServer> {
        SimulatedUpsServer::start_at((Ipv4Addr::LOCALHOST, 0).into(), name)
    }

    /// The same at this address; port 0 is a free one.
    pub fn start_at(address: SocketAddr, name: &str) -> io::Result<SimulatedUpsServer> {
        let settings = Settings {
            name: name.to_owned(),
            variables: Vec::new(),
            fault: None,
            stop: false,
            connections: BTreeMap::new(),
            accepted: 0,
        };
        let mut server =
            SimulatedUpsServer { settings: Arc::new(Mutex::new(settings)), address, thread: None };
        server.set("ups.status", Some("OL"));
        server.set("battery.charge", Some("100"));
        server.set("battery.runtime", Some("1800"));
        server.plug()?;
        Ok(server)
    }

    /// Where it listens, and listens again after [`SimulatedUpsServer::plug`].
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives a variable a value, or takes it away.
    pub fn set(&self, name: &str, value: Option<&str>) {
        let mut settings = self.lock();
        settings.variables.retain(|(known, _)| known != name);
        settings.variables.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }

    /// Lets every answer go wrong, or ends that.
    pub fn set_fault(&self, fault: Option<ServerFault>) {
        self.lock().fault = fault;
    }

    /// Ends the server: its connections are closed, its port refuses.
    pub fn unplug(&mut self) {
        self.lock().stop = true;
        // Wakes the listener, which then sees that it should end.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.hang_up();
    }

    /// Closes all connections and listens on.
    pub fn hang_up(&self) {
        for connection in self.lock().connections.values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Starts it again, on the same port.
    pub fn plug(&mut self) -> io::Result<()> {
        if self.thread.is_some() {
            return Ok(());
        }
        let listener = TcpListener::bind(self.address)?;
        self.address = listener.local_addr()?;
        self.lock().stop = false;
        let settings = Arc::clone(&self.settings);
        let run = move || listen(&listener, &settings);
        self.thread = Some(std::thread::Builder::new().name("ups-server-sim".into()).spawn(run)?);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Settings> {
        lock(&self.settings)
    }
}

impl Drop for SimulatedUpsServer {
    fn drop(&mut self) {
        self.unplug();
    }
}

fn lock(settings: &Mutex<Settings>) -> MutexGuard<'_, Settings> {
    settings.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(listener: &TcpListener, settings: &Arc<Mutex<Settings>>) {
    for connection in listener.incoming() {
        let Ok(connection) = connection else { continue };
        let mut shared = lock(settings);
        if shared.stop {
            return;
        }
        let Ok(copy) = connection.try_clone() else { continue };
        if shared.connections.len() >= MAX_CONNECTIONS {
            continue;
        }
        shared.accepted += 1;
        let number = shared.accepted;
        shared.connections.insert(number, copy);
        drop(shared);
        let settings = Arc::clone(settings);
        std::thread::spawn(move || {
            let _ = serve(&connection, &settings);
            let _ = connection.shutdown(Shutdown::Both);
            lock(&settings).connections.remove(&number);
        });
    }
}

/// Answers one client until either side has enough.
fn serve(mut connection: &TcpStream, settings: &Mutex<Settings>) -> io::Result<()> {
    let mut lines = LineDecoder::new();
    let mut buffer = [0u8; 512];
    connection.set_read_timeout(Some(LOOK))?;
    while !lock(settings).stop {
        match connection.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => lines.push(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        while let Some(Ok(line)) = lines.next_line() {
            answer(connection, &line, settings)?;
        }
    }
    Ok(())
}

/// Answers one question; an error ends the connection.
fn answer(mut connection: &TcpStream, question: &str, settings: &Mutex<Settings>) -> io::Result<()> {
    let words: Vec<&str> = question.split(' ').collect();
    let (good, name, fault) = {
        let settings = lock(settings);
        (settings.answer(&words), settings.name.clone(), settings.fault)
    };
    let closed = || Err(ErrorKind::ConnectionAborted.into());
    match fault {
        _ if words == ["LOGOUT"] => closed(),
        None => connection.write_all(good.as_bytes()),
        Some(ServerFault::Silence) => Ok(()),
        Some(ServerFault::Close) => closed(),
        Some(ServerFault::CloseInside) => {
            connection.write_all(&good.as_bytes()[..good.len() / 2])?;
            closed()
        }
        Some(ServerFault::ByteByByte) => good.bytes().try_for_each(|byte| connection.write_all(&[byte])),
        Some(ServerFault::EndlessLine) => flood(connection, settings, "VAR ", &"x".repeat(500)),
        Some(ServerFault::EndlessList) => {
            let begin = format!("BEGIN LIST VAR {name}\n");
            flood(connection, settings, &begin, &format!("VAR {name} ups.nothing \"0\"\n").repeat(20))
        }
        Some(ServerFault::NoText) => connection.write_all(&[0xFF, 0x00, 0xFE, b'"', b'\n']),
        Some(ServerFault::OpenQuote) => connection.write_all(good.replace("\"\n", "\n").as_bytes()),
        Some(ServerFault::OtherUps) => connection.write_all(good.replace(&name, "another").as_bytes()),
        Some(ServerFault::OtherVariable) => connection.write_all(good.replace('.', ".x").as_bytes()),
        Some(ServerFault::Error(code)) => connection.write_all(format!("ERR {code}\n").as_bytes()),
    }
}

/// Sends without an end, until the client has enough.
fn flood(mut connection: &TcpStream, settings: &Mutex<Settings>, head: &str, more: &str) -> io::Result<()> {
    connection.set_write_timeout(Some(LOOK))?;
    connection.write_all(head.as_bytes())?;
    while !lock(settings).stop {
        match connection.write_all(more.as_bytes()) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            sent => sent?,
        }
    }
    Ok(())
}

impl Settings {
    fn answer(&self, words: &[&str]) -> String {
        let line = |name: &str, value: &str| format!("VAR {} {name} {}\n", self.name, quoted(value));
        match words {
            ["GET", "VAR", ups, _] | ["LIST", "VAR", ups] if *ups != self.name => "ERR UNKNOWN-UPS\n".into(),
            ["GET", "VAR", _, wanted] => {
                let value = self.variables.iter().find(|(name, _)| name == wanted);
                value.map_or("ERR VAR-NOT-SUPPORTED\n".into(), |(name, value)| line(name, value))
            }
            ["LIST", "VAR", ups] => {
                let lines: String = self.variables.iter().map(|(name, value)| line(name, value)).collect();
                format!("BEGIN LIST VAR {ups}\n{lines}END LIST VAR {ups}\n")
            }
            _ => "ERR UNKNOWN-COMMAND\n".into(),
        }
    }
}
