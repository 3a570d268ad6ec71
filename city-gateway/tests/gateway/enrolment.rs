//! How terminals come to their certificates, keep them and lose them, over real TLS.

use city_gateway::operator::{Ask, Told};
use city_gateway::store::registry::{NewVoucher, Standing, TerminalState};
use reqwest::StatusCode;
use sync_protocol::{AnchorReply, AnchorStatement, ReceiptStatus, TerminalKey, sha256_hex};

use crate::applicant::{certificates_in, openssl, pem_only, request};
use crate::support::{City, Terminal, ca, described};

/// A city that believes its list only.
async fn strict_city() -> City {
    let mut city = City::prepare();
    city.restart_with(city.strict()).await;
    city
}

async fn status_of(city: &City, terminal: &Terminal, seq: u64) -> ReceiptStatus {
    let (manifest, record) = terminal.case(seq);
    terminal.deliver(city, &manifest, &record).await.1.status
}

/// A new certificate for what the terminal already is.
async fn renewed(city: &City, terminal: &Terminal) -> Terminal {
    let answer = terminal.ask_to_renew(city, request(&terminal.code, &terminal.key)).await;
    let certificate = pem_only(&certificates_in(answer).await);
    let key = TerminalKey::from_pem(&terminal.key.to_pem()).unwrap();
    city.terminal_of(&terminal.code, key, &certificate)
}

