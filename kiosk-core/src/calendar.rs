//! Days of the civil calendar in China, from the wall clock that an event carries.

pub use time::Date;
use time::{Month, OffsetDateTime, UtcOffset, Weekday};

/// China uses one time zone all year, so a fixed offset is exact and needs no zone database.
const CHINA_HOURS_AHEAD_OF_UTC: i8 = 8;

/// The calendar day in China at `wall_ms` (milliseconds since 1970-01-01T00:00:00Z). A clock beyond
/// the calendar's range (a dead battery can say anything) gives 1970-01-01.
pub fn day_in_china(wall_ms: i64) -> Date {
    china_time(wall_ms).date()
}

/// "2026-11-22 14:05" in China.
pub fn minute_in_china(wall_ms: i64) -> String {
    let now = china_time(wall_ms);
    format!("{} {:02}:{:02}", iso(now.date()), now.hour(), now.minute())
}

fn china_time(wall_ms: i64) -> OffsetDateTime {
    let offset = UtcOffset::from_hms(CHINA_HOURS_AHEAD_OF_UTC, 0, 0).unwrap_or(UtcOffset::UTC);
    OffsetDateTime::from_unix_timestamp(wall_ms.div_euclid(1000))
        .ok()
        .and_then(|utc| utc.checked_to_offset(offset))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Saturday or Sunday.
pub fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Parses the eight digits `YYYYMMDD` of a card; anything else, or a day that does not exist, is `None`.
pub fn from_compact(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    from_parts(text[0..4].parse().ok()?, text[4..6].parse().ok()?, text[6..8].parse().ok()?)
}

/// Parses `YYYY-MM-DD`.
pub fn from_iso(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' || !text.is_ascii() {
        return None;
    }
    from_compact(&[&text[0..4], &text[5..7], &text[8..10]].concat())
}

/// A day from its parts, if it exists.
pub fn from_parts(year: i32, month: u8, day: u8) -> Option<Date> {
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

/// `YYYY-MM-DD`.
pub fn iso(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// Full years between `birth` and `today`; `None` when the birth lies in the future.
pub fn age_on(birth: Date, today: Date) -> Option<u32> {
    let had_birthday = (today.month() as u8, today.day()) >= (birth.month() as u8, birth.day());
    u32::try_from(today.year() - birth.year() - i32::from(!had_birthday)).ok()
}

/// Moves a date by whole years, months and days; a day that the new month lacks becomes its last
/// (31 March − 1 month = 28 or 29 February). Out of the calendar's range the date stays.
pub fn moved(date: Date, years: i32, months: i32, days: i32) -> Date {
    let month_index = date.year() * 12 + i32::from(u8::from(date.month())) - 1 + years * 12 + months;
    let (year, month) = (month_index.div_euclid(12), month_index.rem_euclid(12) as u8 + 1);
    let in_month = (1..=date.day()).rev().find_map(|day| from_parts(year, month, day));
    in_month.and_then(|d| d.checked_add(time::Duration::days(i64::from(days)))).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn china_is_eight_hours_ahead() {
        // 2026-11-22T16:00:00Z is midnight of the 23rd in China.
        assert_eq!(iso(day_in_china(1_795_363_200_000)), "2026-11-23");
        assert_eq!(minute_in_china(1_795_363_199_000), "2026-11-22 23:59");
        assert_eq!(iso(day_in_china(i64::MAX)), "1970-01-01");
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        assert!(from_compact("20260230").is_none());
        assert!(from_compact("19000229").is_none());
        assert!(from_compact("20000229").is_some());
        assert!(from_compact("2026022").is_none());
        assert!(from_iso("2026-1-01").is_none());
        assert!(from_iso("２０２６-01").is_none());
    }

    #[test]
    fn age_counts_full_years() {
        let birth = from_compact("19460308").unwrap();
        assert_eq!(age_on(birth, from_compact("20260307").unwrap()), Some(79));
        assert_eq!(age_on(birth, from_compact("20260308").unwrap()), Some(80));
        assert_eq!(age_on(birth, from_compact("19450101").unwrap()), None);
    }

    #[test]
    fn stepping_stays_in_the_calendar() {
        let end_of_march = from_compact("20260331").unwrap();
        assert_eq!(iso(moved(end_of_march, 0, -1, 0)), "2026-02-28");
        assert_eq!(iso(moved(end_of_march, -2, -1, 0)), "2024-02-29");
        assert_eq!(iso(moved(end_of_march, 0, 0, 1)), "2026-04-01");
        assert_eq!(iso(moved(from_compact("20260115").unwrap(), 0, -1, 0)), "2025-12-15");
    }
}
