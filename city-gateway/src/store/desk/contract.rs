//! What every store must do for the operators' side, whatever database is behind it. A store joins by implementing
//! [`DeskBed`] and naming itself in [`desk_contract_suite!`].

use std::sync::Arc;
use std::time::Duration;

use super::chain::Follower;
use super::*;
use crate::store::contract::arrival;
use crate::store::{
    Arrival, DeadLetterReason, Decision, InboxStore, Kept, MaskedPerson, Outcome, StoreError,
};

/// A database of its own for one test, seen from both sides. Opening it again opens the same one.
pub trait DeskBed {
    /// Opens the store.
    fn open(&self) -> impl Future<Output = (Arc<dyn InboxStore>, Arc<dyn DeskStore>)>;
}

/// An account.
pub fn operator(name: &str, role: Role) -> OperatorRow {
    OperatorRow {
        name: name.into(),
        role,
        department: (role == Role::DepartmentWorker).then(|| "人社局".into()),
        sites: if role == Role::SiteKeeper { vec!["DG0001".into(), "DG0007".into()] } else { Vec::new() },
        password_hash: "$argon2id$…".into(),
        code_secret: vec![1, 2, 3],
        code_step: 0,
        must_change: true,
        disabled: false,
        version: 1,
        created_at_ms: 7,
    }
}

/// An audit line.
pub fn entry(act: AuditAct, at_ms: i64) -> AuditEntry {
    AuditEntry {
        at_ms,
        actor: "wang".into(),
        address: "10.0.0.1".into(),
        act,
        subject: "DG0001/a".into(),
        detail: "…".into(),
    }
}

fn session(operator: &str, token: &str, at_ms: i64) -> SessionRow {
    SessionRow {
        token_hash: token.into(),
        operator: operator.into(),
        operator_version: 1,
        form_token: "form".into(),
        created_at_ms: at_ms,
        seen_at_ms: at_ms,
    }
}

fn key(case_id: &str) -> CaseKey {
    CaseKey { terminal: "DG0001".into(), case_id: case_id.into() }
}

fn opened() -> Outcome {
    let person =
        MaskedPerson { name: Some("陈＊".into()), number: None, phone: Some("138****1234".into()) };
    Outcome::Opened { person: Some(person), summary: "fine".into() }
}

fn dead() -> Outcome {
    Outcome::DeadLetter { reason: DeadLetterReason::WrongAnswers, detail: None }
}

/// Accepts a record and decides about it.
async fn decided(inbox: &dyn InboxStore, record: Arrival, outcome: Outcome, decided_at_ms: i64) {
    let place = record.place.clone();
    inbox.accept(record).await.unwrap();
    inbox.decide(vec![Decision { place, outcome, decided_at_ms }]).await.unwrap();
}

fn step(case_id: &str, version: i64, from: CaseState, to: CaseState, at_ms: i64) -> CaseStep {
    CaseStep {
        key: key(case_id),
        version,
        from,
        to,
        operator: "wang".into(),
        at_ms,
        reason: "complete".into(),
        note: format!("note {version}"),
    }
}

async fn follow(store: &dyn DeskStore) -> i64 {
    let head = store.audit_head().await.unwrap();
    let mut follower = Follower::new(&head);
    for line in store.audit_after(head.base_seq, 10_000).await.unwrap() {
        follower.follow(&line).unwrap();
    }
    follower.finish(&head).unwrap();
    head.seq
}

/// A keeper's terminals come back as they were given, and go with the role.
pub async fn keepers_have_sites(bed: impl DeskBed) {
    let (_, store) = bed.open().await;
    let keeper = operator("keeper", Role::SiteKeeper);
    assert!(store.add_operator(keeper.clone(), entry(AuditAct::AccountAdded, 1)).await.unwrap());
    assert_eq!(store.operator("keeper").await.unwrap(), Some(keeper.clone()));
    let fewer = Duty { sites: vec!["DG0007".into()], ..Role::SiteKeeper.into() };
    for (version, duty) in [(1, fewer), (2, Role::Support.into())] {
        let change = OperatorChange::Duty(duty.clone());
        let changed = store.change_operator("keeper", version, change, entry(AuditAct::RoleChanged, 2)).await;
        assert_eq!(changed.unwrap(), Changed::Done);
        let now = store.operator("keeper").await.unwrap().unwrap();
        assert_eq!((now.role, now.sites), (duty.role, duty.sites));
    }
}

