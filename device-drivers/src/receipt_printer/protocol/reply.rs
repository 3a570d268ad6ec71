//! The printer's answers share one stream; this tells them apart, byte by byte.

use std::collections::VecDeque;

use super::encode::ProcessId;
use super::status::{Asb, is_realtime};

/// Block data longer than this is noise.
const MAX_BLOCK: usize = 128;
/// Bytes of an automatic status.
const ASB_BYTES: usize = 4;

/// One thing that the printer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The answer to a DLE EOT; which one, only the asker knows.
    Realtime(u8),
    /// An automatic status.
    Asb(Asb),
    /// The answer to GS r.
    QueuedStatus(u8),
    /// The answer to GS ( H: everything before it has been printed.
    ProcessId(ProcessId),
    /// Other block data, from its head byte to before the closing NUL.
    Block(Vec<u8>),
    /// The printer takes data again.
    Xon,
    /// The printer asks the host to wait.
    Xoff,
    /// A byte that fits nothing.
    Noise(u8),
}

/// Takes bytes as they come and gives replies.
#[derive(Debug, Default)]
pub struct ReplyDecoder {
    buffer: VecDeque<u8>,
}

impl ReplyDecoder {
    /// A decoder with nothing in it.
    pub fn new() -> ReplyDecoder {
        ReplyDecoder::default()
    }

    /// Adds bytes from the line.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend(bytes);
    }

    /// Forgets what has come so far.
    pub fn resync(&mut self) {
        self.buffer.clear();
    }

    /// The next reply in what has come so far.
    pub fn next_reply(&mut self) -> Option<Reply> {
        let first = *self.buffer.front()?;
        let reply = match first {
            0x11 => Reply::Xon,
            0x13 => Reply::Xoff,
            0x35 | 0x37 | 0x3B | 0x3D | 0x5F => return self.next_block(),
            byte if is_realtime(byte) => Reply::Realtime(byte),
            byte if byte & 0x93 == 0x10 => return self.next_asb(),
            byte if byte & 0x90 == 0 => Reply::QueuedStatus(byte),
            byte => Reply::Noise(byte),
        };
        self.buffer.pop_front();
        Some(reply)
    }

    /// Four bytes are one unit: the last three alone would look like answers to GS r.
    fn next_asb(&mut self) -> Option<Reply> {
        let broken = self.buffer.iter().take(ASB_BYTES).skip(1).any(|byte| byte & 0x90 != 0);
        if broken {
            return self.buffer.pop_front().map(Reply::Noise);
        }
        let mut bytes = [0; ASB_BYTES];
        for (to, at) in bytes.iter_mut().zip(0..ASB_BYTES) {
            *to = *self.buffer.get(at)?;
        }
        let asb = Asb::from_bytes(bytes)?;
        self.buffer.drain(..ASB_BYTES);
        Some(Reply::Asb(asb))
    }

    fn next_block(&mut self) -> Option<Reply> {
        let Some(end) = self.buffer.iter().take(MAX_BLOCK).position(|byte| *byte == 0) else {
            if self.buffer.len() < MAX_BLOCK {
                return None;
            }
            return self.buffer.pop_front().map(Reply::Noise);
        };
        let block: Vec<u8> = self.buffer.drain(..=end).take(end).collect();
        let id = match block[..] {
            [0x37, 0x22, a, b, c, d] => ProcessId::new([a, b, c, d]),
            _ => None,
        };
        Some(id.map_or(Reply::Block(block), Reply::ProcessId))
    }
}
