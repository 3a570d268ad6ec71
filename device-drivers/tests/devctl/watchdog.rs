//! `devctl watchdog` on a pipe in the node's place, and on a socket in systemd's.

use std::io::Read;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use crate::run::{DEVCTL, Told, run};

#[test]
fn a_node_is_pinged_and_closed_by_the_magic_letter() {
    let folder = tempfile::tempdir().unwrap();
    let node = folder.path().join("watchdog");
    let made = Command::new("mkfifo").arg(&node).status().unwrap();
    assert!(made.success());
    let heard = {
        let node = node.clone();
        std::thread::spawn(move || {
            let mut heard = Vec::new();
            std::fs::File::open(node).unwrap().read_to_end(&mut heard).unwrap();
            heard
        })
    };
    let told = run(&format!("watchdog --device {} ping --count 2 --every 0", node.display())).good();
    assert_eq!((told.fact("timeout"), told.fact("ping"), told.fact("disarmed")), ("not told", "1", "yes"));
    assert_eq!(heard.join().unwrap(), b"ppV");
}

#[test]
fn no_watchdog_and_one_that_takes_no_timeout_are_told() {
    run("watchdog --device /nonexistent/watchdog ping").refused("call-operator watchdog-gone");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let told = run(&format!("watchdog --device {} --timeout 30 ping", file.display()));
    told.refused("call-operator watchdog-fault");
    assert_eq!(std::fs::read(&file).unwrap(), b"V", "it was disarmed again");
    run("watchdog ping").misused();
    run("watchdog --device /dev/watchdog --systemd ping").misused();
    run("watchdog --systemd --timeout 3 ping").misused();
}

#[test]
fn systemd_is_told_that_the_program_lives_and_that_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let mut command = Command::new(DEVCTL);
    command.args(["watchdog", "--systemd", "ping", "--count", "1"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1500000").env_remove("WATCHDOG_PID");
    let told = Told::by(command.output().unwrap()).good();
    assert_eq!(told.fact("timeout"), "1.5 s");
    for expected in [&b"WATCHDOG=1"[..], b"STOPPING=1"] {
        let mut heard = [0; 64];
        let count = socket.recv(&mut heard).unwrap();
        assert_eq!(&heard[..count], expected);
    }
    let mut alone = Command::new(DEVCTL);
    alone.args(["watchdog", "--systemd", "ping"]).env_remove("NOTIFY_SOCKET");
    Told::by(alone.output().unwrap()).refused("call-operator watchdog-gone");
}
