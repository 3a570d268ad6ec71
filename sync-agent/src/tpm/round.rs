//! One round: look at the counter, compare it with what the disk remembers, count it up when that is due.
//!
//! Before each step the disk notes the value that is to come. So a disk that stayed in its machine remembers the
//! counter's value, or, after a kill between the note and the step, the one above it. Anything else is a disk that was
//! away while the counter went on, or came from elsewhere.
//!
//! The memory of a TPM wears out, after 10^5 to 10^6 writes. So the counter goes up once in each run of the machine, and
//! then once an hour while the agent runs, however often it starts: at most 8,760 times a year and once for each boot.

use kiosk_store::{StoreError, TpmMemory};

use super::counter::{Look, NvCounter};
use super::error::TpmError;

/// Why a disk is taken for a copy or an older image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The counter went on without this disk: it was put back from an older image, or comes from another machine.
    OlderImage,
    /// The counter has not come so far yet: the disk comes from another machine.
    OtherMachine,
    /// The counter that the disk remembers is not in this TPM: the disk comes from another machine, or somebody
    /// cleared the TPM.
    CounterGone,
}

impl Doubt {
    /// The words of the alarm.
    pub fn label(self) -> &'static str {
        match self {
            Self::OlderImage => "the TPM's counter went on without it",
            Self::OtherMachine => "the TPM's counter has not come so far",
            Self::CounterGone => "the TPM has no such counter",
        }
    }
}

/// What is to be on disk before the round goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where the counter is about to stand; nothing when that will only be known later.
    pub memory: Option<TpmMemory>,
    /// Why the disk is doubted, when it is.
    pub doubt: Option<Doubt>,
    /// The life of the queue that has to end for it.
    pub leave: Option<String>,
}

/// What the disk remembers.
pub trait Memory {
    /// Where the counter stood.
    fn recall(&self) -> Result<Option<TpmMemory>, StoreError>;

    /// The life of the queue that goes on, when there is a queue.
    fn newest_life(&self) -> Result<Option<String>, StoreError>;

    /// Writes a note; when this returns `true` it is on disk.
    fn note(&mut self, note: Note) -> bool;
}

/// Does one round and returns the counter's value. `boot_id` names this run of the machine; `an_hour_is_over` says that
/// the last step of this process was so long ago.
pub fn round(
    counter: &mut NvCounter<'_>,
    memory: &mut dyn Memory,
    boot_id: &str,
    an_hour_is_over: bool,
) -> Result<u64, TpmError> {
    let remembered = memory.recall().map_err(TpmError::Memory)?;
    let found = counter.look()?;
    let doubt = doubt(remembered.as_ref().map(|memory| memory.counter), found.value());
    let leave = match doubt {
        Some(_) => memory.newest_life().map_err(TpmError::Memory)?,
        None => None,
    };
    let is_due = an_hour_is_over || remembered.is_none_or(|memory| memory.boot_id != boot_id);
    let mut remember = |value: Option<u64>, doubt, leave| {
        let memory_now = value.map(|counter| TpmMemory { counter, boot_id: boot_id.to_owned() });
        let is_noted = memory.note(Note { memory: memory_now, doubt, leave });
        if is_noted { Ok(()) } else { Err(TpmError::NotNoted) }
    };
    match found {
        Look::Value(value) if doubt.is_none() && !is_due => Ok(value),
        Look::Value(value) => {
            let next = value.saturating_add(1);
            remember(Some(next), doubt, leave)?;
            let reached = counter.advance()?;
            if reached != next {
                // Somebody else counted too, between the look and now.
                remember(Some(reached), None, None)?;
            }
            Ok(reached)
        }
        Look::Missing | Look::Unwritten => {
            if doubt.is_some() {
                // First of all, because a counter that is there again would look like any other.
                remember(None, doubt, leave)?;
            }
            if found == Look::Missing {
                counter.make()?;
            }
            let first = counter.advance()?;
            remember(Some(first), None, None)?;
            Ok(first)
        }
    }
}

/// Judges what is found by what is remembered.
fn doubt(remembered: Option<u64>, found: Option<u64>) -> Option<Doubt> {
    match (remembered?, found) {
        (remembered, Some(found)) if remembered == found || remembered.checked_sub(1) == Some(found) => None,
        (remembered, Some(found)) if found > remembered => Some(Doubt::OlderImage),
        (_, Some(_)) => Some(Doubt::OtherMachine),
        (_, None) => Some(Doubt::CounterGone),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_between_note_and_step_is_no_doubt_and_everything_else_is() {
        assert_eq!(doubt(None, None), None);
        assert_eq!(doubt(None, Some(7)), None);
        assert_eq!(doubt(Some(7), Some(7)), None);
        assert_eq!(doubt(Some(7), Some(6)), None);
        assert_eq!(doubt(Some(7), Some(8)), Some(Doubt::OlderImage));
        assert_eq!(doubt(Some(7), Some(5)), Some(Doubt::OtherMachine));
        assert_eq!(doubt(Some(7), None), Some(Doubt::CounterGone));
        assert_eq!(doubt(Some(0), Some(0)), None);
        assert_eq!(doubt(Some(0), Some(u64::MAX)), Some(Doubt::OlderImage));
        assert_eq!(doubt(Some(u64::MAX), Some(u64::MAX)), None);
    }
}
