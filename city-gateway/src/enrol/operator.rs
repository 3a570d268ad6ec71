//! The operators' door: a socket in the state folder, which only the gateway's own account can open. Through it the
//! program itself, called a second time, issues vouchers and revokes terminals while the gateway runs.
//!
//! One line of JSON asks, one answers. Deliberately absent: any way in from a network.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use sync_protocol::DocumentNumber;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::certificate::is_terminal_code;
use super::{AllowList, voucher};
use crate::courier::Courier;
pub use crate::courier::CourierProgress;
use crate::store::desk::{AuditAct, AuditEntry};
use crate::store::issued::IssuedDocuments;
use crate::store::registry::{NewVoucher, TerminalRegistry, TerminalState};
use crate::terminals::now_ms;

/// Name of the socket in the state folder.
const SOCKET: &str = "operator.sock";

/// Longest line either way.
const MAX_LINE: u64 = 1024 * 1024;

/// Time for one question.
const DEADLINE: Duration = Duration::from_secs(10);

/// Longest life of a voucher, in hours: a terminal on its way to a distant site must not find its voucher ended.
const MAX_HOURS: u32 = 90 * 24;

/// Most terminals or events in one answer.
const MOST: usize = 1000;

/// What operators can ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// A voucher for a terminal. Earlier unused ones end.
    IssueVoucher {
        /// Code of the terminal.
        terminal: String,
        /// How long it is good, in hours.
        valid_hours: u32,
    },
    /// Revokes a terminal.
    Revoke {
        /// Its code.
        terminal: String,
    },
    /// Takes a revoked terminal back.
    Reinstate {
        /// Its code.
        terminal: String,
    },
    /// Revokes one certificate.
    RevokeCertificate {
        /// SHA-256 of its DER, hex.
        fingerprint: String,
    },
    /// The terminals after this code.
    Terminals {
        /// A code, or nothing for the beginning.
        after: String,
    },
    /// The events after this one.
    Events {
        /// Its number, or 0 for the beginning.
        after: i64,
    },
    /// Takes an issued document back.
    RevokeDocument {
        /// Its number, as printed.
        number: String,
    },
    /// Takes in a courier folder.
    TakeCourier {
        /// The folder, as the gateway's machine names it.
        folder: PathBuf,
    },
    /// How far the taking in is.
    Courier,
}

/// What they are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// A voucher; shown this once.
    Voucher {
        /// As the terminal is to be given it.
        voucher: String,
        /// When it ends, milliseconds since 1970.
        expires_at_ms: i64,
    },
    /// Lines to print.
    Lines(Vec<String>),
    /// How far the courier folder is taken in.
    Courier(CourierProgress),
    /// Why not.
    Refused(String),
}

/// The door of a running gateway.
pub(crate) struct Door {
    listener: UnixListener,
    path: PathBuf,
    registrar: Arc<Registrar>,
}

/// What answers.
pub(crate) struct Registrar {
    pub(crate) registry: Arc<dyn TerminalRegistry>,
    pub(crate) allow_list: Arc<AllowList>,
    pub(crate) courier: Arc<Courier>,
    pub(crate) documents: Arc<dyn IssuedDocuments>,
}

impl Door {
    /// Opens the door. The folder's lock is held by the caller, so a socket that is there is a dead one.
    pub(crate) fn open(state: &Path, registrar: Registrar) -> io::Result<Self> {
        let path = state.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        // The folder itself is closed to others already.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path, registrar: Arc::new(registrar) })
    }

