//! The board behind a serial port, or any other transport: one line, shared by the sensor, the lights and the doors on it.
//!
//! Every request may be repeated without harm, so a lost or damaged answer is asked for again. A board that
//! came back, or started anew, gets the orders of its lights again before anything else.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::protocol::message::{MAX_LEASE_TENTHS, MAX_PARTS};
use super::protocol::{
    Answer, FrameDecoder, Identity, LightOrder, PresenceReading, Refusal, Request, SelfTest, Status, VERSION,
};
use crate::cabinet::{
    CabinetDoor, CabinetError, CabinetPart, DoorReport, DoorState, Edges, IndicatorLight, LightPattern,
    Presence, PresenceSensor,
};
use crate::serial_line::SerialLine;
use crate::transport::{LineError, Ready, Transport};

/// How long an answer may take.
const ANSWER_DEADLINE: Duration = Duration::from_millis(400);
/// The same for a self-test.
const SELF_TEST_DEADLINE: Duration = Duration::from_secs(3);
/// How long a request is sent again and again: the silences of its failed exchanges together, so that a recording, in
/// which nothing is waited for, plays back with as many.
const PATIENCE: Duration = Duration::from_millis(1200);
/// The same for the first one after opening: many an Arduino restarts when its port is opened, and its boot
/// loader listens to nobody for up to two seconds.
const START_PATIENCE: Duration = Duration::from_secs(4);
/// How many times its patience a request takes at most, when little of the time is silence.
const DROP_BY_DROP: u32 = 4;
/// A silence after damaged bytes, after which nothing more is expected.
const GAP: Duration = Duration::from_millis(50);

/// How a light behaves when the host falls silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LightSettings {
    /// What it shows then.
    pub safe: LightPattern,
    /// After how long, 0.1 s to 10 min. Any call to any part of the board starts it anew.
    pub lease: Duration,
}

impl Default for LightSettings {
    /// Dark after ten seconds.
    fn default() -> LightSettings {
        LightSettings { safe: LightPattern::Off, lease: Duration::from_secs(10) }
    }
}

/// A cabinet board on a serial port. Its parts can be used from several threads; they take turns.
#[derive(Clone)]
pub struct CabinetBoard {
    link: Arc<Mutex<Link>>,
}

impl CabinetBoard {
    /// A board that is opened at its first use; it may be plugged in later.
    pub fn new(port: impl AsRef<Path>, baud: u32) -> CabinetBoard {
        CabinetBoard::over(SerialLine::new(port.as_ref(), baud))
    }

    /// A board behind this transport, which is opened at its first use.
    pub fn over(transport: impl Transport + 'static) -> CabinetBoard {
        let link = Link {
            line: Box::new(transport),
            fresh: false,
            decoder: FrameDecoder::new(),
            sequence: 0,
            board: None,
            orders: BTreeMap::new(),
        };
        CabinetBoard { link: Arc::new(Mutex::new(link)) }
    }

    /// Which board it is. Asks it anew.
    pub fn identity(&self) -> Result<Identity, CabinetError> {
        let mut link = self.link();
        link.board = None;
        link.greet()
    }

    /// Lets the board test itself; takes up to two seconds.
    pub fn self_test(&self) -> Result<SelfTest, CabinetError> {
        match self.link().ask(Request::SelfTest)? {
            Answer::SelfTest(found) => Ok(found),
            _ => Err(CabinetError::Garbled),
        }
    }

    /// Its presence sensor.
    pub fn presence_sensor(&self) -> BoardPresenceSensor {
        BoardPresenceSensor { board: self.clone() }
    }

    /// One of its lights, from 0.
    pub fn light(&self, number: u8, settings: LightSettings) -> BoardLight {
        BoardLight { board: self.clone(), number, settings }
    }

