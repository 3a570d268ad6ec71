//! Records that are kept aside: what waits for a person, and what was decided.

use service_catalog::Catalog;

use super::inbox::item_title;
use super::layout::{self, Tab};
use super::troubles::{Shown, kinds};
use super::words::obstacle;
use crate::desk::aside_desk::{reason_label, reasons};
use crate::desk::case_desk::REFERENCE_CHARS;
use crate::desk::rights::{Right, may};
use crate::desk::sign_in::Signed;
use crate::pages::{Beijing, Escaped, Why, push};
use crate::store::desk::{AsideFilter, AsideRow, Obstacle, Verdict};

/// What a decision is called on the page.
fn verdict_label(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Released => "已放行",
        Verdict::KeptAside => "已阅，继续隔离",
    }
}

/// The page. `waiting` counts all that wait for a person.
pub(crate) fn page(
    signed: &Signed,
    catalog: &Catalog,
    filter: AsideFilter,
    rows: &[AsideRow],
    more: bool,
    waiting: u64,
) -> String {
    let mut html = String::with_capacity(2048 + rows.len() * 2048);
    kinds(&mut html, Shown::Aside, waiting);
    html.push_str(
        r#"<p class="lead">收到时终端已停用、证书没有登记，或与已有记录矛盾的记录。原样加密保存，没有覆盖别的记录。核实后可以放行：放行的记录与其他记录一样开启、受理；也可以写明原因，继续隔离。</p>"#,
    );
    if rows.is_empty() {
        html.push_str(r#"<div class="sheet empty"><strong>没有等待处理的记录</strong>一切正常。</div>"#);
    } else {
        html.push_str(r#"<div class="sheet"><table><thead><tr><th scope="col">收到时间</th><th scope="col">办件编号</th><th scope="col">事项</th><th scope="col">隔离原因</th><th scope="col">终端</th><th scope="col">处理</th></tr></thead><tbody>"#);
        for row in rows {
            line(&mut html, signed, catalog, row);
        }
        html.push_str("</tbody></table></div>");
    }
    let (other, way, all) = if filter.undecided {
        ("/desk/aside?all=1", "全部，包括处理过的", "")
    } else {
        ("/desk/aside", "只看等待处理的", "all=1&amp;")
    };
    push(&mut html, format_args!(r#"<nav class="pager"><a href="{other}">{way}</a>"#));
    if let Some(last) = rows.last().filter(|_| more) {
        push(&mut html, format_args!(r#"<a href="/desk/aside?{all}before={}">更早的记录</a>"#, last.row.id));
    }
    html.push_str("</nav>");
    layout::page(signed, Tab::Troubles, "已隔离", &html)
}

fn line(html: &mut String, signed: &Signed, catalog: &Catalog, aside: &AsideRow) {
    let row = &aside.row;
    let released = aside.last.as_ref().is_some_and(|last| last.verdict == Verdict::Released);
    let (badge, word) = if released { ("accepted", "已放行") } else { (row.status.as_str(), "已隔离") };
    push(
        html,
        format_args!(
            r#"<tr><td class="time">{}</td><td class="code">{}<span class="sub">指纹 {}</span></td><td>{}</td><td><span class="badge {badge}">{word}</span>{}</td><td class="code">{}<span class="sub">第 {} 件</span></td><td class="decide">"#,
            Beijing(row.received_at_ms),
            Escaped(&row.case_number),
            Escaped(&row.sha256.chars().take(16).collect::<String>()),
            Escaped(item_title(catalog, &row.item)),
            Why(&row.status),
            Escaped(&row.place.terminal),
            row.place.seq,
        ),
    );
    decision(html, signed, aside, released);
    html.push_str("</td></tr>");
}

/// What was decided, what stands in the way of more, and the ways there are.
fn decision(html: &mut String, signed: &Signed, aside: &AsideRow, released: bool) {
    if let Some(last) = &aside.last {
        push(
            html,
            format_args!(
                r#"<strong>{}</strong> · {}<span class="sub">{}　{}　{}</span>"#,
                verdict_label(last.verdict),
                reason_label(last.verdict, &last.reason),
                Beijing(last.at_ms),
                Escaped(&last.operator),
                Escaped(&last.reference),
            ),
        );
    }
    if released {
        return;
    }
    if let Some(what) = aside.obstacle {
        push(html, format_args!(r#"<span class="sub">{}</span>"#, obstacle(what)));
    }
    let releases = aside.obstacle.is_none();
    let reviews = aside.obstacle != Some(Obstacle::Erased) && aside.last.is_none();
    if !releases && !reviews {
        return;
    }
    if !may(signed.operator.role, Right::ReleaseRecords) {
        html.push_str(r#"<span class="sub">由运行支持处理</span>"#);
        return;
    }
    html.push_str(r#"<div class="ways">"#);
    if releases {
        form(html, signed, aside, Verdict::Released);
    }
    if reviews {
        form(html, signed, aside, Verdict::KeptAside);
    }
    html.push_str("</div>");
}

fn form(html: &mut String, signed: &Signed, aside: &AsideRow, verdict: Verdict) {
    let (word, button) = match verdict {
        Verdict::Released => ("放行", "确认放行"),
        Verdict::KeptAside => ("继续隔离", "确认继续隔离"),
    };
    let row = &aside.row;
    push(
        html,
        format_args!(
            r#"<details name="record-{}" class="step {}"><summary>{word}</summary><form method="post" action="/desk/aside/decide">{}<input type="hidden" name="verdict" value="{}"><input type="hidden" name="id" value="{}"><input type="hidden" name="terminal" value="{}"><input type="hidden" name="case_id" value="{}"><input type="hidden" name="sha256" value="{}"><input type="hidden" name="version" value="{}"><fieldset><legend>原因</legend>"#,
            row.id,
            verdict.code(),
            layout::token(signed),
            verdict.code(),
            row.id,
            Escaped(&row.place.terminal),
            Escaped(&row.case_id),
            Escaped(&row.sha256),
            aside.version,
        ),
    );
    for (code, label) in reasons(verdict) {
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
            r#"</fieldset><label>关联编号（可不填）<input name="reference" class="mono" maxlength="{REFERENCE_CHARS}" placeholder="例如 XF-2026-0182"></label><button class="button">{button}</button></form></details>"#
        ),
    );
}
