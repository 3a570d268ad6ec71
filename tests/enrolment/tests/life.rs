//! The life of a terminal's certificate, between a true agent and a true gateway.

use city_gateway::Enrolment;
use enrolment_tests::{City, Days, eventually};

fn trusting() -> Enrolment {
    Enrolment { trust_unlisted: true, ..Enrolment::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_with_a_voucher_enrols_and_delivers() {
    let city = City::start().await;
    let terminal = city.terminal();
    terminal.write_key("voucher", &format!("  {}\n", city.voucher().await));
    let working = terminal.work();
    eventually("enrolled", async || terminal.key_file("terminal.cert.pem").is_some()).await;
    terminal.finalise(3);
    eventually("delivered", async || terminal.acknowledged() == [(1, 3)]).await;
    assert_eq!(city.arrived().await, (vec![1, 2, 3], vec![]));
    // The voucher is used up, the key is nobody else's business.
    eventually("the voucher is removed", async || terminal.key_file("voucher").is_none()).await;
    assert!(terminal.is_private("terminal.key.pem") && terminal.is_private("terminal.cert.pem"));
    assert_eq!(city.events().await, ["voucher_issued", "enrolled"]);
    assert!(terminal.is_fresh());
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_at_the_site_types_a_voucher() {
    let city = City::start().await;
    let terminal = city.terminal();
    let voucher = city.voucher().await;
    let complaint = terminal.enrol_by_hand(&"0".repeat(25)).unwrap_err();
    assert!(complaint.contains("not enrolled") && complaint.contains("status-401"), "{complaint}");
    assert_eq!(terminal.key_file("terminal.cert.pem"), None);
    // Twice, as impatient people do.
    for _ in 0..2 {
        terminal.enrol_by_hand(&voucher.to_lowercase()).unwrap();
    }
    terminal.finalise(1);
    let working = terminal.work();
    eventually("delivered", async || terminal.acknowledged() == [(1, 1)]).await;
    working.stop().await;
    assert_eq!(city.events().await, ["voucher_issued", "enrolled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_voucher_is_replaced_by_a_right_one_without_a_restart() {
    let city = City::start().await;
    let terminal = city.terminal();
    terminal.write_key("voucher", "00000-00000-00000-00000-00000");
    let mut program = terminal.program(None);
    program.wait_for("status-401");
    let key = terminal.key_file("terminal.key.pem").unwrap();
    terminal.write_key("voucher", &city.voucher().await);
    program.wait_for("this terminal is enrolled");
    assert_eq!(terminal.key_file("terminal.key.pem").unwrap(), key, "one key for all tries");
    terminal.finalise(1);
    eventually("delivered", async || terminal.acknowledged() == [(1, 1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_when_two_thirds_of_it_are_over() {
    let city = City::start_with(trusting()).await;
    let terminal = city.terminal();
    terminal.certify(&city.terminals, Days { from: -80, until: 10 });
    let before = terminal.key_file("terminal.cert.pem");
    terminal.finalise(2);
    let working = terminal.work();
    eventually("renewed", async || terminal.key_file("terminal.cert.pem") != before).await;
    assert_eq!(terminal.key_file("terminal.cert.previous.pem"), before);
    assert!(terminal.is_fresh());
    // The connection is made anew, and one renewal is enough.
    terminal.finalise(3);
    eventually("delivered", async || terminal.acknowledged() == [(1, 5)]).await;
    working.stop().await;
    let events = city.events().await;
    assert_eq!(events, ["first_sight", "renewed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_certificate_is_left_alone() {
    let city = City::start_with(trusting()).await;
    let terminal = city.terminal();
    terminal.certify(&city.terminals, Days { from: -30, until: 60 });
    let before = terminal.key_file("terminal.cert.pem");
    let working = terminal.work();
    // Each of these takes a hello, after each of which a renewal could have come.
    for round in 1..=5 {
        terminal.finalise(1);
        eventually("delivered", async || terminal.acknowledged() == [(1, round)]).await;
    }
    working.stop().await;
    assert_eq!(terminal.key_file("terminal.cert.pem"), before);
    assert_eq!(city.events().await, ["first_sight"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_year_offline_everything_arrives_without_anybodys_hand() {
    let mut city = City::start_with(trusting()).await;
    let terminal = city.terminal();
    terminal.certify(&city.terminals, Days { from: -455, until: -365 });
    terminal.finalise(40);
    // Meanwhile the city changed its authority, and has seen this certificate before.
    city.change_authority();
    city.restart_with(trusting()).await;
    let working = terminal.work();
    eventually("delivered", async || terminal.acknowledged() == [(1, 40)]).await;
    eventually("renewed", async || terminal.is_fresh()).await;
    assert_eq!(city.arrived().await, ((1..=40).collect(), vec![]));
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_terminals_backlog_is_kept_aside_and_a_voucher_brings_it_back() {
    let city = City::start().await;
    let terminal = city.terminal();
    terminal.write_key("voucher", &city.voucher().await);
    let working = terminal.work();
    eventually("enrolled", async || terminal.key_file("terminal.cert.pem").is_some()).await;
    terminal.finalise(2);
    eventually("delivered", async || terminal.acknowledged() == [(1, 2)]).await;
    city.revoke().await;
    terminal.finalise(3);
    // Every one gets its signed receipt; none is lost, none is believed.
    eventually("taken", async || terminal.acknowledged() == [(1, 5)]).await;
    assert_eq!(city.arrived().await, (vec![1, 2], vec![3, 4, 5]));
    let revoked = terminal.key_file("terminal.cert.pem");
    terminal.write_key("voucher", &city.voucher().await);
    eventually("enrolled again", async || terminal.key_file("terminal.cert.pem") != revoked).await;
    eventually("the voucher is removed", async || terminal.key_file("voucher").is_none()).await;
    terminal.finalise(2);
    eventually("delivered again", async || terminal.acknowledged() == [(1, 7)]).await;
    assert_eq!(city.arrived().await, (vec![1, 2, 6, 7], vec![3, 4, 5]));
    working.stop().await;
}
