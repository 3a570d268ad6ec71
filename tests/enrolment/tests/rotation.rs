//! The city changes its own authority, while terminals are there and while they are not.

use enrolment_tests::{City, Terminal, eventually};

async fn enrolled(city: &City) -> Terminal {
    let terminal = city.terminal();
    terminal.write_key("voucher", &city.voucher().await);
    let working = terminal.work();
    eventually("enrolled", async || terminal.key_file("terminal.cert.pem").is_some()).await;
    terminal.finalise(1);
    eventually("delivered", async || terminal.acknowledged() == [(1, 1)]).await;
    working.stop().await;
    terminal
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_was_told_of_both_needs_nothing_when_the_old_one_goes() {
    let mut city = City::start().await;
    let terminal = enrolled(&city).await;
    let old = city.servers.pem.clone();
    let next = enrolment_tests::Authority::new();
    // The successor is announced while the old one still certifies.
    city.write_key("city-ca.pem", &format!("{old}{}", next.pem));
    city.restart().await;
    let mut program = terminal.program(None);
    eventually("told", async || terminal.key_file("city-anchors.jws").is_some()).await;
    program.wait_for("the city answered");
    drop(program);
    city.servers = next;
    city.certify_server(enrolment_tests::Days { from: -1, until: 365 });
    city.write_key("city-ca.pem", &city.servers.pem);
    city.restart().await;
    let told = terminal.key_file("city-anchors.jws");
    let mut program = terminal.program(None);
    // The very first hello is verified with the new one.
    let first = program.wait_for("the city");
    assert!(first.contains("the city answered"), "{first}");
    eventually("told again", async || terminal.key_file("city-anchors.jws") != told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_missed_the_whole_change_learns_it_from_the_signed_statement() {
    let mut city = City::start().await;
    let terminal = enrolled(&city).await;
    terminal.finalise(4);
    for _ in 0..2 {
        city.change_authority();
    }
    city.restart().await;
    let mut program = terminal.program(None);
    program.wait_for("they are taken over");
    eventually("delivered", async || terminal.acknowledged() == [(1, 5)]).await;
    drop(program);
    // It is kept: the next start needs no detour.
    let mut program = terminal.program(None);
    let first = program.wait_for("the city");
    assert!(first.contains("the city answered"), "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_whose_authorities_all_went_before_it_was_set_up_still_enrols() {
    let mut city = City::start().await;
    let terminal = city.terminal();
    city.change_authority();
    city.restart().await;
    terminal.write_key("voucher", &city.voucher().await);
    let working = terminal.work();
    eventually("enrolled", async || terminal.key_file("terminal.cert.pem").is_some()).await;
    terminal.finalise(1);
    eventually("delivered", async || terminal.acknowledged() == [(1, 1)]).await;
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_impostor_is_not_believed() {
    let mut city = City::start().await;
    let terminal = enrolled(&city).await;
    terminal.finalise(1);
    // Takes the terminal's certificate and answers everything, under an authority and a receipt key of its own.
    city.change_authority();
    city.forget_receipt_key();
    city.restart().await;
    let mut program = terminal.program(None);
    for _ in 0..3 {
        program.wait_for("not-verified");
    }
    assert_eq!(terminal.key_file("city-anchors.jws"), None);
    assert_eq!(terminal.acknowledged(), [(1, 1)]);
    assert_eq!(city.arrived().await.0, [1], "nothing was sent to it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_statement_is_no_worse_than_none() {
    let city = City::start().await;
    let terminal = enrolled(&city).await;
    terminal.write_key("city-anchors.jws", "torn");
    terminal.finalise(1);
    let working = terminal.work();
    eventually("delivered", async || terminal.acknowledged() == [(1, 2)]).await;
    working.stop().await;
}
