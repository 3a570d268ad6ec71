//! What every page has around it.

use crate::desk::rights::{self, Right, role_label};
use crate::desk::sign_in::Signed;
use crate::pages::Escaped;

/// Which tab is lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Cases,
    Troubles,
    Terminals,
    Accounts,
    Audit,
    Calls,
    Queues,
    None,
}

const TABS: [(Tab, Right, &str, &str); 7] = [
    (Tab::Cases, Right::SeeCases, "/desk/", "办件"),
    (Tab::Queues, Right::CallNumbers, "/desk/queues", "叫号"),
    (Tab::Troubles, Right::MendRecords, "/desk/troubles", "异常记录"),
    (Tab::Terminals, Right::MendRecords, "/desk/terminals", "终端"),
    (Tab::Accounts, Right::KeepAccounts, "/desk/accounts", "账号"),
    (Tab::Audit, Right::ReadAudit, "/desk/audit", "审计"),
    (Tab::Calls, Right::AnswerCalls, "/keeper/", "求助呼叫"),
];

/// The beginning of every page.
fn head(title: &str, more: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="zh-Hans">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{} · 莞家城市受理台</title>
<link rel="stylesheet" href="/assets/city.css">
<link rel="stylesheet" href="/assets/desk.css">
{more}</head>
"#,
        Escaped(title)
    )
}

/// A page for somebody who is signed in. `more` goes into the head.
pub(crate) fn page_with(signed: &Signed, tab: Tab, title: &str, more: &str, body: &str) -> String {
    let operator = &signed.operator;
    let mut tabs = String::new();
    for (this, right, address, label) in TABS {
        if rights::may(operator.role, right) && !operator.must_change {
            let lit = if this == tab { r#" aria-current="page""# } else { "" };
            tabs.push_str(&format!(r#"<a href="{address}"{lit}>{label}</a>"#));
        }
    }
    let duty = operator.department.as_deref().unwrap_or_else(|| role_label(operator.role));
    format!(
        r#"{}<body class="desk">
<header>
<div class="mark" aria-hidden="true">莞</div>
<h1>莞家城市受理台</h1>
<nav class="tabs" aria-label="主菜单">{tabs}</nav>
<div class="who"><strong>{}</strong><span>{}</span></div>
<a class="quiet" href="/desk/password">改密码</a>
<form method="post" action="/desk/sign-out">{}<button class="quiet">退出</button></form>
</header>
<main>
{body}
</main>
</body>
</html>
"#,
        head(title, more),
        Escaped(&operator.name),
        Escaped(duty),
        token(signed),
    )
}

/// A page for somebody who is signed in.
pub(crate) fn page(signed: &Signed, tab: Tab, title: &str, body: &str) -> String {
    page_with(signed, tab, title, "", body)
}

/// A page with one card in the middle, for anybody.
pub(crate) fn card(title: &str, body: &str) -> String {
    format!(
        r#"{}<body class="desk alone">
<main>
<div class="brand"><div class="mark" aria-hidden="true">莞</div><div><strong>莞家城市受理台</strong><span>东莞市政务自助终端 · 城市网关</span></div></div>
<section class="sheet door">
{body}
</section>
<p class="foot">本系统的每次登录、查看和处理都会留下审计记录。</p>
</main>
</body>
</html>
"#,
        head(title, "")
    )
}

/// A page that says in one sentence why something was not done, with a way on.
pub(crate) fn failure(why: &str, address: &str, label: &str) -> String {
    let body = format!(
        r#"<h2>没有完成</h2><p class="wrong" role="alert">{}</p><p><a class="button plain" href="{}">{label}</a></p>"#,
        Escaped(why),
        Escaped(address),
    );
    card("没有完成", &body)
}

/// What a form must repeat.
pub(crate) fn token(signed: &Signed) -> String {
    format!(r#"<input type="hidden" name="form_token" value="{}">"#, Escaped(&signed.session.form_token))
}
