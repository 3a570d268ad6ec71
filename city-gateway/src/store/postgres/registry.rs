//! The allow-list on PostgreSQL. Whoever changes it locks one row first, so that changes happen one after the other, as
//! in the embedded store; questions wait for nobody.

use tokio_postgres::Row;

use super::PostgresStore;
use super::database::{Database, Work, plain};
use super::read::unknown;
use crate::store::registry::{
    ListedKey, MAX_KEYS, NewCertificate, NewVoucher, RenewalAnswer, Standing, TerminalEvent,
    TerminalRegistry, TerminalRow, TerminalState, VoucherAnswer,
};
use crate::store::{Reply, StoreError};

const LOCK: &str = "SELECT 1 FROM terminal_list WHERE only_row = 1 FOR UPDATE";

const EVENT: &str = "
    WITH next AS (
        UPDATE terminal_list SET events = events + 1 WHERE only_row = 1 RETURNING events
    )
    INSERT INTO terminal_event (id, at_ms, terminal, event, fingerprint) SELECT events, $1, $2, $3, $4 FROM next";

const VOID: &str = "
    UPDATE voucher SET voided_at_ms = $2
    WHERE terminal = $1 AND used_at_ms IS NULL AND voided_at_ms IS NULL";

const ADD_VOUCHER: &str = "
    INSERT INTO voucher (hash, terminal, issued_at_ms, expires_at_ms) VALUES ($1, $2, $3, $4)";

const VOUCHER: &str = "
    SELECT v.expires_at_ms, v.voided_at_ms, v.used_by_key, c.certificate
    FROM voucher v LEFT JOIN terminal_certificate c ON c.fingerprint = v.certificate WHERE v.hash = $1";

const USE_VOUCHER: &str = "
    UPDATE voucher SET used_at_ms = $2, used_by_key = $3, certificate = $4 WHERE hash = $1";

/// A voucher for a revoked terminal takes the terminal back, but not what it held before.
const REVOKE_FORMER: &str = "
    UPDATE terminal_certificate SET state = 'revoked', since_ms = $2 WHERE terminal = $1
    AND state = 'active' AND EXISTS (SELECT 1 FROM terminal WHERE code = $1 AND state = 'revoked')";

const TAKE_BACK: &str = "
    INSERT INTO terminal (code, state, since_ms) VALUES ($1, 'active', $2)
    ON CONFLICT (code) DO UPDATE SET state = 'active', since_ms = excluded.since_ms
    WHERE terminal.state = 'revoked'";

const KNOW: &str = "
    INSERT INTO terminal (code, state, since_ms) VALUES ($1, 'active', $2) ON CONFLICT DO NOTHING";

const INSERT: &str = "
    INSERT INTO terminal_certificate (fingerprint, terminal, state, since_ms, public_key, not_before_ms,
                                      not_after_ms, listed_at_ms, listed_by, certificate)
    VALUES ($1, $2, 'active', $3, $4, $5, $6, $3, $7, $8) ON CONFLICT DO NOTHING";

const EARLIER: &str = "
    SELECT certificate FROM terminal_certificate
    WHERE terminal = $1 AND public_key = $2 AND listed_by = 'renewal' AND state = 'active' AND listed_at_ms >= $3
    ORDER BY listed_at_ms DESC LIMIT 1";

const SET_STATE: &str = "UPDATE terminal SET state = $2, since_ms = $3 WHERE code = $1 AND state <> $2";

const REVOKE: &str = "
    UPDATE terminal_certificate SET state = 'revoked', since_ms = $2
    WHERE fingerprint = $1 AND state = 'active'";

const STANDING: &str = "
    SELECT (SELECT state FROM terminal WHERE code = $1),
           (SELECT state FROM terminal_certificate WHERE fingerprint = $2 AND terminal = $1)";

const KEYS: &str = "
    SELECT c.public_key, c.state = 'revoked' OR t.state = 'revoked'
    FROM terminal_certificate c JOIN terminal t ON t.code = c.terminal
    WHERE c.terminal = $1 ORDER BY c.listed_at_ms DESC LIMIT $2";

const TERMINALS: &str = "
    SELECT t.code, t.state, t.since_ms,
           (SELECT max(c.not_after_ms) FROM terminal_certificate c
            WHERE c.terminal = t.code AND c.state = 'active')
    FROM terminal t WHERE t.code > $1 ORDER BY t.code LIMIT $2";

const EVENTS: &str = "
    SELECT id, at_ms, terminal, event, fingerprint FROM terminal_event WHERE id > $1 ORDER BY id LIMIT $2";

