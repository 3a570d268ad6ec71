//! Programs that others wrote, made ready once in the build folder: a Python with the pinned packages, and the pinned
//! packages of npm. Nothing of a package of npm runs while it is installed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/independent")
}

/// A command that runs one of the Python scripts beside this file.
pub fn python(script: &str) -> Command {
    let folder = made("printer-python", &["requirements.txt"], |folder| {
        said(Command::new("python3").args(["-m", "venv"]).arg(folder));
        let mut pip = Command::new(folder.join("bin/python"));
        said(
            pip.args(["-m", "pip", "install", "--quiet", "--requirement"])
                .arg(here().join("requirements.txt")),
        );
    });
    let mut command = Command::new(folder.join("bin/python"));
    command.arg(here().join(script));
    command
}

/// A command that runs one of the scripts for Node.js beside this file.
pub fn node(script: &str) -> Command {
    let files = ["package.json", "package-lock.json"];
    let folder = made("printer-node", &files, |folder| {
        fs::create_dir_all(folder).unwrap();
        for file in files {
            fs::copy(here().join(file), folder.join(file)).unwrap();
        }
        let words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
        said(Command::new("npm").args(words).current_dir(folder));
    });
    let mut command = Command::new("node");
    command.arg(here().join(script)).env("NODE_PATH", folder.join("node_modules"));
    command
}

/// A folder that is made anew whenever one of these files is another one.
fn made(name: &str, from: &[&str], make: impl FnOnce(&Path)) -> PathBuf {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(base).unwrap();
    // Tests are processes of their own and would make it at the same time.
    let lock = File::create(base.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let folder = base.join(name);
    let wanted: String = from.iter().map(|file| fs::read_to_string(here().join(file)).unwrap()).collect();
    let note = folder.join("made-from.txt");
    if fs::read_to_string(&note).ok().as_ref() != Some(&wanted) {
        let _ = fs::remove_dir_all(&folder);
        make(&folder);
        fs::write(&note, wanted).unwrap();
    }
    folder
}

/// What a command says; it must succeed.
pub fn said(command: &mut Command) -> Vec<u8> {
    let output = command.env_remove("PYTHONPATH").env("NO_PROXY", "*").output();
    let output =
        output.unwrap_or_else(|error| panic!("{command:?}: {error}; `cargo xtask test` installs it"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{complaint}");
    output.stdout
}
