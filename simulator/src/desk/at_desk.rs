//! What is the same for every device on the desk: its name, its plug, its faults by name and which of them is at work.

use std::io;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::device::{Control, DeskDevice, Turn};
use super::fault::{self, Fault, FaultKind, Known};

/// What differs from device to device: a simulator at the wire, and what hands do to it.
pub(super) trait Hardware: Send + Sync {
    /// What page, HTTP and scenarios call it.
    const NAME: &'static str;
    /// What its simulator calls a fault.
    type Fault: 'static;
    /// Faults by name.
    const FAULTS: &'static [Known<Self::Fault>];
    const CONTROLS: &'static [Control] = &[];

    fn is_plugged(&self) -> bool;
    fn plug(&self) -> io::Result<()>;
    fn unplug(&self) -> io::Result<()>;
    /// Breaks it in this one way, or repairs it.
    fn set_fault(&self, fault: Option<Self::Fault>);
    /// What has become of a fault: one that happens once is over afterwards, or has left another.
    fn outcome(&self, fault: Fault) -> Option<Fault> {
        Some(fault)
    }
    /// How switches and choices stand, by their names.
    fn settings(&self) -> Value {
        json!({})
    }
    /// Turns one of the controls; the turn fits its kind.
    fn turn(&self, control: &'static str, _turn: Turn) -> io::Result<()> {
        unreachable!("{}, which has no controls, has no {control}", Self::NAME)
    }
    /// What can only be looked at.
    fn shows(&self) -> Value {
        json!({})
    }
}

/// A device on the desk.
pub(super) struct AtDesk<H> {
    hardware: H,
    fault: Mutex<Option<Fault>>,
}

impl<H> AtDesk<H> {
    pub(super) fn new(hardware: H) -> Self {
        Self { hardware, fault: Mutex::new(None) }
    }
}

impl<H> Deref for AtDesk<H> {
    type Target = H;

    fn deref(&self) -> &H {
        &self.hardware
    }
}

impl<H: Hardware> DeskDevice for AtDesk<H> {
    fn name(&self) -> &'static str {
        H::NAME
    }

    fn is_plugged(&self) -> bool {
        self.hardware.is_plugged()
    }

    fn plug(&self, plugged: bool) -> io::Result<()> {
        if plugged { self.hardware.plug() } else { self.hardware.unplug() }
    }

    fn faults(&self) -> Vec<FaultKind> {
        fault::kinds(H::FAULTS)
    }

    fn fault(&self) -> Option<Fault> {
        let mut fault = held(&self.fault);
        *fault = fault.and_then(|fault| self.hardware.outcome(fault));
        *fault
    }

    fn set_fault(&self, fault: Option<Fault>) {
        // Held until the hardware has it: who looks meanwhile would find nothing broken, and take the fault for over.
        let mut known = held(&self.fault);
        *known = fault;
        self.hardware.set_fault(fault.and_then(|fault| fault::made(H::FAULTS, fault)));
    }

    fn controls(&self) -> &'static [Control] {
        H::CONTROLS
    }

    fn settings(&self) -> Value {
        self.hardware.settings()
    }

    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()> {
        self.hardware.turn(control, turn)
    }

    fn shows(&self) -> Value {
        self.hardware.shows()
    }
}

/// What is behind a lock; a thread that died with it in its hands left nothing half done.
pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
