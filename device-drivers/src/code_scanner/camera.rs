//! Codes in a camera's picture: QR codes and the common barcodes.

use rxing::common::HybridBinarizer;
use rxing::{BarcodeFormat, BinaryBitmap, DecodeHints, Luma8Source, MultiFormatReader, Reader};

use super::protocol::MAX_CODE_BYTES;
use super::{ScannedCode, ScannerError};
use crate::camera::Luma;

/// What is looked for. Others exist and are not in use here; each costs time in every frame.
const FORMATS: [BarcodeFormat; 4] =
    [BarcodeFormat::QR_CODE, BarcodeFormat::CODE_128, BarcodeFormat::CODE_39, BarcodeFormat::EAN_13];

/// The code in a picture, when there is one. Turned codes are found as well; of several one is given.
///
/// The library keeps the text in memory of its own while it works, which is given back without being wiped.
///
/// # Errors
/// [`ScannerError::TooLong`] and [`ScannerError::NotText`] for a code that is none of ours.
pub fn code_in(picture: &Luma) -> Result<Option<ScannedCode>, ScannerError> {
    let Ok(source) = Luma8Source::new_with_slice(picture.grey(), picture.width(), picture.height()) else {
        return Ok(None);
    };
    let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source));
    let hints = DecodeHints {
        PossibleFormats: Some(FORMATS.into_iter().collect()),
        TryHarder: Some(true),
        ..DecodeHints::default()
    };
    let Ok(found) = MultiFormatReader::default().decode_with_hints(&mut bitmap, &hints) else {
        return Ok(None);
    };
    let text = zeroize::Zeroizing::new(found.getText().to_owned());
    if text.len() > MAX_CODE_BYTES {
        return Err(ScannerError::TooLong);
    }
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(ScannerError::NotText);
    }
    Ok(Some(ScannedCode::new(text)))
}
