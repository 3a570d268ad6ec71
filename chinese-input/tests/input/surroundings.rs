//! Deployed schemas in a folder that goes with the test, and what is typed into engines.

use std::path::PathBuf;
use std::process::Command;

use chinese_input::{
    ClientConfig, Composition, InputClient, InputEngine, Key, Mark, Method, Script, Sources,
};
use tempfile::TempDir;

/// A folder with deployed schemas.
pub struct Deployed {
    pub folder: TempDir,
}

impl Deployed {
    pub fn new() -> Deployed {
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(program()).arg("deploy").arg(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Deployed { folder }
    }

    pub fn sources(&self) -> Sources {
        Sources::deployed_in(self.folder.path())
    }

    pub fn client(&self, method: Method, script: Script) -> InputClient {
        InputClient::new(ClientConfig::new(program(), self.sources()), method, script)
    }
}

pub fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_chinese-input").into()
}

pub fn keys(text: &str) -> Vec<Mark> {
    text.chars().map(|character| Mark::Key(Key::new(character).unwrap())).collect()
}

/// Enters all marks; what the last one led to.
pub fn enter_all(engine: &mut dyn InputEngine, marks: &[Mark]) -> Composition {
    let mut last = Composition::empty();
    for mark in marks {
        last = engine.enter(mark).unwrap();
    }
    last
}

pub fn texts(composition: &Composition) -> Vec<&str> {
    composition.candidates.iter().map(|candidate| candidate.expose().as_str()).collect()
}

/// Numbers that are the same in every run (xorshift).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
