//! The life of a made-up person: age, work, the months that were paid. Everything is drawn from the number, each thing
//! under a name of its own, so that a new thing changes none of the others.

use sha2::{Digest, Sha256};
use time::{Date, Month};

/// Chosen so that the cards on the simulator's desk have lives worth looking at.
const DRAW: &str = "made-up people 95";
/// An area that exists nowhere.
const AREA: &str = "990001";
/// A birth from this year on is made up, and stands for one so many years earlier.
const MADE_UP_FROM: i32 = 2099;
const EARLIER: i32 = 120;
/// Registers of this kind did not exist before.
const FIRST_YEAR: i32 = 1998;

const EMPLOYERS: [&str; 8] = [
    "示例制鞋（东莞）有限公司",
    "样本电子科技有限公司",
    "虚构家具厂",
    "演示物流（东莞）有限公司",
    "示例村股份经济联合社",
    "样本毛织有限公司",
    "虚构餐饮管理有限公司",
    "示例社区幼儿园",
];

/// How somebody is insured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InsuredAs {
    Employee,
    OwnAccount,
    Resident,
}

/// What somebody does about the pension insurance now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pension {
    Paying,
    Paused,
    Drawing,
}

/// A month of the calendar, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CalendarMonth(i32);

impl CalendarMonth {
    pub(super) fn of(year: i32, month: u8) -> Self {
        Self(year * 12 + i32::from(month) - 1)
    }

    pub(super) fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    pub(super) fn since(self, earlier: Self) -> i32 {
        self.0 - earlier.0
    }

    pub(super) fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// `2026-11`.
    pub(super) fn text(self) -> String {
        format!("{:04}-{:02}", self.year(), self.0.rem_euclid(12) + 1)
    }
}

/// Work that is insured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) insured_as: InsuredAs,
    pub(super) pension: Pension,
    /// First and last month that was paid.
    pub(super) since: CalendarMonth,
    pub(super) until: CalendarMonth,
    /// Months in between in which nothing was paid: the first of them, and how many.
    gap: (CalendarMonth, i32),
    /// Pay that counts, in whole yuan, in the last month.
    pay: i64,
}

impl Work {
    /// Whether this month was paid.
    pub(super) fn paid(&self, month: CalendarMonth) -> bool {
        let (gap, long) = self.gap;
        (self.since..=self.until).contains(&month) && !(gap..gap.plus(long)).contains(&month)
    }

    /// How many months were paid.
    pub(super) fn months(&self) -> i32 {
        self.until.since(self.since) + 1 - self.gap.1
    }

    /// Pay that counts in a month, in fen: three in a hundred less for each year before the last.
    pub(super) fn pay_fen(&self, month: CalendarMonth) -> i64 {
        let years = i64::from(self.until.year() - month.year()).max(0);
        (self.pay * 100 / (100 + 3 * years)).max(1900) * 100
    }
}

/// A made-up person.
pub(super) struct Person {
    seed: [u8; 32],
    pub(super) today: Date,
    pub(super) age: i32,
    birth_year: i32,
    female: bool,
}

impl Person {
    /// The one with this number; `None` when it is nobody's here.
    pub(super) fn of(number: &str, today: Date) -> Option<Self> {
        if number.len() != 18 || !number.is_ascii() {
            return None;
        }
        let digits = |range: std::ops::Range<usize>| number[range].parse::<u16>().ok();
        let (written, month, day) = (i32::from(digits(6..10)?), digits(10..12)?, digits(12..14)?);
        let made_up = written >= MADE_UP_FROM;
        if !number.starts_with(AREA) && !made_up {
            return None;
        }
        let birth_year = if made_up { written - EARLIER } else { written };
        let had_birthday = (u16::from(u8::from(today.month())), u16::from(today.day())) >= (month, day);
        let age = today.year() - birth_year - i32::from(!had_birthday);
        let seed = Sha256::new_with_prefix(DRAW).chain_update(number).finalize().into();
        let female = digits(16..17)? % 2 == 0;
        (0..130).contains(&age).then_some(Self { seed, today, age, birth_year, female })
    }

    /// A number below `below`, always the same for the same thing.
    pub(super) fn draw(&self, what: &str, below: i64) -> i64 {
        let drawn = Sha256::new_with_prefix(self.seed).chain_update(what).finalize();
        let bytes = drawn.first_chunk::<8>().expect("32 bytes begin with 8");
        i64::try_from(u64::from_be_bytes(*bytes) % below.max(1).unsigned_abs()).expect("below an i64")
    }

    /// The month before this one: what is paid now is entered next month.
    pub(super) fn last_month(&self) -> CalendarMonth {
        CalendarMonth::of(self.today.year(), u8::from(self.today.month())).plus(-1)
    }

    /// Where somebody works, or worked last.
    pub(super) fn employer(&self, work: &Work) -> &'static str {
        match work.insured_as {
            InsuredAs::Employee => EMPLOYERS[self.draw("employer", EMPLOYERS.len() as i64) as usize],
            InsuredAs::OwnAccount => "本人（灵活就业，示例）",
            InsuredAs::Resident => "本人（城乡居民，示例）",
        }
    }

    /// Insured work, if there was any.
    pub(super) fn work(&self) -> Option<Work> {
        let insured_as = match self.draw("insured as", 100) {
            0..70 => InsuredAs::Employee,
            70..82 => InsuredAs::OwnAccount,
            82..93 => InsuredAs::Resident,
            _ => return None,
        };
        let began_at = 18 + self.draw("began at", 6) as i32;
        let began = self.birth_year + began_at;
        let since = CalendarMonth::of(began.max(FIRST_YEAR), 1 + self.draw("began in", 12) as u8);
        let retires_at = if self.female { 55 } else { 60 };
        let last = self.last_month();
        let retired = CalendarMonth::of(self.birth_year + retires_at, 6);
        let (pension, until) = if self.age >= retires_at && retired < last {
            (Pension::Drawing, retired)
        } else if self.draw("paused", 100) < 12 {
            (Pension::Paused, last.plus(-2 - self.draw("paused for", 30) as i32))
        } else {
            (Pension::Paying, last)
        };
        // Whoever was old when the register began has a few years of it at least.
        let since = if pension == Pension::Drawing { since.min(until.plus(-36)) } else { since };
        if since > until {
            return None;
        }
        let long = until.since(since);
        let gap = if long > 60 { self.draw("gap", 24) as i32 } else { 0 };
        let begins = since.plus(12 + self.draw("gap begins", 12) as i32);
        let pay = 3600 + 10 * self.draw("pay", 900);
        Some(Work { insured_as, pension, since, until, gap: (begins, gap), pay })
    }
}

/// The first day of a month, or a later one of it.
pub(super) fn day_in(year: i32, month: u8, day: u8) -> Option<Date> {
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}
