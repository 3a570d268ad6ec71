//! Rules for program text: Rust most of all, and the length of every file a person edits.

use super::Finding;
use super::files::TextFile;
use super::rust_text::code_only;

/// No file is longer.
const LINES_MAX: usize = 500;
/// From here on it is worth thinking about.
const LINES_MANY: usize = 400;
/// What is program text.
const PROGRAM_TEXT: [&str; 6] = ["rs", "slint", "js", "mjs", "ts", "sh"];

/// Files that call foreign code, or hold what the compiler knows no owner of, and may therefore say `unsafe`.
const MAY_BE_UNSAFE: [&str; 10] = [
    "chinese-input/src/handwriting/zinnia_calls.rs",
    "chinese-input/src/rime/calls.rs",
    "city-gateway/src/heap.rs",
    "device-drivers/src/camera/driver/v4l2_calls.rs",
    "device-drivers/src/code_scanner/grab.rs",
    "device-drivers/src/watchdog/timeout_call.rs",
    "device-host/src/inherited.rs",
    "device-host/src/plugin.rs",
    "kiosk-documents/src/mapped_file.rs",
    "tests/powercut/src/vfs.rs",
];

/// A word that may not stand in code, with the reason.
struct Banned {
    /// Put together from two halves, so that this file does not hold it.
    word: &'static str,
    why: &'static str,
}

const UNFINISHED: &str = "unfinished work is an issue with a number, not a remark that nobody reads";
const HONEST_TESTS: &str = "a test that is not run, or that passes on any panic, proves nothing";

/// Words in code, anywhere.
const IN_CODE: &[Banned] = &[
    Banned { word: "todo!", why: UNFINISHED },
    Banned { word: "unimplemented!", why: UNFINISHED },
    Banned { word: concat!("#[", "ignore"), why: HONEST_TESTS },
    Banned { word: concat!("#[", "should_panic"), why: HONEST_TESTS },
];

/// Words in comments, strings or code.
const ANYWHERE: &[Banned] = &[
    Banned { word: concat!("FIX", "ME"), why: UNFINISHED },
    Banned { word: concat!("TO", "DO"), why: UNFINISHED },
];

const PURE: &str =
    "the core is pure: time, chance and the outside world come in as events and go out as effects";

/// What the core may not name.
const NOT_IN_CORE: [&str; 15] = [
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "std::io",
    "Instant::now",
    "SystemTime",
    "now_utc",
    "now_local",
    "rand::",
    "async fn",
    "println!",
    "eprintln!",
    "thread_local!",
];
/// The same modules inside `use std::{…}`.
const NOT_IN_CORE_STD: [&str; 6] = ["fs", "net", "thread", "env", "process", "io"];

/// Every rule about one file's program text.
pub fn check(file: &TextFile) -> Vec<Finding> {
    if !file.has_extension(&PROGRAM_TEXT) {
        return Vec::new();
    }
    let mut findings: Vec<Finding> = length(file).into_iter().collect();
    findings.extend(words(file, &file.text, ANYWHERE));
    if !file.has_extension(&["rs"]) {
        return findings;
    }
    if !file.text.starts_with("//!") {
        let why = "the first line of a file says what it holds, so that the tree of files is a map";
        findings.push(Finding::new(&file.path, "does not start with a `//!` comment", why));
    }
    let code = code_only(&file.text);
    findings.extend(words(file, &code, IN_CODE));
    findings.extend(unsafe_code(file, &code));
    findings.extend(private(file, &code));
    if file.path.starts_with("kiosk-core/src/") {
        findings.extend(core(file, without_tests(file, &code)));
    }
    findings
}

fn length(file: &TextFile) -> Option<Finding> {
    let lines = file.text.lines().count();
    if lines <= LINES_MANY {
        return None;
    }
    let why = "a file that cannot be read in one sitting holds more than one thing";
    let mut finding = Finding::new(&file.path, format!("{lines} lines (at most {LINES_MAX})"), why);
    finding.mild = lines <= LINES_MAX;
    Some(finding)
}

fn words(file: &TextFile, text: &str, banned: &[Banned]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for Banned { word, why } in banned {
            if has_word(line, word) {
                findings.push(Finding::new(file.line(at + 1), format!("`{word}`"), why));
            }
        }
    }
    findings
}

/// Whether the word stands there by itself and not inside a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let starts = !line[..at].chars().next_back().is_some_and(part_of_name)
            || !word.chars().next().is_some_and(part_of_name);
        let ends = !line[at + word.len()..].chars().next().is_some_and(part_of_name)
            || !word.chars().next_back().is_some_and(part_of_name);
        starts && ends
    })
}

fn unsafe_code(file: &TextFile, code: &str) -> Vec<Finding> {
    if MAY_BE_UNSAFE.contains(&file.path.as_str()) {
        return Vec::new();
    }
    let why = "what the compiler cannot check is read by two people and listed in xtask/src/tidy/sources.rs";
    code.lines()
        .enumerate()
        .filter(|(_, line)| {
            has_word(line, "unsafe")
                || has_word(line, "allow(unsafe_code)")
                || has_word(line, "expect(unsafe_code)")
        })
        .map(|(at, _)| Finding::new(file.line(at + 1), "`unsafe` outside the listed files", why))
        .collect()
}

