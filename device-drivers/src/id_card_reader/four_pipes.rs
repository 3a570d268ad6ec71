//! The USB variant with four bulk pipes, made into one stream of bytes: head and body of every frame travel apart.
//!
//! OUT 02 takes preamble and length (7 bytes), OUT 06 the rest of the request; IN 81 gives preamble and length of
//! the answer, IN 85 the rest (several sources agree). Nothing ties a body to its head but their order, so bodies
//! of an answer that was given up are taken off before the next command.

use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::protocol::frame::{HEAD, body_length};
use crate::bulk_pipes::{BulkPipes, PACKET_BYTES_MAX};
use crate::transport::{LineError, Ready, Transport};

/// How long a pipe in which something old was found must be quiet before it counts as empty.
const DRAINED: Duration = Duration::from_millis(10);
/// Old packets that are taken off before a command is sent all the same: three of the longest answers.
const MAX_DISCARDS: usize = 128;

/// Endpoint addresses of the pipes. With one pipe for head and body in a direction, frames travel in it whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipeLayout {
    /// Takes preamble and length of a request.
    pub head_out: u8,
    /// Takes the rest of it.
    pub body_out: u8,
    /// Gives preamble and length of an answer.
    pub head_in: u8,
    /// Gives the rest of it.
    pub body_in: u8,
}

impl PipeLayout {
    /// The police ministry's USB module.
    pub const MINISTRY: PipeLayout =
        PipeLayout { head_out: 0x02, body_out: 0x06, head_in: 0x81, body_in: 0x85 };

    /// A reader with one pipe in each direction (known from one source, 0400:C35A, without the addresses).
    pub const fn single_pair(out_pipe: u8, in_pipe: u8) -> PipeLayout {
        PipeLayout { head_out: out_pipe, body_out: out_pipe, head_in: in_pipe, body_in: in_pipe }
    }

    /// The pipes to the device, each once.
    pub fn outs(&self) -> Vec<u8> {
        each_once(self.head_out, self.body_out)
    }

    /// The pipes from the device, each once.
    pub fn ins(&self) -> Vec<u8> {
        each_once(self.head_in, self.body_in)
    }
}

fn each_once(head: u8, body: u8) -> Vec<u8> {
    if head == body { vec![head] } else { vec![head, body] }
}

/// The pipes as one transport. What is written in one call is one whole frame.
pub struct FourPipes<P> {
    pipes: P,
    layout: PipeLayout,
    /// Bytes of the present answer that are still to come from the body's pipe.
    body_left: usize,
    /// The last packet, as far as nobody has taken it yet.
    packet: Zeroizing<[u8; PACKET_BYTES_MAX]>,
    taken: usize,
    filled: usize,
}

impl<P: BulkPipes> FourPipes<P> {
    /// Makes one stream of these pipes.
    pub fn new(pipes: P, layout: PipeLayout) -> FourPipes<P> {
        let packet = Zeroizing::new([0; PACKET_BYTES_MAX]);
        FourPipes { pipes, layout, body_left: 0, packet, taken: 0, filled: 0 }
    }

    /// Takes the next packet that belongs to the stream.
    fn next_packet(&mut self, until: Instant) -> Result<bool, LineError> {
        loop {
            let pipe = if self.body_left > 0 { self.layout.body_in } else { self.layout.head_in };
            let Some(count) = self.pipes.receive(pipe, &mut self.packet, until)? else { return Ok(false) };
            if self.body_left > 0 {
                self.body_left = self.body_left.saturating_sub(count);
            } else if self.layout.head_in != self.layout.body_in {
                // Whatever else comes from the head's pipe is passed on: the frame decoder skips noise.
                self.body_left = body_length(&self.packet[..count]).unwrap_or(0);
            }
            // An empty packet only ends a transfer.
            if count > 0 {
                (self.taken, self.filled) = (0, count);
                return Ok(true);
            }
        }
    }

    /// Takes off what nobody asked for, or what an answer that was given up has left.
    fn drain(&mut self, ready: Ready) -> Result<Ready, LineError> {
        (self.body_left, self.taken, self.filled) = (0, 0, 0);
        // A device that was opened just now has not been asked yet for what it holds.
        let patience = if ready == Ready::Opened { DRAINED } else { Duration::ZERO };
        let mut left = MAX_DISCARDS;
        for pipe in self.layout.ins() {
            let mut until = Instant::now() + patience;
            while left > 0 && self.pipes.receive(pipe, &mut self.packet, until)?.is_some() {
                left -= 1;
                until = Instant::now() + DRAINED;
            }
        }
        Ok(ready)
    }
}

impl<P: BulkPipes> Transport for FourPipes<P> {
    fn ready(&mut self) -> Result<Ready, LineError> {
        let ready = self.pipes.ready()?;
        match self.drain(ready) {
            // It was unplugged while nothing was going on.
            Err(LineError::Gone) if ready == Ready::StillOpen => {
                let ready = self.pipes.ready()?;
                self.drain(ready)
            }
            drained => drained,
        }
    }

    /// A transfer has left when it was written: nothing waits on this side.
    fn discard_output(&mut self) {}

    /// Takes one whole frame a call.
    fn write_some(&mut self, frame: &[u8], until: Instant) -> Result<usize, LineError> {
        let PipeLayout { head_out, body_out, .. } = self.layout;
        if head_out == body_out {
            self.pipes.send(head_out, frame, until)?;
        } else {
            let (head, body) = frame.split_at(frame.len().min(HEAD));
            self.pipes.send(head_out, head, until)?;
            self.pipes.send(body_out, body, until)?;
        }
        Ok(frame.len())
    }

