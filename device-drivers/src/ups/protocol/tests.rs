//! The lines that the real server wrote (NUT 2.8.0), the standard's examples, and bytes that nobody should
//! write.

use std::time::Duration;

use proptest::prelude::*;

use super::answer::quoted;
use super::*;
use crate::ups::PowerState;

fn variable(ups: &str, name: &str, value: &str) -> Option<Answer> {
    Some(Answer::Variable { ups: ups.into(), name: name.into(), value: value.into() })
}

#[test]
fn lines_of_the_real_server_are_understood() {
    for (line, answer) in [
        (r#"VAR kiosk ups.status "OB LB""#, variable("kiosk", "ups.status", "OB LB")),
        (r#"VAR kiosk battery.charge "7""#, variable("kiosk", "battery.charge", "7")),
        ("BEGIN LIST VAR kiosk", Some(Answer::ListBegins { ups: "kiosk".into() })),
        ("END LIST VAR kiosk", Some(Answer::ListEnds { ups: "kiosk".into() })),
        ("ERR DATA-STALE", Some(Answer::Error(ErrorCode::DataStale))),
        ("ERR DRIVER-NOT-CONNECTED", Some(Answer::Error(ErrorCode::DriverNotConnected))),
        ("ERR VAR-NOT-SUPPORTED", Some(Answer::Error(ErrorCode::VariableNotSupported))),
        ("ERR UNKNOWN-UPS", Some(Answer::Error(ErrorCode::UnknownUps))),
        ("ERR ACCESS-DENIED", Some(Answer::Error(ErrorCode::AccessDenied))),
        ("ERR UNKNOWN-COMMAND", Some(Answer::Error(ErrorCode::Other))),
        ("ERR ACCESS-DENIED and why", Some(Answer::Error(ErrorCode::AccessDenied))),
    ] {
        assert_eq!(Answer::parse(line), answer, "{line}");
    }
}

#[test]
fn marks_and_backslashes_are_taken_off() {
    let line = r#"VAR kiosk ups.model "A \"quoted\" \\ model""#;
    assert_eq!(Answer::parse(line), variable("kiosk", "ups.model", r#"A "quoted" \ model"#));
    assert_eq!(Answer::parse(r#"VAR kiosk ups.id """#), variable("kiosk", "ups.id", ""));
    assert_eq!(Answer::parse(r"VAR  kiosk	ups.id  a\ b"), variable("kiosk", "ups.id", "a b"));
}

#[test]
fn lines_that_mean_nothing_are_none() {
    for line in [
        "",
        "OK",
        "VAR",
        "VAR kiosk ups.status",
        "VAR kiosk ups.status \"OL",
        "VAR kiosk ups.status \"OL\\",
        "VAR kiosk ups.status \"OL\" more",
        "var kiosk ups.status \"OL\"",
        "BEGIN LIST VAR",
        "ERR",
    ] {
        assert_eq!(Answer::parse(line), None, "{line}");
    }
}

#[test]
fn each_status_has_its_state() {
    for (status, state) in [
        ("OL", PowerState::OnLine),
        ("OL CHRG", PowerState::OnLine),
        ("OL CHRG LB", PowerState::OnLine),
        ("OL BYPASS", PowerState::OnLine),
        ("BYPASS", PowerState::OnLine),
        ("ALARM OL RB", PowerState::OnLine),
        ("OB", PowerState::OnBattery),
        ("OB DISCHRG", PowerState::OnBattery),
        ("OB LB", PowerState::LowBattery),
        ("LB DISCHRG OB", PowerState::LowBattery),
        ("FSD OL", PowerState::LowBattery),
        ("FSD", PowerState::LowBattery),
        ("OFF", PowerState::Unknown),
        ("WAIT", PowerState::Unknown),
        ("", PowerState::Unknown),
        ("OBSCURE OLD", PowerState::Unknown),
    ] {
        assert_eq!(power_state(status), state, "{status}");
    }
    assert!(replace_battery("OL RB") && !replace_battery("OL RBX"));
}

#[test]
fn numbers_are_numbers_or_nothing() {
    for (value, percent) in [("100", Some(100)), ("85.7", Some(85)), ("0", Some(0)), (" 7 ", Some(7))] {
        assert_eq!(charge_percent(value), percent, "{value}");
    }
    for value in ["", "101", "-1", "+1", "1e2", "NaN", "inf", "1,5", ".", "1.2.3", "99999999999999999999"] {
        assert_eq!(charge_percent(value), None, "{value}");
    }
    assert_eq!(runtime("1800.00"), Some(Duration::from_secs(1800)));
    assert_eq!(runtime("604800"), Some(Duration::from_secs(604_800)));
    assert_eq!((runtime("604801"), runtime("soon")), (None, None));
}

#[test]
fn only_plain_names_are_taken() {
    for name in ["kiosk", "ups-1", "a.b_c", &"x".repeat(64)] {
        assert_eq!(name.parse::<UpsName>().unwrap().as_str(), name);
    }
    for name in ["", "two words", "\"kiosk\"", "kiosk\n", "机柜", &"x".repeat(65)] {
        assert!(name.parse::<UpsName>().is_err(), "{name}");
    }
}

fn lines<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Result<String, LineError>> {
    let mut decoder = LineDecoder::new();
    let mut found = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        found.extend(std::iter::from_fn(|| decoder.next_line()));
    }
    found
}

#[test]
fn a_line_that_is_too_long_is_thrown_away_and_the_next_is_read() {
    let longest = "x".repeat(MAX_LINE);
    let stream = format!("{longest}\n{longest}x\r\nOK\r\n{}\nOK\n", "y".repeat(5 * MAX_LINE));
    let expected = [
        Ok(longest),
        Err(LineError::TooLong),
        Ok("OK".to_owned()),
        Err(LineError::TooLong),
        Ok("OK".to_owned()),
    ];
    assert_eq!(lines([stream.as_bytes()]), expected);
    assert_eq!(lines(stream.as_bytes().chunks(1)), expected);
    assert_eq!(lines(stream.as_bytes().chunks(700)), expected);
}

proptest! {
    #[test]
    fn any_split_gives_the_same_lines(
        parts in prop::collection::vec(prop_oneof![
            3 => "[ -~]{0,40}\r?\n".prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 0..40),
            1 => (MAX_LINE - 2..MAX_LINE + 3).prop_map(|count| vec![b'z'; count]),
        ], 0..8),
        cuts in prop::collection::vec(any::<u16>(), 0..20),
    ) {
        let stream = parts.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) % (stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let whole = lines([stream.as_slice()]);
        prop_assert_eq!(&whole, &lines(pieces));
        prop_assert_eq!(&whole, &lines(stream.chunks(1)));
    }

    #[test]
    fn any_value_is_read_as_it_was_quoted(value in "\\PC{0,60}") {
        let line = format!("VAR kiosk ups.model {}", quoted(&value));
        prop_assert_eq!(Answer::parse(&line), variable("kiosk", "ups.model", &value));
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..3000), text in "\\PC{0,200}") {
        fuzz_decode(&bytes);
        let _ = (Answer::parse(&text), power_state(&text), charge_percent(&text), runtime(&text));
    }
}
