//! What terminals can ask: hello, to keep a record, its receipt, a live question, files of the signed catalog. Blobs
//! have routes of their own.
//!
//! Deliberately absent: any judgement of what a record contains. Here it is only whether the body is a sealed
//! record, and whether the terminal that sent it signed it. Also absent: HTML.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, options, post, put};
use axum::{Extension, Json, Router};
use sync_protocol::{
    HelloReply, HelloRequest, Manifest, QueryReply, QueryRequest, ReceiptReply, RecordKind, SealedRecord,
    limits, understands,
};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::blobs::{Blobs, routes as tus};
use crate::budgets::Budgets;
use crate::catalog_files::CatalogFiles;
pub(crate) use crate::clock::now_ms;
use crate::config::Limits;
use crate::enrol::{AllowList, Believed, TerminalCertificate};
use crate::failpoints;
use crate::hello;
use crate::leftover;
use crate::metrics::{Asked, Metrics};
use crate::openapi;
use crate::query::Questions;
use crate::receipts::{Complete, Signer};
use crate::refusal::Refusal;
use crate::store::lives::TerminalBook;
use crate::store::registry::Standing;
use crate::store::{Acceptance, Arrival, Conflict, InboxStore, Kept, Kind, Place, StoreError};
use crate::tls::Peer;

/// What the routes share.
pub(crate) struct Terminals {
    pub(crate) store: Arc<dyn InboxStore>,
    pub(crate) allow_list: Arc<AllowList>,
    pub(crate) signer: Signer,
    pub(crate) catalog_version: String,
    /// The signed catalog, when this gateway hands one out.
    pub(crate) catalog_files: Option<CatalogFiles>,
    pub(crate) limits: Limits,
    /// KiB of records that may be in memory.
    pub(crate) bodies: Semaphore,
    /// The same for pieces of blobs, so that these never stand in the way of records.
    pub(crate) blob_bodies: Semaphore,
    /// The same for hellos and questions, which go first.
    pub(crate) small_bodies: Semaphore,
    pub(crate) blobs: Arc<Blobs>,
    pub(crate) book: Arc<dyn TerminalBook>,
    pub(crate) questions: Questions,
    pub(crate) budgets: Budgets,
    pub(crate) metrics: Arc<Metrics>,
    /// How busy the store is, 0 to 1.
    pub(crate) pressure: Box<dyn Fn() -> f64 + Send + Sync>,
    /// Rung when a record arrived.
    pub(crate) arrivals: Arc<Notify>,
    /// Rung when the store must be opened anew.
    pub(crate) broken: Arc<Notify>,
}

/// The routes of the listener for terminals.
pub(crate) fn router(state: Arc<Terminals>, enrolment: Router<Arc<Terminals>>) -> Router {
    Router::new()
        .route("/v1/hello", post(hello))
        .route("/v1/records/{case_id}", put(keep))
        .route("/v1/records/{case_id}/receipt", get(receipt))
        .route("/v1/query", post(query))
        .route("/v1/blobs", post(tus::create).options(tus::offer))
        .route(
            "/v1/blobs/{sha256}",
            head(tus::state).patch(tus::append).post(tus::overridden).merge(options(tus::offer)),
        )
        .route("/v1/openapi.json", get(openapi::document))
        .route("/v1/catalog/{*path}", get(catalog_file))
        .merge(enrolment)
        .fallback(|| async { Refusal::NotFound })
        .method_not_allowed_fallback(|| async { Refusal::WrongMethod })
        .layer(middleware::from_fn_with_state(Arc::clone(&state), deadline))
        .layer(middleware::from_fn(leftover::answered))
        .with_state(state)
}

/// Ends a request that takes too long, whatever it waits for. What was handed to the store is kept all the same,
/// and the terminal gets its receipt when it asks again.
async fn deadline(State(state): State<Arc<Terminals>>, request: Request, next: Next) -> Response {
    let late = Refusal::Later { seconds: 2, why: "took too long" };
    let (asked, began) = (Asked::of(request.uri().path()), Instant::now());
    // A piece of a blob over the slowest link takes minutes.
    let within = if asked == Asked::Blob {
        Duration::from_secs(state.limits.blob_request_seconds.max(1))
    } else {
        state.limits.request_deadline()
    };
    let response = match tokio::time::timeout(within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => late.into_response(),
    };
    state.metrics.answered(asked, response.status(), began.elapsed());
    response
}

async fn hello(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    request: Request,
) -> Result<Json<HelloReply>, Refusal> {
    let (body, _held) = read(&state.small_bodies, request, limits::MAX_HELLO_REQUEST).await?;
    let hello = HelloRequest::from_json(&body)?;
    if !understands(hello.version) {
        return Err(Refusal::BadRequest("a version of the protocol this gateway does not know".into()));
    }
    let code = &peer.certificate.code;
    if hello.terminal != *code {
        tracing::warn!(alarm = true, terminal = %code, "hello in the name of another terminal");
        return Err(Refusal::Forbidden("the certificate names another terminal".into()));
    }
    let standing = state.standing(&peer).await?;
    hello::answer(&state, peer.code(), standing, hello).await.map(Json)
}

