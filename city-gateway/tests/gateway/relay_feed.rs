//! A department that fetches its cases.

use city_gateway::relay::{Way, new_token};
use serde_json::{Value, json};
use sync_protocol::{CaseDelivery, DeliveryNote};

use crate::department::{Department, hasty, judged, until};
use crate::desk::DEPARTMENT;
use crate::support::{City, case_id, described};

const CASES: &str = "/v1/departments/{code}/cases";

/// A department and its way in.
struct Fetcher {
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Fetcher {
    fn new(city: &City, token: &str) -> Self {
        let base = format!("https://localhost:{}", city.gateway().departments().unwrap().port());
        Self { client: city.client(None), base, token: token.to_owned() }
    }

    async fn get(&self, code: &str, query: &str) -> reqwest::Response {
        let url = format!("{}/v1/departments/{code}/cases{query}", self.base);
        let answer = self.client.get(url).bearer_auth(&self.token).send().await.unwrap();
        described("get", CASES, answer).await
    }

    async fn page(&self, query: &str) -> Value {
        let answer = self.get("csb", query).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        answer.json().await.unwrap()
    }

    async fn acknowledge(&self, said: &Value) -> (u16, Value) {
        let url = format!("{}/v1/departments/csb/cases/acknowledge", self.base);
        let answer = self.client.post(url).bearer_auth(&self.token).json(said).send().await.unwrap();
        let answer = described("post", "/v1/departments/{code}/cases/acknowledge", answer).await;
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn ids(page: &Value) -> Vec<String> {
    let case = |entry: &Value| {
        let note = crate::department::payload(entry["note"].as_str().unwrap());
        note["case_id"].as_str().unwrap().to_owned()
    };
    page["cases"].as_array().unwrap().iter().map(case).collect()
}

async fn fetching(city: &mut City, department: &Department, hashes: Vec<String>) {
    let mut config = city.config();
    let way = Way::Pull { token_sha256: hashes };
    config.relay = hasty(vec![department.by(city, "csb", DEPARTMENT, way)]);
    config.relay.listen = Some("127.0.0.1:0".parse().unwrap());
    city.restart_with(config).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_department_fetches_and_acknowledges() {
    let mut city = City::prepare();
    let department = Department::start(&city).await;
    let (token, hash) = new_token();
    fetching(&mut city, &department, vec![new_token().1, hash.clone()]).await;
    let fetcher = Fetcher::new(&city, &token);
    assert_eq!(fetcher.page("").await["cases"], json!([]));
    let terminal = city.terminal("DG0001");
    for seq in 1..=5 {
        let (manifest, record) = terminal.case(seq);
        terminal.deliver(&city, &manifest, &record).await;
    }
    until("five cases are there", async || fetcher.page("").await["cases"].as_array().unwrap().len() == 5)
        .await;

    let first = fetcher.page("?limit=2").await;
    assert_eq!((ids(&first), &first["more"]), (vec![case_id(1), case_id(2)], &json!(true)));
    let entry = &first["cases"][0];
    let delivery: CaseDelivery = serde_json::from_value(entry.clone()).unwrap();
    let (note, submission) = tokio::task::block_in_place(|| judged(&city, &department.seal, &delivery));
    assert_eq!(note["id"], DeliveryNote::id_of("DG0001", &case_id(1)));
    assert_eq!(submission["case_id"], case_id(1));
    let url = format!("{}/v1/openapi.json", fetcher.base);
    let document = fetcher.client.get(url).send().await.unwrap();
    let document: Value = described("get", "/v1/openapi.json", document).await.json().await.unwrap();
    let schema = json!({ "components": document["components"], "$ref": "#/components/schemas/DeliveryNote" });
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let wrong: Vec<String> = schema.iter_errors(&note).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty() && !schema.is_valid(&json!({ "version": 2 })), "{wrong:?}");
    let next = |page: &Value| format!("?after={}", page["next"].as_str().unwrap());
    let second = fetcher.page(&next(&first)).await;
    assert_eq!((ids(&second), &second["more"]), (vec![case_id(3), case_id(4), case_id(5)], &json!(false)));
    assert_eq!(fetcher.page(&next(&second)).await["next"], second["next"]);
    // What is not acknowledged is there again, from the start, also after a restart.
    fetching(&mut city, &department, vec![hash.clone()]).await;
    let fetcher = Fetcher::new(&city, &token);
    assert_eq!(ids(&fetcher.page("").await).len(), 5);

    let declined = &second["cases"][0]["cursor"];
    let said = json!({ "up_to": second["cases"][1]["cursor"], "declined": [declined] });
    assert_eq!(fetcher.acknowledge(&said).await, (200, json!({ "acknowledged": 3, "declined": 1 })));
    assert_eq!(fetcher.acknowledge(&said).await, (200, json!({ "acknowledged": 0, "declined": 0 })));
    assert_eq!(ids(&fetcher.page("").await), [case_id(5)]);
    let figures = city.page("/metrics").await.text().await.unwrap();
    assert!(figures.contains("relay_cases{department=\"csb\",state=\"dead_letter\"} 1\n"), "{figures}");
    assert!(figures.contains("relay_cases{department=\"csb\",state=\"routed\"} 1\n"), "{figures}");
    assert!(figures.contains("relay_oldest_age_seconds{department=\"csb\"}"), "{figures}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_put_back_begins_the_feed_anew() {
    let mut city = City::prepare();
    let department = Department::start(&city).await;
    let (token, hash) = new_token();
    fetching(&mut city, &department, vec![hash.clone()]).await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    let fetcher = Fetcher::new(&city, &token);
    until("the case is there", async || !ids(&fetcher.page("").await).is_empty()).await;
    let seen = fetcher.page("").await;
    city.stop().await;
    city_gateway::Operation::NewEpoch.run(&city.config()).await.unwrap();
    fetching(&mut city, &department, vec![hash]).await;
    let fetcher = Fetcher::new(&city, &token);
    // The number of then may be another case's now; so the old cursor leads to the start, and acknowledges nothing.
    let after = format!("?after={}", seen["next"].as_str().unwrap());
    assert_eq!(ids(&fetcher.page(&after).await), [case_id(1)]);
    assert_eq!(fetcher.acknowledge(&json!({ "up_to": seen["next"] })).await.0, 409);
    assert_eq!(ids(&fetcher.page("").await), [case_id(1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_and_nonsense_get_nothing() {
    let mut city = City::prepare();
    let department = Department::start(&city).await;
    let (token, hash) = new_token();
    fetching(&mut city, &department, vec![hash.clone()]).await;
    let fetcher = Fetcher::new(&city, &token);
    for (code, wrong) in
        [("csb", new_token().0), ("csb", String::new()), ("csb", hash), ("other", token.clone())]
    {
        let stranger = Fetcher { token: wrong, ..Fetcher::new(&city, "") };
        let answer = stranger.get(code, "").await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["www-authenticate"]),
            (401, &"Bearer".parse().unwrap())
        );
    }
    let bare = fetcher.client.get(format!("{}/v1/departments/csb/cases", fetcher.base)).send().await.unwrap();
    assert_eq!(described("get", CASES, bare).await.status(), 401);
    for query in ["?after=7", "?after=x.y", "?after=e.-1", "?limit=x", "?from=1"] {
        assert_eq!(fetcher.get("csb", query).await.status(), 400, "{query}");
    }
    for (said, status) in [
        (json!({}), 400),
        (json!({ "up_to": 5 }), 400),
        (json!({ "up_to": "another.5" }), 409),
        (json!({ "up_to": "another.5", "more": 1 }), 400),
        (json!({ "up_to": "a.1", "declined": vec!["a.1"; 101] }), 400),
        (json!({ "up_to": "x".repeat(70_000) }), 413),
    ] {
        assert_eq!(fetcher.acknowledge(&said).await.0, status, "{said:.80}");
    }
}
