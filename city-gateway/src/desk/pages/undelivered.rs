//! Cases that the relay could not hand on.

use service_catalog::Catalog;

use super::inbox::item_title;
use super::layout::{self, Tab};
use super::troubles::{Shown, kinds};
use crate::desk::sign_in::Signed;
use crate::pages::{Beijing, Escaped, push};
use crate::store::relay::{Undelivered, UndeliveredReason};

/// The words operators read.
fn reason_label(reason: UndeliveredReason) -> &'static str {
    match reason {
        UndeliveredReason::UnknownDepartment => "部门没有配置",
        UndeliveredReason::Refused => "部门系统多次拒收",
        UndeliveredReason::Declined => "部门表示不能接收",
        UndeliveredReason::Erased => "移交前内容已按规则删除",
        UndeliveredReason::NotOpenable => "密钥打不开",
        UndeliveredReason::TooLarge => "超过传送上限",
    }
}

/// The page.
pub(crate) fn page(
    signed: &Signed,
    catalog: &Catalog,
    letters: &[Undelivered],
    more: bool,
    waiting: u64,
) -> String {
    let mut html = String::with_capacity(2048 + letters.len() * 640);
    kinds(&mut html, Shown::Undelivered, waiting);
    html.push_str(
        r#"<p class="lead">已经受理、但还没有移交到部门的办件。内容加密保存，不会丢失。修复配置或与部门核对后，可以重新移交；部门按编号识别，不会重复办理。</p>"#,
    );
    if letters.is_empty() {
        html.push_str(r#"<div class="sheet empty"><strong>没有未能移交的办件</strong>一切正常。</div>"#);
        return layout::page(signed, Tab::Troubles, "未能移交", &html);
    }
    let mut reasons: Vec<UndeliveredReason> = Vec::new();
    for letter in letters {
        if !reasons.contains(&letter.reason) {
            reasons.push(letter.reason);
        }
    }
    html.push_str(r#"<section class="sheet chain">"#);
    for reason in reasons {
        push(
            &mut html,
            format_args!(
                r#"<form method="post" action="/desk/undelivered/release">{}<input type="hidden" name="reason" value="{}"><button class="button">全部重新移交：{}</button></form>"#,
                layout::token(signed),
                reason.code(),
                reason_label(reason),
            ),
        );
    }
    html.push_str("</section>");
    html.push_str(r#"<div class="sheet"><table><thead><tr><th scope="col">停止时间</th><th scope="col">办件编号</th><th scope="col">事项</th><th scope="col">部门</th><th scope="col">原因</th><th scope="col"></th></tr></thead><tbody>"#);
    for letter in letters {
        line(&mut html, signed, catalog, letter);
    }
    html.push_str("</tbody></table></div>");
    if more {
        html.push_str(r#"<p class="lead">还有更多，处理完这些之后显示。</p>"#);
    }
    layout::page(signed, Tab::Troubles, "未能移交", &html)
}

fn line(html: &mut String, signed: &Signed, catalog: &Catalog, letter: &Undelivered) {
    let Undelivered { case, department, attempts, reason, detail, dead_at_ms } = letter;
    push(
        html,
        format_args!(
            r#"<tr><td class="time">{}</td><td class="code">{}</td><td>{}</td><td class="code">{}</td><td><span class="badge dead_letter">{}</span><span class="sub">{}</span><span class="sub">尝试 {attempts} 次</span></td><td class="act"><form method="post" action="/desk/undelivered/release">{}<input type="hidden" name="terminal" value="{}"><input type="hidden" name="incarnation" value="{}"><input type="hidden" name="seq" value="{}"><button class="button plain">重新移交</button></form></td></tr>"#,
            Beijing(*dead_at_ms),
            Escaped(&case.case_number),
            Escaped(item_title(catalog, &case.item)),
            Escaped(department.as_deref().unwrap_or("—")),
            reason_label(*reason),
            Escaped(detail.as_deref().unwrap_or("")),
            layout::token(signed),
            Escaped(&case.place.terminal),
            Escaped(&case.place.incarnation),
            case.place.seq,
        ),
    );
}
