//! Cases on their way to departments: sealed, signed, at least once, and never lost (fault 29).

use std::collections::BTreeSet;
use std::time::Duration;

use city_gateway::Config;
use city_gateway::relay::{DepartmentConfig, Way};
use sync_protocol::{CaseDelivery, DeliveryNote, Manifest, RecordKind, SealedRecord, Sealer};

use crate::department::{Department, Mood, hasty, judged, until};
use crate::desk::DEPARTMENT;
use crate::operators::{Browser, Operator};
use crate::support::{City, ITEM, NAME, PHONE, Terminal, WORDS, case_id, id_number};

/// Another item, of another department.
const ELSEWHERE: &str = "test-elsewhere";

fn with(city: &City, departments: Vec<DepartmentConfig>) -> Config {
    let mut config = city.config();
    config.relay = hasty(departments);
    config
}

fn id(seq: u64) -> String {
    DeliveryNote::id_of("DG0001", &case_id(seq))
}

/// A second item in the catalog, for `其他办`.
fn add_item(city: &City) {
    let text = include_str!("item.toml").replace(ITEM, ELSEWHERE).replace(DEPARTMENT, "其他办");
    assert!(text.contains("其他办"));
    std::fs::write(city.path(&format!("catalog/items/{ELSEWHERE}.toml")), text).unwrap();
}

fn case_elsewhere(terminal: &Terminal, seq: u64) -> (Manifest, SealedRecord) {
    let mut submission = terminal.submission(seq);
    submission.item = ELSEWHERE.into();
    let ciphertext = terminal.sealer.seal(&submission.to_plaintext()).unwrap();
    let mut manifest = terminal.manifest(seq, RecordKind::Case, &ciphertext);
    manifest.item = ELSEWHERE.into();
    (manifest.clone(), SealedRecord { manifest: manifest.sign(&terminal.key), ciphertext })
}

async fn figures(city: &City) -> String {
    city.page("/metrics").await.text().await.unwrap()
}

