//! A true program that is kept running as systemd keeps it: started anew whenever it ends, killed and paused on demand.
//! Its lines are read as they come and kept in a log.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Between an end and the next start.
const RESTART: Duration = Duration::from_millis(150);

/// Longest a clean stop may take.
const STOP: Duration = Duration::from_secs(20);

/// What a program did.
pub enum Word<'a> {
    /// A line on standard output.
    Said(&'a str),
    /// A line of its log.
    Logged(&'a str),
    /// It ended.
    Ended,
}

/// What is done with every word.
type Listener = Box<dyn Fn(Word<'_>) + Send + Sync>;

/// A program that is kept running.
pub struct Program {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

struct Shared {
    name: String,
    log: Mutex<File>,
    pid: Mutex<Option<Pid>>,
    /// The last end was ours.
    killed: AtomicBool,
    starts: AtomicU64,
    ended_by_itself: AtomicU64,
    panics: Mutex<Vec<String>>,
    listener: Listener,
}

impl Program {
    /// Starts it and keeps it running; `command` is made anew for each start.
    pub fn keep(
        name: &str,
        logs: &Path,
        command: impl Fn() -> Command + Send + 'static,
        listener: impl Fn(Word<'_>) + Send + Sync + 'static,
    ) -> Result<Self> {
        let log = OpenOptions::new().create(true).append(true).open(logs.join(format!("{name}.log")))?;
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            log: Mutex::new(log),
            pid: Mutex::default(),
            killed: AtomicBool::new(false),
            starts: AtomicU64::new(0),
            ended_by_itself: AtomicU64::new(0),
            panics: Mutex::default(),
            listener: Box::new(listener),
        });
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(run(Arc::clone(&shared), command, stopping));
        Ok(Self { shared, stop, task: Some(task) })
    }

    /// `kill -9`; nothing happens when it is just being started anew.
    pub fn kill(&self) -> bool {
        self.shared.killed.store(true, Ordering::SeqCst);
        self.shared.signal(Signal::KILL)
    }

    /// Stops it in the middle of whatever it does, until [`Program::resume`].
    pub fn pause(&self) -> bool {
        self.shared.signal(Signal::STOP)
    }

    /// Goes on after a pause.
    pub fn resume(&self) -> bool {
        self.shared.signal(Signal::CONT)
    }

    /// How often it ended although nobody killed it.
    pub fn ended_by_itself(&self) -> u64 {
        self.shared.ended_by_itself.load(Ordering::SeqCst)
    }

    /// What it said about its panics.
    pub fn panics(&self) -> Vec<String> {
        self.shared.panics.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it for good: asks, waits, and kills only what does not end.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        if let Some(task) = self.task.take() {
            // It ends with an error only when it is aborted, which nobody does.
            let _ = task.await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
            self.shared.signal(Signal::KILL);
        }
    }
}

impl Shared {
    fn signal(&self, signal: Signal) -> bool {
        let pid = self.pid.lock().unwrap_or_else(PoisonError::into_inner);
        pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
    }

    fn set(&self, pid: Option<Pid>) {
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner) = pid;
    }

    fn note(&self, line: &str) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written is no reason to stop.
        let _ = writeln!(log, "{line}");
        if line.contains("panicked at") {
            let panic = format!("{}: {line}", self.name);
            self.panics.lock().unwrap_or_else(PoisonError::into_inner).push(panic);
        }
    }
}

async fn run(shared: Arc<Shared>, command: impl Fn() -> Command, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        shared.starts.fetch_add(1, Ordering::SeqCst);
        match start(command()) {
            Ok(child) => live(&shared, child, &mut stop).await,
            Err(error) => shared.note(&format!("not started: {error:#}")),
        }
        (shared.listener)(Word::Ended);
        let killed = shared.killed.swap(false, Ordering::SeqCst);
        if !killed && !*stop.borrow() {
            shared.ended_by_itself.fetch_add(1, Ordering::SeqCst);
        }
        tokio::select! {
            () = tokio::time::sleep(RESTART) => {}
            _ = stop.changed() => {}
        }
    }
}

fn start(mut command: Command) -> Result<Child> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.env("NO_COLOR", "1");
    command.spawn().context("the program")
}

/// One life, to its end and the end of its lines.
async fn live(shared: &Arc<Shared>, mut child: Child, stop: &mut watch::Receiver<bool>) {
    shared.set(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let said = child.stdout.take().map(|lines| read(Arc::clone(shared), lines, true));
    let logged = child.stderr.take().map(|lines| read(Arc::clone(shared), lines, false));
    let ended = tokio::select! {
        status = child.wait() => status.ok(),
        _ = stop.changed() => {
            shared.signal(Signal::CONT);
            shared.signal(Signal::TERM);
            let ended = tokio::time::timeout(STOP, child.wait()).await;
            if ended.is_err() {
                shared.note("does not stop, and is killed");
                // It may have ended at this very moment.
                let _ = child.kill().await;
            }
            ended.ok().and_then(Result::ok)
        }
    };
    shared.set(None);
    for lines in [said, logged].into_iter().flatten() {
        // A reader ends with its pipe.
        let _ = lines.await;
    }
    shared.note(&format!("--- ended: {ended:?}"));
}

fn read(shared: Arc<Shared>, lines: impl AsyncRead + Unpin + Send + 'static, said: bool) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(lines).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            shared.note(&line);
            (shared.listener)(if said { Word::Said(&line) } else { Word::Logged(&line) });
        }
    })
}

/// A program of this workspace: beside the folder of this one, or in it.
pub fn file(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let found = own.ancestors().skip(1).take(3).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.with_context(|| format!("{name} is not built: run `cargo build --workspace --bins` first"))
}