#[tokio::test]
async fn a_voucher_gives_a_certificate_that_delivers() {
    let city = strict_city().await;
    let (key, voucher) = (TerminalKey::generate(), city.voucher("DG0001").await);
    let answer = city.ask_to_enrol("DG0001", &voucher, request("DG0001", &key)).await;
    let certificate = pem_only(&certificates_in(answer).await);
    let text = openssl(&["x509", "-noout", "-text"], &city.path("keys"), certificate.as_bytes());
    let text = String::from_utf8(text).unwrap();
    for part in [
        "URI:spiffe://city/terminal/DG0001",
        "CN = DG0001",
        "TLS Web Client Authentication",
        "Digital Signature",
        "prime256v1",
        "Authority Key Identifier",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    std::fs::write(city.path("new.pem"), &certificate).unwrap();
    let verify = ["verify", "-purpose", "sslclient", "-CAfile", "keys/terminal-ca.pem", "new.pem"];
    openssl(&verify, &city.path("."), b"");

    let terminal = city.terminal_of("DG0001", key, &certificate);
    assert_ne!(terminal.hello(&city).await.catalog_version, "");
    assert_eq!(status_of(&city, &terminal, 1).await, ReceiptStatus::Accepted);
    assert_eq!(city.events().await, ["DG0001 voucher_issued", "DG0001 enrolled"]);
    // What is kept is not enough to enrol with.
    let written = city.written();
    for secret in [voucher.clone(), voucher.replace('-', "")] {
        assert!(!written.windows(secret.len()).any(|part| part == secret.as_bytes()));
    }
}

#[tokio::test]
async fn a_lost_answer_is_given_again_and_another_machine_gets_nothing() {
    let city = strict_city().await;
    let (key, voucher) = (TerminalKey::generate(), city.voucher("DG0001").await);
    let first = certificates_in(city.ask_to_enrol("DG0001", &voucher, request("DG0001", &key)).await).await;
    // Typed by hand this time.
    let typed = voucher.to_lowercase().replace('-', " ");
    let again = certificates_in(city.ask_to_enrol("DG0001", &typed, request("DG0001", &key)).await).await;
    assert_eq!(first, again);
    let thief = request("DG0001", &TerminalKey::generate());
    let refused = city.ask_to_enrol("DG0001", &voucher, thief).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let events = city.events().await;
    assert_eq!(events, ["DG0001 voucher_issued", "DG0001 enrolled", "DG0001 voucher_other_key"]);
}

#[tokio::test]
async fn what_is_no_good_voucher_gives_nothing() {
    let city = strict_city().await;
    let (key, voucher) = (TerminalKey::generate(), city.voucher("DG0001").await);
    let letters = "A".repeat(25);
    let old = NewVoucher {
        hash: sha256_hex(format!("voucher:DG0003:{letters}").as_bytes()),
        terminal: "DG0003".into(),
        issued_at_ms: 1,
        expires_at_ms: 2,
    };
    city.gateway().registry().add_voucher(old).await.unwrap();
    for (terminal, voucher, status) in [
        ("DG0002", voucher.as_str(), StatusCode::UNAUTHORIZED),
        ("DG0001", "00000-00000-00000-00000-00000", StatusCode::UNAUTHORIZED),
        ("DG0001", "", StatusCode::UNAUTHORIZED),
        ("dg0001", &voucher, StatusCode::UNAUTHORIZED),
        ("DG0003", &letters, StatusCode::FORBIDDEN),
    ] {
        let answer = city.ask_to_enrol(terminal, voucher, request(terminal, &key)).await;
        assert_eq!(answer.status(), status, "{terminal} {voucher}");
    }
    // A good one does not help for somebody else's name, nor for something that is no request.
    let body = request("DG0002", &key);
    assert_eq!(city.ask_to_enrol("DG0001", &voucher, body).await.status(), StatusCode::FORBIDDEN);
    for (body, status) in
        [("***".to_owned(), StatusCode::BAD_REQUEST), ("A".repeat(17_000), StatusCode::PAYLOAD_TOO_LARGE)]
    {
        assert_eq!(city.ask_to_enrol("DG0001", &voucher, body).await.status(), status);
    }
    let call = city.client(None).post(city.enrolment_url("/.well-known/est/simpleenroll"));
    let answer = call.body(request("DG0001", &key)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(answer.headers().contains_key("www-authenticate"));
    // None of this used it up.
    let answer = city.ask_to_enrol("DG0001", &voucher, request("DG0001", &key)).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let city = strict_city().await;
    let key = TerminalKey::generate();
    let body = request("DG0001", &key);
    let mut slowed = None;
    for guess in 0..200 {
        let voucher = format!("{guess:025}");
        let answer = city.ask_to_enrol("DG0001", &voucher, body.clone()).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            slowed = Some((guess, answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap()));
            break;
        }
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
    let (guesses, wait) = slowed.expect("somebody who guesses is slowed down");
    assert!(guesses >= 30 && wait >= 1, "{guesses} {wait}");
}

#[tokio::test]
async fn a_certificate_is_renewed_whatever_its_dates() {
    let mut city = City::start().await;
    let this_year = 2026;
    for (code, from, until) in [
        ("DG0001", this_year - 1, this_year + 20),
        ("DG0002", 2020, 2021),
        ("DG0003", 2050, 2051),
        ("DG0004", 1970, 1980),
    ] {
        let terminal = city.terminal_dated(code, from, until);
        assert_eq!(status_of(&city, &terminal, 1).await, ReceiptStatus::Accepted, "{code}");
        let fresh = renewed(&city, &terminal).await;
        assert_eq!(status_of(&city, &fresh, 2).await, ReceiptStatus::Accepted, "{code}");
        // The answer was lost: asked again, the same comes.
        let once_more = terminal.ask_to_renew(&city, request(code, &terminal.key)).await;
        let once_more = pem_only(&certificates_in(once_more).await);
        assert!(fresh.identity.starts_with(&once_more), "{code}");
        // With a new key it is another one.
        let key = TerminalKey::generate();
        let answer = fresh.ask_to_renew(&city, request(code, &key)).await;
        let certificate = pem_only(&certificates_in(answer).await);
        assert!(!fresh.identity.starts_with(&certificate));
        let rekeyed = city.terminal_of(code, key, &certificate);
        assert_eq!(status_of(&city, &rekeyed, 3).await, ReceiptStatus::Accepted, "{code}");
        // What was signed before the new key is still in the queue.
        let (manifest, record) = terminal.case(4);
        let (_, receipt) = rekeyed.deliver(&city, &manifest, &record).await;
        assert_eq!(receipt.status, ReceiptStatus::Accepted, "{code}");
        let for_another = terminal.ask_to_renew(&city, request("DG0009", &terminal.key)).await;
        assert_eq!(for_another.status(), StatusCode::FORBIDDEN);
    }
    // The list is kept: all of this holds for a city that believes nothing else.
    city.restart_with(city.strict()).await;
    let events = city.events().await;
    assert_eq!(events.iter().filter(|event| event.ends_with("renewed")).count(), 8);
}

#[tokio::test]
async fn a_renewal_storm_is_slowed_down() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let body = request("DG0001", &TerminalKey::generate());
        statuses.push(terminal.ask_to_renew(&city, body).await.status().as_u16());
    }
    assert_eq!((statuses[0], statuses[11]), (200, 429), "{statuses:?}");
}

