//! What terminals can ask: hello, and to keep a record.
//!
//! Deliberately absent: any judgement of what a record contains. Here it is only whether the body is a sealed
//! record, and whether the terminal that sent it signed it. Also absent: HTML.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Extension, Json, Router};
use sync_protocol::{
    HelloReply, HelloRequest, Manifest, PROTOCOL_VERSION, ReceiptReply, RecordKind, SealedRecord, limits,
};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::config::Limits;
use crate::enrol::{self, AllowList, Believed, Enrolment};
use crate::failpoints;
use crate::receipts::{HelloFacts, Signer};
use crate::refusal::Refusal;
use crate::store::registry::Standing;
use crate::store::{Acceptance, Arrival, Conflict, InboxStore, Kept, Kind, Place, StoreError};
use crate::tls::Peer;

/// Longest body of a hello.
const MAX_HELLO_REQUEST: usize = 16 * 1024;

/// What the routes share.
pub(crate) struct Terminals {
    pub(crate) store: Arc<dyn InboxStore>,
    pub(crate) allow_list: Arc<AllowList>,
    pub(crate) signer: Signer,
    pub(crate) catalog_version: String,
    pub(crate) limits: Limits,
    /// KiB of bodies that may be in memory.
    pub(crate) bodies: Semaphore,
    /// Rung when a record arrived.
    pub(crate) arrivals: Arc<Notify>,
    /// Rung when the store must be opened anew.
    pub(crate) broken: Arc<Notify>,
}

/// The routes of the listener for terminals.
pub(crate) fn router(state: Arc<Terminals>, enrolment: Arc<Enrolment>) -> Router {
    Router::new()
        .route("/v1/hello", post(hello))
        .route("/v1/records/{case_id}", put(keep))
        .merge(enrol::terminal_routes(enrolment).with_state(()))
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::WrongMethod })
        .layer(middleware::from_fn_with_state(Arc::clone(&state), deadline))
        .with_state(state)
}

