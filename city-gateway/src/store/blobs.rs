//! What the gateway needs from a database to keep blobs: the [`BlobIndex`] trait. It knows which blobs records name,
//! which are whole, and how far the others are; the bytes lie outside.
//!
//! Two requests for the same bytes are decided by one conditional change of the row, so nobody ever holds a lock on
//! an upload, and a request that died leaves nothing behind that another has to wait for.
//!
//! Deliberately absent: any way to forget a blob that a held record names.

use super::{Place, Reply};

/// A blob as its sender announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Who sends it.
    pub terminal: String,
    /// Lower-case hex SHA-256 of the whole.
    pub sha256: String,
    /// Bytes of the whole.
    pub length: u64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// What one terminal may have lying around that no record names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unnamed {
    /// Bytes, counted as announced.
    pub bytes: u64,
    /// Blobs.
    pub blobs: u64,
}

/// How far a blob is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Not begun by this terminal, and not whole.
    Nothing,
    /// Begun.
    Part {
        /// Bytes kept, from the start without a gap.
        held: u64,
        /// Bytes of the whole.
        length: u64,
    },
    /// Whole, its hash checked.
    Whole {
        /// Its length.
        length: u64,
    },
    /// Being removed; ask again shortly.
    Leaving,
}

/// What became of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// So far it is now.
    Held(Held),
    /// This terminal has too much lying around that no record names.
    TooMuchUnnamed,
}

/// A piece that lies with the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where in the blob it begins.
    pub start: u64,
    /// Its length.
    pub bytes: u64,
    /// Its name among the bytes.
    pub key: String,
}

/// What became of an attempt to move an upload on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// It was where the attempt thought, and moved. These pieces are no longer needed.
    On(Vec<Piece>),
    /// It is elsewhere.
    Elsewhere(Held),
}

/// A record that waits for blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// Which record.
    pub place: Place,
    /// Its UUID.
    pub case_id: String,
    /// Since when it waits, milliseconds since 1970.
    pub since_ms: i64,
    /// How many blobs are missing.
    pub missing: u64,
}

/// What the removal of abandoned blobs leaves to be done outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Abandoned {
    /// Pieces of uploads that were forgotten.
    pub pieces: Vec<Piece>,
    /// Whole blobs that no longer count; [`BlobIndex::left`] when their bytes are gone.
    pub leaving: Vec<String>,
}

/// How much lies there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlobCounts {
    /// Blobs held whole.
    pub whole: u64,
    /// Their bytes.
    pub whole_bytes: u64,
    /// Blobs begun.
    pub begun: u64,
    /// Bytes of them that are kept.
    pub begun_bytes: u64,
}

/// The index of blobs.
pub trait BlobIndex: Send + Sync {
    /// Notes that a terminal is going to send a blob. One that is begun already goes on; one that was announced with
    /// another length begins again.
    fn begin(&self, announced: Announced, unnamed: Unnamed) -> Reply<'_, Begun>;

    /// How far a blob is.
    fn held<'a>(&'a self, terminal: &'a str, sha256: &'a str) -> Reply<'a, Held>;

    /// The pieces that are kept, in order.
    fn pieces<'a>(&'a self, terminal: &'a str, sha256: &'a str) -> Reply<'a, Vec<Piece>>;

    /// Adds a piece whose bytes are safe already, when the upload still ends where the piece begins and is not
    /// made whole by it.
    fn add<'a>(&'a self, terminal: &'a str, sha256: &'a str, piece: Piece, at_ms: i64) -> Reply<'a, Moved>;

    /// Says that the whole lies there and was checked, when the upload still ends at `from`. Records that waited
    /// for nothing else go to the opener.
    fn finish<'a>(&'a self, terminal: &'a str, sha256: &'a str, from: u64, at_ms: i64) -> Reply<'a, Moved>;

    /// Goes back to the beginning, when the upload still ends at `from`: what was kept is not this blob.
    fn begin_again<'a>(&'a self, terminal: &'a str, sha256: &'a str, from: u64) -> Reply<'a, Moved>;

    /// The bytes of a whole blob are gone or damaged: it does not count any more. Returns how many records named it.
    fn lost<'a>(&'a self, sha256: &'a str, at_ms: i64) -> Reply<'a, u64>;

    /// Which of these blobs are not whole.
    fn missing(&self, sha256: Vec<String>) -> Reply<'_, Vec<String>>;

    /// Records that have been waiting for blobs since before `before_ms` and of which that was not said since
    /// `said_before_ms`; notes that it is said now.
    fn overdue(&self, before_ms: i64, said_before_ms: i64, now_ms: i64) -> Reply<'_, Vec<Overdue>>;

    /// Forgets what no record names and nobody touched since `before_ms`.
    fn abandon(&self, before_ms: i64) -> Reply<'_, Abandoned>;

    /// The bytes of these are gone.
    fn left(&self, sha256: Vec<String>) -> Reply<'_, ()>;

    /// Which of these pieces belong to an upload.
    fn known_pieces(&self, keys: Vec<String>) -> Reply<'_, Vec<String>>;

    /// The whole blobs after this hash, in order.
    fn whole_after<'a>(&'a self, sha256: &'a str, limit: usize) -> Reply<'a, Vec<(String, u64)>>;

    /// How much lies there.
    fn blob_counts(&self) -> Reply<'_, BlobCounts>;
}
