//! The windows of which numbers are given out today.

use service_catalog::Catalog;

use super::layout::{self, Tab};
use crate::desk::sign_in::Signed;
use crate::numbers::{shown, window_of};
use crate::pages::{Escaped, push};
use crate::store::numbers::QueueDay;

/// How far each of them is, with the next number to call.
pub(crate) fn list(signed: &Signed, catalog: &Catalog, queues: &[QueueDay]) -> String {
    let mut html = String::with_capacity(1024 + queues.len() * 512);
    html.push_str(r#"<div class="sheet"><table><thead><tr><th scope="col">窗口</th><th scope="col">已发到</th><th scope="col">已叫到</th><th scope="col">叫号</th></tr></thead><tbody>"#);
    for queue in queues {
        line(&mut html, signed, catalog, queue);
    }
    html.push_str("</tbody></table></div>");
    if queues.is_empty() {
        html.push_str(r#"<p class="hint">今天还没有人取号。</p>"#);
    }
    html.push_str(r#"<p class="hint">叫过的号会告诉后面取号的人：前面还有几个人。</p>"#);
    layout::page(signed, Tab::Queues, "叫号", &html)
}

fn line(html: &mut String, signed: &Signed, catalog: &Catalog, queue: &QueueDay) {
    let QueueDay { queue, given, called } = queue;
    let window = window_of(catalog, queue).unwrap_or(queue);
    let last = called.map_or_else(|| "—".to_owned(), |called| shown(queue, called));
    push(
        html,
        format_args!(
            r#"<tr><td>{}<span class="sub">{}</span></td><td class="code">{}</td><td class="code">{last}</td><td class="act">"#,
            Escaped(window),
            Escaped(queue),
            shown(queue, *given),
        ),
    );
    let next = called.unwrap_or(0) + 1;
    if next <= *given {
        push(
            html,
            format_args!(
                r#"<form method="post" action="/desk/queues/call">{}<input type="hidden" name="queue" value="{}"><input type="hidden" name="number" value="{next}"><button class="button">叫 {}</button></form>"#,
                layout::token(signed),
                Escaped(queue),
                shown(queue, next),
            ),
        );
    } else {
        html.push_str(r#"<span class="sub">没有人在等</span>"#);
    }
    html.push_str("</td></tr>");
}