/// What would let a private value out by accident.
fn private(file: &TextFile, code: &str) -> Vec<Finding> {
    let why =
        "personal data leaves `Private` by one named method that can be searched for, never by formatting";
    let mut findings = Vec::new();
    for (at, line) in code.lines().enumerate() {
        for leak in ["Display", "ToString", "Serialize", "Deref"] {
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            if line.starts_with("impl") && line.contains(&format!("{leak} for Private")) {
                findings.push(Finding::new(file.line(at + 1), format!("`{leak}` for `Private`"), why));
            }
        }
    }
    findings
}

/// The code up to the tests, which may read files: published numbers, for instance.
fn without_tests<'a>(file: &TextFile, code: &'a str) -> &'a str {
    let only_tests = file.path.ends_with("/tests.rs") || file.path.ends_with("_tests.rs");
    let inline = code.match_indices("#[cfg(test)]").find(|(at, mark)| {
        let rest = code[at + mark.len()..].trim_start();
        rest.starts_with("mod ") && rest.find('{') < rest.find(';').or(Some(usize::MAX))
    });
    if only_tests { "" } else { inline.map_or(code, |(at, _)| &code[..at]) }
}

fn core(file: &TextFile, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in code.lines().enumerate() {
        for word in NOT_IN_CORE {
            if has_word(line, word) {
                findings.push(Finding::new(file.line(at + 1), format!("`{word}` in the core"), PURE));
            }
        }
    }
    for (at, _) in code.match_indices("std::{") {
        let group = &code[at + "std::{".len()..];
        let group = &group[..group.find(';').unwrap_or(group.len())];
        let number = code[..at].lines().count().max(1);
        let modules = group.split([',', '{', '}']).filter_map(|item| item.trim().split("::").next());
        for module in modules.filter(|module| NOT_IN_CORE_STD.contains(module)) {
            findings.push(Finding::new(file.line(number), format!("`std::{module}` in the core"), PURE));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&TextFile::new(path, text)).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_good_file_has_no_findings() {
        let text = "//! What it holds.\n\n/// Reads todo! from a string.\nfn f() -> &'static str {\n    \"unsafe\"\n}\n";
        assert_eq!(findings("kiosk-core/src/good.rs", text), [""; 0]);
        assert_eq!(findings("docs/notes.md", &"unsafe\n".repeat(900)), [""; 0]);
    }

    #[test]
    fn a_file_must_say_what_it_holds() {
        assert_eq!(findings("a/src/b.rs", "fn main() {}\n"), ["does not start with a `//!` comment"]);
    }

    #[test]
    fn length_is_noted_and_then_refused() {
        let of = |lines| check(&TextFile::new("a/src/b.rs", &"//!\n".repeat(lines)));
        assert!(of(400).is_empty());
        assert!(of(401)[0].mild);
        assert!(!of(501)[0].mild);
    }

    #[test]
    fn unfinished_work_and_hollow_tests_are_found() {
        for line in [
            "todo!()",
            "unimplemented!(\"x\")",
            concat!("#[", "ignore]"),
            concat!("#[", "should_panic(expected = \"x\")]"),
            concat!("// FIX", "ME: later"),
            concat!("// TO", "DO later"),
        ] {
            assert_eq!(findings("a/src/b.rs", &format!("//! x\n{line}\n")).len(), 1, "{line}");
        }
        assert_eq!(findings("a/page.js", concat!("// TO", "DO\n")).len(), 1);
        assert_eq!(findings("a/src/b.rs", concat!("//! x\nconst TO", "DOS: u8 = 1;\n")), [""; 0]);
    }

    #[test]
    fn unsafe_is_found_even_when_allowed_locally() {
        assert_eq!(findings("a/src/b.rs", "//! x\nunsafe { f() }\n").len(), 1);
        assert_eq!(findings("a/src/b.rs", "//! x\n#![allow(unsafe_code)]\n").len(), 1);
        assert_eq!(findings("a/src/b.rs", "//! x\n#![forbid(unsafe_code)]\n").len(), 0);
    }

    #[test]
    fn the_core_may_not_reach_out() {
        for line in [
            "use std::fs::File;",
            "use std::{collections::BTreeMap, net};",
            "use std::{\n    fmt,\n    thread::sleep,\n};",
            "let now = std::time::Instant::now();",
            "use std::time::SystemTime;",
            "let x = rand::random();",
            "let t = OffsetDateTime::now_utc();",
        ] {
            let text = format!("//! x\n{line}\n");
            assert_eq!(findings("kiosk-core/src/b.rs", &text).len(), 1, "{line}");
            assert_eq!(findings("kiosk-app/src/b.rs", &text), [""; 0], "{line}");
        }
        let test = "//! x\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert_eq!(findings("kiosk-core/src/b.rs", test), [""; 0]);
        let elsewhere = "//! x\n#[cfg(test)]\nmod tests;\nuse std::fs::File;\nfn f() {}\n";
        assert_eq!(findings("kiosk-core/src/b.rs", elsewhere).len(), 1);
        let text = "//! x\nuse std::{fmt, time::Duration};\nlet operand::x = brand::y;\n";
        assert_eq!(findings("kiosk-core/src/b.rs", text), [""; 0]);
    }

    #[test]
    fn private_values_have_no_way_out_by_accident() {
        for line in [
            "impl<T> fmt::Display for Private<T> {",
            "impl<T: Serialize> Serialize for Private<T> {",
            "impl<T> std::ops::Deref  for  Private<T> {",
        ] {
            assert_eq!(findings("kiosk-core/src/b.rs", &format!("//! x\n{line}\n")).len(), 1, "{line}");
        }
        assert_eq!(findings("kiosk-core/src/b.rs", "//! x\nimpl<T> fmt::Debug for Private<T> {\n"), [""; 0]);
    }
}
