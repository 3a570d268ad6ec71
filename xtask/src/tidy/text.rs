//! Rules for every text file: no path of somebody's machine, no real person's number.

use super::Finding;
use super::files::TextFile;

/// Places that exist on one machine only; in halves, so that this file does not hold them.
const ONE_MACHINE: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/t", "mp/"),
];

/// The area code that no place has, with which made-up people are numbered.
const MADE_UP_AREA: &str = "990001";
/// The example that the national standard prints (GB 11643): nobody's, and known to every reader. In
/// halves, so that this file does not hold it.
const STANDARDS_EXAMPLE: &str = concat!("110105", "19491231002X");
/// Published test data, with its own rules (see the folder).
const VECTORS: &str = "tests/vectors/";

/// Every rule about one file's text.
pub fn check(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        for path in ONE_MACHINE {
            if names_path(line, path) {
                let why = "a path of one machine means nothing on the next; take it from configuration or a temporary folder";
                findings.push(Finding::new(file.line(at + 1), format!("`{path}`"), why));
            }
        }
        if !file.path.starts_with(VECTORS) && has_real_number(line) {
            let why = "this could be a living person's number; made-up people have the area code 990001";
            findings.push(Finding::new(file.line(at + 1), "a resident ID number of a real area", why));
        }
    }
    findings
}

/// Whether the path starts there, and is not the tail of a longer path or address.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(|before| {
            before.is_alphanumeric() || matches!(before, '.' | '_' | '-' | '}' | ')' | '/' | '>' | '*')
        })
    })
}

/// Whether a valid resident ID number of any other area stands in the line.
fn has_real_number(line: &str) -> bool {
    line.split(|character: char| !character.is_ascii_alphanumeric())
        .any(|word| is_id_number(word) && !word.starts_with(MADE_UP_AREA) && word != STANDARDS_EXAMPLE)
}

/// 18 characters, a possible date of birth (1900 to 2098: later ones are made up as well), and the right check digit (GB 11643).
fn is_id_number(word: &str) -> bool {
    let bytes = word.as_bytes();
    if bytes.len() != 18 || !bytes[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = |from: usize, to: usize| word[from..to].parse::<u32>().unwrap_or(0);
    let plausible = (1900..2099).contains(&number(6, 10))
        && (1..=12).contains(&number(10, 12))
        && (1..=31).contains(&number(12, 14));
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = bytes.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    plausible && bytes[17] == b"10X98765432"[(sum % 11) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&TextFile::new(path, text)).len()
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        for path in ONE_MACHINE {
            assert_eq!(findings("a.toml", &format!("key = \"{path}x\"\n")), 1, "{path}");
            assert_eq!(findings("a.toml", &format!("see https://example.org{path}x\n")), 0, "{path}");
            assert_eq!(findings("a.toml", &format!("$HOME{path}x and ../a{path}\n")), 0, "{path}");
        }
    }

    #[test]
    fn a_number_of_a_real_area_is_found() {
        // A valid number of that area, in halves, with a birth that lies ahead.
        let number = concat!("110105", "209812310021");
        assert!(is_id_number(number));
        assert_eq!(findings("a.rs", &format!("let number = \"{number}\";")), 1);
        assert_eq!(findings("tests/vectors/a.json", number), 0);
        assert_eq!(findings("a.rs", &format!("{number}0")), 0, "a longer number");
        assert_eq!(findings("a.rs", concat!("110105", "209812310022")), 0, "a wrong check digit");
        assert_eq!(findings("a.rs", concat!("110105", "209912310029")), 0, "a birth in 2099");
        assert!(is_id_number(STANDARDS_EXAMPLE));
        assert_eq!(findings("a.rs", STANDARDS_EXAMPLE), 0);
        assert!(is_id_number("990001209812310016"));
        assert_eq!(findings("a.rs", "990001209812310016"), 0, "a made-up person");
    }
}
