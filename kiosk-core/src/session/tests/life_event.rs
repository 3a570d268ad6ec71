//! 一件事: its items in any order, one card for all of them, and a way out everywhere.

use super::*;

/// Retiring: an item with a card, and one that only says where to go.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.items.push(ServiceItem {
        code: ItemCode("retirement".into()),
        version: 1,
        shape: Shape::LifeEvent,
        consent_version: 0,
        ways: Vec::new(),
        accepts_expired_card: false,
        questions: Vec::new(),
        queues: Vec::new(),
        items: vec![ItemCode("appeal".into()), ItemCode("renewal".into())],
    });
    bench
}

fn opened() -> Bench {
    let mut bench = bench();
    bench.touch(Citizen::ItemChosen(ItemCode("retirement".into()))).touch(Citizen::Started);
    assert_eq!(bench.session.page, Page::LifeEvent);
    assert!(bench.session.visit.is_none(), "it collects nothing of its own");
    bench
}

fn choose_item(bench: &mut Bench, code: &str) {
    bench.touch(Citizen::ItemChosen(ItemCode(code.into())));
}

/// As after the receipt of one of its items.
fn rated(bench: &mut Bench) {
    let page = ReceiptPage::recovered(saved(), PrintStatus::Printed { level: 2 });
    bench.session.page = Page::Rating(page);
    bench.touch(Citizen::RatingSkipped);
}

#[test]
fn only_its_own_items_are_opened_and_back_comes_to_it_again() {
    let mut bench = opened();
    choose_item(&mut bench, "retirement");
    assert_eq!(bench.session.page, Page::LifeEvent);
    choose_item(&mut bench, "appeal");
    assert_eq!(bench.session.page, Page::Guide);
    bench.touch(Citizen::Back);
    assert_eq!(bench.session.page, Page::LifeEvent);
    assert!(bench.session.visit.is_none() && bench.session.life_event.as_ref().unwrap().done.is_empty());
    bench.touch(Citizen::Back);
    assert!(bench.session.life_event.is_none(), "nothing of it is left");
}

#[test]
fn what_is_done_is_marked_and_the_next_one_needs_no_card() {
    let mut bench = opened();
    choose_item(&mut bench, "appeal");
    let ticket = bench.touch(Citizen::Started).touch(Citizen::Agreed).ticket_of_reading();
    bench.lay(ticket, card("1950-01-01", None));
    bench.touch(Citizen::PersonConfirmed);
    rated(&mut bench);
    assert_eq!(bench.session.page, Page::LifeEvent);
    let done = &bench.session.life_event.as_ref().unwrap().done;
    assert!(done.contains(&ItemCode("appeal".into())) && done.len() == 1);
    choose_item(&mut bench, "appeal");
    bench.touch(Citizen::Started).touch(Citizen::Agreed);
    assert_eq!(bench.session.page, Page::ConfirmPerson);
    bench.touch(Citizen::PersonConfirmed);
    rated(&mut bench);
    // From there home goes on with anything else.
    bench.touch(Citizen::Back);
    assert_eq!(bench.session.page, Page::Home(None));
    assert!(bench.session.known.is_some() && bench.session.life_event.is_none());
}

#[test]
fn it_ends_with_the_farewell_and_leaves_nothing() {
    let mut bench = opened();
    choose_item(&mut bench, "appeal");
    rated(&mut bench);
    bench.touch(Citizen::LifeEventDone);
    assert!(bench.effects.contains(&Effect::WipeSession));
    assert!(bench.session.life_event.is_none() && bench.session.known.is_none());
}
