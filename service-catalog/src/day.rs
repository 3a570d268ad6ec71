//! Days of the calendar: reading them, and the limits that a date question sets.

use std::fmt;
use time::{Date, Duration, Month, OffsetDateTime, UtcOffset};

/// China uses one time zone all year, so a fixed offset is exact and needs no zone database.
const CHINA_HOURS_AHEAD_OF_UTC: i8 = 8;
/// Relative limits reach at most this far: more is a slip of the pen, not a form.
const FURTHEST_DAYS: i32 = 36_600;

/// Parses `YYYY-MM-DD`; any other shape, or a day that does not exist, is `None`.
pub fn parse_day(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    if !(digits(0..4) && digits(5..7) && digits(8..10)) {
        return None;
    }
    let month = Month::try_from(text[5..7].parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(text[0..4].parse().ok()?, month, text[8..10].parse().ok()?).ok()
}

/// `YYYY-MM-DD`.
pub fn iso(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

/// The calendar day in China at a wall-clock time (milliseconds since 1970-01-01T00:00:00Z), `None`
/// beyond the calendar's range: a terminal's dead clock can say anything.
pub fn day_in_china(wall_ms: i64) -> Option<Date> {
    let offset = UtcOffset::from_hms(CHINA_HOURS_AHEAD_OF_UTC, 0, 0).ok()?;
    let utc = OffsetDateTime::from_unix_timestamp(wall_ms.div_euclid(1000)).ok()?;
    Some(utc.checked_to_offset(offset)?.date())
}

/// Full years between `birth` and `day`; `None` when the birth lies in the future.
pub(crate) fn age_on(birth: Date, day: Date) -> Option<u32> {
    let before_birthday = (u8::from(day.month()), day.day()) < (u8::from(birth.month()), birth.day());
    u32::try_from(day.year() - birth.year() - i32::from(before_birthday)).ok()
}

/// A limit of a date question, itself allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayLimit {
    /// This day.
    Fixed(Date),
    /// Today plus so many days (negative: before today).
    FromToday(i32),
}

impl DayLimit {
    /// The limit as a day. Beyond the calendar's range it stops at the calendar's end.
    pub fn on(self, today: Date) -> Date {
        match self {
            DayLimit::Fixed(day) => day,
            DayLimit::FromToday(days) => today.saturating_add(Duration::days(i64::from(days))),
        }
    }

    /// Reads `2026-01-31`, `today`, `today+30d` or `today-365d`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Some(rest) = text.strip_prefix("today") else {
            return parse_day(text).map(DayLimit::Fixed);
        };
        if rest.is_empty() {
            return Some(DayLimit::FromToday(0));
        }
        let (sign, days) = match rest.strip_suffix('d')?.split_at_checked(1)? {
            ("+", days) => (1, days),
            ("-", days) => (-1, days),
            _ => return None,
        };
        let plain = !days.is_empty() && days.len() <= 5 && days.bytes().all(|b| b.is_ascii_digit());
        let days: i32 = if plain { days.parse().ok()? } else { return None };
        (days <= FURTHEST_DAYS).then_some(DayLimit::FromToday(sign * days))
    }
}

impl fmt::Display for DayLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DayLimit::Fixed(day) => f.write_str(&iso(*day)),
            DayLimit::FromToday(0) => f.write_str("today"),
            DayLimit::FromToday(days) => write!(f, "today{days:+}d"),
        }
    }
}

/// Whether `day` lies between the limits, both included.
pub fn date_in_range(
    day: Date,
    not_before: Option<DayLimit>,
    not_after: Option<DayLimit>,
    today: Date,
) -> bool {
    not_before.is_none_or(|limit| limit.on(today) <= day)
        && not_after.is_none_or(|limit| day <= limit.on(today))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        parse_day(text).unwrap()
    }

    #[test]
    fn only_real_days_in_one_shape_are_read() {
        assert_eq!(iso(day("2024-02-29")), "2024-02-29");
        for bad in
            ["2026-02-29", "2026-13-01", "2026-1-01", "20260101", "+026-01-01", "２０２６-01-0", "", "今天"]
        {
            assert_eq!(parse_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn midnight_in_china_starts_the_day() {
        assert_eq!(day_in_china(1_795_363_199_999).map(iso).as_deref(), Some("2026-11-22"));
        assert_eq!(day_in_china(1_795_363_200_000).map(iso).as_deref(), Some("2026-11-23"));
        assert_eq!(day_in_china(i64::MAX), None);
    }

    #[test]
    fn limits_are_read_and_shown_the_same() {
        for good in ["today", "today+30d", "today-365d", "2020-01-01"] {
            assert_eq!(DayLimit::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "today+",
            "today+d",
            "today30d",
            "today+30",
            "today+-3d",
            "today-99999d",
            "tomorrow",
            "today+３d",
        ] {
            assert_eq!(DayLimit::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn both_limits_are_included() {
        let (first, last) = (DayLimit::parse("today-1d"), DayLimit::parse("today"));
        let today = day("2026-03-01");
        for (when, fits) in
            [("2026-02-27", false), ("2026-02-28", true), ("2026-03-01", true), ("2026-03-02", false)]
        {
            assert_eq!(date_in_range(day(when), first, last, today), fits, "{when}");
        }
        assert!(date_in_range(day("1900-01-01"), None, None, today));
    }

    #[test]
    fn age_counts_full_years() {
        let birth = day("1976-03-08");
        assert_eq!(age_on(birth, day("2026-03-07")), Some(49));
        assert_eq!(age_on(birth, day("2026-03-08")), Some(50));
        assert_eq!(age_on(birth, day("1976-03-07")), None);
    }
}