impl TerminalRegistry for PostgresStore {
    fn standing<'a>(&'a self, terminal: &'a str, fingerprint: &'a str) -> Reply<'a, Standing> {
        Box::pin(async move {
            let row = self.database.query_opt(STANDING, &[&plain(terminal), &plain(fingerprint)]).await?;
            row.map_or(Ok(Standing::Unlisted), |row| standing_in(&row))
        })
    }

    fn keys<'a>(&'a self, terminal: &'a str) -> Reply<'a, Vec<ListedKey>> {
        Box::pin(async move {
            let rows = self.database.query(KEYS, &[&plain(terminal), &(MAX_KEYS as i64)]).await?;
            rows.iter()
                .map(|row| Ok(ListedKey { public_key: row.try_get(0)?, revoked: row.try_get(1)? }))
                .collect()
        })
    }

    fn add_voucher(&self, voucher: NewVoucher) -> Reply<'_, ()> {
        Box::pin(async move {
            let NewVoucher { hash, terminal, issued_at_ms, expires_at_ms } = &voucher;
            let work = changing(&self.database).await?;
            work.execute(VOID, &[terminal, issued_at_ms]).await?;
            work.execute(ADD_VOUCHER, &[hash, terminal, issued_at_ms, expires_at_ms]).await?;
            event(&work, *issued_at_ms, terminal, "voucher_issued", None).await?;
            work.commit().await
        })
    }

    fn voucher<'a>(&'a self, hash: &'a str, public_key: &'a [u8], now_ms: i64) -> Reply<'a, VoucherAnswer> {
        Box::pin(async move {
            let row = self.database.query_opt(VOUCHER, &[&plain(hash)]).await?;
            worth(row.as_ref(), public_key, now_ms)
        })
    }

    fn redeem(&self, hash: String, certificate: NewCertificate) -> Reply<'_, VoucherAnswer> {
        Box::pin(async move {
            let work = changing(&self.database).await?;
            let answer = redeem(&work, &hash, &certificate).await?;
            work.commit().await?;
            Ok(answer)
        })
    }

    fn renew(
        &self,
        presented: String,
        certificate: NewCertificate,
        again_since_ms: i64,
    ) -> Reply<'_, RenewalAnswer> {
        Box::pin(async move {
            let work = changing(&self.database).await?;
            let answer = renew(&work, &presented, &certificate, again_since_ms).await?;
            work.commit().await?;
            Ok(answer)
        })
    }

    fn list(&self, certificate: NewCertificate) -> Reply<'_, ()> {
        Box::pin(async move {
            let work = changing(&self.database).await?;
            work.execute(KNOW, &[&certificate.terminal, &certificate.listed_at_ms]).await?;
            if insert(&work, &certificate, "first_sight").await? {
                let NewCertificate { terminal, fingerprint, listed_at_ms, .. } = &certificate;
                event(&work, *listed_at_ms, terminal, "first_sight", Some(fingerprint)).await?;
            }
            work.commit().await
        })
    }

    fn set_state<'a>(&'a self, terminal: &'a str, state: TerminalState, at_ms: i64) -> Reply<'a, bool> {
        Box::pin(async move {
            let terminal = plain(terminal);
            let work = changing(&self.database).await?;
            if state == TerminalState::Revoked {
                work.execute(VOID, &[&terminal, &at_ms]).await?;
            }
            let changed = work.execute(SET_STATE, &[&terminal, &state.as_str(), &at_ms]).await?;
            if changed > 0 {
                let what = if state == TerminalState::Revoked { "revoked" } else { "reinstated" };
                event(&work, at_ms, &terminal, what, None).await?;
            }
            let sql = "SELECT 1 FROM terminal WHERE code = $1";
            let known = work.query_opt(sql, &[&terminal]).await?.is_some();
            work.commit().await?;
            Ok(known)
        })
    }

    fn revoke_certificate<'a>(&'a self, fingerprint: &'a str, at_ms: i64) -> Reply<'a, bool> {
        Box::pin(async move {
            let fingerprint = plain(fingerprint);
            let work = changing(&self.database).await?;
            let sql = "SELECT terminal FROM terminal_certificate WHERE fingerprint = $1";
            let row = work.query_opt(sql, &[&fingerprint]).await?;
            if let Some(row) = &row
                && work.execute(REVOKE, &[&fingerprint, &at_ms]).await? > 0
            {
                event(&work, at_ms, row.try_get(0)?, "certificate_revoked", Some(&fingerprint)).await?;
            }
            work.commit().await?;
            Ok(row.is_some())
        })
    }

    fn note_other_key<'a>(&'a self, terminal: &'a str, at_ms: i64) -> Reply<'a, ()> {
        Box::pin(async move {
            let work = changing(&self.database).await?;
            event(&work, at_ms, &plain(terminal), "voucher_other_key", None).await?;
            work.commit().await
        })
    }

    fn terminals<'a>(&'a self, after: &'a str, limit: usize) -> Reply<'a, Vec<TerminalRow>> {
        Box::pin(async move {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = self.database.query(TERMINALS, &[&plain(after), &limit]).await?;
            rows.iter()
                .map(|row| {
                    Ok(TerminalRow {
                        code: row.try_get(0)?,
                        state: TerminalState::from_word(row.try_get(1)?).ok_or_else(unknown)?,
                        since_ms: row.try_get(2)?,
                        not_after_ms: row.try_get(3)?,
                    })
                })
                .collect()
        })
    }

    fn events(&self, after: i64, limit: usize) -> Reply<'_, Vec<TerminalEvent>> {
        Box::pin(async move {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = self.database.query(EVENTS, &[&after, &limit]).await?;
            rows.iter()
                .map(|row| {
                    Ok(TerminalEvent {
                        id: row.try_get(0)?,
                        at_ms: row.try_get(1)?,
                        terminal: row.try_get(2)?,
                        event: row.try_get(3)?,
                        fingerprint: row.try_get(4)?,
                    })
                })
                .collect()
        })
    }
}

