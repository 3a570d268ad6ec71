//! The UPS's contract, on the real server of Network UPS Tools and on the simulated one; then what only a
//! simulated one would ever say.

use std::time::{Duration, Instant};

use device_drivers::ups::simulator::{ServerFault, SimulatedUpsServer};
use device_drivers::ups::{NutUps, PowerState, Ups, UpsError, UpsReport};
use device_drivers::{Fault, Remedy};

use crate::ups_server::{LOOK, RealServer, UPS};

/// The real driver looks at its file every second, and the machine may be busy.
const SOON: Duration = Duration::from_secs(30);

/// A server with one UPS.
trait Server {
    fn ups(&self) -> NutUps {
        self.ups_named(UPS)
    }

    /// A UPS that the server may not know.
    fn ups_named(&self, name: &str) -> NutUps;
    /// All that the UPS says from now on, or soon.
    fn set(&self, variables: &[(&str, &str)]);
    /// The UPS no longer answers its server, or answers again.
    fn set_away(&mut self, away: bool);
    fn set_running(&mut self, running: bool);
}

impl Server for RealServer {
    fn ups_named(&self, name: &str) -> NutUps {
        NutUps::new(self.address(), name.parse().unwrap())
    }

    fn set(&self, variables: &[(&str, &str)]) {
        RealServer::set(self, variables);
    }

    fn set_away(&mut self, away: bool) {
        if away { self.stop_driver() } else { self.start_driver() }
    }

    fn set_running(&mut self, running: bool) {
        if running { self.start_server() } else { self.stop_server() }
    }
}

impl Server for SimulatedUpsServer {
    fn ups_named(&self, name: &str) -> NutUps {
        NutUps::new(self.address(), name.parse().unwrap())
    }

    fn set(&self, variables: &[(&str, &str)]) {
        for name in ["ups.status", "battery.charge", "battery.runtime"] {
            let value = variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            SimulatedUpsServer::set(self, name, value);
        }
    }

    fn set_away(&mut self, away: bool) {
        self.set_fault(away.then_some(ServerFault::Error("DRIVER-NOT-CONNECTED")));
    }

    fn set_running(&mut self, running: bool) {
        if running { self.plug().unwrap() } else { self.unplug() }
    }
}

fn simulated() -> SimulatedUpsServer {
    SimulatedUpsServer::start(UPS).unwrap()
}

const FULL: [(&str, &str); 3] =
    [("ups.status", "OL"), ("battery.charge", "100"), ("battery.runtime", "1800")];

/// Looks until what is seen is what is expected.
fn soon(ups: &mut NutUps, expected: Result<UpsReport, UpsError>) {
    let start = Instant::now();
    loop {
        let seen = ups.look();
        if seen == expected {
            return;
        }
        assert!(start.elapsed() < SOON, "{seen:?} instead of {expected:?}");
        std::thread::sleep(LOOK);
    }
}

fn report(power: PowerState, charge: Option<u8>, runtime_s: Option<u64>) -> UpsReport {
    let runtime = runtime_s.map(Duration::from_secs);
    UpsReport { power, charge_percent: charge, runtime, replace_battery: false }
}

fn full() -> UpsReport {
    report(PowerState::OnLine, Some(100), Some(1800))
}

/// The mains fail, the battery empties, the mains come back.
fn every_state_is_followed(server: &dyn Server) {
    let mut ups = server.ups();
    soon(&mut ups, Ok(full()));
    for (status, charge, runtime, power) in [
        ("OB DISCHRG", "61", "940", PowerState::OnBattery),
        ("OB LB", "7", "60", PowerState::LowBattery),
        ("FSD OB LB", "3", "20", PowerState::LowBattery),
        ("OL CHRG LB", "4", "35", PowerState::OnLine),
        ("OFF", "50", "0", PowerState::Unknown),
    ] {
        server.set(&[("ups.status", status), ("battery.charge", charge), ("battery.runtime", runtime)]);
        let expected = report(power, charge.parse().ok(), runtime.parse().ok());
        soon(&mut ups, Ok(expected));
    }
    server.set(&[("ups.status", "OL RB"), ("battery.charge", "100"), ("battery.runtime", "1800")]);
    soon(&mut ups, Ok(UpsReport { replace_battery: true, ..full() }));
}

/// The UPS is away, the server is away, both come back.
fn what_is_away_is_told_and_comes_back(server: &mut dyn Server) {
    let mut ups = server.ups();
    soon(&mut ups, Ok(full()));
    server.set_away(true);
    soon(&mut ups, Err(UpsError::Away));
    assert_eq!(UpsError::Away.remedy(), Remedy::CallOperator(Fault::UpsSilent));
    server.set_away(false);
    soon(&mut ups, Ok(full()));
    server.set_running(false);
    for _ in 0..2 {
        assert_eq!(ups.look(), Err(UpsError::Gone));
    }
    assert_eq!(UpsError::Gone.remedy(), Remedy::CallOperator(Fault::UpsGone));
    server.set_running(true);
    soon(&mut ups, Ok(full()));
    // Restarted while nobody asked: the old connection is dead, and nobody hears of it.
    server.set_running(false);
    server.set_running(true);
    let restarted = ups.look();
    assert!(restarted != Err(UpsError::Gone), "{restarted:?}");
    soon(&mut ups, Ok(full()));
}

