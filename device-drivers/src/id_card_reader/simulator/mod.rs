//! A simulated card reader that answers byte for byte like a real one, behind a pseudo terminal or on USB pipes.
//!
//! Cards are laid and pulled, faults are injected, the plug can be pulled; the rules of a real reader hold: a
//! card that was read once is not found again until it is taken off and laid on again. A USB device cannot be
//! simulated below the driver's [`crate::bulk_pipes::BulkPipes`] without kernel modules, so [`SimulatedPipes`]
//! stands in for them and keeps their rules.

mod card_image;
mod device;
mod faults;
mod pipes;

use std::io;
use std::path::Path;
use std::time::Duration;

pub use card_image::CardImage;
pub use device::SimulatedReader;
pub use faults::{ReaderStep, WireFault};
pub use pipes::SimulatedPipes;

use crate::wire::Wire;
use pipes::PipeBench;

/// Starts a simulated reader; when this returns, `link` can be opened as its serial port. A host at another rate
/// meets noise, as on hardware.
pub fn serve(link: impl AsRef<Path>, baud: u32) -> io::Result<SimulatedReaderHandle> {
    let wire = Wire::start("card-reader-sim", link.as_ref(), baud, SimulatedReader::new(baud))?;
    Ok(SimulatedReaderHandle { cable: Cable::Serial(wire) })
}

/// A simulated reader on four USB pipes, laid out as [`crate::id_card_reader::PipeLayout::MINISTRY`], and the
/// host's end of them.
pub fn serve_usb() -> (SimulatedPipes, SimulatedReaderHandle) {
    let bench = PipeBench::new(SimulatedReader::new(pipes::INNER_BAUD));
    (bench.pipes(), SimulatedReaderHandle { cable: Cable::Usb(bench) })
}

/// What the simulated reader hangs on.
enum Cable {
    Serial(Wire<SimulatedReader>),
    Usb(PipeBench),
}

/// The hands at a running simulated reader. Dropping it unplugs the reader.
pub struct SimulatedReaderHandle {
    cable: Cable,
}

impl SimulatedReaderHandle {
    fn with<R>(&self, f: impl FnOnce(&mut SimulatedReader) -> R) -> R {
        match &self.cable {
            Cable::Serial(wire) => wire.with(f),
            Cable::Usb(bench) => bench.with(f),
        }
    }

    /// Lays a card on the reader, in place of one that lies there.
    pub fn lay(&self, card: CardImage) {
        self.with(|reader| reader.lay(card));
    }

    /// The same as a hand does it: when a card lies there, the next look finds nothing, for between two cards the reader
    /// is empty for longer than a host takes to look again.
    pub fn exchange(&self, card: CardImage) {
        self.with(|reader| reader.exchange(card));
    }

    /// Takes the card off.
    pub fn pull(&self) {
        self.with(SimulatedReader::pull);
    }

    /// Whether a card lies on the reader.
    pub fn has_card(&self) -> bool {
        self.with(|reader| reader.has_card())
    }

    /// Lets one step go wrong once, the next time it would have gone well. The step is the fault's usual one,
    /// see [`WireFault::usual_step`].
    pub fn inject(&self, fault: WireFault) {
        self.inject_at(fault.usual_step(), fault);
    }

    /// Lets `step` go wrong once, the next time it would have gone well.
    pub fn inject_at(&self, step: ReaderStep, fault: WireFault) {
        self.with(|reader| reader.faults().inject(step, fault));
    }

    /// Lets a fault come back every time, or ends that.
    pub fn set_fault(&self, fault: Option<WireFault>) {
        self.with(|reader| reader.faults().set_lasting(fault));
    }

    /// Says something that nobody asked for: noise, or an answer to nobody.
    pub fn say_unasked(&self, bytes: &[u8]) {
        self.with(|reader| reader.say_unasked(bytes.to_vec()));
    }

    /// Whether a reset lets a card that was left in place be found again. Not at the start: readers differ.
    pub fn set_rearms_on_reset(&self, rearms: bool) {
        self.with(|reader| reader.set_rearms_on_reset(rearms));
    }

    /// How many whole reads the reader has answered.
    pub fn reads(&self) -> u64 {
        self.with(|reader| reader.reads())
    }

    /// Whether bytes and answers take the time they take on hardware; true at the start.
    pub fn set_paced(&self, paced: bool) {
        self.with(|reader| reader.set_paced(paced));
        if let Cable::Serial(wire) = &self.cable {
            wire.set_paced(paced);
        }
    }

    /// Pulls the plug; when this returns, the port is gone.
    pub fn unplug(&self) {
        match &self.cable {
            Cable::Serial(wire) => wire.unplug(),
            Cable::Usb(bench) => bench.unplug(),
        }
    }

    /// Plugs in again; when this returns, the port can be opened.
    pub fn plug(&self) -> io::Result<()> {
        match &self.cable {
            Cable::Serial(wire) => wire.plug(),
            Cable::Usb(bench) => {
                bench.plug();
                Ok(())
            }
        }
    }

    /// Whether the reader is plugged in.
    pub fn is_plugged(&self) -> bool {
        match &self.cable {
            Cable::Serial(wire) => wire.is_plugged(),
            Cable::Usb(bench) => bench.is_plugged(),
        }
    }

    /// Waits until the reader satisfies `condition`; false when `timeout` passed first.
    pub fn wait_until(&self, timeout: Duration, condition: impl FnMut(&SimulatedReader) -> bool) -> bool {
        match &self.cable {
            Cable::Serial(wire) => wire.wait_until(timeout, condition),
            Cable::Usb(bench) => bench.wait_until(timeout, condition),
        }
    }
}
