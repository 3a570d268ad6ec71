//! What the variables of a UPS mean.

use std::str::FromStr;
use std::time::Duration;

use crate::ups::PowerState;

/// Characters of the longest name.
const MAX_NAME: usize = 64;
/// No battery lasts longer than a week.
const LONGEST_RUNTIME_S: f64 = 7.0 * 24.0 * 3600.0;

/// The name of a UPS in NUT's ups.conf: what may stand in a request without quotation marks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpsName(String);

/// A name that no UPS can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a UPS's name is 1 to 64 letters, digits, `-`, `_`, `.`")]
pub struct UpsNameError;

impl UpsName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UpsName {
    type Err = UpsNameError;

    fn from_str(name: &str) -> Result<UpsName, UpsNameError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let sound = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain);
        sound.then(|| UpsName(name.to_owned())).ok_or(UpsNameError)
    }
}

/// What `ups.status` (RFC 9271, 5.2) means, a list of words. `FSD`, and `LB` on battery, are the last minute;
/// `LB` on line is a battery that is being charged. `BYPASS` is power from the mains past the UPS, `OFF` and
/// `WAIT` say nothing.
pub fn power_state(status: &str) -> PowerState {
    let says = |word| status.split_whitespace().any(|said| said == word);
    if says("FSD") || (says("OB") && says("LB")) {
        PowerState::LowBattery
    } else if says("OB") {
        PowerState::OnBattery
    } else if says("OL") || says("BYPASS") {
        PowerState::OnLine
    } else {
        PowerState::Unknown
    }
}

/// Whether `ups.status` says that the battery should be replaced (`RB`).
pub fn replace_battery(status: &str) -> bool {
    status.split_whitespace().any(|said| said == "RB")
}

/// What `battery.charge` says: per cent, with or without decimals.
pub fn charge_percent(value: &str) -> Option<u8> {
    let percent = number(value)?;
    (percent <= 100.0).then_some(percent as u8)
}

/// What `battery.runtime` says: seconds, with or without decimals.
pub fn runtime(value: &str) -> Option<Duration> {
    let seconds = number(value)?;
    (seconds <= LONGEST_RUNTIME_S).then(|| Duration::from_secs(seconds as u64))
}

/// A number that is not negative, written with digits and at most one dot. Whatever else a UPS says is no
/// number.
fn number(value: &str) -> Option<f64> {
    let value = value.trim();
    let plain = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    value.parse::<f64>().ok().filter(|number| plain && number.is_finite())
}
