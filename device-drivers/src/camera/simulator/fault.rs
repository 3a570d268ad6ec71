//! What goes wrong between the sensor and the kiosk, in bytes.

use super::super::protocol::{RawFrame, stream};

/// Something that goes wrong with the frames, until it is ended. Light, blur and glare belong to the
/// [`Scene`](super::Scene).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CameraFault {
    /// No frame comes.
    Silent,
    /// The same frame comes for ever, byte for byte.
    Stuck,
    /// A frame ends after so many of its bytes.
    CutShort {
        /// Bytes of the frame that still come.
        bytes: usize,
    },
    /// A frame's middle is overwritten.
    Damaged,
    /// So many bytes are missing from a frame's middle, as when a packet was lost.
    Hole {
        /// Bytes that are missing.
        bytes: usize,
    },
    /// The JPEG says that it is so large.
    ClaimsSize {
        /// Pixels in a row.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// The connection ends after so many bytes of each frame.
    DisconnectsAt {
        /// Bytes of the stream, its header included.
        bytes: usize,
    },
    /// Bytes that are no frame.
    Noise,
}

/// The bytes that leave the camera, and whether the connection ends with them.
pub(super) fn on_the_wire(frame: &RawFrame, fault: Option<CameraFault>) -> (Vec<u8>, bool) {
    let mut frame = frame.clone();
    match fault {
        Some(CameraFault::CutShort { bytes }) => frame.bytes.truncate(bytes),
        Some(CameraFault::Damaged) => {
            let middle = frame.bytes.len() / 2;
            let end = (middle + 64).min(frame.bytes.len());
            // A marker that cannot stand in a scan, again and again.
            frame.bytes[middle..end]
                .iter_mut()
                .enumerate()
                .for_each(|(at, byte)| *byte = [0xFF, 0xC8][at % 2]);
        }
        Some(CameraFault::Hole { bytes }) => {
            let middle = frame.bytes.len() / 2;
            let end = (middle + bytes).min(frame.bytes.len().saturating_sub(2)).max(middle);
            drop(frame.bytes.drain(middle..end));
        }
        Some(CameraFault::ClaimsSize { width, height }) => claim(&mut frame.bytes, width, height),
        Some(CameraFault::Noise) => return (vec![0xA5; 4096], false),
        _ => {}
    }
    let mut bytes = stream::encode(&frame).to_vec();
    let ends = if let Some(CameraFault::DisconnectsAt { bytes: count }) = fault {
        bytes.truncate(count);
        true
    } else {
        false
    };
    (bytes, ends)
}

/// Writes another size into a JPEG's header.
fn claim(jpeg: &mut [u8], width: u16, height: u16) {
    if let Some(at) = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0])
        && let Some(size) = jpeg.get_mut(at + 5..at + 9)
    {
        size[..2].copy_from_slice(&height.to_be_bytes());
        size[2..].copy_from_slice(&width.to_be_bytes());
    }
}
