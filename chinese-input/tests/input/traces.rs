//! Nothing of a session stays: no file, no order of candidates, no process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chinese_input::{InputEngine, Method, Script};

use super::drawn::drawn;
use super::surroundings::{Deployed, enter_all, keys, texts};

/// Every file below a folder, with its time and content.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, Vec<u8>)> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files.extend(everything(&path));
        } else {
            let time = entry.metadata().unwrap().modified().unwrap();
            files.insert(path.clone(), (time, fs::read(&path).unwrap()));
        }
    }
    files
}

#[test]
fn nothing_is_written_and_nothing_is_learnt() {
    let deployed = Deployed::new();
    let before = everything(deployed.folder.path());
    assert!(before.len() > 5);
    for (method, typed) in
        [(Method::Pinyin, "yangben"), (Method::Jyutping, "joeng6bun2"), (Method::Strokes, "hsp")]
    {
        let mut client = deployed.client(method, Script::Simplified);
        let first = enter_all(&mut client, &keys(typed));
        // Chosen again and again, as somebody would who teaches it a name.
        for _ in 0..20 {
            let mut composition = client.choose(first.candidates.len() - 1).unwrap();
            while !composition.candidates.is_empty() {
                composition = client.choose(composition.candidates.len() - 1).unwrap();
            }
            assert!(!composition.committed.expose().is_empty());
            assert!(texts(&enter_all(&mut client, &keys(typed))) == texts(&first), "{method:?} learnt");
        }
        // In the child every write to a file is deadly, and it lives.
        let limits = fs::read_to_string(format!("/proc/{}/limits", client.process_id().unwrap())).unwrap();
        let of = |name| limits.lines().find(|line: &&str| line.starts_with(name)).unwrap().to_owned();
        for name in ["Max file size", "Max core file size"] {
            assert_eq!(of(name)[name.len()..].split_whitespace().next(), Some("0"), "{}", of(name));
        }
    }
    assert!(everything(deployed.folder.path()) == before, "a file was written, changed or removed");
}

#[test]
fn forgetting_ends_the_process() {
    let deployed = Deployed::new();
    let mut client = deployed.client(Method::Handwriting, Script::Simplified);
    enter_all(&mut client, &drawn('中'));
    let child = client.process_id().unwrap();
    client.forget().unwrap();
    assert!(client.process_id().is_none());
    assert!(!Path::new(&format!("/proc/{child}")).exists());
}
