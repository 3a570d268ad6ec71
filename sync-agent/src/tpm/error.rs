//! Why the TPM's counter is not known, and what somebody can do about it.

use std::io;

use kiosk_store::StoreError;
use tpm2_protocol::data::{TpmRc, TpmRcBase};

/// See the module. None of these stops a delivery.
#[derive(Debug, thiserror::Error)]
pub enum TpmError {
    /// The device is not there, or must not be opened.
    #[error("the TPM cannot be opened: {0:?}")]
    Closed(io::ErrorKind),
    /// The device took no command, or gave no whole answer in time.
    #[error("the TPM gave no answer: {0:?}")]
    Silent(io::ErrorKind),
    /// What came is no answer to what was asked.
    #[error("what the TPM answered to {step} is no answer: {cause}")]
    Garbage {
        /// Which command.
        step: &'static str,
        /// What is wrong with the bytes.
        cause: tpm2_protocol::TpmError,
    },
    /// The TPM said no.
    #[error("the TPM refused {step}: {code}")]
    Refused {
        /// Which command.
        step: &'static str,
        /// Its response code.
        code: TpmRc,
    },
    /// The index is somebody else's.
    #[error("NV index {index:#010x} holds something else: {bytes} bytes, attributes {attributes:#010x}")]
    Foreign {
        /// The index.
        index: u32,
        /// Its TPMA_NV.
        attributes: u32,
        /// Its size.
        bytes: u16,
    },
    /// What the disk remembers of it cannot be read.
    #[error("what the disk remembers of the TPM's counter cannot be read")]
    Memory(#[source] StoreError),
    /// The disk could not take a note, so nothing was counted up.
    #[error("the disk could not take a note")]
    NotNoted,
}

impl TpmError {
    /// What somebody at the terminal can do, for the log.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Closed(io::ErrorKind::NotFound) => {
                "switch the TPM on in the firmware's setup, or take [tpm] out of terminal.toml"
            }
            Self::Closed(io::ErrorKind::PermissionDenied) => {
                "let the agent's account into the group that owns the device, mostly tss"
            }
            Self::Closed(io::ErrorKind::InvalidInput) => "tpm.device names no TPM: mostly it is /dev/tpmrm0",
            Self::Closed(_) | Self::Silent(_) | Self::Garbage { .. } => {
                "switch the machine off and on; when it stays so, the TPM is broken"
            }
            Self::Refused { step, code } => remedy_of(step, code.base()),
            Self::Foreign { .. } => "name another tpm.index in terminal.toml",
            Self::Memory(_) | Self::NotNoted => "see what is said of the disk",
        }
    }
}

fn remedy_of(step: &str, code: TpmRcBase) -> &'static str {
    match code {
        TpmRcBase::Lockout => {
            "it locked itself after wrong passwords: wait, or tpm2_dictionarylockout --clear-lockout"
        }
        TpmRcBase::AuthFail | TpmRcBase::BadAuth | TpmRcBase::Hierarchy if step == super::wire::DEFINE => {
            "its owner has a password: make the index by hand, tpm2_nvdefine INDEX -C o -P PASSWORD \
             -a nt=counter|authread|authwrite|no_da"
        }
        TpmRcBase::AuthFail | TpmRcBase::BadAuth => "the index has a password: name another tpm.index",
        TpmRcBase::NvSpace => "its memory is full: remove an index that nobody needs (tpm2_nvundefine)",
        TpmRcBase::NvRate | TpmRcBase::Retry | TpmRcBase::Testing | TpmRcBase::Yielded => {
            "nothing: it is tried again"
        }
        _ => "switch the machine off and on; when it stays so, the TPM is broken",
    }
}
