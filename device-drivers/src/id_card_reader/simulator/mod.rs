//! A simulated card reader that answers byte for byte like a real one, behind a pseudo terminal.
//!
//! Cards are laid and pulled, faults are injected, the plug can be pulled; the rules of a real reader hold: a
//! card that was read once is not found again until it is taken off and laid on again.

mod card_image;
mod device;

use std::io;
use std::path::Path;
use std::time::Duration;

pub use card_image::CardImage;
pub use device::{ReaderStep, SimulatedReader, WireFault};

use crate::wire::Wire;

/// Starts a simulated reader; when this returns, `link` can be opened as its serial port.
pub fn serve(link: impl AsRef<Path>, baud: u32) -> io::Result<SimulatedReaderHandle> {
    let wire = Wire::start("card-reader-sim", link.as_ref(), baud, SimulatedReader::new(baud))?;
    Ok(SimulatedReaderHandle { wire })
}

/// The hands at a running simulated reader. Dropping it unplugs the reader.
pub struct SimulatedReaderHandle {
    wire: Wire<SimulatedReader>,
}

impl SimulatedReaderHandle {
    /// Lays a card on the reader, in place of one that lies there.
    pub fn lay(&self, card: CardImage) {
        self.wire.with(|reader| reader.lay(card));
    }

    /// Takes the card off.
    pub fn pull(&self) {
        self.wire.with(SimulatedReader::pull);
    }

    /// Whether a card lies on the reader.
    pub fn has_card(&self) -> bool {
        self.wire.with(|reader| reader.has_card())
    }

    /// Lets one step go wrong once, the next time it would have gone well. The step is the fault's usual one,
    /// see [`WireFault::usual_step`].
    pub fn inject(&self, fault: WireFault) {
        self.inject_at(fault.usual_step(), fault);
    }

    /// Lets `step` go wrong once, the next time it would have gone well.
    pub fn inject_at(&self, step: ReaderStep, fault: WireFault) {
        self.wire.with(|reader| reader.inject(step, fault));
    }

    /// Lets a fault come back every time, or ends that.
    pub fn set_fault(&self, fault: Option<WireFault>) {
        self.wire.with(|reader| reader.set_fault(fault));
    }

    /// How many whole reads the reader has answered.
    pub fn reads(&self) -> u64 {
        self.wire.with(|reader| reader.reads())
    }

    /// Whether bytes and answers take the time they take on hardware; true at the start.
    pub fn set_paced(&self, paced: bool) {
        self.wire.with(|reader| reader.set_paced(paced));
        self.wire.set_paced(paced);
    }

    /// Pulls the plug; when this returns, the port is gone.
    pub fn unplug(&self) {
        self.wire.unplug();
    }

    /// Plugs in again; when this returns, the port can be opened.
    pub fn plug(&self) -> io::Result<()> {
        self.wire.plug()
    }

    /// Whether the reader is plugged in.
    pub fn is_plugged(&self) -> bool {
        self.wire.is_plugged()
    }

    /// Waits until the reader satisfies `condition`; false when `timeout` passed first.
    pub fn wait_until(&self, timeout: Duration, condition: impl FnMut(&SimulatedReader) -> bool) -> bool {
        self.wire.wait_until(timeout, condition)
    }
}
