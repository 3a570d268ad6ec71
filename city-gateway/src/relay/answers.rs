//! What a department's answer to a webhook means. Pure.

use std::time::Duration;

use time::PrimitiveDateTime;
use time::macros::format_description;

/// Longest wait that a department may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// What became of one sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The department has it.
    Delivered,
    /// Not now: the department cannot be reached, or says so itself.
    Later {
        /// How long it asks to wait.
        asked: Option<Duration>,
    },
    /// The department's server says that this one is wrong.
    Refused {
        /// In numbers or words without personal data.
        why: String,
    },
    /// It does not fit through.
    TooLarge,
}

/// By status and `Retry-After`. A redirect is not followed, because a case goes to the address that is configured and
/// to no other.
pub(crate) fn judge(status: u16, retry_after: Option<&str>, now_ms: i64) -> Verdict {
    match status {
        200..=299 => Verdict::Delivered,
        // Timeout, too early, too many: about the moment, not about the case.
        408 | 425 | 429 | 500..=599 => {
            Verdict::Later { asked: retry_after.and_then(|text| wait(text, now_ms)) }
        }
        413 => Verdict::TooLarge,
        _ => Verdict::Refused { why: format!("HTTP {status}") },
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3).
fn wait(text: &str, now_ms: i64) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds is a long wait too.
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(LONGEST_ASKED));
    }
    let form = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let date = PrimitiveDateTime::parse(text, form).ok()?.assume_utc();
    let ms = date.unix_timestamp().checked_mul(1000)?.checked_sub(now_ms)?;
    Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_what_they_mean() {
        for status in [200, 201, 202, 204] {
            assert_eq!(judge(status, None, 0), Verdict::Delivered);
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert_eq!(judge(status, None, 0), Verdict::Later { asked: None });
        }
        for status in [100, 301, 307, 400, 401, 404, 410, 422, 600] {
            assert_eq!(judge(status, Some("5"), 0), Verdict::Refused { why: format!("HTTP {status}") });
        }
        assert_eq!(judge(413, Some("5"), 0), Verdict::TooLarge);
    }

    #[test]
    fn a_wait_is_believed_within_limits() {
        let asked = |text| match judge(503, Some(text), 784_111_770_000) {
            Verdict::Later { asked } => asked.map(|wait| wait.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(asked("7"), Some(7));
        assert_eq!(asked(" 0 "), Some(0));
        assert_eq!(asked("99999999999999999999999999"), Some(3600));
        // The example of RFC 9110, seven seconds later.
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7));
        assert_eq!(asked("Tue, 06 Nov 1984 08:49:37 GMT"), Some(0));
        assert_eq!(asked("Mon, 06 Nov 2084 08:49:37 GMT"), Some(3600));
        for nonsense in ["", "-1", "soon", "1.5", "Sun, 06 Nov 1994"] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
    }
}
