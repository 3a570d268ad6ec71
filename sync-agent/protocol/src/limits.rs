//! The sizes this protocol allows. Both ends refuse more, so a limit is never found out by running out of memory.

/// Largest sealed content of one record.
pub const MAX_CIPHERTEXT: usize = 8 * 1024 * 1024;
/// Largest manifest, signature included.
pub const MAX_MANIFEST: usize = 16 * 1024;
/// Largest body of `PUT /v1/records/{case_id}`: base64 of the ciphertext, the manifest, and the JSON around them.
pub const MAX_RECORD_BODY: usize = MAX_CIPHERTEXT.div_ceil(3) * 4 + MAX_MANIFEST + 1024;
/// Largest signed receipt.
pub const MAX_RECEIPT: usize = 8 * 1024;
/// Largest signed answer to hello: it lists ranges, and a bad day leaves many gaps.
pub const MAX_HELLO: usize = 1024 * 1024;
/// Largest signed delivery note.
pub const MAX_DELIVERY_NOTE: usize = 32 * 1024;
/// Most blobs one manifest may name.
pub const MAX_BLOBS: usize = 64;
/// Longest text field of a manifest or a receipt, in bytes.
pub const MAX_FIELD: usize = 128;

/// Most authorities one statement of anchors may list.
pub const MAX_ANCHORS: usize = 8;

/// Largest signed statement of anchors.
pub const MAX_ANCHOR_STATEMENT: usize = 64 * 1024;

/// Largest sealed blob: a photo, a scan, a signature.
pub const MAX_BLOB: u64 = 64 * 1024 * 1024;

/// Smallest piece of a blob that is kept by itself: after an interruption at most this much is sent again. The last
/// piece of a blob may be smaller.
pub const MIN_CHUNK: u64 = 256 * 1024;

/// Largest piece of a blob in one request.
pub const MAX_CHUNK: u64 = 4 * 1024 * 1024;

/// Largest body of `POST /v1/hello`.
pub const MAX_HELLO_REQUEST: usize = 64 * 1024;

/// Most earlier lives of a queue one hello may speak of.
pub const MAX_EARLIER: usize = 32;

/// Largest note that says whose records a courier folder holds.
pub const MAX_CONSIGNMENT: usize = 64 * 1024;

/// Largest sealed question of `POST /v1/query`.
pub const MAX_QUERY: usize = 64 * 1024;

/// Largest sealed answer of `POST /v1/query`: a document of a few pages, with the parts of the fonts that it uses.
pub const MAX_ANSWER: usize = 512 * 1024;

/// Longest time a live question may take, from the touch of a finger to the answer on the screen.
pub const MAX_QUERY_MS: u32 = 30_000;

/// Largest frame on the local socket between kiosk and agent: a sealed answer in base64 and the JSON around it.
pub const MAX_LOCAL_FRAME: usize = 768 * 1024;
