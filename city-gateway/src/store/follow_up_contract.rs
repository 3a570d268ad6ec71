//! What every store must do with records that follow a case. A store joins by implementing
//! [`RelayBed`](super::relay_contract::RelayBed) and naming itself in [`follow_up_contract_suite!`].

use std::sync::Arc;
use std::time::Duration;

use service_catalog::FollowUp;

use super::contract::arrival;
use super::desk::contract::entry;
use super::desk::{AuditAct, CaseKey, CaseState, CaseStep, Cut, DeskStore, ErasureRule, Stepped};
use super::follow_up::RESIDENT;
use super::relay_contract::{RelayBed, opened, routes};
use super::{DeadLetterReason, Decision, InboxStore, MaskedPerson, Outcome, Place};

const LEASE: Duration = Duration::from_secs(600);

fn key(case_id: &str) -> CaseKey {
    CaseKey { terminal: "DG0001".into(), case_id: case_id.into() }
}

/// A record that follows the case `c1`, with a photo, as the opener decides about it.
async fn followed(inbox: &dyn InboxStore, seq: u64, follows: FollowUp, at_ms: i64) -> Place {
    let mut record = arrival("DG0001", seq, &format!("f{seq}"), &format!("follows {seq}"));
    record.item = "case-supplement".into();
    record.verification = format!("Vf{seq}");
    let place = record.place.clone();
    inbox.accept(record).await.unwrap();
    inbox.decide(vec![decision(&place, follows, at_ms)]).await.unwrap();
    place
}

fn decision(place: &Place, follows: FollowUp, at_ms: i64) -> Decision {
    let person = MaskedPerson { phone: Some("138****1234".into()), ..MaskedPerson::default() };
    let outcome = Outcome::Follows { follows, case: key("c1"), person, summary: "补材料".into() };
    Decision { place: place.clone(), outcome, decided_at_ms: at_ms }
}

async fn step(desk: &dyn DeskStore, version: i64, from: CaseState, to: CaseState) -> Stepped {
    let step = CaseStep {
        key: key("c1"),
        version,
        from,
        to,
        operator: "wang".into(),
        at_ms: 20,
        reason: "missing_material".into(),
        note: "缺一张".into(),
    };
    desk.step(step, entry(AuditAct::CaseStep, 20)).await.unwrap()
}

async fn stands(desk: &dyn DeskStore) -> (CaseState, i64) {
    let case = desk.case(&key("c1")).await.unwrap().unwrap();
    (case.state, case.version)
}

/// A supplement takes a case back to where it was before more was asked for, once, with its line in the chain.
pub async fn a_supplement_is_put_beside_its_case(bed: impl RelayBed) {
    let (inbox, desk, _) = bed.open().await;
    opened(&*inbox, 1, "appeal").await;
    step(&*desk, 0, CaseState::PreReview, CaseState::Accepted).await;
    step(&*desk, 1, CaseState::Accepted, CaseState::SupplementRequested).await;
    let lines = desk.audit_head().await.unwrap().seq;
    let place = followed(&*inbox, 2, FollowUp::Supplement, 30).await;
    assert_eq!(stands(&*desk).await, (CaseState::Accepted, 3));
    let made = desk.steps(&key("c1")).await.unwrap().pop().unwrap();
    assert_eq!((made.operator.as_str(), made.reason.as_str(), made.at_ms), (RESIDENT, "supplied", 30));
    assert_eq!(desk.audit_head().await.unwrap().seq, lines + 1);
    // The same again: the first outcome stays, and nothing moves.
    inbox.decide(vec![decision(&place, FollowUp::Withdrawal, 40)]).await.unwrap();
    assert_eq!(stands(&*desk).await, (CaseState::Accepted, 3));
    assert_eq!(desk.audit_head().await.unwrap().seq, lines + 1);

    let rows = desk.follow_ups(&key("c1")).await.unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.key.clone(), row.follows, row.step), (key("f2"), FollowUp::Supplement, Some(3)));
    assert_eq!((row.about_number.as_str(), row.about_item.as_str()), ("DG0001-1", "appeal"));
    assert_eq!((row.state, row.at_ms, row.erased), (CaseState::SupplementRequested, 30, None));
    assert_eq!(row.person.phone.as_deref(), Some("138****1234"));
    assert_eq!(desk.follow_up(&key("f2")).await.unwrap().as_ref(), Some(row));
    assert!(desk.follow_up(&key("c1")).await.unwrap().is_none());
    // It is no case of its own, and its content can be opened.
    assert!(desk.case(&key("f2")).await.unwrap().is_none());
    assert_eq!(desk.open_work(None).await.unwrap().pre_review, 0);
    assert_eq!(desk.sealed(&key("f2")).await.unwrap().unwrap().record.ciphertext, b"follows 2");
    assert_eq!(inbox.counts().await.unwrap().opened, 2);
}

