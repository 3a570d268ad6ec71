//! What the kiosk asks for while a resident stands before it.

use sync_protocol::local::{LocalBody, LocalOutcome};
use tokio::sync::mpsc;

use super::{Agent, Event};
use crate::catalog::Looked;
use crate::client::{Cause, Refused};
use crate::local_socket::{LocalSocket, Wish};

/// Wishes that may wait for the agent.
const WISHES: usize = 32;

impl Agent {
    /// Without the socket records are delivered all the same, so a failure is only said.
    pub(super) fn open_socket(&mut self) {
        let (wishes, mut inbox) = mpsc::channel::<Wish>(WISHES);
        match LocalSocket::open(&self.config.state, wishes) {
            Ok(socket) => self._socket = Some(socket),
            Err(error) => return tracing::error!(%error, "the kiosk cannot ask live questions"),
        }
        let report = self.report.clone();
        tokio::spawn(async move {
            while let Some(wish) = inbox.recv().await {
                if report.send(Event::Local(wish)).await.is_err() {
                    return;
                }
            }
        });
    }

    pub(super) fn on_local(&mut self, wish: Wish) {
        let Wish { ticket, within, body, reply } = wish;
        match body {
            LocalBody::Query { question } => {
                let client = self.client.clone();
                tokio::spawn(async move {
                    let outcome = match client.query(&ticket, question, within).await {
                        Ok(answer) => LocalOutcome::Answer { answer },
                        Err(refused) => outcome_of(&refused),
                    };
                    let _ = reply.send(outcome);
                });
            }
            LocalBody::TryNow => {
                // It may be said because of a record that was committed a moment ago.
                self.look_at_outbox();
                self.try_now();
                let _ = reply.send(LocalOutcome::Done);
            }
            LocalBody::ReachCity => {
                // Only a hello that is said after the question counts: one under way tells of a moment ago.
                let (mut reached, said) = (self.reached.subscribe(), self.hellos);
                self.try_now();
                tokio::spawn(async move {
                    let answered =
                        tokio::time::timeout(within, reached.wait_for(|hello| *hello > said)).await;
                    let outcome = match answered {
                        Ok(Ok(_)) => LocalOutcome::Done,
                        Ok(Err(_)) | Err(_) => LocalOutcome::Unreachable,
                    };
                    let _ = reply.send(outcome);
                });
            }
            LocalBody::FetchCatalog => {
                let Some(catalog) = &self.catalog else {
                    let _ = reply.send(LocalOutcome::NotPossible);
                    return;
                };
                let Some(told) = catalog.look_now() else {
                    let _ = reply.send(LocalOutcome::Busy);
                    return;
                };
                tokio::spawn(async move {
                    let outcome = match tokio::time::timeout(within, told).await {
                        Ok(Ok(Looked::Read)) => LocalOutcome::Done,
                        Ok(Ok(Looked::Unreachable)) => LocalOutcome::Unreachable,
                        // What the city offers must not be taken over, or the agent stops.
                        Ok(Ok(Looked::Refused) | Err(_)) => LocalOutcome::NotPossible,
                        // It goes on all the same.
                        Err(_) => LocalOutcome::TooLate,
                    };
                    let _ = reply.send(outcome);
                });
            }
        }
    }

    fn try_now(&mut self) {
        let now = self.clock.now_ms();
        if let Some(queue) = &mut self.queue {
            queue.plan.try_now(now);
        }
    }
}

fn outcome_of(refused: &Refused) -> LocalOutcome {
    match refused.cause {
        Cause::Timeout => LocalOutcome::TooLate,
        Cause::Status(429 | 503) => LocalOutcome::Busy,
        _ => LocalOutcome::Unreachable,
    }
}
