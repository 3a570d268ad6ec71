//! Closed libraries of devices' makers, each in a process of its own.
//!
//! Some devices speak only through a library that nobody outside can read: decoders of card photos, stamp units,
//! modules with keys. An integrator writes a thin shim against `device-host/include/kiosk_vendor.h`; [`VendorLibrary`]
//! runs it in the program `device-host` and asks it through [`protocol`]. A crash, a hang or nonsense costs one call:
//! the caller gets [`VendorError::Lost`], and the process is started again after a rest.
//!
//! Absent: any meaning of a verb (that belongs to the device kind which uses the library), a thread, a judgement of
//! the library's good faith (it is taken for clumsy, not for hostile).

mod health;
mod host;
pub mod protocol;
mod rests;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

pub use health::{Happening, Health};
pub use host::Loss;
pub use protocol::{Limits, LoadFault, Misbehaviour, Refusal};
pub use rests::Rests;

use self::host::HostProcess;
use self::protocol::{Answer, INPUT_BYTES_MAX, OUTPUT_BYTES_MAX, Request, SETTINGS_BYTES_MAX, VERSION};
use crate::remedy::{Fault, Remedy};

/// Failures in a row from which an operator is called.
pub const CALL_AFTER: u32 = 3;
/// How long a library may take to close.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// Which library, and how it is run.
#[derive(Clone)]
pub struct VendorConfig {
    /// The program `device-host` of the same release.
    pub host: PathBuf,
    /// The library: a shim, which brings the maker's own library along (`-Wl,-rpath,'$ORIGIN'`).
    pub library: PathBuf,
    /// Handed to the library when it is opened: the path of its device, for instance. At most 64 KiB.
    pub settings: Zeroizing<Vec<u8>>,
    /// What its process may take from the machine.
    pub limits: Limits,
    /// How long loading and opening may take together.
    pub start_within: Duration,
    /// How long it rests after a failure.
    pub rests: Rests,
}

impl VendorConfig {
    /// No settings, the usual limits and rests, 10 s to start.
    pub fn new(host: impl Into<PathBuf>, library: impl Into<PathBuf>) -> VendorConfig {
        VendorConfig {
            host: host.into(),
            library: library.into(),
            settings: Zeroizing::default(),
            limits: Limits::default(),
            start_within: Duration::from_secs(10),
            rests: Rests::default(),
        }
    }
}

/// Why a library did not do what it was asked. Quotes neither input nor output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorError {
    /// Its process crashed, hung, or said nonsense, and was ended. It is started again by a later call.
    #[error("the vendor library was lost ({failures_in_a_row} failures in a row): {loss}")]
    Lost {
        /// How.
        loss: Loss,
        /// Failures since a call was last answered, this one included.
        failures_in_a_row: u32,
    },
    /// It rests after a failure and was not asked.
    #[error("the vendor library rests for {left:?}")]
    Resting {
        /// Until it may be started again.
        left: Duration,
        /// What the failure asked for.
        remedy: Remedy,
    },
    /// It cannot be used as it is installed.
    #[error("the vendor library cannot be used: {fault}: {detail}")]
    Unusable {
        /// Why.
        fault: LoadFault,
        /// What the loader says, or which function is missing.
        detail: String,
    },
    /// `device-host` cannot be started.
    #[error("device-host cannot be started: {0:?}")]
    NoHost(io::ErrorKind),
    /// It answered with a refusal: to a call, or to being opened.
    #[error("the vendor library refuses: {0}")]
    Refused(Refusal),
    /// Input, room for the output, or settings are longer than the protocol carries. Nothing was asked.
    #[error("more than the vendor library's line carries")]
    TooLarge,
}

impl VendorError {
    /// What can be done about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            VendorError::Lost { failures_in_a_row, .. } if *failures_in_a_row < CALL_AFTER => Remedy::Retry,
            VendorError::Lost { .. } => Remedy::CallOperator(Fault::VendorLost),
            VendorError::Resting { remedy, .. } => *remedy,
            VendorError::Unusable { .. } | VendorError::NoHost(_) => Remedy::CallOperator(Fault::VendorGone),
            VendorError::Refused(Refusal::Busy) => Remedy::Retry,
            VendorError::Refused(_) | VendorError::TooLarge => Remedy::CallOperator(Fault::VendorFault),
        }
    }
}

/// A vendor library behind its process. Started when it is first used; dropping it closes it.
pub struct VendorLibrary {
    config: VendorConfig,
    host: Option<HostProcess>,
    /// Killed and not gone: the kernel holds it. Nothing is started beside it.
    dying: Option<HostProcess>,
    identity: Option<String>,
    rest_until: Option<Instant>,
    last_remedy: Remedy,
    health: Health,
}

impl VendorLibrary {
    /// Starts nothing yet.
    pub fn new(config: VendorConfig) -> VendorLibrary {
        VendorLibrary {
            config,
            host: None,
            dying: None,
            identity: None,
            rest_until: None,
            last_remedy: Remedy::Retry,
            health: Health::default(),
        }
    }

