//! The reader's wire protocol (GA/T 467 frames) and the card's text block, as pure bytes: no I/O, no clock.

pub mod answer;
pub mod codes;
pub mod frame;
pub mod request;
pub mod status;
pub mod text_block;

#[cfg(test)]
mod card_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use answer::{ReadAnswer, SamId, decode_additional_address};
pub use frame::{Frame, FrameDecoder, FrameError};
pub use request::{BaudRate, Request};
pub use status::{StatusClass, StatusInfo, status};
pub use text_block::{TEXT_BYTES, TextError, decode_text, encode_text};

/// Runs every decoder over arbitrary bytes; for fuzzing. Returns how many frames were found.
pub fn fuzz_decode(bytes: &[u8]) -> usize {
    let mut frames = 0;
    for mut decoder in [FrameDecoder::for_answers(), FrameDecoder::for_requests()] {
        decoder.push(bytes);
        while let Some(result) = decoder.next_frame() {
            let Ok(frame) = result else { continue };
            frames += 1;
            let _ = Request::from_frame(&frame);
            let _ = SamId::from_answer(&frame);
            let _ = decode_additional_address(&frame);
            for with_fingerprint in [false, true] {
                if let Ok(answer) = ReadAnswer::from_answer(&frame, with_fingerprint) {
                    let _ = decode_text(answer.text);
                }
            }
        }
    }
    let _ = decode_text(bytes);
    frames
}
