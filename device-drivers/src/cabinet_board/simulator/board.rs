//! The simulated board itself: requests in, answers out, no I/O.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::BoardProfile;
use super::inputs::Debounced;
use super::lights::Lights;
use crate::cabinet::{DOOR_DEBOUNCE, DoorState, LightPattern, PRESENCE_DEBOUNCE, Presence};
use crate::cabinet_board::protocol::{
    Answer, DoorReading, Frame, FrameDecoder, Identity, PresenceReading, Refusal, Request, SelfTest, Status,
    VERSION,
};
use crate::wire::WireDevice;

/// Faults and answers that wait; more are not kept.
const MAX_WAITING: usize = 64;
/// What an Arduino takes to answer.
const EFFORT: Duration = Duration::from_millis(2);
/// What the test of its sensor and lights takes.
const SELF_TEST_EFFORT: Duration = Duration::from_millis(800);
/// Holds the first byte of a preamble, and no preamble.
const NOISE: [u8; 7] = [0x00, 0xFF, 0x55, 0x13, 0xAA, 0x55, 0x00];
/// Noise that looks like the start of the longest frame.
const FALSE_START: [u8; 3] = [0x55, 0xAA, 35];

/// Something that goes wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BoardFault {
    /// A bit of it is turned over.
    WrongChecksum,
    /// Noise stands before it.
    NoiseBefore,
    /// Noise that looks like a frame's start stands before it.
    FalseStartBefore,
    /// Noise breaks into it.
    NoiseInside,
    /// Only so many of its bytes come.
    Truncated {
        /// Bytes that still come.
        after_bytes: usize,
    },
    /// It never comes.
    Silence,
    /// It comes so much later, when the host may have asked again.
    Late {
        /// Milliseconds.
        millis: u64,
    },
    /// The answer before comes once more, in front of it.
    StaleBefore,
    /// A refusal in its place.
    Refusal(Refusal),
    /// It is well formed and its parts do not add up.
    Nonsense,
}

/// A simulated board. Feed it through a [`super::SimulatedBoardHandle`].
pub struct SimulatedBoard {
    profile: BoardProfile,
    boot: u16,
    presence: Debounced,
    sensor_failed: bool,
    doors: Vec<Debounced>,
    lights: Lights,
    self_test: SelfTest,
    decoder: FrameDecoder,
    leaving: VecDeque<(Instant, Vec<u8>)>,
    previous: Vec<u8>,
    faults: VecDeque<BoardFault>,
    lasting: Option<BoardFault>,
    requests: u64,
    now: Instant,
}

impl SimulatedBoard {
    pub(super) fn new(profile: BoardProfile) -> SimulatedBoard {
        SimulatedBoard {
            profile,
            boot: 1,
            presence: Debounced::new(PRESENCE_DEBOUNCE),
            sensor_failed: false,
            doors: vec![Debounced::new(DOOR_DEBOUNCE); usize::from(profile.doors)],
            lights: Lights::new(profile.lights),
            self_test: SelfTest::default(),
            decoder: FrameDecoder::new(),
            leaving: VecDeque::new(),
            previous: Vec::new(),
            faults: VecDeque::new(),
            lasting: None,
            requests: 0,
            now: Instant::now(),
        }
    }

    /// How many requests were understood.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Whether the board believes that somebody is near.
    pub fn is_near(&self) -> bool {
        self.presence.is_set()
    }

    /// A door's state and all its edges since the board's start.
    pub fn door(&self, door: u8) -> Option<(DoorState, u16)> {
        let door = self.doors.get(usize::from(door))?;
        Some((if door.is_set() { DoorState::Open } else { DoorState::Closed }, door.edges()))
    }

    /// What a light shows at this moment.
    pub fn light(&self, light: u8, now: Instant) -> Option<LightPattern> {
        self.lights.shows(light, now)
    }

    pub(super) fn set_presence(&mut self, presence: Presence, now: Instant) {
        self.presence.set(presence == Presence::Near, now);
    }

    pub(super) fn set_sensor_failed(&mut self, failed: bool) {
        self.sensor_failed = failed;
    }

    pub(super) fn set_door(&mut self, door: u8, state: DoorState, now: Instant) {
        let open = state == DoorState::Open;
        if let Some(door) = self.doors.get_mut(usize::from(door)) {
            // A contact bounces; the rule of the debounce must swallow it.
            for level in [open, !open, open] {
                door.set(level, now);
            }
        }
    }