    /// What the library calls itself; known once it was started.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// What happened to it.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Has the library do one thing and waits for it at most `within`; a library that is not running is started first,
    /// within its own time. `output_bytes_max` is the room for the answer. Both sizes are at most 1 MiB (less 8 bytes
    /// for the input).
    pub fn call(
        &mut self,
        verb: u32,
        input: &[u8],
        output_bytes_max: usize,
        within: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, VendorError> {
        if input.len() > INPUT_BYTES_MAX || output_bytes_max > OUTPUT_BYTES_MAX {
            return Err(VendorError::TooLarge);
        }
        self.tend()?;
        let mut host = self.host.take().expect("a library that was tended runs");
        let request = Request::Call { verb, output_bytes_max: output_bytes_max as u32, input };
        let frame = match host.ask(&request, Instant::now() + within) {
            Ok(frame) => frame,
            Err(loss) => return Err(self.lost(host, loss)),
        };
        match Answer::from_frame(&frame) {
            Ok(Answer::Done(output)) if output.len() <= output_bytes_max => {
                self.answered(host);
                Ok(frame.into_body())
            }
            Ok(Answer::Refused(refusal)) => {
                self.answered(host);
                Err(VendorError::Refused(refusal))
            }
            Ok(Answer::Misbehaved(how)) => Err(self.lost(host, Loss::Misbehaved(how))),
            Ok(Answer::Started { .. } | Answer::Unusable { .. } | Answer::Done(_)) | Err(_) => {
                Err(self.lost(host, Loss::Garbled))
            }
        }
    }

    /// Does what is due without a call: notices a process that ended, or starts one whose rest is over. A worker calls
    /// it about once a second while it has nothing else to do, so that no resident is the one who finds out.
    pub fn tend(&mut self) -> Result<(), VendorError> {
        match self.host.take() {
            None => self.start(),
            Some(mut host) => match host.has_ended() {
                Some(loss) => Err(self.lost(host, loss)),
                None => {
                    self.host = Some(host);
                    Ok(())
                }
            },
        }
    }

    fn start(&mut self) -> Result<(), VendorError> {
        if self.config.settings.len() > SETTINGS_BYTES_MAX {
            return Err(VendorError::TooLarge);
        }
        self.dying = self.dying.take().and_then(HostProcess::kill);
        let left =
            self.rest_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        if !left.is_zero() || self.dying.is_some() {
            return Err(VendorError::Resting { left, remedy: self.last_remedy });
        }
        let mut host = HostProcess::spawn(&self.config.host, &self.config.library)
            .map_err(|error| self.failed(None, VendorError::NoHost(error.kind())))?;
        let VendorConfig { limits, settings, start_within, .. } = &self.config;
        let request = Request::Start { version: VERSION, limits: *limits, settings };
        let frame = match host.ask(&request, Instant::now() + *start_within) {
            Ok(frame) => frame,
            Err(loss) => return Err(self.lost(host, loss)),
        };
        match Answer::from_frame(&frame) {
            Ok(Answer::Started { identity }) => {
                tracing::info!(library = %self.config.library.display(), identity, "vendor library started");
                self.identity = Some(identity.to_owned());
                self.host = Some(host);
                self.health.note(Instant::now(), Happening::Started);
                Ok(())
            }
            Ok(Answer::Unusable { fault, detail }) => {
                let detail = detail.to_owned();
                Err(self.failed(Some(host), VendorError::Unusable { fault, detail }))
            }
            Ok(Answer::Refused(refusal)) => Err(self.failed(Some(host), VendorError::Refused(refusal))),
            Ok(Answer::Misbehaved(how)) => Err(self.lost(host, Loss::Misbehaved(how))),
            Ok(Answer::Done(_)) | Err(_) => Err(self.lost(host, Loss::Garbled)),
        }
    }

    fn answered(&mut self, host: HostProcess) {
        self.host = Some(host);
        self.health.answered();
    }

    fn lost(&mut self, host: HostProcess, loss: Loss) -> VendorError {
        let failures_in_a_row = self.health.failures_in_a_row().saturating_add(1);
        self.failed(Some(host), VendorError::Lost { loss, failures_in_a_row })
    }

    /// Ends the process, writes the failure down and lets the library rest.
    fn failed(&mut self, host: Option<HostProcess>, error: VendorError) -> VendorError {
        self.dying = host.and_then(HostProcess::kill);
        let now = Instant::now();
        match &error {
            VendorError::Lost { loss, .. } => self.health.note(now, Happening::Lost(*loss)),
            VendorError::Unusable { fault, .. } => self.health.note(now, Happening::Unusable(*fault)),
            VendorError::Refused(refusal) => self.health.note(now, Happening::NotOpened(*refusal)),
            VendorError::NoHost(kind) => self.health.note(now, Happening::NoHost(*kind)),
            VendorError::Resting { .. } | VendorError::TooLarge => {}
        }
        // The state's own random keys are all the chance that is needed here.
        let chance = RandomState::new().hash_one(0);
        let rest = self.config.rests.after(self.health.failures_in_a_row(), chance);
        self.rest_until = Some(now + rest);
        self.last_remedy = error.remedy();
        let library = self.config.library.display();
        tracing::warn!(%library, ?rest, "{error}");
        error
    }
}

impl Drop for VendorLibrary {
    fn drop(&mut self) {
        if let Some(host) = self.host.take() {
            host.stop(CLOSE_GRACE);
        }
    }
}
