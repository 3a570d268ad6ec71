//! What follows a case: supplied and withdrawn by whoever holds its receipt, late, early, twice, and with a wrong code.

use serde_json::{Value, json};
use sync_protocol::{
    BlobRef, CaseDelivery, CaseReference, DeliveryNote, Manifest, RecordKind, SealedRecord, Sealer,
    Submission, sha256_hex,
};

use crate::department::{Department, hasty, judged, until};
use crate::desk::DEPARTMENT;
use crate::operators::{Browser, Operator, Page};
use crate::query::Session;
use crate::support::{City, Terminal, case_id};

const WORDS: &str = "这是补的说明";
const WAITS: &str = "its case is not here (yet)";

fn path(seq: u64) -> String {
    format!("/desk/case/DG0001/{}", case_id(seq))
}

/// A city with both items in its catalog.
fn prepare() -> City {
    let city = City::prepare();
    for (name, text) in [
        ("case-supplement", include_str!("../../../assets/catalog/items/case-supplement.toml")),
        ("case-withdrawal", include_str!("../../../assets/catalog/items/case-withdrawal.toml")),
    ] {
        std::fs::write(city.path(&format!("catalog/items/{name}.toml")), text).unwrap();
    }
    city
}

/// A record of this item that names the case at a place by this code.
fn follows(
    terminal: &Terminal,
    seq: u64,
    item: &str,
    (about, code): (&str, &str),
    answers: Value,
) -> Submission {
    let mut submission = terminal.submission(seq);
    submission.item = item.into();
    submission.item_version = 1;
    submission.identification = "receipt".into();
    submission.applicant.clear();
    submission.answers = answers.as_object().unwrap().clone();
    submission.about = Some(CaseReference { case_number: about.into(), verification: code.into() });
    submission
}

fn sealed(
    terminal: &Terminal,
    seq: u64,
    submission: &Submission,
    blobs: &[&[u8]],
) -> (Manifest, SealedRecord) {
    let ciphertext = terminal.sealer.seal(&submission.to_plaintext()).unwrap();
    let mut manifest = terminal.manifest(seq, RecordKind::Case, &ciphertext);
    manifest.item = submission.item.clone();
    manifest.item_version = submission.item_version;
    let name = |blob: &&[u8]| BlobRef { sha256: sha256_hex(blob), bytes: blob.len() as u64 };
    manifest.blobs = blobs.iter().map(name).collect();
    (manifest.clone(), SealedRecord { manifest: manifest.sign(&terminal.key), ciphertext })
}

async fn withdraw(city: &City, terminal: &Terminal, seq: u64, about: (&str, &str)) {
    let answers = json!({ "reason": "solved" });
    let submission = follows(terminal, seq, "case-withdrawal", about, answers);
    let (manifest, record) = sealed(terminal, seq, &submission, &[]);
    terminal.deliver(city, &manifest, &record).await;
}

async fn deliver_case(city: &City, terminal: &Terminal, seq: u64) {
    let (manifest, record) = terminal.case(seq);
    terminal.deliver(city, &manifest, &record).await;
}

async fn step(browser: &Browser, seq: u64, version: &str, to: &str, reason: &str, note: &str) -> Page {
    let fields = [("version", version), ("to", to), ("reason", reason), ("note", note)];
    browser.submit("/desk/password", &format!("{}/step", path(seq)), &fields).await
}

/// The states and reasons that a resident is told, as `pre_review`, `closed withdrawn`.
async fn told(city: &City, number: &str, code: &str) -> Vec<String> {
    let asker = city.terminal("DG0009");
    let progress = Session::new().progress(city, &asker, number, code).await;
    let said = |step: &sync_protocol::ProgressStep| {
        let state = serde_json::to_value(step.state).unwrap();
        format!("{} {}", state.as_str().unwrap(), step.reason).trim_end().to_owned()
    };
    progress.map(|progress| progress.steps.iter().map(said).collect()).unwrap_or_default()
}