#[tokio::test]
async fn a_revoked_terminals_cases_are_kept_aside_and_nothing_is_given_to_it() {
    let city = strict_city().await;
    let terminal = city.enrolled("DG0001").await;
    let bystander = city.enrolled("DG0002").await;
    assert_eq!(status_of(&city, &terminal, 1).await, ReceiptStatus::Accepted);
    // Over connections that were open before.
    city.revoke("DG0001").await;
    assert_eq!(terminal.hello(&city).await.catalog_version, "");
    assert_eq!(status_of(&city, &terminal, 2).await, ReceiptStatus::ConflictRecorded);
    let answer = terminal.ask_to_renew(&city, request("DG0001", &terminal.key)).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(status_of(&city, &bystander, 1).await, ReceiptStatus::Accepted);
    // Both are held; nobody asks for them again, and nothing is lost.
    assert_eq!(terminal.hello(&city).await.received, [(1, 2)]);
    let reasons: Vec<_> = city.records().await.iter().map(|record| record["status"].clone()).collect();
    assert_eq!(reasons.iter().filter(|status| *status == "quarantined").count(), 1, "{reasons:?}");

    // A new voucher brings the terminal back with a new key; what the old key signs stays doubtful.
    let back = city.enrolled("DG0001").await;
    assert_ne!(back.hello(&city).await.catalog_version, "");
    assert_eq!(status_of(&city, &back, 3).await, ReceiptStatus::Accepted);
    let (manifest, record) = terminal.case(4);
    let (_, receipt) = back.deliver(&city, &manifest, &record).await;
    assert_eq!(receipt.status, ReceiptStatus::ConflictRecorded);
    assert_eq!(status_of(&city, &terminal, 5).await, ReceiptStatus::ConflictRecorded);
}

#[tokio::test]
async fn a_terminal_that_was_revoked_by_mistake_is_taken_back() {
    let city = strict_city().await;
    let terminal = city.enrolled("DG0001").await;
    city.revoke("DG0001").await;
    assert_eq!(status_of(&city, &terminal, 1).await, ReceiptStatus::ConflictRecorded);
    city.operator(Ask::Reinstate { terminal: "DG0001".into() }).await;
    assert_eq!(status_of(&city, &terminal, 2).await, ReceiptStatus::Accepted);
    let told = city.operator(Ask::Terminals { after: String::new() }).await;
    let Told::Lines(lines) = told else { panic!("{told:?}") };
    assert!(lines[0].starts_with("DG0001 active since "), "{lines:?}");
    for ask in [
        Ask::Revoke { terminal: "DG0404".into() },
        Ask::RevokeCertificate { fingerprint: "none".into() },
        Ask::IssueVoucher { terminal: "nobody".into(), valid_hours: 1 },
        Ask::IssueVoucher { terminal: "DG0001".into(), valid_hours: 0 },
    ] {
        assert!(matches!(city.operator(ask).await, Told::Refused(_)));
    }
}

#[tokio::test]
async fn another_gateways_revocation_is_seen_within_the_refresh() {
    let mut city = City::prepare();
    let mut config = city.strict();
    config.enrolment.refresh_seconds = 1;
    city.restart_with(config).await;
    let terminal = city.enrolled("DG0001").await;
    assert_eq!(status_of(&city, &terminal, 1).await, ReceiptStatus::Accepted);
    // Behind this gateway's back.
    let registry = city.gateway().registry();
    registry.set_state("DG0001", TerminalState::Revoked, 1).await.unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let mut seq = 2;
    while status_of(&city, &terminal, seq).await == ReceiptStatus::Accepted {
        assert!(std::time::Instant::now() < deadline, "never seen");
        seq += 1;
    }
}

#[tokio::test]
async fn a_certificate_nobody_listed_is_kept_aside() {
    let city = strict_city().await;
    let terminal = city.terminal("DG0001");
    assert_eq!(terminal.hello(&city).await.catalog_version, "");
    assert_eq!(status_of(&city, &terminal, 1).await, ReceiptStatus::ConflictRecorded);
    let answer = terminal.ask_to_renew(&city, request("DG0001", &terminal.key)).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(city.events().await.is_empty());
    // Also when the terminal itself is known: somebody else made this certificate.
    let known = city.enrolled("DG0001").await;
    assert_eq!(status_of(&city, &terminal, 2).await, ReceiptStatus::ConflictRecorded);
    assert_eq!(status_of(&city, &known, 3).await, ReceiptStatus::Accepted);
}

