//! 校验码: sixteen letters and digits that only the receipt knows, in its QR and in print. Who says them with the case
//! number holds the receipt.

/// How many characters a code has, and how many random bytes [`compose`] consumes.
pub const CHARACTERS: usize = 16;

/// How many characters stand together in print.
const GROUP: usize = 4;

/// No 0/O and no 1/I.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Makes a code from random bytes: 80 random bits, not guessable.
pub fn compose(random: [u8; CHARACTERS]) -> String {
    random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// Whether a code can hold this character.
pub fn may_hold(character: char) -> bool {
    u8::try_from(character).is_ok_and(|byte| ALPHABET.contains(&byte))
}

/// A code (or its beginning) in groups of four, as it is read and copied.
pub fn grouped(code: &str) -> String {
    let mut grouped = String::with_capacity(code.len() + code.len() / GROUP);
    for (at, character) in code.chars().enumerate() {
        if at > 0 && at % GROUP == 0 {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_made_of_what_it_may_hold_and_reads_in_fours() {
        let code = compose([0, 1, 2, 3, 31, 32, 63, 64, 100, 127, 128, 200, 254, 255, 7, 8]);
        assert_eq!(code.len(), CHARACTERS);
        assert!(code.chars().all(may_hold), "{code}");
        for confusing in ['0', 'O', '1', 'I', 'a', '-', '甲'] {
            assert!(!may_hold(confusing), "{confusing}");
        }
        assert_eq!(grouped("ABCDEFGHJKLMNPQR"), "ABCD EFGH JKLM NPQR");
        assert_eq!(grouped("ABCDE"), "ABCD E");
        assert_eq!(grouped(""), "");
    }
}
