//! Telephone numbers as residents give them.

/// Whether `digits` can be reached: a mainland mobile (11 digits from 13 to 19), a Dongguan or other
/// landline with its area code (0 + 9 to 11 digits), or a Hong Kong/Macao number with 00852/00853.
pub fn is_valid(digits: &str) -> bool {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let mobile = digits.len() == 11 && digits.starts_with('1') && matches!(digits.as_bytes()[1], b'3'..=b'9');
    let landline = (10..=12).contains(&digits.len()) && digits.starts_with('0') && !digits.starts_with("00");
    let across_the_border =
        digits.len() == 13 && (digits.starts_with("00852") || digits.starts_with("00853"));
    mobile || landline || across_the_border
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn known_shapes() {
        for good in ["13800000000", "19900000000", "076922222222", "0108888888", "0085212345678"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", "12800000000", "1380000000", "138000000000", "22222222", "1380000000x", "００"] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
