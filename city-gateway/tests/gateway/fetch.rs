//! What a resident fetches: asked as a terminal asks, issued as a document that others can read and check, and nothing of
//! it kept. The document is read by `pdftotext` (Debian package poppler-utils).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use city_gateway::operator::{self, Ask, Told};
use city_gateway::registers::{REFERENCE_REGISTERS, RegisterConfig};
use city_gateway::{Config, Documents};
use serde_json::{Map, Value, json};
use sync_protocol::{
    AnswerBody, DocumentContent, DocumentKey, DocumentNumber, FetchQuestion, Fetched, QuestionBody, Stamp,
    stamp_in,
};

use crate::query::Session;
use crate::support::City;

pub const ADDRESS: &str = "http://127.0.0.1:9/d/";

/// Somebody made up, who is insured and has no home (as `registers/reference` has it).
pub const NUMBER: &str = "990001198807160120";
pub const NAME: &str = "𬱖㛃";

/// The program that typesets, which lies beside the gateway; `cargo build --bins` makes it.
fn renderer() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own.parent().and_then(Path::parent).unwrap().join("render-document");
    assert!(program.exists(), "{} is built first", program.display());
    program
}

/// A city with the shipped items, a key for documents, and a register of made-up people for each.
pub fn prepared() -> (City, Config, DocumentKey) {
    let city = City::prepare();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/catalog");
    std::fs::copy(shipped.join("areas.toml"), city.path("catalog/areas.toml")).unwrap();
    for file in std::fs::read_dir(shipped.join("items")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), city.path("catalog/items").join(file.file_name())).unwrap();
    }
    let key = DocumentKey::generate();
    std::fs::write(city.path("keys/city-document.key.pem"), &*key.to_pem()).unwrap();
    let mut config = city.config();
    config.documents = Documents {
        address: Some(ADDRESS.into()),
        demo: true,
        renderer: Some(renderer()),
        timeout_seconds: 20,
        ..Documents::default()
    };
    let reference = |name: &&str| ((*name).to_owned(), RegisterConfig::reference());
    config.registers = REFERENCE_REGISTERS.iter().map(reference).collect();
    (city, config, key)
}

pub fn question(item: &str, answers: Value) -> FetchQuestion {
    let applicant = json!({ "document": "resident-id-card", "name": NAME, "number": number() });
    FetchQuestion {
        item: item.into(),
        item_version: 1,
        consent_version: 1,
        language: "zh-Hans".into(),
        identification: "id-card".into(),
        applicant: members(applicant),
        answers: members(answers),
    }
}

pub fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// With its check character.
pub fn number() -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let start = &NUMBER[..17];
    let sum: u32 = start.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{start}{}", b"10X98765432"[(sum % 11) as usize] as char)
}

pub fn fetch(question: FetchQuestion) -> QuestionBody {
    QuestionBody::Fetch(Box::new(question))
}

async fn fetched(city: &City, question: FetchQuestion) -> Box<Fetched> {
    let terminal = city.terminal("DG0001");
    match Session::new().ask(city, &terminal, fetch(question)).await {
        AnswerBody::Fetched(fetched) => fetched,
        other => panic!("nothing was fetched: {}", serde_json::to_value(&other).unwrap()["kind"]),
    }
}

/// What another program reads in the PDF, without the spaces that it sees between Chinese and digits.
fn text_of(pdf: &str) -> String {
    let pdf = STANDARD.decode(pdf).unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    let mut child = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("pdftotext is installed (poppler-utils)");
    child.stdin.take().unwrap().write_all(&pdf).unwrap();
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    text.split_whitespace().collect()
}

fn page_of(address: &str) -> String {
    format!("/d/{}", stamp_in(address))
}

