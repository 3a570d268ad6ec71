//! The city's pages.

use serde_json::{Value, json};

use crate::support::{City, NAME, PHONE, case_id};

#[tokio::test]
async fn the_public_page_says_what_exists_and_nothing_about_a_person() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    city.all_decided().await;

    let page = city.page("/v/DG0001-V1").await;
    assert_eq!(page.status(), 200);
    let html = page.text().await.unwrap();
    assert!(html.contains("DG0001-1") && html.contains("测试诉求") && html.contains("Test appeal"));
    for private in [NAME, "欧阳", PHONE, "138****1234", "990*"] {
        assert!(!html.contains(private), "{private}");
    }
    let answer: Value = city.page("/v/DG0001-V1?format=json").await.json().await.unwrap();
    assert_eq!((&answer["exists"], &answer["case_number"]), (&json!(true), &json!("DG0001-1")));
    assert_eq!(answer["item"], "test-appeal");
    assert!(answer["received_at_ms"].as_i64().unwrap() > 0);
    assert_eq!(answer.as_object().unwrap().len(), 5);
}

#[tokio::test]
async fn an_unknown_code_gets_a_clear_page() {
    let city = City::start().await;
    for code in ["DG0001-V1", "%3Cscript%3E", "..%2F..", &"A".repeat(500)] {
        let page = city.page(&format!("/v/{code}")).await;
        assert_eq!(page.status(), 404);
        let html = page.text().await.unwrap();
        assert!(html.contains("暂时没有找到") && html.contains("not known here yet"));
        assert!(!html.contains("<script>"));
    }
    let answer: Value = city.page("/v/DG0001-V1?format=json").await.json().await.unwrap();
    assert_eq!(answer, json!({ "exists": false }));
}

#[tokio::test]
async fn the_inbox_page_shows_each_state_and_loads_nothing_from_elsewhere() {
    let city = City::start().await;
    let empty = city.page("/city/").await.text().await.unwrap();
    assert!(empty.contains("还没有办件"));
    let terminal = city.terminal("DG0001");
    for (manifest, record) in [terminal.case(1), terminal.case(1), terminal.rating(3, 1, 5)] {
        terminal.deliver(&city, &manifest, &record).await;
    }
    let answers = json!({ "words": "好" });
    let (manifest, record) = terminal.case_with(4, answers.as_object().unwrap().clone());
    terminal.deliver(&city, &manifest, &record).await;
    city.all_decided().await;
    let page = city.page("/city/").await;
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let html = page.text().await.unwrap();
    for word in ["已开启", "已隔离", "需人工处理", "欧阳＊", "138****1234", "★★★★★", "填写内容不符合表单"]
    {
        assert!(html.contains(word), "{word}");
    }
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("//cdn"));
    for asset in ["/assets/city.css", "/assets/inbox.js"] {
        let asset = city.page(asset).await;
        assert_eq!(asset.status(), 200);
        assert!(!asset.text().await.unwrap().contains("http"));
    }
}

#[tokio::test]
async fn json_pages_follow_each_other() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    for seq in 1..=5 {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    let mut seen = Vec::new();
    let mut after = json!(0);
    loop {
        let path = format!("/city/inbox.json?after={after}&limit=2");
        let page: Value = city.page(&path).await.json().await.unwrap();
        let records = page["records"].as_array().unwrap();
        let Some(last) = records.last() else { break };
        after = last["id"].clone();
        seen.extend(records.iter().map(|record| record["case_id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen, (1..=5).map(case_id).collect::<Vec<_>>());
    let newest: Value = city.page("/city/inbox.json?before=99&limit=1").await.json().await.unwrap();
    assert_eq!(newest["records"][0]["case_id"], case_id(5));
}

#[tokio::test]
async fn health_and_unknown_addresses() {
    let city = City::start().await;
    let health: Value = city.page("/city/healthz").await.json().await.unwrap();
    assert_eq!((&health["status"], &health["items_left_out"]), (&json!("ok"), &json!(0)));
    assert_eq!(city.page("/city/nothing").await.status(), 404);
    assert!(city.page("/").await.url().path().ends_with("/city/"));
}

#[tokio::test]
async fn a_broken_item_is_left_out_and_the_rest_works() {
    let mut city = City::prepare();
    std::fs::write(city.path("catalog/items/broken.toml"), "code = ").unwrap();
    city.restart().await;
    let health: Value = city.page("/city/healthz").await.json().await.unwrap();
    assert_eq!(health["items_left_out"], 1);
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    assert_eq!(city.all_decided().await[0]["status"], "opened");
}
