//! The counter in the machine's TPM 2.0: a number that only grows and that cannot be copied with a disk. Each hello
//! says it, and the disk remembers where it stood, so that a disk that was put into another machine, or put back from
//! an older image, is told from the one disk that belongs here, even without a network.
//!
//! [`Device`] carries bytes, [`wire`] makes and reads them, [`NvCounter`] is the counter, [`round`] looks at it,
//! judges and counts it up; `thread` does so for the agent, beside it: whatever a TPM does, records are delivered.
//!
//! Deliberately absent: anything that is kept secret in the TPM; any command that changes what is not ours (no index
//! is removed, no lock-out ended, no password set); waiting for a TPM.

mod counter;
mod device;
mod error;
mod round;
pub(crate) mod thread;
pub mod wire;

pub use counter::{Look, NvCounter};
pub use device::{Device, Port};
pub use error::TpmError;
pub use round::{Doubt, Memory, Note, round};

/// NV index of the counter unless `terminal.toml` names another. The owner's range, see [`OWNER_INDICES`].
pub const DEFAULT_INDEX: u32 = 0x0180_474A;

/// NV indices that the owner of a machine may use: TCG, "Registry of Reserved TPM 2.0 Handles and Localities", 2.2.2.
pub const OWNER_INDICES: std::ops::RangeInclusive<u32> = 0x0180_0000..=0x01BF_FFFF;
