//! Deliberate breakages, so that the simulation itself is proved: each one is put between the true agent and the true
//! city, which stay as they are, and makes the pair behave as if one of them had the defect.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use sync_agent::client::Refused;
use sync_protocol::{
    HelloAnswer, HelloReply, HelloRequest, Manifest, PROTOCOL_VERSION, Receipt, ReceiptReply, ReceiptStatus,
    SealedRecord,
};

use crate::city::{Answered, Asked};
use crate::world::Kit;

/// A defect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Defect {
    /// None: the program as it is.
    #[default]
    None,
    /// An agent that pays no attention to what the city no longer has, nor to its new epoch.
    ForgetsToResend,
    /// An agent that takes any answer, and none at all, for the receipt of the record it sent.
    BelievesAnything,
    /// A city that counts a record as complete before its blobs are whole.
    CountsPartialBlobs,
    /// A kiosk that gives back what is received and not yet durable.
    GivesBackEarly,
}

/// See the module.
#[derive(Default)]
pub struct Mutation {
    defect: Defect,
    /// The first epoch there was, or the last one, as the defect needs it.
    epoch: Mutex<Option<String>>,
}

impl Mutation {
    /// With a defect, or without.
    pub fn of(defect: Defect) -> Self {
        Self { defect, ..Self::default() }
    }

    /// What the sender of a request hears instead of this.
    pub fn heard(
        &self,
        kit: &Kit,
        asked: &Asked,
        result: Result<Answered, Refused>,
    ) -> Result<Answered, Refused> {
        match (self.defect, result) {
            (Defect::None, result) => result,
            (Defect::BelievesAnything, result) => self.believed(kit, asked, result),
            (_, Ok(answered)) if answered.status == 200 => Ok(self.changed(kit, asked, answered)),
            (_, result) => result,
        }
    }

    /// The receipt in an answer, when the city signed it, with its defect or without.
    pub fn signed_by_the_city(&self, answered: &Answered) -> Option<String> {
        let by_the_city = !matches!(self.defect, Defect::None | Defect::BelievesAnything);
        let reply = by_the_city.then(|| serde_json::from_slice::<ReceiptReply>(&answered.body).ok())??;
        Some(reply.receipt)
    }

    fn changed(&self, kit: &Kit, asked: &Asked, answered: Answered) -> Answered {
        if let Ok(HelloReply { hello }) = serde_json::from_slice(&answered.body)
            && let (Ok(answer), Ok(request)) =
                (HelloAnswer::verify(&hello, &kit.city), serde_json::from_slice(&asked.body))
        {
            let hello = self.hello(answer, &request).sign(&kit.city_key);
            return with_body(answered, &HelloReply { hello });
        }
        if let Ok(ReceiptReply { receipt }) = serde_json::from_slice(&answered.body)
            && let Ok(mut receipt) = Receipt::verify(&receipt, &kit.city)
        {
            if self.defect == Defect::ForgetsToResend {
                receipt.epoch = self.first_epoch(&receipt.epoch);
            }
            receipt.complete |= self.defect == Defect::CountsPartialBlobs;
            let receipt = receipt.sign(&kit.city_key);
            return with_body(answered, &ReceiptReply { receipt });
        }
        answered
    }

    fn hello(&self, mut answer: HelloAnswer, request: &HelloRequest) -> HelloAnswer {
        match self.defect {
            Defect::ForgetsToResend => {
                answer.epoch = self.first_epoch(&answer.epoch);
                answer.received = vec![(1, request.finalised_seq.max(1))];
            }
            Defect::GivesBackEarly => {
                answer.durable_seq =
                    answer.received.first().filter(|range| range.0 == 1).map_or(0, |range| range.1);
            }
            _ => {}
        }
        answer
    }

    fn first_epoch(&self, epoch: &str) -> String {
        self.epoch().get_or_insert_with(|| epoch.to_owned()).clone()
    }

    fn epoch(&self) -> MutexGuard<'_, Option<String>> {
        self.epoch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A receipt that fits, whatever was answered.
    fn believed(
        &self,
        kit: &Kit,
        asked: &Asked,
        result: Result<Answered, Refused>,
    ) -> Result<Answered, Refused> {
        if let Ok(answered) = &result
            && let Ok(HelloReply { hello }) = serde_json::from_slice(&answered.body)
            && let Ok(answer) = HelloAnswer::verify(&hello, &kit.city)
        {
            *self.epoch() = Some(answer.epoch);
        }
        if asked.method != "PUT" || result.as_ref().is_ok_and(|answered| is_receipt(&answered.body)) {
            return result;
        }
        let record = SealedRecord::from_json(&asked.body);
        let manifest = record.and_then(|record| Manifest::unverified(&record.manifest));
        let (Ok(manifest), Some(epoch)) = (manifest, self.epoch().clone()) else { return result };
        let receipt = Receipt {
            version: PROTOCOL_VERSION,
            epoch,
            terminal: manifest.terminal,
            incarnation: manifest.incarnation,
            seq: manifest.seq,
            case_id: manifest.case_id,
            sha256: manifest.sha256,
            status: ReceiptStatus::Accepted,
            complete: true,
            server_time_ms: 0,
        };
        let blank = Answered { status: 200, headers: json_headers(), body: Vec::new() };
        Ok(with_body(blank, &ReceiptReply { receipt: receipt.sign(&kit.city_key) }))
    }
}

fn is_receipt(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body)
        .is_ok_and(|value| value["receipt"].as_str().is_some_and(|text| text.len() > 100))
}

fn json_headers() -> axum::http::HeaderMap {
    let mut headers = axum::http::HeaderMap::new();
    headers.insert("content-type", axum::http::HeaderValue::from_static("application/json"));
    headers
}

fn with_body(answered: Answered, reply: &impl serde::Serialize) -> Answered {
    let body = serde_json::to_vec(reply).unwrap_or_default();
    Answered { headers: json_headers(), body, ..answered }
}
