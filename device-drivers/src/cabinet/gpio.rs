//! A presence sensor and a door contact on GPIO lines of the kernel's character device, version 2 (Linux,
//! Documentation/userspace-api/gpio/chardev.rst).
//!
//! The kernel debounces and queues the edges. **Not tried yet**: neither a GPIO chip nor the kernel's
//! simulated one was at hand; only what happens without a chip is tested here.

use std::path::PathBuf;
use std::time::Duration;

use gpiocdev::Request;
use gpiocdev::line::{EdgeDetection, Value};

use super::{
    CabinetDoor, CabinetError, DOOR_DEBOUNCE, DoorReport, DoorState, Edges, PRESENCE_DEBOUNCE, Presence,
    PresenceSensor,
};

/// Who the kernel's list of lines shows as their holder.
const CONSUMER: &str = "kiosk cabinet";

/// Which level means "near" or "open".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActiveLevel {
    /// A high level: a door's contact that opens, with a pull-up.
    High,
    /// A low level: most infrared sensors with an open collector.
    Low,
}

/// One line of a GPIO chip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpioInput {
    /// The chip's node, as `/dev/gpiochip0`; better a stable name that udev gives.
    pub chip: PathBuf,
    /// The line's number on the chip.
    pub offset: u32,
    /// The level that means "near" or "open".
    pub active: ActiveLevel,
}

impl GpioInput {
    fn request(&self, debounce: Duration) -> Result<Request, CabinetError> {
        let mut builder = Request::builder();
        builder.on_chip(&self.chip).with_consumer(CONSUMER).with_line(self.offset).as_input();
        if self.active == ActiveLevel::Low {
            builder.as_active_low();
        }
        builder.with_debounce_period(debounce).with_edge_detection(EdgeDetection::BothEdges);
        builder.request().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &gpiocdev::Error) -> CabinetError {
        tracing::debug!(chip = %self.chip.display(), offset = self.offset, %error, "GPIO line cannot be used");
        if self.chip.exists() { CabinetError::Denied } else { CabinetError::Gone }
    }
}

/// A presence sensor on a GPIO line.
#[derive(Debug)]
pub struct GpioPresenceSensor {
    input: GpioInput,
    request: Option<Request>,
}

impl GpioPresenceSensor {
    /// A sensor that is opened at its first use.
    pub fn new(input: GpioInput) -> GpioPresenceSensor {
        GpioPresenceSensor { input, request: None }
    }
}

impl PresenceSensor for GpioPresenceSensor {
    fn presence(&mut self) -> Result<Presence, CabinetError> {
        let request = match self.request.take() {
            Some(request) => request,
            None => self.input.request(PRESENCE_DEBOUNCE)?,
        };
        let value = request.value(self.input.offset).map_err(|error| self.input.failed(&error))?;
        // Kept only when it works: what failed is requested anew.
        self.request = Some(request);
        Ok(if value == Value::Active { Presence::Near } else { Presence::Far })
    }
}

/// A door's contact on a GPIO line.
#[derive(Debug)]
pub struct GpioDoor {
    input: GpioInput,
    watched: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    request: Request,
    /// The kernel's number of the last edge that was counted here.
    counted: u32,
}

impl Watched {
    /// Edges since the last call. The kernel numbers them per line from 1, so those are counted too that its
    /// queue (16 edges) had to drop.
    fn edges(&mut self) -> gpiocdev::Result<u32> {
        let mut last = self.counted;
        while self.request.has_edge_event()? {
            last = self.request.read_edge_event()?.line_seqno;
        }
        let edges = last.wrapping_sub(self.counted);
        self.counted = last;
        Ok(edges)
    }

    fn look(&mut self, offset: u32) -> gpiocdev::Result<(DoorState, u32)> {
        let edges = self.edges()?;
        let active = self.request.value(offset)? == Value::Active;
        Ok((if active { DoorState::Open } else { DoorState::Closed }, edges))
    }
}

impl GpioDoor {
    /// A door that is watched from its first look on.
    pub fn new(input: GpioInput) -> GpioDoor {
        GpioDoor { input, watched: None }
    }
}

impl CabinetDoor for GpioDoor {
    fn look(&mut self) -> Result<DoorReport, CabinetError> {
        let known = self.watched.is_some();
        let mut watched = match self.watched.take() {
            Some(watched) => watched,
            None => Watched { request: self.input.request(DOOR_DEBOUNCE)?, counted: 0 },
        };
        let looked = watched.look(self.input.offset);
        let (state, edges) = looked.map_err(|error| self.input.failed(&error))?;
        self.watched = Some(watched);
        Ok(DoorReport { state, edges: if known { Edges::Counted(edges) } else { Edges::Unknown } })
    }
}
