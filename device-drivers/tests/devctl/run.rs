//! Running the program, and what it told.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// The program, built for these tests.
pub const DEVCTL: &str = env!("CARGO_BIN_EXE_devctl");

/// What a run of the program told.
#[derive(Debug)]
pub struct Told {
    code: Option<i32>,
    pub facts: String,
    pub errors: String,
}

/// Runs the program to its end.
pub fn devctl<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Told {
    Told::by(Command::new(DEVCTL).args(arguments).stdin(Stdio::null()).output().unwrap())
}

/// Runs the program with the words of a line; no word has a space.
pub fn run(line: &str) -> Told {
    devctl(line.split_whitespace())
}

impl Told {
    pub fn by(output: Output) -> Told {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Told { code: output.status.code(), facts: text(output.stdout), errors: text(output.stderr) }
    }

    /// All went well, and nothing was complained about.
    #[track_caller]
    pub fn good(self) -> Told {
        assert_eq!((self.code, self.errors.as_str()), (Some(0), ""), "{self:?}");
        self
    }

    /// The device said no, and this is the remedy, with advice in both languages.
    #[track_caller]
    pub fn refused(self, remedy: &str) -> Told {
        assert_eq!(self.code, Some(1), "{self:?}");
        let lines: Vec<_> = self.errors.lines().collect();
        let [error, code, english, chinese] = lines[..] else { panic!("four lines: {self:?}") };
        assert!(error.starts_with("error: "), "{self:?}");
        assert_eq!(code, format!("remedy: {remedy}"), "{self:?}");
        assert!(english.is_ascii() && english.ends_with('.'), "{self:?}");
        assert!(!chinese.is_ascii() && chinese.ends_with('。'), "{self:?}");
        self
    }

    /// The program was called wrongly.
    #[track_caller]
    pub fn misused(self) -> Told {
        assert_eq!(self.code, Some(2), "{self:?}");
        // A command without its verb is answered by the verbs that there are.
        assert!(self.errors.starts_with("error: ") || self.errors.contains("Usage: "), "{self:?}");
        self
    }

    /// The value of a fact.
    #[track_caller]
    pub fn fact(&self, word: &str) -> &str {
        let found = self.facts.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(": "));
        found.unwrap_or_else(|| panic!("no {word} in {self:?}"))
    }

    /// Nothing of this was told anywhere.
    #[track_caller]
    pub fn hides(&self, secrets: &[&str]) {
        for secret in secrets {
            assert!(!self.facts.contains(secret) && !self.errors.contains(secret), "{secret} in {self:?}");
        }
    }
}

/// A running `devctl simulate`.
pub struct Simulated {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    /// How the driver finds the device, as options.
    pub way: String,
}

impl Simulated {
    /// Starts one and waits until it is ready.
    pub fn start(line: &str) -> Simulated {
        let mut command = crate::program::command(DEVCTL);
        command
            .args(["simulate", "--attached"])
            .args(line.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let way = lines.find_map(|line| line.unwrap().strip_prefix("ready: ").map(str::to_owned));
        Simulated { child, lines, way: way.expect("it becomes ready") }
    }

    /// Gives an order and returns the answer.
    pub fn answer(&mut self, order: &str) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "{order}").unwrap();
        self.lines.next().unwrap().unwrap()
    }

    /// Gives an order that is obeyed.
    #[track_caller]
    pub fn order(&mut self, order: &str) {
        assert_eq!(self.answer(order), format!("done: {order}"));
    }

    /// Ends it in good order.
    pub fn quit(mut self) {
        writeln!(self.child.stdin.as_mut().unwrap(), "quit").unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
