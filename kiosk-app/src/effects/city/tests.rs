//! The hand on the city against an agent of the test's own, over the true socket.

use super::*;
use crate::inbox::{Message, inbox};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kiosk_core::private::Private;
use kiosk_core::service::ItemCode;
use kiosk_core::session::{CallState, CaseStatus, CityAnswer, Event, Whereabouts};
use kiosk_core::settings::{Language, Theme};
use std::os::unix::net::{UnixListener, UnixStream};
use sync_protocol::local::{LocalOutcome, LocalReply, read_frame, write_frame};
use sync_protocol::{
    AgeOpener, Answer, AnswerBody, CaseProgress, Opener, ProgressState, ProgressStep, Question, QuestionBody,
    SealKeyPair, Sealer,
};
use tempfile::TempDir;

const NUMBER: &str = "DG0001-34679ACD-E";
const CODE: &str = "ABCDEFGHJKLMNPQR";
const LONG_MS: u64 = 60_000;

/// A hand whose agent the test plays.
struct Bench {
    folder: TempDir,
    hand: CityHand,
    messages: async_channel::Receiver<Message>,
    city: AgeOpener,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = SealKeyPair::generate();
        let (inbox, messages) = inbox();
        let settings = CitySettings {
            state: folder.path().to_owned(),
            terminal: "DG0001".into(),
            place: "示例社区".into(),
            sealer: AgeSealer::from_recipients(&keys.recipient).unwrap(),
        };
        let hand = CityHand::spawn(settings, inbox).unwrap();
        Self { folder, hand, messages, city: AgeOpener::from_identities(&keys.identity).unwrap() }
    }

    fn listen(&self) -> UnixListener {
        let path = self.folder.path().join(SOCKET);
        let _ = std::fs::remove_file(&path);
        UnixListener::bind(path).unwrap()
    }

    fn ask(&self, ticket: u64, within_ms: u64) {
        let question = CityQuestion::CaseProgress { case_number: NUMBER.into(), verification: CODE.into() };
        self.hand.ask(Ticket(ticket), within_ms, question);
    }

    /// The next thing said to the session.
    fn said(&self) -> City {
        match self.messages.recv_blocking().unwrap() {
            Message::Event(Event::City(said)) => said,
            other => panic!("no answer of the city but {other:?}"),
        }
    }

    /// A question as the city reads it.
    fn read(&self, request: &LocalRequest) -> Question {
        let LocalBody::Query { question } = &request.body else { panic!("no question") };
        let opened = self.city.open(&STANDARD.decode(question).unwrap()).unwrap();
        let question = Question::from_plaintext(&opened).unwrap();
        assert_eq!((question.ticket.as_str(), question.terminal.as_str()), (&*request.ticket, "DG0001"));
        question
    }
}

fn next(stream: &mut UnixStream) -> LocalRequest {
    read_frame(stream).unwrap()
}

fn reply(stream: &mut UnixStream, ticket: &str, outcome: LocalOutcome) {
    write_frame(stream, &LocalReply { version: LOCAL_VERSION, ticket: ticket.into(), outcome }).unwrap();
}

fn sealed(to: &str, ticket: &str, body: AnswerBody) -> LocalOutcome {
    let answer = Answer { ticket: ticket.into(), server_time_ms: 0, body };
    let sealed = AgeSealer::from_recipients(to).unwrap().seal(&answer.to_plaintext()).unwrap();
    LocalOutcome::Answer { answer: STANDARD.encode(sealed) }
}

fn progress() -> AnswerBody {
    let step = ProgressStep {
        state: ProgressState::Returned,
        at_ms: 7,
        reason: "duplicate".into(),
        note: "已经\u{7}办过".into(),
    };
    AnswerBody::CaseProgress(CaseProgress {
        case_number: NUMBER.into(),
        item: "appeal".into(),
        state: ProgressState::Returned,
        steps: vec![step; 40],
    })
}

fn answered(ticket: u64) -> impl Fn(City) -> bool {
    move |said| matches!(said, City::Answered(Ticket(of), _) if of == ticket)
}

fn cannot(ticket: u64, why: CannotAsk) -> City {
    City::CannotAsk(Ticket(ticket), why)
}

