//! The HTML of the city's pages. Every value is escaped on its way in.

use std::fmt::{self, Display, Write};

use service_catalog::Catalog;
use time::macros::{format_description, offset};
use time::{Duration, OffsetDateTime};

use crate::store::{Conflict, Counts, DeadLetterReason, Found, InboxRow, Kind, MaskedPerson, Status};

/// The operators' page around its changing part.
pub(crate) fn inbox(part: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="zh-Hans">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>城市网关 · 收件箱</title>
<link rel="stylesheet" href="/assets/city.css">
</head>
<body>
<header>
<div class="mark" aria-hidden="true">莞</div>
<div><h1>城市网关 · 收件箱</h1><p>自助终端送达的办件。个人信息已隐去，完整内容保持加密。</p></div>
<span id="live" class="live" role="status">实时更新</span>
</header>
<main>
<div id="part">{part}</div>
<footer>仅限本机访问。时间均为北京时间。</footer>
</main>
<script src="/assets/inbox.js"></script>
</body>
</html>
"#
    )
}

/// What changes: the counts and the lines.
pub(crate) fn inbox_part(
    catalog: &Catalog,
    counts: Counts,
    rows: &[InboxRow],
    more: bool,
    older: bool,
) -> String {
    let mut html = String::with_capacity(1024 + rows.len() * 512);
    html.push_str(r#"<dl class="counts">"#);
    for (label, count, look) in [
        ("等待开启", counts.waiting, false),
        ("已开启", counts.opened, false),
        ("需人工处理", counts.dead_letters, counts.dead_letters > 0),
        ("已隔离", counts.quarantined, counts.undecided > 0),
    ] {
        let class = if look { "look" } else { "" };
        push(&mut html, format_args!(r#"<div class="{class}"><dt>{label}</dt><dd>{count}</dd></div>"#));
    }
    html.push_str("</dl>");
    if rows.is_empty() {
        html.push_str(
            r#"<div class="sheet empty"><strong>还没有办件</strong>终端连上网络后，办件会自动出现在这里。</div>"#,
        );
    } else {
        html.push_str(
            r#"<div class="sheet"><table><thead><tr><th scope="col">收到时间</th><th scope="col">办件编号</th><th scope="col">事项</th><th scope="col">申请人</th><th scope="col">状态</th><th scope="col">终端</th></tr></thead><tbody>"#,
        );
        for row in rows {
            line(&mut html, catalog, row);
        }
        html.push_str("</tbody></table></div>");
    }
    html.push_str(r#"<nav aria-label="翻页">"#);
    if older {
        html.push_str(r#"<a href="/city/">回到最新</a>"#);
    }
    if let Some(last) = rows.last().filter(|_| more) {
        push(&mut html, format_args!(r#"<a href="/city/?before={}">更早的办件</a>"#, last.id));
    }
    html.push_str("</nav>");
    html
}

fn line(html: &mut String, catalog: &Catalog, row: &InboxRow) {
    let item = catalog.item(&row.item).map_or(row.item.as_str(), |item| item.title.zh_hans.as_str());
    let kind = match row.kind {
        Kind::Case => "办件",
        Kind::Rating => "好差评",
        Kind::Void => "作废",
    };
    push(
        html,
        format_args!(
            r#"<tr><td class="time">{}</td><td class="code">{}</td><td>{}<span class="sub">{kind}{}</span></td><td>{}</td><td><span class="badge {}">{}</span>{}</td><td class="code">{}<span class="sub">第 {} 件</span></td></tr>"#,
            Beijing(row.received_at_ms),
            Escaped(&row.case_number),
            Escaped(item),
            Stars(row),
            Person(&row.status),
            row.status.as_str(),
            status_label(&row.status),
            Why(&row.status),
            Escaped(&row.place.terminal),
            row.place.seq,
        ),
    );
}

/// The public page: found or not, in Chinese and English.
pub(crate) fn verification(catalog: &Catalog, found: Option<&Found>) -> String {
    let body = match found {
        None => UNKNOWN.to_owned(),
        Some(found) => {
            let title = catalog.item(&found.item).map(|item| &item.title);
            format!(
                r#"<div class="sign" aria-hidden="true">✓</div>
<h1>政府已收到此办件</h1><h2 lang="en">The city has received this request</h2>
<dl>
<div><dt>办件编号 · <span lang="en">Case number</span></dt><dd class="code">{}</dd></div>
<div><dt>事项 · <span lang="en">Service</span></dt><dd>{}<span lang="en">{}</span></dd></div>
<div><dt>收到时间（北京时间） · <span lang="en">Received (Beijing time)</span></dt><dd>{}</dd></div>
</dl>
<p>此页只证明办件已送达，不显示任何个人信息。<br><span lang="en">This page only confirms delivery. It shows no personal data.</span></p>"#,
                Escaped(&found.case_number),
                Escaped(title.map_or(found.item.as_str(), |title| &title.zh_hans)),
                Escaped(title.map_or("", |title| &title.en)),
                Beijing(found.received_at_ms),
            )
        }
    };
    format!(
        r#"<!doctype html>
<html lang="zh-Hans">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>办件核验 · Receipt check</title>
<link rel="stylesheet" href="/assets/city.css">
</head>
<body><main class="slip"><section>{body}</section></main></body>
</html>
"#
    )
}

/// The page that says what is true of a document, around its changing part.
pub(crate) fn document_page(body: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="zh-Hans">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>证明核验 · Document check</title>
<link rel="stylesheet" href="/assets/city.css">
</head>
<body><main class="slip"><section>{body}</section></main></body>
</html>
"#
    )
}

const UNKNOWN: &str = r#"<div class="sign unknown" aria-hidden="true">?</div>
<h1>暂时没有找到这个核验码</h1><h2 lang="en">This code is not known here yet</h2>
<p>如果您刚在自助终端办理，办件可能还在等待网络送达，请保留回执，稍后再扫码查看。已打印回执的办件不会丢失。</p>
<p lang="en">If you have just used a kiosk, your request may still be waiting for the network. Please keep the receipt and scan again later. A request with a printed receipt is not lost.</p>"#;

pub(crate) fn status_label(status: &Status) -> &'static str {
    match status {
        Status::Received => "等待开启",
        Status::Incomplete => "附件未齐",
        Status::Opened { .. } => "已开启",
        Status::DeadLetter { .. } => "需人工处理",
        Status::Quarantined(_) => "已隔离",
    }
}

/// The reason under a status.
pub(crate) struct Why<'a>(pub(crate) &'a Status);

impl Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Status::Received | Status::Incomplete | Status::Opened { .. } => Ok(()),
            Status::DeadLetter { reason, detail } => {
                let why = match reason {
                    DeadLetterReason::NotOpenable => "无法解密",
                    DeadLetterReason::Unreadable => "内容无法读取",
                    DeadLetterReason::OtherRecord => "内容与清单不符",
                    DeadLetterReason::UnknownItem => "目录中没有此事项或版本",
                    DeadLetterReason::WrongAnswers => "填写内容不符合表单",
                    DeadLetterReason::OpenerFault => "开启程序出错",
                    DeadLetterReason::LostAtTerminal => "终端丢失，位置已作废",
                    DeadLetterReason::NoSuchCase => "所补（撤）的办件还没有收到，收到后自动处理",
                    DeadLetterReason::WrongCode => "所补（撤）办件的校验码不对",
                };
                write!(f, r#"<span class="sub">{why}"#)?;
                if let Some(detail) = detail {
                    write!(f, "：{}", Escaped(detail))?;
                }
                f.write_str("</span>")
            }
            Status::Quarantined(conflict) => {
                let why = match conflict {
                    Conflict::OtherContent => "同一编号，内容或位置不同",
                    Conflict::PlaceTaken => "同一序号已有另一办件",
                    Conflict::OtherManifest => "同一内容，清单不同",
                    Conflict::Revoked => "终端或其证书已被吊销",
                    Conflict::Unlisted => "终端证书未登记",
                };
                write!(f, r#"<span class="sub">{why}</span>"#)
            }
        }
    }
}

/// The stars of a rating, after its kind.
struct Stars<'a>(&'a InboxRow);

impl Display for Stars<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.kind, &self.0.status) {
            (Kind::Rating, Status::Opened { summary, .. }) => write!(f, " {}", Escaped(summary)),
            _ => Ok(()),
        }
    }
}

