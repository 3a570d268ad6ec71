//! What every store must do with numbers for windows, whatever database is behind it. A store joins by implementing
//! [`NumbersBed`] and naming itself in [`numbers_contract_suite!`].

use std::collections::BTreeSet;
use std::sync::Arc;

use super::StoreError;
use super::numbers::*;

/// A database of its own for one test. Opening it again opens the same one.
pub trait NumbersBed {
    /// Opens the store.
    fn open(&self) -> impl Future<Output = Arc<dyn QueueNumbers>>;
}

const DAY: &str = "2026-11-22";

fn take(terminal: &str, request: &str, queue: &str, day: &str) -> TakeNumber {
    TakeNumber {
        terminal: terminal.into(),
        request: request.into(),
        queue: queue.into(),
        day: day.into(),
        most: 999,
        at_ms: 7,
    }
}

/// Asks until nobody else is in the way.
async fn taken(store: &dyn QueueNumbers, wanted: TakeNumber) -> Option<QueueNumber> {
    for _ in 0..50 {
        match store.take_number(wanted.clone()).await {
            Err(StoreError::Busy | StoreError::Database(_)) => {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            answer => return answer.unwrap(),
        }
    }
    panic!("the store is always busy");
}

/// Numbers follow each other, from one, in each queue and each day.
pub async fn numbers_follow_each_other(bed: impl NumbersBed) {
    let store = bed.open().await;
    let first = taken(&*store, take("DG0001", "a", "a-general", DAY)).await.unwrap();
    let expected = QueueNumber { queue: "a-general".into(), day: DAY.into(), number: 1, called: None };
    assert_eq!(first, expected);
    let of = async |terminal: &str, request: &str, queue: &str, day: &str| {
        taken(&*store, take(terminal, request, queue, day)).await.unwrap().number
    };
    assert_eq!(of("DG0002", "a", "a-general", DAY).await, 2);
    assert_eq!(of("DG0001", "b", "b-insurance", DAY).await, 1);
    assert_eq!(of("DG0001", "c", "a-general", "2026-11-23").await, 1);
    assert_eq!(of("DG0001", "d", "a-general", DAY).await, 3);
}

/// The same request again is the same number, also after a restart, and whatever it asks for then.
pub async fn a_request_has_one_number(bed: impl NumbersBed) {
    let store = bed.open().await;
    let first = taken(&*store, take("DG0001", "a", "a-general", DAY)).await;
    assert_eq!(taken(&*store, take("DG0001", "a", "a-general", DAY)).await, first);
    drop(store);
    let store = bed.open().await;
    assert_eq!(taken(&*store, take("DG0001", "a", "a-general", DAY)).await, first);
    assert_eq!(taken(&*store, take("DG0001", "a", "b-insurance", "2026-11-23")).await, first);
    assert_eq!(store.queues(DAY).await.unwrap()[0].given, 1, "no number was lost");
    assert!(store.queues("2026-11-23").await.unwrap().is_empty());
}

/// Many ask at once, some of them twice: every request one number, no number twice, none left out.
pub async fn racing_requests_get_all_numbers_once(bed: impl NumbersBed) {
    const REQUESTS: u32 = 12;
    let store = bed.open().await;
    let mut racing = tokio::task::JoinSet::new();
    for n in 0..REQUESTS * 2 {
        let store = Arc::clone(&store);
        let request = format!("r{}", n % REQUESTS);
        racing.spawn(async move { taken(&*store, take("DG0001", &request, "a-general", DAY)).await });
    }
    let mut numbers = BTreeSet::new();
    for number in racing.join_all().await {
        numbers.insert(number.unwrap().number);
    }
    assert_eq!(numbers, (1..=REQUESTS).collect());
    assert_eq!(store.queues(DAY).await.unwrap()[0].given, REQUESTS);
}

/// A day has so many numbers and no more.
pub async fn numbers_are_used_up(bed: impl NumbersBed) {
    let store = bed.open().await;
    for (request, number) in [("a", Some(1)), ("b", Some(2)), ("c", None), ("a", Some(1))] {
        let wanted = TakeNumber { most: 2, ..take("DG0001", request, "a-general", DAY) };
        assert_eq!(taken(&*store, wanted).await.map(|taken| taken.number), number, "{request}");
    }
    assert_eq!(taken(&*store, take("DG0001", "d", "a-general", DAY)).await.unwrap().number, 3);
}

/// What a window calls is told, never goes back, and never beyond what was given out.
pub async fn windows_tell_how_far_they_are(bed: impl NumbersBed) {
    let store = bed.open().await;
    for request in ["a", "b", "c"] {
        taken(&*store, take("DG0001", request, "a-general", DAY)).await;
    }
    assert!(!store.number_called("a-general", DAY, 4).await.unwrap());
    assert!(!store.number_called("b-insurance", DAY, 1).await.unwrap());
    assert!(store.number_called("a-general", DAY, 2).await.unwrap());
    assert!(store.number_called("a-general", DAY, 1).await.unwrap());
    let queue = QueueDay { queue: "a-general".into(), given: 3, called: Some(2) };
    assert_eq!(store.queues(DAY).await.unwrap(), [queue]);
    assert_eq!(taken(&*store, take("DG0001", "c", "a-general", DAY)).await.unwrap().called, Some(2));
    taken(&*store, take("DG0001", "d", "a-general", "2026-11-23")).await;
    assert_eq!(store.forget_numbers("2026-11-23").await.unwrap(), 3);
    assert!(store.queues(DAY).await.unwrap().is_empty());
    assert_eq!(store.queues("2026-11-23").await.unwrap().len(), 1);
}

/// One test for each promise.
macro_rules! numbers_contract_suite {
    ($bed:expr) => {
        $crate::store::numbers_contract::numbers_contract_suite!($bed;
            numbers_follow_each_other a_request_has_one_number racing_requests_get_all_numbers_once
            numbers_are_used_up windows_tell_how_far_they_are);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::numbers_contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use numbers_contract_suite;
