//! Signing in and out, and finding out whose request it is.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::accounts::By;
use super::attempts::Attempts;
use super::session::{self, TOUCH_MS};
use super::{Clock, password, random, totp};
use crate::store::StoreError;
use crate::store::desk::{AuditAct, AuditEntry, DeskStore, OperatorRow, SessionRow};

/// Lines a minute about strangers who know no account's name; more are only logged, so that nobody outside can fill
/// the chain.
const STRANGERS_A_MINUTE: u32 = 30;

/// Why somebody was not signed in. The page says the same for every [`Refused::Wrong`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Come again after so many milliseconds.
    Wait(i64),
    /// Name, password or code: nobody is told which.
    Wrong,
    /// The database.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The door.
pub(crate) struct Door {
    store: Arc<dyn DeskStore>,
    clock: Clock,
    attempts: Mutex<Attempts>,
    /// The minute and how many strangers it has seen.
    strangers: Mutex<(i64, u32)>,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) operator: OperatorRow,
    pub(crate) session: SessionRow,
    pub(crate) address: IpAddr,
}

impl Signed {
    /// For audit lines.
    pub(crate) fn by(&self, now_ms: i64) -> By {
        By { actor: self.operator.name.clone(), address: self.address.to_string(), now_ms }
    }
}

impl Door {
    pub(crate) fn new(store: Arc<dyn DeskStore>, clock: Clock) -> Self {
        Self { store, clock, attempts: Mutex::default(), strangers: Mutex::default() }
    }

    /// Signs somebody in; returns the token for the cookie.
    pub(crate) async fn sign_in(
        &self,
        name: &str,
        password: Zeroizing<String>,
        code: &str,
        address: IpAddr,
    ) -> Result<String, Refused> {
        let now_ms = (self.clock)();
        // What was typed may be anything, also a password; only its beginning is counted and none of it is noted.
        let name: String = name.trim().to_lowercase().chars().take(64).collect();
        self.attempts().begin(&name, address, now_ms).map_err(Refused::Wait)?;
        let operator = self.store.operator(&name).await?;
        let hash = operator.as_ref().map(|operator| operator.password_hash.clone());
        let right = password::verify(password, hash).await;
        let Some(operator) = operator else {
            self.stranger(address, now_ms).await?;
            return Err(Refused::Wrong);
        };
        let by = By { actor: operator.name.clone(), address: address.to_string(), now_ms };
        if let Err(why) = self.admit(&operator, right, code, now_ms).await? {
            tracing::warn!(%address, why, "an operator was not signed in");
            self.store.audit(by.did(AuditAct::SignInFailed, &operator.name, why)).await?;
            return Err(Refused::Wrong);
        }
        self.attempts().succeeded(&name, address);
        Ok(self.open(&operator, by.did(AuditAct::SignIn, &operator.name, "")).await?)
    }

    /// Both factors, and whether the account may sign in at all; the code is used up only when all else is right.
    async fn admit(
        &self,
        operator: &OperatorRow,
        right_password: bool,
        code: &str,
        now_ms: i64,
    ) -> Result<Result<(), &'static str>, StoreError> {
        let step = totp::matching_step(&operator.code_secret, code, now_ms);
        if !right_password {
            return Ok(Err("password"));
        }
        let Some(step) = step else { return Ok(Err("code")) };
        if operator.disabled {
            return Ok(Err("disabled"));
        }
        Ok(if self.store.use_code(&operator.name, step).await? { Ok(()) } else { Err("code used before") })
    }

    /// Opens a session for somebody who has proved who they are.
    pub(crate) async fn open(&self, operator: &OperatorRow, audit: AuditEntry) -> Result<String, StoreError> {
        let (token, now_ms) = (random::token(), (self.clock)());
        let session = SessionRow {
            token_hash: random::fingerprint(&token),
            operator: operator.name.clone(),
            operator_version: operator.version,
            form_token: random::token(),
            created_at_ms: now_ms,
            seen_at_ms: now_ms,
        };
        self.store.open_session(session, now_ms - session::IDLE_MS - TOUCH_MS, session::MOST, audit).await?;
        Ok(token)
    }

    /// Whose token this is, if its session is alive.
    pub(crate) async fn signed(&self, token: &str, address: IpAddr) -> Result<Option<Signed>, StoreError> {
        let fingerprint = random::fingerprint(token);
        let Some((session, operator)) = self.store.session(&fingerprint).await? else { return Ok(None) };
        let now_ms = (self.clock)();
        if !session::alive(&session, &operator, now_ms) {
            return Ok(None);
        }
        if session::needs_touch(&session, now_ms) {
            self.store.touch_session(&fingerprint, now_ms).await?;
        }
        Ok(Some(Signed { operator, session, address }))
    }

    /// Ends a session.
    pub(crate) async fn sign_out(&self, signed: &Signed) -> Result<(), StoreError> {
        let by = signed.by((self.clock)());
        let audit = by.did(AuditAct::SignOut, &signed.operator.name, "");
        self.store.end_session(&signed.session.token_hash, audit).await
    }

    /// Counts another proof of a password by somebody who is signed in already; the wait, if it has to be awaited.
    pub(crate) fn try_again(&self, name: &str, address: IpAddr) -> Result<(), i64> {
        let now_ms = (self.clock)();
        self.attempts().begin(name, address, now_ms)
    }

    /// That proof was good.
    pub(crate) fn forgive(&self, name: &str, address: IpAddr) {
        self.attempts().succeeded(name, address);
    }

    async fn stranger(&self, address: IpAddr, now_ms: i64) -> Result<(), StoreError> {
        tracing::warn!(%address, why = "no such account", "an operator was not signed in");
        let count = {
            let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
            let minute = now_ms.div_euclid(60_000);
            if strangers.0 != minute {
                *strangers = (minute, 0);
            }
            strangers.1 = strangers.1.saturating_add(1);
            strangers.1
        };
        if count > STRANGERS_A_MINUTE {
            return Ok(());
        }
        let by = By { actor: "-".into(), address: address.to_string(), now_ms };
        self.store.audit(by.did(AuditAct::SignInFailed, "", "no such account")).await
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts> {
        // A panic while it was held leaves at most one try uncounted.
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
