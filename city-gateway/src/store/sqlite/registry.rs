//! The allow-list in the embedded store: changes go through the one writer, questions through the reader.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use tokio::sync::oneshot;

use super::SqliteStore;
use super::writer::Command;
use crate::store::registry::{
    ListedKey, MAX_KEYS, NewCertificate, NewVoucher, RenewalAnswer, Standing, TerminalEvent,
    TerminalRegistry, TerminalRow, TerminalState, VoucherAnswer,
};
use crate::store::{Reply, StoreError};

/// A change of the list.
pub(super) enum Change {
    AddVoucher(NewVoucher),
    Redeem { hash: String, certificate: NewCertificate },
    Renew { presented: String, certificate: NewCertificate, again_since_ms: i64 },
    List(NewCertificate),
    SetState { terminal: String, state: TerminalState, at_ms: i64 },
    RevokeCertificate { fingerprint: String, at_ms: i64 },
    NoteOtherKey { terminal: String, at_ms: i64 },
}

/// What a change did.
pub(super) enum Changed {
    Done(bool),
    Voucher(VoucherAnswer),
    Renewal(RenewalAnswer),
}

/// How a certificate came onto the list.
#[derive(Clone, Copy)]
enum ListedBy {
    Voucher,
    Renewal,
    FirstSight,
}

impl ListedBy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Voucher => "voucher",
            Self::Renewal => "renewal",
            Self::FirstSight => "first_sight",
        }
    }
}

impl Change {
    /// Does it, inside the writer's transaction.
    pub(super) fn perform(&self, transaction: &Transaction<'_>) -> rusqlite::Result<Changed> {
        match self {
            Self::AddVoucher(voucher) => add_voucher(transaction, voucher).map(|()| Changed::Done(true)),
            Self::Redeem { hash, certificate } => {
                redeem(transaction, hash, certificate).map(Changed::Voucher)
            }
            Self::Renew { presented, certificate, again_since_ms } => {
                renew(transaction, presented, certificate, *again_since_ms).map(Changed::Renewal)
            }
            Self::List(certificate) => first_sight(transaction, certificate).map(Changed::Done),
            Self::SetState { terminal, state, at_ms } => {
                set_state(transaction, terminal, *state, *at_ms).map(Changed::Done)
            }
            Self::RevokeCertificate { fingerprint, at_ms } => {
                revoke_certificate(transaction, fingerprint, *at_ms).map(Changed::Done)
            }
            Self::NoteOtherKey { terminal, at_ms } => {
                event(transaction, *at_ms, terminal, "voucher_other_key", None).map(|()| Changed::Done(true))
            }
        }
    }
}

fn event(
    transaction: &Transaction<'_>,
    at_ms: i64,
    terminal: &str,
    event: &str,
    fingerprint: Option<&str>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO terminal_event (at_ms, terminal, event, fingerprint) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![at_ms, terminal, event, fingerprint])
        .map(|_| ())
}

fn void_vouchers(transaction: &Transaction<'_>, terminal: &str, at_ms: i64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE voucher SET voided_at_ms = ?2
             WHERE terminal = ?1 AND used_at_ms IS NULL AND voided_at_ms IS NULL",
        )?
        .execute(params![terminal, at_ms])
        .map(|_| ())
}