/// An account is made once, changed by who saw its version, and its sessions end with the change.
pub async fn accounts_have_versions(bed: impl DeskBed) {
    let (_, store) = bed.open().await;
    let added = operator("wang", Role::DepartmentWorker);
    assert!(store.add_operator(added.clone(), entry(AuditAct::AccountAdded, 1)).await.unwrap());
    assert!(!store.add_operator(added.clone(), entry(AuditAct::AccountAdded, 1)).await.unwrap());
    assert_eq!(store.operator("wang").await.unwrap(), Some(added.clone()));
    assert_eq!(store.operator("li").await.unwrap(), None);
    store.open_session(session("wang", "t", 5), 0, 3, entry(AuditAct::SignIn, 5)).await.unwrap();

    let role = OperatorChange::Duty(Role::Auditor.into());
    let audit = || entry(AuditAct::RoleChanged, 2);
    assert_eq!(store.change_operator("wang", 1, role.clone(), audit()).await.unwrap(), Changed::Done);
    assert_eq!(store.change_operator("wang", 1, role.clone(), audit()).await.unwrap(), Changed::Stale);
    assert_eq!(store.change_operator("li", 1, role, audit()).await.unwrap(), Changed::Stale);
    assert!(store.session("t").await.unwrap().is_none());
    assert!(store.use_code("wang", 9).await.unwrap());
    let secrets = |code_secret| OperatorChange::Secrets {
        password_hash: "new".into(),
        code_secret,
        must_change: false,
    };
    store.change_operator("wang", 2, secrets(None), audit()).await.unwrap();
    let now = store.operator("wang").await.unwrap().unwrap();
    assert_eq!((now.role, now.department, now.version), (Role::Auditor, None, 3));
    assert_eq!((now.code_secret, now.code_step, now.must_change), (vec![1, 2, 3], 9, false));
    store.change_operator("wang", 3, secrets(Some(vec![4])), audit()).await.unwrap();
    store.change_operator("wang", 4, OperatorChange::Disabled(true), audit()).await.unwrap();
    let now = store.operator("wang").await.unwrap().unwrap();
    assert_eq!((now.code_secret.as_slice(), now.code_step, now.disabled), ([4].as_slice(), 0, true));
    assert_eq!(store.operators().await.unwrap(), [now]);
    // Refused changes left no line: added, signed in, and four changes.
    assert_eq!(follow(&*store).await, 6);
}

/// A code works once, also when two come at the same time.
pub async fn codes_work_once(bed: impl DeskBed) {
    let (_, store) = bed.open().await;
    store.add_operator(operator("wang", Role::Support), entry(AuditAct::AccountAdded, 1)).await.unwrap();
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = Arc::clone(&store);
        racing.spawn(async move { store.use_code("wang", 100).await.unwrap() });
    }
    assert_eq!(racing.join_all().await.into_iter().filter(|used| *used).count(), 1);
    assert!(!store.use_code("wang", 99).await.unwrap());
    assert!(store.use_code("wang", 101).await.unwrap());
    assert!(!store.use_code("li", 1).await.unwrap());
}

/// Sessions are found by their token, bounded, and swept when they are over.
pub async fn sessions_are_bounded(bed: impl DeskBed) {
    let (_, store) = bed.open().await;
    for name in ["wang", "li"] {
        store.add_operator(operator(name, Role::Support), entry(AuditAct::AccountAdded, 1)).await.unwrap();
    }
    store.open_session(session("li", "li", 1), 0, 2, entry(AuditAct::SignIn, 1)).await.unwrap();
    for at in 2..=4 {
        let opened = session("wang", &format!("t{at}"), at);
        store.open_session(opened, 0, 2, entry(AuditAct::SignIn, at)).await.unwrap();
    }
    assert!(store.session("t2").await.unwrap().is_none());
    let (found, account) = store.session("t3").await.unwrap().unwrap();
    assert_eq!((found, account.name.as_str()), (session("wang", "t3", 3), "wang"));
    store.touch_session("t3", 50).await.unwrap();
    store.touch_session("t3", 40).await.unwrap();
    assert_eq!(store.session("t3").await.unwrap().unwrap().0.seen_at_ms, 50);
    // Whatever was last seen before 10 is swept, whosever it was.
    store.open_session(session("wang", "t9", 60), 10, 9, entry(AuditAct::SignIn, 60)).await.unwrap();
    assert!(store.session("li").await.unwrap().is_none() && store.session("t4").await.unwrap().is_none());
    let before = follow(&*store).await;
    store.end_session("t3", entry(AuditAct::SignOut, 61)).await.unwrap();
    store.end_session("t3", entry(AuditAct::SignOut, 61)).await.unwrap();
    assert!(store.session("t3").await.unwrap().is_none());
    assert_eq!(follow(&*store).await, before + 1);
}