/// The masked person.
struct Person<'a>(&'a Status);

impl Display for Person<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Status::Opened { person: Some(MaskedPerson { name, number, phone }), .. } = self.0 else {
            return f.write_str("—");
        };
        write!(f, "{}", Escaped(name.as_deref().unwrap_or("—")))?;
        for part in [number, phone].into_iter().flatten() {
            write!(f, r#"<span class="sub code">{}</span>"#, Escaped(part))?;
        }
        Ok(())
    }
}

/// A moment in Beijing time.
pub(crate) struct Beijing(pub(crate) i64);

impl Display for Beijing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = OffsetDateTime::UNIX_EPOCH
            .checked_add(Duration::milliseconds(self.0))
            .and_then(|moment| moment.checked_to_offset(offset!(+8)));
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        match moment.and_then(|moment| moment.format(&format).ok()) {
            Some(text) => f.write_str(&text),
            None => f.write_str("—"),
        }
    }
}

/// A value as HTML text or attribute.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

pub(crate) fn push(html: &mut String, arguments: fmt::Arguments<'_>) {
    html.write_fmt(arguments).expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_beijing_times_and_never_fail() {
        assert_eq!(Beijing(1_795_327_500_000).to_string(), "2026-11-22 14:05:00");
        assert_eq!(Beijing(i64::MAX).to_string(), "—");
        assert_eq!(Beijing(i64::MIN).to_string(), "—");
    }

    #[test]
    fn values_are_escaped() {
        assert_eq!(Escaped("<b a='\"'>&").to_string(), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }
}
