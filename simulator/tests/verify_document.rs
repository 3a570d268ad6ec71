//! `verify-document` on papers as they are handed out, altered, photographed, and made up by somebody else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiosk_documents::{Certificate, Typesetter};
use sync_protocol::{DocumentContent, DocumentKey, DocumentNumber, Stamp};

const NAME: &str = "𬱖㛃";
const PERSON: &str = "990*************20";

/// Somebody's desk: the city's public key, and the papers on it.
struct Desk {
    folder: tempfile::TempDir,
    key: DocumentKey,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap(), key: DocumentKey::generate() };
        std::fs::write(desk.file("city.pem"), desk.key.public().to_pem()).unwrap();
        desk
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn lay(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.file(name), content).unwrap();
        self.file(name).display().to_string()
    }

    /// Whether the program is content, and what it says.
    fn verify(&self, paper: &str) -> (bool, String) {
        let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/catalog");
        let output = Command::new(env!("CARGO_BIN_EXE_verify-document"))
            .arg(paper)
            .arg("--key")
            .arg(self.file("city.pem"))
            .arg("--catalog")
            .arg(catalog)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }
}

fn now_s() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

fn address(key: &DocumentKey, issued_at_s: i64) -> String {
    let facts: BTreeMap<String, String> =
        [("insured_as", "employee"), ("state", "valid"), ("until", "2026-10"), ("balance", "120850")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
    let mut stamp = Stamp {
        number: DocumentNumber::read("ZM-7K3M-9Q2T").unwrap(),
        item: "medical-account".into(),
        item_version: 1,
        issued_at_s,
        valid_days: 90,
        name: "𬱖＊".into(),
        person_number: PERSON.into(),
        facts: facts.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        rows: 0,
        content: [0; 32],
    };
    let content = DocumentContent {
        item: &stamp.item,
        item_version: 1,
        number: "ZM-7K3M-9Q2T",
        issued_at_s,
        valid_until_s: stamp.valid_until_s(),
        name: NAME,
        person_number: PERSON,
        facts: &facts,
        rows: &[],
    };
    stamp.content = content.hash();
    format!("https://city.example/d/{}", stamp.sign(key).unwrap())
}

/// The paper that belongs to it.
fn paper(address: &str, change: impl Fn(&mut Certificate)) -> Vec<u8> {
    let mut certificate = Certificate::default();
    certificate.title = "医疗保险账户情况".into();
    certificate.department = "东莞市医疗保障局".into();
    certificate.number = "ZM-7K3M-9Q2T".into();
    certificate.issued_on = "2026年11月23日".into();
    certificate.valid_until = "2027年2月21日".into();
    certificate.name = NAME.into();
    certificate.person_number = PERSON.into();
    certificate.facts = [
        ("哪一种医保", "职工医保"),
        ("现在能不能用", "可以用"),
        ("交到哪个月", "2026年10月"),
        ("账户里还有", "1,208.50 元"),
    ]
    .map(|(label, value)| (label.to_owned(), value.to_owned()))
    .into();
    certificate.address = address.into();
    certificate.site = "https://city.example/".into();
    change(&mut certificate);
    Typesetter::new().unwrap().render_certificate(&certificate).unwrap()
}

#[test]
fn a_paper_as_it_was_handed_out_is_genuine() {
    let desk = Desk::new();
    let address = address(&desk.key, now_s());
    let pdf = desk.lay("paper.pdf", &paper(&address, |_| {}));
    let (good, said) = desk.verify(&pdf);
    assert!(good, "{said}");
    for words in ["医疗保险账户情况", "ZM-7K3M-9Q2T", "账户里还有：1,208.50 元", "页面上的字和签过的一样"]
    {
        assert!(said.contains(words), "no {words} in {said}");
    }
    assert!(desk.verify(&address).0 && desk.verify(address.rsplit('/').next().unwrap()).0);
}

#[test]
fn where_a_page_says_something_else_is_named() {
    let desk = Desk::new();
    let address = address(&desk.key, now_s());
    let changes: [(&str, fn(&mut Certificate)); 4] = [
        ("账户里还有 1,208.50 元", |paper| paper.facts[3].1 = "91,208.50 元".into()),
        ("交到哪个月 2026年10月", |paper| paper.facts[2].1 = "2026年12月".into()),
        ("ZM-7K3M-9Q2T", |paper| paper.number = "ZM-7K3M-9Q2V".into()),
        (PERSON, |paper| paper.person_number = "990*************21".into()),
    ];
    for (named, change) in changes {
        let (good, said) = desk.verify(&desk.lay("paper.pdf", &paper(&address, change)));
        assert!(!good && said.contains("纸上不一样") && said.contains(named), "{named}: {said}");
    }
}

#[test]
fn what_the_city_did_not_sign_or_no_longer_stands_by_is_not_genuine() {
    let desk = Desk::new();
    let forged = address(&DocumentKey::generate(), now_s());
    let (good, said) = desk.verify(&desk.lay("paper.pdf", &paper(&forged, |_| {})));
    assert!(!good && said.contains("不是真的") && !said.contains("1,208.50"), "{said}");
    let (good, said) = desk.verify(&address(&desk.key, now_s() - 91 * 24 * 3600));
    assert!(!good && said.contains("过期了"), "{said}");
    for (paper, words) in [
        (desk.lay("notes.txt", b"nothing"), "neither a PDF"),
        (desk.lay("torn.pdf", b"%PDF-1.7 torn"), "damaged"),
        ("https://city.example/d/".to_owned(), "不是真的"),
    ] {
        let (good, said) = desk.verify(&paper);
        assert!(!good && said.contains(words), "{said}");
    }
}