/// Opened cases are listed, filtered and counted; ratings and dead letters are no cases to decide about.
pub async fn cases_are_listed(bed: impl DeskBed) {
    let (inbox, store) = bed.open().await;
    for (seq, item) in [(1, "a"), (2, "b"), (3, "a"), (4, "c")] {
        let mut record = arrival("DG0001", seq, &format!("c{seq}"), "x");
        record.item = item.into();
        decided(&*inbox, record, opened(), 50).await;
    }
    let mut rating = arrival("DG0001", 5, "r", "x");
    rating.kind = crate::store::Kind::Rating;
    decided(&*inbox, rating, opened(), 50).await;
    decided(&*inbox, arrival("DG0001", 6, "dead", "x"), dead(), 50).await;
    inbox.accept(arrival("DG0001", 7, "waiting", "x")).await.unwrap();
    let first = step("c1", 0, CaseState::PreReview, CaseState::Accepted, 60);
    store.step(first, entry(AuditAct::CaseStep, 60)).await.unwrap();

    let ids = |filter: CaseFilter, limit| {
        let store = Arc::clone(&store);
        async move {
            let rows = store.cases(filter, limit).await.unwrap();
            rows.into_iter().map(|row| row.key.case_id).collect::<Vec<_>>()
        }
    };
    let any = CaseFilter::default;
    assert_eq!(ids(any(), 99).await, ["c4", "c3", "c2", "c1"]);
    let page = store.cases(any(), 2).await.unwrap();
    assert_eq!(ids(CaseFilter { before: page[1].id, ..any() }, 99).await, ["c2", "c1"]);
    let only = ItemSet::Only(vec!["a".into(), "b".into()]);
    let but = ItemSet::AllBut(vec!["b".into()]);
    assert_eq!(ids(CaseFilter { items: vec![only.clone()], ..any() }, 99).await, ["c3", "c2", "c1"]);
    assert_eq!(ids(CaseFilter { items: vec![only, but.clone()], ..any() }, 99).await, ["c3", "c1"]);
    assert!(ids(CaseFilter { items: vec![ItemSet::Only(vec![])], ..any() }, 99).await.is_empty());
    assert_eq!(ids(CaseFilter { items: vec![ItemSet::AllBut(vec![])], ..any() }, 99).await.len(), 4);
    assert_eq!(ids(CaseFilter { states: vec![CaseState::Accepted], ..any() }, 99).await, ["c1"]);
    assert_eq!(
        ids(CaseFilter { from_ms: Some(1_002), until_ms: Some(1_004), ..any() }, 99).await,
        ["c3", "c2"]
    );
    assert_eq!(ids(CaseFilter { case_number: Some("DG0001-2".into()), ..any() }, 99).await, ["c2"]);
    let work = OpenWork { pre_review: 3, accepted: 1, supplement_requested: 0 };
    assert_eq!(store.open_work(None).await.unwrap(), work);
    assert_eq!(store.open_work(Some(but)).await.unwrap(), OpenWork { pre_review: 2, ..work });

    let case = store.case(&key("c2")).await.unwrap().unwrap();
    assert_eq!((case.state, case.version, case.changed_at_ms), (CaseState::PreReview, 0, 50));
    assert_eq!((case.person.name.as_deref(), case.erased), (Some("陈＊"), None));
    assert!(store.case(&key("dead")).await.unwrap().is_none());
    assert_eq!(store.sealed(&key("c2")).await.unwrap().unwrap().record.ciphertext, b"x");
    assert!(store.sealed(&key("dead")).await.unwrap().is_none());
}