    pub(super) fn set_self_test(&mut self, found: SelfTest) {
        self.self_test = found;
    }

    pub(super) fn inject(&mut self, fault: BoardFault) {
        if self.faults.len() < MAX_WAITING {
            self.faults.push_back(fault);
        }
    }

    pub(super) fn set_fault(&mut self, fault: Option<BoardFault>) {
        self.lasting = fault;
    }

    /// The power goes and comes back.
    pub(super) fn restart(&mut self) {
        self.boot = self.boot.wrapping_add(1);
        self.presence.restart();
        self.doors.iter_mut().for_each(Debounced::restart);
        self.lights = Lights::new(self.profile.lights);
        self.decoder.resync();
        self.leaving.clear();
    }

    fn answer(&mut self, request: Result<Request, Refusal>, now: Instant) -> Answer {
        let request = match request {
            Ok(request) => request,
            Err(refusal) => return Answer::Refused(refusal),
        };
        self.requests += 1;
        if let Request::SetLight(order) = request
            && !self.lights.has(order.light)
        {
            return Answer::Refused(Refusal::NoSuchLight);
        }
        self.lights.heard_the_host(now);
        match request {
            Request::Hello => Answer::Identity(self.identity()),
            Request::Status => Answer::Status(self.status()),
            Request::SelfTest => Answer::SelfTest(self.self_test),
            Request::SetLight(order) => {
                self.lights.obey(order);
                Answer::LightSet { light: order.light, pattern: order.pattern }
            }
        }
    }

    fn identity(&self) -> Identity {
        Identity {
            serial: self.profile.serial,
            firmware: (1, 0),
            boot: self.boot,
            has_presence_sensor: self.profile.has_presence_sensor,
            lights: self.profile.lights,
            doors: self.profile.doors,
            name: "simulated".into(),
        }
    }

    fn status(&self) -> Status {
        let presence = match (self.profile.has_presence_sensor, self.sensor_failed) {
            (false, _) => PresenceReading::Absent,
            (true, true) => PresenceReading::Failed,
            (true, false) if self.presence.is_set() => PresenceReading::Near,
            (true, false) => PresenceReading::Far,
        };
        let reading = |door: &Debounced| DoorReading { open: door.is_set(), edges: door.edges() };
        Status { boot: self.boot, presence, doors: self.doors.iter().map(reading).collect() }
    }

    fn advance_inputs(&mut self, now: Instant) {
        self.presence.advance(now);
        self.doors.iter_mut().for_each(|door| door.advance(now));
    }

    fn take_up(&mut self, frame: &Frame, now: Instant) {
        // A board of another version understands nothing but the frame, and says so in its own version.
        let request = if frame.version == self.profile.version {
            Request::from_frame(&Frame { version: VERSION, ..frame.clone() })
        } else {
            Err(Refusal::Version)
        };
        let effort = if request == Ok(Request::SelfTest) { SELF_TEST_EFFORT } else { EFFORT };
        let answer = self.answer(request, now);
        let frame = Frame { version: self.profile.version, ..answer.frame(frame.sequence) };
        let (delay, bytes) = self.spoil(&frame);
        if self.leaving.len() < MAX_WAITING && !bytes.is_empty() {
            self.leaving.push_back((now + effort + delay, bytes));
        }
    }

    /// The answer as a waiting fault leaves it, and how much later it comes.
    fn spoil(&mut self, frame: &Frame) -> (Duration, Vec<u8>) {
        let good = frame.encode();
        let stale = std::mem::replace(&mut self.previous, good.clone());
        let mut bytes = good;
        let middle = bytes.len() / 2;
        let mut delay = Duration::ZERO;
        match self.faults.pop_front().or(self.lasting) {
            None => {}
            Some(BoardFault::WrongChecksum) => bytes[middle] ^= 0x10,
            Some(BoardFault::NoiseBefore) => bytes = [&NOISE[..], &bytes].concat(),
            Some(BoardFault::FalseStartBefore) => bytes = [&FALSE_START[..], &bytes].concat(),
            Some(BoardFault::NoiseInside) => drop(bytes.splice(middle..middle, NOISE)),
            Some(BoardFault::Truncated { after_bytes }) => bytes.truncate(after_bytes),
            Some(BoardFault::Silence) => bytes.clear(),
            Some(BoardFault::Late { millis }) => delay = Duration::from_millis(millis),
            Some(BoardFault::StaleBefore) => bytes = [stale, bytes].concat(),
            Some(BoardFault::Refusal(refusal)) => {
                bytes = Answer::Refused(refusal).frame(frame.sequence).encode();
            }
            Some(BoardFault::Nonsense) => {
                bytes = Frame { payload: vec![9; 3], ..frame.clone() }.encode();
            }
        }
        (delay, bytes)
    }
}

