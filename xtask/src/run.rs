//! How commands start other programs: progress is visible, and a failure is one plain sentence.

use std::fmt::Display;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Says which step of how many begins, so that a long command never looks stuck.
pub fn step(number: usize, of: usize, what: impl Display) {
    eprintln!("[{number}/{of}] {what}");
}

/// A `cargo` command in the project's root: the same cargo that started this program.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Runs a command with its output visible; anything but success becomes an error that names it.
pub fn must(command: &mut Command) -> Result<()> {
    let words = words(command);
    let status =
        command.stdin(Stdio::null()).status().with_context(|| format!("`{words}` could not be started"))?;
    if !status.success() {
        bail!("`{words}` failed ({status}).");
    }
    Ok(())
}

/// Whether a command runs and succeeds; its output is thrown away.
pub fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a command writes to standard output; an error carries what it wrote to standard error.
pub fn output_of(command: &mut Command) -> Result<String> {
    let words = words(command);
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("`{words}` could not be started"))?;
    if !output.status.success() {
        bail!("`{words}` failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{words}` answered with invalid UTF-8"))
}

/// The command as a person would type it, for messages.
fn words(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command() {
        let error = must(Command::new("false").arg("--really")).unwrap_err();
        assert!(error.to_string().contains("`false --really` failed"), "{error}");
        let error = must(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(error.to_string().contains("could not be started"), "{error}");
    }

    #[test]
    fn the_standard_error_of_a_failed_question_is_kept() {
        let error = output_of(Command::new("sh").args(["-c", "echo because >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("because"), "{error}");
    }
}