fn wrong_names_are_told(server: &dyn Server) {
    let mut right = server.ups();
    soon(&mut right, Ok(full()));
    let variables = right.variables().unwrap();
    for (name, value) in FULL {
        assert!(variables.contains(&(name.into(), value.into())), "{variables:?}");
    }
    let mut wrong = server.ups_named("another");
    assert_eq!(wrong.look(), Err(UpsError::UnknownUps));
    assert_eq!(wrong.variables(), Err(UpsError::UnknownUps));
    assert_eq!(UpsError::UnknownUps.remedy(), Remedy::CallOperator(Fault::UpsFault));
}

#[test]
fn the_real_server_is_followed_through_every_state() {
    every_state_is_followed(&RealServer::start(&FULL));
}

#[test]
fn the_simulated_server_is_followed_through_every_state() {
    every_state_is_followed(&simulated());
}

#[test]
fn away_and_back_on_the_real_server() {
    what_is_away_is_told_and_comes_back(&mut RealServer::start(&FULL));
}

#[test]
fn away_and_back_on_the_simulated_server() {
    what_is_away_is_told_and_comes_back(&mut simulated());
}

#[test]
fn names_and_lists_on_the_real_server() {
    wrong_names_are_told(&RealServer::start(&FULL));
}

#[test]
fn names_and_lists_on_the_simulated_server() {
    wrong_names_are_told(&simulated());
}

#[test]
fn a_driver_that_hangs_is_away_until_it_goes_on() {
    let server = RealServer::start(&FULL);
    let mut ups = server.ups();
    soon(&mut ups, Ok(full()));
    server.set_driver_hung(true);
    soon(&mut ups, Err(UpsError::Away));
    server.set_driver_hung(false);
    soon(&mut ups, Ok(full()));
}

#[test]
fn a_ups_that_says_little_is_believed_as_far_as_it_says() {
    let variables = [("ups.status", "OB"), ("battery.charge", "many")];
    let server = simulated();
    Server::set(&server, &variables);
    assert_eq!(server.ups().look(), Ok(report(PowerState::OnBattery, None, None)));
    SimulatedUpsServer::set(&server, "ups.status", None);
    assert_eq!(server.ups().look(), Err(UpsError::Garbled), "a UPS without a status is none");
}

#[test]
fn marks_in_a_value_arrive_as_they_were() {
    let server = simulated();
    let model = r#"A "quoted" \ model, 机柜"#;
    SimulatedUpsServer::set(&server, "ups.model", Some(model));
    assert!(server.ups().variables().unwrap().contains(&("ups.model".into(), model.into())));
}

#[test]
fn a_server_that_misbehaves_gives_an_error_in_time_and_is_asked_again() {
    let server = simulated();
    let mut ups = server.ups();
    assert_eq!(ups.look(), Ok(full()));
    for (fault, error) in [
        (ServerFault::Close, UpsError::Gone),
        (ServerFault::CloseInside, UpsError::Gone),
        (ServerFault::Silence, UpsError::NoAnswer),
        (ServerFault::EndlessLine, UpsError::NoAnswer),
        (ServerFault::EndlessList, UpsError::Garbled),
        (ServerFault::NoText, UpsError::Garbled),
        (ServerFault::OpenQuote, UpsError::Garbled),
        (ServerFault::OtherUps, UpsError::Garbled),
        (ServerFault::OtherVariable, UpsError::Garbled),
        (ServerFault::Error("DATA-STALE"), UpsError::Away),
        (ServerFault::Error("ACCESS-DENIED"), UpsError::Denied),
        (ServerFault::Error("SOMETHING-NEW"), UpsError::Garbled),
    ] {
        server.set_fault(Some(fault));
        let start = Instant::now();
        assert_eq!(ups.look(), Err(error), "{fault:?}");
        assert!(start.elapsed() < Duration::from_secs(10), "{fault:?} took {:?}", start.elapsed());
        server.set_fault(None);
        assert_eq!(ups.look(), Ok(full()), "after {fault:?}");
    }
    server.set_fault(Some(ServerFault::ByteByByte));
    assert_eq!(ups.look(), Ok(full()), "pieces are no fault");
}

#[test]
fn a_list_that_misbehaves_ends_too() {
    let server = simulated();
    let mut ups = server.ups();
    let whole = ups.variables().unwrap();
    for (fault, error) in [
        (ServerFault::EndlessList, UpsError::Garbled),
        (ServerFault::CloseInside, UpsError::Gone),
        (ServerFault::EndlessLine, UpsError::NoAnswer),
        (ServerFault::OtherUps, UpsError::Garbled),
    ] {
        server.set_fault(Some(fault));
        assert_eq!(ups.variables(), Err(error), "{fault:?}");
        server.set_fault(None);
        assert_eq!(ups.variables(), Ok(whole.clone()), "after {fault:?}");
    }
}

#[test]
fn a_connection_that_the_server_closed_meanwhile_is_opened_again_without_a_word() {
    let server = simulated();
    let mut ups = server.ups();
    for _ in 0..20 {
        assert_eq!(ups.look(), Ok(full()));
        server.hang_up();
    }
}
