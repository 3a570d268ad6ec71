//! The gateway's description of itself: served, well formed, and true to what is signed. Every answer that the other
//! tests get passes through `description::described`.

use serde_json::Value;
use sync_protocol::{AnchorStatement, HelloAnswer, Receipt};

use crate::support::{City, described};

fn schema(document: &Value, name: &str) -> jsonschema::Validator {
    let mut whole = serde_json::json!({ "components": document["components"] });
    whole["$ref"] = format!("#/components/schemas/{name}").into();
    jsonschema::draft202012::new(&whole).unwrap()
}

#[tokio::test]
async fn the_descriptions_are_served_and_their_references_lead_somewhere() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let anyone = city.client(None);
    for (client, url, least) in [
        (&terminal.client, city.url("/v1/openapi.json"), 50),
        (&anyone, city.enrolment_url("/v1/openapi.json"), 20),
    ] {
        let response = client.get(url).send().await.unwrap();
        let document: Value = described("get", "/v1/openapi.json", response).await.json().await.unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut waiting = vec![&document];
        let mut references = 0;
        while let Some(value) = waiting.pop() {
            match value {
                Value::Object(members) => {
                    if let Some(Value::String(reference)) = members.get("$ref") {
                        let place = reference.trim_start_matches('#');
                        assert!(document.pointer(place).is_some(), "{reference}");
                        references += 1;
                    }
                    waiting.extend(members.values());
                }
                Value::Array(items) => waiting.extend(items),
                _ => {}
            }
        }
        assert!(references > least, "{references}");
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            schema(&document, name);
        }
    }
}

#[tokio::test]
async fn what_is_signed_is_described() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let document: Value =
        terminal.client.get(city.url("/v1/openapi.json")).send().await.unwrap().json().await.unwrap();
    let photo = vec![1; 100];
    let (manifest, record) = terminal.case_with_blobs(1, &[&photo]);
    let (_, receipt) = terminal.deliver(&city, &manifest, &record).await;
    let hello: HelloAnswer = terminal.hello(&city).await;
    let receipt: Receipt = receipt;
    for (name, value) in [
        ("Manifest", serde_json::to_value(&manifest).unwrap()),
        ("Receipt", serde_json::to_value(&receipt).unwrap()),
        ("HelloAnswer", serde_json::to_value(&hello).unwrap()),
        ("HelloRequest", serde_json::to_value(crate::support::hello_request("DG0001")).unwrap()),
        ("SealedRecord", serde_json::to_value(&record).unwrap()),
        ("AnchorStatement", serde_json::to_value(AnchorStatement::new("n-1", 5, &[b"der"])).unwrap()),
    ] {
        let validator = schema(&document, name);
        let wrong: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
        // And something else is not.
        assert!(!validator.is_valid(&serde_json::json!({ "version": "one" })), "{name}");
    }
}
