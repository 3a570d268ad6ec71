//! What terminals do with blobs: announce, send piece by piece, ask how far they are, name them in a case.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sync_protocol::limits::MIN_CHUNK;
use sync_protocol::{BlobRef, BlobState, Manifest, SealedRecord, sha256_hex, write_checksum};

use crate::support::{City, Terminal, described};

impl Terminal {
    /// A request about blobs, with the header every one has.
    pub fn tus(&self, city: &City, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, city.url(path)).header("tus-resumable", "1.0.0")
    }

    /// Announces a blob.
    pub async fn announce(&self, city: &City, sha256: &str, length: u64) -> reqwest::Response {
        let metadata = format!("sha256 {}", STANDARD.encode(sha256));
        let request = self.tus(city, "POST", "/v1/blobs").header("upload-metadata", metadata);
        let response = request.header("upload-length", length).send().await.unwrap();
        described("post", "/v1/blobs", response).await
    }

    /// Sends a piece.
    pub async fn piece(&self, city: &City, sha256: &str, at: u64, piece: &[u8]) -> reqwest::Response {
        let request = self
            .tus(city, "PATCH", &format!("/v1/blobs/{sha256}"))
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", at)
            .header("upload-checksum", write_checksum(piece))
            .body(piece.to_vec());
        described("patch", "/v1/blobs/{sha256}", request.send().await.unwrap()).await
    }

    /// How far a blob is: offset and length.
    pub async fn blob_state(&self, city: &City, sha256: &str) -> Option<(u64, u64)> {
        let response = self.tus(city, "HEAD", &format!("/v1/blobs/{sha256}")).send().await.unwrap();
        let response = described("head", "/v1/blobs/{sha256}", response).await;
        let number = |name: &str| response.headers()[name].to_str().unwrap().parse().unwrap();
        (response.status() == 200).then(|| (number("upload-offset"), number("upload-length")))
    }

    /// Sends a whole blob, and returns how many of its bytes it took.
    pub async fn send_blob(&self, city: &City, content: &[u8]) -> u64 {
        let sha256 = sha256_hex(content);
        assert_eq!(self.announce(city, &sha256, content.len() as u64).await.status(), 201);
        let mut sent = 0;
        while let Some((at, length)) = self.blob_state(city, &sha256).await
            && let Some(range) = (BlobState { offset: at, length }).next_piece(MIN_CHUNK)
        {
            let piece = &content[range.start as usize..range.end as usize];
            assert_eq!(self.piece(city, &sha256, at, piece).await.status(), 204);
            sent += piece.len() as u64;
        }
        sent
    }

    /// A good case that names blobs.
    pub fn case_with_blobs(&self, seq: u64, blobs: &[&[u8]]) -> (Manifest, SealedRecord) {
        let (mut manifest, mut record) = self.case(seq);
        let name = |blob: &&[u8]| BlobRef { sha256: sha256_hex(blob), bytes: blob.len() as u64 };
        manifest.blobs = blobs.iter().map(name).collect();
        record.manifest = manifest.sign(&self.key);
        (manifest, record)
    }
}
