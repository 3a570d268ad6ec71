//! Accounts: made, reset and taken back by an administrator or on the command line, each change with its audit line.
//!
//! Deliberately absent: an account without a second factor, a password somebody else chose and that stays, and a
//! way for an administrator to change their own account other than its password.

use zeroize::Zeroizing;

use super::{password, random, totp};
use crate::store::StoreError;
use crate::store::desk::{AuditAct, AuditEntry, Changed, DeskStore, Duty, OperatorChange, OperatorRow, Role};

/// Name of the command line in audit lines.
pub(crate) const CONSOLE: &str = "console";

/// Names that mean something else in audit lines.
const RESERVED: [&str; 3] = [CONSOLE, "gateway", "administrator"];

/// Whose doing, from where, when.
#[derive(Debug, Clone)]
pub(crate) struct By {
    pub(crate) actor: String,
    pub(crate) address: String,
    pub(crate) now_ms: i64,
}

impl By {
    /// An audit line of theirs.
    pub(crate) fn did(&self, act: AuditAct, subject: &str, detail: &str) -> AuditEntry {
        AuditEntry {
            at_ms: self.now_ms,
            actor: self.actor.clone(),
            address: self.address.clone(),
            act,
            subject: subject.to_owned(),
            detail: detail.to_owned(),
        }
    }
}

/// What an operator is given, once.
pub(crate) struct Issued {
    pub(crate) name: String,
    /// Has to be replaced at the first sign-in.
    pub(crate) password: Zeroizing<String>,
    /// For the authenticator's camera.
    pub(crate) uri: Zeroizing<String>,
    /// The same secret, to be typed.
    pub(crate) secret: Zeroizing<String>,
}

/// Why an account was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AccountError {
    /// Not 2 to 32 small letters, digits, `.` or `-`, with a letter first.
    #[error("a name has 2 to 32 small letters, digits, . or -, and begins with a letter")]
    BadName,
    /// There is one already.
    #[error("there is an account with this name already")]
    Taken,
    /// There is none.
    #[error("there is no account with this name")]
    Missing,
    /// A department worker needs a department, nobody else has one.
    #[error("a department worker needs a department, and nobody else has one")]
    Department,
    /// A site keeper needs terminals, nobody else has any.
    #[error("a site keeper needs 1 to {MOST_SITES} codes of terminals, and nobody else has any")]
    Sites,
    /// Somebody else must do this.
    #[error("nobody may change their own account")]
    Own,
    /// Somebody else changed it at the same time.
    #[error("somebody else changed this account at the same time")]
    Stale,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a name can be one.
