//! 请人帮忙: a call beside the pages, from the touch to the keeper's answer or to its end.

use super::*;

/// The question that the city is asked now, with its ticket.
fn asked(bench: &Bench) -> Option<(Ticket, CityQuestion)> {
    bench.effects.iter().find_map(|effect| match effect {
        Effect::AskCity { ticket, question, .. } => Some((*ticket, question.clone())),
        _ => None,
    })
}

/// What the city is told without being asked.
fn told(bench: &Bench) -> Vec<&CityQuestion> {
    let told = bench.effects.iter().filter_map(|effect| match effect {
        Effect::TellCity(question) => Some(question),
        _ => None,
    });
    told.collect()
}

fn ended(bench: &Bench) -> Vec<HelpOutcome> {
    let facts = bench.effects.iter().filter_map(|effect| match effect {
        Effect::Audit(AuditFact::HelpEnded { outcome, .. }) => Some(*outcome),
        _ => None,
    });
    facts.collect()
}

fn again(bench: &Bench) -> Ticket {
    let timers = bench.effects.iter().filter_map(|effect| match effect {
        Effect::StartTimer(TimerKind::Keeper, ticket, after_ms) => {
            assert_eq!(*after_ms, Limits::default().keeper_poll_ms);
            Some(*ticket)
        }
        _ => None,
    });
    timers.last().expect("the city is asked again")
}

/// Touches help and gives the name of the call and the ticket of the question.
fn call(bench: &mut Bench) -> (Ticket, Ticket) {
    bench.touch(Citizen::HelpWanted);
    match asked(bench) {
        Some((ticket, CityQuestion::CallKeeper { call, .. })) => (call, ticket),
        other => panic!("the keeper is not called: {other:?}"),
    }
}

fn answer(bench: &mut Bench, ticket: Ticket, state: CallState) {
    bench.send(Event::City(City::Answered(ticket, CityAnswer::KeeperCall(state))));
}

/// Lets the time of the next look pass and answers it.
fn next(bench: &mut Bench, call: Ticket, state: CallState) {
    let timer = again(bench);
    bench.send(Event::Timer(timer));
    let (ticket, question) = asked(bench).expect("the city is asked");
    assert_eq!(question, CityQuestion::CallState(call));
    answer(bench, ticket, state);
}

#[test]
fn a_call_goes_from_ringing_to_coming_beside_the_pages() {
    let mut bench = Bench::new();
    bench.touch(Citizen::SeniorToggled).touch(Citizen::ItemChosen(ItemCode("appeal".into())));
    let (name, ticket) = call(&mut bench);
    let (_, question) = asked(&bench).unwrap();
    let at = Whereabouts {
        page: "guide",
        item: Some(ItemCode("appeal".into())),
        language: Language::ZhHans,
        theme: Theme::Senior,
    };
    assert_eq!(question, CityQuestion::CallKeeper { call: name, at });
    let fact = AuditFact::HelpAsked(Some(ItemCode("appeal".into())));
    assert!(bench.effects.contains(&Effect::Audit(fact)));
    assert_eq!(
        (bench.session.notice, bench.session.keeper.help()),
        (Some(Notice::Help), Some(Help::Calling))
    );

    answer(&mut bench, ticket, CallState::Ringing);
    assert_eq!(bench.session.notice, Some(Notice::Help), "nobody has seen it: nothing else is claimed");
    next(&mut bench, name, CallState::Heard);
    assert_eq!(bench.session.notice, Some(Notice::HelpCalled));
    // The resident goes on meanwhile; nothing is asked twice, nothing waits.
    bench.touch(Citizen::NoticeClosed);
    let timer = bench.session.keeper.clone();
    bench.touch(Citizen::Started).touch(Citizen::Agreed);
    assert!(matches!(bench.session.page, Page::Identify(_)) && bench.session.keeper == timer);
    bench.touch(Citizen::HelpWanted);
    assert!(asked(&bench).is_none(), "it is the same call");
    assert_eq!(bench.session.notice, Some(Notice::HelpCalled));
    bench.touch(Citizen::NoticeClosed);
}

#[test]
fn who_is_coming_is_said_also_to_who_has_gone_on() {
    let mut bench = Bench::new();
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into())));
    let (name, ticket) = call(&mut bench);
    answer(&mut bench, ticket, CallState::Heard);
    let timer = again(&bench);
    bench.touch(Citizen::NoticeClosed);
    bench.send(Event::Timer(timer));
    let (ticket, _) = asked(&bench).unwrap();
    answer(&mut bench, ticket, CallState::Coming);
    assert_eq!(bench.session.notice, Some(Notice::HelpComing));
    assert_eq!(ended(&bench), [HelpOutcome::Coming]);
    assert!(!bench.effects.iter().any(|effect| matches!(effect, Effect::StartTimer(TimerKind::Keeper, ..))));
    // The end of the session takes it off the keeper's page, and is not another outcome.
    bench.touch(Citizen::End);
    assert_eq!(told(&bench), [&CityQuestion::CallCancelled(name)]);
    assert!(ended(&bench).is_empty() && bench.session.keeper == Keeper::default());
}

#[test]
fn without_a_network_that_is_said_at_once_and_it_is_tried_again() {
    let mut bench = Bench::new();
    bench.send(Event::Device(Device::NetworkChanged(false)));
    let (name, ticket) = call(&mut bench);
    assert_eq!(bench.session.notice, Some(Notice::HelpAway));
    bench.send(Event::City(City::CannotAsk(ticket, CannotAsk::Away)));
    assert_eq!(bench.session.notice, Some(Notice::HelpAway));
    let timer = again(&bench);
    bench.send(Event::Timer(timer));
    let Some((ticket, CityQuestion::CallKeeper { call, .. })) = asked(&bench) else {
        panic!("it is told anew")
    };
    assert_eq!(call, name, "the same call");
    answer(&mut bench, ticket, CallState::Heard);
    assert_eq!(bench.session.notice, Some(Notice::HelpCalled));
    // Lost again: what was told stays told.
    let timer = again(&bench);
    bench.send(Event::Timer(timer));
    let (ticket, _) = asked(&bench).unwrap();
    bench.send(Event::City(City::CannotAsk(ticket, CannotAsk::TooLate)));
    assert_eq!(bench.session.notice, Some(Notice::HelpCalled));
}

