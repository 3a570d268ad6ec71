//! What every index of blobs must do. A store joins by implementing [`Bed`] and naming itself in
//! [`blob_contract_suite!`].

use std::sync::Arc;
use std::time::Duration;

use super::blobs::*;
use super::contract::arrival;
use super::{Arrival, Conflict, InboxStore, Page, Status};

/// A database of its own for one test.
pub trait Bed {
    /// Opens the store, as an inbox and as an index.
    fn open(&self) -> impl Future<Output = (Arc<dyn InboxStore>, Arc<dyn BlobIndex>)>;
}

const TERMINAL: &str = "DG0001";
const ROOM: Unnamed = Unnamed { bytes: 1_000, blobs: 3 };

fn announced(sha256: &str, length: u64) -> Announced {
    Announced { terminal: TERMINAL.into(), sha256: sha256.into(), length, at_ms: 100 }
}

fn piece(start: u64, bytes: u64) -> Piece {
    Piece { start, bytes, key: format!("key {start} {bytes}") }
}

fn naming(seq: u64, blobs: &[&str]) -> Arrival {
    let mut record = arrival(TERMINAL, seq, &format!("c{seq}"), "x");
    record.blobs = blobs.iter().map(|sha256| ((*sha256).to_owned(), 10)).collect();
    record
}

async fn states(store: &dyn InboxStore) -> Vec<&'static str> {
    store.page(Page::After(0), 100).await.unwrap().iter().map(|row| row.status.as_str()).collect()
}

/// Pieces move an upload on, only from where it is, and the last one only by finishing.
pub async fn pieces_go_on_where_it_is(bed: impl Bed) {
    let (_, index) = bed.open().await;
    assert_eq!(index.held(TERMINAL, "a").await.unwrap(), Held::Nothing);
    let begun = Begun::Held(Held::Part { held: 0, length: 30 });
    assert_eq!(index.begin(announced("a", 30), ROOM).await.unwrap(), begun);
    assert_eq!(index.add(TERMINAL, "a", piece(0, 10), 1).await.unwrap(), Moved::On(Vec::new()));
    let at = Held::Part { held: 10, length: 30 };
    for wrong in [piece(0, 10), piece(20, 5), piece(10, 20), piece(10, 21)] {
        assert_eq!(index.add(TERMINAL, "a", wrong, 1).await.unwrap(), Moved::Elsewhere(at));
    }
    assert_eq!(index.add("DG0002", "a", piece(10, 5), 1).await.unwrap(), Moved::Elsewhere(Held::Nothing));
    assert_eq!(index.begin(announced("a", 30), ROOM).await.unwrap(), Begun::Held(at));
    assert_eq!(index.pieces(TERMINAL, "a").await.unwrap(), [piece(0, 10)]);
    let keys = vec!["key 0 10".to_owned(), "key 10 20".to_owned()];
    assert_eq!(index.known_pieces(keys).await.unwrap(), ["key 0 10"]);

    assert_eq!(index.finish(TERMINAL, "a", 20, 2).await.unwrap(), Moved::Elsewhere(at));
    assert_eq!(index.finish(TERMINAL, "a", 10, 2).await.unwrap(), Moved::On(vec![piece(0, 10)]));
    let whole = Held::Whole { length: 30 };
    assert_eq!(index.finish(TERMINAL, "a", 10, 2).await.unwrap(), Moved::Elsewhere(whole));
    // Whole is whole for everyone.
    assert_eq!(index.held("DG0002", "a").await.unwrap(), whole);
    assert_eq!(index.add(TERMINAL, "a", piece(10, 5), 1).await.unwrap(), Moved::Elsewhere(whole));
    assert_eq!(index.whole_after("", 9).await.unwrap(), [("a".to_owned(), 30)]);
    let counts = index.blob_counts().await.unwrap();
    assert_eq!(counts, BlobCounts { whole: 1, whole_bytes: 30, begun: 0, begun_bytes: 0 });
}

/// Of many racing requests for one place exactly one moves the upload on.
pub async fn one_of_many_moves_on(bed: impl Bed) {
    let (_, index) = bed.open().await;
    index.begin(announced("a", 1_000), ROOM).await.unwrap();
    let mut racing = tokio::task::JoinSet::new();
    for number in 0..32 {
        let index = Arc::clone(&index);
        racing.spawn(async move {
            let piece = Piece { start: 0, bytes: 10 + number, key: format!("key {number}") };
            (piece.clone(), index.add(TERMINAL, "a", piece, 1).await.unwrap())
        });
    }
    let moved: Vec<_> = racing.join_all().await;
    let winners: Vec<_> = moved.iter().filter(|(_, moved)| matches!(moved, Moved::On(_))).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(index.pieces(TERMINAL, "a").await.unwrap(), [winners[0].0.clone()]);
}

