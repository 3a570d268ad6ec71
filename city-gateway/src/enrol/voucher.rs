//! Vouchers: what an operator is shown, and what is kept of it.

use sync_protocol::sha256_hex;

/// Letters and digits that are not mistaken for each other (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Letters of a voucher: 125 random bits, which no rate of guessing reaches.
const LENGTH: usize = 25;

/// A new voucher, in groups of five.
pub(crate) fn generate() -> Result<String, getrandom::Error> {
    let mut random = [0_u8; LENGTH];
    getrandom::fill(&mut random)?;
    let letters: Vec<u8> = random.iter().map(|byte| LETTERS[usize::from(byte % 32)]).collect();
    let groups: Vec<_> = letters.chunks(5).map(|group| String::from_utf8_lossy(group)).collect();
    Ok(groups.join("-"))
}

/// What is kept of a voucher: a hash that is bound to its terminal. `None` when the text cannot be one.
pub(crate) fn hash(terminal: &str, voucher: &str) -> Option<String> {
    if voucher.len() > 4 * LENGTH {
        return None;
    }
    let letter = |letter: char| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let letters: String = voucher.chars().filter(|c| !c.is_whitespace() && *c != '-').map(letter).collect();
    let is_voucher = letters.len() == LENGTH && letters.bytes().all(|byte| LETTERS.contains(&byte));
    is_voucher.then(|| sha256_hex(format!("voucher:{terminal}:{letters}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voucher_is_read_however_it_is_typed() {
        let voucher = generate().unwrap();
        assert_eq!(voucher.len(), LENGTH + 4);
        let typed = voucher.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert_eq!(hash("DG0001", &typed), hash("DG0001", &voucher));
        assert!(hash("DG0001", &voucher).is_some());
        // Bound to its terminal, and nothing of it is in what is kept.
        assert_ne!(hash("DG0001", &voucher), hash("DG0002", &voucher));
        assert_ne!(generate().unwrap(), voucher);
    }

    #[test]
    fn what_is_no_voucher_has_no_hash() {
        for text in ["", "12345", &"A".repeat(24), &"A".repeat(26), &"U".repeat(25), &"-".repeat(1000)] {
            assert_eq!(hash("DG0001", text), None, "{text}");
        }
    }
}
