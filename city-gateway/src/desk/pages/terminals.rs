//! The fleet at a glance: whether the books agree, what waits, and which terminals need a look.

use std::fmt::{self, Display};

use sync_protocol::Ledger;

use super::layout::{self, Tab};
use crate::desk::sign_in::Signed;
use crate::pages::{Beijing, Escaped, push};
use crate::store::lives::{FleetSums, LastWord, Worry};

/// Looked at again by itself, so that it can stay open on a wall.
const AGAIN: &str = "<meta http-equiv=\"refresh\" content=\"30\">\n";

/// What is shown.
pub(crate) struct Shown {
    /// When, milliseconds since 1970.
    pub(crate) now_ms: i64,
    /// From where on a terminal is on the list.
    pub(crate) worry: Worry,
    /// All of them together.
    pub(crate) fleet: FleetSums,
    /// The list.
    pub(crate) worrying: Vec<LastWord>,
    /// Whether it is longer than shown.
    pub(crate) more: bool,
}

/// The page.
pub(crate) fn page(signed: &Signed, shown: &Shown) -> String {
    let mut html = String::with_capacity(4096 + shown.worrying.len() * 512);
    if shown.fleet.terminals == 0 {
        html.push_str(
            r#"<div class="sheet empty"><strong>还没有终端报到</strong>终端连上网络后，会自动出现在这里。</div>"#,
        );
    } else {
        ledger(&mut html, &shown.fleet);
        counts(&mut html, shown);
        list(&mut html, shown);
    }
    layout::page_with(signed, Tab::Terminals, "终端", AGAIN, &html)
}

/// Issued = received + waiting. What is on its way makes a difference for a moment; one that stays is for an engineer.
fn ledger(html: &mut String, fleet: &FleetSums) {
    let (class, words) = match (fleet.gap(), fleet.disagreeing) {
        (0, 0) => ("opened", "账目相符".to_owned()),
        (gap, 0) => {
            ("quarantined", format!("相差 {} 件，多为正在传送；持续不变时请查看", gap.unsigned_abs()))
        }
        (_, terminals) => ("dead_letter", format!("{terminals} 台终端账目不符，请查看下表")),
    };
    push(
        html,
        format_args!(
            r#"<section class="sheet ledger" aria-label="对账"><div class="sum"><div><b>{}</b><span>终端已办结</span></div><i>{}</i><div><b>{}</b><span>城市已收到</span></div><i>+</i><div><b>{}</b><span>终端待送达</span></div></div><span class="badge {class}">{words}</span></section>"#,
            fleet.ledger.issued,
            sign(fleet.ledger.issued, fleet.received, fleet.ledger.waiting),
            fleet.received,
            fleet.ledger.waiting,
        ),
    );
}