#[tokio::test]
async fn what_a_register_keeps_is_issued_signed_and_checked() {
    let (mut city, config, key) = prepared();
    city.restart_with(config).await;
    let fetched = fetched(&city, question("insurance-certificate", json!({}))).await;
    assert_eq!(fetched.facts["pension"], "paying");
    assert!(fetched.rows.is_empty() && fetched.number.starts_with("ZM-"));

    // The paper says it in the resident's words.
    let text = text_of(&fetched.pdf);
    for words in
        ["社会保险参保证明", "东莞市人力资源和社会保障局", NAME, "养老保险正在交", "演示", "怎么看真假"]
    {
        assert!(text.contains(words), "no {words} in {text}");
    }
    assert!(text.contains(&fetched.number) && text.contains(&fetched.facts["employer"]));
    assert!(!text.contains(&number()), "the number is masked");

    // Anybody who has the key can check it.
    let stamp = Stamp::read(stamp_in(&fetched.address), &[key.public()]).unwrap();
    assert!(fetched.address.starts_with(ADDRESS));
    assert_eq!((stamp.item.as_str(), stamp.name.as_str()), ("insurance-certificate", "𬱖＊"));
    for (key, value) in &stamp.facts {
        assert_eq!(fetched.facts[key], *value);
    }
    assert_eq!(stamp.facts.len(), fetched.facts.len());
    let content = DocumentContent {
        item: &stamp.item,
        item_version: 1,
        number: &fetched.number,
        issued_at_s: stamp.issued_at_s,
        valid_until_s: stamp.valid_until_s(),
        name: NAME,
        person_number: &stamp.person_number,
        facts: &fetched.facts,
        rows: &fetched.rows,
    };
    assert_eq!(stamp.content, content.hash());

    // So does the page.
    let page = city.page(&page_of(&fetched.address)).await;
    assert_eq!(page.status(), 200);
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let page = page.text().await.unwrap();
    for words in ["是真的", "Genuine", "社会保险参保证明", "𬱖＊", "正在交", "演示", &fetched.number]
    {
        assert!(page.contains(words), "no {words}");
    }
    assert!(!page.contains('㛃') && !page.contains("<script"));
    let keys = city.page("/d/keys.pem").await.text().await.unwrap();
    assert_eq!(keys, key.public().to_pem());

    // What the city wrote down: that, and never whose or what.
    let lines = city.gateway().desk_store().audit_after(0, 10).await.unwrap();
    let line = &lines.last().unwrap().entry;
    assert_eq!(line.act.code(), "document_issued");
    assert_eq!(
        (line.subject.as_str(), line.detail.as_str()),
        (&*format!("DG0001/{}", fetched.number), "insurance-certificate")
    );
    let written = city.written();
    let holds = |text: &str| written.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds(&fetched.number));
    for private in [NAME, &number(), &fetched.facts["employer"], "𬱖＊", "paying", stamp_in(&fetched.address)]
    {
        assert!(!holds(private), "{private} was kept");
    }
    let figures = city.page("/metrics").await.text().await.unwrap();
    assert!(figures.contains("gateway_fetches_total{result=\"issued\"} 1"), "{figures}");
}

#[tokio::test]
async fn a_table_is_on_the_paper_row_by_row_in_every_language() {
    let (mut city, config, key) = prepared();
    city.restart_with(config).await;
    for (language, title, own) in [
        ("zh-Hans", "社会保险缴费明细", "第1页，共"),
        ("zh-Hant", "社會保險繳費明細", "第1頁，共"),
        ("en", "Socialinsurancepayments", "Page1of"),
    ] {
        let mut asked = question("insurance-payments", json!({ "period": "last-12-months" }));
        asked.language = language.into();
        let fetched = fetched(&city, asked).await;
        assert_eq!(fetched.rows.len(), 12);
        let text = text_of(&fetched.pdf);
        assert!(text.contains(title) && text.contains(own), "{text}");
        let stamp = Stamp::read(stamp_in(&fetched.address), &[key.public()]).unwrap();
        assert_eq!(stamp.rows, 12);
        for row in &fetched.rows {
            let fen: u64 = row["own"].parse().unwrap();
            assert!(text.contains(&format!("{}.{:02}", fen / 100, fen % 100)), "{language}: {fen} in {text}");
        }
    }
}