impl WireDevice for SimulatedBoard {
    fn receive(&mut self, bytes: &[u8], now: Instant) {
        self.decoder.push(bytes);
        // What is damaged is not answered: whose number would the answer carry?
        while let Some(frame) = self.decoder.next_frame() {
            if let Ok(frame) = frame {
                self.advance_inputs(now);
                self.take_up(&frame, now);
            }
        }
    }

    fn advance(&mut self, now: Instant) -> Vec<u8> {
        self.now = now;
        self.advance_inputs(now);
        let mut bytes = Vec::new();
        while let Some((_, answer)) = self.leaving.pop_front_if(|(at, _)| *at <= now) {
            bytes.extend(answer);
        }
        bytes
    }

    fn next_due(&self) -> Option<Instant> {
        let inputs = self.doors.iter().chain([&self.presence]).filter_map(Debounced::due);
        let answer = self.leaving.front().map(|(at, _)| *at);
        inputs.chain(answer).chain(self.lights.next_due(self.now)).min()
    }

    fn power_off(&mut self) {
        self.decoder.resync();
        self.leaving.clear();
        if self.profile.fed_by_the_line {
            self.restart();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cabinet_board::protocol::LightOrder;

    fn ask(board: &mut SimulatedBoard, request: Request, now: Instant) -> Vec<u8> {
        board.receive(&request.frame(1).encode(), now);
        board.advance(now + Duration::from_secs(2))
    }

    #[test]
    fn presence_is_believed_after_two_hundred_milliseconds_and_not_before() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut board = SimulatedBoard::new(BoardProfile::default());
        board.set_presence(Presence::Near, at(0));
        board.advance(at(199));
        assert!(!board.is_near());
        assert_eq!(board.next_due(), Some(at(200)), "the wire wakes the board in time");
        board.advance(at(200));
        assert!(board.is_near());
        // Somebody sways: away for less than the debounce, then away for good.
        board.set_presence(Presence::Far, at(1000));
        board.set_presence(Presence::Near, at(1199));
        board.advance(at(1500));
        assert!(board.is_near());
        board.set_presence(Presence::Far, at(2000));
        board.advance(at(2200));
        assert!(!board.is_near());
    }

    #[test]
    fn a_door_that_bounces_gives_one_edge_and_one_that_rattles_gives_none() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut board = SimulatedBoard::new(BoardProfile::default());
        board.set_door(1, DoorState::Open, at(0));
        board.advance(at(50));
        assert_eq!(board.door(1), Some((DoorState::Open, 1)));
        board.set_door(1, DoorState::Closed, at(100));
        board.set_door(1, DoorState::Open, at(140));
        board.advance(at(300));
        assert_eq!(board.door(1), Some((DoorState::Open, 1)));
        assert_eq!((board.door(0), board.door(2)), (Some((DoorState::Closed, 0)), None));
    }

    #[test]
    fn a_lease_runs_from_the_last_request_of_any_kind_and_what_ran_out_stays_safe() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let order =
            LightOrder { light: 2, pattern: LightPattern::On, safe: LightPattern::Fast, lease_tenths: 10 };
        let mut board = SimulatedBoard::new(BoardProfile::default());
        ask(&mut board, Request::SetLight(order), at(0));
        ask(&mut board, Request::Status, at(900));
        assert_eq!(board.light(2, at(1899)), Some(LightPattern::On));
        assert_eq!(board.light(2, at(1900)), Some(LightPattern::Fast), "the host fell silent");
        ask(&mut board, Request::Status, at(2000));
        assert_eq!(board.light(2, at(2001)), Some(LightPattern::Fast), "only a new order lights it");
        assert_eq!((board.light(0, at(2001)), board.light(3, at(2001))), (Some(LightPattern::Off), None));
    }
}
