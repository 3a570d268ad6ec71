//! The life of a case as a pure table: which steps there are, why they are made, and what a note may say.

use crate::store::desk::CaseState;

/// Longest note, in characters. It is read on a kiosk's screen.
pub(crate) const NOTE_CHARS: usize = 200;

/// Why a step is made: a word for programs, words for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: &'static str,
    pub(crate) label: &'static str,
    /// Whether the resident needs more words than these.
    pub(crate) needs_note: bool,
}

/// The steps a case may take from a state. Returned and closed are the end.
pub(crate) fn next(from: CaseState) -> &'static [CaseState] {
    use CaseState::{Accepted, Closed, PreReview, Returned, SupplementRequested};
    match from {
        PreReview => &[Accepted, SupplementRequested, Returned],
        Accepted => &[Closed, SupplementRequested],
        SupplementRequested => &[Accepted, Returned],
        Returned | Closed => &[],
    }
}

/// The reasons there are for going to a state.
pub(crate) fn reasons(to: CaseState) -> &'static [Reason] {
    const fn plain(code: &'static str, label: &'static str) -> Reason {
        Reason { code, label, needs_note: false }
    }
    const fn noted(code: &'static str, label: &'static str) -> Reason {
        Reason { code, label, needs_note: true }
    }
    const ACCEPTED: &[Reason] = &[plain("complete", "材料齐全"), plain("supplemented", "补正后齐全")];
    const SUPPLEMENT: &[Reason] = &[
        noted("missing_material", "缺少材料"),
        noted("unclear_answer", "填写不清楚"),
        noted("supplement_other", "其他补正"),
    ];
    const RETURNED: &[Reason] = &[
        plain("out_of_scope", "不属本部门职责"),
        plain("duplicate", "重复提交"),
        plain("not_eligible", "不符合办理条件"),
        plain("overdue", "逾期未补正"),
        plain("withdrawn", "申请人撤回"),
        noted("returned_other", "其他原因退回"),
    ];
    const CLOSED: &[Reason] = &[
        plain("done", "已办好"),
        noted("refused", "不予办理"),
        plain("transferred", "已转有关单位办理"),
        plain("withdrawn", "申请人撤回"),
    ];
    match to {
        CaseState::PreReview => &[],
        CaseState::Accepted => ACCEPTED,
        CaseState::SupplementRequested => SUPPLEMENT,
        CaseState::Returned => RETURNED,
        CaseState::Closed => CLOSED,
    }
}

/// The reason with this word.
pub(crate) fn reason(to: CaseState, code: &str) -> Option<Reason> {
    reasons(to).iter().copied().find(|reason| reason.code == code)
}

/// What a reason is called, wherever it was given.
pub(crate) fn reason_label(code: &str) -> &'static str {
    // The resident's own doing, no operator's reason.
    if code == "supplied" {
        return "申请人补正";
    }
    CaseState::ALL.iter().find_map(|to| reason(*to, code)).map_or("—", |reason| reason.label)
}

/// What a state is called.
pub(crate) fn state_label(state: CaseState) -> &'static str {
    match state {
        CaseState::PreReview => "待预审",
        CaseState::Accepted => "已受理",
        CaseState::SupplementRequested => "待补正",
        CaseState::Returned => "已退回",
        CaseState::Closed => "已办结",
    }
}

/// Why a step is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Not from this state.
    NoSuchStep,
    /// Not for this step.
    NoSuchReason,
    /// The reason alone does not tell the resident what to do.
    NoteMissing,
    NoteTooLong,
    /// Something no screen shows.
    NoteUnprintable,
    /// What looks like somebody's number.
    NotePersonal,
}

/// Checks one step and returns its note as it will be kept.
pub(crate) fn check(from: CaseState, to: CaseState, code: &str, note: &str) -> Result<String, Unfit> {
    if !next(from).contains(&to) {
        return Err(Unfit::NoSuchStep);
    }
    let reason = reason(to, code).ok_or(Unfit::NoSuchReason)?;
    let note = note.split_whitespace().collect::<Vec<_>>().join(" ");
    if note.chars().count() > NOTE_CHARS {
        return Err(Unfit::NoteTooLong);
    }
    if note.chars().any(unprintable) {
        return Err(Unfit::NoteUnprintable);
    }
    if holds_personal_number(&note) {
        return Err(Unfit::NotePersonal);
    }
    if reason.needs_note && note.is_empty() {
        return Err(Unfit::NoteMissing);
    }
    Ok(note)
}

