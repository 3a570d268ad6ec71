//! Relays a live question: ciphertext there, ciphertext back. Neither is logged, kept or looked into.

use std::time::Duration;

use sync_protocol::{PROTOCOL_VERSION, QueryReply, QueryRequest, limits};

use super::{Cause, CityClient, Refused};

impl CityClient {
    /// Asks the city and returns its sealed answer in base64. The caller's deadline bounds it.
    pub async fn query(&self, ticket: &str, question: String, within: Duration) -> Result<String, Refused> {
        let within_ms = u32::try_from(within.as_millis()).unwrap_or(u32::MAX).min(limits::MAX_QUERY_MS);
        let request =
            QueryRequest { version: PROTOCOL_VERSION, ticket: ticket.to_owned(), within_ms, question };
        let call = self.http().post(format!("{}/v1/query", self.url)).timeout(within).json(&request);
        let body = self.answer(call, limits::MAX_LOCAL_FRAME).await?;
        let reply: QueryReply = serde_json::from_slice(&body).map_err(|_| Cause::NotJson)?;
        // Unsigned: only the holder of the city's key could have read the question and known whom to answer.
        if reply.ticket == ticket { Ok(reply.answer) } else { Err(Cause::Other.into()) }
    }
}
