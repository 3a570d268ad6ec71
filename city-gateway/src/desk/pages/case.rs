//! The page of one case: masked facts, history, the steps there are, and its content for one answer.

use serde_json::Value;
use service_catalog::{Catalog, QuestionKind, ServiceItem};
use sync_protocol::Submission;

use super::follow_up;
use super::inbox::item_title;
use super::layout::{self, Tab};
use crate::desk::aside_desk::reason_label as aside_reason;
use crate::desk::case_desk::{CaseFile, REFERENCE_CHARS, UNMASK_REASONS};
use crate::desk::progress::{NOTE_CHARS, next, reason_label, reasons, state_label};
use crate::desk::sign_in::Signed;
use crate::desk::totp::percent;
use crate::pages::{Beijing, Escaped, Why, push};
use crate::store::desk::{CaseKey, CaseState, ErasureRule};
use crate::store::follow_up::RESIDENT;

/// Seconds after which an opened content leaves the screen by itself.
pub(super) const SHOWN_SECONDS: u32 = 120;

/// Where a case is.
pub(crate) fn address(key: &CaseKey) -> String {
    format!("/desk/case/{}/{}", percent(&key.terminal), percent(&key.case_id))
}

/// A state in its colour.
pub(crate) fn state_badge(state: CaseState) -> String {
    format!(r#"<span class="badge {}">{}</span>"#, state.code(), state_label(state))
}

/// The page, with the opened content when it was asked for.
pub(crate) fn page(
    signed: &Signed,
    catalog: &Catalog,
    file: &CaseFile,
    content: Option<&Submission>,
) -> String {
    let case = &file.case;
    let title = item_title(catalog, &case.item);
    let mut html = String::with_capacity(8192);
    push(
        &mut html,
        format_args!(
            r#"<p class="path"><a href="/desk/">办件</a> / <span class="code">{}</span></p><div class="title"><h2>{}</h2>{}</div><div class="columns"><div>"#,
            Escaped(&case.case_number),
            Escaped(title),
            state_badge(case.state),
        ),
    );
    if let Some(content) = content {
        opened(&mut html, catalog.item(&case.item), content, &address(&case.key));
    }
    facts(&mut html, file);
    follow_up::beside(&mut html, &file.follow_ups);
    history(&mut html, file);
    html.push_str("</div><aside>");
    if file.decides {
        steps(&mut html, signed, file);
        if content.is_none() && case.erased.is_none() {
            unmask(&mut html, signed, &case.key);
        }
    } else {
        html.push_str(r#"<section class="sheet card"><h3>处理</h3><p class="hint">您的角色可以查看办件的进展，不能处理办件，也不能查看完整内容。</p></section>"#);
    }
    html.push_str("</aside></div>");
    // Without a script: the browser itself goes back to the masked page.
    let back = content.map(|_| {
        format!(
            r#"<meta http-equiv="refresh" content="{SHOWN_SECONDS};url={}">"#,
            Escaped(&address(&case.key))
        )
    });
    layout::page_with(signed, Tab::Cases, &case.case_number, &back.unwrap_or_default(), &html)
}

fn facts(html: &mut String, file: &CaseFile) {
    let case = &file.case;
    html.push_str(r#"<section class="sheet card"><h3>基本情况</h3><dl class="facts">"#);
    let mut fact = |label: &str, class: &str, value: &str| {
        push(html, format_args!(r#"<div><dt>{label}</dt><dd class="{class}">{}</dd></div>"#, Escaped(value)));
    };
    let masked = |value: &Option<String>| value.clone().unwrap_or_else(|| "—".into());
    fact("办件编号", "code", &case.case_number);
    fact("收到时间", "time", &Beijing(case.received_at_ms).to_string());
    fact("办理部门", "", &file.department);
    fact("受理终端", "code", &case.key.terminal);
    if case.erased.is_none() {
        fact("申请人", "", &masked(&case.person.name));
        fact("证件号码", "code", &masked(&case.person.number));
        fact("联系电话", "code", &masked(&case.person.phone));
    }
    fact("密文指纹", "code", &case.sha256.chars().take(16).collect::<String>());
    html.push_str("</dl>");
    match case.erased {
        Some((at_ms, rule)) => {
            let why = match rule {
                ErasureRule::FinishedCase => "办结（退回）后已满保存期限",
                ErasureRule::DeadLetter | ErasureRule::Quarantine => "已满保存期限",
            };
            push(
                html,
                format_args!(
                    r#"<p class="hint">内容已于 {} 按规则删除：{why}。编号、时间和处理记录保留。</p>"#,
                    Beijing(at_ms)
                ),
            );
        }
        None => html.push_str(
            r#"<p class="hint">个人信息已隐去。完整内容保持加密，只在查看时解开一次，不会保存。</p>"#,
        ),
    }
    html.push_str("</section>");
}

fn history(html: &mut String, file: &CaseFile) {
    html.push_str(r#"<section class="sheet card"><h3>办理过程</h3><ol class="history">"#);
    for step in file.steps.iter().rev() {
        push(
            html,
            format_args!(
                r#"<li class="{}"><div><strong>{}</strong> · {}<span class="sub">{}　{}</span></div>"#,
                step.to.code(),
                state_label(step.to),
                reason_label(&step.reason),
                Beijing(step.at_ms),
                Escaped(who(&step.operator)),
            ),
        );
        if !step.note.is_empty() {
            push(html, format_args!("<blockquote>{}</blockquote>", Escaped(&step.note)));
        }
        html.push_str("</li>");
    }
    if let Some((record, last)) =
        file.released.as_ref().and_then(|aside| Some((&aside.row, aside.last.as_ref()?)))
    {
        push(
            html,
            format_args!(
                r#"<li class="supplement_requested"><div><strong>隔离后放行</strong> · {}<span class="sub">{}　{}　{}</span>{}</div></li>"#,
                aside_reason(last.verdict, &last.reason),
                Beijing(last.at_ms),
                Escaped(&last.operator),
                Escaped(&last.reference),
                Why(&record.status),
            ),
        );
    }
    push(
        html,
        format_args!(
            r#"<li class="pre_review"><div><strong>终端提交</strong><span class="sub">{}　{}</span></div></li></ol></section>"#,
            Beijing(file.case.received_at_ms),
            Escaped(&file.case.key.terminal),
        ),
    );
}

/// Who made a step.
fn who(operator: &str) -> &str {
    if operator == RESIDENT { "申请人（终端）" } else { operator }
}

/// What pressing a step is called.
fn step_label(to: CaseState) -> &'static str {
    match to {
        CaseState::Accepted => "受理",
        CaseState::SupplementRequested => "要求补正",
        CaseState::Returned => "退回",
        CaseState::Closed => "办结",
        CaseState::PreReview => "—",
    }
}

fn steps(html: &mut String, signed: &Signed, file: &CaseFile) {
    let case = &file.case;
    html.push_str(r#"<section class="sheet card"><h3>处理</h3>"#);
    let ways = next(case.state);
    if ways.is_empty() {
        html.push_str(r#"<p class="hint">这个办件已经结束，不能再处理。</p></section>"#);
        return;
    }
    for to in ways {
        push(
            html,
            format_args!(
                r#"<details name="step" class="step {}"><summary>{}</summary><form method="post" action="{}/step">{}<input type="hidden" name="version" value="{}"><input type="hidden" name="to" value="{}"><fieldset><legend>原因</legend>"#,
                to.code(),
                step_label(*to),
                Escaped(&address(&case.key)),
                layout::token(signed),
                case.version,
                to.code(),
            ),
        );
        for reason in reasons(*to) {
            let note = if reason.needs_note { "（请写说明）" } else { "" };
            push(
                html,
                format_args!(
                    r#"<label class="choice"><input type="radio" name="reason" value="{}" required>{}<small>{note}</small></label>"#,
                    reason.code, reason.label,
                ),
            );
        }
        push(
            html,
            format_args!(
                r#"</fieldset><label>给申请人的说明<textarea name="note" rows="3" maxlength="{NOTE_CHARS}" placeholder="申请人会在终端上看到，请不要写个人信息"></textarea></label><button class="button">确认{}</button></form></details>"#,
                step_label(*to),
            ),
        );
    }
    html.push_str("</section>");
}

/// The form that opens the content of a case, or of what followed one.
pub(super) fn unmask(html: &mut String, signed: &Signed, key: &CaseKey) {
    push(
        html,
        format_args!(
            r#"<section class="sheet card"><h3>查看完整内容</h3><details class="step unmask"><summary>解开加密内容</summary><form method="post" action="{}/unmask">{}<fieldset><legend>查看原因</legend>"#,
            Escaped(&address(key)),
            layout::token(signed),
        ),
    );
    for (code, label) in UNMASK_REASONS {
        push(
            html,
            format_args!(
                r#"<label class="choice"><input type="radio" name="reason" value="{code}" required>{label}</label>"#
            ),
        );
    }
    push(
        html,
        format_args!(
            r#"</fieldset><label>关联编号（可不填）<input name="reference" class="mono" maxlength="{REFERENCE_CHARS}" placeholder="例如 XF-2026-0182"></label><button class="button">确认查看</button></form></details><p class="hint">您的账号、时间和原因会先写入审计记录，然后显示内容。{SHOWN_SECONDS} 秒后自动隐去。</p></section>"#
        ),
    );
}

/// The opened content.
pub(super) fn opened(html: &mut String, item: Option<&ServiceItem>, content: &Submission, back: &str) {
    push(
        html,
        format_args!(
            r#"<section class="sheet card opened"><h3>完整内容<a class="button plain" href="{}">立即隐去</a></h3><dl class="facts">"#,
            Escaped(back)
        ),
    );
    for (key, value) in &content.applicant {
        fact(html, applicant_label(key), &applicant_text(key, value));
    }
    html.push_str(r#"</dl><dl class="answers">"#);
    for (id, value) in &content.answers {
        let question = item.and_then(|item| item.question(id));
        let label = question.map_or(id.as_str(), |question| question.label.zh_hans.as_str());
        let shown = |value: &Value| {
            let text = answered(question.map(|question| question.kind), value);
            let option =
                question.and_then(|question| question.options.iter().find(|option| option.value == text));
            option.map_or(text, |option| option.label.zh_hans.clone())
        };
        let text = match value {
            Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join("、"),
            value => shown(value),
        };
        fact(html, label, &text);
    }
    push(
        html,
        format_args!(
            r#"</dl><p class="hint">填写完成：{}。这次查看已写入审计记录。请勿拍照、抄录或转发。</p></section>"#,
            Beijing(content.finalised_at_ms)
        ),
    );
}

/// An answer that is not words as it was written: fen as yuan, the parts of an address in their order.
fn answered(kind: Option<QuestionKind>, value: &Value) -> String {
    match (kind, value) {
        (Some(QuestionKind::Money), Value::String(fen)) => {
            fen.parse().map_or_else(|_| fen.clone(), |fen: u64| format!("{}.{:02} 元", fen / 100, fen % 100))
        }
        (Some(QuestionKind::Address), Value::Object(parts)) => {
            let part = |name: &str| parts.get(name).and_then(Value::as_str);
            ["town", "village", "rest"].into_iter().filter_map(part).collect::<Vec<_>>().join(" ")
        }
        (Some(QuestionKind::Photo), Value::Object(photo)) => {
            let part = |name: &str| photo.get(name).map(plain).unwrap_or_default();
            let mark = part("sha256").chars().take(12).collect::<String>();
            format!("照片（附件，{} 字节，指纹 {mark}）", part("bytes"))
        }
        (_, value) => plain(value),
    }
}

fn fact(html: &mut String, label: &str, value: &str) {
    push(html, format_args!("<div><dt>{}</dt><dd>{}</dd></div>", Escaped(label), Escaped(value)));
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn applicant_label(key: &str) -> &str {
    match key {
        "document" => "证件类型",
        "name" => "姓名",
        "number" => "证件号码",
        "sex" => "性别",
        "ethnic" => "民族",
        "birth" => "出生日期",
        "address" => "住址",
        "issuer" => "签发机关",
        "valid_from" => "有效期起",
        "valid_to" => "有效期止",
        other => other,
    }
}

fn applicant_text(key: &str, value: &Value) -> String {
    let text = plain(value);
    let word = match (key, text.as_str()) {
        ("document", "resident-id-card") => "居民身份证",
        ("document", "hmt-residence-permit") => "港澳台居民居住证",
        ("document", "foreigner-2017" | "foreigner-2023") => "外国人永久居留身份证",
        ("document", "social-security-card") => "社会保障卡",
        ("sex", "male") => "男",
        ("sex", "female") => "女",
        _ => return text,
    };
    word.to_owned()
}
