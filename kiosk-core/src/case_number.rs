//! 办件编号: terminal code, random part, check character, such as `DG0001-7K3M9QXF-R`.
//!
//! Random, so that a number tells nothing about other residents and clones of a disk cannot collide;
//! checked, so that a slip on the telephone is noticed.

use crate::check_digit::mod_37_36;

/// Letters and digits that cannot be mistaken for each other when read aloud or from thermal paper:
/// no 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V.
const ALPHABET: &[u8; 22] = b"34679ACDEFGHJKMNPQRTWX";

/// How many random bytes [`compose`] consumes.
pub const RANDOM_BYTES: usize = 8;

/// Makes a case number from the terminal's code and eight random bytes. The random part has
/// 22⁸ ≈ 5.5·10¹⁰ values for each terminal.
pub fn compose(terminal: &str, random: [u8; RANDOM_BYTES]) -> String {
    let part: String =
        random.iter().map(|byte| char::from(ALPHABET[*byte as usize % ALPHABET.len()])).collect();
    let check = mod_37_36(&format!("{terminal}{part}")).unwrap_or('0');
    format!("{terminal}-{part}-{check}")
}

/// Whether the check character of a case number fits.
pub fn is_valid(number: &str) -> bool {
    let mut parts = number.split('-');
    let (Some(terminal), Some(part), Some(check), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    part.len() == RANDOM_BYTES
        && check.len() == 1
        && mod_37_36(&format!("{terminal}{part}")) == check.chars().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_checks_and_a_slip_does_not() {
        let number = compose("DG0001", [0, 1, 2, 3, 4, 5, 6, 255]);
        assert!(is_valid(&number), "{number}");
        assert_eq!(number.len(), 17);
        let slip = number.replacen('D', "E", 1);
        assert!(!is_valid(&slip), "{slip}");
        assert!(!is_valid("DG0001-3467"));
        assert!(!is_valid(""));
    }
}
