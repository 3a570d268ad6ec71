//! The simulated reader itself: requests in, answers out, no I/O.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::card_image::{CardImage, Chip};
use super::faults::{Faults, Moment, ReaderStep, WireFault};
use crate::id_card_reader::protocol::frame::encode_frame;
use crate::id_card_reader::protocol::{FrameDecoder, FrameError, Request, SamId};
use crate::wire::{WireDevice, byte_time};

/// Bytes of the noise that the garbage faults add. Holds AA and 96 on purpose, and no preamble.
const NOISE: [u8; 9] = [0x00, 0xFF, 0xAA, 0x96, 0xAA, 0xAA, 0x13, 0x69, 0xAA];
/// The frame that one handheld reader sends when it runs out of time: it declares more than it carries.
const VENDOR_TIMEOUT: [u8; 10] = [0xAA, 0xAA, 0xAA, 0x96, 0x69, 0x00, 0x05, 0x05, 0x05, 0x05];

struct Laid {
    image: CardImage,
    /// Read once already: not found again until it is taken off.
    done: bool,
}

enum Work {
    Execute(Request),
    Report(u8),
    Say(Vec<u8>),
}

/// A simulated reader. Feed it through a [`super::SimulatedReaderHandle`].
pub struct SimulatedReader {
    card: Option<Laid>,
    /// The card lies in place of another: between them the reader was empty for longer than a host takes to look.
    exchanged: bool,
    found: bool,
    selected: bool,
    requests: FrameDecoder,
    work: VecDeque<(Instant, Work)>,
    faults: Faults,
    previous: Vec<u8>,
    sam_id: SamId,
    baud: u32,
    paced: bool,
    reads: u64,
    /// When the card is pulled by itself.
    pull_at: Option<Instant>,
    /// A reset lets a card that was left in place be found again, as is said of some readers.
    rearms_on_reset: bool,
    chip_hangs: bool,
    stuck: bool,
    loses_plug: bool,
}

impl SimulatedReader {
    pub(super) fn new(baud: u32) -> SimulatedReader {
        SimulatedReader {
            baud,
            card: None,
            exchanged: false,
            found: false,
            selected: false,
            requests: FrameDecoder::for_requests(),
            work: VecDeque::new(),
            faults: Faults::default(),
            previous: encode_frame(&[0, 0, 0x80]).to_vec(),
            sam_id: SamId { a: 5, b: 1, date: 20_240_101, serial: 123_456, check: 987_654_321 },
            paced: true,
            reads: 0,
            pull_at: None,
            rearms_on_reset: false,
            chip_hangs: false,
            stuck: false,
            loses_plug: false,
        }
    }

    /// Whether a card lies on the reader.
    pub fn has_card(&self) -> bool {
        self.card.is_some()
    }

    /// Whether the card on the reader has been read.
    pub fn card_was_read(&self) -> bool {
        self.card.as_ref().is_some_and(|card| card.done)
    }

    /// How many whole reads were answered.
    pub fn reads(&self) -> u64 {
        self.reads
    }

    /// How many injected faults still wait for their step.
    pub fn waiting_faults(&self) -> usize {
        self.faults.waiting()
    }

    pub(super) fn lay(&mut self, image: CardImage) {
        self.pull();
        self.card = Some(Laid { image, done: false });
    }

    pub(super) fn exchange(&mut self, image: CardImage) {
        let exchanged = self.has_card();
        self.lay(image);
        self.exchanged = exchanged;
    }

    pub(super) fn pull(&mut self) {
        self.card = None;
        self.exchanged = false;
        self.pull_at = None;
        self.found = false;
        self.selected = false;
    }

