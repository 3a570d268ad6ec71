//! A light of the kernel's LED class: a folder of small files (Linux, Documentation/leds/leds-class.rst).
//!
//! `brightness` takes 0 to what `max_brightness` says; `trigger` lists who may drive the light, the present
//! one in square brackets, and takes the name of another; with the trigger `timer` the kernel blinks by
//! itself, `delay_on` and `delay_off` are its milliseconds. The kernel keeps the last state when the kiosk
//! dies: this light has no lease as the board's have. The unit that runs the kiosk should put it out
//! (`ExecStopPost`), see docs/DEVICES.md.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{CabinetError, FAST_CYCLE, IndicatorLight, LightPattern, SLOW_CYCLE};

/// Where the kernel shows its LEDs.
const LEDS: &str = "/sys/class/leds";

/// One LED.
#[derive(Debug)]
pub struct LedLight {
    folder: PathBuf,
}

impl LedLight {
    /// The LED with this name, as in `/sys/class/leds`. It is looked for at each use, so it may come later.
    pub fn named(name: &str) -> LedLight {
        LedLight::in_folder(Path::new(LEDS).join(name))
    }

    /// The LED whose files lie in `folder`.
    pub fn in_folder(folder: impl Into<PathBuf>) -> LedLight {
        LedLight { folder: folder.into() }
    }

    fn steady(&self, brightness: &str) -> Result<(), CabinetError> {
        // A light that the kernel still blinks would go on doing so.
        self.drive_by("none")?;
        self.write("brightness", brightness)
    }

    fn blink(&self, cycle: Duration) -> Result<(), CabinetError> {
        if !self.drive_by("timer")? {
            return Err(CabinetError::CannotBlink);
        }
        let half = (cycle / 2).as_millis().to_string();
        self.write("delay_on", &half)?;
        self.write("delay_off", &half)
    }

    /// Lets `trigger` drive the light; false when the kernel does not offer it. One that drives it already is
    /// left alone: chosen anew, it would start its cycle again, and every repetition of an order would show.
    fn drive_by(&self, trigger: &str) -> Result<bool, CabinetError> {
        let offered = self.read("trigger")?;
        if offered.split_whitespace().any(|word| word.trim_matches(['[', ']']) == trigger && word != trigger)
        {
            return Ok(true);
        }
        if !offered.split_whitespace().any(|word| word == trigger) {
            return Ok(false);
        }
        self.write("trigger", trigger)?;
        Ok(true)
    }

    fn read(&self, name: &str) -> Result<String, CabinetError> {
        std::fs::read_to_string(self.folder.join(name)).map_err(|error| self.failed(name, &error))
    }

    fn write(&self, name: &str, value: &str) -> Result<(), CabinetError> {
        // Without `create`: a file that the kernel does not offer must not come to be.
        let file = OpenOptions::new().write(true).truncate(true).open(self.folder.join(name));
        file.and_then(|mut file| file.write_all(value.as_bytes())).map_err(|error| self.failed(name, &error))
    }

    fn failed(&self, name: &str, error: &io::Error) -> CabinetError {
        tracing::debug!(led = %self.folder.display(), file = name, %error, "LED cannot be used");
        // A file that is missing in a folder that is there is another kernel's; an LED that was unplugged has
        // none.
        if self.folder.exists() { CabinetError::Denied } else { CabinetError::Gone }
    }
}

impl IndicatorLight for LedLight {
    fn show(&mut self, pattern: LightPattern) -> Result<(), CabinetError> {
        match pattern {
            LightPattern::Off => self.steady("0"),
            LightPattern::On => {
                let brightest = self.read("max_brightness")?;
                self.steady(brightest.trim())
            }
            LightPattern::Slow => self.blink(SLOW_CYCLE),
            LightPattern::Fast => self.blink(FAST_CYCLE),
        }
    }
}
