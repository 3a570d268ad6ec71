//! The thread's decisions, turn by turn, over a slot that the test holds. The true driver reads a card through `pcscd` in
//! the journeys.

use super::*;
use crate::inbox::{Message, inbox};
use device_drivers::social_security_card::simulator::made_up_person;
use kiosk_core::session::Event;
use std::sync::{Arc, Mutex};

type Slot = Arc<Mutex<Option<Result<SocialSecurityCard, SocialSecurityCardError>>>>;

/// What is in the slot, and what comes of reading it.
struct TestReader(Slot);

impl SocialSecurityCardReader for TestReader {
    fn is_card_in(&mut self) -> Result<bool, SocialSecurityCardError> {
        match &*self.0.lock().unwrap() {
            Some(Err(SocialSecurityCardError::Gone)) => Err(SocialSecurityCardError::Gone),
            slot => Ok(slot.is_some()),
        }
    }

    fn read(&mut self) -> Result<SocialSecurityCard, SocialSecurityCardError> {
        self.0.lock().unwrap().clone().unwrap_or(Err(SocialSecurityCardError::NoCard))
    }
}

struct Bench {
    desk: CardDesk,
    slot: Slot,
    messages: async_channel::Receiver<Message>,
}

impl Bench {
    fn new() -> Bench {
        let (inbox, messages) = inbox();
        let slot = Slot::default();
        Bench { desk: CardDesk::new(Box::new(TestReader(slot.clone())), inbox), slot, messages }
    }

    fn put_in(&self, reading: Result<SocialSecurityCard, SocialSecurityCardError>) {
        *self.slot.lock().unwrap() = Some(reading);
    }

    fn take_out(&self) {
        *self.slot.lock().unwrap() = None;
    }

    fn order(&mut self, order: Order) -> Vec<Device> {
        self.desk.obey(order).unwrap();
        self.told()
    }

    fn turn(&mut self) -> Vec<Device> {
        self.desk.turn().unwrap();
        self.told()
    }

