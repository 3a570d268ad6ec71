//! `cargo xtask demo`: the whole kiosk on this machine, in a page, with one command.
//!
//! It starts exactly one program, the simulator, which starts and supervises the others. Absent on
//! purpose: ending anything that it did not start itself.

mod folder;
mod port;

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::packages::{self, Purpose};
use crate::run;
use crate::workspace::{self, PROGRAMS, Workspace};
use folder::StateFolder;
use port::Answer;

/// How long the simulator may take to end its processes before they are ended for it.
const STOPPED_WITHIN: Duration = Duration::from_secs(20);
/// How often signals and the simulator are looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// Run the whole kiosk on this machine, with its simulated devices, in a browser page.
#[derive(clap::Args)]
pub struct Demo {
    /// Port of the page on this machine
    #[arg(long, default_value_t = 8710, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Keep everything (cases, keys, logs) in this folder; without it nothing is kept
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Empty the kept folder first
    #[arg(long, requires = "keep")]
    fresh: bool,
    /// How the receipt printer is connected: by usb, or by a slow serial line
    #[arg(long, value_name = "CABLE", default_value = "usb", value_parser = ["usb", "serial"])]
    receipt_printer: String,
    /// Play this recorded scenario as soon as all is up
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

/// The simulator's exit code when another one has the folder or the port; it has said so itself.
const ALREADY_RUNNING: i32 = 3;

/// Why the simulator is no longer running.
enum Ending {
    /// Somebody asked: Ctrl-C, or a signal to this program.
    Asked,
    /// It ended by itself.
    Itself(ExitStatus),
}

impl Demo {
    /// Installs, builds, starts, and waits until it is told to stop.
    pub fn run(self) -> Result<ExitCode> {
        let workspace = Workspace::load()?;
        self.must_have_port()?;
        run::step(1, 3, "Debian packages");
        packages::ensure(Purpose::Demo)?;
        run::step(2, 3, "Build (the first one takes many minutes, later ones seconds)");
        run::must(run::cargo(&workspace.root).args(["build", "--bins"]).args(workspace::only(&PROGRAMS)))?;

        // From here on a Ctrl-C is ours to handle, so that nothing stays behind.
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("signals cannot be received")?;
        run::step(3, 3, "Start");
        self.must_have_port()?;
        let mut folder = match &self.keep {
            Some(folder) => StateFolder::kept(folder)?,
            None => StateFolder::temporary()?,
        };
        let mut simulator = self.start(&workspace, &folder)?;
        match wait(&mut simulator, &mut signals) {
            Ok(Ending::Asked) => {
                eprintln!("      stopped");
                Ok(ExitCode::SUCCESS)
            }
            Ok(Ending::Itself(status)) if status.success() => Ok(ExitCode::SUCCESS),
            Ok(Ending::Itself(status)) if status.code() == Some(ALREADY_RUNNING) => Ok(ExitCode::FAILURE),
            Ok(Ending::Itself(status)) => {
                folder.keep_for_a_look();
                bail!(
                    "The simulator ended by itself ({status}). What it left, with its logs, is in {}",
                    folder.path().display()
                )
            }
            Err(error) => {
                end_now(&simulator);
                Err(error)
            }
        }
    }

    fn must_have_port(&self) -> Result<()> {
        let Self { port, .. } = *self;
        let other = if port < u16::MAX { port + 1 } else { port - 1 };
        match port::look(port) {
            Answer::Free => Ok(()),
            Answer::Demo => bail!(
                "A demo is already running: http://127.0.0.1:{port}/\nOpen that page, or stop that demo with Ctrl-C \
                 in its terminal, or start a second one beside it with --port {other}."
            ),
            Answer::Other => bail!(
                "Port {port} of this machine is used by another program. Choose a free one: --port {other}."
            ),
        }
    }

    fn start(&self, workspace: &Workspace, folder: &StateFolder) -> Result<Child> {
        let programs = workspace.programs("debug");
        let mut command = Command::new(programs.join("simulator"));
        command.arg("--state").arg(folder.path()).args(["--port", &self.port.to_string()]);
        command.arg("--programs").arg(&programs);
        command.arg("--catalog").arg(workspace.root.join("assets/catalog")).arg("--sign-catalog");
        command.args(["--receipt-printer", &self.receipt_printer]);
        if self.fresh {
            command.arg("--fresh");
        }
        if let Some(scenario) = &self.scenario {
            command.arg("--scenario").arg(scenario);
        }
        let mut simulator = command
            // It ends when its standard input closes, so even killing this program leaves nothing behind.
            .arg("--attached")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A group of its own: Ctrl-C in the terminal reaches us alone, and we pass it on once.
            .process_group(0)
            .spawn()
            .with_context(|| format!("the simulator could not be started from {}", programs.display()))?;
        let lines = simulator.stdout.take().context("the simulator has no standard output")?;
        std::thread::spawn(move || tell(lines));
        Ok(simulator)
    }
}

/// Passes on what the simulator prints, and opens the page once its address is among it.
fn tell(lines: ChildStdout) {
    for line in BufReader::new(lines).lines().map_while(Result::ok) {
        println!("\n  {line}");
        if let Some(at) = line.find("http://127.0.0.1") {
            println!("  Ctrl-C 结束。Ctrl-C stops it.\n");
            open_page(line[at..].trim());
        }
    }
}

/// Waits for the end and passes signals on.
fn wait(simulator: &mut Child, signals: &mut Signals) -> Result<Ending> {
    let mut asked: Option<Instant> = None;
    loop {
        if has_ended(simulator)? {
            // What it left behind in its group goes too, while that number is still its own.
            end_now(simulator);
            let status = simulator.wait().context("the simulator cannot be waited for")?;
            return Ok(if asked.is_some() { Ending::Asked } else { Ending::Itself(status) });
        }
        for signal in signals.pending() {
            if asked.replace(Instant::now()).is_some() {
                end_now(simulator);
            } else {
                eprintln!("\n      stopping (Ctrl-C again: at once)");
                pass_on(simulator, signal);
            }
        }
        if asked.is_some_and(|at| at.elapsed() > STOPPED_WITHIN) {
            eprintln!("      the simulator did not stop by itself; ending it and what it started");
            end_now(simulator);
        }
        std::thread::sleep(GLANCE);
    }
}

/// Opens the page where there is a desktop to open it on; elsewhere the printed address is enough.
fn open_page(address: &str) {
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if desktop {
        // A desktop without xdg-open is no error: the address stands in the terminal.
        let _ = Command::new("xdg-open")
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }
}

fn pid(simulator: &Child) -> Pid {
    Pid::from_child(simulator)
}

/// Whether it has ended; it is not collected yet, so its number cannot belong to anybody else.
fn has_ended(simulator: &Child) -> Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let ended = waitid(WaitId::Pid(pid(simulator)), options).context("the simulator cannot be watched")?;
    Ok(ended.is_some())
}

fn pass_on(simulator: &Child, signal: i32) {
    let signal = if signal == SIGINT { Signal::INT } else { Signal::TERM };
    // It may have ended a moment ago; the next glance sees that.
    let _ = kill_process(pid(simulator), signal);
}

/// Ends the simulator and whatever it started in its group, which is ours alone.
fn end_now(simulator: &Child) {
    let _ = kill_process_group(pid(simulator), Signal::KILL);
}
