//! How the bytes of a blob travel: tus 1.0 (core, creation, checksum) over the routes
//!
//! - `POST /v1/blobs` with `Upload-Length` and `Upload-Metadata: sha256 <base64 of the hex hash>`: 201 and the
//!   `Location` of the blob; the same again when the blob is begun or whole already.
//! - `HEAD /v1/blobs/{sha256}`: 200 with `Upload-Offset` and `Upload-Length`, 404 when nothing was begun. An offset
//!   equal to the length says that the blob is held whole and its hash was checked.
//! - `PATCH /v1/blobs/{sha256}` with `Upload-Offset` and `Upload-Checksum`: 204 with the new `Upload-Offset`, 409
//!   when the offset is another (ask with HEAD and go on from there), 460 when the piece was damaged on the way.
//!
//! A blob is named by the SHA-256 of its sealed bytes, so one that is there already costs one HEAD and no byte of it.
//! Only a signed receipt that says `complete` is believed; these answers merely say what to send next.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::{ProtocolError, limits};

/// Value of the `Tus-Resumable` header.
pub const TUS_VERSION: &str = "1.0.0";

/// Status of the checksum extension for a piece that was damaged on the way.
pub const CHECKSUM_MISMATCH: u16 = 460;

/// Names of the headers of tus 1.0, lower case as HTTP/2 wants them.
pub struct BlobHeaders;

impl BlobHeaders {
    /// Version of tus.
    pub const RESUMABLE: &'static str = "tus-resumable";
    /// Where the next byte goes.
    pub const OFFSET: &'static str = "upload-offset";
    /// Length of the whole.
    pub const LENGTH: &'static str = "upload-length";
    /// Key and base64 value, comma separated.
    pub const METADATA: &'static str = "upload-metadata";
    /// `sha256 ` and the base64 digest of this piece.
    pub const CHECKSUM: &'static str = "upload-checksum";
    /// Media type of a piece.
    pub const CONTENT_TYPE: &'static str = "application/offset+octet-stream";
}

/// How far a blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobState {
    /// Bytes held, from the start without a gap.
    pub offset: u64,
    /// Bytes of the whole.
    pub length: u64,
}

impl BlobState {
    /// Whether every byte is held.
    pub fn is_whole(&self) -> bool {
        self.offset == self.length
    }

    /// The piece to send next, at most `chunk` bytes; `None` when nothing is left.
    pub fn next_piece(&self, chunk: u64) -> Option<std::ops::Range<u64>> {
        let chunk = chunk.clamp(limits::MIN_CHUNK, limits::MAX_CHUNK);
        (self.offset < self.length).then(|| self.offset..self.length.min(self.offset.saturating_add(chunk)))
    }
}

/// The value of `Upload-Checksum` for a piece.
pub fn write_checksum(piece: &[u8]) -> String {
    format!("sha256 {}", STANDARD.encode(Sha256::digest(piece)))
}

/// Reads `Upload-Checksum`. Algorithms other than SHA-256 are refused; `sha1`, which tus makes obligatory for servers
/// that offer the extension, is not offered.
pub fn read_checksum(value: &str) -> Result<[u8; 32], ProtocolError> {
    let bad = ProtocolError::BadContent("upload-checksum");
    let digest = value.strip_prefix("sha256 ").ok_or_else(|| bad.clone())?;
    STANDARD.decode(digest.trim()).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_blob_once_and_in_order() {
        let mut state = BlobState { offset: 0, length: 600_001 };
        let mut pieces = Vec::new();
        while let Some(piece) = state.next_piece(1) {
            state.offset = piece.end;
            pieces.push(piece);
        }
        assert_eq!(pieces, [0..262_144, 262_144..524_288, 524_288..600_001]);
        assert!(state.is_whole());
    }

    #[test]
    fn a_checksum_is_read_as_it_was_written() {
        let digest = read_checksum(&write_checksum(b"piece")).unwrap();
        assert_eq!(digest, <[u8; 32]>::from(Sha256::digest(b"piece")));
        for wrong in ["", "sha1 AAAA", "sha256 AAAA", "sha256", "sha256 !"] {
            assert!(read_checksum(wrong).is_err(), "{wrong}");
        }
    }
}
