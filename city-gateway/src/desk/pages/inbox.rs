//! The list of cases.

use service_catalog::Catalog;

use super::layout::{self, Tab};
use crate::desk::departments::Departments;
use crate::desk::http::Asked;
use crate::desk::pages::case::{address, state_badge};
use crate::desk::sign_in::Signed;
use crate::pages::{Beijing, Escaped, push};
use crate::store::desk::{CaseRow, OpenWork, Role};

/// What is shown.
pub(crate) struct List<'a> {
    pub(crate) asked: &'a Asked,
    pub(crate) rows: &'a [CaseRow],
    /// Whether there are older ones.
    pub(crate) more: bool,
    pub(crate) work: OpenWork,
}

/// The title of an item, or its code.
pub(crate) fn item_title<'a>(catalog: &'a Catalog, item: &'a str) -> &'a str {
    catalog.item(item).map_or(item, |item| item.title.zh_hans.as_str())
}

/// The page.
pub(crate) fn page(signed: &Signed, catalog: &Catalog, departments: &Departments, list: &List<'_>) -> String {
    let mut html = String::with_capacity(4096 + list.rows.len() * 640);
    tabs(&mut html, list);
    filter(&mut html, signed, catalog, departments, list.asked);
    if list.rows.is_empty() {
        html.push_str(
            r#"<div class="sheet empty"><strong>这里没有办件</strong>换一个状态或清除筛选条件再看看。</div>"#,
        );
    } else {
        html.push_str(
            r#"<div class="sheet"><table><thead><tr><th scope="col">收到时间</th><th scope="col">办件编号</th><th scope="col">事项与部门</th><th scope="col">申请人（已隐去）</th><th scope="col">状态</th></tr></thead><tbody>"#,
        );
        for row in list.rows {
            line(&mut html, catalog, departments, row);
        }
        html.push_str("</tbody></table></div>");
    }
    html.push_str(r#"<nav class="pager" aria-label="翻页">"#);
    if !list.asked.before.is_empty() {
        push(&mut html, format_args!(r#"<a href="{}">回到最新</a>"#, Escaped(&list.asked.with(None, None))));
    }
    if let Some(last) = list.rows.last().filter(|_| list.more) {
        let older = list.asked.with(None, Some(last.id));
        push(&mut html, format_args!(r#"<a href="{}">更早的办件</a>"#, Escaped(&older)));
    }
    html.push_str("</nav>");
    layout::page(signed, Tab::Cases, "办件", &html)
}

fn tabs(html: &mut String, list: &List<'_>) {
    let OpenWork { pre_review, accepted, supplement_requested } = list.work;
    let open = pre_review + accepted + supplement_requested;
    html.push_str(r#"<nav class="states" aria-label="按状态">"#);
    for (word, label, count) in [
        ("", "全部在办", Some(open)),
        ("pre_review", "待预审", Some(pre_review)),
        ("accepted", "已受理", Some(accepted)),
        ("supplement_requested", "待补正", Some(supplement_requested)),
        ("closed", "已办结", None),
        ("returned", "已退回", None),
        ("all", "全部", None),
    ] {
        let lit = if list.asked.state == word { r#" aria-current="page""# } else { "" };
        let count = count.map(|count| format!("<b>{count}</b>")).unwrap_or_default();
        let address = list.asked.with(Some(word), None);
        push(html, format_args!(r#"<a href="{}"{lit}>{label}{count}</a>"#, Escaped(&address)));
    }
    html.push_str("</nav>");
}

fn filter(html: &mut String, signed: &Signed, catalog: &Catalog, departments: &Departments, asked: &Asked) {
    html.push_str(r#"<form class="filter" method="get" action="/desk/">"#);
    push(html, format_args!(r#"<input type="hidden" name="state" value="{}">"#, Escaped(&asked.state)));
    let own = signed.operator.department.as_deref();
    if signed.operator.role != Role::DepartmentWorker {
        html.push_str(r#"<label>部门<select name="department"><option value="">全部部门</option>"#);
        for department in departments.all() {
            option(html, department, department, asked.department == department);
        }
        html.push_str("</select></label>");
    }
    html.push_str(r#"<label>事项<select name="item"><option value="">全部事项</option>"#);
    for item in &catalog.items {
        if own.is_none_or(|own| departments.of(&item.code) == own) {
            option(html, &item.code, &item.title.zh_hans, asked.item == item.code);
        }
    }
    html.push_str("</select></label>");
    push(
        html,
        format_args!(
            r#"<label>收到日期<span class="span"><input type="date" name="from" aria-label="从" value="{}"><i>至</i><input type="date" name="until" aria-label="到" value="{}"></span></label><label>办件编号<input name="number" class="mono" maxlength="64" placeholder="DG0001-…" value="{}"></label><button class="button plain">筛选</button><a class="clear" href="/desk/">清除</a></form>"#,
            Escaped(&asked.from),
            Escaped(&asked.until),
            Escaped(&asked.number),
        ),
    );
}

/// One choice of a list.
pub(crate) fn option(html: &mut String, value: &str, label: &str, chosen: bool) {
    let chosen = if chosen { " selected" } else { "" };
    push(html, format_args!(r#"<option value="{}"{chosen}>{}</option>"#, Escaped(value), Escaped(label)));
}

fn line(html: &mut String, catalog: &Catalog, departments: &Departments, row: &CaseRow) {
    let person = &row.person;
    let mut who = String::new();
    match row.erased {
        Some(_) => who.push_str(r#"<span class="sub">内容已删除</span>"#),
        None => {
            push(&mut who, format_args!("{}", Escaped(person.name.as_deref().unwrap_or("—"))));
            let rest: Vec<&str> =
                [&person.number, &person.phone].into_iter().flatten().map(String::as_str).collect();
            push(&mut who, format_args!(r#"<span class="sub code">{}</span>"#, Escaped(&rest.join("　"))));
        }
    }
    push(
        html,
        format_args!(
            r#"<tr><td class="time">{}</td><td class="code"><a href="{}">{}</a></td><td>{}<span class="sub">{}</span></td><td>{who}</td><td>{}<span class="sub time">{}</span></td></tr>"#,
            Beijing(row.received_at_ms),
            Escaped(&address(&row.key)),
            Escaped(&row.case_number),
            Escaped(item_title(catalog, &row.item)),
            Escaped(departments.of(&row.item)),
            state_badge(row.state),
            Beijing(row.changed_at_ms),
        ),
    );
}
