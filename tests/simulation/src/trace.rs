//! What happened, line by line: the same for every run of a seed, byte for byte. Random names never appear in it; lives
//! of queues and of the city's store are numbered as they are first seen.

use std::collections::HashMap;
use std::fmt::Display;

use sha2::{Digest, Sha256};

/// See the module.
#[derive(Default)]
pub struct Trace {
    lines: Vec<String>,
    names: HashMap<String, String>,
    kinds: HashMap<&'static str, usize>,
    /// Whether lines are printed as they come.
    pub aloud: bool,
}

impl Trace {
    /// Adds a line.
    pub fn say(&mut self, now_ms: u64, who: &str, what: impl Display) {
        let line = format!("{:>9}.{:03} {who:<5} {what}", now_ms / 1000, now_ms % 1000);
        if self.aloud {
            println!("{line}");
        }
        self.lines.push(line);
    }

    /// A name for something whose true name is random.
    pub fn alias(&mut self, kind: &'static str, name: &str) -> String {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let number = self.kinds.entry(kind).or_default();
        *number += 1;
        let alias = format!("{kind}-{number}");
        self.names.insert(name.to_owned(), alias.clone());
        alias
    }

    /// All lines.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// SHA-256 over all lines.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for line in &self.lines {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