/// A file of the signed catalog.
async fn catalog_file(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    Path(path): Path<String>,
) -> Result<Bytes, Refusal> {
    if state.standing(&peer).await? != Standing::Listed {
        return Err(Refusal::Forbidden("this certificate is not on the city's list".into()));
    }
    state.catalog_files.as_ref().ok_or(Refusal::NotFound)?.read(&path).await
}

async fn keep(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    Path(case_id): Path<String>,
    request: Request,
) -> Result<Json<ReceiptReply>, Refusal> {
    let standing = state.standing(&peer).await?;
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let share = share_of(&peer, standing);
    state.budgets.record(&share, announced.unwrap_or(limits::MAX_RECORD_BODY as u64))?;
    let (body, _held) = state.body(request, limits::MAX_RECORD_BODY).await?;
    let record = SealedRecord::from_json(&body)?;
    drop(body);
    #[cfg(feature = "failpoints")]
    if let Some(delay) = failpoints::receipt_before_commit() {
        let (manifest, arrival, _) =
            state.believe(&peer.certificate, standing, record, Some(&case_id)).await?;
        return Ok(premature(&state, &manifest, arrival, delay));
    }
    let (manifest, acceptance) = state.keep(&peer.certificate, standing, record, Some(&case_id)).await?;
    failpoints::drop_reply();
    Ok(Json(ReceiptReply { receipt: state.receipt_of(&manifest, &acceptance).await? }))
}

/// Which of several records with one id: a copy of a disk may have made another one.
#[derive(serde::Deserialize)]
struct Which {
    sha256: Option<String>,
}

/// The receipt of a record as things stand now: complete when its blobs have come since.
async fn receipt(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    Path(case_id): Path<String>,
    Query(Which { sha256 }): Query<Which>,
) -> Result<Json<ReceiptReply>, Refusal> {
    let held = state.watch(state.book.record(peer.code(), &case_id, sha256.as_deref()).await)?;
    let held = held.ok_or(Refusal::Of(StatusCode::NOT_FOUND, "the city does not hold this record"))?;
    // It was verified when it was kept.
    let manifest = Manifest::unverified(&held.manifest).map_err(|_| Refusal::Fault)?;
    let acceptance = Acceptance { kept: held.kept, again: true, received_at_ms: held.received_at_ms };
    Ok(Json(ReceiptReply { receipt: state.receipt_of(&manifest, &acceptance).await? }))
}

/// A live question. Nothing of it is logged or kept.
async fn query(
    State(state): State<Arc<Terminals>>,
    Extension(peer): Extension<Arc<Peer>>,
    request: Request,
) -> Result<Json<QueryReply>, Refusal> {
    if state.standing(&peer).await? != Standing::Listed {
        return Err(Refusal::Forbidden("this certificate is not on the city's list".into()));
    }
    // The base64 of the largest question, and the JSON around it.
    let (body, _held) = read(&state.small_bodies, request, limits::MAX_QUERY.div_ceil(3) * 4 + 1024).await?;
    let asked: QueryRequest =
        serde_json::from_slice(&body).map_err(|_| Refusal::BadRequest("not a question".into()))?;
    state.questions.answer(peer.code(), asked).await.map(Json)
}

/// Whose share of what the gateway takes on a request counts against. A stolen certificate must not eat up the share
/// of the terminal that now has the same code.
pub(crate) fn share_of(peer: &Peer, standing: Standing) -> Cow<'_, str> {
    match standing {
        Standing::Listed => Cow::Borrowed(peer.code()),
        Standing::Revoked | Standing::Unlisted => Cow::Owned(format!("{} aside", peer.code())),
    }
}

