//! The cabinet board's protocol, version 1, as pure bytes: no I/O, no clock. The text of the protocol is
//! docs/CABINET_BOARD.md; its examples are checked by the tests here.

pub mod frame;
pub mod message;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use frame::{Frame, FrameDecoder, FrameError, VERSION};
pub use message::{
    Answer, DoorReading, Identity, LightOrder, PresenceReading, Refusal, Request, SelfTest, Status,
};

/// Runs every decoder over arbitrary bytes; for fuzzing. Returns how many frames were found.
pub fn fuzz_decode(bytes: &[u8]) -> usize {
    let mut decoder = FrameDecoder::new();
    decoder.push(bytes);
    let mut frames = 0;
    while let Some(result) = decoder.next_frame() {
        let Ok(frame) = result else { continue };
        frames += 1;
        let _ = (Request::from_frame(&frame), Answer::from_frame(&frame));
    }
    frames
}
