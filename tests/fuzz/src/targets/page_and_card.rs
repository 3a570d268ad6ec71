//! What the document printer answers over IPP, and what a social-security card answers over PC/SC.

use std::cell::Cell;

use device_drivers::document_printer::protocol::answer::decode;
use device_drivers::social_security_card::protocol::conversation::MAX_ANSWER;
use device_drivers::social_security_card::protocol::{CardChannel, ChannelError, Record, read_card};
use device_drivers::social_security_card::simulator::vpcd::{self, ReaderMessage, ReaderMessages};
use device_drivers::social_security_card::simulator::{VirtualCard, made_up_person};
use device_drivers::social_security_card::{SocialSecurityCard, SocialSecurityCardError};

use crate::Target;
use crate::privacy::{assert_error_quiet, assert_quiet};

/// The request that the examples answer.
const ID: i32 = 7;
/// More exchanges than a whole card takes, whatever it answers.
const MANY: usize = 120;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "device-page-answers",
            decodes: "what an A4 printer answers (IPP): answer::decode, and what it says of printer and jobs",
            inputs: 5000,
            seeds: page_seeds,
            run: page,
        },
        Target {
            name: "device-security-card",
            decodes: "what a social-security card answers, exchange by exchange: read_card",
            inputs: 5000,
            seeds: card_seeds,
            run: card,
        },
        Target {
            name: "device-security-records",
            decodes: "one record of a social-security card: Record::decode and put_into",
            inputs: 5000,
            seeds: record_seeds,
            run: record,
        },
    ]
}

/// One attribute: tag, name, value (RFC 8010 §3.1.4).
fn attribute(tag: u8, name: &str, value: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| (bytes.len() as u16).to_be_bytes();
    [&[tag][..], &length(name.as_bytes()), name.as_bytes(), &length(value), value].concat()
}

fn message(groups: &[(u8, Vec<Vec<u8>>)]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 0, 0, ID as u8];
    for (tag, attributes) in groups {
        bytes.push(*tag);
        bytes.extend(attributes.concat());
    }
    bytes.push(3);
    bytes
}

fn page_seeds() -> Vec<Vec<u8>> {
    let printer = vec![
        attribute(0x23, "printer-state", &[0, 0, 0, 5]),
        attribute(0x44, "printer-state-reasons", b"media-empty-error"),
        attribute(0x44, "", b"toner-low-warning"),
        attribute(0x22, "printer-is-accepting-jobs", &[1]),
        attribute(0x35, "printer-state-message", &[&[0, 2][..], b"zh", &[0, 2], b"ok"].concat()),
        attribute(0x33, "copies-supported", &[0, 0, 0, 1, 0, 0, 0, 99]),
        attribute(0x49, "document-format-supported", b"application/pdf"),
        attribute(0x44, "sides-supported", b"two-sided-long-edge"),
        [attribute(0x34, "media-col", &[]), attribute(0x4A, "", b"media-size"), attribute(0x34, "", &[])]
            .concat(),
        [attribute(0x37, "", &[]), attribute(0x37, "", &[])].concat(),
    ];
    let job = |id: u8, state: u8| {
        vec![
            attribute(0x21, "job-id", &[0, 0, 0, id]),
            attribute(0x23, "job-state", &[0, 0, 0, state]),
            attribute(0x44, "job-state-reasons", b"job-completed-with-errors"),
            attribute(0x21, "job-impressions-completed", &[0, 0, 0, 4]),
            attribute(0x36, "job-originating-user-name", &[&[0, 2][..], b"zh", &[0, 6], b"DG0001"].concat()),
        ]
    };
    let head = vec![attribute(0x47, "attributes-charset", b"utf-8")];
    vec![
        message(&[(1, head.clone()), (4, printer)]),
        message(&[(1, head.clone()), (2, job(1, 9)), (2, job(2, 5))]),
        message(&[(1, head), (5, vec![attribute(0x10, "sides", &[])])]),
    ]
}

fn page(bytes: &[u8]) {
    match decode(bytes, ID) {
        Ok(answer) => {
            let jobs: Vec<_> = answer.jobs().collect();
            let printer = answer.printer();
            assert!(jobs.len() * 10 <= bytes.len(), "no job comes out of nothing");
            if let Ok(printer) = &printer {
                assert!(printer.copies >= 1 && (!printer.stopped || printer.obstacle().is_some()));
            }
            // A print-out, or whatever follows, is none of the answer's business.
            let longer = decode(&[bytes, &[0x44; 9]].concat(), ID).expect("what follows changes nothing");
            assert_eq!((longer.printer(), longer.jobs().collect::<Vec<_>>()), (printer, jobs));
        }
        Err(error) => assert_error_quiet(&error),
    }
}

