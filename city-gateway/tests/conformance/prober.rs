//! Schemathesis reads the descriptions that the gateway serves, makes requests that fit them and requests that do not,
//! and holds every answer against them: no fault of the gateway, no answer that is not described.

use std::process::Command;

use serde_json::{Value, json};
use sync_protocol::sha256_hex;

use crate::clients;
use crate::support::City;

/// Requests of each kind for each operation. The seed is fixed: a finding is found again.
const EXAMPLES: &str = "12";

/// What the prober may know: a terminal's certificate, a blob and a record that are there.
#[derive(Default)]
struct Known<'a> {
    identity: Option<&'a str>,
    sha256: &'a str,
    case_id: &'a str,
}

/// Runs it against the description at this place: an address, or a file and the address of what it describes.
/// Whether it found nothing, and what it said.
async fn probe(city: &City, place: &[&str], known: Known<'_>) -> (bool, String) {
    let authority = city.path("server-ca.pem");
    std::fs::write(&authority, city.server_ca.pem()).unwrap();
    let folder = city.path("prober");
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new(clients::python());
    command.args(["-m", "schemathesis.cli", "--config-file"]);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/schemathesis.toml"));
    command.arg("run").args(place).arg("--tls-verify").arg(&authority);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "1"]);
    command.args(["--continue-on-failure", "--request-timeout", "20", "--no-color"]);
    if let Some(identity) = known.identity {
        let file = city.path("prober.pem");
        std::fs::write(&file, identity).unwrap();
        command.arg("--request-cert").arg(file);
    }
    command.env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance"));
    command.env("SCHEMATHESIS_HOOKS", "prober_hooks").env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("PROBER_SHA256", known.sha256).env("PROBER_CASE_ID", known.case_id);
    command.env("NO_PROXY", "*").current_dir(&folder);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

/// Nothing was found, and that in the whole description and not in a part of it.
fn clean((nothing_found, said): (bool, String)) {
    assert!(nothing_found, "{said}");
    let tested = said.lines().find_map(|line| line.trim().strip_prefix("Operations:").map(str::trim));
    let (selected, all) = tested.and_then(|words| words.split_once(" selected / ")).unwrap_or(("", ""));
    assert_eq!(format!("{selected} total"), all, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_independent_prober_finds_no_fault_and_nothing_undescribed_at_the_terminals_door() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    // Something to find: a record, and a blob that is half there.
    let photo: Vec<u8> = (0..600_000).map(|at| (at % 239) as u8).collect();
    let (manifest, record) = terminal.case_with_blobs(1, &[&photo]);
    terminal.deliver(&city, &manifest, &record).await;
    let sha256 = sha256_hex(&photo);
    assert_eq!(terminal.announce(&city, &sha256, photo.len() as u64).await.status(), 201);
    let known = Known { identity: Some(&terminal.identity), sha256: &sha256, case_id: &manifest.case_id };
    clean(probe(&city, &[&city.url("/v1/openapi.json")], known).await);
    // It was busy with the same gateway that still serves everybody else.
    assert_eq!(terminal.receipt(&city, &manifest.case_id).await.unwrap().1.case_id, manifest.case_id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_at_the_door_for_those_without_a_certificate() {
    let city = City::start().await;
    let door = city.gateway().enrolment().unwrap();
    let url = format!("https://localhost:{}/v1/openapi.json", door.port());
    clean(probe(&city, &[&url], Known::default()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_described_is_noticed() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let url = city.url("/v1/openapi.json");
    let mut whole: Value = terminal.client.get(&url).send().await.unwrap().json().await.unwrap();
    let path = "/v1/records/{case_id}/receipt";
    let mut operation = whole["paths"][path].clone();
    assert!(operation["get"]["responses"].as_object_mut().unwrap().remove("404").is_some());
    whole["paths"] = json!({ path: operation });
    let file = city.path("less.json");
    std::fs::write(&file, whole.to_string()).unwrap();
    let known = Known { identity: Some(&terminal.identity), ..Known::default() };
    let address = city.url("");
    let place = [file.to_str().unwrap(), "--url", &address];
    let (nothing_found, said) = probe(&city, &place, known).await;
    assert!(!nothing_found && said.contains("Undocumented status code"), "{said}");
}
