//! How a case is getting on, as its page shows it. The words stand in the markup, in every language.

use super::lines;
use kiosk_core::calendar;
use kiosk_core::session::{CaseStatus, CaseStep};
use kiosk_core::settings::Language;
use kiosk_ui as ui;

/// The status as the markup knows it.
pub fn status(status: CaseStatus) -> ui::CaseStatus {
    match status {
        CaseStatus::PreReview => ui::CaseStatus::PreReview,
        CaseStatus::Accepted => ui::CaseStatus::Accepted,
        CaseStatus::SupplementRequested => ui::CaseStatus::SupplementRequested,
        CaseStatus::Returned => ui::CaseStatus::Returned,
        CaseStatus::Closed => ui::CaseStatus::Closed,
    }
}

/// One step: when, where to, and why.
pub fn step(step: &CaseStep, language: Language) -> ui::CaseStep {
    ui::CaseStep {
        status: status(step.status),
        at: minute(step.at_ms, language).into(),
        reason: step.reason.as_str().into(),
        note: step.note.expose().as_str().into(),
    }
}

/// A minute in China, as people of the language write it.
pub fn minute(at_ms: i64, language: Language) -> String {
    let minute = calendar::minute_in_china(at_ms);
    let clock = minute.split_once(' ').map_or("", |(_, clock)| clock);
    format!("{} {clock}", lines::day(calendar::day_in_china(at_ms), language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_dated_as_people_write_it() {
        let told = CaseStep {
            status: CaseStatus::Accepted,
            at_ms: 1_795_327_500_000,
            reason: "complete".into(),
            note: "请等候".into(),
        };
        assert_eq!(step(&told, Language::ZhHans).at, "2026年11月22日 14:05");
        assert_eq!(step(&told, Language::En).at, "2026-11-22 14:05");
        assert_eq!(step(&told, Language::En).note, "请等候");
    }
}
