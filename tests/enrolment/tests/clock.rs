//! A terminal whose clock is ten years off, with the true program under a false clock, and cities whose certificates
//! have strange dates.

use city_gateway::Enrolment;
use enrolment_tests::{City, Days, eventually};

fn trusting() -> Enrolment {
    Enrolment { trust_unlisted: true, ..Enrolment::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_years_off_it_enrols_delivers_and_renews() {
    for clock in ["-3650d", "+3650d"] {
        let city = City::start_with(trusting()).await;
        let terminal = city.terminal();
        terminal.write_key("voucher", &city.voucher().await);
        let mut program = terminal.program(Some(clock));
        program.wait_for("this terminal is enrolled");
        terminal.finalise(2);
        eventually("delivered", async || terminal.acknowledged() == [(1, 2)]).await;
        // What the log says of the time is what the clock says: it was really off.
        let line = program.wait_for("city_ahead_ms");
        let ahead = line.split("city_ahead_ms=").nth(1).unwrap();
        let ahead: i64 = ahead.split_whitespace().next().unwrap().parse().unwrap();
        assert!(ahead.abs() > 3_600 * 24 * 3_600 * 1000, "{clock}: {line}");
        assert_eq!((ahead > 0), clock.starts_with('-'), "{line}");
        drop(program);

        // An old certificate is renewed by the city's time, not by its own.
        terminal.certify(&city.terminals, Days { from: -80, until: 10 });
        let program = terminal.program(Some(clock));
        eventually("renewed", async || terminal.is_fresh()).await;
        drop(program);
        // And a fresh one is not, whatever its own clock thinks of it.
        let renewed = terminal.key_file("terminal.cert.pem");
        let _program = terminal.program(Some(clock));
        for round in 3..=5 {
            terminal.finalise(1);
            eventually("delivered", async || terminal.acknowledged() == [(1, round)]).await;
        }
        assert_eq!(terminal.key_file("terminal.cert.pem"), renewed, "{clock}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_with_an_expired_certificate_is_heard_once_and_then_given_up() {
    let mut city = City::start_with(trusting()).await;
    let terminal = city.terminal();
    terminal.certify(&city.terminals, Days { from: -1, until: 89 });
    city.certify_server(Days { from: -90, until: -1 });
    city.restart_with(trusting()).await;
    terminal.finalise(1);
    let mut program = terminal.program(None);
    program.wait_for("the city's certificate is not valid today");
    program.wait_for("could not be reached or believed");
    terminal.finalise(1);
    // As soon as the city has a good one, all is well again.
    city.certify_server(Days { from: -1, until: 89 });
    city.restart_with(trusting()).await;
    eventually("delivered", async || terminal.acknowledged() == [(1, 2)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminals_certificate_from_the_future_delivers() {
    let city = City::start_with(trusting()).await;
    let terminal = city.terminal();
    terminal.certify(&city.terminals, Days { from: 3650, until: 3740 });
    terminal.finalise(2);
    let working = terminal.work();
    eventually("delivered", async || terminal.acknowledged() == [(1, 2)]).await;
    working.stop().await;
}
