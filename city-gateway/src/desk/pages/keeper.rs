//! The keeper's page, for a telephone in a village hall: large, one button a call. Its script rings and keeps it fresh;
//! without scripts it shows and answers all the same.

use service_catalog::Catalog;

use super::layout;
use crate::desk::sign_in::Signed;
use crate::pages::{Beijing, Escaped, push};
use crate::store::keeper::{CallRow, Sites};

/// Said when a call that somebody wanted to answer is over.
pub(crate) const OVER: &str = "这个求助已经结束：群众已经离开、不用帮忙了，或者时间过了。";

/// The way back.
pub(crate) const BACK: &str = "返回求助列表";

/// What kind of page the resident is at.
fn doing(page: &str) -> &'static str {
    match page {
        "home" => "在首页",
        "guide" => "在看办事指南",
        "consent" => "在看知情同意",
        "identify" => "在读身份证",
        "confirm-person" => "在核对本人信息",
        "question" => "在回答问题",
        "review" => "在核对填写的内容",
        "outcome" => "在看去哪里办",
        "saving" => "正在提交",
        "receipt" => "在看回执",
        "rating" => "在评价",
        "enquiry" | "asking" | "progress" => "在查办件进度",
        "leaving" => "办完了，正要离开",
        _ => "在使用终端",
    }
}

fn language(tag: &str) -> Option<&'static str> {
    match tag {
        "zh-Hant" => Some("繁體界面"),
        "en" => Some("English 界面"),
        _ => None,
    }
}

/// The page around its changing part.
pub(crate) fn page(signed: Option<&Signed>, sites: &Sites, part: &str) -> String {
    let kept = match sites {
        Sites::All => "演示：所有终端".to_owned(),
        Sites::Only(codes) => codes.join("、"),
    };
    let who = signed.map_or(String::new(), |signed| {
        format!(
            r#"<form method="post" action="/desk/sign-out">{}<button class="quiet">退出</button></form>"#,
            layout::token(signed)
        )
    });
    format!(
        r#"<!doctype html>
<html lang="zh-Hans">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>求助呼叫 · 莞家政务终端</title>
<noscript><meta http-equiv="refresh" content="5"></noscript>
<link rel="stylesheet" href="/assets/city.css">
<link rel="stylesheet" href="/assets/keeper.css">
</head>
<body class="keeper">
<header>
<div class="mark" aria-hidden="true">莞</div>
<div class="name"><h1>求助呼叫</h1><p>{}</p></div>
{who}
</header>
<main>
<p class="bar"><span id="live" class="live" role="status">实时更新</span></p>
<button id="sound" class="sound" type="button" hidden>打开铃声</button>
<div id="part">{part}</div>
</main>
<script src="/assets/keeper.js"></script>
</body>
</html>
"#,
        Escaped(&kept),
    )
}

/// What changes: the calls.
pub(crate) fn part(signed: Option<&Signed>, catalog: &Catalog, rows: &[CallRow], now_ms: i64) -> String {
    let ringing = rows.iter().filter(|row| row.answered.is_none()).count();
    let mut html = String::with_capacity(512 + rows.len() * 1024);
    push(&mut html, format_args!(r#"<div id="calls" data-ringing="{ringing}">"#));
    if rows.is_empty() {
        html.push_str(
            r#"<p class="quiet-hall">现在没有人求助。<span>有人在终端上点“请人帮忙”，这里会响铃。</span></p>"#,
        );
    }
    for row in rows.iter().filter(|row| row.answered.is_none()) {
        open(&mut html, signed, catalog, row, now_ms);
    }
    for row in rows {
        if let Some((by, at_ms)) = &row.answered {
            answered(&mut html, row, by, *at_ms);
        }
    }
    html.push_str("</div>");
    html
}

fn open(html: &mut String, signed: Option<&Signed>, catalog: &Catalog, row: &CallRow, now_ms: i64) {
    let call = &row.call;
    let item = catalog.item(&call.item).map(|item| item.title.zh_hans.as_str());
    push(
        html,
        format_args!(
            r#"<article class="call"><h2>{}</h2><p class="terminal">终端 {} · {}</p><p class="at">{}{}</p>"#,
            Escaped(&call.place),
            Escaped(&call.id.terminal),
            since(now_ms - call.opened_at_ms),
            item.map(|title| format!("{} · ", Escaped(title))).unwrap_or_default(),
            doing(&call.page),
        ),
    );
    let senior = (call.theme == "senior").then_some("长辈版");
    html.push_str(r#"<p class="marks">"#);
    for mark in senior.into_iter().chain(language(&call.language)) {
        push(html, format_args!("<span>{mark}</span>"));
    }
    let token = signed.map(layout::token).unwrap_or_default();
    push(
        html,
        format_args!(
            r#"</p><form method="post" action="/keeper/answer">{token}<input type="hidden" name="terminal" value="{}"><input type="hidden" name="call" value="{}"><button class="come">我来了</button></form></article>"#,
            Escaped(&call.id.terminal),
            Escaped(&call.id.name),
        ),
    );
}

fn answered(html: &mut String, row: &CallRow, by: &str, at_ms: i64) {
    let who = if by == "-" { "有人" } else { by };
    push(
        html,
        format_args!(
            r#"<article class="call answered"><h2>{}</h2><p class="terminal">终端 {}</p><p class="at">{} 已答应过去 · {}</p></article>"#,
            Escaped(&row.call.place),
            Escaped(&row.call.id.terminal),
            Escaped(who),
            Beijing(at_ms),
        ),
    );
}

/// How long somebody waits.
fn since(ms: i64) -> String {
    match ms.max(0) / 1000 {
        seconds @ 0..60 => format!("等了 {seconds} 秒"),
        seconds => format!("等了 {} 分钟", seconds / 60),
    }
}