/// A withdrawal closes a case, and one that comes too late changes nothing and is kept.
pub async fn a_withdrawal_closes_its_case(bed: impl RelayBed) {
    let (inbox, desk, _) = bed.open().await;
    opened(&*inbox, 1, "appeal").await;
    followed(&*inbox, 2, FollowUp::Withdrawal, 30).await;
    assert_eq!(stands(&*desk).await, (CaseState::Closed, 1));
    let made = desk.steps(&key("c1")).await.unwrap().pop().unwrap();
    assert_eq!((made.operator.as_str(), made.reason.as_str()), (RESIDENT, "withdrawn"));
    // An operator who decides on what was seen before is late.
    assert_eq!(step(&*desk, 0, CaseState::PreReview, CaseState::Accepted).await, Stepped::Stale);
    for (seq, follows) in [(3, FollowUp::Withdrawal), (4, FollowUp::Supplement)] {
        followed(&*inbox, seq, follows, 40).await;
    }
    assert_eq!(stands(&*desk).await, (CaseState::Closed, 1));
    let rows = desk.follow_ups(&key("c1")).await.unwrap();
    let steps: Vec<_> = rows.iter().map(|row| (row.follows, row.step, row.state)).collect();
    let wanted = [
        (FollowUp::Withdrawal, Some(1), CaseState::PreReview),
        (FollowUp::Withdrawal, None, CaseState::Closed),
        (FollowUp::Supplement, None, CaseState::Closed),
    ];
    assert_eq!(steps, wanted);
}

/// Of a supplement and an operator's step at once, none is lost and none overwrites the other.
pub async fn nobody_decides_past_a_supplement(bed: impl RelayBed) {
    let (inbox, desk, _) = bed.open().await;
    opened(&*inbox, 1, "appeal").await;
    let mut racing = tokio::task::JoinSet::new();
    for seq in 2..=9 {
        let inbox = Arc::clone(&inbox);
        racing.spawn(async move {
            followed(&*inbox, seq, FollowUp::Supplement, 30).await;
        });
    }
    let own = Arc::clone(&desk);
    racing.spawn(async move {
        step(&*own, 0, CaseState::PreReview, CaseState::Accepted).await;
    });
    racing.join_all().await;
    let steps = desk.steps(&key("c1")).await.unwrap();
    let (_, version) = stands(&*desk).await;
    assert_eq!(desk.follow_ups(&key("c1")).await.unwrap().len(), 8);
    assert!(version >= 8 && steps.len() as i64 == version, "{version} {}", steps.len());
    assert!(steps.iter().zip(1..).all(|(step, wanted)| step.version == wanted));
}

/// The cases of a number are those that were opened, and those that the number's record followed.
pub async fn cases_are_named_by_their_receipts(bed: impl RelayBed) {
    let (inbox, _, _) = bed.open().await;
    let named = async |number: &str| {
        let named = inbox.named(number).await.unwrap();
        let mut named: Vec<_> =
            named.iter().map(|case| (case.key.case_id.clone(), case.verification.to_string())).collect();
        named.sort();
        named
    };
    inbox.accept(arrival("DG0001", 1, "c1", "x")).await.unwrap();
    assert_eq!(named("DG0001-1").await, [], "it was not opened yet");
    opened(&*inbox, 1, "appeal").await;
    let c1 = |code: &str| ("c1".to_owned(), code.to_owned());
    // It came first, with its own item.
    assert_eq!(named("DG0001-1").await, [c1("Vc1")]);
    assert_eq!(named("DG0001-7").await, []);
    followed(&*inbox, 2, FollowUp::Supplement, 30).await;
    assert_eq!(named("DG0001-2").await, [c1("Vf2")], "its own receipt leads to the case as well");
}

