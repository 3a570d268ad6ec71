//! Time-based codes (RFC 6238: HMAC-SHA-1, 30 seconds, six digits), as every authenticator program makes them.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::random;

/// Length of a time step in milliseconds.
pub(crate) const STEP_MS: i64 = 30_000;

/// Steps before and after the present one that are taken: telephones' clocks differ.
const WINDOW: i64 = 1;

/// Who the code is for, as shown by the authenticator.
const ISSUER: &str = "莞家城市网关";

/// A new secret: 160 bits, as RFC 4226 recommends.
pub(crate) fn new_secret() -> Vec<u8> {
    random::bytes::<20>().to_vec()
}

/// The code of a time step.
pub(crate) fn code(secret: &[u8], step: i64) -> u32 {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let word = u32::from_be_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]]);
    (word & 0x7fff_ffff) % 1_000_000
}

/// The time step whose code this is, within the window around now. Every step is compared, whatever was found
/// before.
pub(crate) fn matching_step(secret: &[u8], typed: &str, now_ms: i64) -> Option<i64> {
    let digits: String = typed.chars().filter(|character| !character.is_whitespace()).collect();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let typed: u32 = digits.parse().ok()?;
    let now = now_ms.div_euclid(STEP_MS);
    let (mut found, mut step) = (Choice::from(0), 0_i64);
    for candidate in now - WINDOW..=now + WINDOW {
        let same = code(secret, candidate).ct_eq(&typed);
        step.conditional_assign(&candidate, same);
        found |= same;
    }
    bool::from(found).then_some(step)
}

/// The address that an authenticator program reads from a QR code.
pub(crate) fn uri(name: &str, secret: &[u8]) -> String {
    let issuer = percent(ISSUER);
    format!(
        "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        percent(name),
        base32(secret),
    )
}

/// RFC 4648, without padding: what is typed where no camera is at hand.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut text, mut held, mut bits) = (String::new(), 0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// A text as part of an address.
pub(crate) fn percent(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut escaped, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte))
            }
            _ => write!(escaped, "%{byte:02X}").expect("writing to a String does not fail"),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_6238() {
        let secret = b"12345678901234567890";
        // The RFC prints eight digits; six are the last six of them.
        for (seconds, wanted) in [
            (59_i64, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code(secret, seconds / 30), wanted, "{seconds}");
        }
    }

    #[test]
    fn one_step_before_and_after_and_no_more() {
        let secret = new_secret();
        let now_ms = 1_800_000_000_000;
        let now = now_ms / STEP_MS;
        for (step, taken) in
            [(now - 2, false), (now - 1, true), (now, true), (now + 1, true), (now + 2, false)]
        {
            let typed = format!("{:06}", code(&secret, step));
            let found = matching_step(&secret, &typed, now_ms);
            // Two steps may have the same code by chance; then the step found is within the window all the same.
            if taken {
                assert!(found.is_some_and(|found| (found - now).abs() <= 1), "{step}");
            } else if (now - 1..=now + 1).all(|near| code(&secret, near) != code(&secret, step)) {
                assert_eq!(found, None, "{step}");
            }
        }
    }

    #[test]
    fn only_six_digits_are_a_code() {
        let secret = new_secret();
        let now_ms = 1_800_000_000_000;
        let right = format!("{:06}", code(&secret, now_ms / STEP_MS));
        assert!(matching_step(&secret, &format!("{} {}", &right[..3], &right[3..]), now_ms).is_some());
        for typed in ["", "12345", "1234567", "+12345", "12345x", "１２３４５６"] {
            assert_eq!(matching_step(&secret, typed, now_ms), None, "{typed}");
        }
    }

    #[test]
    fn base32_as_in_rfc_4648() {
        for (bytes, wanted) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), wanted);
        }
        assert!(uri("wang.li", b"foobar").ends_with("?secret=MZXW6YTBOI&issuer=%E8%8E%9E%E5%AE%B6%E5%9F%8E%E5%B8%82%E7%BD%91%E5%85%B3&algorithm=SHA1&digits=6&period=30"));
    }
}