    pub(super) fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }

    pub(super) fn set_rearms_on_reset(&mut self, rearms: bool) {
        self.rearms_on_reset = rearms;
    }

    /// Says something that nobody asked for.
    pub(super) fn say_unasked(&mut self, bytes: Vec<u8>) {
        self.enqueue(Duration::ZERO, Work::Say(bytes), Instant::now());
    }

    /// Whether it takes bytes off its host at all.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck
    }

    pub(super) fn set_paced(&mut self, paced: bool) {
        self.paced = paced;
    }

    /// How long the reader works on a request before its answer starts.
    fn effort(&self, request: Request) -> Duration {
        let millis = match request {
            _ if !self.paced => 0,
            Request::Find => 25,
            Request::Select => 40,
            Request::ReadTextPhoto | Request::ReadTextPhotoFingerprint => 350,
            Request::ReadAdditionalAddress | Request::ReadManagementNumber => 120,
            _ => 5,
        };
        Duration::from_millis(millis)
    }

    fn enqueue(&mut self, effort: Duration, work: Work, now: Instant) {
        let free = self.work.back().map_or(now, |(at, _)| *at);
        self.work.push_back((free + effort, work));
    }

    fn answer(&mut self, work: Work, now: Instant) -> Vec<u8> {
        let request = match work {
            Work::Report(code) => return self.say(bare(code)),
            Work::Say(answer) => return answer,
            Work::Execute(request) => request,
        };
        let good = match request {
            Request::Find => self.find(),
            Request::Select => self.select(),
            Request::ReadTextPhoto => self.read(2),
            Request::ReadTextPhotoFingerprint => self.read(3),
            Request::ReadAdditionalAddress => self.additional_address(),
            Request::ResetSam | Request::SamStatus | Request::SetMaxRfBytes(_) => Ok(bare(0x90)),
            Request::SamId => Ok(with_data(0x90, &self.sam_id.encode())),
            // The simulated reader keeps the rate that it was started with.
            Request::SetBaud(_) | Request::ReadManagementNumber => Err(0x23),
        };
        if request == Request::ResetSam {
            self.reset();
        }
        let step = step_of(request);
        match good {
            Ok(answer) => match step.and_then(|step| self.faults.take(step, Moment::Answer)) {
                Some(fault) => self.spoil(step, answer, fault, now),
                None => self.deliver(step, answer),
            },
            Err(code) => self.say(bare(code)),
        }
    }

    /// A request has come.
    fn begin(&mut self, request: Request, now: Instant) {
        let fault = step_of(request).and_then(|step| self.faults.take(step, Moment::Request));
        if let Some(WireFault::PulledAfter { millis }) = fault {
            self.pull_at = Some(now + Duration::from_millis(millis));
        }
    }

    fn find(&mut self) -> Result<Vec<u8>, u8> {
        self.selected = false;
        let lies_there = !std::mem::take(&mut self.exchanged);
        self.found = lies_there && self.card.as_ref().is_some_and(|card| !card.done);
        if self.found { Ok(with_data(0x9F, &[0; 4])) } else { Err(0x80) }
    }

    fn select(&mut self) -> Result<Vec<u8>, u8> {
        self.selected = false;
        if !std::mem::take(&mut self.found) || self.chip_hangs {
            return Err(0x81);
        }
        match self.card.as_ref().ok_or(0x81)?.image.chip {
            Chip::Forged => Err(0x32),
            Chip::Unknown => Err(0x40),
            Chip::Genuine => {
                self.selected = true;
                Ok(with_data(0x90, &[0; 8]))
            }
        }
    }

    fn reset(&mut self) {
        self.found = false;
        self.selected = false;
        self.chip_hangs = false;
        if let Some(card) = self.card.as_mut().filter(|_| self.rearms_on_reset) {
            card.done = false;
        }
    }

    fn read(&mut self, words: usize) -> Result<Vec<u8>, u8> {
        let card = self.card.as_ref().filter(|card| self.selected && !card.done).ok_or(0x41)?;
        let CardImage { text, photo, fingerprint, .. } = &card.image;
        let files = [&text[..], photo.as_slice(), fingerprint.as_slice()];
        let files = &files[..words];
        let lengths = files.iter().flat_map(|file| (file.len() as u16).to_be_bytes());
        let data: Vec<u8> = lengths.chain(files.concat()).collect();
        Ok(with_data(0x90, &data))
    }

    fn additional_address(&mut self) -> Result<Vec<u8>, u8> {
        let card = self.card.as_ref().filter(|_| self.selected).ok_or(0x41)?;
        let address = card.image.additional_address.as_ref().ok_or(0x91)?;
        Ok(with_data(0x90, address))
    }

    /// The answer as the fault leaves it.
    fn spoil(
        &mut self,
        step: Option<ReaderStep>,
        answer: Vec<u8>,
        fault: WireFault,
        now: Instant,
    ) -> Vec<u8> {
        match fault {
            WireFault::WrongChecksum => {
                let mut answer = self.deliver(step, answer);
                if let Some(sum) = answer.last_mut() {
                    *sum ^= 0x01;
                }
                answer
            }
            WireFault::GarbageBefore => [&NOISE[..], &self.deliver(step, answer)].concat(),
            WireFault::GarbageInside => {
                let mut answer = self.deliver(step, answer);
                let middle = answer.len() / 2;
                answer.splice(middle..middle, NOISE);
                answer
            }
            WireFault::StaleAnswer => {
                let stale = self.previous.clone();
                [stale, self.deliver(step, answer)].concat()
            }
            WireFault::Truncated { after_bytes } => cut(&answer, after_bytes),
            WireFault::PulledMidRead { after_bytes } => {
                self.pull();
                cut(&answer, after_bytes)
            }
            // It began with the request.
            WireFault::PulledAfter { .. } => self.deliver(step, answer),
            WireFault::Unplugged { after_bytes } => {
                self.loses_plug = true;
                cut(&answer, after_bytes)
            }
            WireFault::Refused => self.fail(0x32),
            WireFault::NotACard => self.fail(0x40),
            WireFault::Status(code) => self.fail(code),
            WireFault::ChipHangs => {
                self.chip_hangs = true;
                self.fail(0x81)
            }
            WireFault::Silence => Vec::new(),
            WireFault::Stuck => {
                self.stuck = true;
                self.work.clear();
                Vec::new()
            }
            WireFault::Late { millis } => {
                let answer = self.deliver(step, answer);
                // In front: the reader is busy with it and takes up nothing else before.
                self.work.push_front((now + Duration::from_millis(millis), Work::Say(answer)));
                Vec::new()
            }
            WireFault::VendorTimeout => VENDOR_TIMEOUT.to_vec(),
        }
    }

    fn fail(&mut self, code: u8) -> Vec<u8> {
        self.found = false;
        self.selected = false;
        self.say(bare(code))
    }

    /// Sends a good answer; after a read the card counts as read, whatever the line makes of the bytes.
    fn deliver(&mut self, step: Option<ReaderStep>, answer: Vec<u8>) -> Vec<u8> {
        if step == Some(ReaderStep::Read) {
            self.reads += 1;
            if let Some(card) = &mut self.card {
                card.done = true;
            }
        }
        self.say(answer)
    }

    fn say(&mut self, answer: Vec<u8>) -> Vec<u8> {
        self.previous.clone_from(&answer);
        answer
    }
}

