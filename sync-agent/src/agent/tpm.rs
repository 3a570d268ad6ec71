//! The counter in the machine's TPM, as the agent sees it: a number to say, and notes to have written.

use kiosk_store::{AuditEvent, DiskDoubtedCause};

use super::{Agent, Event};
use crate::AgentError;
use crate::journal::Note;
use crate::tpm::Doubt;
use crate::tpm::thread::{NoteWish, TpmThread};

impl Agent {
    /// Starts to ask the TPM, where `terminal.toml` names one.
    pub(super) fn ask_tpm(&mut self) -> Result<(), AgentError> {
        let report = self.report.clone();
        let wish = move |wish| report.blocking_send(Event::Tpm(wish)).is_ok();
        self.tpm = TpmThread::start(&self.config, self.around.boot_id(), wish)?;
        Ok(())
    }

    /// Whether a hello should still wait for what the TPM says.
    pub(super) fn tpm_is_awaited(&self) -> bool {
        self.tpm.as_ref().is_some_and(|tpm| tpm.is_awaited(self.clock.now_ms()))
    }

    /// Its counter, where there is one and it is known.
    pub(super) fn tpm_counter(&self) -> Option<u64> {
        self.tpm.as_ref().and_then(TpmThread::counter)
    }

    /// The TPM's thread goes on when the journal has answered it.
    pub(super) fn on_tpm(&mut self, wish: NoteWish) {
        if let Some(doubt) = wish.note.doubt {
            self.audit(AuditEvent::DiskDoubted { cause: cause(doubt) });
        }
        self.journal.write(Note::Tpm(wish));
    }
}

fn cause(doubt: Doubt) -> DiskDoubtedCause {
    match doubt {
        Doubt::OlderImage => DiskDoubtedCause::OlderImage,
        Doubt::OtherMachine => DiskDoubtedCause::OtherMachine,
        Doubt::CounterGone => DiskDoubtedCause::CounterGone,
    }
}
