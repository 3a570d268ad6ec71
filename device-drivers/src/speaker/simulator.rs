//! A simulated Speech Dispatcher that keeps what it was told to say, takes as long over it as a voice does, and can be
//! told to misbehave on the wire.
//!
//! The real server is at hand too (the tests run it with espeak-ng, into a file); this one says what the real one never
//! would.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::text_lines::LineDecoder;

/// How long one character takes to say: a calm voice says four Chinese characters a second.
const CHARACTER: Duration = Duration::from_millis(250);
/// The same for a Latin letter.
const LETTER: Duration = Duration::from_millis(65);
/// Texts that are kept.
const KEPT: usize = 50;

/// What the server does instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeakerFault {
    /// Nothing.
    Silence,
    /// Closes the connection.
    Close,
    /// Closes it in the middle of the answer.
    CloseInside,
    /// Sends the answer in pieces of one byte; no fault of the server, but a trap for clients.
    ByteByByte,
    /// Tells events before the answer; no fault either.
    Events,
    /// Sends bytes that are no answer.
    Garbage,
    /// Says no, with this code.
    Refuse(u16),
}

/// A text that was to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utterance {
    /// Of the texts so far, from 1.
    pub number: u64,
    /// In which language (SSIP `LANGUAGE`).
    pub language: String,
    /// What.
    pub text: String,
    /// How fast (SSIP `RATE`).
    pub rate: i8,
    /// How loud (SSIP `VOLUME`); a server begins at its loudest.
    pub volume: i8,
    /// Broken off before its end.
    pub broken_off: bool,
    /// When it will have been said, or was broken off.
    pub until: Instant,
}

#[derive(Debug, Default)]
struct State {
    said: Vec<Utterance>,
    count: u64,
    fault: Option<SpeakerFault>,
    stop: bool,
    connections: BTreeMap<u64, UnixStream>,
    accepted: u64,
}

impl State {
    fn begin(&mut self, client: &Client, text: String) -> u64 {
        let now = Instant::now();
        // One message after the other, as in the server's own queue.
        let free = self.said.last().map_or(now, |last| last.until.max(now));
        let takes = text
            .chars()
            .map(|character| if character.is_ascii() { LETTER } else { CHARACTER })
            .sum::<Duration>();
        self.count += 1;
        let Client { rate, volume, .. } = *client;
        self.said.push(Utterance {
            number: self.count,
            language: client.language.clone(),
            text,
            rate,
            volume,
            broken_off: false,
            until: free + takes,
        });
        let beyond = self.said.len().saturating_sub(KEPT);
        self.said.drain(..beyond);
        self.count
    }

    fn cancel(&mut self) {
        let now = Instant::now();
        for utterance in self.said.iter_mut().filter(|utterance| utterance.until > now) {
            utterance.broken_off = true;
            utterance.until = now;
        }
    }
}

/// A running simulated server. Dropping it ends it.
#[derive(Debug)]
pub struct SimulatedSpeaker {
    socket: PathBuf,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

impl SimulatedSpeaker {
    /// Starts a server at this socket, in place of whatever is there.
    pub fn start(socket: &Path) -> io::Result<SimulatedSpeaker> {
        let state = Arc::default();
        let mut speaker = SimulatedSpeaker { socket: socket.to_owned(), state, thread: None };
        speaker.plug()?;
        Ok(speaker)
    }

    /// What was said and is being said, the oldest first.
    pub fn said(&self) -> Vec<Utterance> {
        self.lock().said.clone()
    }

    /// Whether a voice is to be heard now.
    pub fn is_speaking(&self) -> bool {
        let now = Instant::now();
        self.lock().said.iter().any(|utterance| utterance.until > now)
    }

    /// Lets every answer go wrong, or ends that.
    pub fn set_fault(&self, fault: Option<SpeakerFault>) {
        self.lock().fault = fault;
    }

    /// Whether it runs.
    pub fn is_plugged(&self) -> bool {
        self.thread.is_some()
    }

