//! 取号: what a terminal gets that asks for a number, and what it does not.

use sync_protocol::{AnswerBody, QuestionBody, QueueTicket};

use crate::desk::DEPARTMENT;
use crate::operators::{Browser, Operator};
use crate::query::Session;
use crate::support::{City, Terminal};

/// An item with two windows of which numbers are given, and one without.
const ITEM: &str = r#"
code = "windows"
version = 1
shape = "where-to-go"
order = 10
works_offline = true
title = { zh-Hans = "示例去处", zh-Hant = "示例去處", en = "Sample" }
summary = { zh-Hans = "一句话", zh-Hant = "一句話", en = "One line" }

[guide]
what = { zh-Hans = "是什么", zh-Hant = "是甚麼", en = "What" }
bring = [{ zh-Hans = "身份证", zh-Hant = "身份證", en = "Card" }]
time = { zh-Hans = "一分钟", zh-Hant = "一分鐘", en = "A minute" }
department = { zh-Hans = "部门", zh-Hant = "部門", en = "Office" }
fee = { zh-Hans = "免费", zh-Hant = "免費", en = "Free" }

[[questions]]
id = "lost"
kind = "yes-no"
required = true
label = { zh-Hans = "丢了吗", zh-Hant = "丟了嗎", en = "Lost?" }

[[outcomes]]
when = 'answers.lost == "yes"'
verdict = "can"
title = { zh-Hans = "可以", zh-Hant = "可以", en = "Yes" }
advice = { zh-Hans = "请去窗口", zh-Hant = "請去窗口", en = "Go there" }
[outcomes.where]
window = { zh-Hans = "甲窗口", zh-Hant = "甲窗口", en = "A" }
address = { zh-Hans = "地址", zh-Hant = "地址", en = "Address" }
hours = { zh-Hans = "白天", zh-Hant = "日間", en = "Daytime" }
phone = "12345"
queue = "a-lost"

[[outcomes]]
verdict = "can"
title = { zh-Hans = "可以", zh-Hant = "可以", en = "Yes" }
advice = { zh-Hans = "请去窗口", zh-Hant = "請去窗口", en = "Go there" }
[outcomes.where]
window = { zh-Hans = "乙窗口", zh-Hant = "乙窗口", en = "B" }
address = { zh-Hans = "地址", zh-Hant = "地址", en = "Address" }
hours = { zh-Hans = "白天", zh-Hant = "日間", en = "Daytime" }
phone = "12345"
queue = "b-other"
"#;

async fn take(
    city: &City,
    terminal: &Terminal,
    request: &str,
    queue: &str,
) -> Result<QueueTicket, &'static str> {
    let question = QuestionBody::QueueTicket { request: request.into(), queue: queue.into() };
    match Session::new().ask(city, terminal, question).await {
        AnswerBody::QueueTicket(ticket) => Ok(ticket),
        AnswerBody::NotFound => Err("not found"),
        AnswerBody::NotNow => Err("not now"),
        _ => Err("something else"),
    }
}

#[tokio::test]
async fn each_request_has_a_number_of_its_queue_and_keeps_it() {
    let mut city = City::prepare();
    std::fs::write(city.path("catalog/items/windows.toml"), ITEM).unwrap();
    city.restart().await;
    let (one, two) = (city.terminal("DG0001"), city.terminal("DG0002"));
    let first = take(&city, &one, "run-1", "a-lost").await.unwrap();
    assert_eq!((first.number.as_str(), first.waiting), ("A001", None));
    assert_eq!(first.day.len(), 10);
    assert_eq!(
        take(&city, &two, "run-1", "a-lost").await.unwrap().number,
        "A002",
        "another terminal's request"
    );
    assert_eq!(take(&city, &one, "run-1", "a-lost").await.unwrap(), first, "asked again");
    assert_eq!(take(&city, &one, "run-2", "b-other").await.unwrap().number, "B001");
    for (request, queue) in [("run-3", "c-unknown"), ("run-3", ""), ("", "a-lost")] {
        assert_eq!(take(&city, &one, request, queue).await, Err("not found"), "{request} {queue}");
    }
    city.restart().await;
    let one = city.terminal("DG0001");
    assert_eq!(take(&city, &one, "run-1", "a-lost").await.unwrap(), first, "kept over a restart");
    let mut taken = 0;
    for n in 0..40 {
        taken += usize::from(take(&city, &one, &format!("more-{n}"), "a-lost").await.is_ok());
    }
    assert!((5..20).contains(&taken), "one terminal does not empty the roll: {taken}");
    assert!(take(&city, &city.terminal("DG0002"), "run-9", "a-lost").await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_window_calls_is_told_to_whoever_takes_a_number() {
    let mut city = City::prepare();
    std::fs::write(city.path("catalog/items/windows.toml"), ITEM).unwrap();
    let mut worker = Operator::add(&city, "worker", "department_worker", Some(DEPARTMENT));
    let mut audit = Operator::add(&city, "audit", "auditor", None);
    city.restart().await;
    let terminal = city.terminal("DG0001");
    let browser = Browser::signed_in(&city, &mut worker).await;
    let stranger = Browser::signed_in(&city, &mut audit).await;
    assert_eq!(stranger.get("/desk/queues").await.status, 403);
    assert!(browser.get("/desk/queues").await.html.contains("今天还没有人取号"));
    for n in 1..=3 {
        take(&city, &terminal, &format!("run-{n}"), "a-lost").await.unwrap();
    }
    let page = browser.get("/desk/queues").await.html;
    assert!(page.contains("甲窗口") && page.contains("叫 A001"), "{page}");
    let call = async |number: &str| {
        let fields = [("queue", "a-lost"), ("number", number)];
        browser.submit("/desk/queues", "/desk/queues/call", &fields).await.status
    };
    // Twice is once, and nobody calls what was never given out.
    for number in ["1", "1", "9", "x"] {
        assert_eq!(call(number).await, 303, "{number}");
    }
    assert!(browser.get("/desk/queues").await.html.contains("叫 A002"));
    assert_eq!(take(&city, &terminal, "run-4", "a-lost").await.unwrap().waiting, Some(2), "A002 and A003");
    assert_eq!(take(&city, &terminal, "run-2", "a-lost").await.unwrap().waiting, Some(0));
}
