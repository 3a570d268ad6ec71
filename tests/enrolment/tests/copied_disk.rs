//! Disks that are copied into another machine, or put back from an older image: a true gateway, true agents, and a TPM
//! (swtpm) in each machine. Whoever finds it, the queue goes on in a new life, and every case arrives.

use city_gateway::Enrolment;
use enrolment_tests::{City, Days, Machine, Terminal, eventually};

async fn city() -> City {
    City::start_with(Enrolment { trust_unlisted: true, ..Enrolment::default() }).await
}

/// A terminal in its machine, with three cases delivered.
async fn terminal_at_work(city: &City, machine: &Machine) -> Terminal {
    let terminal = city.terminal();
    terminal.certify(&city.terminals, Days { from: -1, until: 60 });
    terminal.put_into(machine);
    terminal.finalise(3);
    let working = terminal.work();
    eventually("delivered", async || terminal.acknowledged() == [(1, 3)]).await;
    working.stop().await;
    terminal
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_in_another_machine_goes_on_in_a_new_life_and_every_case_arrives() {
    let city = city().await;
    let (here, there) = (Machine::new(), Machine::new());
    here.has_counted_to(9);
    let original = terminal_at_work(&city, &here).await;
    assert_eq!(here.counter(), Some(10));
    // Two more wait when the disk is copied, and both disks have them.
    original.finalise(2);
    let copy = original.copied();
    copy.put_into(&there);
    let at_work = copy.work();
    eventually("a new life", async || copy.care()).await;
    copy.finalise(2);
    eventually("the copy delivers", async || copy.acknowledged() == [(1, 2)]).await;
    assert_eq!(copy.doubts(), ["cause=counter-gone"]);
    eventually("the old life too", async || city.arrived().await.0 == [1, 1, 2, 2, 3, 4, 5]).await;
    at_work.stop().await;
    assert_eq!(there.counter(), Some(1));

    // The one that belongs here raises no doubt in its own machine. Both speak as one and the same queue, so the city
    // asks it for a new life too.
    let at_work = original.work();
    eventually("delivered", async || original.acknowledged() == [(1, 5)]).await;
    eventually("the city noticed", async || original.care()).await;
    original.finalise(1);
    eventually("delivered", async || original.acknowledged() == [(1, 1)]).await;
    at_work.stop().await;
    assert_eq!(original.doubts(), [""; 0]);
    assert_eq!(city.arrived().await, (vec![1, 1, 1, 2, 2, 3, 4, 5], vec![]), "each once, nothing set aside");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_city_finds_a_copy_whose_own_memory_fits_its_new_machine() {
    let city = city().await;
    let (here, there) = (Machine::new(), Machine::new());
    here.has_counted_to(9);
    there.has_counted_to(2);
    let original = terminal_at_work(&city, &here).await;
    original.finalise(2);
    // The original is never heard again, so the copy has the right token, the right queue, and a true certificate.
    let copy = original.copied();
    copy.put_into(&there);
    copy.remembers_tpm(2);
    let mut agent = copy.program(None);
    agent.wait_for("the city knows another disk that is this queue");
    eventually("a new life", async || copy.care()).await;
    copy.finalise(1);
    eventually("the copy delivers", async || copy.acknowledged() == [(1, 1)]).await;
    eventually("the old life too", async || city.arrived().await.0 == [1, 1, 2, 3, 4, 5]).await;
    assert_eq!(copy.doubts(), [""; 0], "the terminal itself saw nothing");
    assert_eq!(there.counter(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_image_is_found_without_a_network_before_a_case_takes_a_place_twice() {
    let mut city = city().await;
    let machine = Machine::new();
    let terminal = terminal_at_work(&city, &machine).await;
    let image = terminal.copied();
    // The machine is started again, and goes on for a while.
    terminal.remembers_tpm(1);
    terminal.finalise(2);
    let at_work = terminal.work();
    eventually("delivered", async || terminal.acknowledged() == [(1, 5)]).await;
    eventually("counted up", async || machine.counter() == Some(2)).await;
    at_work.stop().await;

    city.stop().await;
    terminal.put_back(&image);
    let at_work = terminal.work();
    eventually("a new life", async || terminal.care()).await;
    // The journal tells the auditors after it has noted what follows.
    eventually("told", async || terminal.doubts() == ["cause=older-image"]).await;
    terminal.finalise(2);
    city.restart_with(Enrolment { trust_unlisted: true, ..Enrolment::default() }).await;
    eventually("delivered", async || terminal.acknowledged() == [(1, 2)]).await;
    at_work.stop().await;
    assert_eq!(city.arrived().await, (vec![1, 1, 2, 2, 3, 4, 5], vec![]), "nothing set aside");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_started_again_and_again_is_never_doubted() {
    let city = city().await;
    let mut machine = Machine::new();
    let terminal = terminal_at_work(&city, &machine).await;
    for boot in 2..=6 {
        machine.switch_off();
        machine.switch_on();
        terminal.remembers_tpm(boot - 1);
        terminal.finalise(1);
        let at_work = terminal.work();
        eventually("delivered", async || terminal.acknowledged() == [(1, boot + 2)]).await;
        eventually("counted up", async || machine.counter() == Some(boot)).await;
        assert!(!terminal.care());
        at_work.stop().await;
    }
    assert_eq!(terminal.doubts(), [""; 0]);
    assert_eq!(city.arrived().await, ((1..=8).collect(), vec![]));
}
