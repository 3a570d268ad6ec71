//! Numbers of issued documents: short enough to be said on the telephone, without letters that look alike.

use std::fmt;

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Number of an issued document (证明编号), as printed: `ZM-7K3M-9Q2T`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DocumentNumber(pub(crate) [u8; 5]);

impl DocumentNumber {
    /// A new one, by chance. Whoever issues sees to it that none is there twice.
    pub fn random() -> Self {
        let mut bytes = [0; 5];
        getrandom::fill(&mut bytes).expect("a system without random numbers cannot issue anything");
        Self(bytes)
    }

    /// Reads a printed one, as people write it.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let mut bits = 0_u64;
        let digits = text.strip_prefix("ZM")?.bytes().filter(|byte| !matches!(byte, b'-' | b' '));
        let mut count = 0;
        for digit in digits {
            let digit = match digit {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            bits = bits << 5 | CROCKFORD.iter().position(|known| *known == digit)? as u64;
            count += 1;
            if count > 8 {
                return None;
            }
        }
        let bytes = bits.to_be_bytes();
        (count == 8).then(|| Self([bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]]))
    }
}

impl fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        f.write_str("ZM")?;
        for at in 0..8 {
            if at % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(CROCKFORD[(bits >> (35 - 5 * at) & 31) as usize]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for DocumentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let number = DocumentNumber([1, 2, 3, 4, 255]);
        assert_eq!(number.to_string(), "ZM-0410-617Z");
        for written in ["ZM-0410-617Z", " zm0410617z ", "ZM-O4LO-6I7Z"] {
            assert_eq!(DocumentNumber::read(written), Some(number), "{written}");
        }
        for wrong in ["", "ZM", "ZM-0410-617", "ZM-0410-617Z0", "0410-617Z", "ZM-0410-617U"] {
            assert_eq!(DocumentNumber::read(wrong), None, "{wrong}");
        }
    }
}
