//! Programs that others wrote and that judge ours in tests: a Python with pinned packages, and pinned packages of npm.
//! Each is made ready once in the build folder, and anew when its list of packages changes.
//!
//! For tests alone: what cannot be made or does not run fails the test, with what it said.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a test's scripts and lists of packages are, and where what is made of them is kept.
pub struct Bench {
    scripts: PathBuf,
    kept: PathBuf,
}

impl Bench {
    /// The scripts' folder, and the build folder: `Bench::new(SCRIPTS, env!("CARGO_TARGET_TMPDIR"))`.
    pub fn new(scripts: impl Into<PathBuf>, kept: impl Into<PathBuf>) -> Self {
        Bench { scripts: scripts.into(), kept: kept.into() }
    }

    /// One of the scripts.
    pub fn script(&self, name: &str) -> PathBuf {
        self.scripts.join(name)
    }

    /// A Python with the packages of this list (a `requirements.txt` with versions), kept under this name.
    pub fn python(&self, name: &str, requirements: &str) -> PathBuf {
        let folder = self.made(name, &[requirements], |folder| {
            said(Command::new("python3").args(["-m", "venv"]).arg(folder));
            let mut pip = Command::new(folder.join("bin/python"));
            said(
                pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(self.script(requirements)),
            );
        });
        folder.join("bin/python")
    }

    /// The folder `node_modules` with the packages of `package-lock.json`, kept under this name.
    pub fn node_modules(&self, name: &str) -> PathBuf {
        const LISTS: [&str; 2] = ["package.json", "package-lock.json"];
        let folder = self.made(name, &LISTS, |folder| {
            fs::create_dir_all(folder).unwrap();
            for list in LISTS {
                fs::copy(self.script(list), folder.join(list)).unwrap();
            }
            // Nothing of a package runs while it is installed.
            let words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
            said(Command::new("npm").args(words).current_dir(folder));
        });
        folder.join("node_modules")
    }

    /// A folder that is made anew whenever one of these files is another one.
    fn made(&self, name: &str, from: &[&str], make: impl FnOnce(&Path)) -> PathBuf {
        fs::create_dir_all(&self.kept).unwrap();
        // Tests are processes of their own and would make it at the same time.
        let lock = File::create(self.kept.join(format!("{name}.lock"))).unwrap();
        lock.lock().unwrap();
        let folder = self.kept.join(name);
        let wanted: String = from.iter().map(|file| fs::read_to_string(self.script(file)).unwrap()).collect();
        let note = folder.join("made-from.txt");
        if fs::read_to_string(&note).ok().as_ref() != Some(&wanted) {
            let _ = fs::remove_dir_all(&folder);
            make(&folder);
            fs::write(&note, wanted).unwrap();
        }
        folder
    }
}

/// What a command writes on its standard output; it must succeed.
pub fn said(command: &mut Command) -> Vec<u8> {
    let output = command.env_remove("PYTHONPATH").output();
    let output =
        output.unwrap_or_else(|error| panic!("{command:?}: {error}; `cargo xtask test` installs it"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{complaint}");
    output.stdout
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_once_and_again_when_its_list_changes() {
        let at = std::env::temp_dir().join(format!("foreign-programs-{}", std::process::id()));
        let bench = Bench::new(&at, at.join("kept"));
        fs::create_dir_all(&at).unwrap();
        let mut times = 0;
        for (list, expected) in [("one", 1), ("one", 1), ("two", 2)] {
            fs::write(bench.script("list"), list).unwrap();
            bench.made("folder", &["list"], |folder| {
                times += 1;
                fs::create_dir(folder).unwrap();
            });
            assert_eq!(times, expected);
        }
        fs::remove_dir_all(at).unwrap();
    }
}
