//! QR codes as a square of dark and light modules. Who draws them adds the quiet zone.

use qrcode::bits::Bits;
use qrcode::types::QrError;
use qrcode::{EcLevel, QrCode, Version};

use crate::DocumentError;

/// Modules of white that a reader needs around a QR code on every side.
pub const QUIET_ZONE: usize = 4;

/// A QR code without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrModules {
    /// Modules along one side.
    pub size: usize,
    /// `size * size` modules, row by row; true is dark.
    pub dark: Vec<bool>,
}

/// Level of error correction (ISO/IEC 18004): M, which survives 15 % of dirt.
const LEVEL: EcLevel = EcLevel::M;
/// The largest version of ISO/IEC 18004.
const LARGEST: i16 = 40;

/// The QR code of a text, error correction level M, in the smallest version that either way of writing it gives.
///
/// The library cuts a text into modes greedily, and takes the wide one for letters and digits in turn, of which our
/// signed addresses consist: 816 of them took version 25 instead of 20.
pub fn modules(text: &str) -> Result<QrModules, DocumentError> {
    let codes = [QrCode::with_error_correction_level(text, LEVEL), ending_in_capitals(text)];
    let code = codes.into_iter().flatten().min_by_key(QrCode::width).ok_or(DocumentError::QrTooLong)?;
    let size = code.width();
    let dark = code.into_colors().into_iter().map(|color| color == qrcode::Color::Dark).collect();
    Ok(QrModules { size, dark })
}

/// The text as two segments: bytes, and at its end what the alphanumeric mode (clause 7.4.4) has a narrow form for.
fn ending_in_capitals(text: &str) -> Result<QrCode, QrError> {
    let narrow = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b' ' | b'$' | b'%' | b'*' | b'+' | b'-'..=b'/' | b':');
    let ending = text.bytes().rev().take_while(narrow).count();
    let (bytes, capitals) = text.as_bytes().split_at(text.len() - ending);
    let written = |version: i16| {
        let mut bits = Bits::new(Version::Normal(version));
        bits.push_byte_data(bytes)?;
        bits.push_alphanumeric_data(capitals)?;
        bits.push_terminator(LEVEL)?;
        QrCode::with_bits(bits, LEVEL)
    };
    (1..=LARGEST).map(written).find(Result::is_ok).unwrap_or(Err(QrError::DataTooLong))
}

impl QrModules {
    /// Whether the module is dark; the surroundings are light.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.size && y < self.size && self.dark[y * self.size + x]
    }

    /// Side of the code with its quiet zone, in modules.
    pub fn size_with_quiet_zone(&self) -> usize {
        self.size + 2 * QUIET_ZONE
    }

    /// One byte of lightness a dot, 0 dark and 255 light: every module `dots` wide, quiet zone included.
    pub(crate) fn lightness(&self, dots: usize) -> Vec<u8> {
        let side = self.size_with_quiet_zone() * dots;
        let quiet = QUIET_ZONE * dots;
        let mut lightness = vec![255; side * side];
        for (module, _) in self.dark.iter().enumerate().filter(|(_, dark)| **dark) {
            let left = quiet + module % self.size * dots;
            let top = quiet + module / self.size * dots;
            for row in top..top + dots {
                lightness[row * side + left..row * side + left + dots].fill(0);
            }
        }
        lightness
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finder_patterns_stand_in_three_corners() {
        let qr = modules("https://example.invalid/v/DEMO0001").unwrap();
        assert_eq!(qr.dark.len(), qr.size * qr.size);
        let last = qr.size - 1;
        assert!(qr.is_dark(0, 0) && qr.is_dark(last, 0) && qr.is_dark(0, last));
        // The separator beside each finder is light, the ring inside it too.
        assert!(!qr.is_dark(7, 7) && !qr.is_dark(1, 1) && qr.is_dark(3, 3));
    }

    #[test]
    fn modules_become_squares_inside_a_light_quiet_zone() {
        let qr = modules("x").unwrap();
        for dots in [1, 6] {
            let side = qr.size_with_quiet_zone() * dots;
            let lightness = qr.lightness(dots);
            assert_eq!(lightness.len(), side * side);
            for (at, value) in lightness.into_iter().enumerate() {
                let module = |i: usize| (i / dots).wrapping_sub(QUIET_ZONE);
                let expected = if qr.is_dark(module(at % side), module(at / side)) { 0 } else { 255 };
                assert_eq!(value, expected, "at {},{}", at % side, at / side);
            }
        }
    }

    #[test]
    fn letters_and_digits_in_turn_stay_narrow() {
        let signed = format!("https://{}/d/{}", "c".repeat(89), "A2B4".repeat(204));
        // Version 20 has 97 modules a side (clause 6.3).
        assert_eq!(modules(&signed).unwrap().size, 97);
    }

    #[test]
    fn too_much_text_is_refused_without_quoting_it() {
        let error = modules(&"机密".repeat(3000)).unwrap_err();
        assert!(matches!(error, DocumentError::QrTooLong));
        assert!(!error.to_string().contains("机密"));
    }
}