/// Begins a change of the list.
async fn changing(database: &Database) -> Result<Work, StoreError> {
    let work = database.begin().await?;
    work.query(LOCK, &[]).await?;
    Ok(work)
}

async fn event(
    work: &Work,
    at_ms: i64,
    terminal: &str,
    event: &str,
    fingerprint: Option<&str>,
) -> Result<(), StoreError> {
    work.execute(EVENT, &[&at_ms, &terminal, &event, &fingerprint]).await.map(|_| ())
}

/// What a voucher is worth for a key.
fn worth(row: Option<&Row>, key: &[u8], now_ms: i64) -> Result<VoucherAnswer, StoreError> {
    let Some(row) = row else { return Ok(VoucherAnswer::Unknown) };
    let (expires_at_ms, voided): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    let (used_by, certificate): (Option<&[u8]>, Option<Vec<u8>>) = (row.try_get(2)?, row.try_get(3)?);
    Ok(match (used_by, certificate) {
        _ if voided.is_some() => VoucherAnswer::Unknown,
        (Some(used_by), _) if used_by != key => VoucherAnswer::OtherKey,
        _ if now_ms >= expires_at_ms => VoucherAnswer::Expired,
        (_, Some(certificate)) => VoucherAnswer::Used { certificate, again: true },
        (_, None) => VoucherAnswer::Good,
    })
}

async fn insert(work: &Work, certificate: &NewCertificate, listed_by: &str) -> Result<bool, StoreError> {
    let added = work
        .execute(
            INSERT,
            &[
                &certificate.fingerprint,
                &certificate.terminal,
                &certificate.listed_at_ms,
                &certificate.public_key,
                &certificate.not_before_ms,
                &certificate.not_after_ms,
                &listed_by,
                &certificate.certificate,
            ],
        )
        .await?;
    Ok(added > 0)
}

async fn redeem(work: &Work, hash: &str, new: &NewCertificate) -> Result<VoucherAnswer, StoreError> {
    let hash = plain(hash);
    let row = work.query_opt(VOUCHER, &[&hash]).await?;
    let answer = worth(row.as_ref(), &new.public_key, new.listed_at_ms)?;
    if answer != VoucherAnswer::Good {
        return Ok(answer);
    }
    work.execute(REVOKE_FORMER, &[&new.terminal, &new.listed_at_ms]).await?;
    work.execute(TAKE_BACK, &[&new.terminal, &new.listed_at_ms]).await?;
    insert(work, new, "voucher").await?;
    work.execute(USE_VOUCHER, &[&hash, &new.listed_at_ms, &new.public_key, &new.fingerprint]).await?;
    event(work, new.listed_at_ms, &new.terminal, "enrolled", Some(&new.fingerprint)).await?;
    Ok(VoucherAnswer::Used { certificate: new.certificate.clone(), again: false })
}

async fn renew(
    work: &Work,
    presented: &str,
    new: &NewCertificate,
    again_since_ms: i64,
) -> Result<RenewalAnswer, StoreError> {
    let row = work.query_opt(STANDING, &[&new.terminal, &plain(presented)]).await?;
    let standing = row.map_or(Ok(Standing::Unlisted), |row| standing_in(&row))?;
    if standing != Standing::Listed {
        return Ok(RenewalAnswer::Refused(standing));
    }
    let earlier = work.query_opt(EARLIER, &[&new.terminal, &new.public_key, &again_since_ms]).await?;
    if let Some(row) = earlier {
        return Ok(RenewalAnswer::Renewed { certificate: row.try_get(0)?, again: true });
    }
    insert(work, new, "renewal").await?;
    event(work, new.listed_at_ms, &new.terminal, "renewed", Some(&new.fingerprint)).await?;
    Ok(RenewalAnswer::Renewed { certificate: new.certificate.clone(), again: false })
}

fn standing_in(row: &Row) -> Result<Standing, StoreError> {
    let (terminal, certificate): (Option<&str>, Option<&str>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(match (terminal, certificate) {
        (Some("revoked"), _) | (_, Some("revoked")) => Standing::Revoked,
        (Some("active"), Some("active")) => Standing::Listed,
        _ => Standing::Unlisted,
    })
}
