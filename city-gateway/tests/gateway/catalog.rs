//! The signed catalog's files, handed to terminals.

use crate::support::{City, Terminal, described};

async fn get(city: &City, terminal: &Terminal, path: &str) -> reqwest::Response {
    let response = terminal.client.get(city.url(&format!("/v1/catalog/{path}"))).send().await.unwrap();
    described("get", "/v1/catalog/{path}", response).await
}

#[tokio::test(flavor = "multi_thread")]
async fn terminals_get_the_repositorys_files_and_hear_of_changes() {
    let mut city = City::prepare();
    let metadata = city.path("repository/metadata");
    std::fs::create_dir_all(&metadata).unwrap();
    std::fs::write(metadata.join("timestamp.json"), "first").unwrap();
    let mut config = city.config();
    config.paths.catalog_repository = Some(city.path("repository"));
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");

    let answer = get(&city, &terminal, "metadata/timestamp.json").await;
    assert_eq!(answer.headers()["content-type"], "application/octet-stream");
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (200, "first".into()));
    for path in [
        "metadata/9.root.json",
        "metadata/%2e%2e/%2e%2e/keys/city-seal.key",
        "keys/city-seal.key",
        "metadata",
    ] {
        assert_eq!(get(&city, &terminal, path).await.status(), 404, "{path}");
    }
    let before = terminal.hello(&city).await.catalog_version;
    assert_eq!(terminal.hello(&city).await.catalog_version, before);
    std::fs::write(metadata.join("timestamp.json"), "second one").unwrap();
    assert_ne!(terminal.hello(&city).await.catalog_version, before);
    let answer = get(&city, &terminal, "metadata/timestamp.json").await;
    assert_eq!(
        answer.text().await.unwrap(),
        "second one",
        "what was published last, not what was read before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_repository_there_is_no_file() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    assert_eq!(get(&city, &terminal, "metadata/timestamp.json").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_not_on_the_citys_list_gets_no_catalog() {
    let mut city = City::prepare();
    std::fs::create_dir_all(city.path("repository/metadata")).unwrap();
    std::fs::write(city.path("repository/metadata/timestamp.json"), "first").unwrap();
    let mut config = city.config();
    config.paths.catalog_repository = Some(city.path("repository"));
    config.enrolment.trust_unlisted = false;
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");
    assert_eq!(get(&city, &terminal, "metadata/timestamp.json").await.status(), 403);
    assert_eq!(terminal.hello(&city).await.catalog_version, "", "nor is it told of one");
}
