//! A virtual social-security card that is put into `vpcd`, the virtual PC/SC reader, so that the real `pcscd`, the real
//! library and the true driver read it.
//!
//! The card keeps the time of a T=0 card at 9600 baud, and can be pulled in the middle of any exchange.

pub mod vpcd;

mod virtual_card;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::net::sockopt;

pub use virtual_card::{CardManners, Unfit, VirtualCard, made_up_person};

use self::vpcd::{ReaderMessage, ReaderMessages};

/// A byte on the line of a T=0 card at 9600 baud: twelve bit times.
const BYTE_TIME: Duration = Duration::from_micros(1250);

/// Within this time the reader looks: `pcscd` does some three times a second.
const LOOK: Duration = Duration::from_secs(2);

/// What goes wrong with one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardFault {
    /// The card is pulled when the command has arrived.
    PulledBefore,
    /// The card is pulled when so many bytes of its answer are out.
    PulledAfter(usize),
    /// The card never answers.
    Silence,
    /// The card answers with this status word and nothing else.
    Status(u16),
    /// A byte of the answer is another one.
    Flipped(usize),
}

struct Slot {
    card: VirtualCard,
    fault: Option<(usize, CardFault)>,
    standing: Option<(usize, CardFault)>,
    commands: usize,
    /// Commands since the card last got power, which it gets for each reading.
    since_power: usize,
    paced: bool,
}

impl Slot {
    /// What goes wrong with the command that comes now; counts it.
    fn take_fault(&mut self) -> Option<CardFault> {
        let once = self.fault.take_if(|(at, _)| *at == self.commands);
        let standing = self.standing.filter(|(at, _)| *at == self.since_power);
        self.commands += 1;
        self.since_power += 1;
        once.or(standing).map(|(_, fault)| fault)
    }
}

/// A virtual reader's slot, and the hands at it. Dropping it pulls the card.
pub struct VirtualSlot {
    reader: SocketAddr,
    slot: Arc<Mutex<Slot>>,
    connection: Option<(TcpStream, JoinHandle<()>)>,
}

impl VirtualSlot {
    /// The slot of the `vpcd` that listens at `reader`; nothing is in it.
    pub fn new(reader: SocketAddr) -> VirtualSlot {
        let card = VirtualCard::of_another_kind();
        let slot = Slot { card, fault: None, standing: None, commands: 0, since_power: 0, paced: false };
        VirtualSlot { reader, slot: Arc::new(Mutex::new(slot)), connection: None }
    }

    /// Puts a card in, in place of one that is there. The reader notices at its next look.
    pub fn insert(&mut self, card: VirtualCard) -> io::Result<()> {
        self.pull();
        let stream = TcpStream::connect(self.reader)?;
        stream.set_nodelay(true)?;
        {
            let mut slot = lock(&self.slot);
            slot.card = card;
            (slot.commands, slot.since_power) = (0, 0);
        }
        let (slot, line) = (Arc::clone(&self.slot), stream.try_clone()?);
        let thread =
            std::thread::Builder::new().name("virtual-card".into()).spawn(move || converse(&slot, line))?;
        self.connection = Some((stream, thread));
        Ok(())
    }

    /// Pulls the card.
    pub fn pull(&mut self) {
        if let Some((stream, thread)) = self.connection.take() {
            let _ = stream.shutdown(Shutdown::Both);
            let _ = thread.join();
        }
    }

    /// Takes the card out as slowly as a hand does, so that the reader has seen an empty slot before anything else is put
    /// in; gives up after [`LOOK`].
    pub fn take_out(&mut self) {
        let Some((stream, thread)) = &self.connection else { return };
        // The card says nothing more; what it then still hears is the reader's next look.
        let _ = stream.shutdown(Shutdown::Write);
        let until = Instant::now() + LOOK;
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.pull();
    }

    /// Whether a card is in: a fault may have pulled it, or the reader may have gone.
    pub fn has_card(&self) -> bool {
        self.connection.as_ref().is_some_and(|(_, thread)| !thread.is_finished())
    }

    /// Lets something go wrong once, with the command of this number, counted from 0 since the card was put in.
    pub fn set_fault(&self, command: usize, fault: CardFault) {
        lock(&self.slot).fault = Some((command, fault));
    }

    /// Lets something go wrong in every reading from now on, with the command of this number since the card got power.
    pub fn set_standing_fault(&self, fault: Option<(usize, CardFault)>) {
        lock(&self.slot).standing = fault;
    }

    /// Commands that the card got since it was put in.
    pub fn commands(&self) -> usize {
        lock(&self.slot).commands
    }

    /// Whether bytes take the time that they take on a card's line; false at the start.
    pub fn set_paced(&self, paced: bool) {
        lock(&self.slot).paced = paced;
    }
}

impl Drop for VirtualSlot {
    fn drop(&mut self) {
        self.pull();
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Speaks for the card until it is pulled.
fn converse(slot: &Mutex<Slot>, mut line: TcpStream) {
    let mut messages = ReaderMessages::default();
    let mut buffer = [0; 512];
    loop {
        // `vpcd` sends each message in two packets, and the second one only when the first has been acknowledged. Linux
        // would take 40 ms for that, which is no time of a card's.
        let _ = sockopt::set_tcp_quickack(&line, true);
        let Ok(count @ 1..) = line.read(&mut buffer) else { return };
        messages.push(&buffer[..count]);
        while let Some(message) = messages.next_message() {
            let Some(answer) = answer_to(slot, message) else { continue };
            if line.write_all(&answer.bytes).is_err() || answer.pulled {
                let _ = line.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}

/// Bytes that leave for the reader, and whether the card is pulled behind them.
struct Leaving {
    bytes: Vec<u8>,
    pulled: bool,
}

fn answer_to(slot: &Mutex<Slot>, message: ReaderMessage) -> Option<Leaving> {
    let mut slot = lock(slot);
    let command = match message {
        ReaderMessage::PowerOff | ReaderMessage::PowerOn | ReaderMessage::Reset => {
            slot.card.reset();
            slot.since_power = 0;
            return None;
        }
        ReaderMessage::TellAtr => {
            return Some(Leaving { bytes: vpcd::encode(slot.card.atr()), pulled: false });
        }
        ReaderMessage::Other => return None,
        ReaderMessage::Command(command) => command,
    };
    let fault = slot.take_fault();
    let mut answer = slot.card.answer(&command);
    let line_time =
        if slot.paced { BYTE_TIME * (command.len() + answer.len()) as u32 } else { Duration::ZERO };
    drop(slot);
    std::thread::sleep(line_time);
    let whole = |answer: &[u8]| Some(Leaving { bytes: vpcd::encode(answer), pulled: false });
    match fault {
        None => whole(&answer),
        Some(CardFault::PulledBefore) => Some(Leaving { bytes: Vec::new(), pulled: true }),
        Some(CardFault::PulledAfter(count)) => {
            let mut bytes = vpcd::encode(&answer);
            bytes.truncate(2 + count);
            Some(Leaving { bytes, pulled: true })
        }
        Some(CardFault::Silence) => None,
        Some(CardFault::Status(status)) => whole(&status.to_be_bytes()),
        Some(CardFault::Flipped(at)) => {
            if let Some(byte) = answer.get_mut(at) {
                *byte ^= 0x80;
            }
            whole(&answer)
        }
    }
}
