//! Records that could not be taken up.

use service_catalog::Catalog;

use super::inbox::item_title;
use super::layout::{self, Tab};
use crate::desk::sign_in::Signed;
use crate::pages::{Beijing, Escaped, Why, push, status_label};
use crate::store::InboxRow;

/// Which half is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    DeadLetters,
    Aside,
    Undelivered,
}

/// The three kinds of trouble, one of them lit. `waiting` counts what is kept aside and waits for a person.
pub(crate) fn kinds(html: &mut String, shown: Shown, waiting: u64) {
    html.push_str(r#"<nav class="states" aria-label="类别">"#);
    for (this, address, label) in [
        (Shown::DeadLetters, "/desk/troubles", "无法受理"),
        (Shown::Aside, "/desk/aside", "已隔离"),
        (Shown::Undelivered, "/desk/undelivered", "未能移交"),
    ] {
        let lit = if this == shown { r#" aria-current="page""# } else { "" };
        push(html, format_args!(r#"<a href="{address}"{lit}>{label}"#));
        if this == Shown::Aside && waiting > 0 {
            push(html, format_args!(" <b>{waiting}</b>"));
        }
        html.push_str("</a>");
    }
    html.push_str("</nav>");
}

/// The page.
pub(crate) fn page(
    signed: &Signed,
    catalog: &Catalog,
    rows: &[(InboxRow, bool)],
    more: bool,
    waiting: u64,
) -> String {
    let mut html = String::with_capacity(2048 + rows.len() * 640);
    kinds(&mut html, Shown::DeadLetters, waiting);
    html.push_str(
        r#"<p class="lead">已经收到、但打不开或不符合表单的记录。内容原样加密保存，不会丢失。修复目录或密钥后，可以再试一次。</p>"#,
    );
    if rows.is_empty() {
        html.push_str(r#"<div class="sheet empty"><strong>没有异常记录</strong>一切正常。</div>"#);
    } else {
        html.push_str(r#"<div class="sheet"><table><thead><tr><th scope="col">收到时间</th><th scope="col">办件编号</th><th scope="col">事项</th><th scope="col">原因</th><th scope="col">终端</th><th scope="col"></th></tr></thead><tbody>"#);
        for (row, erased) in rows {
            line(&mut html, signed, catalog, row, *erased);
        }
        html.push_str("</tbody></table></div>");
    }
    if let Some((last, _)) = rows.last().filter(|_| more) {
        push(
            &mut html,
            format_args!(
                r#"<nav class="pager"><a href="/desk/troubles?before={}">更早的记录</a></nav>"#,
                last.id
            ),
        );
    }
    layout::page(signed, Tab::Troubles, "异常记录", &html)
}

fn line(html: &mut String, signed: &Signed, catalog: &Catalog, row: &InboxRow, erased: bool) {
    push(
        html,
        format_args!(
            r#"<tr><td class="time">{}</td><td class="code">{}</td><td>{}</td><td><span class="badge {}">{}</span>{}</td><td class="code">{}<span class="sub">第 {} 件</span></td><td class="act">"#,
            Beijing(row.received_at_ms),
            Escaped(&row.case_number),
            Escaped(item_title(catalog, &row.item)),
            row.status.as_str(),
            status_label(&row.status),
            Why(&row.status),
            Escaped(&row.place.terminal),
            row.place.seq,
        ),
    );
    if erased {
        html.push_str(r#"<span class="sub">内容已删除</span>"#);
    } else {
        push(
            html,
            format_args!(
                r#"<form method="post" action="/desk/troubles/retry">{}<input type="hidden" name="id" value="{}"><button class="button plain">再试一次</button></form>"#,
                layout::token(signed),
                row.id
            ),
        );
    }
    html.push_str("</td></tr>");
}
