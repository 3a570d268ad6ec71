//! 办件编号: terminal code, random part, check character, such as `DG0001-7K3M9QXF-B`.
//!
//! Random, so that a number tells nothing about other residents and clones of a disk cannot collide;
//! checked, so that a slip on the telephone is noticed.

use crate::check_digit::mod_37_36;

/// Letters and digits that cannot be mistaken for each other when read aloud or from thermal paper:
/// no 0/O, 1/I/L, 2/Z, 5/S, 8/B, U/V.
const ALPHABET: &[u8; 22] = b"34679ACDEFGHJKMNPQRTWX";

/// How many random bytes [`compose`] consumes.
pub const RANDOM_BYTES: usize = 8;

/// Letters and digits of a case number, without its dashes: terminal code, random part, check character.
pub const CHARACTERS: usize = TERMINAL_CHARACTERS + RANDOM_BYTES + 1;

/// Letters and digits of a terminal's code.
const TERMINAL_CHARACTERS: usize = 6;

/// What is wrong with a number as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberSlip {
    /// Too short, or too long.
    Length,
    /// The check character does not fit: one or more characters are not those of the receipt.
    Check,
}

/// A typed character as a receipt would print it: a capital or a digit. Full-width characters and small letters are
/// forgiven; `None` for whatever only separates.
pub fn plain(character: char) -> Option<char> {
    let narrow = match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(character as u32 - 0xfee0)?,
        other => other,
    };
    narrow.is_ascii_alphanumeric().then(|| narrow.to_ascii_uppercase())
}

/// A number (or its beginning) with its dashes, as it is printed. `typed` is what [`plain`] lets through.
pub fn grouped(typed: &str) -> String {
    let mut grouped = String::with_capacity(typed.len() + 2);
    for (at, character) in typed.chars().enumerate() {
        if at == TERMINAL_CHARACTERS || at == TERMINAL_CHARACTERS + RANDOM_BYTES {
            grouped.push('-');
        }
        grouped.push(character);
    }
    grouped
}

/// Reads a number as somebody types it from a receipt, however it is spaced and written.
pub fn parse(typed: &str) -> Result<String, NumberSlip> {
    let letters: String = typed.chars().filter_map(plain).collect();
    if letters.len() != CHARACTERS {
        return Err(NumberSlip::Length);
    }
    let number = grouped(&letters);
    if is_valid(&number) { Ok(number) } else { Err(NumberSlip::Check) }
}

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

    #[test]
    fn a_number_is_read_however_it_is_written() {
        let number = compose("DG0001", [0, 1, 2, 3, 4, 5, 6, 255]);
        let bare = number.replace('-', "");
        let wide: String = bare.chars().filter_map(|c| char::from_u32(c as u32 + 0xfee0)).collect();
        for typed in
            [&number, &bare, &number.to_lowercase(), &wide, &format!(" {} ", number.replace('-', " － "))]
        {
            assert_eq!(parse(typed).as_ref(), Ok(&number), "{typed}");
        }
        assert_eq!(parse(&bare[1..]), Err(NumberSlip::Length));
        assert_eq!(parse(&format!("{bare}A")), Err(NumberSlip::Length));
        assert_eq!(parse(""), Err(NumberSlip::Length));
        assert_eq!(parse(&bare.replacen('D', "E", 1)), Err(NumberSlip::Check));
        assert_eq!(grouped(&bare), number);
        assert_eq!(grouped(&bare[..6]), "DG0001");
        assert_eq!(grouped(&bare[..7]), "DG0001-3");
    }
}
