//! What every store must do, whatever database is behind it. A store joins by implementing [`Bed`] and naming
//! itself in [`contract_suite!`].

use std::sync::Arc;
use std::time::Duration;

use super::*;

/// A database of its own for one test. Opening it again opens the same one.
pub trait Bed {
    /// Opens the store.
    fn open(&self) -> impl Future<Output = Arc<dyn InboxStore>>;
}

const LEASE: Duration = Duration::from_secs(600);

/// A record with everything told apart by `seq` and `content`.
pub fn arrival(terminal: &str, seq: u64, case_id: &str, content: &str) -> Arrival {
    Arrival {
        place: Place { terminal: terminal.into(), incarnation: "life-1".into(), seq },
        case_id: case_id.into(),
        kind: Kind::Case,
        about: None,
        case_number: format!("{terminal}-{seq}"),
        verification: format!("V{case_id}"),
        item: "appeal".into(),
        item_version: 1,
        sha256: format!("hash of {content}"),
        manifest_hash: format!("manifest hash of {seq} {case_id} {content}"),
        manifest: format!("manifest of {seq} {case_id} {content}"),
        ciphertext: content.as_bytes().to_vec(),
        blobs: Vec::new(),
        received_at_ms: 1_000 + i64::try_from(seq).unwrap(),
    }
}

async fn everything(store: &dyn InboxStore) -> Vec<InboxRow> {
    store.page(Page::After(0), 1_000).await.unwrap()
}

/// Keeping a record again changes nothing and answers the same.
pub async fn accept_is_idempotent(bed: impl Bed) {
    let store = bed.open().await;
    let first = store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    assert_eq!(first, Acceptance { kept: Kept::Inbox, again: false, received_at_ms: 1_001 });
    let mut later = arrival("DG0001", 1, "a", "x");
    later.received_at_ms = 9_999;
    let again = store.accept(later).await.unwrap();
    assert_eq!(again, Acceptance { again: true, ..first });
    assert_eq!(everything(&*store).await.len(), 1);
}

