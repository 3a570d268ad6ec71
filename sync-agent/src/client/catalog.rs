//! Files of the catalog's repository. They are not believed: whoever asked verifies them.

use std::time::Duration;

use reqwest::{Client, StatusCode};

use super::{CityClient, Refused, Way, body_of, cause_of, refused};
use crate::AgentError;

/// Longest time for one file: a long one over a slow link. A link that died is noticed earlier.
const ONE_FILE: Duration = Duration::from_secs(600);

/// A connection of its own, so that a long download delays no record.
#[derive(Clone)]
pub struct CatalogClient {
    http: Client,
    url: String,
}

impl CityClient {
    /// For one look at the catalog, with the certificate and the authorities that hold now.
    pub fn for_catalog(&self) -> Result<CatalogClient, AgentError> {
        let http = match &self.way {
            Way::Kept(connection) => connection.another_http()?,
            Way::Given(http) => http.clone(),
        };
        Ok(CatalogClient { http, url: self.url.clone() })
    }
}

impl CatalogClient {
    /// At most `limit` bytes of a file; nothing when there is none.
    pub(crate) async fn file(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, Refused> {
        let call = self.http.get(format!("{}/v1/catalog/{path}", self.url)).timeout(ONE_FILE);
        let mut response = call.send().await.map_err(|error| cause_of(&error))?;
        match response.status() {
            StatusCode::OK => body_of(&mut response, limit).await.map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(&response)),
        }
    }
}
