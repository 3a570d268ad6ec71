//! Why there are no candidates, and what to do about it.

use std::io;

/// What whoever shows the keyboard should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// What was being typed is gone; typing it again will work.
    Retry,
    /// This way of typing cannot be offered now: another one, or help by a person.
    Unavailable,
}

/// How a child process was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// It ended by itself with this code.
    #[error("it ended with code {0}")]
    Exited(i32),
    /// It was ended by this signal: 11 (SIGSEGV) and 6 (SIGABRT) are crashes, 25 (SIGXFSZ) is an attempt to write a file.
    #[error("it crashed with signal {0}")]
    Crashed(i32),
    /// It did not answer in time, and was killed.
    #[error("it hung")]
    Hung,
    /// It said something that is no answer, and was killed.
    #[error("it said something that is no answer")]
    Garbled,
}

/// Losses in a row from which a way of typing is no longer offered.
pub(crate) const UNAVAILABLE_AFTER: u32 = 3;

/// Why a key or a stroke had no answer. No variant holds what was typed.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// librime runs in this process already; its state is global, so a second one would change the first.
    #[error("librime was opened in this process before")]
    OpenedBefore,
    /// librime is older than the functions that are needed.
    #[error("librime lacks functions that are needed")]
    LibraryTooOld,
    /// A schema does not lie in the folder, or librime refuses it.
    #[error("the schema {0} is not deployed")]
    NotDeployed(&'static str),
    /// librime could not make its tables.
    #[error("the schemas could not be deployed")]
    DeployFailed,
    /// A path holds a zero byte, which C would take for its end.
    #[error("a path that cannot be handed to a C library")]
    BadPath,
    /// A file for the deployment could not be written.
    #[error("the folder for the schemas cannot be written")]
    Folder(#[source] io::Error),
    /// The handwriting model could not be opened.
    #[error("the handwriting model cannot be opened")]
    NoModel,
    /// The child process could not be started.
    #[error("the input program could not be started")]
    NotStarted(#[source] io::Error),
    /// The child process says that this way of typing cannot be used: its data are missing or damaged.
    #[error("the input program cannot offer this way of typing")]
    Refused,
    /// The child process was lost; the next call starts another.
    #[error("the input program was lost, {in_a_row} times in a row")]
    Lost {
        /// How.
        #[source]
        how: Loss,
        /// Losses since it last answered.
        in_a_row: u32,
    },
}

impl InputError {
    /// What to do.
    pub fn remedy(&self) -> Remedy {
        match self {
            InputError::Lost { in_a_row, .. } if *in_a_row < UNAVAILABLE_AFTER => Remedy::Retry,
            InputError::Lost { .. }
            | InputError::OpenedBefore
            | InputError::LibraryTooOld
            | InputError::NotDeployed(_)
            | InputError::DeployFailed
            | InputError::BadPath
            | InputError::Folder(_)
            | InputError::NoModel
            | InputError::NotStarted(_)
            | InputError::Refused => Remedy::Unavailable,
        }
    }
}
