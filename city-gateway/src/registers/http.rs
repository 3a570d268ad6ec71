//! A department's own server: one POST of JSON, with a deadline. What it must offer is described in
//! `openapi/registers.json` and in docs/REGISTERS.md.
//!
//! Deliberately absent: redirects, a proxy from the environment, plain HTTP to another machine, and a second try: a
//! person is waiting, and touches again sooner than a machine would know.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use rustls::{ClientConfig, RootCertStore};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use service_catalog::{Values, iso};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::{Away, Holding, Inquiry, Register, Told};
use crate::keys;

/// Version of what is asked.
const VERSION: u16 = 1;
/// Time for a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// Sixty rows of four long values need a quarter of it.
const MAX_ANSWER: usize = 256 * 1024;
/// Room for a question, so that it does not grow and leave copies behind.
const USUAL_QUESTION: usize = 4 * 1024;

/// Asks a department's server.
pub(super) struct HttpRegister {
    client: Client,
    url: Url,
    token: Option<HeaderValue>,
    within: Duration,
    under_way: Semaphore,
}

/// What is sent.
#[derive(Serialize)]
struct Asked<'a> {
    version: u16,
    item: &'a str,
    terminal: &'a str,
    asked_on: String,
    person: Person<'a>,
    answers: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Person<'a> {
    document: &'a str,
    name: &'a str,
    number: &'a str,
}

/// What comes back. Wiped by [`Holding`], into which it is moved at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    held: bool,
    #[serde(default)]
    facts: Values,
    #[serde(default)]
    rows: Vec<Values>,
}

impl HttpRegister {
    pub(super) fn new(
        url: &str,
        ca: Option<&Path>,
        token: Option<String>,
        within: Duration,
        at_once: usize,
    ) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        if let Some(ca) = ca {
            let (taken, _) = roots.add_parsable_certificates(keys::certificates(ca)?);
            anyhow::ensure!(taken > 0, "{}: no authority in it", ca.display());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT.min(within))
            .user_agent("city-gateway")
            .build()?;
        let token = match token {
            None => None,
            Some(token) => {
                let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                    .ok()
                    .context("the token has characters that no header takes")?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let url = url.parse().with_context(|| format!("{url} is no address"))?;
        Ok(Self { client, url, token, within, under_way: Semaphore::new(at_once) })
    }

    async fn answer(&self, inquiry: &Inquiry<'_>) -> Result<Option<Holding>, Away> {
        // Whoever comes when the department is at its limit is told at once, and waits for nobody else.
        let _place = self.under_way.try_acquire().map_err(|_| Away::Busy)?;
        let mut question = Zeroizing::new(Vec::with_capacity(USUAL_QUESTION));
        let asked = Asked {
            version: VERSION,
            item: inquiry.item,
            terminal: inquiry.terminal,
            asked_on: iso(inquiry.today),
            person: Person { document: inquiry.document, name: inquiry.name, number: inquiry.number },
            answers: inquiry.answers,
        };
        serde_json::to_writer(&mut *question, &asked).map_err(|_| Away::Unreachable)?;
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        let mut answer = request.body(question.to_vec()).send().await.map_err(|_| Away::Unreachable)?;
        if answer.status() != reqwest::StatusCode::OK {
            return Err(Away::Status(answer.status().as_u16()));
        }
        let mut body = Zeroizing::new(Vec::with_capacity(USUAL_QUESTION));
        while let Some(piece) = answer.chunk().await.map_err(|_| Away::Unreachable)? {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(Away::Unusable("it is too long".into()));
            }
            body.extend_from_slice(&piece);
        }
        // The reader's message may quote the answer, so it is dropped.
        let said: Said =
            serde_json::from_slice(&body).map_err(|_| Away::Unusable("it is not the agreed JSON".into()))?;
        let (held, holding) = (said.held, Holding { facts: said.facts, rows: said.rows });
        Ok(held.then_some(holding))
    }
}

impl Register for HttpRegister {
    fn ask<'a>(&'a self, inquiry: &'a Inquiry<'a>) -> Told<'a> {
        let within = self.within.min(inquiry.within);
        Box::pin(async move {
            tokio::time::timeout(within, self.answer(inquiry)).await.unwrap_or(Err(Away::Late))
        })
    }
}
