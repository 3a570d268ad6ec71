//! Reads the JUnit report that nextest writes: as much of XML as that report uses, and no more.

use std::time::Duration;

/// One test as it ran.
#[derive(Debug, PartialEq, Eq)]
pub struct Case {
    /// The test program, such as `kiosk-tests::journeys`.
    pub binary: String,
    /// The test's name inside that program.
    pub name: String,
    /// How long it took.
    pub time: Duration,
    /// Whether it failed, for whatever reason: assertion, crash, time-out.
    pub failed: bool,
}

/// Every test in the report.
pub fn cases(report: &str) -> Vec<Case> {
    report.split("<testcase ").skip(1).map(case).collect()
}

/// One piece of the report: from the attributes of a test case up to the next one.
fn case(piece: &str) -> Case {
    let tag = &piece[..tag_end(piece)];
    Case {
        binary: attribute(tag, "classname"),
        name: attribute(tag, "name"),
        time: attribute(tag, "time").parse().map_or(Duration::ZERO, Duration::from_secs_f64),
        failed: piece.contains("<failure") || piece.contains("<error"),
    }
}

/// Where the opening tag ends: the first `>` outside quotes.
fn tag_end(piece: &str) -> usize {
    let mut quoted = false;
    for (at, character) in piece.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '>' if !quoted => return at,
            _ => {}
        }
    }
    piece.len()
}

fn attribute(tag: &str, name: &str) -> String {
    let key = format!("{name}=\"");
    let start = tag
        .match_indices(&key)
        .map(|(at, _)| at)
        .find(|&at| at == 0 || tag.as_bytes()[at - 1].is_ascii_whitespace());
    let Some(start) = start else { return String::new() };
    let value = &tag[start + key.len()..];
    let value = &value[..value.find('"').unwrap_or(value.len())];
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(value.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="3" failures="1" errors="0" time="0.5">
    <testsuite name="kiosk-core" tests="1" disabled="0" errors="0" failures="0">
        <testcase name="form::a_&lt;b&gt;" classname="kiosk-core" timestamp="2026-11-22T06:00:00Z" time="0.250"/>
    </testsuite>
    <testsuite name="kiosk-tests::crash" tests="2" disabled="0" errors="0" failures="1">
        <testcase name="says &quot;1 > 0&quot;" classname="kiosk-tests::crash" timestamp="2026" time="2">
            <failure type="test failure with exit code 101">thread panicked</failure>
        </testcase>
        <testcase name="times_out" classname="kiosk-tests::crash" time="60.5">
            <error type="test timeout"/>
        </testcase>
    </testsuite>
</testsuites>"#;

    #[test]
    fn a_report_is_read() {
        let cases = cases(REPORT);
        assert_eq!(cases.len(), 3);
        assert_eq!(cases[0].binary, "kiosk-core");
        assert_eq!(cases[0].name, "form::a_<b>");
        assert_eq!(cases[0].time, Duration::from_millis(250));
        assert!(!cases[0].failed);
        assert_eq!(cases[1].name, "says \"1 > 0\"");
        assert!(cases[1].failed && cases[2].failed);
    }

    #[test]
    fn an_empty_report_has_no_cases() {
        assert!(cases("<testsuites/>").is_empty());
    }
}
