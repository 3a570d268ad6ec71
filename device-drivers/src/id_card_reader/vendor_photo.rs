//! Card photos decoded by a licensed library of a maker, in its own process.

use std::time::Duration;

use zeroize::Zeroizing;

use super::photo::{Photo, PhotoDecoder, PhotoError, Portrait};
use crate::vendor_library::{Refusal, VendorError, VendorLibrary};

/// `KIOSK_VENDOR_DECODE_PHOTO` of `kiosk_vendor.h`.
pub const DECODE_PHOTO: u32 = 0x0101;
/// No portrait is wider or higher, in pixels. Published decoders give 102 × 126; the rest is room for others.
pub const SIDE_MAX: u16 = 512;
/// Width and height, 2 bytes each.
const HEAD: usize = 4;
/// The largest answer.
const OUTPUT_BYTES_MAX: usize = HEAD + SIDE_MAX as usize * SIDE_MAX as usize * 3;
/// The resident does not wait for a picture. Not measured: no decoder is at hand.
const WITHIN: Duration = Duration::from_secs(3);

/// A decoder behind `device-host`.
pub struct VendorPhotoDecoder {
    library: VendorLibrary,
    within: Duration,
}

impl VendorPhotoDecoder {
    /// A decoder that has 3 s for a photo.
    pub fn new(library: VendorLibrary) -> VendorPhotoDecoder {
        VendorPhotoDecoder { library, within: WITHIN }
    }

    /// The same with another deadline.
    pub fn within(self, within: Duration) -> VendorPhotoDecoder {
        VendorPhotoDecoder { within, ..self }
    }

    /// The library, to be tended and asked for its health.
    pub fn library(&mut self) -> &mut VendorLibrary {
        &mut self.library
    }
}

impl PhotoDecoder for VendorPhotoDecoder {
    fn decode(&mut self, photo: &Photo) -> Result<Portrait, PhotoError> {
        let output = self
            .library
            .call(DECODE_PHOTO, photo.as_bytes(), OUTPUT_BYTES_MAX, self.within)
            .map_err(|error| without_picture(&error))?;
        portrait(&output).ok_or(PhotoError::Unreadable)
    }
}

/// What a failure of the library means for a card.
fn without_picture(error: &VendorError) -> PhotoError {
    match error {
        VendorError::Unusable { .. } | VendorError::NoHost(_) => PhotoError::NoDecoder,
        // A library for something else, or one whose licence dongle is not there.
        VendorError::Refused(Refusal::UnknownVerb | Refusal::NotConnected) => PhotoError::NoDecoder,
        VendorError::Lost { .. } | VendorError::Resting { .. } => PhotoError::Lost,
        VendorError::Refused(Refusal::Busy) => PhotoError::Lost,
        VendorError::Refused(Refusal::BadInput | Refusal::TooSmall | Refusal::Own(_)) => {
            PhotoError::Unreadable
        }
        VendorError::TooLarge => PhotoError::Unreadable,
    }
}

/// The portrait in an answer: width and height (2 bytes each, big-endian), then exactly so many pixels.
fn portrait(output: &[u8]) -> Option<Portrait> {
    let (head, rgb) = output.split_first_chunk::<HEAD>()?;
    let [width, height] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_be_bytes);
    let sides = 1..=SIDE_MAX;
    let whole = rgb.len() == usize::from(width) * usize::from(height) * 3;
    (sides.contains(&width) && sides.contains(&height) && whole).then(|| Portrait {
        width: width.into(),
        height: height.into(),
        rgb: Zeroizing::new(rgb.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_picture_is_one() {
        let of = |width: u16, height: u16, bytes: usize| {
            let head = [width.to_be_bytes(), height.to_be_bytes()].concat();
            portrait(&[head, vec![7; bytes]].concat()).map(|portrait| (portrait.width, portrait.height))
        };
        assert_eq!(of(102, 126, 102 * 126 * 3), Some((102, 126)));
        assert_eq!(of(512, 512, 512 * 512 * 3), Some((512, 512)));
        assert_eq!(of(102, 126, 102 * 126 * 3 - 1), None);
        assert_eq!(of(102, 126, 102 * 126 * 3 + 1), None);
        assert_eq!(of(0, 126, 0), None);
        assert_eq!(of(513, 1, 513 * 3), None);
        assert_eq!(portrait(&[0, 1, 0]).map(|portrait| portrait.width), None);
    }
}