/// Waits until every case is opened, and nothing is owed any more.
async fn all_gone(city: &City) {
    until("nothing is owed", async || {
        let waits = |record: &serde_json::Value| {
            ["received", "incomplete"].iter().any(|status| record["status"] == *status)
        };
        if city.records().await.iter().any(waits) {
            return false;
        }
        let text = figures(city).await;
        text.contains("relay_attempts_total") && !text.contains("relay_cases{")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_reaches_its_department_sealed_and_signed() {
    let mut city = City::prepare();
    let department = Department::start(&city).await;
    city.restart_with(with(&city, vec![department.configured(&city, "csb", DEPARTMENT)])).await;
    let terminal = city.terminal("DG0001");
    let photo = vec![7; 300_000];
    let (manifest, record) = terminal.case_with_blobs(1, &[&photo]);
    terminal.deliver(&city, &manifest, &record).await;
    let (rating, sealed) = terminal.rating(2, 1, 5);
    terminal.deliver(&city, &rating, &sealed).await;
    // Nothing leaves before the case is whole.
    until("the rating is opened", async || {
        city.records().await.iter().any(|record| record["status"] == "opened")
    })
    .await;
    assert!(department.seen().is_empty());
    let sha256 = sync_protocol::sha256_hex(&photo);
    terminal.announce(&city, &sha256, photo.len() as u64).await;
    assert_eq!(terminal.piece(&city, &sha256, 0, &photo).await.status(), 204);
    all_gone(&city).await;

    let seen = department.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].key, format!("\"{}\"", id(1)));
    let delivery: CaseDelivery = serde_json::from_slice(&seen[0].body).unwrap();
    let (note, submission) = tokio::task::block_in_place(|| judged(&city, &department.seal, &delivery));
    assert_eq!((note["id"].as_str().unwrap(), note["department"].as_str().unwrap()), (&*id(1), "csb"));
    assert_eq!(note["record_sha256"], manifest.sha256);
    assert_eq!(note["blobs"], serde_json::json!([{ "sha256": sha256, "bytes": 300_000 }]));
    assert_eq!(
        (submission["case_id"].as_str().unwrap(), &submission["answers"]["words"]),
        (&*case_id(1), &WORDS.into())
    );
    assert_eq!(submission["applicant"]["name"], NAME);
    // Our own judgement agrees, and the key of the city opens it no more than anybody's.
    let (read, _) = delivery.verify(&city.receipt_key).unwrap();
    assert_eq!(read.case_number, "DG0001-1");
    // Outside the seal is nothing of the resident, nor what opens the public page.
    let open = format!("{}{}", note, seen[0].key);
    for secret in [NAME, PHONE, WORDS, &id_number(), "DG0001-V1"] {
        assert!(!open.contains(secret), "{secret}");
    }
    assert!(
        figures(&city).await.contains("relay_attempts_total{department=\"csb\",result=\"delivered\"} 1\n")
    );
    // Sent again by the terminal, it is not owed again.
    terminal.deliver(&city, &manifest, &record).await;
    city.restart_with(with(&city, vec![department.configured(&city, "csb", DEPARTMENT)])).await;
    all_gone(&city).await;
    assert_eq!(department.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_department_in_every_mood_has_each_case_in_the_end() {
    const CASES: u64 = 24;
    let mut city = City::prepare();
    let department = Department::start(&city).await;
    let moods = [
        Mood::LosesAnswer,
        Mood::Says(500, ""),
        Mood::Garbage,
        Mood::Takes,
        Mood::Says(503, "retry-after: 0\r\n"),
        Mood::Silent,
        Mood::Says(429, "retry-after: soon\r\n"),
        Mood::LosesAnswer,
        Mood::Says(302, "location: https://localhost:1/elsewhere\r\n"),
        Mood::Takes,
        Mood::Garbage,
    ];
    department.feels(moods.iter().cycle().take(3 * moods.len()).cloned().chain([Mood::Takes]));
    let mut config = with(&city, vec![department.configured(&city, "csb", DEPARTMENT)]);
    // One case may meet the redirect each time.
    config.relay.refusals = 100;
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");
    for seq in 1..=CASES {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    all_gone(&city).await;
    let wanted: BTreeSet<String> = (1..=CASES).map(id).collect();
    assert_eq!(department.stored().into_iter().collect::<BTreeSet<_>>(), wanted);
    // Some came more than once, under the same id; every one of them was the city's.
    assert!(department.stored.lock().unwrap().values().any(|times| *times > 1));
    for seen in department.seen() {
        let delivery: CaseDelivery = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(format!("\"{}\"", delivery.verify(&city.receipt_key).unwrap().0.id), seen.key);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_again_and_again_waits_for_an_operator() {
    let mut city = City::prepare();
    let mut chen = Operator::add(&city, "chen", "support", None);
    let mut worker = Operator::add(&city, "wang", "department_worker", Some(DEPARTMENT));
    let mut auditor = Operator::add(&city, "li", "auditor", None);
    let department = Department::start(&city).await;
    department.feels([Mood::Says(410, "")]);
    city.restart_with(with(&city, vec![department.configured(&city, "csb", DEPARTMENT)])).await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    until("a dead letter", async || figures(&city).await.contains("state=\"dead_letter\"} 1\n")).await;
    assert_eq!(department.seen().len(), 3);

    let browser = Browser::signed_in(&city, &mut chen).await;
    let page = browser.get("/desk/undelivered").await;
    assert!(page.html.contains("DG0001-1") && page.html.contains("HTTP 410"), "{}", page.html);
    let stranger = Browser::signed_in(&city, &mut worker).await;
    assert_eq!(stranger.get("/desk/undelivered").await.status, 403);

    department.feels([Mood::Takes]);
    let place = [("terminal", "DG0001"), ("incarnation", "life-1"), ("seq", "1")];
    let released = browser.submit("/desk/undelivered", "/desk/undelivered/release", &place).await;
    assert_eq!(released.location, "/desk/undelivered");
    all_gone(&city).await;
    assert_eq!(department.stored(), [id(1)]);
    assert!(browser.get("/desk/undelivered").await.html.contains("没有未能移交的办件"));
    let audit = Browser::signed_in(&city, &mut auditor).await.get("/desk/audit").await.html;
    assert!(audit.contains("重新移交") && audit.contains("DG0001/1"), "{audit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_department_that_is_down_holds_up_nobody_else() {
    let mut city = City::prepare();
    add_item(&city);
    let (down, up) = (Department::start(&city).await, Department::start(&city).await);
    down.feels([Mood::Silent]);
    let departments = vec![down.configured(&city, "csb", DEPARTMENT), up.configured(&city, "qtb", "其他办")];
    city.restart_with(with(&city, departments)).await;
    let terminal = city.terminal("DG0001");
    for seq in 1..=12 {
        let (manifest, record) =
            if seq % 2 == 0 { case_elsewhere(&terminal, seq) } else { terminal.case(seq) };
        terminal.deliver(&city, &manifest, &record).await;
    }
    let half = |rest: u64| (1..=12).filter(|seq| seq % 2 == rest).map(id).collect::<BTreeSet<_>>();
    until("the other department has all", async || up.stored().len() == 6).await;
    assert_eq!(up.stored().into_iter().collect::<BTreeSet<_>>(), half(0));
    assert!(down.stored().is_empty());
    down.feels([Mood::Takes]);
    all_gone(&city).await;
    assert_eq!(down.stored().into_iter().collect::<BTreeSet<_>>(), half(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_department_that_asks_to_wait_is_left_alone_so_long() {
    let mut city = City::prepare();
    let department = Department::start(&city).await;
    department.feels([Mood::Says(503, "retry-after: 2\r\n"), Mood::Takes]);
    let mut config = with(&city, vec![department.configured(&city, "csb", DEPARTMENT)]);
    config.relay.at_once = 1;
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");
    for seq in 1..=2 {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    all_gone(&city).await;
    let seen = department.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[1].at.duration_since(seen[0].at) >= Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_for_nobody_is_kept_until_somebody_is_there() {
    let mut city = City::prepare();
    let mut chen = Operator::add(&city, "chen", "support", None);
    add_item(&city);
    let department = Department::start(&city).await;
    let others = department.configured(&city, "qtb", "其他办");
    city.restart_with(with(&city, vec![others.clone()])).await;
    let terminal = city.terminal("DG0001");
    for seq in 1..=2 {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    until("two dead letters", async || figures(&city).await.contains("state=\"dead_letter\"} 2\n")).await;
    // The department's people work at the desk from now on: nothing has to be sent.
    let desk = DepartmentConfig {
        code: "csb".into(),
        names: vec![DEPARTMENT.into()],
        seal_to: None,
        way: Way::Desk,
    };
    city.restart_with(with(&city, vec![others, desk])).await;
    let browser = Browser::signed_in(&city, &mut chen).await;
    let page = browser.get("/desk/undelivered").await.html;
    assert!(page.contains(DEPARTMENT) && page.contains("部门没有配置"), "{page}");
    let all = [("reason", "unknown_department")];
    browser.submit("/desk/undelivered", "/desk/undelivered/release", &all).await;
    all_gone(&city).await;
    assert!(department.seen().is_empty());
    assert!(
        figures(&city).await.contains("relay_attempts_total{department=\"csb\",result=\"delivered\"} 2\n")
    );
}
