//! What followed a case: in short beside it, and on a page of its own, which leads back to the case.

use service_catalog::{Catalog, FollowUp};
use sync_protocol::Submission;

use super::case::{SHOWN_SECONDS, address, opened, unmask};
use super::inbox::item_title;
use super::layout::{self, Tab};
use crate::desk::case_desk::FollowUpFile;
use crate::desk::progress::state_label;
use crate::desk::sign_in::Signed;
use crate::pages::{Beijing, Escaped, push};
use crate::store::follow_up::FollowUpRow;

fn label(follows: FollowUp) -> &'static str {
    match follows {
        FollowUp::Supplement => "补正材料",
        FollowUp::Withdrawal => "撤回",
    }
}

/// What it has done to its case.
fn effect(row: &FollowUpRow) -> String {
    match (row.step, row.follows) {
        (None, _) => format!("收到时办件已结束（{}），没有改变", state_label(row.state)),
        (Some(_), FollowUp::Supplement) => "已转入办件，请审核".into(),
        (Some(_), FollowUp::Withdrawal) => "办件已按申请人意愿结束".into(),
    }
}

fn attachments(row: &FollowUpRow) -> String {
    match row.blobs {
        0 => "没有照片".into(),
        count => format!("{count} 张照片"),
    }
}

/// The list on the page of the case.
pub(super) fn beside(html: &mut String, rows: &[FollowUpRow]) {
    if rows.is_empty() {
        return;
    }
    html.push_str(r#"<section class="sheet card"><h3>申请人补正与撤回</h3><ol class="history">"#);
    for row in rows.iter().rev() {
        push(
            html,
            format_args!(
                r#"<li class="supplement_requested"><div><strong><a href="{}">{}</a></strong> · {}<span class="sub">{}　{}</span>{}</div></li>"#,
                Escaped(&address(&row.key)),
                label(row.follows),
                attachments(row),
                Beijing(row.received_at_ms),
                Escaped(&row.case_number),
                Escaped(&effect(row)),
            ),
        );
    }
    html.push_str("</ol></section>");
}

/// The page, with the opened content when it was asked for.
pub(crate) fn page(
    signed: &Signed,
    catalog: &Catalog,
    file: &FollowUpFile,
    content: Option<&Submission>,
) -> String {
    let row = &file.row;
    let mut html = String::with_capacity(4096);
    push(
        &mut html,
        format_args!(
            r#"<p class="path"><a href="/desk/">办件</a> / <a href="{}"><span class="code">{}</span></a> / <span class="code">{}</span></p><div class="title"><h2>{}：{}</h2></div><div class="columns"><div>"#,
            Escaped(&address(&row.case)),
            Escaped(&row.about_number),
            Escaped(&row.case_number),
            label(row.follows),
            Escaped(item_title(catalog, &row.about_item)),
        ),
    );
    if let Some(content) = content {
        opened(&mut html, catalog.item(&row.item), content, &address(&row.key));
    }
    facts(&mut html, file);
    html.push_str("</div><aside>");
    push(
        &mut html,
        format_args!(
            r#"<section class="sheet card"><h3>处理</h3><p class="hint">请在原来的办件里处理。</p><a class="button" href="{}">打开办件 {}</a></section>"#,
            Escaped(&address(&row.case)),
            Escaped(&row.about_number),
        ),
    );
    if file.decides && content.is_none() && row.erased.is_none() {
        unmask(&mut html, signed, &row.key);
    }
    html.push_str("</aside></div>");
    let back = content.map(|_| {
        format!(
            r#"<meta http-equiv="refresh" content="{SHOWN_SECONDS};url={}">"#,
            Escaped(&address(&row.key))
        )
    });
    layout::page_with(signed, Tab::Cases, &row.case_number, &back.unwrap_or_default(), &html)
}

fn facts(html: &mut String, file: &FollowUpFile) {
    let row = &file.row;
    html.push_str(r#"<section class="sheet card"><h3>基本情况</h3><dl class="facts">"#);
    let phone = row.person.phone.clone().unwrap_or_else(|| "—".into());
    for (label, class, value) in [
        ("编号", "code", row.case_number.as_str()),
        ("所补（撤）的办件", "code", &row.about_number),
        ("结果", "", &effect(row)),
        ("附件", "", &attachments(row)),
        ("收到时间", "time", &Beijing(row.received_at_ms).to_string()),
        ("办理部门", "", &file.department),
        ("受理终端", "code", &row.key.terminal),
        ("联系电话", "code", &phone),
        ("密文指纹", "code", &row.sha256.chars().take(16).collect::<String>()),
    ] {
        push(html, format_args!(r#"<div><dt>{label}</dt><dd class="{class}">{}</dd></div>"#, Escaped(value)));
    }
    let hint = match row.erased {
        Some(_) => "内容已和办件一起按规则删除。编号、时间和处理记录保留。",
        None => {
            "提交人持有办件的凭条（编号和校验码），没有再核验身份。完整内容保持加密，只在查看时解开一次。"
        }
    };
    push(html, format_args!(r#"</dl><p class="hint">{hint}</p></section>"#));
}
