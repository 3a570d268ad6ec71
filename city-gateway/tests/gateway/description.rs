//! Holds the gateway's answers against its own OpenAPI descriptions.

use std::sync::LazyLock;

use serde_json::Value;

/// The gateway's own description of an answer, checked: status, kind and shape.
pub async fn described(method: &str, path: &str, response: reqwest::Response) -> reqwest::Response {
    let mut whole = DESCRIPTIONS.iter();
    let whole = whole.find(|whole| whole["paths"][path][method].is_object());
    let whole = whole.unwrap_or_else(|| panic!("{method} {path} is not described"));
    let operation = &whole["paths"][path][method];
    let status = response.status().as_u16().to_string();
    let mut described = &operation["responses"][&status];
    assert!(described.is_object(), "{method} {path} does not describe {status}");
    if let Some(reference) = described["$ref"].as_str() {
        described = whole.pointer(reference.trim_start_matches('#')).unwrap();
    }
    for (name, header) in described["headers"].as_object().into_iter().flatten() {
        let present = response.headers().contains_key(name.as_str());
        assert!(present || header["required"] != true, "{method} {path} {status} lacks {name}");
    }
    let Some(schema) = described.pointer("/content/application~1json/schema") else {
        return response;
    };
    assert_eq!(response.headers()["content-type"], "application/json", "{method} {path} {status}");
    let (head, body) = {
        let head = (response.status(), response.headers().clone(), response.version());
        (head, response.bytes().await.unwrap())
    };
    if method != "head" {
        let mut whole = serde_json::json!({ "components": whole["components"] });
        whole.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
        let answer: Value = serde_json::from_slice(&body).unwrap();
        let validator = jsonschema::draft202012::new(&whole).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&answer).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{method} {path} {status}: {wrong:?}");
    }
    let mut again = axum::http::Response::builder().status(head.0).version(head.2).body(body).unwrap();
    *again.headers_mut() = head.1;
    again.into()
}

/// What the gateway says of itself, at each door.
static DESCRIPTIONS: LazyLock<[Value; 4]> = LazyLock::new(|| {
    [
        include_str!("../../openapi/terminals.json"),
        include_str!("../../openapi/enrolment.json"),
        include_str!("../../openapi/departments.json"),
        include_str!("../../openapi/registers.json"),
    ]
    .map(|text| serde_json::from_str(text).unwrap())
});