impl WireDevice for SimulatedReader {
    fn receive(&mut self, bytes: &[u8], now: Instant) {
        if self.stuck {
            return;
        }
        self.requests.push(bytes);
        while let Some(frame) = self.requests.next_frame() {
            let work = match frame.map(|frame| Request::from_frame(&frame)) {
                Ok(Some(request)) => {
                    self.begin(request, now);
                    Work::Execute(request)
                }
                Ok(None) => Work::Report(0x24),
                Err(FrameError::Checksum) => Work::Report(0x10),
                Err(FrameError::Length | FrameError::InnerLength) => Work::Report(0x11),
            };
            let effort = match work {
                Work::Execute(request) => self.effort(request),
                Work::Report(_) | Work::Say(_) => Duration::ZERO,
            };
            self.enqueue(effort, work, now);
        }
    }

    fn advance(&mut self, now: Instant) -> Vec<u8> {
        let mut leaving = Vec::new();
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            if self.pull_at == Some(due) {
                self.pull();
                continue;
            }
            let Some((_, work)) = self.work.pop_front() else { break };
            let answer = self.answer(work, now);
            // A reader sends one answer before it takes up the next request.
            let sending =
                if self.paced { byte_time(self.baud) * answer.len() as u32 } else { Duration::ZERO };
            self.work.iter_mut().for_each(|(at, _)| *at += sending);
            leaving.extend(answer);
        }
        leaving
    }

    fn next_due(&self) -> Option<Instant> {
        self.work.front().map(|(at, _)| *at).into_iter().chain(self.pull_at).min()
    }

    fn power_off(&mut self) {
        self.work.clear();
        self.requests.resync();
        self.found = false;
        self.selected = false;
        self.chip_hangs = false;
        self.stuck = false;
        self.loses_plug = false;
        // Without a field the card forgets that it was read.
        if let Some(card) = &mut self.card {
            card.done = false;
        }
    }

    fn rate(&self) -> Option<u32> {
        Some(self.baud)
    }

    fn loses_plug(&self) -> bool {
        self.loses_plug
    }
}

fn step_of(request: Request) -> Option<ReaderStep> {
    match request {
        Request::Find => Some(ReaderStep::Find),
        Request::Select => Some(ReaderStep::Select),
        Request::ReadTextPhoto | Request::ReadTextPhotoFingerprint => Some(ReaderStep::Read),
        Request::ReadAdditionalAddress => Some(ReaderStep::AdditionalAddress),
        _ => None,
    }
}

/// The first `after_bytes` of an answer, never all of it.
fn cut(answer: &[u8], after_bytes: usize) -> Vec<u8> {
    answer[..after_bytes.min(answer.len().saturating_sub(1))].to_vec()
}

fn bare(code: u8) -> Vec<u8> {
    encode_frame(&[0, 0, code]).to_vec()
}

fn with_data(code: u8, data: &[u8]) -> Vec<u8> {
    encode_frame(&[&[0, 0, code], data].concat()).to_vec()
}