fn add_voucher(transaction: &Transaction<'_>, voucher: &NewVoucher) -> rusqlite::Result<()> {
    void_vouchers(transaction, &voucher.terminal, voucher.issued_at_ms)?;
    transaction
        .prepare_cached(
            "INSERT INTO voucher (hash, terminal, issued_at_ms, expires_at_ms) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![voucher.hash, voucher.terminal, voucher.issued_at_ms, voucher.expires_at_ms])?;
    event(transaction, voucher.issued_at_ms, &voucher.terminal, "voucher_issued", None)
}

fn voucher(connection: &Connection, hash: &str, key: &[u8], now_ms: i64) -> rusqlite::Result<VoucherAnswer> {
    type Row = (i64, Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>);
    let row: Option<Row> = connection
        .prepare_cached(
            "SELECT v.expires_at_ms, v.voided_at_ms, v.used_by_key, c.certificate
             FROM voucher v LEFT JOIN terminal_certificate c ON c.fingerprint = v.certificate
             WHERE v.hash = ?1",
        )?
        .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    Ok(match row {
        None | Some((_, Some(_), _, _)) => VoucherAnswer::Unknown,
        Some((_, None, Some(used_by), _)) if used_by != key => VoucherAnswer::OtherKey,
        Some((expires_at_ms, ..)) if now_ms >= expires_at_ms => VoucherAnswer::Expired,
        Some((_, _, _, Some(certificate))) => VoucherAnswer::Used { certificate, again: true },
        Some((_, _, _, None)) => VoucherAnswer::Good,
    })
}

fn insert(
    transaction: &Transaction<'_>,
    certificate: &NewCertificate,
    listed_by: ListedBy,
) -> rusqlite::Result<bool> {
    let added = transaction
        .prepare_cached(
            "INSERT INTO terminal_certificate (fingerprint, terminal, state, since_ms, public_key, not_before_ms,
                                               not_after_ms, listed_at_ms, listed_by, certificate)
             VALUES (?1, ?2, 'active', ?3, ?4, ?5, ?6, ?3, ?7, ?8) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            certificate.fingerprint,
            certificate.terminal,
            certificate.listed_at_ms,
            certificate.public_key,
            certificate.not_before_ms,
            certificate.not_after_ms,
            listed_by.as_str(),
            certificate.certificate
        ])?;
    Ok(added > 0)
}

fn redeem(
    transaction: &Transaction<'_>,
    hash: &str,
    new: &NewCertificate,
) -> rusqlite::Result<VoucherAnswer> {
    let answer = voucher(transaction, hash, &new.public_key, new.listed_at_ms)?;
    if answer != VoucherAnswer::Good {
        return Ok(answer);
    }
    // A voucher for a revoked terminal takes the terminal back, but not what it held before.
    transaction
        .prepare_cached(
            "UPDATE terminal_certificate SET state = 'revoked', since_ms = ?2 WHERE terminal = ?1
             AND state = 'active' AND EXISTS (SELECT 1 FROM terminal WHERE code = ?1 AND state = 'revoked')",
        )?
        .execute(params![new.terminal, new.listed_at_ms])?;
    transaction
        .prepare_cached(
            "INSERT INTO terminal (code, state, since_ms) VALUES (?1, 'active', ?2)
             ON CONFLICT DO UPDATE SET state = 'active', since_ms = excluded.since_ms WHERE state = 'revoked'",
        )?
        .execute(params![new.terminal, new.listed_at_ms])?;
    insert(transaction, new, ListedBy::Voucher)?;
    transaction
        .prepare_cached(
            "UPDATE voucher SET used_at_ms = ?2, used_by_key = ?3, certificate = ?4 WHERE hash = ?1",
        )?
        .execute(params![hash, new.listed_at_ms, new.public_key, new.fingerprint])?;
    event(transaction, new.listed_at_ms, &new.terminal, "enrolled", Some(&new.fingerprint))?;
    Ok(VoucherAnswer::Used { certificate: new.certificate.clone(), again: false })
}

fn renew(
    transaction: &Transaction<'_>,
    presented: &str,
    new: &NewCertificate,
    again_since_ms: i64,
) -> rusqlite::Result<RenewalAnswer> {
    let standing = standing(transaction, &new.terminal, presented)?;
    if standing != Standing::Listed {
        return Ok(RenewalAnswer::Refused(standing));
    }
    let earlier: Option<Vec<u8>> = transaction
        .prepare_cached(
            "SELECT certificate FROM terminal_certificate
             WHERE terminal = ?1 AND public_key = ?2 AND listed_by = 'renewal' AND state = 'active'
             AND listed_at_ms >= ?3 ORDER BY listed_at_ms DESC LIMIT 1",
        )?
        .query_row(params![new.terminal, new.public_key, again_since_ms], |row| row.get(0))
        .optional()?;
    if let Some(certificate) = earlier {
        return Ok(RenewalAnswer::Renewed { certificate, again: true });
    }
    insert(transaction, new, ListedBy::Renewal)?;
    event(transaction, new.listed_at_ms, &new.terminal, "renewed", Some(&new.fingerprint))?;
    Ok(RenewalAnswer::Renewed { certificate: new.certificate.clone(), again: false })
}