    fn told(&self) -> Vec<Device> {
        std::iter::from_fn(|| self.messages.try_recv().ok())
            .map(|message| match message {
                Message::Event(Event::Device(report)) => report,
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

fn person() -> SocialSecurityCard {
    made_up_person("2.00")
}

fn failed(ticket: u64, notice: Notice) -> Device {
    Device::CardFailed(Ticket(ticket), Remedy::AskCitizen(notice))
}

fn is_read(told: &[Device], ticket: u64) -> bool {
    matches!(told, [Device::CardFound(found), Device::CardRead(read, _)]
        if *found == Ticket(ticket) && *read == Ticket(ticket))
}

#[test]
fn a_card_that_is_put_in_before_it_is_wanted_is_read_when_it_is() {
    let mut bench = Bench::new();
    bench.desk.open().unwrap();
    bench.put_in(Ok(person()));
    assert!(bench.turn().is_empty(), "nobody wants it yet");
    assert!(bench.order(Order::Start(Ticket(1))).is_empty());
    assert!(is_read(&bench.turn(), 1));
    assert!(bench.turn().is_empty(), "once");
}

#[test]
fn a_card_that_stayed_in_is_nobodys_until_it_was_taken_out() {
    let mut bench = Bench::new();
    bench.put_in(Ok(person()));
    bench.order(Order::Start(Ticket(1)));
    assert!(is_read(&bench.turn(), 1));
    bench.order(Order::SessionOver);
    for ticket in [2, 3] {
        bench.order(Order::Start(Ticket(ticket)));
        assert_eq!(bench.turn(), [failed(ticket, Notice::SocialCardAlreadyThere)]);
        assert!(bench.turn().is_empty(), "said once for each search");
    }
    bench.take_out();
    assert!(bench.turn().is_empty());
    bench.put_in(Ok(person()));
    assert!(is_read(&bench.turn(), 3), "without another touch");

    // Also one that nobody had read, and one that was in when the kiosk started.
    let mut bench = Bench::new();
    bench.put_in(Ok(person()));
    bench.order(Order::SessionOver);
    bench.order(Order::Start(Ticket(1)));
    assert_eq!(bench.turn(), [failed(1, Notice::SocialCardAlreadyThere)]);
    let mut bench = Bench::new();
    bench.put_in(Ok(person()));
    bench.desk.open().unwrap();
    bench.order(Order::Start(Ticket(1)));
    assert_eq!(bench.turn(), [failed(1, Notice::SocialCardAlreadyThere)]);
}

#[test]
fn each_reason_has_its_sentence_and_the_card_is_not_tried_again_before_it_was_out() {
    use SocialSecurityCardError as E;
    for (error, notice) in [
        (E::Mute, Notice::SocialCardNotRead),
        (E::Damaged, Notice::SocialCardNotRead),
        (E::NotASocialSecurityCard, Notice::SocialCardUnknown),
        (E::Locked, Notice::SocialCardLocked),
        (E::Refused(0x6581), Notice::SocialCardLocked),
        (E::Pulled, Notice::SocialCardPulled),
        (E::NoCard, Notice::SocialCardPulled),
    ] {
        let mut bench = Bench::new();
        bench.order(Order::Start(Ticket(1)));
        bench.put_in(Err(error));
        assert_eq!(bench.turn(), [Device::CardFound(Ticket(1)), failed(1, notice)], "{error}");
        assert!(bench.turn().is_empty(), "{error}");
        // Turned round and put in again, it is read without a touch.
        bench.take_out();
        bench.turn();
        bench.put_in(Err(error));
        assert_eq!(bench.turn(), [Device::CardFound(Ticket(1)), failed(1, notice)], "{error}");
        bench.order(Order::Start(Ticket(2)));
        assert_eq!(bench.turn(), [failed(2, Notice::SocialCardAlreadyThere)], "{error}");
        bench.take_out();
        bench.turn();
        bench.put_in(Ok(person()));
        assert!(is_read(&bench.turn(), 2), "{error}");
    }
    // A busy card is tried again, and that it was found is said once.
    let mut bench = Bench::new();
    bench.order(Order::Start(Ticket(1)));
    bench.put_in(Err(E::Busy));
    assert_eq!(bench.turn(), [Device::CardFound(Ticket(1))]);
    assert!(bench.turn().is_empty());
    bench.put_in(Ok(person()));
    assert!(matches!(&bench.turn()[..], [Device::CardRead(Ticket(1), _)]));
}

#[test]
fn a_reader_that_went_in_the_middle_goes_on_where_it_was_wanted() {
    let mut bench = Bench::new();
    bench.order(Order::Start(Ticket(1)));
    bench.put_in(Err(SocialSecurityCardError::Gone));
    assert_eq!(bench.desk.turn(), Err(Trouble("social-security-reader-gone")));
    assert!(bench.desk.open().is_err());
    bench.put_in(Ok(person()));
    bench.desk.open().unwrap();
    assert!(is_read(&bench.turn(), 1));
    // While it is away it knows of no card, and says so by saying nothing.
    bench.put_in(Err(SocialSecurityCardError::Gone));
    assert!(bench.desk.obey(Order::LookForCardLeft(Ticket(2))).is_err());
    assert!(bench.told().is_empty());
}

#[test]
fn a_card_that_is_taken_is_told_to_who_sees_its_holder_off() {
    let mut bench = Bench::new();
    bench.put_in(Ok(person()));
    bench.order(Order::SessionOver);
    assert_eq!(bench.order(Order::LookForCardLeft(Ticket(4))), [Device::CardLeft(Ticket(4), true)]);
    assert!(bench.turn().is_empty());
    bench.take_out();
    assert_eq!(bench.turn(), [Device::CardLeft(Ticket(4), false)]);
    bench.put_in(Ok(person()));
    assert!(bench.turn().is_empty(), "the next one's");
}

#[test]
fn only_who_can_be_somebody_is_an_applicant() {
    let applicant = applicant_of(&person()).expect("a made-up person is one");
    assert_eq!(applicant.name, Some("测试样本".into()));
    assert_eq!(applicant.birth, Some("1990-01-01".into()));
    assert_eq!((applicant.sex, applicant.ethnic), (Some("2".into()), Some("01".into())));
    assert_eq!(applicant.valid_to, calendar::from_iso("2030-01-01"));
    assert_eq!((applicant.address, applicant.issuer), (None, None));
    let spoilt = |spoil: fn(&mut SocialSecurityCard)| {
        let mut card = person();
        spoil(&mut card);
        applicant_of(&card)
    };
    assert_eq!(spoilt(|card| card.number = "990001199001011009".into()), None, "its check character");
    assert_eq!(spoilt(|card| card.number = "990001199013011008".into()), None, "no day of birth");
    assert_eq!(spoilt(|card| card.name = "测\u{FFFD}样".into()), None, "a character that nobody could read");
    assert_eq!(spoilt(|card| card.valid_until.clear()).unwrap().valid_to, None);
    assert_eq!(spoilt(|card| card.name = "沈䶮".into()).unwrap().name, Some("沈䶮".into()));
}