fn counts(html: &mut String, shown: &Shown) {
    let FleetSums { terminals, ledger, oldest_unacked_age_s_max: oldest, disagreeing, .. } = shown.fleet;
    html.push_str(r#"<dl class="counts">"#);
    for (label, value, look) in [
        ("终端", terminals.to_string(), false),
        ("最久未送达", Span(oldest).to_string(), oldest >= shown.worry.unacked_age_s),
        ("另行处理", format!("{} 件", ledger.side_lane), ledger.side_lane > 0),
        ("待送数据", Bytes(ledger.waiting_bytes).to_string(), false),
        ("账目不符", format!("{disagreeing} 台"), disagreeing > 0),
    ] {
        let class = if look { "look" } else { "" };
        push(html, format_args!(r#"<div class="{class}"><dt>{label}</dt><dd>{value}</dd></div>"#));
    }
    html.push_str("</dl>");
}

fn list(html: &mut String, shown: &Shown) {
    if shown.worrying.is_empty() {
        html.push_str(
            r#"<div class="sheet empty"><strong>没有需要查看的终端</strong>所有终端都在按时报到和送达。</div>"#,
        );
        return;
    }
    html.push_str(r#"<div class="sheet"><table><thead><tr><th scope="col">终端</th><th scope="col">需要查看的原因</th><th scope="col">已办结 = 已收到 + 待送达</th><th scope="col">最近报到</th><th scope="col">程序版本</th></tr></thead><tbody>"#);
    for word in &shown.worrying {
        line(html, shown, word);
    }
    html.push_str("</tbody></table></div>");
    if shown.more {
        html.push_str(r#"<p class="hint">只显示最需要查看的 50 台。</p>"#);
    }
}

fn line(html: &mut String, shown: &Shown, word: &LastWord) {
    push(html, format_args!(r#"<tr><td class="code">{}</td><td>"#, Escaped(&word.terminal)));
    for (class, reason) in reasons(shown, word) {
        push(html, format_args!(r#"<span class="badge {class}">{reason}</span> "#));
    }
    html.push_str("</td><td class=\"time\">");
    match (word.ledger, word.received) {
        (Some(ledger), Some(received)) => {
            let Ledger { issued, waiting, .. } = ledger;
            push(html, format_args!("{issued} {} {received} + {waiting}", sign(issued, received, waiting)));
        }
        _ => html.push('—'),
    }
    push(
        html,
        format_args!(
            r#"</td><td class="time">{}</td><td class="code">{}</td></tr>"#,
            Beijing(word.heard_at_ms),
            Escaped(&word.agent_version),
        ),
    );
}

fn reasons(shown: &Shown, word: &LastWord) -> Vec<(&'static str, String)> {
    let Worry { silent_since_ms, unacked_age_s, disk_used_percent } = shown.worry;
    let mut reasons = Vec::new();
    if word.disagreements >= 2 {
        reasons.push(("dead_letter", "账目不符".to_owned()));
    }
    if let Some(ledger) = word.ledger.filter(|ledger| ledger.side_lane > 0) {
        reasons.push(("dead_letter", format!("另行处理 {} 件", ledger.side_lane)));
    }
    if let Some(age) = word.oldest_unacked_age_s.filter(|age| *age >= unacked_age_s) {
        reasons.push(("quarantined", format!("{}未送达", Span(age))));
    }
    if word.heard_at_ms < silent_since_ms {
        let silent = u64::try_from((shown.now_ms - word.heard_at_ms) / 1000).unwrap_or(0);
        reasons.push(("quarantined", format!("{}未报到", Span(silent))));
    }
    if let Some(percent) = word.disk_used_percent.filter(|percent| *percent >= disk_used_percent) {
        reasons.push(("quarantined", format!("磁盘已用 {percent}%")));
    }
    reasons
}

/// Whether the books agree, as one writes it.
fn sign(issued: u64, received: u64, waiting: u64) -> char {
    if received.checked_add(waiting) == Some(issued) { '=' } else { '≠' }
}

/// A length of time in one unit.
struct Span(u64);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("无"),
            seconds @ 1..60 => write!(f, "{seconds} 秒"),
            seconds @ 60..3600 => write!(f, "{} 分钟", seconds / 60),
            seconds @ 3600..172_800 => write!(f, "{} 小时", seconds / 3600),
            seconds => write!(f, "{} 天", seconds / 86_400),
        }
    }
}

/// Bytes in one unit.
struct Bytes(u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        let (mut value, mut unit) = (self.0 as f64 / 1024.0, 0);
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        if self.0 == 0 { f.write_str("无") } else { write!(f, "{value:.1} {}", UNITS[unit]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_said_in_one_unit() {
        let spans = [0, 59, 60, 7200, 172_799, 172_800].map(|seconds| Span(seconds).to_string());
        assert_eq!(spans, ["无", "59 秒", "1 分钟", "2 小时", "47 小时", "2 天"]);
        let sizes = [0, 512, 1536, 3 << 30, u64::MAX].map(|bytes| Bytes(bytes).to_string());
        assert_eq!(sizes, ["无", "0.5 KiB", "1.5 KiB", "3.0 GiB", "16777216.0 TiB"]);
    }
}
