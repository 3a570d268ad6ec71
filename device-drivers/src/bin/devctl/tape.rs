//! Recording what passes between driver and device, and playing it back to the driver instead of a device.
//!
//! Only with the cargo feature `recording`, which no release has: a recording holds every byte in clear.

use device_drivers::transport::Transport;

use crate::answer::{Failure, Outcome};

/// The options of kinds whose drivers stand on a transport.
#[derive(clap::Args)]
pub struct Tape {
    /// Write every byte into this new file, in clear: made-up cards and receipts only
    #[cfg(feature = "recording")]
    #[arg(long, value_name = "FILE")]
    record: Option<std::path::PathBuf>,
    /// Play this recording to the driver, in place of a device
    #[cfg(feature = "recording")]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["Way", "record"])]
    replay: Option<std::path::PathBuf>,
}

/// What is left of a replay when the driver is done.
pub struct Reel {
    #[cfg(feature = "recording")]
    replay: Option<device_drivers::recording::Replay>,
}

#[cfg(feature = "recording")]
impl Tape {
    /// The transport to drive: the device's, with a recorder around it if asked for, or a recording.
    pub fn thread(
        &self,
        kind: &str,
        device: Option<Box<dyn Transport>>,
    ) -> Result<(Box<dyn Transport>, Reel), Failure> {
        use device_drivers::recording::{Recorder, Replay};
        let no_recording = |error: &dyn std::fmt::Display| Failure::usage(format!("--replay: {error}"));
        if let Some(path) = &self.replay {
            let replay = Replay::open(path).map_err(|error| no_recording(&error))?;
            if replay.device() != kind {
                return Err(no_recording(&format!("this is a recording of a {}", replay.device())));
            }
            return Ok((Box::new(replay.clone()), Reel { replay: Some(replay) }));
        }
        let device = device.ok_or_else(no_way)?;
        let Some(path) = &self.record else { return Ok((device, Reel { replay: None })) };
        let recorder = Recorder::to_file(device, kind, path)
            .map_err(|error| Failure::usage(format!("{} cannot be written: {error}", path.display())))?;
        Ok((Box::new(recorder), Reel { replay: None }))
    }

    /// For a device that is reached by no transport: nothing of it can be recorded.
    pub fn none(&self) -> Result<Reel, Failure> {
        match self.record {
            None => Ok(Reel { replay: None }),
            Some(_) => Err(Failure::usage("--record: what is reached this way cannot be recorded")),
        }
    }
}

#[cfg(not(feature = "recording"))]
impl Tape {
    /// The transport to drive.
    pub fn thread(
        &self,
        _kind: &str,
        device: Option<Box<dyn Transport>>,
    ) -> Result<(Box<dyn Transport>, Reel), Failure> {
        Ok((device.ok_or_else(no_way)?, Reel {}))
    }

    /// For a device that is reached by no transport.
    pub fn none(&self) -> Result<Reel, Failure> {
        Ok(Reel {})
    }
}

fn no_way() -> Failure {
    Failure::usage("say how the device is connected (see --help of its kind)")
}

impl Reel {
    /// The outcome of the driver's work; after a replay, whether the driver did what it did then.
    pub fn finish(self, outcome: Outcome) -> Outcome {
        #[cfg(feature = "recording")]
        if let Some(replay) = self.replay {
            match replay.finish() {
                Ok(()) => crate::answer::fact("replay", "as recorded"),
                Err(error) => crate::answer::fact("replay", error),
            }
        }
        outcome
    }
}
