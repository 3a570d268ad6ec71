//! What the agent makes of an answer: tell the plan, the journal, the log and the auditor.

use kiosk_store::{
    Acknowledgement, AcknowledgementStatus, Attempt, AuditEvent, AuditId, HelloFailedCause,
    ReceiptRefusedCause, Sync,
};
use sync_protocol::ranges::RangeSet;
use sync_protocol::{Command, HelloAnswer, ReceiptStatus};
use tokio::sync::oneshot;

use super::{Agent, Event};
use crate::catalog::CitySaid;
use crate::client::{Cause, GoodReceipt, RecordName, Refused};
use crate::journal::{Note, Noted, NotedRecord};
use crate::plan::{Failure, Retry};

impl Agent {
    pub(super) async fn on_event(&mut self, event: Event) {
        match event {
            Event::Hello(Ok(answer)) => self.on_hello(answer).await,
            Event::Hello(Err(refused)) => self.on_no_hello(refused),
            Event::Put { name, bytes, result } => {
                self.bytes_under_way = self.bytes_under_way.saturating_sub(bytes);
                match result {
                    Ok(receipt) => self.on_receipt(&name, receipt),
                    Err(refused) => self.on_no_receipt(&name, refused),
                }
            }
            Event::Completion { name, result } => self.on_completion(&name, result),
            Event::Local(request) => self.on_local(request),
            Event::Tpm(wish) => self.on_tpm(wish),
        }
    }

    pub(super) fn on_noted(&mut self, noted: Noted) {
        let now = self.clock.now_ms();
        let Some(queue) = &mut self.queue else { return };
        for NotedRecord { incarnation, seq, complete } in noted.records {
            if incarnation != queue.reader.incarnation() {
                continue;
            }
            if noted.on_disk {
                queue.plan.receipt_noted(seq, complete);
                queue.causes.remove(&seq);
            } else {
                queue.plan.receipt_not_noted(seq, now, self.around.random());
            }
        }
    }

    async fn on_hello(&mut self, answer: HelloAnswer) {
        let wall_ms = self.clock.wall_ms();
        if let Some(catalog) = &self.catalog {
            let (city_ms, heard_ms) = (answer.server_time_ms, self.clock.now_ms());
            let (name, look) =
                (answer.catalog_version.clone(), answer.commands.contains(&Command::FetchCatalog));
            catalog.city_said(CitySaid { city_ms, heard_ms, name, look });
        }
        if self.epoch.as_ref().is_some_and(|known| *known != answer.epoch) {
            self.on_new_epoch(&answer, wall_ms).await;
        } else {
            self.epoch = Some(answer.epoch.clone());
        }
        let (now, entropy) = (self.clock.now_ms(), self.around.random());
        let Some(queue) = &mut self.queue else { return };
        let received = RangeSet::from(answer.received);
        if received.to_vec().last().is_some_and(|(_, last)| *last > queue.head) {
            tracing::error!(head = queue.head, "the city has records of this queue that the queue has not");
        }
        let asked_to_wait = u64::from(answer.retry_after_s) * 1000;
        let counted =
            queue.plan.hello_answered(now, &received, answer.send_allowance, asked_to_wait, entropy);
        let (waiting, again) = (queue.plan.waiting_count(), queue.plan.resend_count());
        if again > 0 {
            tracing::warn!(again, "the city no longer has records it acknowledged; they are sent again");
        }
        self.last_sync_ms = Some(wall_ms);
        let city_ahead_ms = answer.server_time_ms.saturating_sub(wall_ms);
        // An earlier life was left already; to note it again could hide that the newest has to be left too.
        let begin_incarnation = queue.is_newest && answer.commands.contains(&Command::BeginIncarnation);
        if begin_incarnation {
            tracing::error!("the city knows another disk that is this queue: it goes on in a new life");
        }
        let sync = Sync {
            incarnation: queue.reader.incarnation().to_owned(),
            now_ms: wall_ms,
            city_ahead_ms,
            epoch: answer.epoch,
            durable_seq: answer.durable_seq,
            continuity: answer.continuity,
            begin_incarnation,
        };
        self.continuity = sync.continuity.clone().or(self.continuity.take());
        self.journal.write(Note::Synced(sync));
        self.reached.send_replace(self.hellos);
        if self.reachable != Some(Ok(())) {
            self.reachable = Some(Ok(()));
            tracing::info!(waiting, city_ahead_ms, "the city answered");
            self.audit(AuditEvent::HelloOk { waiting });
        }
        self.keep_attempts(&counted);
    }

