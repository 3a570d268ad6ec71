//! The last step before a supervised program runs: ask the kernel to kill it when the simulator dies,
//! then become it.
//!
//! The simulator starts its children through its own executable (`simulator launch-child PROGRAM …`). This
//! needs no `unsafe` code between fork and exec, and the process id stays that of the program.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// The first argument that turns the simulator's executable into a launcher.
pub const LAUNCH: &str = "launch-child";

/// Becomes the program named by `arguments` (parent's process id, program, its arguments). Returns only when
/// that failed, with a sentence.
pub fn launch_child(arguments: &[OsString]) -> String {
    let [parent, program, rest @ ..] = arguments else {
        return format!("{LAUNCH}: expected a parent process id and a program");
    };
    let Some(parent) = parent.to_str().and_then(|text| text.parse().ok()).and_then(Pid::from_raw) else {
        return format!("{LAUNCH}: the parent process id is not a number");
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return format!("{LAUNCH}: cannot tie the child to its parent: {error}");
    }
    // The parent may have died before the line above: then no signal would ever come.
    if getppid() != Some(parent) {
        return format!("{LAUNCH}: the parent is gone");
    }
    let error = Command::new(program).args(rest).exec();
    format!("{LAUNCH}: cannot start {}: {error}", program.to_string_lossy())
}
