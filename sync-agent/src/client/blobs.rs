//! Sends the blobs of a record by tus 1.0: asks how far each is, sends the next piece, goes on after an interruption
//! from where the city is. Nothing here counts as delivered; only the receipt asked for afterwards does.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kiosk_store::StoredBlob;
use reqwest::{RequestBuilder, Response, StatusCode};
use sync_protocol::{BlobHeaders as Header, BlobState, TUS_VERSION, limits, write_checksum};

use super::{Cause, CityClient, Refused, refused};
use crate::throttle::Throttle;

/// Answers in a row that bring a blob no further than it ever was before the try is given up.
const STANDSTILLS: u32 = 3;

impl CityClient {
    /// Sends what the city does not hold of these blobs, one after the other. Pieces are as small as the protocol
    /// allows, so that an interruption costs at most one of them.
    pub async fn send_blobs(&self, blobs: &[StoredBlob], throttle: &Throttle) -> Result<(), Refused> {
        for blob in blobs {
            self.send_blob(blob, throttle).await?;
        }
        Ok(())
    }

    async fn send_blob(&self, blob: &StoredBlob, throttle: &Throttle) -> Result<(), Refused> {
        let mut state = match self.blob_state(blob).await? {
            Some(state) => state,
            None => self.begin_blob(blob).await?,
        };
        let mut standstills = 0;
        // Further than ever in this try: a city that goes back again and again must not keep us here.
        let mut furthest = state.offset;
        while let Some(range) = state.next_piece(limits::MIN_CHUNK) {
            throttle.take(range.end - range.start).await;
            state = match self.send_piece(blob, range).await? {
                Some(offset) => BlobState { offset, ..state },
                // Another offset than we thought, or a piece damaged on the way: the city says where it is.
                None => self.blob_state(blob).await?.ok_or(Cause::NotTus)?,
            };
            standstills = if state.offset > furthest { 0 } else { standstills + 1 };
            furthest = furthest.max(state.offset);
            if standstills >= STANDSTILLS {
                return Err(Cause::NotTus.into());
            }
        }
        Ok(())
    }

    /// How far the city is with a blob; `None` when it has nothing of it.
    async fn blob_state(&self, blob: &StoredBlob) -> Result<Option<BlobState>, Refused> {
        let response = self.around.send(tus(self.http().head(self.blob_url(blob)))).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::OK | StatusCode::NO_CONTENT => {
                let (offset, length) =
                    (number(&response, Header::OFFSET)?, number(&response, Header::LENGTH)?);
                let sensible = length == blob.bytes && offset <= length;
                if sensible { Ok(Some(BlobState { offset, length })) } else { Err(Cause::NotTus.into()) }
            }
            _ => Err(refused(&response)),
        }
    }

    async fn begin_blob(&self, blob: &StoredBlob) -> Result<BlobState, Refused> {
        let call = tus(self.http().post(format!("{}/v1/blobs", self.url)))
            .header(Header::LENGTH, blob.bytes)
            .header(Header::METADATA, format!("sha256 {}", STANDARD.encode(&blob.sha256)));
        let response = self.around.send(call).await?;
        match response.status() {
            StatusCode::CREATED => Ok(BlobState { offset: 0, length: blob.bytes }),
            _ => Err(refused(&response)),
        }
    }

    /// Sends a piece and returns the next offset, or `None` when the city stands elsewhere.
    async fn send_piece(&self, blob: &StoredBlob, range: Range<u64>) -> Result<Option<u64>, Refused> {
        let (start, end) = (range.start, range.end);
        let piece = self.around.read(blob.path.clone(), range).await.map_err(|_| Cause::OwnDisk)?;
        let call = tus(self.http().patch(self.blob_url(blob)))
            .header("content-type", Header::CONTENT_TYPE)
            .header(Header::OFFSET, start)
            .header(Header::CHECKSUM, write_checksum(&piece))
            .body(piece);
        let response = self.around.send(call).await?;
        match response.status().as_u16() {
            204 if number(&response, Header::OFFSET)? == end => Ok(Some(end)),
            204 => Err(Cause::NotTus.into()),
            409 | sync_protocol::CHECKSUM_MISMATCH => Ok(None),
            _ => Err(refused(&response)),
        }
    }

    fn blob_url(&self, blob: &StoredBlob) -> String {
        format!("{}/v1/blobs/{}", self.url, blob.sha256)
    }
}

fn tus(call: RequestBuilder) -> RequestBuilder {
    call.header(Header::RESUMABLE, TUS_VERSION)
}

fn number(response: &Response, header: &str) -> Result<u64, Refused> {
    let value = response.headers().get(header).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    value.ok_or_else(|| Cause::NotTus.into())
}