#[tokio::test]
async fn the_terminals_authority_is_replaced_in_steps() {
    let mut city = City::start().await;
    let keys = city.path("keys");
    let old = std::fs::read_to_string(keys.join("terminal-ca.pem")).unwrap();
    let before = city.terminal("DG0001");
    assert_eq!(status_of(&city, &before, 1).await, ReceiptStatus::Accepted);

    // Both are trusted, the new one issues. It even has the old one's name.
    let new = ca();
    std::fs::write(keys.join("terminal-ca.pem"), format!("{old}{}", new.pem())).unwrap();
    std::fs::write(keys.join("terminal-ca-2.key.pem"), new.key().serialize_pem()).unwrap();
    let mut config = city.strict();
    config.enrolment.issuing_key = "terminal-ca-2.key.pem".into();
    city.restart_with(config.clone()).await;
    let call = city.client(None).get(city.enrolment_url("/.well-known/est/cacerts"));
    let authorities = described("get", "/.well-known/est/cacerts", call.send().await.unwrap()).await;
    let both = pem_only(&certificates_in(authorities).await);
    assert_eq!(both.matches("BEGIN CERTIFICATE").count(), 2);
    assert_eq!(status_of(&city, &before, 2).await, ReceiptStatus::Accepted);
    let after = renewed(&city, &before).await;
    assert_eq!(status_of(&city, &after, 3).await, ReceiptStatus::Accepted);

    // The old one goes.
    std::fs::write(keys.join("terminal-ca.pem"), new.pem()).unwrap();
    city.restart_with(config).await;
    assert_eq!(status_of(&city, &after, 4).await, ReceiptStatus::Accepted);
    assert!(before.client.get(city.url("/v1/anchors?nonce=n")).send().await.is_err());
}

#[tokio::test]
async fn the_citys_anchors_are_said_at_both_doors_to_whoever_asks() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let anyone = city.client(None);
    for (client, url) in [
        (&anyone, city.enrolment_url("/v1/anchors?nonce=a-1")),
        (&terminal.client, city.url("/v1/anchors?nonce=a-1")),
    ] {
        let response = described("get", "/v1/anchors", client.get(url).send().await.unwrap()).await;
        let reply: AnchorReply = response.json().await.unwrap();
        let said = AnchorStatement::verify_answer(&reply.anchors, &city.receipt_key, "a-1").unwrap();
        assert_eq!(said.certificates().len(), 1);
        assert!(said.server_time_ms > 1_700_000_000_000);
    }
    for question in ["", "?nonce=", "?nonce=%22", &format!("?nonce={}", "a".repeat(129))] {
        let answer = anyone.get(city.enrolment_url(&format!("/v1/anchors{question}"))).send().await.unwrap();
        let answer = described("get", "/v1/anchors", answer).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{question}");
    }
}

#[tokio::test]
async fn a_gateway_that_would_lead_terminals_astray_does_not_start() {
    let city = City::prepare();
    let error = async |config| match city_gateway::Gateway::start(&config).await {
        Ok(_) => panic!("it started"),
        Err(error) => format!("{error:#}"),
    };
    let keys = city.path("keys");
    let good = std::fs::read(keys.join("city-ca.pem")).unwrap();
    std::fs::write(keys.join("city-ca.pem"), ca().pem()).unwrap();
    assert!(error(city.config()).await.contains("none of these certifies"));
    std::fs::write(keys.join("city-ca.pem"), good).unwrap();
    // An issuing key whose certificates would not be accepted.
    std::fs::write(keys.join("terminal-ca.key.pem"), ca().key().serialize_pem()).unwrap();
    assert!(error(city.config()).await.contains("not in terminal-ca.pem"));
    std::fs::remove_file(keys.join("terminal-ca.key.pem")).unwrap();
    assert!(error(city.config()).await.contains("no issuing key"));
}

#[tokio::test]
async fn the_list_is_asked_by_terminal_and_certificate() {
    let city = strict_city().await;
    let terminal = city.enrolled("DG0001").await;
    terminal.hello(&city).await;
    let registry = city.gateway().registry();
    let der = openssl(&["x509", "-outform", "DER"], &city.path("."), terminal.identity.as_bytes());
    let fingerprint = sha256_hex(&der);
    assert_eq!(registry.standing("DG0001", &fingerprint).await.unwrap(), Standing::Listed);
    city.operator(Ask::RevokeCertificate { fingerprint: fingerprint.clone() }).await;
    assert_eq!(registry.standing("DG0001", &fingerprint).await.unwrap(), Standing::Revoked);
    assert_eq!(status_of(&city, &terminal, 1).await, ReceiptStatus::ConflictRecorded);
}
