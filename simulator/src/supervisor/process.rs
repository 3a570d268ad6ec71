//! One process: started, waited for, started again.

use std::collections::VecDeque;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

use super::{BackOff, ProcessSpec, ProcessStatus};
use crate::launch::LAUNCH;
use crate::log_file::{LogFile, copy_lines};

/// How long a process may take to end after SIGTERM before it is killed.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct State {
    pub(super) wanted: bool,
    pub(super) closing: bool,
    pub(super) running: Option<Pid>,
    pub(super) started_at_ms: Option<u64>,
    pub(super) restarts: u32,
    pub(super) last_exit: Option<String>,
    pub(super) recent_starts: VecDeque<Instant>,
}

/// One supervised process and the thread's half of its life.
pub(super) struct Process {
    pub(super) spec: ProcessSpec,
    pub(super) log: PathBuf,
    pub(super) launcher: Option<PathBuf>,
    pub(super) back_off: BackOff,
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
}

/// How a run ended.
struct Ended {
    how: String,
    /// Somebody had asked for it: no reason to start again.
    on_purpose: bool,
}

impl Process {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no supervisor thread panics while holding the lock")
    }

    pub(super) fn supervise(&self) {
        let mut wait = self.back_off.first;
        loop {
            {
                let idle = |state: &mut State| !state.wanted && !state.closing;
                let state = self.changed.wait_while(self.lock(), idle).expect("no thread panics");
                if state.closing {
                    return;
                }
            }
            let began = Instant::now();
            let ended = match self.spawn() {
                Ok((child, log)) => self.wait_for(child, log),
                Err(error) => {
                    Ended { how: format!("could not start: {error}"), on_purpose: !self.lock().wanted }
                }
            };
            tracing::info!(process = self.spec.name, exit = ended.how, "a process has ended");
            if ended.on_purpose || began.elapsed() >= self.back_off.healthy_after {
                wait = self.back_off.first;
            }
            let mut state = self.lock();
            state.last_exit = Some(ended.how);
            if ended.on_purpose {
                continue;
            }
            let pausing = |state: &mut State| state.wanted && !state.closing;
            state = self.changed.wait_timeout_while(state, wait, pausing).expect("no thread panics").0;
            wait = (wait * 2).min(self.back_off.longest);
            state.restarts += u32::from(state.wanted && !state.closing);
        }
    }

    fn command(&self) -> Command {
        let mut command = match &self.launcher {
            Some(launcher) => {
                let mut command = Command::new(launcher);
                command.arg(LAUNCH).arg(std::process::id().to_string()).arg(&self.spec.program);
                command
            }
            None => Command::new(&self.spec.program),
        };
        command
            .args(&self.spec.arguments)
            // Logs are read in files.
            .env("NO_COLOR", "1")
            .envs(self.spec.environment.iter().cloned())
            .stdin(Stdio::null())
            // A group of its own: Ctrl-C reaches the simulator alone, and helpers of the child end with it.
            .process_group(0);
        command
    }

    /// Starts the child and the thread that copies its output. The lock is held so that nobody sees a process
    /// that runs but is not listed.
    fn spawn(&self) -> std::io::Result<(Child, JoinHandle<()>)> {
        let mut log = LogFile::open(&self.log)?;
        let (reader, writer) = std::io::pipe()?;
        let mut state = self.lock();
        let now = Instant::now();
        state.recent_starts.push_back(now);
        if state.recent_starts.len() > 32 {
            state.recent_starts.pop_front();
        }
        if !state.wanted {
            return Err(std::io::Error::other("stopped before it began"));
        }
        // The command holds the pipe's writing ends; dropping it leaves them to the child alone.
        let child = self.command().stdout(writer.try_clone()?).stderr(writer).spawn()?;
        state.running = Pid::from_raw(i32::try_from(child.id()).expect("process ids fit"));
        state.started_at_ms = Some(now_ms());
        drop(state);
        self.changed.notify_all();
        let copier = std::thread::Builder::new()
            .name(format!("log {}", self.spec.name))
            .spawn(move || copy_lines(reader, &mut log))?;
        Ok((child, copier))
    }

    fn wait_for(&self, mut child: Child, copier: JoinHandle<()>) -> Ended {
        let pid = self.lock().running.expect("set by spawn");
        // Waits without reaping: until the lock is held below, the process id stays ours.
        while let Err(error) = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            if error != rustix::io::Errno::INTR {
                break;
            }
        }
        let (status, on_purpose) = {
            let mut state = self.lock();
            // As systemd's control group would: helpers of an ended process end too.
            let _ = kill_process_group(pid, Signal::KILL);
            state.running = None;
            state.started_at_ms = None;
            (child.wait(), !state.wanted)
        };
        self.changed.notify_all();
        let _ = copier.join();
        Ended { how: status.map_or_else(|error| error.to_string(), describe), on_purpose }
    }

    /// Waits on the kernel's word that something is over, a few seconds at most; true when it is.
    pub(super) fn wait_while(
        &self,
        state: MutexGuard<'_, State>,
        condition: impl Fn(&State) -> bool,
    ) -> bool {
        let waited = self.changed.wait_timeout_while(state, STOP_PATIENCE, |state| condition(state));
        !waited.expect("no thread panics").1.timed_out()
    }

    /// Waits until nothing runs: first politely, then not.
    pub(super) fn end(&self) {
        let state = self.lock();
        if let Some(pid) = state.running {
            let _ = kill_process(pid, Signal::TERM);
        }
        let running = |state: &State| state.running.is_some() && !state.wanted;
        if self.wait_while(state, running) {
            return;
        }
        let state = self.lock();
        if let Some(pid) = state.running.filter(|_| !state.wanted) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        self.wait_while(state, running);
    }

    pub(super) fn status(&self) -> ProcessStatus {
        let state = self.lock();
        ProcessStatus {
            name: self.spec.name.clone(),
            pid: state.running.map(|pid| pid.as_raw_nonzero().get()),
            restarts: state.restarts,
            running: state.running.is_some(),
            wanted: state.wanted,
            last_exit: state.last_exit.clone(),
            started_at_ms: state.started_at_ms,
        }
    }
}

/// Milliseconds since 1970.
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