#[tokio::test]
async fn each_state_of_a_document_has_a_clear_answer() {
    let (mut city, config, key) = prepared();
    let state = config.paths.state.clone();
    city.restart_with(config).await;
    let fetched = fetched(&city, question("no-property", json!({}))).await;
    let address = page_of(&fetched.address);
    let finding = async |address: &str| {
        let answer = city.page(&format!("{address}?format=json")).await;
        let status = answer.status().as_u16();
        let found: Value = answer.json().await.unwrap();
        (status, found["finding"].as_str().unwrap().to_owned())
    };
    assert_eq!(finding(&address).await, (200, "genuine".into()));
    assert_eq!(
        finding(&address.replace("/d/", "/d/ ").to_lowercase().replace(' ', "")).await,
        (200, "genuine".into())
    );
    // One letter, in the middle of a fact.
    let at = address.len() / 2;
    let other = if &address[at..=at] == "A" { "B" } else { "A" };
    let (status, found) = finding(&format!("{}{other}{}", &address[..at], &address[at + 1..])).await;
    assert!(status == 404 && ["altered", "not_a_code"].contains(&&*found), "{status} {found}");
    assert_eq!(finding(&address[..at]).await, (404, "not_a_code".into()));
    assert_eq!(finding("/d/XYZ").await, (404, "not_a_code".into()));

    let signed = |number: DocumentNumber, issued_at_s: i64, key: &DocumentKey| {
        let mut stamp = Stamp::read(stamp_in(&fetched.address), &[self::key_of(&city)]).unwrap();
        (stamp.number, stamp.issued_at_s) = (number, issued_at_s);
        format!("/d/{}", stamp.sign(key).unwrap())
    };
    let now_s = fetched.issued_at_ms / 1000;
    // Signed by the city's key, but nobody issued it: not even under a number that was issued.
    let unknown = signed(DocumentNumber::random(), now_s, &key);
    assert_eq!(finding(&unknown).await, (404, "not_on_record".into()));
    let taken = signed(DocumentNumber::read(&fetched.number).unwrap(), now_s - 60, &key);
    assert_eq!(finding(&taken).await, (404, "not_on_record".into()));
    let old = signed(DocumentNumber::random(), now_s - 91 * 24 * 3600, &key);
    assert_eq!(finding(&old).await, (410, "ended".into()));
    let forged = signed(DocumentNumber::random(), now_s, &DocumentKey::generate());
    assert_eq!(finding(&forged).await, (404, "altered".into()));

    let revoke = Ask::RevokeDocument { number: fetched.number.to_lowercase() };
    assert!(matches!(operator::ask(&state, &revoke).await.unwrap(), Told::Lines(_)));
    assert!(matches!(operator::ask(&state, &revoke).await.unwrap(), Told::Refused(_)));
    assert_eq!(finding(&address).await, (410, "revoked".into()));
    for (address, words) in [
        (&address, "已经作废"),
        (&unknown, "没有出具记录"),
        (&old, "过期了"),
        (&forged, "不是真的，或者被改过"),
        (&"/d/XYZ".to_owned(), "码不完整"),
    ] {
        let page = city.page(address).await.text().await.unwrap();
        assert!(page.contains(words) && page.contains("lang=\"en\""), "{words}");
    }
}

fn key_of(city: &City) -> sync_protocol::DocumentPublicKey {
    let pem = std::fs::read_to_string(city.path("keys/city-document.key.pem")).unwrap();
    DocumentKey::from_pem(&pem).unwrap().public()
}