#[test]
fn a_call_that_nobody_hears_or_answers_says_so_and_goes_on() {
    let mut bench = Bench::new();
    let (name, ticket) = call(&mut bench);
    answer(&mut bench, ticket, CallState::Ringing);
    bench.at_ms += Limits::default().keeper_unheard_ms;
    next(&mut bench, name, CallState::Ringing);
    assert_eq!(bench.session.notice, Some(Notice::HelpUnanswered));
    next(&mut bench, name, CallState::Heard);
    assert_eq!(bench.session.notice, Some(Notice::HelpCalled));
    bench.at_ms += Limits::default().keeper_silent_ms;
    next(&mut bench, name, CallState::Heard);
    assert_eq!(bench.session.notice, Some(Notice::HelpUnanswered));
    next(&mut bench, name, CallState::Over);
    assert_eq!(bench.session.keeper.help(), Some(Help::GivenUp));
    assert_eq!(
        (bench.session.notice, ended(&bench)),
        (Some(Notice::HelpUnanswered), vec![HelpOutcome::Unanswered])
    );
    let (newer, _) = call(&mut bench);
    assert!(newer != name, "asked for once more it is another call");
    assert_eq!(bench.session.notice, Some(Notice::Help));
}

#[test]
fn not_needed_any_more_ends_it_everywhere() {
    let mut bench = Bench::new();
    let (name, ticket) = call(&mut bench);
    answer(&mut bench, ticket, CallState::Heard);
    let timer = again(&bench);
    bench.touch(Citizen::HelpNotNeeded);
    assert_eq!(told(&bench), [&CityQuestion::CallCancelled(name)]);
    assert_eq!((ended(&bench), bench.session.notice), (vec![HelpOutcome::Withdrawn], None));
    assert!(bench.effects.contains(&Effect::StopTimer(TimerKind::Keeper)));
    // What still comes of it reaches nobody.
    bench.send(Event::Timer(timer));
    assert!(asked(&bench).is_none());
    answer(&mut bench, ticket, CallState::Coming);
    assert_eq!((bench.session.notice, bench.session.keeper.help()), (None, None));
}

#[test]
fn the_end_of_the_session_cancels_what_was_never_answered() {
    let mut bench = Bench::new();
    bench.touch(Citizen::ItemChosen(ItemCode("appeal".into())));
    let (name, ticket) = call(&mut bench);
    bench.touch(Citizen::End);
    let at = |wanted: fn(&Effect) -> bool| bench.effects.iter().position(wanted).unwrap();
    assert_eq!(told(&bench), [&CityQuestion::CallCancelled(name)], "the city may have heard of it");
    assert_eq!(ended(&bench), [HelpOutcome::Left]);
    assert!(at(|effect| matches!(effect, Effect::WipeSession)) > 0);
    answer(&mut bench, ticket, CallState::Coming);
    assert_eq!(
        (bench.session.notice, bench.session.keeper.help()),
        (None, None),
        "an old answer is nobody's"
    );
}

#[test]
fn who_waits_for_the_keeper_has_longer_until_the_warning() {
    let mut bench = Bench::new();
    let idle = |bench: &Bench| {
        bench.effects.iter().rev().find_map(|effect| match effect {
            Effect::StartTimer(TimerKind::Idle, _, after_ms) => Some(*after_ms),
            _ => None,
        })
    };
    let limits = Limits::default();
    call(&mut bench);
    assert_eq!(idle(&bench), Some(limits.idle_help_ms));
    bench.send(Event::Device(Device::SomebodyNear(true)));
    bench.send(Event::Device(Device::SomebodyNear(false)));
    assert_eq!(idle(&bench), Some(limits.idle_standard_ms), "sat down, perhaps");
    // On the home screen, where nothing else is to be ended, the call is.
    bench.touch(Citizen::NoticeClosed);
    for _ in 0..=limits.countdown_standard_s {
        let timer = bench.session.idle.ticket.unwrap();
        bench.send(Event::Timer(timer));
    }
    assert_eq!((told(&bench).len(), bench.session.keeper.help()), (1, None));
    assert_eq!(bench.session.page, Page::Home(None));
}

#[test]
fn other_notices_stay_and_other_answers_are_none() {
    let mut bench = Bench::new();
    bench.go_to_identify("appeal");
    let (name, asked_with) = call(&mut bench);
    bench.touch(Citizen::NoticeClosed);
    let ticket = bench.ticket_of_reading();
    bench.send(Event::Device(Device::CardFailed(ticket, Remedy::AskCitizen(Notice::CardHoldStill))));
    answer(&mut bench, asked_with, CallState::Heard);
    next(&mut bench, name, CallState::Coming);
    assert_eq!(bench.session.notice, Some(Notice::CardHoldStill), "that has to be read first");
    bench.touch(Citizen::NoticeClosed).touch(Citizen::HelpWanted);
    assert_eq!(bench.session.notice, Some(Notice::HelpComing));
    let mut bench = Bench::new();
    let (_, ticket) = call(&mut bench);
    bench.send(Event::City(City::Answered(ticket, CityAnswer::NotFound)));
    assert_eq!(bench.session.keeper.help(), Some(Help::Away), "no answer to this question");
}
