//! A child that dies, hangs, talks nonsense or is not there: typed errors with a remedy, and another child.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use chinese_input::{
    ClientConfig, InputClient, InputEngine, InputError, Loss, Method, Remedy, Script, Sources,
};
use rustix::process::{Pid, Signal, kill_process};

use super::surroundings::{Deployed, enter_all, keys, program, texts};

fn signal(client: &InputClient, signal: Signal) {
    kill_process(Pid::from_raw(client.process_id().unwrap() as i32).unwrap(), signal).unwrap();
}

fn loss(result: Result<impl Sized, InputError>) -> (Loss, Remedy) {
    let error = result.err().expect("the child was lost");
    let remedy = error.remedy();
    match error {
        InputError::Lost { how, .. } => (how, remedy),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_killed_child_costs_what_was_typed_and_no_more() {
    let deployed = Deployed::new();
    let mut client = deployed.client(Method::Pinyin, Script::Simplified);
    enter_all(&mut client, &keys("ni"));
    signal(&client, Signal::KILL);
    assert_eq!(loss(client.enter(&keys("h")[0])), (Loss::Crashed(9), Remedy::Retry));
    let again = enter_all(&mut client, &keys("nihao"));
    assert_eq!(texts(&again)[0], "你好");
}

#[test]
fn a_hanging_child_is_killed_at_its_deadline_and_replaced() {
    let deployed = Deployed::new();
    let mut client = deployed.client(Method::Jyutping, Script::Simplified);
    client.start().unwrap();
    let hung = client.process_id().unwrap();
    signal(&client, Signal::STOP);
    assert_eq!(loss(client.enter(&keys("n")[0])), (Loss::Hung, Remedy::Retry));
    assert!(!Path::new(&format!("/proc/{hung}")).exists(), "the hanging child is still there");
    assert_eq!(texts(&enter_all(&mut client, &keys("dung1gun2")))[0], "东莞");
    assert_ne!(client.process_id(), Some(hung));
}

/// A program that answers in its own way.
fn impostor(folder: &Path, script: &str) -> InputClient {
    let path = folder.join("impostor");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let mut config = ClientConfig::new(path, Sources::deployed_in(folder));
    config.start_within = Duration::from_secs(10);
    InputClient::new(config, Method::Pinyin, Script::Simplified)
}

#[test]
fn nonsense_is_not_believed_and_three_losses_are_enough() {
    let folder = tempfile::tempdir().unwrap();
    for (script, how) in [
        // The length of no frame, of one that is too long, and a body that is no answer.
        (r"printf '\0\0\0\0'; exec cat >/dev/null", Loss::Garbled),
        (r"printf '\377\377\377\177'; exec cat >/dev/null", Loss::Garbled),
        (r"printf '\2\0\0\0\1\1'; exec cat >/dev/null", Loss::Garbled),
        ("exit 7", Loss::Exited(7)),
    ] {
        let mut client = impostor(folder.path(), script);
        assert_eq!(loss(client.start()), (how, Remedy::Retry), "{script}");
        assert_eq!(loss(client.start()), (how, Remedy::Retry), "{script}");
        assert_eq!(loss(client.start()), (how, Remedy::Unavailable), "{script}");
    }
}

#[test]
fn what_is_missing_makes_a_way_of_typing_unavailable() {
    let empty = tempfile::tempdir().unwrap();
    let mut sources = Sources::deployed_in(empty.path());
    sources.model = empty.path().join("no-model");
    for method in [Method::Pinyin, Method::Jyutping, Method::Strokes, Method::Handwriting] {
        let config = ClientConfig::new(program(), sources.clone());
        let mut client = InputClient::new(config, method, Script::Simplified);
        let error = client.start().unwrap_err();
        assert!(matches!(error, InputError::Refused), "{method:?}: {error:?}");
        assert_eq!(error.remedy(), Remedy::Unavailable);
    }
    let config = ClientConfig::new(empty.path().join("no-program"), sources);
    let error = InputClient::new(config, Method::Pinyin, Script::Simplified).start().unwrap_err();
    assert!(matches!(error, InputError::NotStarted(_)), "{error:?}");
    assert_eq!(error.remedy(), Remedy::Unavailable);
}

#[test]
fn a_child_ends_when_the_kiosk_is_gone() {
    let deployed = Deployed::new();
    let mut child = Command::new(program())
        .arg("serve")
        .arg(deployed.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    // Blocks for ever, and is ended by the test runner, if the child does not end.
    child.wait().unwrap();
}