fn first_sight(transaction: &Transaction<'_>, new: &NewCertificate) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached(
            "INSERT INTO terminal (code, state, since_ms) VALUES (?1, 'active', ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(params![new.terminal, new.listed_at_ms])?;
    let added = insert(transaction, new, ListedBy::FirstSight)?;
    if added {
        event(transaction, new.listed_at_ms, &new.terminal, "first_sight", Some(&new.fingerprint))?;
    }
    Ok(added)
}

fn set_state(
    transaction: &Transaction<'_>,
    terminal: &str,
    state: TerminalState,
    at_ms: i64,
) -> rusqlite::Result<bool> {
    if state == TerminalState::Revoked {
        void_vouchers(transaction, terminal, at_ms)?;
    }
    let changed = transaction
        .prepare_cached("UPDATE terminal SET state = ?2, since_ms = ?3 WHERE code = ?1 AND state <> ?2")?
        .execute(params![terminal, state.as_str(), at_ms])?;
    if changed > 0 {
        let what = if state == TerminalState::Revoked { "revoked" } else { "reinstated" };
        event(transaction, at_ms, terminal, what, None)?;
        return Ok(true);
    }
    transaction.prepare_cached("SELECT 1 FROM terminal WHERE code = ?1")?.exists([terminal])
}

fn revoke_certificate(
    transaction: &Transaction<'_>,
    fingerprint: &str,
    at_ms: i64,
) -> rusqlite::Result<bool> {
    let terminal: Option<String> = transaction
        .prepare_cached("SELECT terminal FROM terminal_certificate WHERE fingerprint = ?1")?
        .query_row([fingerprint], |row| row.get(0))
        .optional()?;
    let Some(terminal) = terminal else { return Ok(false) };
    let changed = transaction
        .prepare_cached(
            "UPDATE terminal_certificate SET state = 'revoked', since_ms = ?2
             WHERE fingerprint = ?1 AND state = 'active'",
        )?
        .execute(params![fingerprint, at_ms])?;
    if changed > 0 {
        event(transaction, at_ms, &terminal, "certificate_revoked", Some(fingerprint))?;
    }
    Ok(true)
}

fn standing(connection: &Connection, terminal: &str, fingerprint: &str) -> rusqlite::Result<Standing> {
    let states: (Option<String>, Option<String>) = connection
        .prepare_cached(
            "SELECT (SELECT state FROM terminal WHERE code = ?1),
                    (SELECT state FROM terminal_certificate WHERE fingerprint = ?2 AND terminal = ?1)",
        )?
        .query_row([terminal, fingerprint], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(match (states.0.as_deref(), states.1.as_deref()) {
        (Some("revoked"), _) | (_, Some("revoked")) => Standing::Revoked,
        (Some("active"), Some("active")) => Standing::Listed,
        _ => Standing::Unlisted,
    })
}

fn keys(connection: &Connection, terminal: &str) -> rusqlite::Result<Vec<ListedKey>> {
    connection
        .prepare_cached(
            "SELECT c.public_key, c.state = 'revoked' OR t.state = 'revoked'
             FROM terminal_certificate c JOIN terminal t ON t.code = c.terminal
             WHERE c.terminal = ?1 ORDER BY c.listed_at_ms DESC LIMIT ?2",
        )?
        .query_map(params![terminal, MAX_KEYS as i64], |row| {
            Ok(ListedKey { public_key: row.get(0)?, revoked: row.get(1)? })
        })?
        .collect()
}

fn terminals(connection: &Connection, after: &str, limit: usize) -> rusqlite::Result<Vec<TerminalRow>> {
    connection
        .prepare_cached(
            "SELECT code, state, since_ms,
                    (SELECT max(not_after_ms) FROM terminal_certificate c
                     WHERE c.terminal = code AND c.state = 'active')
             FROM terminal WHERE code > ?1 ORDER BY code LIMIT ?2",
        )?
        .query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok(TerminalRow {
                code: row.get(0)?,
                state: TerminalState::from_word(row.get_ref(1)?.as_str()?)
                    .ok_or(rusqlite::Error::InvalidQuery)?,
                since_ms: row.get(2)?,
                not_after_ms: row.get(3)?,
            })
        })?
        .collect()
}