    /// One of its doors, from 0.
    pub fn door(&self, number: u8) -> BoardDoor {
        BoardDoor { board: self.clone(), number, seen: None }
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        // A panic between two requests leaves nothing half done: the next request resynchronises.
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The presence sensor of a board.
pub struct BoardPresenceSensor {
    board: CabinetBoard,
}

impl PresenceSensor for BoardPresenceSensor {
    fn presence(&mut self) -> Result<Presence, CabinetError> {
        let (_, status) = self.board.link().status()?;
        match status.presence {
            PresenceReading::Near => Ok(Presence::Near),
            PresenceReading::Far => Ok(Presence::Far),
            PresenceReading::Failed => Err(CabinetError::SensorFailed),
            PresenceReading::Absent => Err(CabinetError::NoSuchPart(CabinetPart::PresenceSensor)),
        }
    }
}

/// A light of a board.
pub struct BoardLight {
    board: CabinetBoard,
    number: u8,
    settings: LightSettings,
}

impl IndicatorLight for BoardLight {
    /// Also when the board is away the order stands: the board gets it when it comes back.
    fn show(&mut self, pattern: LightPattern) -> Result<(), CabinetError> {
        let tenths = self.settings.lease.as_millis() / 100;
        let lease_tenths = tenths.clamp(1, u128::from(MAX_LEASE_TENTHS)) as u16;
        let order = LightOrder { light: self.number, pattern, safe: self.settings.safe, lease_tenths };
        self.board.link().order(order)
    }
}

/// A door of a board.
pub struct BoardDoor {
    board: CabinetBoard,
    number: u8,
    seen: Option<(Life, u16)>,
}

impl CabinetDoor for BoardDoor {
    fn look(&mut self) -> Result<DoorReport, CabinetError> {
        let (life, status) = self.board.link().status()?;
        let door = status.doors.get(usize::from(self.number));
        let door = door.ok_or(CabinetError::NoSuchPart(CabinetPart::Door(self.number)))?;
        let edges = match self.seen {
            Some((same, counted)) if same == life => {
                Edges::Counted(u32::from(door.edges.wrapping_sub(counted)))
            }
            _ => Edges::Unknown,
        };
        self.seen = Some((life, door.edges));
        Ok(DoorReport { state: if door.open { DoorState::Open } else { DoorState::Closed }, edges })
    }
}

/// One run of one board: while it is the same, so are its counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Life {
    serial: u32,
    boot: u16,
}

struct Link {
    line: Box<dyn Transport>,
    /// It was opened, and nobody has been greeted on it since.
    fresh: bool,
    decoder: FrameDecoder,
    sequence: u8,
    /// Known since it was greeted; nobody knows what hangs on a line that was opened again.
    board: Option<Identity>,
    /// What each light should show.
    orders: BTreeMap<u8, LightOrder>,
}

impl Link {
    fn status(&mut self) -> Result<(Life, Status), CabinetError> {
        let (identity, status) = self.ask_status()?;
        if identity.boot == status.boot {
            return Ok((Life { serial: identity.serial, boot: identity.boot }, status));
        }
        tracing::info!(boot = status.boot, "the cabinet board has started anew");
        self.board = None;
        let (identity, status) = self.ask_status()?;
        Ok((Life { serial: identity.serial, boot: status.boot }, status))
    }

    fn ask_status(&mut self) -> Result<(Identity, Status), CabinetError> {
        let answer = self.ask(Request::Status)?;
        match (&self.board, answer) {
            (Some(identity), Answer::Status(status)) => Ok((identity.clone(), status)),
            _ => Err(CabinetError::Garbled),
        }
    }

    fn order(&mut self, order: LightOrder) -> Result<(), CabinetError> {
        if order.light >= MAX_PARTS {
            return Err(CabinetError::NoSuchPart(CabinetPart::Light(order.light)));
        }
        self.orders.insert(order.light, order);
        self.ask(Request::SetLight(order)).map(drop).map_err(|error| {
            let missing = error == CabinetError::Refused(Refusal::NoSuchLight.code());
            if missing { CabinetError::NoSuchPart(CabinetPart::Light(order.light)) } else { error }
        })
    }

    fn ask(&mut self, request: Request) -> Result<Answer, CabinetError> {
        self.greet()?;
        self.transact(request, PATIENCE)
    }