/// Contradictions are kept aside, each once, and nothing is overwritten.
pub async fn conflicts_go_to_quarantine(bed: impl Bed) {
    let store = bed.open().await;
    store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    let cases = [
        (arrival("DG0001", 1, "a", "other"), Conflict::OtherContent),
        (arrival("DG0001", 2, "a", "x"), Conflict::OtherContent),
        (arrival("DG0001", 1, "b", "y"), Conflict::PlaceTaken),
    ];
    for (conflicting, conflict) in cases {
        let kept = Kept::Quarantine(conflict);
        let first = store.accept(conflicting.clone()).await.unwrap();
        assert_eq!((first.kept, first.again), (kept, false));
        let again = store.accept(conflicting).await.unwrap();
        assert_eq!(again, Acceptance { again: true, ..first });
    }
    let rows = everything(&*store).await;
    let aside = rows.iter().filter(|row| matches!(row.status, Status::Quarantined(_))).count();
    assert_eq!((rows.len(), aside), (4, 3));
    assert_eq!(rows[0].sha256, "hash of x");
    // Ids count arrivals over both tables, so that a reader of pages misses none.
    assert!(rows.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(store.counts().await.unwrap().quarantined, 3);
    // The records are held, so they count as received; their places are not asked for again.
    assert_eq!(store.received("DG0001", "life-1").await.unwrap().ranges, [(1, 2)]);
}

/// What is set aside is kept and counts as received, but never reaches the opener; what the inbox has, it keeps.
pub async fn setting_aside_keeps(bed: impl Bed) {
    let store = bed.open().await;
    let record = || arrival("DG0001", 1, "a", "x");
    let first = store.set_aside(record(), Conflict::Revoked).await.unwrap();
    assert_eq!((first.kept, first.again), (Kept::Quarantine(Conflict::Revoked), false));
    let again = store.set_aside(record(), Conflict::Revoked).await.unwrap();
    assert_eq!(again, Acceptance { again: true, ..first });
    assert_eq!(store.received("DG0001", "life-1").await.unwrap().ranges, [(1, 1)]);
    assert!(store.claim(9, LEASE).await.unwrap().is_empty());
    assert!(store.find("Va").await.unwrap().is_some());
    // Sent again by a terminal that was taken back, it is believed.
    assert_eq!(store.accept(record()).await.unwrap().kept, Kept::Inbox);
    assert_eq!(store.claim(9, LEASE).await.unwrap().len(), 1);
    // What is in the inbox is not doubted afterwards; anything else in its place is.
    let held = store.set_aside(record(), Conflict::Unlisted).await.unwrap();
    assert_eq!((held.kept, held.again), (Kept::Inbox, true));
    let other = store.set_aside(arrival("DG0001", 1, "b", "y"), Conflict::Unlisted).await.unwrap();
    assert_eq!(other.kept, Kept::Quarantine(Conflict::Unlisted));
    assert_eq!(everything(&*store).await.len(), 3);
}

/// The same content under another manifest gets the same receipt, and the manifest is not thrown away.
pub async fn another_manifest_is_kept(bed: impl Bed) {
    let store = bed.open().await;
    let first = store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    let mut other = arrival("DG0001", 1, "a", "x");
    other.manifest_hash = "another".into();
    let second = store.accept(other).await.unwrap();
    assert_eq!((second.kept, second.received_at_ms), (Kept::InboxOtherManifest, first.received_at_ms));
    assert_eq!(store.counts().await.unwrap().quarantined, 1);
}

/// The same id or place at another terminal or in another life is no conflict.
pub async fn terminals_and_lives_are_apart(bed: impl Bed) {
    let store = bed.open().await;
    let mut reborn = arrival("DG0001", 1, "c", "z");
    reborn.place.incarnation = "life-2".into();
    for record in [arrival("DG0001", 1, "a", "x"), arrival("DG0002", 1, "a", "x"), reborn] {
        assert_eq!(store.accept(record).await.unwrap().kept, Kept::Inbox);
    }
    assert_eq!(store.received("DG0001", "life-2").await.unwrap().ranges, [(1, 1)]);
    assert!(store.received("DG0003", "life-1").await.unwrap().ranges.is_empty());
}

/// Racing copies of one record: one is new, all get the same answer.
pub async fn racing_duplicates_are_one(bed: impl Bed) {
    let store = bed.open().await;
    let mut racing = tokio::task::JoinSet::new();
    for copy in 0..64_i64 {
        let store = Arc::clone(&store);
        let mut record = arrival("DG0001", 7, "a", "x");
        record.received_at_ms = copy;
        racing.spawn(async move { store.accept(record).await.unwrap() });
    }
    let answers = racing.join_all().await;
    let new: Vec<_> = answers.iter().filter(|answer| !answer.again).collect();
    assert_eq!(new.len(), 1);
    assert!(answers.iter().all(|answer| answer.received_at_ms == new[0].received_at_ms));
    assert_eq!(everything(&*store).await.len(), 1);
}

/// Ranges say exactly what is held, also across gaps, and across the prefix that is noted.
pub async fn ranges_say_what_is_held(bed: impl Bed) {
    let store = bed.open().await;
    for seq in (1..=200).chain([202, 203, 300]) {
        store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await.unwrap();
    }
    let wanted = [(1, 200), (202, 203), (300, 300)];
    // Asked more than once, because the first answer may leave a note for the next.
    for _ in 0..3 {
        assert_eq!(store.received("DG0001", "life-1").await.unwrap().ranges, wanted);
    }
    store.accept(arrival("DG0001", 201, "late", "x")).await.unwrap();
    assert_eq!(store.received("DG0001", "life-1").await.unwrap().ranges, [(1, 203), (300, 300)]);
}

/// A claimed record is nobody else's until the lease ends; a decided one is never handed out again.
pub async fn claims_are_leases(bed: impl Bed) {
    let store = bed.open().await;
    for seq in 1..=3 {
        store.accept(arrival("DG0001", seq, &format!("c{seq}"), "x")).await.unwrap();
    }
    let first = store.claim(2, LEASE).await.unwrap();
    let seqs = |claimed: &[Claimed]| claimed.iter().map(|record| record.place.seq).collect::<Vec<_>>();
    assert_eq!(seqs(&first), [1, 2]);
    assert_eq!(seqs(&store.claim(2, Duration::ZERO).await.unwrap()), [3]);
    // That lease was over at once.
    assert_eq!(seqs(&store.claim(9, Duration::ZERO).await.unwrap()), [3]);
    let outcome = Outcome::Opened { person: None, summary: "fine".into() };
    let decide = |record: &Claimed| Decision {
        place: record.place.clone(),
        outcome: outcome.clone(),
        decided_at_ms: 5,
    };
    store.decide(first.iter().map(decide).collect()).await.unwrap();
    assert_eq!(seqs(&store.claim(9, LEASE).await.unwrap()), [3]);
    assert!(store.claim(9, LEASE).await.unwrap().is_empty());
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.opened, counts.waiting), (2, 1));
}

/// The first outcome stays; only dead letters can be tried again.
pub async fn outcomes_stay(bed: impl Bed) {
    let store = bed.open().await;
    store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    let place = arrival("DG0001", 1, "a", "x").place;
    let dead = Outcome::DeadLetter { reason: DeadLetterReason::UnknownItem, detail: Some("why".into()) };
    let person =
        MaskedPerson { name: Some("陈＊".into()), number: None, phone: Some("138****1234".into()) };
    let opened = Outcome::Opened { person: Some(person.clone()), summary: "fine".into() };
    let decide = |outcome: &Outcome| {
        vec![Decision { place: place.clone(), outcome: outcome.clone(), decided_at_ms: 5 }]
    };
    store.decide(decide(&dead)).await.unwrap();
    store.decide(decide(&opened)).await.unwrap();
    let status = Status::DeadLetter { reason: DeadLetterReason::UnknownItem, detail: Some("why".into()) };
    assert_eq!(everything(&*store).await[0].status, status);

    assert_eq!(store.retry_dead_letters(DeadLetterReason::WrongAnswers).await.unwrap(), 0);
    assert_eq!(store.retry_dead_letters(DeadLetterReason::UnknownItem).await.unwrap(), 1);
    assert_eq!(everything(&*store).await[0].status, Status::Received);
    assert_eq!(store.claim(9, LEASE).await.unwrap()[0].ciphertext, b"x");
    store.decide(decide(&opened)).await.unwrap();
    assert_eq!(store.retry_dead_letters(DeadLetterReason::UnknownItem).await.unwrap(), 0);
    let status = Status::Opened { person: Some(person), summary: "fine".into() };
    assert_eq!(everything(&*store).await[0].status, status);
    // Nobody ever sent this one; the opener's word alone makes no record.
    let mut nowhere = decide(&opened);
    nowhere[0].place.seq = 77;
    store.decide(nowhere).await.unwrap();
    assert_eq!(store.counts().await.unwrap().opened, 1);
}

