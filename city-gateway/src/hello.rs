//! The answer to hello: what the city has, how far that outlives it, and whether the disk that asks is the one it
//! should be.

use sync_protocol::{Command, EarlierAnswer, HelloReply, HelloRequest};

use crate::catalog_files::CatalogFiles;
use crate::continuity::Heard;
use crate::receipts::HelloFacts;
use crate::refusal::Refusal;
use crate::store::lives::{Answered, Disagreement, Word};
use crate::store::registry::Standing;
use crate::store::{Received, StoreError};
use crate::terminals::{Terminals, now_ms};

/// From here on a terminal is asked to wait before it sends anything.
const TOO_BUSY: f64 = 0.9;

/// Answers a hello of a terminal that is who it says. One that is not on the list hears what the city has of it, so
/// that it can hand in what residents finished, and nothing else; its words change nothing in the book, where they would
/// make the terminal that now has its code look like a copy.
pub(crate) async fn answer(
    state: &Terminals,
    terminal: &str,
    standing: Standing,
    hello: HelloRequest,
) -> Result<HelloReply, Refusal> {
    let now_ms = now_ms();
    let is_listed = standing == Standing::Listed;
    // Without a token in the answer the terminal keeps the one it has.
    let answered = if is_listed {
        match state.book.hear(word(terminal, &hello, now_ms)).await {
            // Hello comes first.
            Err(StoreError::Busy) => Answered::default(),
            heard => state.watch(heard)?,
        }
    } else {
        Answered::default()
    };
    report(state, terminal, &hello, &answered);
    let received = received_of(state, terminal, &hello.incarnation).await?;
    let mut earlier = Vec::with_capacity(hello.earlier.len());
    for queue in &hello.earlier {
        let Received { ranges, durable_seq } = received_of(state, terminal, &queue.incarnation).await?;
        earlier.push(EarlierAnswer { incarnation: queue.incarnation.clone(), received: ranges, durable_seq });
    }
    let busy = state.busy();
    let allowance = f64::from(state.limits.send_allowance) * (1.0 - busy);
    let signed_catalog = state.catalog_files.as_ref().and_then(CatalogFiles::name);
    let facts = HelloFacts {
        now_ms,
        catalog_version: match &signed_catalog {
            _ if !is_listed => "",
            Some(name) => name,
            None => &state.catalog_version,
        },
        send_allowance: (allowance.round() as u32).max(1),
        retry_after_s: if busy > TOO_BUSY { 5 } else { 0 },
        version: hello.version,
        nonce: hello.nonce,
        continuity: answered.token,
        earlier,
        commands: if answered.begin_incarnation { vec![Command::BeginIncarnation] } else { Vec::new() },
    };
    Ok(HelloReply { hello: state.signer.hello(terminal, received, facts) })
}

async fn received_of(state: &Terminals, terminal: &str, incarnation: &str) -> Result<Received, Refusal> {
    Ok(state.watch(state.store.received(terminal, incarnation).await)?)
}

/// The hello as the book notes it. A terminal of version 1 knows nothing of tokens and is not judged.
fn word(terminal: &str, hello: &HelloRequest, now_ms: i64) -> Word {
    let heard = (hello.version >= 2).then(|| Heard {
        token: hello.continuity.clone(),
        finalised_seq: hello.finalised_seq,
        head_hash: hello.head_hash.clone(),
        tpm_counter: hello.tpm_counter,
        boot_id: hello.clock.boot_id.clone(),
        monotonic_ms: hello.clock.monotonic_ms,
    });
    Word {
        terminal: terminal.to_owned(),
        incarnation: hello.incarnation.clone(),
        heard,
        fresh_token: format!("{:032x}", crate::clock::random()),
        ledger: hello.ledger,
        oldest_unacked_age_s: hello.oldest_unacked_age_s,
        agent_version: hello.agent_version.chars().take(64).collect(),
        catalog_version: hello.catalog_version.as_ref().map(|version| version.chars().take(128).collect()),
        disk_used_percent: hello.disk_used_percent,
        at_ms: now_ms,
    }
}

fn report(state: &Terminals, terminal: &str, hello: &HelloRequest, answered: &Answered) {
    let (finalised, oldest_unacked_age_s) = (hello.finalised_seq, hello.oldest_unacked_age_s);
    tracing::debug!(%terminal, finalised, oldest_unacked_age_s, "hello");
    if let Some(doubt) = answered.doubt {
        state.metrics.doubt();
        let why = doubt.label();
        tracing::warn!(alarm = true, %terminal, why, "a disk is a copy or an older image; it is asked to begin anew");
    } else if answered.begin_incarnation {
        tracing::warn!(%terminal, "a doubted disk still goes on in the old life of its queue");
    }
    if let Some(disagreement) = answered.disagreement {
        let records = match disagreement {
            Disagreement::OwnSum => 0,
            Disagreement::Lost { records } | Disagreement::NeverIssued { records } => records,
        };
        let why = disagreement.label();
        tracing::warn!(alarm = true, %terminal, records, why, "the books of a terminal and of the city differ");
    }
}