#[test]
fn a_question_goes_sealed_and_the_answer_comes_to_its_ticket() {
    let bench = Bench::new();
    let agent = bench.listen();
    bench.ask(1, LONG_MS);
    let (mut stream, _) = agent.accept().unwrap();
    let request = next(&mut stream);
    assert!(request.within_ms > 0 && u64::from(request.within_ms) <= LONG_MS);
    let question = bench.read(&request);
    assert!(matches!(&question.body, QuestionBody::CaseProgress { case_number, verification }
        if case_number == NUMBER && verification == CODE));
    // A foreign reply and a repeated one are nobody's.
    reply(&mut stream, "somebody-else", LocalOutcome::Busy);
    for _ in 0..2 {
        reply(&mut stream, &request.ticket, sealed(&question.reply_to, &request.ticket, progress()));
    }
    let City::Answered(Ticket(1), CityAnswer::CaseProgress(told)) = bench.said() else {
        panic!("it was answered")
    };
    assert_eq!((told.case_number.expose().as_str(), told.status), (NUMBER, CaseStatus::Returned));
    assert_eq!(told.steps.len(), 24, "bounded");
    assert_eq!(
        (told.steps[0].reason.as_str(), &told.steps[0].note),
        ("duplicate", &Private::from("已经办过"))
    );

    // The same connection, and the same session's key.
    bench.ask(2, LONG_MS);
    let again = next(&mut stream);
    let second = bench.read(&again);
    assert!(again.ticket != request.ticket && second.reply_to == question.reply_to);
    reply(&mut stream, &again.ticket, sealed(&second.reply_to, &again.ticket, AnswerBody::NotFound));
    assert_eq!(bench.said(), City::Answered(Ticket(2), CityAnswer::NotFound));
}

#[test]
fn without_an_agent_it_is_said_at_once_and_a_new_one_is_found() {
    let bench = Bench::new();
    bench.ask(1, LONG_MS);
    assert_eq!(bench.said(), cannot(1, CannotAsk::Away));
    for ticket in [2, 3] {
        let agent = bench.listen();
        bench.ask(ticket, LONG_MS);
        let (mut stream, _) = agent.accept().unwrap();
        let request = next(&mut stream);
        let to = bench.read(&request).reply_to;
        reply(&mut stream, &request.ticket, sealed(&to, &request.ticket, AnswerBody::NotFound));
        assert!(answered(ticket)(bench.said()));
        // The agent ends: the next question goes to its successor.
    }
}

#[test]
fn an_agent_that_ends_before_it_answers_is_away() {
    let bench = Bench::new();
    let agent = bench.listen();
    bench.ask(1, LONG_MS);
    let (mut stream, _) = agent.accept().unwrap();
    next(&mut stream);
    drop(stream);
    assert_eq!(bench.said(), cannot(1, CannotAsk::Away));
}

#[test]
fn what_the_agent_and_the_city_say_instead_is_told_apart() {
    let bench = Bench::new();
    let agent = bench.listen();
    bench.ask(0, LONG_MS);
    let (mut stream, _) = agent.accept().unwrap();
    let other_key = AgeOpener::ephemeral().1;
    type Say = fn(&str, &str, &str) -> LocalOutcome;
    let says: [(Say, CannotAsk); 10] = [
        (|_, _, _| LocalOutcome::Unreachable, CannotAsk::Away),
        (|_, _, _| LocalOutcome::NotPossible, CannotAsk::Away),
        (|_, _, _| LocalOutcome::Done, CannotAsk::Away),
        (|_, _, _| LocalOutcome::TooLate, CannotAsk::TooLate),
        (|_, _, _| LocalOutcome::Busy, CannotAsk::Busy),
        (|to, ticket, _| sealed(to, ticket, AnswerBody::NotNow), CannotAsk::Busy),
        (|to, ticket, _| sealed(to, ticket, AnswerBody::NotKnown), CannotAsk::Away),
        // To another question, to another's key, and nothing at all.
        (|to, _, _| sealed(to, "other", progress()), CannotAsk::Away),
        (|_, ticket, other| sealed(other, ticket, progress()), CannotAsk::Away),
        (|_, _, _| LocalOutcome::Answer { answer: "!".into() }, CannotAsk::Away),
    ];
    for (number, (say, why)) in says.into_iter().enumerate() {
        let request = next(&mut stream);
        let to = bench.read(&request).reply_to;
        reply(&mut stream, &request.ticket, say(&to, &request.ticket, &other_key));
        assert_eq!(bench.said(), cannot(number as u64, why), "{number}");
        bench.ask(number as u64 + 1, LONG_MS);
    }
}

#[test]
fn an_oversized_reply_ends_the_line_and_not_the_hand() {
    let bench = Bench::new();
    let agent = bench.listen();
    bench.ask(1, LONG_MS);
    let (mut stream, _) = agent.accept().unwrap();
    next(&mut stream);
    std::io::Write::write_all(&mut stream, &u32::MAX.to_be_bytes()).unwrap();
    assert_eq!(bench.said(), cannot(1, CannotAsk::Away));
    bench.ask(2, LONG_MS);
    let (mut stream, _) = agent.accept().unwrap();
    let request = next(&mut stream);
    reply(&mut stream, &request.ticket, LocalOutcome::Busy);
    assert_eq!(bench.said(), cannot(2, CannotAsk::Busy));
}

