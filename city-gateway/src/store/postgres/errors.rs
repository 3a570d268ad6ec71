//! What PostgreSQL's errors mean for the caller.
//!
//! Deliberately absent: the server's words about a statement. They may quote a value, so only the code and
//! the names of things are passed on; of errors that come before any record is involved (no connection, no
//! such database, wrong password) the sentence as well.

use std::error::Error as _;

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::store::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        classify(&error)
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout(TimeoutType::Wait) => StoreError::Busy,
            PoolError::Timeout(_) => StoreError::Unreachable("no connection in time".into()),
            PoolError::Closed => StoreError::Closed,
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                match classify(&error) {
                    StoreError::Database(why) => StoreError::Unreachable(why),
                    other => other,
                }
            }
            // The database is not the one, or not as safe as the one, that was opened.
            PoolError::PostCreateHook(HookError::Message(why)) => StoreError::Broken(why.into_owned()),
            PoolError::NoRuntimeSpecified => StoreError::Broken("the pool has no runtime".into()),
        }
    }
}

/// Whether the same statement may simply be tried again: two of them were in each other's way.
pub(super) fn is_collision(error: &Error) -> bool {
    let collisions = [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE];
    error.code().is_some_and(|code| collisions.contains(code))
}

/// What an error means for the caller.
pub(super) fn classify(error: &Error) -> StoreError {
    let Some(said) = error.as_db_error() else {
        // Without an answer of the server it is the connection, unless a value could not be put into words.
        let source = error.source();
        let connection = error.is_closed() || source.is_some_and(|source| source.is::<std::io::Error>());
        let why = describe(error);
        return if connection { StoreError::Unreachable(why) } else { StoreError::Database(why) };
    };
    let code = said.code();
    if *code == SqlState::DISK_FULL {
        return StoreError::Full;
    }
    if *code == SqlState::QUERY_CANCELED || *code == SqlState::LOCK_NOT_AVAILABLE || is_collision(error) {
        return StoreError::Busy;
    }
    match &code.code()[..2] {
        "53" => StoreError::Busy,
        // The connection, the server going down or coming up, its disk, and a server that became a standby.
        "08" | "57" | "58" => StoreError::Unreachable(describe(error)),
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::Unreachable(describe(error)),
        "XX" if *code != SqlState::INTERNAL_ERROR => StoreError::Broken(describe(error)),
        _ => StoreError::Database(describe(error)),
    }
}

/// An error without anything a record contains.
pub(super) fn describe(error: &Error) -> String {
    if let Some(said) = error.as_db_error() {
        return describe_said(said);
    }
    match error.source().and_then(|source| source.downcast_ref::<std::io::Error>()) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn describe_said(said: &DbError) -> String {
    let code = said.code().code();
    let mut text = format!("SQLSTATE {code}");
    for name in [said.table(), said.constraint(), said.routine()].into_iter().flatten() {
        text.push(' ');
        text.push_str(name);
    }
    // Connection, authorisation, database name, resources, operator: nothing of a record is involved.
    if ["08", "28", "3D", "53", "57"].contains(&&code[..2]) {
        text.push_str(": ");
        text.push_str(said.message());
    }
    text
}