    /// The city's store was restored: what it may have lost no longer counts as delivered.
    async fn on_new_epoch(&mut self, answer: &HelloAnswer, wall_ms: i64) {
        let Some(queue) = &mut self.queue else { return };
        let (done, forgotten) = oneshot::channel();
        self.journal.write(Note::Forget {
            incarnation: queue.reader.incarnation().to_owned(),
            durable_seq: answer.durable_seq,
            epoch: answer.epoch.clone(),
            wall_ms,
            done,
        });
        // When this fails the old epoch stays known, and the next hello tries again.
        let Ok(Some(left)) = forgotten.await else { return };
        // Receipts that were noted before the forgetting must not come back to life behind it.
        while let Ok(noted) = self.noted.try_recv() {
            self.on_noted(noted);
        }
        let Some(queue) = &mut self.queue else { return };
        queue.plan.acknowledged_are(RangeSet::from(left));
        self.epoch = Some(answer.epoch.clone());
        // Receipts of other lives were forgotten with these.
        (queue.others_wait, queue.opened_ms) = (true, 0);
        let to_send_again = queue.plan.waiting_count();
        tracing::warn!(to_send_again, "the city's store began a new life");
        self.audit(AuditEvent::EpochChanged { to_send_again });
    }

    fn on_no_hello(&mut self, refused: Refused) {
        let (now, entropy) = (self.clock.now_ms(), self.around.random());
        if let Some(queue) = &mut self.queue {
            queue.plan.hello_failed(now, refused.retry_after_ms, entropy);
        }
        if refused.cause == Cause::Timeout {
            self.client.doubt_connection();
        }
        if self.reachable != Some(Err(refused.cause)) {
            self.reachable = Some(Err(refused.cause));
            tracing::warn!(cause = refused.cause.code(), "the city could not be reached or believed");
            self.journal.write(Note::Silence);
            self.audit(AuditEvent::HelloFailed { cause: hello_cause(refused.cause) });
        }
    }

    pub(super) fn on_receipt(&mut self, name: &RecordName, good: GoodReceipt) {
        let now = self.clock.now_ms();
        if let Some(queue) =
            self.queue.as_mut().filter(|queue| queue.reader.incarnation() == name.incarnation)
        {
            if self.epoch.as_ref().is_some_and(|known| *known != good.receipt.epoch) {
                // From another life of the city's store than the last hello: from which one is for the next hello to
                // say. A receipt of an older life must not count after a restore.
                queue.plan.hello_soon(now);
                let failure = Failure::Transient { retry_after_ms: None };
                return queue.plan.failed(name.seq, failure, now, self.around.random());
            }
            queue.plan.receipt_came(name.seq, now);
        }
        let (record, seq, complete) = (AuditId::or_nil(&name.case_id), name.seq, good.receipt.complete);
        let (status, event) = match good.receipt.status {
            ReceiptStatus::Accepted => {
                tracing::debug!(seq, "acknowledged");
                (AcknowledgementStatus::Accepted, AuditEvent::RecordAcknowledged { record, seq })
            }
            ReceiptStatus::ConflictRecorded => {
                tracing::error!(seq, "the city recorded a conflict");
                (AcknowledgementStatus::ConflictRecorded, AuditEvent::ConflictRecorded { record, seq })
            }
        };
        let incarnation = name.incarnation.clone();
        let at_ms = self.clock.wall_ms();
        let receipt = Acknowledgement {
            incarnation: incarnation.clone(),
            seq,
            receipt: good.jws,
            status,
            complete,
            at_ms,
        };
        if self.journal.write(Note::Receipt(receipt)) {
            self.audit(event);
        } else {
            self.on_noted(Noted {
                records: vec![NotedRecord { incarnation, seq, complete }],
                on_disk: false,
            });
        }
    }