    /// Opens the line if needed and throws away what came unasked. Returns whether it was open.
    fn ready(&mut self) -> Result<Ready, CabinetError> {
        let ready = self.line.ready().map_err(line_error)?;
        if ready == Ready::Opened {
            self.board = None;
            self.fresh = true;
        }
        Ok(ready)
    }

    /// Learns which board it is, unless that is known, and gives it its orders.
    fn greet(&mut self) -> Result<Identity, CabinetError> {
        self.ready()?;
        if let Some(identity) = &self.board {
            return Ok(identity.clone());
        }
        let patience = if std::mem::take(&mut self.fresh) { START_PATIENCE } else { PATIENCE };
        let Answer::Identity(identity) = self.transact(Request::Hello, patience)? else {
            return Err(CabinetError::Garbled);
        };
        for order in self.orders.clone().into_values() {
            match self.transact(Request::SetLight(order), PATIENCE) {
                // Another board may have fewer lights; whoever orders that light hears of it.
                Ok(_) | Err(CabinetError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.board = Some(identity.clone());
        Ok(identity)
    }

    /// Sends a request until it is answered or the patience is over.
    fn transact(&mut self, request: Request, patience: Duration) -> Result<Answer, CabinetError> {
        // What comes in drop by drop makes an exchange longer than the silence at its end.
        let give_up = Instant::now() + DROP_BY_DROP * patience;
        let mut silence = Duration::ZERO;
        loop {
            let failure = match self.exchange(request) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            silence += failure.silence.ok_or(failure.error)?;
            if silence >= patience || Instant::now() >= give_up {
                return Err(failure.error);
            }
        }
    }

    /// Sends a request once and waits for its answer.
    fn exchange(&mut self, request: Request) -> Result<Answer, Failure> {
        if self.ready()? == Ready::Opened {
            // It was lost a moment ago: somebody else may hang on it now.
            return Err(CabinetError::Gone.into());
        }
        self.decoder.resync();
        self.sequence = self.sequence.wrapping_add(1);
        let patience = if request == Request::SelfTest { SELF_TEST_DEADLINE } else { ANSWER_DEADLINE };
        let deadline = Instant::now() + patience;
        let bytes = request.frame(self.sequence).encode();
        self.line.write_all(&bytes, deadline).map_err(|error| Failure {
            error: line_error(error),
            silence: (error == LineError::Stuck).then_some(patience),
        })?;
        let mut garbled = false;
        loop {
            while let Some(frame) = self.decoder.next_frame() {
                match frame {
                    Ok(frame) if frame.sequence != self.sequence => {
                        tracing::debug!("dropped a late answer of the cabinet board");
                    }
                    Ok(frame) if frame.version != VERSION => {
                        return Err(CabinetError::OtherVersion(frame.version).into());
                    }
                    Ok(frame) => match Answer::from_frame(&frame) {
                        Some(Answer::Refused(refusal)) => {
                            return Err(CabinetError::Refused(refusal.code()).into());
                        }
                        Some(answer) if request.is_answered_by(&answer) => return Ok(answer),
                        _ => garbled = true,
                    },
                    Err(_) => garbled = true,
                }
            }
            let error = if garbled { CabinetError::Garbled } else { CabinetError::NoAnswer };
            if Instant::now() >= deadline {
                return Err(Failure { error, silence: Some(patience) });
            }
            let until = if garbled { deadline.min(Instant::now() + GAP) } else { deadline };
            let mut buffer = [0u8; 64];
            let count = self.line.read_some(&mut buffer, until).map_err(line_error)?;
            if count == 0 {
                return Err(Failure { error, silence: Some(if garbled { GAP } else { patience }) });
            }
            self.decoder.push(&buffer[..count]);
        }
    }
}

/// Why an exchange failed, and after how long a silence; without one, asking again is of no use.
struct Failure {
    error: CabinetError,
    silence: Option<Duration>,
}

impl From<CabinetError> for Failure {
    fn from(error: CabinetError) -> Failure {
        Failure { error, silence: None }
    }
}

fn line_error(error: LineError) -> CabinetError {
    match error {
        LineError::Gone => CabinetError::Gone,
        LineError::Stuck => CabinetError::NoAnswer,
    }
}