/// What turned out to be another blob begins again, as does one that is announced with another length.
pub async fn beginning_again(bed: impl Bed) {
    let (_, index) = bed.open().await;
    index.begin(announced("a", 30), ROOM).await.unwrap();
    index.add(TERMINAL, "a", piece(0, 10), 1).await.unwrap();
    let at = Held::Part { held: 10, length: 30 };
    assert_eq!(index.begin_again(TERMINAL, "a", 0).await.unwrap(), Moved::Elsewhere(at));
    assert_eq!(index.begin_again(TERMINAL, "a", 10).await.unwrap(), Moved::On(vec![piece(0, 10)]));
    assert_eq!(index.held(TERMINAL, "a").await.unwrap(), Held::Part { held: 0, length: 30 });
    index.add(TERMINAL, "a", piece(0, 10), 1).await.unwrap();
    let other = Begun::Held(Held::Part { held: 0, length: 31 });
    assert_eq!(index.begin(announced("a", 31), ROOM).await.unwrap(), other);
    assert!(index.pieces(TERMINAL, "a").await.unwrap().is_empty());
}

/// A record goes to the opener when its last blob is whole, and is seen before.
pub async fn records_wait_for_their_blobs(bed: impl Bed) {
    let (store, index) = bed.open().await;
    store.accept(naming(1, &["a", "b"])).await.unwrap();
    store.accept(naming(2, &["b"])).await.unwrap();
    store.accept(naming(3, &[])).await.unwrap();
    assert_eq!(states(&*store).await, ["incomplete", "incomplete", "received"]);
    assert_eq!(store.counts().await.unwrap().incomplete, 2);
    let claimed = store.claim(9, Duration::ZERO).await.unwrap();
    assert_eq!(claimed.iter().map(|record| record.place.seq).collect::<Vec<_>>(), [3]);
    let missing = index.missing(vec!["a".into(), "b".into()]).await.unwrap();
    assert_eq!(missing, ["a", "b"]);

    for (sha256, waiting) in [("b", vec![2, 3]), ("a", vec![1, 2, 3])] {
        index.begin(announced(sha256, 10), ROOM).await.unwrap();
        index.finish(TERMINAL, sha256, 0, 5).await.unwrap();
        let claimed = store.claim(9, Duration::ZERO).await.unwrap();
        assert_eq!(claimed.iter().map(|record| record.place.seq).collect::<Vec<_>>(), waiting);
    }
    // A blob that came before its record keeps nobody waiting, nor does the record sent again.
    store.accept(naming(4, &["a"])).await.unwrap();
    store.accept(naming(1, &["a", "b"])).await.unwrap();
    assert_eq!(states(&*store).await, ["received"; 4]);
    // Lost by the place where bytes lie: what was not opened yet waits again.
    assert_eq!(index.lost("b", 9).await.unwrap(), 2);
    assert_eq!(states(&*store).await, ["incomplete", "incomplete", "received", "received"]);
    assert_eq!(index.held(TERMINAL, "b").await.unwrap(), Held::Nothing);
}

/// Blobs that were promised and never came are told of, once in a while.
pub async fn promised_blobs_are_missed(bed: impl Bed) {
    let (store, index) = bed.open().await;
    store.accept(naming(1, &["a", "b"])).await.unwrap();
    assert!(index.overdue(1_001, 0, 5_000).await.unwrap().is_empty());
    let told = index.overdue(1_002, 0, 5_000).await.unwrap();
    assert_eq!((told.len(), told[0].missing, told[0].place.seq), (1, 2, 1));
    assert!(index.overdue(1_002, 4_000, 6_000).await.unwrap().is_empty());
    assert_eq!(index.overdue(1_002, 5_001, 6_000).await.unwrap().len(), 1);
    // Nothing is refused and nothing removed for it.
    assert!(matches!(store.page(Page::After(0), 9).await.unwrap()[0].status, Status::Incomplete));
}