pub(crate) fn is_name(name: &str) -> bool {
    (2..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
        && !RESERVED.contains(&name)
}

/// Most terminals of one keeper.
pub(crate) const MOST_SITES: usize = 50;

/// The codes of terminals in what was typed: in capitals, with anything between two.
pub(crate) fn sites(typed: &str) -> Vec<String> {
    let codes = typed.split(|c: char| !c.is_ascii_alphanumeric()).filter(|code| !code.is_empty());
    codes.map(str::to_ascii_uppercase).collect()
}

fn fits(duty: &Duty) -> Result<(), AccountError> {
    let named = duty.department.as_ref().is_some_and(|department| !department.is_empty());
    if (duty.role == Role::DepartmentWorker) != named {
        return Err(AccountError::Department);
    }
    let is_code =
        |code: &String| code.len() == 6 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let keeps = match duty.role {
        Role::SiteKeeper => (1..=MOST_SITES).contains(&duty.sites.len()) && duty.sites.iter().all(is_code),
        Role::Administrator | Role::Auditor | Role::DepartmentWorker | Role::Support => duty.sites.is_empty(),
    };
    if keeps { Ok(()) } else { Err(AccountError::Sites) }
}

/// As audit lines say it.
fn said(role: Role, department: Option<&str>, sites: &[String]) -> String {
    let more = department.map_or_else(|| sites.join(" "), str::to_owned);
    format!("{} {more}", role.code()).trim_end().to_owned()
}

fn issue(name: &str) -> (Issued, Vec<u8>) {
    let secret = totp::new_secret();
    let issued = Issued {
        name: name.to_owned(),
        password: Zeroizing::new(random::password()),
        uri: Zeroizing::new(totp::uri(name, &secret)),
        secret: Zeroizing::new(totp::base32(&secret)),
    };
    (issued, secret)
}

/// Makes an account and what its owner needs to sign in for the first time.
pub(crate) async fn add(
    store: &dyn DeskStore,
    by: &By,
    name: &str,
    duty: Duty,
) -> Result<Issued, AccountError> {
    if !is_name(name) {
        return Err(AccountError::BadName);
    }
    fits(&duty)?;
    let Duty { role, department, sites } = duty;
    let (issued, code_secret) = issue(name);
    let audit = by.did(AuditAct::AccountAdded, name, &said(role, department.as_deref(), &sites));
    let operator = OperatorRow {
        name: name.to_owned(),
        role,
        department,
        sites,
        password_hash: password::hash(issued.password.clone()).await,
        code_secret,
        code_step: 0,
        must_change: true,
        disabled: false,
        version: 1,
        created_at_ms: by.now_ms,
    };
    if store.add_operator(operator, audit).await? { Ok(issued) } else { Err(AccountError::Taken) }
}

/// Gives an account a new password and a new code secret, and ends its sessions.
pub(crate) async fn reset(store: &dyn DeskStore, by: &By, name: &str) -> Result<Issued, AccountError> {
    let operator = other(store, by, name).await?;
    let (issued, code_secret) = issue(name);
    let change = OperatorChange::Secrets {
        password_hash: password::hash(issued.password.clone()).await,
        code_secret: Some(code_secret),
        must_change: true,
    };
    apply(store, &operator, change, by.did(AuditAct::AccountReset, name, "")).await?;
    Ok(issued)
}

/// Takes an account back, or gives it out again.
pub(crate) async fn set_disabled(
    store: &dyn DeskStore,
    by: &By,
    name: &str,
    disabled: bool,
) -> Result<(), AccountError> {
    let operator = other(store, by, name).await?;
    let act = if disabled { AuditAct::AccountDisabled } else { AuditAct::AccountEnabled };
    apply(store, &operator, OperatorChange::Disabled(disabled), by.did(act, name, "")).await
}

/// Changes what an account is there for.
pub(crate) async fn set_duty(
    store: &dyn DeskStore,
    by: &By,
    name: &str,
    duty: Duty,
) -> Result<(), AccountError> {
    fits(&duty)?;
    let operator = other(store, by, name).await?;
    let before = said(operator.role, operator.department.as_deref(), &operator.sites);
    let after = said(duty.role, duty.department.as_deref(), &duty.sites);
    let audit = by.did(AuditAct::RoleChanged, name, &format!("{before} > {after}"));
    apply(store, &operator, OperatorChange::Duty(duty), audit).await
}

/// Replaces an operator's own password; every session of theirs ends.
pub(crate) async fn change_password(
    store: &dyn DeskStore,
    by: &By,
    operator: &OperatorRow,
    password: Zeroizing<String>,
) -> Result<(), AccountError> {
    let change = OperatorChange::Secrets {
        password_hash: password::hash(password).await,
        code_secret: None,
        must_change: false,
    };
    apply(store, operator, change, by.did(AuditAct::PasswordChanged, &operator.name, "")).await
}

async fn other(store: &dyn DeskStore, by: &By, name: &str) -> Result<OperatorRow, AccountError> {
    if by.actor == name {
        return Err(AccountError::Own);
    }
    store.operator(name).await?.ok_or(AccountError::Missing)
}

async fn apply(
    store: &dyn DeskStore,
    operator: &OperatorRow,
    change: OperatorChange,
    audit: AuditEntry,
) -> Result<(), AccountError> {
    match store.change_operator(&operator.name, operator.version, change, audit).await? {
        Changed::Done => Ok(()),
        Changed::Stale => Err(AccountError::Stale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["wang.li", "li-2", "ab"] {
            assert!(is_name(good), "{good}");
        }
        for bad in
            ["a", "Wang", "1li", "王丽", "a b", "a/b", "console", "gateway", &"a".repeat(33), "a<script>"]
        {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_duty_has_what_its_role_needs_and_no_more() {
        let with = |role, department: Option<&str>, codes: &str| {
            fits(&Duty { role, department: department.map(str::to_owned), sites: sites(codes) })
        };
        assert!(
            with(Role::DepartmentWorker, None, "").is_err() && with(Role::Auditor, Some("x"), "").is_err()
        );
        assert!(with(Role::DepartmentWorker, Some("x"), "").is_ok() && with(Role::Auditor, None, "").is_ok());
        assert!(with(Role::SiteKeeper, None, "dg0001， DG0002").is_ok());
        assert!(with(Role::SiteKeeper, Some("x"), "DG0001").is_err());
        for wrong in ["", "DG001", "DG00010", "DG-001", &"DG0001 ".repeat(MOST_SITES + 1)] {
            assert_eq!(with(Role::SiteKeeper, None, wrong), Err(AccountError::Sites), "{wrong}");
        }
        assert_eq!(with(Role::Support, None, "DG0001"), Err(AccountError::Sites));
    }
}
