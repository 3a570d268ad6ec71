//! The frame around the recordings of every kind whose driver stands on a transport: scenarios that are recorded
//! through the true driver and played back to it, just now and from the files in `tests/recordings`.
//!
//! A scenario asserts all that it promises, so a replay that gets through has kept the contract. To make the files
//! anew, run these tests with `KEEP_RECORDINGS=1`.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use device_drivers::recording::{Recorder, Replay, ReplayError};
use device_drivers::transport::Transport;

/// Hands at a simulated device; in a replay there is nothing to touch.
pub struct Hands<S>(Option<RefCell<S>>);

impl<S> Hands<S> {
    pub fn at(&self, touch: impl FnOnce(&mut S)) {
        if let Some(simulator) = &self.0 {
            touch(&mut simulator.borrow_mut());
        }
    }
}

/// What driver and hands do, under the name of its recording. `setting` is how device and driver are set up for it.
pub struct Scenario<D, S, T> {
    pub name: &'static str,
    pub setting: T,
    pub play: fn(&mut D, &Hands<S>),
}

/// Whether a recording may take the place of the kept one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    WhenAsked,
    Never,
}

/// All scenarios of one kind of device: `D` its driver, `S` its simulator, `T` what can be set.
pub struct Tape<D, S, T> {
    /// The kind's name in recordings, and of their folder.
    pub device: &'static str,
    pub scenarios: Vec<Scenario<D, S, T>>,
    pub driver: Box<dyn Fn(Box<dyn Transport>, T) -> D>,
}

impl<D, S, T: Copy> Tape<D, S, T> {
    /// Records every scenario, each with a device that `plugged` sets up at a path, and plays it back.
    pub fn is_recorded_and_played_back(
        &self,
        keep: Keep,
        plugged: impl Fn(&Path, T) -> (S, Box<dyn Transport>),
    ) {
        let folder = tempfile::tempdir().unwrap();
        for scenario in &self.scenarios {
            let recording = folder.path().join(scenario.name);
            let (simulator, transport) = plugged(&folder.path().join("device"), scenario.setting);
            let recorder = Recorder::to_file(transport, self.device, &recording).unwrap();
            let hands = Hands(Some(RefCell::new(simulator)));
            let mut driver = (self.driver)(Box::new(recorder), scenario.setting);
            (scenario.play)(&mut driver, &hands);
            // The driver may have a last word for the device.
            drop(driver);
            drop(hands);
            self.replay(scenario, &recording);
            if keep == Keep::WhenAsked && std::env::var_os("KEEP_RECORDINGS").is_some() {
                std::fs::create_dir_all(self.folder()).unwrap();
                std::fs::copy(&recording, self.kept(scenario.name)).unwrap();
            }
        }
    }

    /// Plays back the kept recordings, of which there is one for each scenario.
    pub fn kept_recordings_hold(&self) {
        for scenario in &self.scenarios {
            self.replay(scenario, &self.kept(scenario.name));
        }
        let kept = std::fs::read_dir(self.folder()).unwrap().count();
        assert_eq!(kept, self.scenarios.len(), "none that nobody plays");
    }

    /// Plays a kept recording to a driver that does something else, and says what the replay makes of it.
    pub fn noticed(&self, name: &str, other: impl FnOnce(&mut D)) -> ReplayError {
        let scenario = self.scenarios.iter().find(|scenario| scenario.name == name).unwrap();
        let replay = self.open(&self.kept(name));
        let mut driver = (self.driver)(Box::new(replay.clone()), scenario.setting);
        other(&mut driver);
        drop(driver);
        replay.finish().unwrap_err()
    }

    fn replay(&self, scenario: &Scenario<D, S, T>, recording: &Path) {
        let replay = self.open(recording);
        let mut driver = (self.driver)(Box::new(replay.clone()), scenario.setting);
        (scenario.play)(&mut driver, &Hands(None));
        drop(driver);
        assert_eq!(replay.finish(), Ok(()), "{} {}", self.device, scenario.name);
    }

    fn open(&self, recording: &Path) -> Replay {
        let replay =
            Replay::open(recording).unwrap_or_else(|error| panic!("{}: {error}", recording.display()));
        assert_eq!(replay.device(), self.device, "{}", recording.display());
        replay
    }

    fn kept(&self, name: &str) -> PathBuf {
        self.folder().join(name).with_extension("jsonl")
    }

    fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings").join(self.device)
    }
}