/// What no record names has a limit and ends; what a record names has neither.
pub async fn only_what_nobody_names_ends(bed: impl Bed) {
    let (store, index) = bed.open().await;
    store.accept(naming(1, &["named", "named too"])).await.unwrap();
    for (sha256, length) in [("named", 5_000), ("one", 400), ("two", 400)] {
        index.begin(announced(sha256, length), ROOM).await.unwrap();
        index.add(TERMINAL, sha256, piece_of(sha256, 0, 10), 100).await.unwrap();
    }
    assert_eq!(index.begin(announced("three", 400), ROOM).await.unwrap(), Begun::TooMuchUnnamed);
    index.begin(announced("three", 100), ROOM).await.unwrap();
    assert_eq!(index.begin(announced("four", 1), ROOM).await.unwrap(), Begun::TooMuchUnnamed);
    index.begin(announced("named too", 5_000), ROOM).await.unwrap();
    let elsewhere = Announced { terminal: "DG0002".into(), ..announced("four", 1) };
    assert!(matches!(index.begin(elsewhere, ROOM).await.unwrap(), Begun::Held(_)));
    index.finish(TERMINAL, "two", 10, 100).await.unwrap();
    index.finish(TERMINAL, "named", 10, 100).await.unwrap();

    assert_eq!(index.abandon(100).await.unwrap(), Abandoned::default());
    let abandoned = index.abandon(101).await.unwrap();
    assert_eq!(abandoned.pieces, [piece_of("one", 0, 10)]);
    assert_eq!(abandoned.leaving, ["two"]);
    assert_eq!(index.held(TERMINAL, "one").await.unwrap(), Held::Nothing);
    assert_eq!(index.held(TERMINAL, "named").await.unwrap(), Held::Whole { length: 5_000 });
    assert!(matches!(index.held(TERMINAL, "named too").await.unwrap(), Held::Part { .. }));
    // While its bytes are being removed it neither counts nor begins anew.
    assert_eq!(index.held(TERMINAL, "two").await.unwrap(), Held::Leaving);
    assert_eq!(index.missing(vec!["two".into()]).await.unwrap(), ["two"]);
    assert_eq!(index.begin(announced("two", 400), ROOM).await.unwrap(), Begun::Held(Held::Leaving));
    assert_eq!(index.abandon(101).await.unwrap().leaving, ["two"]);
    index.left(vec!["two".into(), "named".into()]).await.unwrap();
    assert_eq!(index.held(TERMINAL, "two").await.unwrap(), Held::Nothing);
    assert_eq!(index.held(TERMINAL, "named").await.unwrap(), Held::Whole { length: 5_000 });
}

/// A record that is set aside names its blobs as any other does; nothing is kept for one that waits for no opener.
pub async fn what_is_set_aside_names_its_blobs(bed: impl Bed) {
    let (store, index) = bed.open().await;
    let nothing = Unnamed { bytes: 0, blobs: 0 };
    assert_eq!(index.begin(announced("a", 30), nothing).await.unwrap(), Begun::TooMuchUnnamed);
    store.set_aside(naming(1, &["a"]), Conflict::Revoked).await.unwrap();
    assert!(matches!(index.begin(announced("a", 30), nothing).await.unwrap(), Begun::Held(_)));
    assert_eq!(index.begin(announced("b", 30), nothing).await.unwrap(), Begun::TooMuchUnnamed);
    assert_eq!(index.missing(vec!["a".into()]).await.unwrap(), ["a"]);
    index.finish(TERMINAL, "a", 0, 100).await.unwrap();
    assert!(index.missing(vec!["a".into()]).await.unwrap().is_empty());
    assert_eq!(index.abandon(i64::MAX).await.unwrap(), Abandoned::default());
    assert_eq!(index.held(TERMINAL, "a").await.unwrap(), Held::Whole { length: 30 });
    assert_eq!(states(&*store).await, ["quarantined"]);
    assert!(store.claim(9, Duration::ZERO).await.unwrap().is_empty());
}

fn piece_of(sha256: &str, start: u64, bytes: u64) -> Piece {
    Piece { key: format!("{sha256} {start}"), ..piece(start, bytes) }
}

/// One test for each promise.
macro_rules! blob_contract_suite {
    ($bed:expr) => {
        $crate::store::blobs_contract::blob_contract_suite!($bed;
            pieces_go_on_where_it_is one_of_many_moves_on beginning_again records_wait_for_their_blobs
            promised_blobs_are_missed only_what_nobody_names_ends what_is_set_aside_names_its_blobs);
    };
    ($bed:expr; $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $crate::store::blobs_contract::$promise($bed).await;
        }
    )*};
}
pub(crate) use blob_contract_suite;
