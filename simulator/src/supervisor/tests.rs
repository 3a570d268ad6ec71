//! Small programs in place of the kiosk's.

use std::time::Instant;

use rustix::process::Pid;

use super::process::STOP_PATIENCE;
use super::*;

fn quick() -> BackOff {
    BackOff {
        first: Duration::from_millis(20),
        longest: Duration::from_millis(80),
        healthy_after: Duration::from_secs(10),
    }
}

fn spec(name: &str, program: &str, arguments: &[&str]) -> ProcessSpec {
    ProcessSpec {
        name: name.to_owned(),
        program: program.into(),
        arguments: arguments.iter().map(OsString::from).collect(),
        environment: vec![("STAND_IN".into(), "yes".into())],
    }
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_killed_child_starts_again_and_a_stopped_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let specs = vec![spec("sleeper", "sleep", &["600"])];
    let supervisor = Supervisor::new(specs, folder.path().into(), None, quick());
    assert!(!supervisor.status()[0].running);
    assert_eq!(supervisor.kill("sleeper"), Err(SupervisorError::NotRunning("sleeper".into())));
    supervisor.start("sleeper").unwrap();
    until("first start", || supervisor.status()[0].running);
    let first = supervisor.kill("sleeper").unwrap();
    until("second start", || supervisor.status()[0].pid.is_some_and(|pid| pid != first));
    assert_eq!(supervisor.status()[0].restarts, 1);
    assert_eq!(supervisor.status()[0].last_exit.as_deref(), Some("signal 9"));

    supervisor.stop("sleeper").unwrap();
    let status = supervisor.status().remove(0);
    assert!(!status.running && !status.wanted && status.pid.is_none());
    supervisor.start("sleeper").unwrap();
    until("third start", || supervisor.status()[0].running);
    assert_eq!(supervisor.status()[0].restarts, 1, "a wanted start is not a restart");
    assert_eq!(supervisor.kill("nobody"), Err(SupervisorError::Unknown("nobody".into())));
}

#[test]
fn a_child_that_keeps_ending_is_reported_with_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let specs = vec![spec("grumbler", "sh", &["-c", "echo no catalog: $STAND_IN; exit 7"])];
    let supervisor = Supervisor::new(specs, folder.path().into(), None, quick());
    supervisor.start("grumbler").unwrap();
    let mut sentence = None;
    until("crash loop", || {
        sentence = supervisor.crash_loop(3);
        sentence.is_some()
    });
    let sentence = sentence.unwrap();
    assert!(sentence.contains("grumbler keeps ending (exit code 7)"), "{sentence}");
    assert!(sentence.contains("no catalog: yes"), "{sentence}");
}

#[test]
fn a_child_that_ignores_the_polite_signal_is_killed_with_its_helpers() {
    let folder = tempfile::tempdir().unwrap();
    let helper = folder.path().join("helper.pid");
    let script = format!("trap '' TERM; sleep 600 & echo $! > {}; wait; wait", helper.display());
    let supervisor =
        Supervisor::new(vec![spec("mule", "sh", &["-c", &script])], folder.path().into(), None, quick());
    supervisor.start("mule").unwrap();
    let mut pid = None;
    until("the helper's process id", || {
        pid = std::fs::read_to_string(&helper).ok().and_then(|text| text.trim().parse().ok());
        pid.is_some()
    });
    let before = Instant::now();
    supervisor.shut_down();
    assert!(before.elapsed() >= STOP_PATIENCE && before.elapsed() < STOP_PATIENCE * 2);
    let helper = Pid::from_raw(pid.unwrap()).unwrap();
    until("the helper's end", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", helper.as_raw_nonzero()));
        stat.map_or(true, |text| text.contains(") Z "))
    });
}
