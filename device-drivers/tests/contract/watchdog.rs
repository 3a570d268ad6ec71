//! The watchdog's contract, over a named pipe in the place of the node and a socket in the place of
//! systemd's. The one thing neither can show, a timeout that is taken, waits for the image's virtual machine.

use std::ffi::OsString;
use std::io::Read;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

use device_drivers::watchdog::{DeviceWatchdog, SystemdNotifier, Watchdog, WatchdogError};
use device_drivers::{Fault, Remedy};

/// Pings three times, ends in good order or by merely dropping, and returns what the other side got.
fn life_of(watchdog: impl Watchdog + 'static, in_good_order: bool) {
    let mut watchdog: Box<dyn Watchdog> = Box::new(watchdog);
    for _ in 0..3 {
        watchdog.ping().unwrap();
    }
    if in_good_order {
        watchdog.disarm().unwrap();
    }
}

/// A pipe in the place of the node; returns all that was written until it was closed.
fn written(live: impl FnOnce(&Path) + Send) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let node = dir.path().join("watchdog");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &node,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut bytes = Vec::new();
            std::fs::File::open(&node).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        });
        live(&node);
        reading.join().unwrap()
    })
}

#[test]
fn every_ping_is_one_write_and_only_a_good_end_says_the_magic_word() {
    let good = written(|node| life_of(DeviceWatchdog::arm_as_it_is(node).unwrap(), true));
    assert_eq!(good, b"pppV");
    let dropped = written(|node| life_of(DeviceWatchdog::arm_as_it_is(node).unwrap(), false));
    assert_eq!(dropped, b"ppp", "what is merely dropped must go on waiting");
}

#[test]
fn a_watchdog_that_takes_no_timeout_is_disarmed_again_and_told() {
    let seen = written(|node| {
        let error = DeviceWatchdog::arm(node, Duration::from_secs(30)).unwrap_err();
        assert_eq!(error, WatchdogError::NoTimeout);
        assert_eq!(error.remedy(), Remedy::CallOperator(Fault::WatchdogFault));
    });
    assert_eq!(seen, b"V", "an armed one that nobody pings would restart the machine");
}

#[test]
fn a_watchdog_that_is_not_there_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("watchdog");
    assert_eq!(DeviceWatchdog::arm_as_it_is(&missing).unwrap_err(), WatchdogError::Gone);
    assert!(!missing.exists(), "and no file is made in its place");
    assert_eq!(DeviceWatchdog::arm_as_it_is(dir.path()).unwrap_err(), WatchdogError::Denied);
    // Full: every write fails.
    let mut full = DeviceWatchdog::arm_as_it_is("/dev/full").unwrap();
    assert_eq!(full.ping(), Err(WatchdogError::Gone));
}

/// Variables as systemd sets them.
fn variables<'a>(pairs: &'a [(&'a str, String)]) -> impl Fn(&str) -> Option<OsString> + 'a {
    move |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
}

fn received(socket: &UnixDatagram) -> Vec<u8> {
    let mut buffer = [0u8; 64];
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let count = socket.recv(&mut buffer).unwrap();
    buffer[..count].to_vec()
}

fn systemd_hears(socket: &UnixDatagram, name: String) {
    let set = [("NOTIFY_SOCKET", name), ("WATCHDOG_USEC", "30000000".into())];
    let notifier = SystemdNotifier::from_variables(variables(&set)).unwrap().unwrap();
    assert_eq!(notifier.timeout(), Some(Duration::from_secs(30)));
    notifier.ready().unwrap();
    assert_eq!(received(socket), b"READY=1");
    life_of(notifier, true);
    for _ in 0..3 {
        assert_eq!(received(socket), b"WATCHDOG=1", "one datagram a ping");
    }
    assert_eq!(received(socket), b"STOPPING=1");
    socket.set_nonblocking(true).unwrap();
    assert!(socket.recv(&mut [0; 8]).is_err(), "and nothing else");
}

#[test]
fn systemd_hears_of_ready_pings_and_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    systemd_hears(&UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap().into());
    let name = format!("kiosk-test-{}", std::process::id());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    systemd_hears(&socket, format!("@{name}"));
}

#[test]
fn only_the_process_that_is_meant_pings() {
    let timeout = |more: &[(&'static str, String)]| {
        let set = [&[("NOTIFY_SOCKET", "/run/none".to_owned())], more].concat();
        SystemdNotifier::from_variables(variables(&set)).unwrap().unwrap().timeout()
    };
    let micros = ("WATCHDOG_USEC", "500000".to_owned());
    let ours = ("WATCHDOG_PID", std::process::id().to_string());
    assert_eq!(timeout(&[micros.clone(), ours]), Some(Duration::from_millis(500)));
    assert_eq!(timeout(&[micros.clone(), ("WATCHDOG_PID", "1".into())]), None);
    assert_eq!(timeout(&[micros, ("WATCHDOG_PID", "many".into())]), None);
    for nonsense in ["", "0", "-5", "soon"] {
        assert_eq!(timeout(&[("WATCHDOG_USEC", nonsense.into())]), None, "{nonsense}");
    }
    assert_eq!(timeout(&[]), None);
}

#[test]
fn without_systemd_there_is_no_notifier_and_a_dead_socket_is_an_error() {
    assert!(SystemdNotifier::from_variables(variables(&[])).unwrap().is_none());
    let of = |name: &str| SystemdNotifier::from_variables(variables(&[("NOTIFY_SOCKET", name.to_owned())]));
    assert!(of("").unwrap().is_none());
    assert_eq!(of("vsock:2:1").unwrap_err(), WatchdogError::Gone);
    let dir = tempfile::tempdir().unwrap();
    let dead = of(dir.path().join("notify").to_str().unwrap()).unwrap().unwrap();
    let error = dead.ready().unwrap_err();
    assert_eq!((error, error.remedy()), (WatchdogError::Gone, Remedy::CallOperator(Fault::WatchdogGone)));
}