/// Of many who take the same step one wins, and the history says what happened.
pub async fn one_step_wins(bed: impl DeskBed) {
    let (inbox, store) = bed.open().await;
    decided(&*inbox, arrival("DG0001", 1, "a", "x"), opened(), 50).await;
    let mut racing = tokio::task::JoinSet::new();
    for number in 0..16 {
        let store = Arc::clone(&store);
        let to = if number % 2 == 0 { CaseState::Accepted } else { CaseState::Returned };
        racing.spawn(async move {
            store
                .step(step("a", 0, CaseState::PreReview, to, 60), entry(AuditAct::CaseStep, 60))
                .await
                .unwrap()
        });
    }
    let made = racing.join_all().await;
    assert_eq!(made.iter().filter(|made| **made == Stepped::Done(1)).count(), 1);
    assert!(made.iter().all(|made| matches!(made, Stepped::Done(1) | Stepped::Stale)));
    assert_eq!(follow(&*store).await, 1);
    let steps = store.steps(&key("a")).await.unwrap();
    assert_eq!((steps.len(), steps[0].version, steps[0].note.as_str()), (1, 1, "note 0"));
    // The right version with a state that is not the case's any more is stale too.
    let wrong = step("a", 1, CaseState::PreReview, CaseState::Accepted, 61);
    assert_eq!(store.step(wrong, entry(AuditAct::CaseStep, 61)).await.unwrap(), Stepped::Stale);
    let nowhere = step("nowhere", 0, CaseState::PreReview, CaseState::Accepted, 61);
    assert_eq!(store.step(nowhere, entry(AuditAct::CaseStep, 61)).await.unwrap(), Stepped::Missing);
}

/// Progress needs the number and the code of the same case.
pub async fn progress_needs_the_receipt(bed: impl DeskBed) {
    let (inbox, store) = bed.open().await;
    inbox.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    inbox.accept(arrival("DG0001", 2, "b", "x")).await.unwrap();
    let waiting = store.progress("DG0001-1", "Va").await.unwrap().unwrap();
    assert_eq!((waiting.state, waiting.changed_at_ms, waiting.reason), (CaseState::PreReview, 1_001, None));
    let place = arrival("DG0001", 1, "a", "x").place;
    inbox.decide(vec![Decision { place, outcome: opened(), decided_at_ms: 50 }]).await.unwrap();
    for (version, from, to) in [
        (0, CaseState::PreReview, CaseState::SupplementRequested),
        (1, CaseState::SupplementRequested, CaseState::Accepted),
    ] {
        store.step(step("a", version, from, to, 60 + version), entry(AuditAct::CaseStep, 60)).await.unwrap();
    }
    let progress = store.progress("DG0001-1", "Va").await.unwrap().unwrap();
    let wanted = ProgressRow {
        item: "appeal".into(),
        received_at_ms: 1_001,
        state: CaseState::Accepted,
        changed_at_ms: 61,
        reason: Some("complete".into()),
        note: "note 1".into(),
    };
    assert_eq!(progress, wanted);
    for (number, code) in [("DG0001-1", "Vb"), ("DG0001-2", "Va"), ("", ""), ("DG0001-1", "")] {
        assert_eq!(store.progress(number, code).await.unwrap(), None, "{number} {code}");
    }
}

/// Only dead letters are tried again, each once, with a line in the chain.
pub async fn single_dead_letters_are_tried_again(bed: impl DeskBed) {
    let (inbox, store) = bed.open().await;
    decided(&*inbox, arrival("DG0001", 1, "good", "x"), opened(), 50).await;
    decided(&*inbox, arrival("DG0001", 2, "dead", "y"), dead(), 50).await;
    inbox.accept(arrival("DG0001", 1, "other", "z")).await.unwrap();
    let dead_letters = store.dead_letters(i64::MAX, 9).await.unwrap();
    let filter = AsideFilter { before: i64::MAX, undecided: true };
    let aside = store.kept_aside(filter, 9).await.unwrap();
    assert_eq!(
        (dead_letters.len(), dead_letters[0].0.case_id.as_str(), dead_letters[0].1),
        (1, "dead", false)
    );
    assert_eq!((aside.len(), aside[0].row.case_id.as_str()), (1, "other"));
    let id = dead_letters[0].0.id;
    assert!(store.dead_letters(id, 9).await.unwrap().is_empty());
    assert!(store.retry_one(id, entry(AuditAct::Retry, 1)).await.unwrap());
    assert!(!store.retry_one(id, entry(AuditAct::Retry, 1)).await.unwrap());
    assert!(!store.retry_one(aside[0].row.id, entry(AuditAct::Retry, 1)).await.unwrap());
    assert_eq!(follow(&*store).await, 1);
    assert_eq!(inbox.claim(9, Duration::ZERO).await.unwrap()[0].ciphertext, b"y");
    let place = arrival("DG0001", 2, "dead", "y").place;
    inbox.decide(vec![Decision { place, outcome: opened(), decided_at_ms: 60 }]).await.unwrap();
    assert!(store.case(&key("dead")).await.unwrap().is_some());
}