/// With words for a name that the checks of errors look for.
fn person() -> SocialSecurityCard {
    let mut card = made_up_person("2.00");
    card.name = "路灯不亮".into();
    card
}

/// Answers as recorded: messages as on the virtual reader's wire, one an exchange.
struct Replayed {
    answers: Vec<Vec<u8>>,
    asked: Cell<usize>,
}

impl CardChannel for Replayed {
    fn transmit(&mut self, _: &[u8], answer: &mut [u8; MAX_ANSWER]) -> Result<usize, ChannelError> {
        let said = self.answers.get(self.asked.get()).ok_or(ChannelError::CardGone)?;
        self.asked.set(self.asked.get() + 1);
        let length = said.len().min(MAX_ANSWER);
        answer[..length].copy_from_slice(&said[..length]);
        Ok(length)
    }
}

/// A true card, and the bytes that it said.
struct Overheard {
    card: VirtualCard,
    said: Vec<u8>,
}

impl CardChannel for Overheard {
    fn transmit(&mut self, command: &[u8], answer: &mut [u8; MAX_ANSWER]) -> Result<usize, ChannelError> {
        let said = self.card.answer(command);
        self.said.extend(vpcd::encode(&said));
        answer[..said.len()].copy_from_slice(&said);
        Ok(said.len())
    }
}

fn card_seeds() -> Vec<Vec<u8>> {
    let card = VirtualCard::of(&person()).expect("a card fits its records");
    let kinds = [card, VirtualCard::of_another_kind()];
    kinds.map(|card| overheard(card).said).to_vec()
}

fn overheard(card: VirtualCard) -> Overheard {
    let mut overheard = Overheard { card, said: Vec::new() };
    let _ = read_card(&mut overheard);
    overheard
}

fn card(bytes: &[u8]) {
    let mut messages = ReaderMessages::default();
    messages.push(bytes);
    let answers = std::iter::from_fn(|| messages.next_message()).filter_map(|message| match message {
        ReaderMessage::Command(answer) => Some(answer),
        _ => None,
    });
    let mut card = Replayed { answers: answers.collect(), asked: Cell::new(0) };
    let read = read_card(&mut card);
    assert!(card.asked.get() <= MANY, "{} exchanges", card.asked.get());
    match read {
        Ok(card) => {
            assert!(card.number.len() == 18 && !card.name.is_empty());
            assert_quiet(&format!("{card:?}"));
        }
        Err(error) => {
            assert_error_quiet(&error);
            let _ = error.remedy();
        }
    }
}

/// Shows that a whole card is read out of its own example.
pub(super) fn reaches() {
    let said = overheard(VirtualCard::of(&person()).expect("a card fits its records")).said;
    let mut messages = ReaderMessages::default();
    messages.push(&said);
    let answers = std::iter::from_fn(|| messages.next_message()).map(|message| match message {
        ReaderMessage::Command(answer) => answer,
        other => panic!("an answer has two bytes at least: {other:?}"),
    });
    let mut card = Replayed { answers: answers.collect(), asked: Cell::new(0) };
    assert!(read_card(&mut card) == Ok(person()));
    let told = read_card(&mut Overheard { card: VirtualCard::of_another_kind(), said: Vec::new() });
    assert!(told == Err(SocialSecurityCardError::NotASocialSecurityCard));
    assert!(page_seeds().iter().all(|seed| decode(seed, ID).is_ok()));
}

fn record_seeds() -> Vec<Vec<u8>> {
    let record = |tag, value: &[u8]| Record::encode(tag, value).expect("a short value fits");
    vec![
        record(0x08, b"990001199001011008"),
        record(0x09, &[0xC2, 0xB7, 0xB5, 0xC6, 0xB2, 0xBB, 0xC1, 0xC1, 0, 0]),
        record(0x0D, &[0x19, 0x90, 0x01, 0x01]),
        record(0x03, b"2.00"),
    ]
}

fn record(bytes: &[u8]) {
    match Record::decode(bytes) {
        Ok(record) => {
            assert!(
                bytes.starts_with(&Record::encode(record.tag, record.value).expect("it came out of one"))
            );
            assert_quiet(&format!("{record:?}"));
            let mut card = SocialSecurityCard::default();
            if let Err(error) = record.put_into(&mut card) {
                assert_error_quiet(&error);
            }
            assert!(card.number.is_empty() || card.number.len() == 18);
        }
        Err(error) => assert_error_quiet(&error),
    }
}
