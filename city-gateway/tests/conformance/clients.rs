//! Programs that others wrote, made ready once in the build folder: a Python with the pinned packages, and the pinned
//! packages of npm.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

/// A Python with the clients and the prober.
pub fn python() -> PathBuf {
    python_with("conformance-python", "requirements.txt")
}

/// A Python with a server for S3.
#[cfg(feature = "s3")]
pub fn python_for_s3() -> PathBuf {
    python_with("conformance-s3", "requirements-s3.txt")
}

fn python_with(name: &str, requirements: &str) -> PathBuf {
    made(name, &[requirements], |folder| {
        must(Command::new("python3").args(["-m", "venv"]).arg(folder));
        let mut pip = Command::new(folder.join("bin/python"));
        must(pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(here().join(requirements)));
    })
    .join("bin/python")
}

/// The folder `node_modules` with the pinned packages.
pub fn node_modules() -> PathBuf {
    made("conformance-node", &["package.json", "package-lock.json"], |folder| {
        fs::create_dir_all(folder).unwrap();
        for file in ["package.json", "package-lock.json"] {
            fs::copy(here().join(file), folder.join(file)).unwrap();
        }
        // Nothing of a package runs while it is installed.
        let words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
        must(Command::new("npm").args(words).current_dir(folder));
    })
    .join("node_modules")
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

fn must(command: &mut Command) {
    let output = command.env_remove("PYTHONPATH").output();
    let output =
        output.unwrap_or_else(|error| panic!("{command:?}: {error}; `cargo xtask test` installs it"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{said}");
}