/// Many writers at once make one chain, and pages of it hold everything once.
pub async fn the_chain_is_one(bed: impl DeskBed) {
    let (_, store) = bed.open().await;
    assert_eq!(follow(&*store).await, 0);
    let mut racing = tokio::task::JoinSet::new();
    for at in 0..40 {
        let store = Arc::clone(&store);
        racing.spawn(async move { store.audit(entry(AuditAct::Unmask, at)).await.unwrap() });
    }
    racing.join_all().await;
    assert_eq!(follow(&*store).await, 40);
    let newest = store.audit_before(i64::MAX, 3).await.unwrap();
    assert_eq!(newest.iter().map(|line| line.seq).collect::<Vec<_>>(), [40, 39, 38]);
    assert_eq!(store.audit_before(38, 1).await.unwrap()[0].seq, 37);
}

/// What a rule names loses its content and keeps its place: the same record gets the same answer and does not come
/// back, whatever manifest it comes with.
pub async fn erased_content_stays_erased(bed: impl DeskBed) {
    let (inbox, store) = bed.open().await;
    let finished = arrival("DG0001", 1, "a", "finished content");
    let first = inbox.accept(finished.clone()).await.unwrap();
    inbox
        .decide(vec![Decision { place: finished.place.clone(), outcome: opened(), decided_at_ms: 50 }])
        .await
        .unwrap();
    decided(&*inbox, arrival("DG0001", 2, "open", "kept"), opened(), 50).await;
    decided(&*inbox, arrival("DG0001", 3, "dead", "dead content"), dead(), 50).await;
    inbox.accept(arrival("DG0001", 2, "aside", "aside content")).await.unwrap();
    let mut twin = finished.clone();
    twin.manifest_hash = "another".into();
    inbox.accept(twin.clone()).await.unwrap();
    store
        .step(step("a", 0, CaseState::PreReview, CaseState::Returned, 100), entry(AuditAct::CaseStep, 100))
        .await
        .unwrap();

    let cut =
        Cut { finished_ms: Some(101), dead_letters_ms: Some(51), quarantine_ms: Some(1_003), audit_ms: None };
    let due = store.due(cut).await.unwrap();
    assert_eq!((due.finished, due.dead_letters, due.quarantine, due.audit), (1, 1, 2, 0));
    let early =
        Cut { finished_ms: Some(100), dead_letters_ms: Some(50), quarantine_ms: Some(1_001), audit_ms: None };
    assert_eq!(store.due(early).await.unwrap(), Due::default());
    let ranges = inbox.received("DG0001", "life-1").await.unwrap().ranges;

    assert_eq!(store.erase(ErasureRule::FinishedCase, 101, 9, 200).await.unwrap(), 1);
    assert_eq!(store.erase(ErasureRule::FinishedCase, 101, 9, 200).await.unwrap(), 0);
    assert_eq!(store.erase(ErasureRule::DeadLetter, 51, 9, 200).await.unwrap(), 1);
    // The finished case's twin went with it.
    assert_eq!(store.erase(ErasureRule::Quarantine, 1_003, 9, 200).await.unwrap(), 1);
    assert_eq!(store.due(cut).await.unwrap(), Due::default());

    let case = store.case(&key("a")).await.unwrap().unwrap();
    assert_eq!(case.erased, Some((200, ErasureRule::FinishedCase)));
    assert_eq!((case.person, case.state), (MaskedPerson::default(), CaseState::Returned));
    assert_eq!(store.steps(&key("a")).await.unwrap()[0].note, "");
    assert!(store.sealed(&key("a")).await.unwrap().is_none());
    assert_eq!(store.sealed(&key("open")).await.unwrap().unwrap().record.ciphertext, b"kept");

    // Again, and with another manifest, and with a third one.
    let again = inbox.accept(finished.clone()).await.unwrap();
    assert_eq!((again.kept, again.received_at_ms, again.again), (Kept::Inbox, first.received_at_ms, true));
    assert_eq!(inbox.accept(twin).await.unwrap().kept, Kept::InboxOtherManifest);
    let mut third = finished.clone();
    third.manifest_hash = "a third".into();
    assert_eq!(inbox.accept(third).await.unwrap().received_at_ms, first.received_at_ms);
    assert!(store.sealed(&key("a")).await.unwrap().is_none());
    assert_eq!(inbox.received("DG0001", "life-1").await.unwrap().ranges, ranges);
    // Nothing left to open: not by the opener, not by trying again.
    assert_eq!(inbox.retry_dead_letters(DeadLetterReason::WrongAnswers).await.unwrap(), 0);
    assert!(inbox.claim(9, Duration::ZERO).await.unwrap().is_empty());
    let dead_letter = store.dead_letters(i64::MAX, 9).await.unwrap();
    assert!(
        dead_letter[0].1 && !store.retry_one(dead_letter[0].0.id, entry(AuditAct::Retry, 1)).await.unwrap()
    );
    let acts: Vec<AuditAct> =
        store.audit_after(0, 99).await.unwrap().into_iter().map(|line| line.entry.act).collect();
    assert_eq!(acts, [AuditAct::CaseStep, AuditAct::Erased, AuditAct::Erased, AuditAct::Erased]);
    follow(&*store).await;
}

