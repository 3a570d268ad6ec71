//! The simulated reader's USB end: four bulk pipes that keep the rules of real ones.
//!
//! A transfer travels in packets of at most 64 bytes (full speed) and ends with a short one, which is empty where
//! the length is a whole number of packets. Packets wait in their pipe until the host takes them, however long
//! that is, and nothing ties the two pipes of a direction together but their order. A body counts only behind a
//! head, and a reader that hangs takes nothing. Who unplugs loses what is in the pipes, and an open handle stays
//! lost when the reader is plugged in again. There is no noise on a USB cable: damaged bytes come from the reader.
//! What the reader does takes its time; bytes in the pipes take none (a whole card at 12 Mb/s: about a millisecond).

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroize;

use super::SimulatedReader;
use crate::bulk_pipes::{BulkPipes, PACKET_BYTES_MAX};
use crate::id_card_reader::PipeLayout;
use crate::id_card_reader::protocol::frame::{HEAD, PREAMBLE, body_length};
use crate::transport::{LineError, Ready};
use crate::wire::WireDevice;

/// A full-speed bus is faster than any rate of the reader: the nearest one.
pub(super) const INNER_BAUD: u32 = 115_200;
/// Largest packet of a full-speed bulk pipe.
const PACKET: usize = 64;
const LAYOUT: PipeLayout = PipeLayout::MINISTRY;

struct Bench {
    reader: SimulatedReader,
    plugged: bool,
    /// Counts pluggings in: a handle from before is lost.
    life: u64,
    /// The head of the request whose body has not come yet.
    head: Option<Vec<u8>>,
    heads: VecDeque<Vec<u8>>,
    bodies: VecDeque<Vec<u8>>,
}

struct Shared {
    bench: Mutex<Bench>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Bench> {
        self.bench.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change, at most until `until`.
    fn wait<'a>(&self, bench: MutexGuard<'a, Bench>, until: Instant) -> MutexGuard<'a, Bench> {
        let time = until.saturating_duration_since(Instant::now());
        self.changed.wait_timeout(bench, time).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The device's side: for the hands.
pub(super) struct PipeBench(Arc<Shared>);

impl PipeBench {
    pub(super) fn new(reader: SimulatedReader) -> PipeBench {
        let (heads, bodies) = (VecDeque::new(), VecDeque::new());
        let bench = Bench { reader, plugged: true, life: 1, head: None, heads, bodies };
        PipeBench(Arc::new(Shared { bench: Mutex::new(bench), changed: Condvar::new() }))
    }

    pub(super) fn pipes(&self) -> SimulatedPipes {
        SimulatedPipes { shared: Arc::clone(&self.0), life: 0 }
    }

    pub(super) fn with<R>(&self, f: impl FnOnce(&mut SimulatedReader) -> R) -> R {
        let result = f(&mut self.0.lock().reader);
        self.0.changed.notify_all();
        result
    }

    pub(super) fn wait_until(
        &self,
        timeout: Duration,
        mut condition: impl FnMut(&SimulatedReader) -> bool,
    ) -> bool {
        let deadline = Instant::now() + timeout;
        let mut bench = self.0.lock();
        while !condition(&bench.reader) {
            if Instant::now() >= deadline {
                return false;
            }
            bench = self.0.wait(bench, deadline);
        }
        true
    }

    pub(super) fn is_plugged(&self) -> bool {
        self.0.lock().plugged
    }

    pub(super) fn unplug(&self) {
        self.0.lock().lose_power();
        self.0.changed.notify_all();
    }

    pub(super) fn plug(&self) {
        let mut bench = self.0.lock();
        if !bench.plugged {
            bench.plugged = true;
            bench.life += 1;
        }
    }
}

impl Drop for PipeBench {
    fn drop(&mut self) {
        self.unplug();
    }
}

impl Bench {
    fn lose_power(&mut self) {
        self.plugged = false;
        self.head = None;
        self.heads.clear();
        self.bodies.clear();
        self.reader.power_off();
    }

    /// Lets the reader do what is due, and puts what it says into the pipes.
    fn advance(&mut self) {
        let mut said = self.reader.advance(Instant::now());
        self.put(&said);
        said.zeroize();
        if self.plugged && self.reader.loses_plug() && self.heads.is_empty() && self.bodies.is_empty() {
            self.lose_power();
        }
    }

    /// Heads go one way, bodies the other; what is no frame goes the way of heads.
    fn put(&mut self, said: &[u8]) {
        let mut rest = said;
        while !rest.is_empty() {
            let frame_at = rest.windows(PREAMBLE.len()).position(|five| five == PREAMBLE);
            let (stray, frame) = rest.split_at(frame_at.unwrap_or(rest.len()));
            if !stray.is_empty() {
                put_transfer(&mut self.heads, stray);
            }
            let (head, after) = frame.split_at(frame.len().min(HEAD));
            if !head.is_empty() {
                put_transfer(&mut self.heads, head);
            }
            let (body, after) = after.split_at(after.len().min(body_length(head).unwrap_or(0)));
            if !body.is_empty() {
                put_transfer(&mut self.bodies, body);
            }
            rest = after;
        }
    }

