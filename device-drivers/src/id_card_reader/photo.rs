//! The card's photo: a file in a closed format, and the place where a licensed decoder can be put.
//!
//! No open decoder exists (the format is known from one patent only), so the kiosk works with the text alone and
//! hands the bytes on as they are.

use std::fmt;

use zeroize::Zeroizing;

/// The photo in its closed format (WLT), to be handed on as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo(Zeroizing<Vec<u8>>);

impl Photo {
    /// Takes the bytes of the chip's photo file.
    pub fn new(bytes: &[u8]) -> Photo {
        Photo(Zeroizing::new(bytes.to_vec()))
    }

    /// The bytes as they were read; 1024 on every card seen.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Photo([redacted])")
    }
}

/// A decoded photo: 3 bytes a pixel (red, green, blue), rows from the top, no padding. Published decoders give
/// 102 × 126 pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Portrait {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width × height × 3` bytes.
    pub rgb: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Portrait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Portrait({}x{}, [redacted])", self.width, self.height)
    }
}

/// Why a photo was not decoded. None of these spoils the text of the card: the kiosk goes on without the picture,
/// so there is no remedy to ask anybody for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// No licensed decoder is installed on this terminal.
    #[error("no decoder for card photos is installed")]
    NoDecoder,
    /// The decoder does not know these bytes as a photo.
    #[error("the card's photo cannot be decoded")]
    Unreadable,
    /// The decoder ended or hung; the next call may find it started again.
    #[error("the photo decoder was lost")]
    Lost,
}

/// Turns a photo into pixels. A licensed vendor library runs in a process of its own and is reached through an
/// implementation of this trait. A call blocks, with a deadline of its own.
pub trait PhotoDecoder: Send {
    /// Decodes one photo.
    fn decode(&mut self, photo: &Photo) -> Result<Portrait, PhotoError>;
}

/// The decoder of a terminal that has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPhotoDecoder;

impl PhotoDecoder for NoPhotoDecoder {
    fn decode(&mut self, _: &Photo) -> Result<Portrait, PhotoError> {
        Err(PhotoError::NoDecoder)
    }
}