    /// Ends the server: its connections are closed, its socket is gone.
    pub fn unplug(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let mut state = self.lock();
        state.stop = true;
        state.cancel();
        drop(state);
        // Wakes the listener, which then sees that it should end. Where somebody has removed the socket, nobody can, and
        // it waits as long as this process lives.
        if UnixStream::connect(&self.socket).is_ok() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.socket);
        for connection in std::mem::take(&mut self.lock().connections).values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Starts it again.
    pub fn plug(&mut self) -> io::Result<()> {
        if self.is_plugged() {
            return Ok(());
        }
        match std::fs::remove_file(&self.socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&self.socket)?;
        self.lock().stop = false;
        let state = Arc::clone(&self.state);
        self.thread = Some(std::thread::spawn(move || listen(&listener, &state)));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for SimulatedSpeaker {
    fn drop(&mut self) {
        self.unplug();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(listener: &UnixListener, state: &Arc<Mutex<State>>) {
    for connection in listener.incoming() {
        let Ok(connection) = connection else { continue };
        let Ok(copy) = connection.try_clone() else { continue };
        let mut shared = lock(state);
        if shared.stop {
            return;
        }
        shared.accepted += 1;
        let number = shared.accepted;
        shared.connections.insert(number, copy);
        drop(shared);
        let state = Arc::clone(state);
        std::thread::spawn(move || {
            let _ = Client::new(number).serve(&connection, &state);
            let _ = connection.shutdown(Shutdown::Both);
            lock(&state).connections.remove(&number);
        });
    }
}

/// One connection: its language, and the text that is coming in.
struct Client {
    number: u64,
    language: String,
    rate: i8,
    volume: i8,
    text: Option<Vec<String>>,
}

impl Client {
    fn new(number: u64) -> Client {
        Client { number, language: "en".into(), rate: 0, volume: 100, text: None }
    }

    /// Answers until either side has enough.
    fn serve(&mut self, mut connection: &UnixStream, state: &Mutex<State>) -> io::Result<()> {
        let mut lines = LineDecoder::new();
        let mut buffer = [0u8; 1024];
        loop {
            while let Some(line) = lines.next_line() {
                let Ok(line) = line else { return Ok(()) };
                let Some(good) = self.take(&line, state) else { continue };
                let fault = lock(state).fault;
                if !answer(connection, &good, fault)? || good.starts_with("231") {
                    return Ok(());
                }
            }
            match connection.read(&mut buffer)? {
                0 => return Ok(()),
                count => lines.push(&buffer[..count]),
            }
        }
    }

    /// What a good server says to this line; nothing while a text comes in.
    fn take(&mut self, line: &str, state: &Mutex<State>) -> Option<String> {
        if let Some(text) = &mut self.text {
            if line != "." {
                text.push(line.strip_prefix('.').unwrap_or(line).to_owned());
                return None;
            }
            let text = self.text.take().unwrap_or_default().join("\n");
            let number = lock(state).begin(self, text);
            return Some(format!("225-{number}\r\n225 OK MESSAGE QUEUED\r\n"));
        }
        let words: Vec<String> = line.split(' ').map(str::to_lowercase).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Some(match words[..] {
            ["set", "self", "client_name", _] => "208 OK CLIENT NAME SET\r\n".into(),
            ["set", "self", "language", language] => {
                language.clone_into(&mut self.language);
                "201 OK LANGUAGE SET\r\n".into()
            }
            ["set", "self", what @ ("rate" | "volume"), amount] => match amount.parse() {
                Ok(amount @ -100..=100) => {
                    let (kept, good) = match what {
                        "rate" => (&mut self.rate, "203 OK RATE SET\r\n"),
                        _ => (&mut self.volume, "218 OK VOLUME SET\r\n"),
                    };
                    *kept = amount;
                    good.into()
                }
                _ => "409 ERR PARAMETER INVALID\r\n".into(),
            },
            ["speak"] => {
                self.text = Some(Vec::new());
                "230 OK RECEIVING DATA\r\n".into()
            }
            ["cancel", "self"] => {
                lock(state).cancel();
                "213 OK CANCELED\r\n".into()
            }
            ["history", "get", "client_id"] => {
                format!("245-{}\r\n245 OK CLIENT ID SENT\r\n", self.number)
            }
            ["quit"] => "231 HAPPY HACKING\r\n".into(),
            _ => "500 ERR INVALID COMMAND\r\n".into(),
        })
    }
}

/// Answers once, well or not. False when the connection is to end.
fn answer(mut connection: &UnixStream, good: &str, fault: Option<SpeakerFault>) -> io::Result<bool> {
    match fault {
        None => connection.write_all(good.as_bytes())?,
        Some(SpeakerFault::Silence) => {}
        Some(SpeakerFault::Close) => return Ok(false),
        Some(SpeakerFault::CloseInside) => {
            connection.write_all(&good.as_bytes()[..good.len() / 2])?;
            return Ok(false);
        }
        Some(SpeakerFault::ByteByByte) => {
            good.bytes().try_for_each(|byte| connection.write_all(&[byte]))?;
        }
        Some(SpeakerFault::Events) => {
            connection.write_all(format!("701-7\r\n701-1\r\n701 BEGIN\r\n{good}").as_bytes())?;
        }
        Some(SpeakerFault::Garbage) => connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")?,
        Some(SpeakerFault::Refuse(code)) => connection.write_all(format!("{code} ERR\r\n").as_bytes())?,
    }
    Ok(true)
}