    fn read_some(&mut self, into: &mut [u8], until: Instant) -> Result<usize, LineError> {
        if self.taken == self.filled && !self.next_packet(until)? {
            return Ok(0);
        }
        let count = into.len().min(self.filled - self.taken);
        into[..count].copy_from_slice(&self.packet[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::id_card_reader::protocol::FrameDecoder;
    use crate::id_card_reader::protocol::frame::encode_frame;

    /// Pipes that hold what the device has said, and keep what the host has sent.
    #[derive(Default)]
    struct Held {
        heads: VecDeque<Vec<u8>>,
        bodies: VecDeque<Vec<u8>>,
        sent: Vec<(u8, Vec<u8>)>,
        fresh: bool,
        loses_plug: bool,
    }

    impl BulkPipes for Held {
        fn ready(&mut self) -> Result<Ready, LineError> {
            Ok(if std::mem::take(&mut self.fresh) { Ready::Opened } else { Ready::StillOpen })
        }

        fn send(&mut self, pipe: u8, bytes: &[u8], _: Instant) -> Result<(), LineError> {
            self.sent.push((pipe, bytes.to_vec()));
            Ok(())
        }

        fn receive(
            &mut self,
            pipe: u8,
            packet: &mut [u8; PACKET_BYTES_MAX],
            _: Instant,
        ) -> Result<Option<usize>, LineError> {
            if std::mem::take(&mut self.loses_plug) {
                self.fresh = true;
                return Err(LineError::Gone);
            }
            let waiting = if pipe == 0x81 { &mut self.heads } else { &mut self.bodies };
            let Some(bytes) = waiting.pop_front() else { return Ok(None) };
            packet[..bytes.len()].copy_from_slice(&bytes);
            Ok(Some(bytes.len()))
        }
    }

    fn frames(mut pipes: FourPipes<Held>, room: usize) -> Vec<Vec<u8>> {
        let mut decoder = FrameDecoder::for_answers();
        let (mut found, mut buffer) = (Vec::new(), vec![0; room]);
        loop {
            let count = pipes.read_some(&mut buffer, Instant::now()).unwrap();
            if count == 0 {
                return found;
            }
            decoder.push(&buffer[..count]);
            found.extend(
                std::iter::from_fn(|| decoder.next_frame()).map(|frame| frame.unwrap().bytes().to_vec()),
            );
        }
    }

    proptest! {
        #[test]
        fn any_packets_give_the_same_frames(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 3..300), 1..5),
            sizes in prop::collection::vec(0usize..65, 1..40),
            room in 1usize..600,
        ) {
            let sent: Vec<Vec<u8>> = bodies.iter().map(|body| encode_frame(body).to_vec()).collect();
            let mut held = Held::default();
            let mut sizes = sizes.into_iter().cycle();
            let mut empty_in_a_row = 0;
            for frame in &sent {
                held.heads.push_back(frame[..HEAD].to_vec());
                let mut rest = &frame[HEAD..];
                while !rest.is_empty() {
                    // An empty packet, and at least now and then a full one.
                    let size = sizes.next().unwrap_or(64);
                    empty_in_a_row = if size == 0 { empty_in_a_row + 1 } else { 0 };
                    let size = if empty_in_a_row > 3 { 64 } else { size }.min(rest.len());
                    held.bodies.push_back(rest[..size].to_vec());
                    rest = &rest[size..];
                }
            }
            prop_assert_eq!(frames(FourPipes::new(held, PipeLayout::MINISTRY), room), sent);
        }
    }

    #[test]
    fn a_request_goes_out_in_two_transfers_or_whole() {
        let request = encode_frame(&[0x20, 0x01]);
        let sent = |layout| {
            let mut pipes = FourPipes::new(Held::default(), layout);
            pipes.write_all(&request, Instant::now()).unwrap();
            pipes.pipes.sent
        };
        assert_eq!(
            sent(PipeLayout::MINISTRY),
            [(0x02, request[..7].to_vec()), (0x06, request[7..].to_vec())]
        );
        assert_eq!(sent(PipeLayout::single_pair(0x01, 0x82)), [(0x01, request.to_vec())]);
    }

    #[test]
    fn what_an_answer_has_left_behind_is_taken_off() {
        let answer = encode_frame(&[0, 0, 0x80]).to_vec();
        let mut held = Held::default();
        held.bodies.extend([vec![1; 64], Vec::new(), vec![2; 8]]);
        held.heads.push_back(answer[..HEAD].to_vec());
        let mut pipes = FourPipes::new(held, PipeLayout::MINISTRY);
        assert_eq!(pipes.ready(), Ok(Ready::StillOpen));
        pipes.pipes.heads.push_back(answer[..HEAD].to_vec());
        pipes.pipes.bodies.push_back(answer[HEAD..].to_vec());
        assert_eq!(frames(pipes, 512), [answer]);
    }

    #[test]
    fn a_device_lost_while_nothing_went_on_is_opened_again_at_once() {
        let held = Held { loses_plug: true, ..Held::default() };
        let mut pipes = FourPipes::new(held, PipeLayout::MINISTRY);
        assert_eq!(pipes.ready(), Ok(Ready::Opened));
    }
}
