//! MJPG frames: one baseline JPEG each (ITU-T T.81), as USB cameras send them.
//!
//! The header is looked through before the decoder sees a byte, because the decoder takes its memory by the size
//! that the header claims, and so is the scan, because the decoder does not say when part of it is missing. Cameras
//! pad frames with zeros and may leave out the Huffman tables, which are then those of T.81 Annex K.

use std::ops::Range;
use std::sync::LazyLock;

use zeroize::Zeroizing;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::super::Picture;
use super::super::picture::MAX_SIDE;
use super::keep::encode;
use super::{FrameError, scan};

/// Segments before the first scan; a camera sends about ten.
const MAX_SEGMENTS: usize = 64;
/// The segments with the tables of Annex K (K.3 to K.6), taken from our own encoder, which always writes these.
static ANNEX_K: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let jpeg = encode(&Picture::filled(8, 8, [0; 3]), 90).map(|kept| kept.jpeg).unwrap_or_default();
    let (mut tables, mut at) = (Vec::new(), 2);
    while let Ok((marker, _, next)) = segment(&jpeg, at) {
        match marker {
            0xC4 => tables.extend_from_slice(&jpeg[at..next]),
            0xDA => break,
            _ => {}
        }
        at = next;
    }
    tables
});

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Whether the frame brings its own Huffman tables.
    pub has_tables: bool,
}

/// Looks through the header up to the first scan.
///
/// # Errors
/// [`FrameError::CutShort`] when the bytes end before it, [`FrameError::Unsupported`] for what is not baseline with
/// one or three components of 8 bits, [`FrameError::Damaged`] for everything else.
pub fn header(bytes: &[u8]) -> Result<Header, FrameError> {
    if bytes.get(..2) != Some(&[0xFF, 0xD8]) {
        return Err(if bytes.len() < 2 { FrameError::CutShort } else { FrameError::Damaged });
    }
    let mut at = 2;
    let mut size = None;
    let mut has_tables = false;
    for _ in 0..MAX_SEGMENTS {
        let (marker, body, next) = segment(bytes, at)?;
        match marker {
            0xC0 => size = Some(frame_size(body)?),
            0xC4 => has_tables = true,
            0xDA => {
                let (width, height) = size.ok_or(FrameError::Damaged)?;
                return Ok(Header { width, height, has_tables });
            }
            0xC1..=0xC3 | 0xC5..=0xCF => return Err(FrameError::Unsupported),
            0xDB | 0xDD | 0xE0..=0xEF | 0xFE => {}
            _ => return Err(FrameError::Damaged),
        }
        at = next;
    }
    Err(FrameError::Damaged)
}

/// The marker at `at`, its body, and where the next one stands.
pub(super) fn segment(bytes: &[u8], at: usize) -> Result<(u8, &[u8], usize), FrameError> {
    let mut at = at;
    if *bytes.get(at).ok_or(FrameError::CutShort)? != 0xFF {
        return Err(FrameError::Damaged);
    }
    // Any number of FF may stand before a marker (T.81 B.1.1.2).
    while *bytes.get(at).ok_or(FrameError::CutShort)? == 0xFF {
        at += 1;
    }
    let marker = bytes[at];
    let length = bytes.get(at + 1..at + 3).ok_or(FrameError::CutShort)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if length < 2 {
        return Err(FrameError::Damaged);
    }
    let body = bytes.get(at + 3..at + 1 + length).ok_or(FrameError::CutShort)?;
    Ok((marker, body, at + 1 + length))
}

/// Width and height of a start-of-frame segment: precision, height, width, components (T.81 B.2.2).
fn frame_size(body: &[u8]) -> Result<(u32, u32), FrameError> {
    let [precision, h1, h0, w1, w0, components, ..] = *body else { return Err(FrameError::Damaged) };
    if precision != 8 || !matches!(components, 1 | 3) {
        return Err(FrameError::Unsupported);
    }
    Ok((u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0]))))
}

/// Decodes one frame of the agreed size.
///
/// # Errors
/// [`FrameError`]; a frame that is cut short or damaged half-way gives no picture at all.
pub fn decode(bytes: &[u8], width: u32, height: u32) -> Result<Picture, FrameError> {
    let header = header(bytes)?;
    let side = 1..=MAX_SIDE;
    if (header.width, header.height) != (width, height) || !side.contains(&width) || !side.contains(&height) {
        return Err(FrameError::Size { width: header.width, height: header.height });
    }
    let picture = without_padding(bytes);
    if !picture.ends_with(&[0xFF, 0xD9]) {
        return Err(FrameError::CutShort);
    }
    if header.has_tables {
        return pixels(picture, width, height);
    }
    let whole = Zeroizing::new([&picture[..2], &ANNEX_K, &picture[2..]].concat());
    pixels(&whole, width, height)
}

/// The bytes without the zeros that fill up a camera's last packet.
fn without_padding(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &bytes[..end]
}

fn pixels(bytes: &[u8], width: u32, height: u32) -> Result<Picture, FrameError> {
    let left_over = scan::left_over(bytes)?;
    let cleaned = (!left_over.is_empty()).then(|| without(bytes, &left_over));
    let bytes = cleaned.as_ref().map_or(bytes, |cleaned| cleaned.as_slice());
    // Strict, as everywhere: a frame with a hole in it must not become a picture with a grey half.
    let options = DecoderOptions::new_fast()
        .set_strict_mode(true)
        .set_max_width(width as usize)
        .set_max_height(height as usize)
        .jpeg_set_max_scans(4)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let mut picture = Picture::filled(width, height, [0; 3]);
    decoder.decode_headers().map_err(|_| FrameError::Damaged)?;
    // Never less than the decoder wants, never more than the header was allowed.
    if decoder.output_buffer_size() != Some(picture.rgb().len()) {
        return Err(FrameError::Damaged);
    }
    decoder.decode_into(picture.rgb_mut()).map_err(|_| FrameError::Damaged)?;
    Ok(picture)
}

/// The bytes without these parts of them.
fn without(bytes: &[u8], parts: &[Range<usize>]) -> Zeroizing<Vec<u8>> {
    let mut kept = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut from = 0;
    for part in parts {
        kept.extend_from_slice(&bytes[from..part.start]);
        from = part.end;
    }
    kept.extend_from_slice(&bytes[from..]);
    kept
}
