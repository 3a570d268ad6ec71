//! How long a command is. A printer that does not know a command still has to find the next one.

/// Bytes of the command at the head of `bytes`; `None` while too few are there to tell. Text counts as a command a
/// character. With `chinese`, bytes from 81 on begin a GB 18030 character.
pub(super) fn command_length(bytes: &[u8], chinese: bool) -> Option<usize> {
    match *bytes {
        [] | [0x10 | 0x1B | 0x1C | 0x1D] => None,
        [0x10, 0x04 | 0x05, ..] => Some(3),
        [0x10, 0x14, ..] => Some(5),
        [0x1B, name, ..] => escape(name, bytes),
        [0x1C, name, ..] => Some(match name {
            0x26 | 0x2E => 2,
            0x53 | 0x70 => 4,
            0x28 => return with_length(bytes),
            _ => 3,
        }),
        [0x1D, name, ..] => group(name, bytes),
        [0x81..=0xFE, ..] if chinese => match *bytes {
            // The second byte of a four-byte character is a digit.
            [_, 0x30..=0x39, ..] => Some(4),
            [_, _, ..] => Some(2),
            _ => None,
        },
        _ => Some(1),
    }
}

fn escape(name: u8, bytes: &[u8]) -> Option<usize> {
    Some(match name {
        0x0C | 0x32 | 0x3C | 0x40 | 0x4C | 0x53 | 0x69 | 0x6D | 0x76 => 2,
        0x24 | 0x5C | 0x63 => 4,
        0x70 => 5,
        0x57 => 10,
        0x28 => return with_length(bytes),
        // A picture in columns: its density, the number of columns.
        0x2A => {
            let (density, low, high) = (*bytes.get(2)?, *bytes.get(3)?, *bytes.get(4)?);
            let per_column = if density >= 32 { 3 } else { 1 };
            5 + per_column * usize::from(u16::from_le_bytes([low, high]))
        }
        // Tabulators, up to a NUL.
        0x44 => return up_to_nul(bytes, 2),
        _ => 3,
    })
}

fn group(name: u8, bytes: &[u8]) -> Option<usize> {
    Some(match name {
        0x3A => 2,
        0x24 | 0x4C | 0x50 | 0x57 | 0x5C => 4,
        0x76 => 8,
        0x28 => return with_length(bytes),
        0x38 => {
            let length = [*bytes.get(3)?, *bytes.get(4)?, *bytes.get(5)?, *bytes.get(6)?];
            7 + usize::try_from(u32::from_le_bytes(length)).ok()?
        }
        0x2A => 4 + usize::from(*bytes.get(2)?) * usize::from(*bytes.get(3)?) * 8,
        0x56 => match bytes.get(2)? {
            0x41 | 0x42 | 0x61 | 0x62 | 0x67 | 0x68 => 4,
            _ => 3,
        },
        // A bar code: closed by NUL in the old form, with a length in the new.
        0x6B if *bytes.get(2)? <= 6 => return up_to_nul(bytes, 3),
        0x6B => 4 + usize::from(*bytes.get(3)?),
        _ => 3,
    })
}

/// Commands of the form `GS ( x pL pH …`.
fn with_length(bytes: &[u8]) -> Option<usize> {
    let (low, high) = (*bytes.get(3)?, *bytes.get(4)?);
    Some(5 + usize::from(u16::from_le_bytes([low, high])))
}

fn up_to_nul(bytes: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.iter().position(|byte| *byte == 0).map(|at| from + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{hex, list, load};

    #[test]
    fn every_listed_command_is_as_long_as_its_example() {
        let vectors = load("escpos.json");
        let mut count = 0;
        for example in list(&vectors, "commands").iter().filter_map(|command| command["example"].as_str()) {
            let bytes = hex(example);
            // The example of a picture has its data behind the head, which the printer takes row by row.
            let expected = if bytes.starts_with(&[0x1D, 0x76]) { 8 } else { bytes.len() };
            let more = [&bytes[..], &[0x41; 8]].concat();
            assert_eq!(command_length(&more, true), Some(expected), "{example}");
            for short in 1..expected.min(bytes.len()) {
                let known = command_length(&bytes[..short], true);
                assert!(known.is_none_or(|length| length > short), "{example} cut to {short}");
            }
            count += 1;
        }
        assert!(count > 25, "{count}");
        for part in list(&vectors["qr_sample"], "parts") {
            let bytes = hex(part.as_str().unwrap());
            assert_eq!(command_length(&bytes, false), Some(bytes.len()));
        }
    }

    #[test]
    fn characters_are_one_two_or_four_bytes() {
        assert_eq!(command_length(b"A", true), Some(1));
        assert_eq!(command_length(&[0xB6], true), None);
        assert_eq!(command_length(&[0xB6, 0xAB], true), Some(2));
        assert_eq!(command_length(&[0x95, 0x34], true), Some(4));
        assert_eq!(command_length(&[0xB6, 0xAB], false), Some(1));
    }
}
