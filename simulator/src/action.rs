//! What hands can do around the kiosk, each as a path and a body: the same by HTTP, from the page, and in a scenario.
//!
//! Absent on purpose: touches and keys. What a resident types belongs in no recording.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::desk::DeskError;
use crate::network::NetworkMode;
use crate::stage::Stage;
use crate::supervisor::SupervisorError;

/// Something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `/api/devices/{device}`.
    Device {
        /// Its name.
        device: String,
        /// What is wanted of it.
        wanted: Value,
    },
    /// `/api/network`.
    Network(NetworkMode),
    /// `/api/process/{process}/{verb}`.
    Process {
        /// Its name.
        process: String,
        /// What to do to it.
        verb: Verb,
    },
}

/// What can be done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// As a crash would; it starts again.
    Kill,
    /// Politely; it stays ended.
    Stop,
    /// After a stop.
    Start,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The path names nothing that hands can do.
    #[error(
        "{0:?} is nothing that can be done; there are: /api/devices/DEVICE, /api/network, \
         /api/process/PROCESS/kill, stop or start"
    )]
    NoSuchPath(String),
    /// The network has no such mode.
    #[error("the network needs {{\"mode\": …}}: {0}")]
    Network(serde_json::Error),
    /// A device does not know that.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// A process cannot do that.
    #[error(transparent)]
    Process(#[from] SupervisorError),
    /// The simulator itself failed.
    #[error("the simulator failed: {0}")]
    Failed(#[from] tokio::task::JoinError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    mode: NetworkMode,
}

impl Stage {
    /// Understands an action, and refuses what could never be done.
    pub fn action(&self, path: &str, body: &Value) -> Result<Action, ActionError> {
        let unknown = || ActionError::NoSuchPath(path.to_owned());
        let parts: Vec<&str> = path.strip_prefix("/api/").ok_or_else(unknown)?.split('/').collect();
        match parts[..] {
            ["devices", device] => {
                self.desk.check(device, body)?;
                Ok(Action::Device { device: device.to_owned(), wanted: body.clone() })
            }
            ["network"] => {
                let Network { mode } = Network::deserialize(body).map_err(ActionError::Network)?;
                Ok(Action::Network(mode))
            }
            ["process", process, verb] => {
                let verb = match verb {
                    "kill" => Verb::Kill,
                    "stop" => Verb::Stop,
                    "start" => Verb::Start,
                    _ => return Err(unknown()),
                };
                let known = self.supervisor.status().iter().any(|known| known.name == process);
                let nobody = || SupervisorError::Unknown(process.to_owned());
                known
                    .then(|| Action::Process { process: process.to_owned(), verb })
                    .ok_or_else(|| nobody().into())
            }
            _ => Err(unknown()),
        }
    }

    /// Does it.
    pub async fn act(self: &Arc<Self>, action: Action) -> Result<(), ActionError> {
        let stage = Arc::clone(self);
        match action {
            Action::Network(mode) => self.network.set(mode).await,
            // A plug that is pulled, and a process that is stopped, take a moment.
            Action::Device { device, wanted } => {
                tokio::task::spawn_blocking(move || stage.desk.change(&device, &wanted)).await??;
            }
            Action::Process { process, verb } => {
                let supervisor = Arc::clone(&self.supervisor);
                let act = move || match verb {
                    Verb::Kill => supervisor.kill(&process).map(drop),
                    Verb::Stop => supervisor.stop(&process),
                    Verb::Start => supervisor.start(&process),
                };
                tokio::task::spawn_blocking(act).await??;
            }
        }
        Ok(())
    }
}