#[tokio::test]
async fn what_does_not_fit_is_not_asked_of_any_department() {
    let (mut city, config, _) = prepared();
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");
    let session = Session::new();
    let changes: [(&str, fn(&mut FetchQuestion)); 10] = [
        ("typed", |asked| asked.identification = "typed".into()),
        ("another way", |asked| asked.identification = "fingerprint".into()),
        ("a way that is not the card's", |asked| asked.identification = "social-security-card".into()),
        ("another version", |asked| asked.item_version = 2),
        ("other words of consent", |asked| asked.consent_version = 2),
        ("no such item", |asked| asked.item = "no-such-item".into()),
        ("an item to submit", |asked| asked.item = "12345-appeal".into()),
        ("an answer that is no option", |asked| asked.answers = members(json!({ "period": "always" }))),
        ("no answer", |asked| asked.answers = Map::new()),
        ("a wrong number", |asked| {
            asked.applicant = members(
                json!({ "document": "resident-id-card", "name": NAME, "number": "990001198807160129" }),
            );
        }),
    ];
    for (what, change) in changes {
        let mut asked = question("insurance-payments", json!({ "period": "this-year" }));
        change(&mut asked);
        let answer = session.ask(&city, &terminal, fetch(asked)).await;
        assert!(matches!(answer, AnswerBody::NotNow), "{what}");
    }
    // Nothing of it is on record; and with a card that the item does not take.
    let other = city.terminal("DG0002");
    let mut asked = question("no-property", json!({}));
    asked.identification = "social-security-card".into();
    asked.applicant.insert("document".into(), "social-security-card".into());
    assert!(matches!(session.ask(&city, &other, fetch(asked)).await, AnswerBody::NotNow));
    assert!(city.gateway().desk_store().audit_after(0, 10).await.unwrap().is_empty());
    let figures = city.page("/metrics").await.text().await.unwrap();
    assert!(figures.contains("gateway_fetches_total{result=\"refused\"} 11"), "{figures}");
}

#[tokio::test]
async fn nothing_held_is_said_noted_and_bounded_for_each_terminal() {
    let (mut city, config, _) = prepared();
    city.restart_with(config).await;
    let (terminal, other) = (city.terminal("DG0001"), city.terminal("DG0002"));
    let session = Session::new();
    // A real area, and the example of every textbook.
    let nobody = || {
        let mut asked = question("medical-account", json!({}));
        asked.applicant.insert("number".into(), "11010519491231002X".into());
        fetch(asked)
    };
    for _ in 0..12 {
        assert!(matches!(session.ask(&city, &terminal, nobody()).await, AnswerBody::NothingHeld));
    }
    assert!(matches!(session.ask(&city, &terminal, nobody()).await, AnswerBody::NotNow));
    assert!(matches!(session.ask(&city, &other, nobody()).await, AnswerBody::NothingHeld));
    let lines = city.gateway().desk_store().audit_after(0, 100).await.unwrap();
    assert_eq!(lines.len(), 13);
    let line = &lines[0].entry;
    assert_eq!(
        (line.act.code(), line.subject.as_str(), line.detail.as_str()),
        ("nothing_held", "DG0001", "medical-account")
    );
}

#[tokio::test]
async fn without_registers_nothing_is_fetched_and_without_a_key_nothing_starts() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let answer = Session::new().ask(&city, &terminal, fetch(question("no-property", json!({})))).await;
    assert!(matches!(answer, AnswerBody::NotKnown));
    let (city, config, _) = prepared();
    std::fs::remove_file(city.path("keys/city-document.key.pem")).unwrap();
    let refused = city_gateway::Gateway::start(&config).await.err().unwrap();
    assert!(refused.to_string().contains("key documents"), "{refused:#}");
}

/// A typesetter that is not there, or hangs, costs nobody a wrong document.
#[tokio::test]
async fn without_a_typesetter_the_resident_is_told_to_come_again() {
    let (mut city, mut config, _) = prepared();
    config.documents.renderer = Some("/bin/cat".into());
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");
    let answer = Session::new().ask(&city, &terminal, fetch(question("no-property", json!({})))).await;
    assert!(matches!(answer, AnswerBody::NotNow));
    assert!(city.gateway().desk_store().audit_after(0, 10).await.unwrap().is_empty());
}