/// Pages in both directions hold everything once.
pub async fn pages_hold_everything_once(bed: impl Bed) {
    let store = bed.open().await;
    for seq in 1..=7 {
        store.accept(arrival("DG0001", seq, &format!("c{}", seq.min(5)), "x")).await.unwrap();
    }
    let (mut up, mut after) = (Vec::new(), 0);
    loop {
        let page = store.page(Page::After(after), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        up.extend(page);
    }
    let (mut down, mut before) = (Vec::new(), i64::MAX);
    loop {
        let page = store.page(Page::Before(before), 3).await.unwrap();
        let Some(last) = page.last() else { break };
        before = last.id;
        down.extend(page);
    }
    down.reverse();
    assert_eq!(up.len(), 7);
    assert_eq!(up, down);
}

/// A resident's code is found in the inbox and in quarantine; a rating has no page.
pub async fn codes_are_found(bed: impl Bed) {
    let store = bed.open().await;
    store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    store.accept(arrival("DG0001", 1, "b", "y")).await.unwrap();
    let mut rating = arrival("DG0001", 2, "r", "z");
    rating.kind = Kind::Rating;
    store.accept(rating).await.unwrap();
    let found = store.find("Va").await.unwrap().unwrap();
    assert_eq!(found, Found { case_number: "DG0001-1".into(), item: "appeal".into(), received_at_ms: 1_001 });
    assert!(store.find("Vb").await.unwrap().is_some());
    assert!(store.find("Vr").await.unwrap().is_none());
    assert!(store.find("").await.unwrap().is_none());
}

/// A character that a database cannot hold does not stop a terminal's queue.
pub async fn any_text_is_kept(bed: impl Bed) {
    let store = bed.open().await;
    let mut odd = arrival("DG0001", 1, "a", "x");
    odd.case_number = "nul \0 here".into();
    odd.verification = "\0".into();
    odd.item = "\u{feff}\u{202e}'\"\\ 䶮𬱖".into();
    odd.ciphertext = vec![0, 1, 0xff, 0];
    let first = store.accept(odd.clone()).await.unwrap();
    assert_eq!((first.kept, first.again), (Kept::Inbox, false));
    assert_eq!(store.accept(odd.clone()).await.unwrap(), Acceptance { again: true, ..first });
    assert!(store.find("\0").await.unwrap().is_some());
    assert_eq!(store.claim(9, LEASE).await.unwrap()[0].ciphertext, odd.ciphertext);
    assert_eq!(everything(&*store).await[0].item, odd.item);
    let detail = Some("a \0 in an answer".to_owned());
    let outcome = Outcome::DeadLetter { reason: DeadLetterReason::WrongAnswers, detail };
    store.decide(vec![Decision { place: odd.place, outcome, decided_at_ms: 5 }]).await.unwrap();
    assert_eq!(store.counts().await.unwrap().dead_letters, 1);
}

/// Everything is still there after the store was closed, and leases are not.
pub async fn closing_keeps_everything(bed: impl Bed) {
    let store = bed.open().await;
    store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    store.accept(arrival("DG0001", 1, "a", "y")).await.unwrap();
    store.claim(9, LEASE).await.unwrap();
    let (epoch, rows) = (store.epoch().await.unwrap(), everything(&*store).await);
    store.close().await.unwrap();
    assert_eq!(store.accept(arrival("DG0001", 2, "b", "x")).await, Err(StoreError::Closed));
    drop(store);

    let store = bed.open().await;
    assert_eq!(store.epoch().await.unwrap(), epoch);
    assert_eq!(everything(&*store).await, rows);
    assert_eq!(store.claim(9, LEASE).await.unwrap().len(), 1);
    let again = store.accept(arrival("DG0001", 1, "a", "x")).await.unwrap();
    assert_eq!((again.kept, again.again), (Kept::Inbox, true));
}

/// One test for each promise.
macro_rules! contract_suite {
    ($bed:expr) => {
        $crate::store::contract::contract_suite!($bed;
            setting_aside_keeps accept_is_idempotent conflicts_go_to_quarantine another_manifest_is_kept
            terminals_and_lives_are_apart racing_duplicates_are_one ranges_say_what_is_held claims_are_leases
            outcomes_stay pages_hold_everything_once codes_are_found any_text_is_kept
            closing_keeps_everything);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use contract_suite;
