//! Records that are kept aside, and operators who release them: from a revoked terminal, over real TLS on both sides,
//! to the resident who asks.

use std::sync::Arc;

use city_gateway::CityTls;
use city_gateway::store::desk::CaseState;
use sync_protocol::ReceiptStatus;

use crate::department::until;
use crate::desk::DEPARTMENT;
use crate::operators::{Browser, Operator, Page};
use crate::support::{City, case_id};

const DECIDE: &str = "/desk/aside/decide";

/// What the first form of a page says about its record, with what an operator fills in.
struct Form(Vec<(String, String)>);

impl Form {
    async fn on(browser: &Browser, path: &str) -> Self {
        let html = browser.get(path).await.html;
        let form = html.split(r#"action="/desk/aside/decide">"#).nth(1).expect("a form on the page");
        let form = form.split("</form>").next().unwrap();
        let field = |name: &str| {
            let value = form.split(&format!(r#"name="{name}" value=""#)).nth(1).unwrap();
            (name.to_owned(), value.split('"').next().unwrap().to_owned())
        };
        Self(["form_token", "id", "terminal", "case_id", "sha256", "version"].map(field).to_vec())
    }

    fn with(&self, fields: &[(&str, &str)]) -> Self {
        let mut all = self.0.clone();
        for (name, value) in fields {
            all.retain(|(present, _)| present != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        Self(all)
    }

    fn released(&self) -> Self {
        self.with(&[("verdict", "released"), ("reason", "resident_confirmed"), ("reference", "XF-2026-7")])
    }

    async fn send(&self, browser: &Browser) -> Page {
        let fields: Vec<(&str, &str)> = self.0.iter().map(|(name, value)| (&**name, &**value)).collect();
        browser.post(DECIDE, &fields).await
    }
}

/// A city as it runs: believes its list only, and shows its pages by TLS.
async fn secured(city: &mut City) {
    let mut config = city.strict();
    let keys = config.paths.keys.clone();
    config.city.tls =
        Some(CityTls { cert: keys.join("gateway.cert.pem"), key: keys.join("gateway.key.pem") });
    city.restart_with(config).await;
}

async fn signed_in(city: &City, operator: &mut Operator) -> Browser {
    let base = format!("https://localhost:{}", city.gateway().city().port());
    let mut browser = Browser::with(city.browser_client(), base);
    browser.enter(operator).await;
    browser
}

/// How many records wait for a person, as the city's monitoring sees it.
async fn waiting(browser: &Browser) -> String {
    let figures = browser.raw("/metrics").await.1;
    let line = figures.lines().find(|line| line.starts_with("quarantine_undecided_records ")).unwrap();
    line.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_terminals_case_is_released_and_reaches_its_resident() {
    let mut city = City::prepare();
    let mut help = Operator::add(&city, "help", "support", None);
    let mut wang = Operator::add(&city, "wang", "department_worker", Some(DEPARTMENT));
    let mut audit = Operator::add(&city, "audit", "auditor", None);
    secured(&mut city).await;
    let terminal = city.enrolled("DG0001").await;
    city.revoke("DG0001").await;
    let (manifest, record) = terminal.case(1);
    let (_, aside) = terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(aside.status, ReceiptStatus::ConflictRecorded);
    let progress = || city.gateway().desk().progress("DG0001-1", "DG0001-V1");
    assert_eq!(progress().await.unwrap(), None);

    let browser = signed_in(&city, &mut help).await;
    let page = browser.get("/desk/aside").await;
    for word in ["DG0001-1", "测试诉求", "终端或其证书已被吊销", "已隔离 <b>1</b>", "确认放行"]
    {
        assert!(page.html.contains(word), "{word}: {}", page.html);
    }
    for path in ["/desk/troubles", "/desk/undelivered"] {
        assert!(browser.get(path).await.html.contains("已隔离 <b>1</b>"), "{path}");
    }
    assert_eq!(waiting(&browser).await, "1");
    let form = Form::on(&browser, "/desk/aside").await;
    assert_eq!((form.0[2].1.as_str(), form.0[3].1.as_str()), ("DG0001", case_id(1).as_str()));
    let done = form.released().send(&browser).await;
    assert_eq!((done.status, done.location.as_str()), (303, "/desk/aside"), "{}", done.html);
    // A double click, and a page that was open before.
    let again = form.released().send(&browser).await;
    assert!(again.status == 409 && again.html.contains("其他人处理过"), "{}", again.html);
    assert_eq!(waiting(&browser).await, "0");
    assert!(browser.get("/desk/aside").await.html.contains("没有等待处理的记录"));
    let all = browser.get("/desk/aside?all=1").await.html;
    for word in ["已放行", "已与申请人核实", "help", "XF-2026-7"] {
        assert!(all.contains(word), "{word}");
    }
    assert!(!all.contains(DECIDE));

    // The opener judges it, its department decides, and the resident can ask.
    let worker = signed_in(&city, &mut wang).await;
    until("the case is at the desk", async || worker.get("/desk/").await.html.contains("DG0001-1")).await;
    assert_eq!(progress().await.unwrap().unwrap().state, CaseState::PreReview);
    let case = format!("/desk/case/DG0001/{}", case_id(1));
    let history = worker.get(&case).await.html;
    assert!(history.contains("隔离后放行") && history.contains("终端或其证书已被吊销"), "{history}");
    let fields = [("version", "0"), ("to", "accepted"), ("reason", "complete"), ("note", "")];
    assert_eq!(worker.submit(&case, &format!("{case}/step"), &fields).await.status, 303);
    assert_eq!(progress().await.unwrap().unwrap().state, CaseState::Accepted);

    // Sent again by the terminal that is still revoked: accepted now, with the time of then, each time the same.
    let (first, receipt) = terminal.deliver(&city, &manifest, &record).await;
    assert_eq!((receipt.status, receipt.server_time_ms), (ReceiptStatus::Accepted, aside.server_time_ms));
    assert_eq!(terminal.deliver(&city, &manifest, &record).await.0, first);
    assert_eq!(terminal.hello(&city).await.received, [(1, 1)]);
    assert_eq!(waiting(&browser).await, "0");

    let auditor = signed_in(&city, &mut audit).await;
    let chain = auditor.submit("/desk/audit", "/desk/audit", &[]).await.html;
    let detail = format!("resident_confirmed XF-2026-7 {}", &manifest.sha256[..16]);
    for word in ["审计链完整", "放行隔离记录", &detail, &format!("DG0001/{}", case_id(1))] {
        assert!(chain.contains(word), "{word}");
    }
    assert_eq!(chain.matches("放行隔离记录").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_support_releases_and_only_with_a_reason() {
    let mut city = City::prepare();
    let mut help = Operator::add(&city, "help", "support", None);
    let mut others = [
        (Operator::add(&city, "admin", "administrator", None), 200),
        (Operator::add(&city, "audit", "auditor", None), 403),
        (Operator::add(&city, "wang", "department_worker", Some(DEPARTMENT)), 403),
    ];
    city.restart_with(city.strict()).await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    let browser = Browser::signed_in(&city, &mut help).await;
    let form = Form::on(&browser, "/desk/aside").await;
    for (operator, status) in &mut others {
        let other = Browser::signed_in(&city, operator).await;
        let page = other.get("/desk/aside").await;
        assert!(page.status == *status && !page.html.contains(DECIDE), "{}", operator.name);
        let token = other.token("/desk/").await;
        let refused = form.released().with(&[("form_token", &token)]).send(&other).await;
        assert_eq!(refused.status, 403, "{}", operator.name);
    }
    for (fields, status) in [
        ([("reason", ""), ("reference", "")], 422),
        ([("reason", "because"), ("reference", "")], 422),
        // A reason for the other decision.
        ([("reason", "exercise"), ("reference", "")], 422),
        ([("reason", "complaint"), ("reference", "13812341234")], 422),
        ([("reason", "complaint"), ("verdict", "")], 422),
        ([("reason", "complaint"), ("verdict", "burnt")], 422),
        ([("reason", "complaint"), ("version", "1")], 409),
        ([("reason", "complaint"), ("version", "x")], 404),
        ([("reason", "complaint"), ("id", "999999")], 404),
        ([("reason", "complaint"), ("terminal", "DG0002")], 404),
        ([("reason", "complaint"), ("sha256", "' OR 1=1 --")], 404),
        ([("reason", "complaint"), ("form_token", "")], 403),
    ] {
        let page = form.released().with(&fields).send(&browser).await;
        assert_eq!(page.status, status, "{fields:?}: {}", page.html);
        assert!(status == 403 || page.html.contains("返回已隔离的记录"), "{fields:?}");
    }
    for origin in [None, Some("null"), Some("https://evil.example")] {
        let foreign = Browser { origin: origin.map(str::to_owned), ..browser.clone() };
        assert_eq!(form.released().send(&foreign).await.status, 403, "{origin:?}");
    }
    assert_eq!(city.records().await.len(), 1);
    assert_eq!(waiting(&browser).await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_looked_at_waits_no_more_and_can_still_be_released() {
    let mut city = City::prepare();
    let mut help = Operator::add(&city, "help", "support", None);
    city.restart_with(city.strict()).await;
    let terminal = city.terminal("DG0001");
    for seq in [1, 2] {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    let browser = Browser::signed_in(&city, &mut help).await;
    let kept = [("verdict", "kept_aside"), ("reason", "not_believed")];
    let newest = Form::on(&browser, "/desk/aside").await;
    assert_eq!(newest.with(&kept).send(&browser).await.status, 303);
    // Decided on a page from before.
    assert_eq!(newest.released().send(&browser).await.status, 409);
    let page = browser.get("/desk/aside").await.html;
    assert!(!page.contains("DG0001-2") && page.contains("已隔离 <b>1</b>"));
    assert_eq!(waiting(&browser).await, "1");
    assert_eq!(city.records().await.len(), 2);
    let all = browser.get("/desk/aside?all=1").await.html;
    assert!(all.contains("已阅，继续隔离") && all.contains("核实后不是申请人办理"));
    // The resident came with the receipt after all; of many who release at once one does.
    let form = Arc::new(Form::on(&browser, "/desk/aside?all=1").await.released());
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (browser, form) = (browser.clone(), Arc::clone(&form));
        racing.spawn(async move { form.send(&browser).await.status });
    }
    let mut answers = racing.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [[303].as_slice(), &[409; 11]].concat());
    let records = city.all_decided().await;
    let opened: Vec<_> = records.iter().filter(|record| record["status"] == "opened").collect();
    assert_eq!((records.len(), opened.len(), &opened[0]["case_number"]), (3, 1, &"DG0001-2".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_released_says_why() {
    let mut city = City::prepare();
    let mut help = Operator::add(&city, "help", "support", None);
    city.restart().await;
    let terminal = city.terminal("DG0001");
    // Sealed twice, so the second is another content under the same id in the same place.
    for _ in 0..2 {
        let (manifest, record) = terminal.case(1);
        terminal.deliver(&city, &manifest, &record).await;
    }
    let browser = Browser::signed_in(&city, &mut help).await;
    let page = browser.get("/desk/aside").await.html;
    assert!(page.contains("这个序号已有另一份记录") && !page.contains("确认放行"), "{page}");
    let form = Form::on(&browser, "/desk/aside").await;
    let refused = form.released().send(&browser).await;
    assert!(refused.status == 409 && refused.html.contains("这个序号已有另一份记录"), "{}", refused.html);
    assert_eq!(city.all_decided().await.len(), 2);
    let kept = form.with(&[("verdict", "kept_aside"), ("reason", "same_case")]);
    assert_eq!(kept.send(&browser).await.status, 303);
    assert_eq!(waiting(&browser).await, "0");
}
