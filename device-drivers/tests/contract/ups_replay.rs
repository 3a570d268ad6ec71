//! The UPS's contract on recordings ([`crate::tape`]).

use std::time::Duration;

use device_drivers::descriptor_line::DescriptorLine;
use device_drivers::recording::ReplayError;
use device_drivers::ups::simulator::{ServerFault, SimulatedUpsServer};
use device_drivers::ups::{NutUps, PowerState, Ups, UpsError, UpsReport};

use crate::tape::{Keep, Scenario, Tape};
use crate::ups_server::UPS;

type Hands = crate::tape::Hands<SimulatedUpsServer>;

fn tape() -> Tape<NutUps, SimulatedUpsServer, ()> {
    let scenario = |name, play| Scenario { name, setting: (), play };
    Tape {
        device: "ups",
        scenarios: vec![
            scenario("power-fails", power_fails),
            scenario("listed", listed),
            scenario("refused", refused),
            scenario("restarted", restarted),
            scenario("unplugged", unplugged),
            scenario("silent", silent),
            scenario("damaged", damaged),
        ],
        driver: Box::new(|transport, ()| NutUps::over(transport, UPS.parse().unwrap())),
    }
}

fn report(power: PowerState, charge: u8, runtime_s: u64) -> UpsReport {
    let runtime = Some(Duration::from_secs(runtime_s));
    UpsReport { power, charge_percent: Some(charge), runtime, replace_battery: false }
}

fn full() -> UpsReport {
    report(PowerState::OnLine, 100, 1800)
}

fn power_fails(ups: &mut NutUps, hands: &Hands) {
    assert_eq!(ups.look(), Ok(full()));
    for (status, charge, runtime, power) in [
        ("OB DISCHRG", "61", "940", PowerState::OnBattery),
        ("OB LB", "7", "60", PowerState::LowBattery),
        ("OL CHRG", "8", "70", PowerState::OnLine),
    ] {
        hands.at(|server| {
            server.set("ups.status", Some(status));
            server.set("battery.charge", Some(charge));
            server.set("battery.runtime", Some(runtime));
        });
        assert_eq!(ups.look(), Ok(report(power, charge.parse().unwrap(), runtime.parse().unwrap())));
    }
    hands.at(|server| {
        server.set("ups.status", Some("OL RB"));
        server.set("battery.charge", None);
        server.set("battery.runtime", None);
    });
    let says_little = UpsReport {
        charge_percent: None,
        runtime: None,
        replace_battery: true,
        ..report(PowerState::OnLine, 0, 0)
    };
    assert_eq!(ups.look(), Ok(says_little));
}

fn listed(ups: &mut NutUps, hands: &Hands) {
    let model = r#"A "quoted" \ model, 机柜"#;
    hands.at(|server| server.set("ups.model", Some(model)));
    let variables = ups.variables().unwrap();
    assert_eq!(variables.len(), 4);
    for (name, value) in [("ups.status", "OL"), ("ups.model", model)] {
        assert!(variables.contains(&(name.into(), value.into())), "{variables:?}");
    }
}

/// A plain no leaves the connection as it was.
fn refused(ups: &mut NutUps, hands: &Hands) {
    for (code, error) in [
        ("DATA-STALE", UpsError::Away),
        ("ACCESS-DENIED", UpsError::Denied),
        ("UNKNOWN-UPS", UpsError::UnknownUps),
    ] {
        hands.at(|server| server.set_fault(Some(ServerFault::Error(code))));
        assert_eq!(ups.look(), Err(error));
        hands.at(|server| server.set_fault(None));
        assert_eq!(ups.look(), Ok(full()), "after {code}");
    }
}

fn restarted(ups: &mut NutUps, hands: &Hands) {
    assert_eq!(ups.look(), Ok(full()));
    hands.at(|server| {
        server.unplug();
        server.plug().unwrap();
    });
    assert_eq!(ups.look(), Ok(full()), "without a word");
}

fn unplugged(ups: &mut NutUps, hands: &Hands) {
    assert_eq!(ups.look(), Ok(full()));
    hands.at(SimulatedUpsServer::unplug);
    assert_eq!(ups.look(), Err(UpsError::Gone));
    assert_eq!(ups.variables(), Err(UpsError::Gone));
    hands.at(|server| server.plug().unwrap());
    assert_eq!(ups.look(), Ok(full()));
}

fn silent(ups: &mut NutUps, hands: &Hands) {
    hands.at(|server| server.set_fault(Some(ServerFault::Silence)));
    assert_eq!(ups.look(), Err(UpsError::NoAnswer));
    hands.at(|server| server.set_fault(None));
    assert_eq!(ups.look(), Ok(full()), "on a fresh connection");
}

fn damaged(ups: &mut NutUps, hands: &Hands) {
    for (fault, error) in [
        (ServerFault::Close, UpsError::Gone),
        (ServerFault::CloseInside, UpsError::Gone),
        (ServerFault::NoText, UpsError::Garbled),
        (ServerFault::OpenQuote, UpsError::Garbled),
        (ServerFault::OtherUps, UpsError::Garbled),
        (ServerFault::OtherVariable, UpsError::Garbled),
    ] {
        hands.at(|server| server.set_fault(Some(fault)));
        assert_eq!(ups.look(), Err(error), "{fault:?}");
        hands.at(|server| server.set_fault(None));
        assert_eq!(ups.look(), Ok(full()), "after {fault:?}");
    }
}

#[test]
fn what_was_recorded_is_played_back() {
    tape().is_recorded_and_played_back(Keep::WhenAsked, |_, ()| {
        let server = SimulatedUpsServer::start(UPS).unwrap();
        let line = DescriptorLine::tcp(server.address());
        (server, Box::new(line))
    });
}

#[test]
fn the_kept_recordings_hold_with_todays_driver() {
    tape().kept_recordings_hold();
}

#[test]
fn a_driver_that_does_something_else_is_noticed() {
    let diverged = tape().noticed("listed", |ups| {
        assert_eq!(ups.look(), Err(UpsError::Gone), "it asked for the list then");
    });
    assert_eq!(diverged, ReplayError::Diverged(3));
    let unfinished = tape().noticed("unplugged", |ups| assert_eq!(ups.look(), Ok(full())));
    assert!(matches!(unfinished, ReplayError::Unfinished(_)), "it asked on then: {unfinished}");
}