    fn on_no_receipt(&mut self, name: &RecordName, refused: Refused) {
        let (now, seq) = (self.clock.now_ms(), name.seq);
        tracing::debug!(seq, cause = refused.cause.code(), "no receipt");
        if refused.cause == Cause::Timeout {
            self.client.doubt_connection();
        }
        if let Some(cause) = refusal_cause(refused.cause) {
            tracing::warn!(seq, cause = refused.cause.code(), "a receipt was not believed");
            self.audit(AuditEvent::ReceiptRefused { seq, cause });
        }
        let current = self.queue.as_mut().filter(|queue| queue.reader.incarnation() == name.incarnation);
        let Some(queue) = current else { return };
        if refused.failure() == Failure::Unbelievable {
            queue.causes.insert(seq, refused.cause);
        }
        queue.plan.failed(seq, refused.failure(), now, self.around.random());
    }

    /// Answers that were no receipts, now held against their records: worth a row, and in the side lane an alarm.
    fn keep_attempts(&mut self, counted: &[Retry]) {
        let Some(queue) = self.queue.as_ref().filter(|_| !counted.is_empty()) else { return };
        let (now, wall) = (self.clock.now_ms(), self.clock.wall_ms());
        let attempt = |retry: &Retry| Attempt {
            seq: retry.seq,
            failures: retry.refusals,
            next_attempt_ms: wall.saturating_add_unsigned(retry.due_ms.saturating_sub(now)),
            side_lane: retry.side_lane,
            last_error: queue.causes.get(&retry.seq).map(|cause| cause.code()).unwrap_or_default(),
        };
        let incarnation = queue.reader.incarnation().to_owned();
        self.journal.write(Note::Attempts(incarnation, counted.iter().map(attempt).collect()));
        for retry in counted.iter().filter(|retry| retry.side_lane) {
            tracing::error!(seq = retry.seq, failures = retry.refusals, "a record was set aside");
            let (seq, failures) = (retry.seq, u64::from(retry.refusals));
            self.audit(AuditEvent::RecordSetAside { seq, failures });
        }
    }

    pub(super) fn audit(&self, event: AuditEvent) {
        self.journal.write(Note::Audit(self.clock.wall_ms(), event));
    }
}

fn hello_cause(cause: Cause) -> HelloFailedCause {
    match cause {
        Cause::Connect | Cause::Broken => HelloFailedCause::Connect,
        Cause::Timeout => HelloFailedCause::Timeout,
        Cause::Tls => HelloFailedCause::Tls,
        Cause::Status(_) => HelloFailedCause::Status,
        Cause::NotJson => HelloFailedCause::NotJson,
        Cause::TooLarge => HelloFailedCause::TooLarge,
        Cause::NotVerified => HelloFailedCause::NotVerified,
        Cause::Other | Cause::NotTus | Cause::OwnDisk => HelloFailedCause::OtherTerminal,
    }
}

/// Only a 200 claims to be a receipt, so only there one can be refused.
fn refusal_cause(cause: Cause) -> Option<ReceiptRefusedCause> {
    match cause {
        Cause::NotJson => Some(ReceiptRefusedCause::NotJson),
        Cause::TooLarge => Some(ReceiptRefusedCause::TooLarge),
        Cause::NotVerified => Some(ReceiptRefusedCause::NotVerified),
        Cause::Other => Some(ReceiptRefusedCause::OtherRecord),
        Cause::Connect | Cause::Timeout | Cause::Tls | Cause::Broken | Cause::Status(_) => None,
        Cause::NotTus | Cause::OwnDisk => None,
    }
}