/// Whether the record is what its manifest says, and the manifest speaks of this terminal.
fn verify(
    code: &str,
    manifest: &Manifest,
    record: &SealedRecord,
    case_id: Option<&str>,
) -> Result<(), Refusal> {
    if manifest.terminal != *code {
        tracing::warn!(alarm = true, terminal = %code, "a manifest in the name of another terminal");
        return Err(Refusal::Forbidden("the manifest names another terminal".into()));
    }
    if !understands(manifest.version) {
        return Err(Refusal::BadRequest("a version of the protocol this gateway does not know".into()));
    }
    if case_id.is_some_and(|case_id| case_id != manifest.case_id) {
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
            RecordKind::Void => Kind::Void,
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
        blobs: manifest.blobs.iter().map(|blob| (blob.sha256.clone(), blob.bytes)).collect(),
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
    Json(ReceiptReply { receipt: state.signer.receipt(manifest, &invented, Complete::Yes) })
}

/// Reads a body within its limit and within what all bodies of its kind together may take.
async fn read(
    room: &Semaphore,
    request: Request,
    limit: usize,
) -> Result<(Bytes, SemaphorePermit<'_>), Refusal> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let bytes = declared.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(limit);
    if bytes > limit {
        return Err(Refusal::TooLarge);
    }
    let kib = u32::try_from(bytes.div_ceil(1024).max(1)).map_err(|_| Refusal::TooLarge)?;
    let permit = room
        .try_acquire_many(kib)
        .map_err(|_| Refusal::Later { seconds: 1, why: "too much is under way at once" })?;
    let body = to_bytes(request.into_body(), bytes)
        .await
        .map_err(|_| Refusal::BadRequest("the body was cut off or is longer than announced".into()))?;
    Ok((body, permit))
}

impl Terminals {
    /// What the certificate of whoever asks is worth now.
    pub(crate) async fn standing(&self, peer: &Peer) -> Result<Standing, StoreError> {
        self.watch(self.allow_list.standing(&peer.certificate).await)
    }

    /// Keeps a record, whichever way it came, and says what was done. Residents' cases are no evidence to throw away:
    /// what is not believed is kept aside, and gets its receipt. `case_id` is the one that the request was about.
    pub(crate) async fn keep(
        &self,
        certificate: &TerminalCertificate,
        standing: Standing,
        record: SealedRecord,
        case_id: Option<&str>,
    ) -> Result<(Manifest, Acceptance), Refusal> {
        let (manifest, arrival, aside) = self.believe(certificate, standing, record, case_id).await?;
        let acceptance = match aside {
            Some(why) => self.watch(self.store.set_aside(arrival, why).await)?,
            None => self.watch(self.store.accept(arrival).await)?,
        };
        report(&manifest, &acceptance);
        self.metrics.record(acceptance.again, matches!(acceptance.kept, Kept::Quarantine(_)));
        self.arrivals.notify_one();
        Ok((manifest, acceptance))
    }

    /// What a record is, when a key of this terminal signed it, and why it has to be set aside, if it has.
    async fn believe(
        &self,
        certificate: &TerminalCertificate,
        standing: Standing,
        record: SealedRecord,
        case_id: Option<&str>,
    ) -> Result<(Manifest, Arrival, Option<Conflict>), Refusal> {
        let code = &certificate.code;
        let believed = self.watch(self.allow_list.believe(certificate, &record.manifest).await)?;
        let Believed { manifest, revoked_key } = believed.inspect_err(
            |error| tracing::warn!(alarm = true, terminal = %code, %error, "a manifest was refused"),
        )?;
        verify(code, &manifest, &record, case_id)?;
        let aside = match standing {
            Standing::Revoked => Some(Conflict::Revoked),
            Standing::Listed => revoked_key.then_some(Conflict::Revoked),
            Standing::Unlisted => Some(Conflict::Unlisted),
        };
        let arrival = arrival(&manifest, record);
        Ok((manifest, arrival, aside))
    }

    /// The receipt of what was done with a record, as things stand now.
    pub(crate) async fn receipt_of(
        &self,
        manifest: &Manifest,
        acceptance: &Acceptance,
    ) -> Result<String, Refusal> {
        let complete = self.complete(manifest).await?;
        Ok(self.signer.receipt(manifest, acceptance, complete))
    }

    /// Reads a record. The permit is held until the request is answered, because the record lives that long.
    async fn body(&self, request: Request, limit: usize) -> Result<(Bytes, SemaphorePermit<'_>), Refusal> {
        read(&self.bodies, request, limit).await
    }

    /// Reads a piece of a blob.
    pub(crate) async fn blob_body(
        &self,
        request: Request,
        limit: usize,
    ) -> Result<(Bytes, SemaphorePermit<'_>), Refusal> {
        read(&self.blob_bodies, request, limit).await
    }

    /// Whether all blobs of a record are whole: judged from its manifest, never from what a terminal says.
    async fn complete(&self, manifest: &Manifest) -> Result<Complete, Refusal> {
        if manifest.blobs.is_empty() {
            return Ok(Complete::Yes);
        }
        let named = manifest.blobs.iter().map(|blob| blob.sha256.clone()).collect();
        let missing = self.watch(self.blobs.index.missing(named).await)?;
        Ok(if missing.is_empty() { Complete::Yes } else { Complete::No })
    }

    /// How busy the gateway is, 0 to 1.
    pub(crate) fn busy(&self) -> f64 {
        let room = (self.limits.bodies_mib.max(16) * 1024) as f64;
        let bodies = 1.0 - self.bodies.available_permits() as f64 / room;
        (self.pressure)().max(bodies).max(1.0 - self.budgets.left()).clamp(0.0, 1.0)
    }

    /// Passes a result on, and rings when the store cannot go on by itself.
    pub(crate) fn watch<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Broken(_)) = result {
            self.broken.notify_one();
        }
        result
    }
}