fn events(connection: &Connection, after: i64, limit: usize) -> rusqlite::Result<Vec<TerminalEvent>> {
    connection
        .prepare_cached(
            "SELECT id, at_ms, terminal, event, fingerprint FROM terminal_event
             WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?
        .query_map(params![after, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok(TerminalEvent {
                id: row.get(0)?,
                at_ms: row.get(1)?,
                terminal: row.get(2)?,
                event: row.get(3)?,
                fingerprint: row.get(4)?,
            })
        })?
        .collect()
}

impl SqliteStore {
    async fn change(&self, change: Change) -> Result<Changed, StoreError> {
        let (answer, wait) = oneshot::channel();
        self.writer.send(Command::Terminals(Box::new(change), answer))?;
        wait.await.map_err(|_| StoreError::Closed)?
    }

    async fn change_done(&self, change: Change) -> Result<bool, StoreError> {
        Ok(matches!(self.change(change).await?, Changed::Done(true)))
    }
}

fn unexpected() -> StoreError {
    StoreError::Database("the writer answered another question".into())
}

impl TerminalRegistry for SqliteStore {
    fn standing<'a>(&'a self, terminal: &'a str, fingerprint: &'a str) -> Reply<'a, Standing> {
        let (terminal, fingerprint) = (terminal.to_owned(), fingerprint.to_owned());
        Box::pin(self.read(move |_, connection| standing(connection, &terminal, &fingerprint)))
    }

    fn keys<'a>(&'a self, terminal: &'a str) -> Reply<'a, Vec<ListedKey>> {
        let terminal = terminal.to_owned();
        Box::pin(self.read(move |_, connection| keys(connection, &terminal)))
    }

    fn add_voucher(&self, voucher: NewVoucher) -> Reply<'_, ()> {
        Box::pin(async { self.change(Change::AddVoucher(voucher)).await.map(|_| ()) })
    }

    fn voucher<'a>(&'a self, hash: &'a str, public_key: &'a [u8], now_ms: i64) -> Reply<'a, VoucherAnswer> {
        let (hash, key) = (hash.to_owned(), public_key.to_owned());
        Box::pin(self.read(move |_, connection| voucher(connection, &hash, &key, now_ms)))
    }

    fn redeem(&self, hash: String, certificate: NewCertificate) -> Reply<'_, VoucherAnswer> {
        Box::pin(async {
            match self.change(Change::Redeem { hash, certificate }).await? {
                Changed::Voucher(answer) => Ok(answer),
                Changed::Done(_) | Changed::Renewal(_) => Err(unexpected()),
            }
        })
    }

    fn renew(
        &self,
        presented: String,
        certificate: NewCertificate,
        again_since_ms: i64,
    ) -> Reply<'_, RenewalAnswer> {
        Box::pin(async move {
            match self.change(Change::Renew { presented, certificate, again_since_ms }).await? {
                Changed::Renewal(answer) => Ok(answer),
                Changed::Done(_) | Changed::Voucher(_) => Err(unexpected()),
            }
        })
    }

    fn list(&self, certificate: NewCertificate) -> Reply<'_, ()> {
        Box::pin(async { self.change(Change::List(certificate)).await.map(|_| ()) })
    }

    fn set_state<'a>(&'a self, terminal: &'a str, state: TerminalState, at_ms: i64) -> Reply<'a, bool> {
        let terminal = terminal.to_owned();
        Box::pin(self.change_done(Change::SetState { terminal, state, at_ms }))
    }

    fn revoke_certificate<'a>(&'a self, fingerprint: &'a str, at_ms: i64) -> Reply<'a, bool> {
        let fingerprint = fingerprint.to_owned();
        Box::pin(self.change_done(Change::RevokeCertificate { fingerprint, at_ms }))
    }

    fn note_other_key<'a>(&'a self, terminal: &'a str, at_ms: i64) -> Reply<'a, ()> {
        let terminal = terminal.to_owned();
        Box::pin(async move { self.change(Change::NoteOtherKey { terminal, at_ms }).await.map(|_| ()) })
    }

    fn terminals<'a>(&'a self, after: &'a str, limit: usize) -> Reply<'a, Vec<TerminalRow>> {
        let after = after.to_owned();
        Box::pin(self.read(move |_, connection| terminals(connection, &after, limit)))
    }

    fn events(&self, after: i64, limit: usize) -> Reply<'_, Vec<TerminalEvent>> {
        Box::pin(self.read(move |_, connection| events(connection, after, limit)))
    }
}