/// What came before its case is kept, and tried again when the case was opened, and at no other time.
pub async fn what_came_early_waits_for_its_case(bed: impl RelayBed) {
    let (inbox, _, _) = bed.open().await;
    let early = arrival("DG0001", 9, "f9", "early");
    let place = early.place.clone();
    inbox.accept(early).await.unwrap();
    let dead = |reason| Decision {
        place: place.clone(),
        outcome: Outcome::DeadLetter { reason, detail: Some("DG0001-1".into()) },
        decided_at_ms: 5,
    };
    inbox.decide(vec![dead(DeadLetterReason::NoSuchCase)]).await.unwrap();
    assert_eq!(inbox.retry_awaited().await.unwrap(), 0);
    opened(&*inbox, 2, "appeal").await;
    inbox.accept(arrival("DG0001", 1, "c1", "content 1")).await.unwrap();
    assert_eq!(inbox.retry_awaited().await.unwrap(), 0, "another case, and one that is not opened");
    assert_eq!(inbox.counts().await.unwrap().dead_letters, 1);
    opened(&*inbox, 1, "appeal").await;
    assert_eq!(inbox.retry_awaited().await.unwrap(), 1);
    assert_eq!(inbox.retry_awaited().await.unwrap(), 0);
    let claimed = inbox.claim(9, LEASE).await.unwrap();
    assert_eq!(claimed.iter().map(|record| record.case_id.as_str()).collect::<Vec<_>>(), ["f9"]);
    // With the case there and a wrong code, it waits for nothing any more.
    inbox.decide(vec![dead(DeadLetterReason::WrongCode)]).await.unwrap();
    assert_eq!(inbox.retry_awaited().await.unwrap(), 0);
}

/// What follows a case is owed to the department of the case, and says which case it is.
pub async fn the_case_s_department_gets_what_follows(bed: impl RelayBed) {
    let (inbox, _, relay) = bed.open().await;
    opened(&*inbox, 1, "appeal").await;
    let place = followed(&*inbox, 2, FollowUp::Withdrawal, 30).await;
    assert_eq!(relay.route(routes(), 9, 5).await.unwrap().routed, 2, "its own item is nobody's");
    let owed = relay.claim_owed("rsj", 9, LEASE).await.unwrap();
    let ids: Vec<_> = owed.iter().map(|one| one.case.case_id.as_str()).collect();
    assert_eq!(ids, ["c1", "f2"]);
    assert_eq!(relay.owed_content(&place).await.unwrap().unwrap().about, Some(key("c1")));
    let case = owed[0].case.place.clone();
    assert_eq!(relay.owed_content(&case).await.unwrap().unwrap().about, None);
}

/// What followed a case is deleted with it; what came later has its own time.
pub async fn what_followed_goes_with_its_case(bed: impl RelayBed) {
    let (inbox, desk, _) = bed.open().await;
    opened(&*inbox, 1, "appeal").await;
    followed(&*inbox, 2, FollowUp::Withdrawal, 30).await;
    followed(&*inbox, 3, FollowUp::Supplement, 500).await;
    let cut = Cut { finished_ms: Some(100), ..Cut::default() };
    assert_eq!(desk.due(cut).await.unwrap().finished, 2);
    assert_eq!(desk.erase(ErasureRule::FinishedCase, 100, 9, 1_000).await.unwrap(), 2);
    assert_eq!(desk.due(cut).await.unwrap().finished, 0);
    assert!(desk.sealed(&key("f2")).await.unwrap().is_none());
    assert!(desk.sealed(&key("f3")).await.unwrap().is_some());
    let rows = desk.follow_ups(&key("c1")).await.unwrap();
    assert_eq!(rows[0].erased, Some((1_000, ErasureRule::FinishedCase)));
    assert_eq!((rows[0].person.phone.as_deref(), rows[1].erased), (None, None));
}

/// One test for each promise.
macro_rules! follow_up_contract_suite {
    ($bed:expr) => {
        $crate::store::follow_up_contract::follow_up_contract_suite!($bed;
            a_supplement_is_put_beside_its_case a_withdrawal_closes_its_case nobody_decides_past_a_supplement
            cases_are_named_by_their_receipts what_came_early_waits_for_its_case
            the_case_s_department_gets_what_follows what_followed_goes_with_its_case);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::follow_up_contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use follow_up_contract_suite;