/// Control characters, and those that turn the direction of writing or take no room.
fn unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Whether a text holds what looks like a citizen's number or a mobile number, also when it is written in groups.
/// Offices have numbers that begin with 0, or are short.
pub(crate) fn holds_personal_number(text: &str) -> bool {
    let mut run = String::new();
    let mut found = false;
    let mut end = |run: &mut String| {
        let digits = run.trim_end_matches(['x', 'X']);
        let mobile = digits.strip_prefix("86").filter(|rest| rest.len() == 11).unwrap_or(digits);
        found |= digits.len() >= 15 || (mobile.len() == 11 && mobile.starts_with('1'));
        run.clear();
    };
    for character in text.chars() {
        // Digits of full width are digits too.
        let character = match character {
            '０'..='９' => char::from_digit(character as u32 - '０' as u32, 10).unwrap_or(character),
            other => other,
        };
        match character {
            '0'..='9' => run.push(character),
            'x' | 'X' if run.len() == 17 => run.push(character),
            ' ' | '-' | '－' | '+' | '·' | '.' | '_' => {}
            _ => end(&mut run),
        }
    }
    end(&mut run);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use CaseState::{Accepted, Closed, PreReview, Returned, SupplementRequested};

    #[test]
    fn the_table_of_steps() {
        let allowed = [
            (PreReview, Accepted),
            (PreReview, SupplementRequested),
            (PreReview, Returned),
            (Accepted, Closed),
            (Accepted, SupplementRequested),
            (SupplementRequested, Accepted),
            (SupplementRequested, Returned),
        ];
        for from in CaseState::ALL {
            for to in CaseState::ALL {
                let wanted = allowed.contains(&(*from, *to));
                assert_eq!(next(*from).contains(to), wanted, "{from:?} to {to:?}");
                let reason = reasons(*to).first().map_or("", |reason| reason.code);
                assert_eq!(check(*from, *to, reason, "说明").is_ok(), wanted, "{from:?} to {to:?}");
            }
        }
        // Every step has a reason, and every state but the last ones a way on.
        for (_, to) in allowed {
            assert!(!reasons(to).is_empty());
        }
    }

    #[test]
    fn one_word_means_one_thing() {
        let mut seen: Vec<Reason> = Vec::new();
        for reason in CaseState::ALL.iter().flat_map(|to| reasons(*to)) {
            let other = seen.iter().find(|other| other.code == reason.code);
            assert!(other.is_none_or(|other| other.label == reason.label), "{reason:?}");
            seen.push(*reason);
        }
    }

    #[test]
    fn notes_are_short_plain_and_about_nobody() {
        let note = |note: &str| check(PreReview, SupplementRequested, "missing_material", note);
        assert_eq!(note("  请补充\r\n居住证明  ").unwrap(), "请补充 居住证明");
        assert_eq!(note(" \n "), Err(Unfit::NoteMissing));
        assert_eq!(note(&"长".repeat(201)), Err(Unfit::NoteTooLong));
        assert!(note(&"长".repeat(200)).is_ok());
        assert_eq!(note("倒\u{202E}过来"), Err(Unfit::NoteUnprintable));
        for personal in [
            "身份证990001199001011234",
            "990001 19900101 123X",
            "电话13812341234",
            "+86 138-1234-1234",
            "１３８１２３４１２３４",
        ] {
            assert_eq!(note(personal), Err(Unfit::NotePersonal), "{personal}");
        }
        for office in
            ["请拨打 0769-22833333", "请打12345", "带3张1寸照片，2026年12月31日前", "文号〔2026〕128号"]
        {
            assert!(note(office).is_ok(), "{office}");
        }
        assert_eq!(check(PreReview, Accepted, "complete", "").as_deref(), Ok(""));
        assert_eq!(check(PreReview, Accepted, "done", ""), Err(Unfit::NoSuchReason));
    }
}