async fn status(city: &City, seq: u64) -> (String, String) {
    let records = city.records().await;
    let record = records.iter().find(|record| record["case_id"] == case_id(seq)).unwrap();
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    // The label of the reason, without its details.
    let label = text("reason").split(':').next().unwrap_or_default();
    (text("status").to_owned(), label.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_supplied_is_beside_the_case_and_the_resident_is_told() {
    let mut city = prepare();
    let mut wang = Operator::add(&city, "wang", "department_worker", Some(DEPARTMENT));
    let mut other = Operator::add(&city, "other", "department_worker", Some("人社局"));
    city.restart().await;
    let terminal = city.terminal("DG0001");
    deliver_case(&city, &terminal, 1).await;
    city.all_decided().await;
    let browser = Browser::signed_in(&city, &mut wang).await;
    let asked = step(&browser, 1, "0", "supplement_requested", "missing_material", "请补租赁合同").await;
    assert_eq!(asked.status, 303);

    // At another terminal, with two photos: not before both are there.
    let elsewhere = city.terminal("DG0001");
    let photos: [&[u8]; 2] = [&[7; 3_000], &[8; 2_000]];
    let inside =
        photos.map(|photo| json!({ "sha256": sha256_hex(&photo[..10]), "bytes": photo.len() - 200 }));
    let answers = json!({ "papers": inside, "words": WORDS, "phone": "13812341234" });
    let submission = follows(&elsewhere, 2, "case-supplement", ("DG0001-1", "DG0001-V1"), answers);
    let (manifest, record) = sealed(&elsewhere, 2, &submission, &photos);
    elsewhere.deliver(&city, &manifest, &record).await;
    assert_eq!(
        told(&city, "DG0001-1", "DG0001-V1").await.last().unwrap(),
        "supplement_requested missing_material"
    );
    for photo in photos {
        let sha256 = sha256_hex(photo);
        elsewhere.announce(&city, &sha256, photo.len() as u64).await;
        assert_eq!(elsewhere.piece(&city, &sha256, 0, photo).await.status(), 204);
    }
    until("it is put beside its case", async || status(&city, 2).await.0 == "opened").await;
    let life = ["pre_review", "supplement_requested missing_material", "pre_review supplied"];
    assert_eq!(told(&city, "DG0001-1", "DG0001-V1").await, life);
    // Its own receipt leads on, and its life is not the case's.
    assert_eq!(told(&city, "DG0001-2", "DG0001-V2").await, ["pre_review", "closed joined"]);

    let page = browser.get(&path(1)).await.html;
    for word in ["申请人补正", "2 张照片", "DG0001-2", "申请人（终端）", &path(2), "待预审"]
    {
        assert!(page.contains(word), "{word}");
    }
    let page = browser.get(&path(2)).await;
    assert_eq!(page.status, 200);
    for word in ["DG0001-1", &path(1), "138****1234", "2 张照片", "没有再核验身份"] {
        assert!(page.html.contains(word), "{word}");
    }
    assert!(!page.html.contains(WORDS) && !page.html.contains("DG0001-V1"));
    let fields = [("reason", "supplement"), ("reference", "")];
    let opened = browser.submit(&path(2), &format!("{}/unmask", path(2)), &fields).await;
    assert!(opened.status == 200 && opened.html.contains(WORDS) && opened.html.contains("照片（附件"));
    // It is no case of its own: not listed, not to be decided about, and of nobody else.
    let inbox = browser.get("/desk/?state=all").await.html;
    assert!(inbox.contains("DG0001-1") && !inbox.contains("DG0001-2"));
    assert_eq!(step(&browser, 2, "0", "accepted", "complete", "").await.status, 404);
    let others = Browser::signed_in(&city, &mut other).await;
    assert_eq!(others.get(&path(2)).await.status, 404);
    let refused = others.submit("/desk/", &format!("{}/unmask", path(2)), &fields).await;
    assert!(refused.status == 404 && !refused.html.contains(WORDS));
    // Whoever looks at the page of before decides about nothing.
    assert_eq!(step(&browser, 1, "1", "accepted", "complete", "").await.status, 409);
    assert_eq!(step(&browser, 1, "2", "accepted", "supplemented", "").await.status, 303);

    // The same record again changes nothing.
    elsewhere.deliver(&city, &manifest, &record).await;
    city.all_decided().await;
    assert_eq!(told(&city, "DG0001-1", "DG0001-V1").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_closes_the_case_and_a_late_one_is_said_and_changes_nothing() {
    let mut city = prepare();
    let mut wang = Operator::add(&city, "wang", "department_worker", Some(DEPARTMENT));
    city.restart().await;
    let terminal = city.terminal("DG0001");
    deliver_case(&city, &terminal, 1).await;
    city.all_decided().await;
    withdraw(&city, &terminal, 2, ("DG0001-1", "DG0001-V1")).await;
    city.all_decided().await;
    assert_eq!(told(&city, "DG0001-1", "DG0001-V1").await, ["pre_review", "closed withdrawn"]);
    let browser = Browser::signed_in(&city, &mut wang).await;
    let page = browser.get(&path(1)).await.html;
    assert!(page.contains("申请人撤回") && page.contains("不能再处理"));
    withdraw(&city, &terminal, 3, ("DG0001-1", "DG0001-V1")).await;
    city.all_decided().await;
    let life = ["pre_review", "closed withdrawn", "closed withdrawal_late"];
    assert_eq!(told(&city, "DG0001-1", "DG0001-V1").await, life);
    assert!(browser.get(&path(1)).await.html.contains("没有改变"));
    // Named by the receipt of what followed it, it is found as well.
    withdraw(&city, &terminal, 4, ("DG0001-2", "DG0001-V2")).await;
    city.all_decided().await;
    assert_eq!(told(&city, "DG0001-1", "DG0001-V1").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_comes_before_its_case_waits_also_over_a_restart() {
    let mut city = prepare();
    city.restart().await;
    let terminal = city.terminal("DG0001");
    withdraw(&city, &terminal, 2, ("DG0001-1", "DG0001-V1")).await;
    city.all_decided().await;
    assert_eq!(status(&city, 2).await, ("dead_letter".into(), WAITS.into()));
    city.restart().await;
    let terminal = city.terminal("DG0001");
    city.all_decided().await;
    assert_eq!(status(&city, 2).await.1, WAITS);
    deliver_case(&city, &terminal, 1).await;
    until("it found its case", async || status(&city, 2).await.0 == "opened").await;
    assert_eq!(told(&city, "DG0001-1", "DG0001-V1").await, ["pre_review", "closed withdrawn"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_code_withdraws_nothing_and_is_kept_with_its_reason() {
    let mut city = prepare();
    let mut help = Operator::add(&city, "help", "support", None);
    city.restart().await;
    let terminal = city.terminal("DG0001");
    deliver_case(&city, &terminal, 1).await;
    city.all_decided().await;
    withdraw(&city, &terminal, 2, ("DG0001-1", "DG0001-V2")).await;
    for (seq, change) in [
        // Nobody is named, or not plainly.
        (3, (|submission| submission.about = None) as fn(&mut Submission)),
        (4, |submission| submission.about.as_mut().unwrap().case_number = "' OR 1=1 --".into()),
        (5, |submission| submission.about.as_mut().unwrap().verification.clear()),
        // Somebody is, where nobody asked.
        (6, |submission| {
            submission.applicant.insert("number".into(), "99000119710101001X".into());
        }),
    ] {
        let about = ("DG0001-1", "DG0001-V1");
        let answers = json!({ "reason": "solved" });
        let mut submission = follows(&terminal, seq, "case-withdrawal", about, answers);
        change(&mut submission);
        let (manifest, record) = sealed(&terminal, seq, &submission, &[]);
        terminal.deliver(&city, &manifest, &record).await;
    }
    // A case of its own names no other.
    let mut case = terminal.submission(7);
    case.about = Some(CaseReference { case_number: "DG0001-1".into(), verification: "DG0001-V1".into() });
    let (manifest, record) = terminal.sealed(7, RecordKind::Case, &case.to_plaintext());
    terminal.deliver(&city, &manifest, &record).await;
    city.all_decided().await;
    assert_eq!(status(&city, 2).await, ("dead_letter".into(), "wrong code of its case".into()));
    for seq in 3..=7 {
        assert_eq!(status(&city, seq).await, ("dead_letter".into(), "wrong answers".into()), "{seq}");
    }
    assert_eq!(told(&city, "DG0001-1", "DG0001-V1").await, ["pre_review"]);
    let browser = Browser::signed_in(&city, &mut help).await;
    let troubles = browser.get("/desk/troubles").await.html;
    assert!(troubles.contains("校验码不对") && troubles.contains("DG0001-1"));
    // What lies inside a seal is nowhere else.
    city.stop().await;
    assert!(!String::from_utf8_lossy(&city.written()).contains("OR 1=1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_department_learns_of_it_and_of_no_code() {
    let mut city = prepare();
    let department = Department::start(&city).await;
    let mut config = city.config();
    config.relay = hasty(vec![department.configured(&city, "csb", DEPARTMENT)]);
    city.restart_with(config).await;
    let terminal = city.terminal("DG0001");
    deliver_case(&city, &terminal, 1).await;
    let id = |seq| DeliveryNote::id_of("DG0001", &case_id(seq));
    until("the department has the case", async || department.stored() == [id(1)]).await;
    withdraw(&city, &terminal, 2, ("DG0001-1", "DG0001-V1")).await;
    until("and its withdrawal", async || department.stored() == [id(1), id(2)]).await;
    let seen = department.seen();
    let delivery: CaseDelivery = serde_json::from_slice(&seen.last().unwrap().body).unwrap();
    let (note, submission) = tokio::task::block_in_place(|| judged(&city, &department.seal, &delivery));
    assert_eq!(note["about"], id(1));
    assert_eq!(submission["about"], json!({ "case_number": "DG0001-1", "verification": "" }));
    assert_eq!(
        (&submission["item"], &submission["answers"]["reason"]),
        (&json!("case-withdrawal"), &json!("solved"))
    );
    assert_eq!(submission["applicant"], json!({}));
    let first: CaseDelivery = serde_json::from_slice(&seen[0].body).unwrap();
    let (note, submission) = tokio::task::block_in_place(|| judged(&city, &department.seal, &first));
    assert!(
        note.get("about").is_none() && submission.get("about").is_none(),
        "as before there was such a thing"
    );
}