/// Old lines go from the start only, and the rest still verifies.
pub async fn old_audit_lines_go(bed: impl DeskBed) {
    let (_, store) = bed.open().await;
    for at in [10, 20, 30, 5, 40] {
        store.audit(entry(AuditAct::SignIn, at)).await.unwrap();
    }
    let cut = |before| Cut { audit_ms: Some(before), ..Cut::default() };
    assert_eq!(store.due(cut(25)).await.unwrap().audit, 2);
    assert_eq!(store.prune_audit(25, 1, 50).await.unwrap(), 1);
    assert_eq!(store.prune_audit(25, 9, 50).await.unwrap(), 1);
    // The line that says 5 lies behind one that is younger.
    assert_eq!(store.prune_audit(25, 9, 50).await.unwrap(), 0);
    let head = store.audit_head().await.unwrap();
    assert_eq!((head.base_seq, head.seq), (2, 7));
    follow(&*store).await;
    assert_eq!(store.audit_after(0, 1).await.unwrap()[0].seq, 3);
}

/// Everything is still there after the store was closed.
pub async fn closing_keeps_the_desk(bed: impl DeskBed) {
    let (inbox, store) = bed.open().await;
    let added = operator("wang", Role::DepartmentWorker);
    store.add_operator(added.clone(), entry(AuditAct::AccountAdded, 1)).await.unwrap();
    decided(&*inbox, arrival("DG0001", 1, "a", "x"), opened(), 50).await;
    store
        .step(step("a", 0, CaseState::PreReview, CaseState::Accepted, 60), entry(AuditAct::CaseStep, 60))
        .await
        .unwrap();
    let (steps, case) = (store.steps(&key("a")).await.unwrap(), store.case(&key("a")).await.unwrap());
    inbox.close().await.unwrap();
    assert_eq!(store.audit(entry(AuditAct::SignIn, 1)).await, Err(StoreError::Closed));
    drop((inbox, store));
    let (_, store) = bed.open().await;
    assert_eq!(store.operator("wang").await.unwrap(), Some(added));
    assert_eq!(store.steps(&key("a")).await.unwrap(), steps);
    assert_eq!(store.case(&key("a")).await.unwrap(), case);
    assert_eq!(follow(&*store).await, 2);
}

/// One test for each promise.
macro_rules! desk_contract_suite {
    ($bed:expr) => {
        $crate::store::desk::contract::desk_contract_suite!($bed;
            accounts_have_versions keepers_have_sites codes_work_once sessions_are_bounded cases_are_listed
            one_step_wins progress_needs_the_receipt single_dead_letters_are_tried_again the_chain_is_one
            erased_content_stays_erased old_audit_lines_go closing_keeps_the_desk);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::desk::contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use desk_contract_suite;