    /// Answers until the task is ended. One question at a time: operators are few.
    pub(crate) async fn serve(self) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    // Whoever asks and goes away is no fault of ours.
                    let _ = tokio::time::timeout(DEADLINE, self.registrar.answer(stream)).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "the operators' door");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Gone already, or replaced at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Registrar {
    async fn answer(&self, stream: UnixStream) -> anyhow::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut line = String::new();
        BufReader::new(read.take(MAX_LINE)).read_line(&mut line).await?;
        let told = match serde_json::from_str(&line) {
            Ok(ask) => self.decide(ask).await.unwrap_or_else(|error| Told::Refused(format!("{error:#}"))),
            Err(_) => Told::Refused("not a question this gateway knows".into()),
        };
        let mut answer = serde_json::to_vec(&told)?;
        answer.push(b'\n');
        write.write_all(&answer).await?;
        Ok(())
    }

    async fn decide(&self, ask: Ask) -> anyhow::Result<Told> {
        let told = match ask {
            Ask::IssueVoucher { terminal, valid_hours } => self.issue(terminal, valid_hours).await?,
            Ask::Revoke { terminal } => self.set(&terminal, TerminalState::Revoked).await?,
            Ask::Reinstate { terminal } => self.set(&terminal, TerminalState::Active).await?,
            Ask::RevokeCertificate { fingerprint } => {
                ensure!(
                    self.registry.revoke_certificate(&fingerprint, now_ms()).await?,
                    "no such certificate is listed"
                );
                tracing::warn!(alarm = true, %fingerprint, "a certificate was revoked");
                Told::Lines(vec![format!("{fingerprint} revoked")])
            }
            Ask::Terminals { after } => {
                let rows = self.registry.terminals(&after, MOST).await?;
                let line = |row: crate::store::registry::TerminalRow| {
                    let end = row.not_after_ms.map_or_else(|| "-".into(), day);
                    let state = row.state.as_str();
                    format!("{} {state} since {} certificate until {end}", row.code, day(row.since_ms))
                };
                Told::Lines(rows.into_iter().map(line).collect())
            }
            Ask::Events { after } => {
                let rows = self.registry.events(after, MOST).await?;
                let line = |row: crate::store::registry::TerminalEvent| {
                    let fingerprint = row.fingerprint.unwrap_or_else(|| "-".into());
                    format!("{} {} {} {} {fingerprint}", row.id, day(row.at_ms), row.terminal, row.event)
                };
                Told::Lines(rows.into_iter().map(line).collect())
            }
            Ask::RevokeDocument { number } => self.revoke_document(&number).await?,
            Ask::TakeCourier { folder } => {
                ensure!(folder.is_absolute(), "the folder must be named from the root");
                ensure!(self.courier.begin(folder), "another courier folder is being taken in");
                Told::Courier(CourierProgress::default())
            }
            Ask::Courier => {
                Told::Courier(self.courier.progress().context("no courier folder was taken in yet")?)
            }
        };
        self.allow_list.changed();
        Ok(told)
    }

    async fn issue(&self, terminal: String, valid_hours: u32) -> anyhow::Result<Told> {
        ensure!(is_terminal_code(&terminal), "a terminal's code is six characters of A-Z and 0-9");
        ensure!((1..=MAX_HOURS).contains(&valid_hours), "a voucher is good for 1 to {MAX_HOURS} hours");
        let voucher = voucher::generate()?;
        let hash = voucher::hash(&terminal, &voucher).context("a voucher that is none")?;
        let issued_at_ms = now_ms();
        let expires_at_ms = issued_at_ms + i64::from(valid_hours) * 3_600_000;
        tracing::info!(%terminal, valid_hours, "a voucher was issued");
        self.registry.add_voucher(NewVoucher { hash, terminal, issued_at_ms, expires_at_ms }).await?;
        Ok(Told::Voucher { voucher, expires_at_ms })
    }

    async fn revoke_document(&self, number: &str) -> anyhow::Result<Told> {
        let number = DocumentNumber::read(number).context("a document's number is like ZM-7K3M-9Q2T")?;
        let number = number.to_string();
        let line = AuditEntry {
            at_ms: now_ms(),
            actor: "console".into(),
            address: String::new(),
            act: AuditAct::DocumentRevoked,
            subject: number.clone(),
            detail: String::new(),
        };
        let revoked = self.documents.revoke_document(&number, line.at_ms, line).await?;
        ensure!(revoked, "no document {number} was issued here, or it was taken back already");
        Ok(Told::Lines(vec![format!("{number} taken back")]))
    }

    async fn set(&self, terminal: &str, state: TerminalState) -> anyhow::Result<Told> {
        ensure!(self.registry.set_state(terminal, state, now_ms()).await?, "there is no terminal {terminal}");
        tracing::warn!(alarm = true, %terminal, state = state.as_str(), "a terminal's place on the list");
        Ok(Told::Lines(vec![format!("{terminal} {}", state.as_str())]))
    }
}

/// A day as people write it.
fn day(ms: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000))
        .map_or_else(|_| "?".into(), |moment| moment.date().to_string())
}

/// Asks the gateway that runs on this state folder.
pub async fn ask(state: &Path, ask: &Ask) -> anyhow::Result<Told> {
    let path = state.join(SOCKET);
    let exchange = async {
        let stream = UnixStream::connect(&path)
            .await
            .with_context(|| format!("no gateway answers at {}; it must run for this", path.display()))?;
        let (read, mut write) = stream.into_split();
        let mut question = serde_json::to_vec(ask)?;
        question.push(b'\n');
        write.write_all(&question).await?;
        let mut line = String::new();
        BufReader::new(read.take(MAX_LINE)).read_line(&mut line).await?;
        serde_json::from_str(&line).context("the gateway's answer cannot be read")
    };
    match tokio::time::timeout(DEADLINE, exchange).await {
        Ok(told) => told,
        Err(_) => bail!("the gateway did not answer in time"),
    }
}
