//! Starts the kiosk's processes and keeps them running, as systemd will on a terminal (`Restart=always`).
//!
//! One thread per process starts it, waits for it and starts it again; that thread lives as long as the
//! supervisor, because the kernel kills a child tied to its parent when the *thread* that started it ends.
//! Only processes started here are ever signalled: a process id is used only while the child is not reaped.

mod process;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::log_file::tail;
use process::Process;

/// What to run and how.
#[derive(Debug, Clone)]
pub struct ProcessSpec {
    /// Name in the HTTP interface and of the log file.
    pub name: String,
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables added to the inherited environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// How long to wait before starting a process again.
#[derive(Debug, Clone, Copy)]
pub struct BackOff {
    /// After the first exit.
    pub first: Duration,
    /// At most; the wait doubles up to this.
    pub longest: Duration,
    /// A process that ran this long starts again from `first`.
    pub healthy_after: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(2),
            healthy_after: Duration::from_secs(10),
        }
    }
}

/// One process as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessStatus {
    /// Its name.
    pub name: String,
    /// Its process id while it runs.
    pub pid: Option<i32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Whether it runs now.
    pub running: bool,
    /// Whether it should run; false after `stop`.
    pub wanted: bool,
    /// How it ended last, in words.
    pub last_exit: Option<String>,
    /// When the present run began, in milliseconds since 1970.
    pub started_at_ms: Option<u64>,
}

/// Why a command to the supervisor was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SupervisorError {
    /// No process has this name.
    #[error("no process is called {0:?}")]
    Unknown(String),
    /// It is not running, so there is nothing to kill.
    #[error("{0} is not running")]
    NotRunning(String),
    /// The kernel refused the signal.
    #[error("the signal could not be sent to {0}")]
    Signal(String),
}

/// All supervised processes. Dropping it stops them.
pub struct Supervisor {
    processes: Vec<Arc<Process>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Supervisor {
    /// Makes a supervisor; nothing runs until [`Supervisor::start`]. `launcher` is the simulator's executable,
    /// which ties children to this process; without it they are started directly.
    pub fn new(specs: Vec<ProcessSpec>, logs: PathBuf, launcher: Option<PathBuf>, back_off: BackOff) -> Self {
        let processes: Vec<_> = specs
            .into_iter()
            .map(|spec| {
                Arc::new(Process {
                    log: logs.join(format!("{}.log", spec.name)),
                    launcher: launcher.clone(),
                    back_off,
                    state: Mutex::default(),
                    changed: Condvar::new(),
                    spec,
                })
            })
            .collect();
        let threads = processes
            .iter()
            .map(|process| {
                let process = Arc::clone(process);
                std::thread::Builder::new()
                    .name(format!("run {}", process.spec.name))
                    .spawn(move || process.supervise())
                    .expect("the system starts a thread")
            })
            .collect();
        Self { processes, threads: Mutex::new(threads) }
    }

    fn named(&self, name: &str) -> Result<&Arc<Process>, SupervisorError> {
        self.processes
            .iter()
            .find(|process| process.spec.name == name)
            .ok_or_else(|| SupervisorError::Unknown(name.to_owned()))
    }

    /// Wants the process to run from now on.
    pub fn start(&self, name: &str) -> Result<(), SupervisorError> {
        let process = self.named(name)?;
        process.lock().wanted = true;
        process.changed.notify_all();
        Ok(())
    }

    /// Ends the process (SIGTERM, then SIGKILL after 5 s) and leaves it ended. Waits until it is gone.
    pub fn stop(&self, name: &str) -> Result<(), SupervisorError> {
        let process = self.named(name)?;
        process.lock().wanted = false;
        process.changed.notify_all();
        process.end();
        Ok(())
    }

    /// Kills the process at once, as a crash or the out-of-memory killer would, and waits until it is gone. It is
    /// started again.
    pub fn kill(&self, name: &str) -> Result<i32, SupervisorError> {
        let process = self.named(name)?;
        let state = process.lock();
        let Some(pid) = state.running else { return Err(SupervisorError::NotRunning(name.to_owned())) };
        kill_process(pid, Signal::KILL).map_err(|_| SupervisorError::Signal(name.to_owned()))?;
        process.wait_while(state, |state| state.running == Some(pid));
        Ok(pid.as_raw_nonzero().get())
    }

    /// Every process, in the order given.
    pub fn status(&self) -> Vec<ProcessStatus> {
        self.processes.iter().map(|process| process.status()).collect()
    }

    /// A sentence with the last log lines when a process ended `times` times within the last ten seconds.
    pub fn crash_loop(&self, times: usize) -> Option<String> {
        self.processes.iter().find_map(|process| {
            let state = process.lock();
            let recent = state.recent_starts.iter().filter(|start| start.elapsed() < Duration::from_secs(10));
            // The first start is not a restart.
            (recent.count() > times).then(|| {
                let exit = state.last_exit.clone().unwrap_or_default();
                format!("{} keeps ending ({exit}):\n{}", process.spec.name, tail(&process.log, 12))
            })
        })
    }

    /// Ends all processes, politely first, and waits for them.
    pub fn shut_down(&self) {
        for process in &self.processes {
            let mut state = process.lock();
            state.closing = true;
            state.wanted = false;
            if let Some(pid) = state.running {
                let _ = kill_process(pid, Signal::TERM);
            }
            process.changed.notify_all();
        }
        for process in &self.processes {
            process.end();
        }
        for thread in std::mem::take(&mut *self.threads.lock().expect("no thread panics here")) {
            let _ = thread.join();
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.shut_down();
    }
}
