//! The life of a case, its content for one answer, and what stays of it.

use std::sync::Arc;

use city_gateway::store::InboxStore;
use city_gateway::store::desk::{CaseState, DeskStore, ErasureRule};
use city_gateway::store::sqlite::{SqliteStore, WriterLimits};
use sync_protocol::{Manifest, SealedRecord};

use crate::desk::DEPARTMENT;
use crate::operators::{Browser, Operator};
use crate::support::{City, NAME, PHONE, WORDS, case_id, id_number};

fn path(seq: u64) -> String {
    format!("/desk/case/DG0001/{}", case_id(seq))
}

async fn deliver(city: &City, seqs: impl IntoIterator<Item = u64>) {
    let terminal = city.terminal("DG0001");
    for seq in seqs {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(city, &manifest, &record).await;
    }
    city.all_decided().await;
}

async fn step(
    browser: &Browser,
    seq: u64,
    version: &str,
    to: &str,
    reason: &str,
    note: &str,
) -> crate::operators::Page {
    let fields = [("version", version), ("to", to), ("reason", reason), ("note", note)];
    let path = path(seq);
    browser.submit("/desk/password", &format!("{path}/step"), &fields).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_goes_through_its_life_and_the_resident_can_ask() {
    let mut city = City::prepare();
    let mut wang = Operator::add(&city, "wang", "department_worker", Some(DEPARTMENT));
    let mut other = Operator::add(&city, "other", "department_worker", Some("人社局"));
    let mut help = Operator::add(&city, "help", "support", None);
    city.restart().await;
    deliver(&city, [1]).await;
    let progress = |code: &'static str| city.gateway().desk().progress("DG0001-1", code);
    assert_eq!(progress("DG0001-V1").await.unwrap().unwrap().state, CaseState::PreReview);
    assert_eq!(progress("DG0001-V2").await.unwrap(), None);

    let browser = Browser::signed_in(&city, &mut wang).await;
    let inbox = browser.get("/desk/").await.html;
    for word in ["DG0001-1", "测试诉求", "欧阳＊", "138****1234", "待预审"] {
        assert!(inbox.contains(word), "{word}");
    }
    for (version, to, reason, note, status) in [
        ("0", "closed", "done", "", 422),
        ("0", "supplement_requested", "missing_material", "", 422),
        ("0", "supplement_requested", "missing_material", "请打 13812341234", 422),
        ("0", "supplement_requested", "nonsense", "x", 422),
        ("0", "nonsense", "complete", "", 409),
        ("7", "accepted", "complete", "", 409),
        ("0", "supplement_requested", "missing_material", "请补充<b>居住证明</b>", 303),
        ("0", "accepted", "complete", "", 409),
        ("1", "accepted", "supplemented", "", 303),
        ("2", "closed", "done", "已经修好", 303),
        ("3", "accepted", "complete", "", 422),
    ] {
        let page = step(&browser, 1, version, to, reason, note).await;
        assert_eq!(page.status, status, "{version} {to} {reason} {note}: {}", page.html);
    }
    let html = browser.get(&path(1)).await.html;
    for word in ["请补充&lt;b&gt;居住证明&lt;/b&gt;", "补正后齐全", "已办好", "已经修好", "不能再处理"]
    {
        assert!(html.contains(word), "{word}");
    }
    assert!(!html.contains("<b>居住"));
    let told = progress("DG0001-V1").await.unwrap().unwrap();
    assert_eq!(
        (told.state, told.note.as_str(), told.reason.as_deref()),
        (CaseState::Closed, "已经修好", Some("done"))
    );
    assert!(browser.get("/desk/").await.html.contains("这里没有办件"));
    assert!(browser.get("/desk/?state=closed").await.html.contains("DG0001-1"));

    // For another department there is no such case; support may look and not act.
    let others = Browser::signed_in(&city, &mut other).await;
    assert!(!others.get("/desk/?state=all").await.html.contains("DG0001-1"));
    assert_eq!(others.get(&path(1)).await.status, 404);
    assert_eq!(step(&others, 1, "3", "accepted", "complete", "").await.status, 404);
    let helps = Browser::signed_in(&city, &mut help).await;
    assert_eq!(helps.get(&path(1)).await.status, 200);
    assert_eq!(step(&helps, 1, "3", "accepted", "complete", "").await.status, 403);
    let fields = [("reason", "contact"), ("reference", "")];
    let refused = helps.submit("/desk/", &format!("{}/unmask", path(1)), &fields).await;
    assert!(refused.status == 403 && !refused.html.contains(NAME));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_find_and_hostile_addresses_do_not() {
    let mut city = City::prepare();
    let mut help = Operator::add(&city, "help", "support", None);
    city.restart().await;
    deliver(&city, 1..=3).await;
    let browser = Browser::signed_in(&city, &mut help).await;
    let today = "from=2020-01-01&until=2099-01-01";
    for (query, found) in [
        ("number=DG0001-2", 1),
        (today, 3),
        ("until=2020-01-01", 0),
        ("item=test-appeal", 3),
        ("item=other", 0),
        ("department=%E6%B5%8B%E8%AF%95%E5%8A%9E", 3),
        ("department=%E6%94%BF%E5%8A%A1%E6%9C%8D%E5%8A%A1%E4%B8%AD%E5%BF%83", 0),
        ("state=accepted", 0),
        ("state=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", 3),
        ("number=%22%3E%3Cscript%3E", 0),
        ("from=%22%3E%3Cscript%3E&before=x", 3),
        ("number=' OR 1=1 --", 0),
    ] {
        let page = browser.get(&format!("/desk/?{query}")).await;
        let rows = page.html.matches("class=\"code\"><a href=\"/desk/case/").count();
        assert_eq!((page.status, rows), (200, found), "{query}");
        assert!(!page.html.contains("<script"), "{query}");
    }
    for wrong in ["/desk/case/DG0001/nothing", "/desk/case/%2e%2e/%3Cscript%3E", "/desk/case/'/%00"] {
        let page = browser.get(wrong).await;
        assert!(page.status == 404 && !page.html.contains("<script"), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_decide_at_once_one_wins() {
    let mut city = City::prepare();
    let mut wang = Operator::add(&city, "wang", "department_worker", Some(DEPARTMENT));
    city.restart().await;
    deliver(&city, [1]).await;
    let browser = Arc::new(Browser::signed_in(&city, &mut wang).await);
    let token = browser.token(&path(1)).await;
    let mut racing = tokio::task::JoinSet::new();
    for number in 0..12 {
        let (browser, token) = (Arc::clone(&browser), token.clone());
        racing.spawn(async move {
            let (to, reason) =
                if number % 2 == 0 { ("accepted", "complete") } else { ("returned", "duplicate") };
            let fields = [("version", "0"), ("to", to), ("reason", reason), ("form_token", token.as_str())];
            browser.post(&format!("{}/step", path(1)), &fields).await.status
        });
    }
    let mut answers = racing.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [[303].as_slice(), &[409; 11]].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_shown_once_to_one_and_nowhere_else() {
    let mut city = City::prepare();
    let mut wang = Operator::add(&city, "wang", "department_worker", Some(DEPARTMENT));
    let mut audit = Operator::add(&city, "audit", "auditor", None);
    city.restart().await;
    deliver(&city, [1]).await;
    let browser = Browser::signed_in(&city, &mut wang).await;
    let unmask = format!("{}/unmask", path(1));
    for (reason, reference) in [("", ""), ("curious", ""), ("contact", "13812341234"), ("contact", NAME)] {
        let fields = [("reason", reason), ("reference", reference)];
        let page = browser.submit(&path(1), &unmask, &fields).await;
        assert!(page.status == 422 && !page.html.contains(WORDS), "{reason} {reference}");
    }
    let fields = [("reason", "contact"), ("reference", "XF-2026-7")];
    let page = browser.submit(&path(1), &unmask, &fields).await;
    assert_eq!(page.status, 200);
    for content in [NAME, PHONE, WORDS, &id_number(), "请说", "居民身份证"] {
        assert!(page.html.contains(content), "{content}");
    }
    assert!(page.html.contains(r#"<meta http-equiv="refresh" content="120;url=/desk/case/"#));

    // The line names who, which case and why, and nothing of what was seen.
    let auditor = Browser::signed_in(&city, &mut audit).await;
    let chain = auditor.submit("/desk/audit", "/desk/audit", &[]).await;
    assert!(chain.html.contains("审计链完整"));
    for word in ["查看内容", "wang", "contact XF-2026-7", &case_id(1)] {
        assert!(chain.html.contains(word), "{word}");
    }
    assert_eq!(chain.html.matches("查看内容").count(), 1);
    let mut pages = vec![chain.html];
    for seen in [path(1).as_str(), "/desk/", "/desk/audit", "/city/", "/city/inbox.json", "/v/DG0001-V1"] {
        pages.push(browser.raw(seen).await.1);
        pages.push(auditor.raw(seen).await.1);
    }
    city.restart().await;
    let written = city.written();
    for secret in [NAME, PHONE, WORDS, &id_number()] {
        assert!(!pages.iter().any(|page| page.contains(secret)), "{secret}");
        assert!(!written.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    // The reference is there, so the search could have found something.
    assert!(written.windows(9).any(|window| window == b"XF-2026-7"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_content_leaves_the_receipt_and_the_history() {
    let mut city = City::prepare();
    let mut wang = Operator::add(&city, "wang", "department_worker", Some(DEPARTMENT));
    city.restart().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    let (receipt, _) = terminal.deliver(&city, &manifest, &record).await;
    city.all_decided().await;
    let browser = Browser::signed_in(&city, &mut wang).await;
    assert_eq!(step(&browser, 1, "0", "returned", "duplicate", "已有同样的办件").await.status, 303);

    city.stop().await;
    let store = SqliteStore::open(&city.path("state"), WriterLimits::default()).unwrap();
    assert_eq!(store.erase(ErasureRule::FinishedCase, i64::MAX, 10, 1_800_000_000_000).await.unwrap(), 1);
    store.close().await.unwrap();
    drop(store);
    city.restart().await;

    let browser = Browser { base: format!("http://{}", city.gateway().city()), ..browser };
    let browser = Browser { origin: Some(browser.base.clone()), ..browser };
    let html = browser.get(&path(1)).await.html;
    assert!(html.contains("按规则删除") && html.contains("重复提交") && !html.contains("已有同样的办件"));
    assert!(!html.contains("欧阳＊"));
    let fields = [("reason", "contact"), ("reference", "")];
    let page = browser.submit(&path(1), &format!("{}/unmask", path(1)), &fields).await;
    assert!(page.status == 410 && !page.html.contains(NAME));
    // Sent again: the same receipt, byte for byte, and nothing comes back.
    assert_eq!(terminal.deliver(&city, &manifest, &record).await.0, receipt);
    assert_eq!(terminal.hello(&city).await.received, [(1, 1)]);
    assert!(browser.get(&path(1)).await.html.contains("按规则删除"));
    // The same content under another manifest gets its receipt too, and stays deleted.
    let other = Manifest { catalog_version: "another".into(), ..manifest.clone() };
    let record = SealedRecord { manifest: other.sign(&terminal.key), ..record };
    terminal.deliver(&city, &other, &record).await;
    let written = city.written();
    let ciphertext = &record.ciphertext[..64];
    assert!(!written.windows(64).any(|window| window == ciphertext));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn support_has_a_dead_letter_tried_again() {
    let mut city = City::prepare();
    let mut help = Operator::add(&city, "help", "support", None);
    city.restart().await;
    let terminal = city.terminal("DG0001");
    let answers = serde_json::json!({ "words": "好" });
    let (manifest, record) = terminal.case_with(1, answers.as_object().unwrap().clone());
    terminal.deliver(&city, &manifest, &record).await;
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    city.all_decided().await;
    let browser = Browser::signed_in(&city, &mut help).await;
    let page = browser.get("/desk/troubles").await.html;
    assert!(page.contains("填写内容不符合表单") && page.contains("再试一次"));
    let aside = browser.get("/desk/aside").await.html;
    assert!(aside.contains("同一编号，内容或位置不同") && !aside.contains("再试一次"));
    let id = page.split(r#"name="id" value=""#).nth(1).unwrap().split('"').next().unwrap();
    let again = browser.submit("/desk/troubles", "/desk/troubles/retry", &[("id", id)]).await;
    assert_eq!(again.status, 303);
    for nonsense in ["", "x", "999999", "-1"] {
        let page = browser.submit("/desk/troubles", "/desk/troubles/retry", &[("id", nonsense)]).await;
        assert_eq!(page.status, 303, "{nonsense}");
    }
    // Judged again, with the same end.
    city.all_decided().await;
    assert!(browser.get("/desk/troubles").await.html.contains("填写内容不符合表单"));
}