#[test]
fn silence_ends_at_the_deadline_and_the_late_answer_is_nobodys() {
    let bench = Bench::new();
    let agent = bench.listen();
    bench.ask(1, 30);
    let (mut stream, _) = agent.accept().unwrap();
    let late = next(&mut stream);
    let to = bench.read(&late).reply_to;
    assert_eq!(bench.said(), cannot(1, CannotAsk::TooLate));
    reply(&mut stream, &late.ticket, sealed(&to, &late.ticket, progress()));
    bench.ask(2, LONG_MS);
    let request = next(&mut stream);
    reply(&mut stream, &request.ticket, LocalOutcome::Busy);
    assert_eq!(bench.said(), cannot(2, CannotAsk::Busy), "the late one came before and was not said");
}

#[test]
fn the_end_of_a_session_forgets_its_questions_and_its_key() {
    let bench = Bench::new();
    let agent = bench.listen();
    bench.ask(1, LONG_MS);
    let (mut stream, _) = agent.accept().unwrap();
    let first = next(&mut stream);
    let to = bench.read(&first).reply_to;
    bench.hand.forget();
    reply(&mut stream, &first.ticket, sealed(&to, &first.ticket, progress()));
    bench.ask(2, LONG_MS);
    let second = next(&mut stream);
    let next_to = bench.read(&second).reply_to;
    assert_ne!(next_to, to, "another resident, another key");
    reply(&mut stream, &second.ticket, sealed(&to, &second.ticket, progress()));
    assert_eq!(bench.said(), cannot(2, CannotAsk::Away), "the old key opens nothing any more");
}

#[test]
fn more_than_a_few_at_once_are_refused_and_try_now_is_passed_on() {
    let bench = Bench::new();
    let agent = bench.listen();
    for ticket in 0..5 {
        bench.ask(ticket, LONG_MS);
    }
    assert_eq!(bench.said(), cannot(4, CannotAsk::Busy));
    let (mut stream, _) = agent.accept().unwrap();
    (0..4).for_each(|_| drop(next(&mut stream)));
    bench.hand.try_now();
    let wish = next(&mut stream);
    assert!(matches!(wish.body, LocalBody::TryNow));
    reply(&mut stream, &wish.ticket, LocalOutcome::Done);
    // It is nobody's answer; what is said next is said to a question.
    bench.hand.forget();
    bench.ask(9, LONG_MS);
    let request = next(&mut stream);
    reply(&mut stream, &request.ticket, LocalOutcome::TooLate);
    assert_eq!(bench.said(), cannot(9, CannotAsk::TooLate));
}

#[test]
fn a_call_names_the_place_and_nobody_and_its_end_outlives_the_session() {
    let bench = Bench::new();
    let agent = bench.listen();
    let at = Whereabouts {
        page: "question",
        item: Some(ItemCode("12345-appeal".into())),
        language: Language::ZhHant,
        theme: Theme::Senior,
    };
    bench.hand.ask(Ticket(7), LONG_MS, CityQuestion::CallKeeper { call: Ticket(6), at });
    let (mut stream, _) = agent.accept().unwrap();
    let request = next(&mut stream);
    let question = bench.read(&request);
    let QuestionBody::CallKeeper(call) = question.body else { panic!("no call") };
    assert_eq!(
        (call.place.as_str(), call.page.as_str(), call.item.as_str()),
        ("示例社区", "question", "12345-appeal")
    );
    assert_eq!((call.language.as_str(), call.theme.as_str()), ("zh-Hant", "senior"));
    assert!(call.call.ends_with("-6") && call.call.len() > 30);
    let state = AnswerBody::KeeperCall { state: sync_protocol::KeeperCallState::Heard };
    reply(&mut stream, &request.ticket, sealed(&question.reply_to, &request.ticket, state));
    assert_eq!(bench.said(), City::Answered(Ticket(7), CityAnswer::KeeperCall(CallState::Heard)));

    bench.hand.forget();
    bench.hand.tell(CityQuestion::CallCancelled(Ticket(6)));
    let request = next(&mut stream);
    let told = bench.read(&request);
    assert!(matches!(&told.body, QuestionBody::CallKeeperCancelled { call: ended } if *ended == call.call));
    assert!(told.reply_to != question.reply_to, "no key of a session");
    // Whatever is answered reaches nobody.
    reply(&mut stream, &request.ticket, sealed(&told.reply_to, &request.ticket, AnswerBody::NotNow));
    bench.ask(8, LONG_MS);
    let request = next(&mut stream);
    reply(&mut stream, &request.ticket, LocalOutcome::Busy);
    assert_eq!(bench.said(), cannot(8, CannotAsk::Busy));
}