    /// A transfer from the host.
    fn take(&mut self, pipe: u8, bytes: &[u8]) {
        if pipe == LAYOUT.head_out {
            self.head = (bytes.len() == HEAD).then(|| bytes.to_vec());
        } else if let Some(mut request) = self.head.take() {
            request.extend_from_slice(bytes);
            self.reader.receive(&request, Instant::now());
        }
    }
}

fn put_transfer(pipe: &mut VecDeque<Vec<u8>>, bytes: &[u8]) {
    pipe.extend(bytes.chunks(PACKET).map(<[u8]>::to_vec));
    if bytes.len().is_multiple_of(PACKET) {
        pipe.push_back(Vec::new());
    }
}

/// The host's side: in the place of a real device's pipes.
pub struct SimulatedPipes {
    shared: Arc<Shared>,
    /// The plugging in that was opened.
    life: u64,
}

impl SimulatedPipes {
    fn open<'a>(&self, bench: MutexGuard<'a, Bench>) -> Result<MutexGuard<'a, Bench>, LineError> {
        if bench.plugged && bench.life == self.life { Ok(bench) } else { Err(LineError::Gone) }
    }
}

impl BulkPipes for SimulatedPipes {
    fn ready(&mut self) -> Result<Ready, LineError> {
        let bench = self.shared.lock();
        if !bench.plugged {
            return Err(LineError::Gone);
        }
        let known = std::mem::replace(&mut self.life, bench.life) == bench.life;
        Ok(if known { Ready::StillOpen } else { Ready::Opened })
    }

    fn send(&mut self, pipe: u8, bytes: &[u8], deadline: Instant) -> Result<(), LineError> {
        assert!(LAYOUT.outs().contains(&pipe), "{pipe:02X} is no pipe to the reader");
        let mut bench = self.open(self.shared.lock())?;
        while bench.reader.is_stuck() {
            if Instant::now() >= deadline {
                return Err(LineError::Stuck);
            }
            bench = self.open(self.shared.wait(bench, deadline))?;
        }
        bench.take(pipe, bytes);
        drop(bench);
        self.shared.changed.notify_all();
        Ok(())
    }

    fn receive(
        &mut self,
        pipe: u8,
        packet: &mut [u8; PACKET_BYTES_MAX],
        until: Instant,
    ) -> Result<Option<usize>, LineError> {
        assert!(LAYOUT.ins().contains(&pipe), "{pipe:02X} is no pipe from the reader");
        let mut bench = self.shared.lock();
        loop {
            bench.advance();
            // Those who wait for something to happen at the reader see it here.
            self.shared.changed.notify_all();
            bench = self.open(bench)?;
            let waiting = if pipe == LAYOUT.head_in { &mut bench.heads } else { &mut bench.bodies };
            if let Some(mut bytes) = waiting.pop_front() {
                let count = bytes.len();
                packet[..count].copy_from_slice(&bytes);
                bytes.zeroize();
                return Ok(Some(count));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            let due = bench.reader.next_due().map_or(until, |due| due.min(until));
            bench = self.shared.wait(bench, due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(lengths: impl IntoIterator<Item = usize>) -> Vec<usize> {
        lengths.into_iter().collect()
    }

    #[test]
    fn transfers_end_with_a_short_packet() {
        for (bytes, expected) in [
            (1, packets([1])),
            (63, packets([63])),
            (64, packets([64, 0])),
            (65, packets([64, 1])),
            (1288, packets(std::iter::repeat_n(64, 20).chain([8]))),
        ] {
            let mut pipe = VecDeque::new();
            put_transfer(&mut pipe, &vec![7; bytes]);
            assert_eq!(packets(pipe.iter().map(Vec::len)), expected, "{bytes} bytes");
        }
    }

    #[test]
    fn heads_bodies_and_what_is_neither_go_their_ways() {
        let mut bench = Bench {
            reader: SimulatedReader::new(INNER_BAUD),
            plugged: true,
            life: 1,
            head: None,
            heads: VecDeque::new(),
            bodies: VecDeque::new(),
        };
        let answer: [u8; 11] = [0xAA, 0xAA, 0xAA, 0x96, 0x69, 0x00, 0x04, 0x00, 0x00, 0x80, 0x84];
        bench.put(&[&[0x13][..], &answer, &answer[..9], &answer[..5]].concat());
        assert_eq!(bench.heads, [&[0x13][..], &answer[..7], &answer[..7], &answer[2..5]]);
        // The frame that broke off takes what comes behind it for its own, as a length says.
        assert_eq!(bench.bodies, [&answer[7..], &[0x00, 0x00, 0xAA, 0xAA][..]]);
    }
}
