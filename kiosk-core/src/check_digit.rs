//! Check characters of the standards that the kiosk meets. Pure arithmetic on ASCII.

/// ISO 7064 MOD 11-2 over the first 17 digits (GB 11643-1999): `Σ aᵢ·2^(18−i) mod 11` picks from
/// "10X98765432". `None` unless there are exactly 17 ASCII digits.
pub fn mod_11_2(seventeen_digits: &str) -> Option<char> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECK: &[u8; 11] = b"10X98765432";
    if seventeen_digits.len() != 17 {
        return None;
    }
    let mut sum = 0;
    for (digit, weight) in seventeen_digits.chars().zip(WEIGHTS) {
        sum += digit.to_digit(10)? * weight;
    }
    Some(char::from(CHECK[(sum % 11) as usize]))
}

/// ISO 7064 MOD 37,36 (hybrid) over `0-9A-Z`, the check of electronic licence numbers (GB/T 36904)
/// and of our case numbers: it finds every single error and every swap of neighbours.
/// `None` when a character is outside `0-9A-Z`.
pub fn mod_37_36(text: &str) -> Option<char> {
    const CHARSET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut product = 36;
    for character in text.bytes() {
        let value = CHARSET.iter().position(|c| *c == character)?;
        let sum = match (product + value) % 36 {
            0 => 36,
            sum => sum,
        };
        product = sum * 2 % 37;
    }
    Some(char::from(CHARSET[(37 - product) % 36]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_licence_identifiers_check() {
        assert_eq!(mod_37_36("11100000000013338W01111430000006122244L20230000403001"), Some('U'));
        assert_eq!(mod_37_36("11100000MB03271699022340100000000016001"), Some('9'));
        assert_eq!(mod_37_36("a"), None);
    }

    #[test]
    fn citizen_check_needs_seventeen_digits() {
        assert_eq!(mod_11_2("11010519491231002"), Some('X'));
        assert_eq!(mod_11_2("1101051949123100"), None);
        assert_eq!(mod_11_2("1101051949123100A"), None);
    }
}
