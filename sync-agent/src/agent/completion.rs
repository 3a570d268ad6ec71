//! Sending the blobs of an acknowledged record, and what comes of it.

use super::{Agent, Event};
use crate::client::{Cause, CityClient, GoodReceipt, RecordName, Refused};
use crate::plan::Failure;
use crate::throttle::Throttle;
use kiosk_store::{RecordKind, StoredBlob};
use sync_protocol::SealedRecord;
use tokio::sync::oneshot;

impl Agent {
    /// Sends what the city does not hold of this record's blobs, then asks for its receipt again. When the place was
    /// closed by a void meanwhile, the void is sent instead: its receipt ends the matter.
    pub(super) fn complete(&mut self, seq: u64) {
        let Some(queue) = &mut self.queue else { return };
        let now = self.clock.now_ms();
        queue.plan.completing(seq, now);
        if let Some(known_as) = queue.given_back(seq) {
            // Held for good means held with all its blobs.
            let client = self.client.clone();
            let name = known_as.name.clone();
            return self.report_completion(name, async move { known_as.receipt(&client).await });
        }
        let found = queue.reader.blobs_of(seq).and_then(|blobs| Ok((blobs, queue.reader.record(seq)?)));
        let Ok((blobs, Some(stored))) = found else {
            tracing::error!(seq, "the blobs of a record cannot be read from the outbox");
            let failure = Failure::Transient { retry_after_ms: None };
            return queue.plan.completion_failed(seq, failure, now, self.around.random());
        };
        let incarnation = queue.reader.incarnation().to_owned();
        let name = RecordName { incarnation, seq, case_id: stored.case_id, sha256: Some(stored.sha256) };
        let void = (stored.kind == RecordKind::Void)
            .then_some(SealedRecord { manifest: stored.manifest, ciphertext: stored.ciphertext });
        let (client, throttle, wanted) = (self.client.clone(), self.throttle.clone(), name.clone());
        self.report_completion(name, async move {
            let sent = match void {
                Some(void) => client.put(&wanted, &void).await,
                None => send(&client, &throttle, &wanted, &blobs).await,
            };
            (wanted, sent)
        });
    }

    /// Reports how this ends. The plan sends the blobs of one record at a time, so it must hear of the end whatever that
    /// is.
    fn report_completion(
        &self,
        name: RecordName,
        sending: impl Future<Output = (RecordName, Result<GoodReceipt, Refused>)> + Send + 'static,
    ) {
        let (report, (end, ended)) = (self.report.clone(), oneshot::channel());
        self.around.spawn(Box::pin(async move {
            let _ = end.send(sending.await);
        }));
        self.around.spawn(Box::pin(async move {
            let (name, result) = ended.await.unwrap_or_else(|_| (name, Err(Cause::Broken.into())));
            let _ = report.send(Event::Completion { name, result }).await;
        }));
    }

    pub(super) fn on_completion(&mut self, name: &RecordName, result: Result<GoodReceipt, Refused>) {
        let (now, seq) = (self.clock.now_ms(), name.seq);
        let Some(queue) = self.queue.as_mut().filter(|queue| queue.reader.incarnation() == name.incarnation)
        else {
            return;
        };
        match result {
            Ok(receipt)
                if receipt.receipt.complete && self.epoch.as_ref() == Some(&receipt.receipt.epoch) =>
            {
                tracing::debug!(seq, "complete");
                queue.plan.completion_came(seq, now);
                self.on_receipt(name, receipt);
            }
            // Everything was sent and yet something is missing there: the city lost it since, or was restored.
            Ok(_) => {
                queue.plan.hello_soon(now);
                let failure = Failure::Transient { retry_after_ms: None };
                queue.plan.completion_failed(seq, failure, now, self.around.random());
            }
            Err(refused) => {
                tracing::debug!(seq, cause = refused.cause.code(), "blobs were not all sent");
                if refused.cause == Cause::Timeout {
                    self.client.doubt_connection();
                }
                if refused.failure() == Failure::Unbelievable {
                    queue.causes.insert(seq, refused.cause);
                }
                if refused.cause == Cause::OwnDisk {
                    tracing::error!(seq, "a blob cannot be read from the disk");
                }
                queue.plan.completion_failed(seq, refused.failure(), now, self.around.random());
            }
        }
    }
}

async fn send(
    client: &CityClient,
    throttle: &Throttle,
    name: &RecordName,
    blobs: &[StoredBlob],
) -> Result<GoodReceipt, Refused> {
    client.send_blobs(blobs, throttle).await?;
    client.receipt(name).await
}
