//! A department's own server, as good and as bad as they are: the same question each time, and one clear answer.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Json, Router};
use city_gateway::registers::{RegisterConfig, RegisterKind};
use serde_json::{Value, json};
use sync_protocol::{AnswerBody, QuestionBody};

use crate::fetch::{NAME, fetch, number, prepared, question};
use crate::query::Session;
use crate::support::City;

const TOKEN: &str = "a-token-of-the-department";

/// How the server answers, and what it was asked.
#[derive(Clone, Default)]
struct Department {
    manner: Arc<Mutex<&'static str>>,
    asked: Arc<Mutex<Vec<Value>>>,
}

async fn answer(
    State(department): State<Department>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Response {
    department.asked.lock().unwrap().push(asked);
    if headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok())
        != Some(format!("Bearer {TOKEN}").as_str())
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let facts =
        json!({ "insured_as": "employee", "state": "valid", "until": "2026-10", "balance": "120850" });
    let row = json!({ "month": "2026-10", "in": "12000", "out": "0", "balance": "120850" });
    let manner = *department.manner.lock().unwrap();
    match manner {
        "good" => Json(json!({ "held": true, "facts": facts, "rows": [row] })).into_response(),
        "nothing" => Json(json!({ "held": false })).into_response(),
        "an unknown key" => {
            Json(json!({ "held": true, "facts": { "name": NAME }, "rows": [] })).into_response()
        }
        "another word" => {
            let mut facts = facts;
            facts["state"] = "dead".into();
            Json(json!({ "held": true, "facts": facts, "rows": [] })).into_response()
        }
        "too many rows" => {
            Json(json!({ "held": true, "facts": facts, "rows": vec![row; 61] })).into_response()
        }
        "no JSON" => "<html>维护中</html>".into_response(),
        "too long" => {
            format!("{{\"held\": false, \"facts\": {{}}}}{}", " ".repeat(512 * 1024)).into_response()
        }
        "at fault" => (StatusCode::INTERNAL_SERVER_ERROR, "no").into_response(),
        "elsewhere" => Redirect::temporary("/good").into_response(),
        "slow" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            StatusCode::OK.into_response()
        }
        other => panic!("{other}"),
    }
}

impl Department {
    fn will_be(&self, manner: &'static str) {
        *self.manner.lock().unwrap() = manner;
    }
}

/// A city that asks this server about medical insurance, within a second, two at a time.
async fn city_with(url: Option<String>) -> (City, Department) {
    let department = Department { manner: Arc::new(Mutex::new("good")), ..Department::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = format!("http://{}/kiosk", listener.local_addr().unwrap());
    let routes = Router::new().fallback(post(answer)).with_state(department.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let (mut city, mut config, _) = prepared();
    std::fs::write(city.path("token"), format!("{TOKEN}\n")).unwrap();
    let register = RegisterConfig {
        kind: RegisterKind::Http,
        url: Some(url.unwrap_or(own)),
        token_file: Some(city.path("token")),
        timeout_seconds: 1,
        at_once: 2,
        ..RegisterConfig::reference()
    };
    config.registers.insert("medical-insurance".into(), register);
    city.restart_with(config).await;
    (city, department)
}

fn asked() -> QuestionBody {
    fetch(question("medical-account", json!({})))
}

#[tokio::test]
async fn a_department_is_asked_as_it_was_told_it_would_be() {
    let (city, department) = city_with(None).await;
    let terminal = city.terminal("DG0001");
    match Session::new().ask(&city, &terminal, asked()).await {
        AnswerBody::Fetched(fetched) => {
            assert_eq!((fetched.facts["balance"].as_str(), fetched.rows.len()), ("120850", 1));
        }
        _ => panic!("nothing was fetched"),
    }
    let description: Value = serde_json::from_str(include_str!("../../openapi/registers.json")).unwrap();
    let schema = json!({
        "components": description["components"],
        "$ref": "#/components/schemas/Question",
    });
    let questions = department.asked.lock().unwrap().clone();
    assert_eq!(questions.len(), 1);
    jsonschema::draft202012::new(&schema).unwrap().validate(&questions[0]).unwrap();
    let person = json!({ "document": "resident-id-card", "name": NAME, "number": number() });
    assert_eq!(questions[0]["person"], person);
    department.will_be("nothing");
    assert!(matches!(Session::new().ask(&city, &terminal, asked()).await, AnswerBody::NothingHeld));
}

#[tokio::test]
async fn whatever_a_department_does_wrong_the_resident_is_told_that_it_is_away() {
    let (city, department) = city_with(None).await;
    let terminal = city.terminal("DG0001");
    for manner in [
        "an unknown key",
        "another word",
        "too many rows",
        "no JSON",
        "too long",
        "at fault",
        "elsewhere",
        "slow",
    ] {
        department.will_be(manner);
        let answer = Session::new().ask(&city, &terminal, asked()).await;
        assert!(matches!(answer, AnswerBody::DepartmentAway), "{manner}");
    }
    // One that follows would have come back with a good answer.
    assert_eq!(department.asked.lock().unwrap().len(), 8);
    let figures = city.page("/metrics").await.text().await.unwrap();
    assert!(figures.contains("gateway_fetches_total{result=\"department_away\"} 8"), "{figures}");
    assert!(city.gateway().desk_store().audit_after(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_department_that_is_not_there_is_away() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let (city, _) = city_with(Some(nobody)).await;
    let terminal = city.terminal("DG0001");
    assert!(matches!(Session::new().ask(&city, &terminal, asked()).await, AnswerBody::DepartmentAway));
}

#[tokio::test]
async fn a_slow_department_keeps_nobody_else_waiting() {
    let (city, department) = city_with(None).await;
    let (terminal, other) = (city.terminal("DG0001"), city.terminal("DG0002"));
    department.will_be("slow");
    let session = Session::new();
    let slow = async { session.ask(&city, &terminal, asked()).await };
    let quick = async {
        while department.asked.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let begun = Instant::now();
        let reached = Session::new().ask(&city, &other, QuestionBody::Reach).await;
        (reached, begun.elapsed())
    };
    let (slow, (reached, took)) = tokio::join!(slow, quick);
    assert!(matches!(slow, AnswerBody::DepartmentAway));
    assert!(matches!(reached, AnswerBody::Reached));
    assert!(took < Duration::from_secs(1), "{took:?}: it waited for the department");
}
