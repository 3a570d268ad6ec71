//! What can go wrong with the simulated reader, and when.

use std::collections::VecDeque;

/// Faults waiting for their step; more are not kept.
const MAX_WAITING: usize = 64;

/// A step of reading a card, for aiming a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReaderStep {
    /// 20 01 that finds a card.
    Find,
    /// 20 02.
    Select,
    /// 30 01 and 30 10.
    Read,
    /// 30 03.
    AdditionalAddress,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WireFault {
    /// The answer's checksum is wrong.
    WrongChecksum,
    /// Noise stands before the answer.
    GarbageBefore,
    /// Noise breaks into the answer.
    GarbageInside,
    /// The previous answer comes once more, before the right one.
    StaleAnswer,
    /// The answer ends after so many bytes; the card stays where it is.
    Truncated {
        /// Bytes of the answer that still come.
        after_bytes: usize,
    },
    /// The card is pulled while the answer is on its way: so many bytes, then silence.
    PulledMidRead {
        /// Bytes of the answer that still come.
        after_bytes: usize,
    },
    /// The card is pulled so long after the step has begun, whatever the reader is doing then.
    PulledAfter {
        /// Milliseconds.
        millis: u64,
    },
    /// The reader's own plug comes out after so many bytes of the answer.
    Unplugged {
        /// Bytes of the answer that still come.
        after_bytes: usize,
    },
    /// The security module does not accept the card (32).
    Refused,
    /// The thing on the reader is no identity card (40).
    NotACard,
    /// Another status in place of the answer.
    Status(u8),
    /// The card's chip hangs: it cannot be selected (81) until the security module is reset.
    ChipHangs,
    /// No answer at all.
    Silence,
    /// The reader hangs from now on: it hears and says nothing until it loses its power.
    Stuck,
    /// The answer comes so much later, when the host may have given up.
    Late {
        /// Milliseconds.
        millis: u64,
    },
    /// The malformed time-out frame of one vendor.
    VendorTimeout,
}

impl WireFault {
    /// Where the fault usually shows.
    pub fn usual_step(self) -> ReaderStep {
        match self {
            WireFault::Refused | WireFault::NotACard | WireFault::ChipHangs => ReaderStep::Select,
            _ => ReaderStep::Read,
        }
    }

    /// Where in its step the fault begins.
    fn moment(self) -> Moment {
        match self {
            WireFault::PulledAfter { .. } => Moment::Request,
            _ => Moment::Answer,
        }
    }
}

/// The two ends of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The request has come.
    Request,
    /// The answer is ready.
    Answer,
}

/// Faults that wait for their step, and one that comes back every time.
#[derive(Default)]
pub(super) struct Faults {
    waiting: VecDeque<(ReaderStep, WireFault)>,
    lasting: Option<WireFault>,
}

impl Faults {
    pub(super) fn inject(&mut self, step: ReaderStep, fault: WireFault) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((step, fault));
        }
    }

    pub(super) fn set_lasting(&mut self, fault: Option<WireFault>) {
        self.lasting = fault;
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn take(&mut self, step: ReaderStep, moment: Moment) -> Option<WireFault> {
        let fits = |(at, fault): &(ReaderStep, WireFault)| *at == step && fault.moment() == moment;
        match self.waiting.iter().position(fits).and_then(|at| self.waiting.remove(at)) {
            Some((_, fault)) => Some(fault),
            None => self.lasting.filter(|fault| fits(&(fault.usual_step(), *fault))),
        }
    }
}