/// Ends a request that takes too long, whatever it waits for. What was handed to the store is kept all the same,
/// and the terminal gets its receipt when it asks again.
async fn deadline(State(state): State<Arc<Terminals>>, request: Request, next: Next) -> Response {
    let late = Refusal::Later { seconds: 2, why: "took too long" };
    match tokio::time::timeout(state.limits.request_deadline(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => late.into_response(),
    }
}

async fn hello(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    request: Request,
) -> Result<Json<HelloReply>, Refusal> {
    let (body, _held) = state.body(request, MAX_HELLO_REQUEST).await?;
    let hello: HelloRequest =
        serde_json::from_slice(&body).map_err(|_| Refusal::BadRequest("not a hello".into()))?;
    if hello.version != PROTOCOL_VERSION {
        return Err(Refusal::BadRequest("a version of the protocol this gateway does not know".into()));
    }
    let code = &peer.certificate.code;
    if hello.terminal != *code {
        tracing::warn!(alarm = true, terminal = %code, "hello in the name of another terminal");
        return Err(Refusal::Forbidden("the certificate names another terminal".into()));
    }
    if hello.incarnation.len() > limits::MAX_FIELD {
        return Err(Refusal::BadRequest("incarnation is too long".into()));
    }
    let standing = state.watch(state.allow_list.standing(&peer.certificate).await)?;
    let received = state.watch(state.store.received(code, &hello.incarnation).await)?;
    tracing::debug!(
        terminal = %code,
        finalised = hello.finalised_seq,
        oldest_unacked_age_s = hello.oldest_unacked_age_s,
        "hello"
    );
    let facts = HelloFacts {
        now_ms: now_ms(),
        // Whoever is not on the list may hand in what residents finished, and gets nothing in return.
        catalog_version: if standing == Standing::Listed { &state.catalog_version } else { "" },
        send_allowance: state.limits.send_allowance,
    };
    Ok(Json(HelloReply { hello: state.signer.hello(code, received, facts) }))
}

async fn keep(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    Path(case_id): Path<String>,
    request: Request,
) -> Result<Json<ReceiptReply>, Refusal> {
    let (body, _held) = state.body(request, limits::MAX_RECORD_BODY).await?;
    let record = SealedRecord::from_json(&body)?;
    drop(body);
    let standing = state.watch(state.allow_list.standing(&peer.certificate).await)?;
    let believed = state.watch(state.allow_list.believe(&peer.certificate, &record.manifest).await)?;
    let Believed { manifest, revoked_key } = believed.inspect_err(
        |error| tracing::warn!(alarm = true, terminal = %peer.certificate.code, %error, "a manifest was refused"),
    )?;
    verify(&peer, &manifest, &record, &case_id)?;
    let arrival = arrival(&manifest, record);
    #[cfg(feature = "failpoints")]
    if let Some(delay) = failpoints::receipt_before_commit() {
        return Ok(premature(&state, &manifest, arrival, delay));
    }
    // Residents' cases are no evidence to throw away: what is not believed is kept aside, and gets its receipt.
    let aside = match standing {
        Standing::Revoked => Some(Conflict::Revoked),
        Standing::Listed => revoked_key.then_some(Conflict::Revoked),
        Standing::Unlisted => Some(Conflict::Unlisted),
    };
    let acceptance = match aside {
        Some(why) => state.watch(state.store.set_aside(arrival, why).await)?,
        None => state.watch(state.store.accept(arrival).await)?,
    };
    report(&manifest, &acceptance);
    state.arrivals.notify_one();
    failpoints::drop_reply();
    Ok(Json(ReceiptReply { receipt: state.signer.receipt(&manifest, &acceptance) }))
}

/// Whether the record is what its manifest says, and the manifest speaks of this terminal.
fn verify(peer: &Peer, manifest: &Manifest, record: &SealedRecord, case_id: &str) -> Result<(), Refusal> {
    let code = &peer.certificate.code;
    if manifest.terminal != *code {
        tracing::warn!(alarm = true, terminal = %code, "a manifest in the name of another terminal");
        return Err(Refusal::Forbidden("the manifest names another terminal".into()));
    }
    if manifest.version != PROTOCOL_VERSION {
        return Err(Refusal::BadRequest("a version of the protocol this gateway does not know".into()));
    }
    if manifest.case_id != case_id {
        return Err(Refusal::BadRequest("the address names another record".into()));
    }
    if !record.matches(manifest) {
        tracing::warn!(alarm = true, terminal = %code, seq = manifest.seq, "a record is damaged");
        return Err(Refusal::BadRequest("the content is not the one the manifest speaks of".into()));
    }
    Ok(())
}

fn arrival(manifest: &Manifest, record: SealedRecord) -> Arrival {
    Arrival {
        place: Place {
            terminal: manifest.terminal.clone(),
            incarnation: manifest.incarnation.clone(),
            seq: manifest.seq,
        },
        case_id: manifest.case_id.clone(),
        kind: match manifest.kind {
            RecordKind::Case => Kind::Case,
            RecordKind::Rating => Kind::Rating,
        },
        about: manifest.about.clone(),
        case_number: manifest.case_number.clone(),
        verification: manifest.verification.clone(),
        item: manifest.item.clone(),
        item_version: manifest.item_version,
        sha256: manifest.sha256.clone(),
        manifest_hash: Manifest::hash(&record.manifest),
        manifest: record.manifest,
        ciphertext: record.ciphertext,
        received_at_ms: now_ms(),
    }
}

/// Says what was done, loudly when a terminal contradicts itself.
fn report(manifest: &Manifest, acceptance: &Acceptance) {
    let Manifest { terminal, seq, case_id, .. } = manifest;
    match acceptance.kept {
        Kept::Inbox => tracing::debug!(%terminal, seq, %case_id, again = acceptance.again, "kept"),
        Kept::InboxOtherManifest => {
            tracing::warn!(alarm = true, %terminal, seq, %case_id, "a record came again with another manifest");
        }
        Kept::Quarantine(conflict) => {
            let why = conflict.label();
            tracing::warn!(alarm = true, %terminal, seq, %case_id, why, "a record was put into quarantine");
        }
    }
}

/// The mutation that a crash test must notice: the receipt first, the record some time later.
#[cfg(feature = "failpoints")]
fn premature(
    state: &Arc<Terminals>,
    manifest: &Manifest,
    arrival: Arrival,
    delay: std::time::Duration,
) -> Json<ReceiptReply> {
    let invented = Acceptance { kept: Kept::Inbox, again: false, received_at_ms: arrival.received_at_ms };
    let later = Arc::clone(state);
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        if later.store.accept(arrival).await.is_ok() {
            later.arrivals.notify_one();
        }
    });
    Json(ReceiptReply { receipt: state.signer.receipt(manifest, &invented) })
}

impl Terminals {
    /// Reads a body within its limit and within what all bodies together may take. The permit is held until the
    /// request is answered, because the record lives that long.
    async fn body(&self, request: Request, limit: usize) -> Result<(Bytes, SemaphorePermit<'_>), Refusal> {
        let declared = request.headers().get(header::CONTENT_LENGTH);
        let bytes = declared.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(limit);
        if bytes > limit {
            return Err(Refusal::TooLarge);
        }
        let kib = u32::try_from(bytes.div_ceil(1024).max(1)).map_err(|_| Refusal::TooLarge)?;
        let permit = self
            .bodies
            .try_acquire_many(kib)
            .map_err(|_| Refusal::Later { seconds: 1, why: "too many records are under way" })?;
        let body = to_bytes(request.into_body(), bytes)
            .await
            .map_err(|_| Refusal::BadRequest("the body was cut off or is longer than announced".into()))?;
        Ok((body, permit))
    }

    /// Passes a result on, and rings when the store cannot go on by itself.
    fn watch<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Broken(_)) = result {
            self.broken.notify_one();
        }
        result
    }
}

/// The city's clock, milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
