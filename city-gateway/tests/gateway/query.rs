//! Live questions, sealed both ways.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sync_protocol::{
    AgeOpener, Answer, AnswerBody, CaseProgress, Opener, PROTOCOL_VERSION, ProgressState, QueryReply,
    QueryRequest, Question, QuestionBody, SealKeyPair, Sealer,
};

use crate::support::{City, Terminal, described};

const TICKET: &str = "0b7c0d1e-0000-4000-8000-000000000001";

pub struct Session {
    pair: SealKeyPair,
}

impl Session {
    pub fn new() -> Self {
        Self { pair: SealKeyPair::generate() }
    }

    fn request(&self, terminal: &Terminal, body: QuestionBody) -> QueryRequest {
        let question = Question {
            ticket: TICKET.into(),
            terminal: terminal.code.clone(),
            reply_to: self.pair.recipient.trim().to_owned(),
            body,
        };
        let sealed = terminal.sealer.seal(&question.to_plaintext()).unwrap();
        QueryRequest {
            version: PROTOCOL_VERSION,
            ticket: TICKET.into(),
            within_ms: 20_000,
            question: STANDARD.encode(sealed),
        }
    }

    /// How a case is getting on, for who knows its code.
    pub async fn progress(
        &self,
        city: &City,
        terminal: &Terminal,
        number: &str,
        code: &str,
    ) -> Option<CaseProgress> {
        match self.ask(city, terminal, progress(number, code)).await {
            AnswerBody::CaseProgress(progress) => Some(progress),
            _ => None,
        }
    }

    pub async fn ask(&self, city: &City, terminal: &Terminal, body: QuestionBody) -> AnswerBody {
        let response = send(city, terminal, &self.request(terminal, body)).await;
        assert_eq!(response.status(), 200);
        let reply: QueryReply = response.json().await.unwrap();
        assert_eq!(reply.ticket, TICKET);
        let opener = AgeOpener::from_identities(&self.pair.identity).unwrap();
        let answer = opener.open(&STANDARD.decode(reply.answer).unwrap()).unwrap();
        let answer = Answer::from_plaintext(&answer).unwrap();
        assert_eq!(answer.ticket, TICKET);
        answer.body
    }
}

async fn send(city: &City, terminal: &Terminal, request: &QueryRequest) -> reqwest::Response {
    let response = terminal.client.post(city.url("/v1/query")).json(request).send().await.unwrap();
    described("post", "/v1/query", response).await
}

fn progress(case_number: &str, verification: &str) -> QuestionBody {
    QuestionBody::CaseProgress { case_number: case_number.into(), verification: verification.into() }
}

#[tokio::test]
async fn the_whole_way_is_answered() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let session = Session::new();
    assert!(matches!(session.ask(&city, &terminal, QuestionBody::Reach).await, AnswerBody::Reached));
    assert!(matches!(session.ask(&city, &terminal, QuestionBody::Unknown).await, AnswerBody::NotKnown));
}

#[tokio::test]
async fn progress_is_told_to_whoever_holds_the_receipt() {
    let city = City::start().await;
    let terminal = city.terminal("DG0001");
    let (manifest, record) = terminal.case(1);
    terminal.deliver(&city, &manifest, &record).await;
    let session = Session::new();
    // At another terminal, too.
    let asker = city.terminal("DG0002");
    match session.ask(&city, &asker, progress("DG0001-1", "DG0001-V1")).await {
        AnswerBody::CaseProgress(progress) => {
            assert_eq!(
                (progress.state, progress.case_number.as_str()),
                (ProgressState::PreReview, "DG0001-1")
            );
            assert_eq!(progress.steps.len(), 1);
        }
        _ => panic!("no progress"),
    }
    for (number, code) in [("DG0001-1", "DG0001-V2"), ("DG0001-2", "DG0001-V1"), ("DG0001-1", "")] {
        assert!(matches!(session.ask(&city, &asker, progress(number, code)).await, AnswerBody::NotFound));
    }
    // Guessing ends soon, for this terminal and no other.
    for _ in 0..40 {
        session.ask(&city, &asker, progress("DG0001-1", "GUESS")).await;
    }
    let refused = session.ask(&city, &asker, progress("DG0001-1", "DG0001-V1")).await;
    assert!(matches!(refused, AnswerBody::NotNow));
    let other = session.ask(&city, &terminal, progress("DG0001-1", "DG0001-V1")).await;
    assert!(matches!(other, AnswerBody::CaseProgress(_)));
}

#[tokio::test]
async fn questions_that_do_not_fit_are_refused() {
    let city = City::start().await;
    let (terminal, other) = (city.terminal("DG0001"), city.terminal("DG0002"));
    let session = Session::new();
    let good = session.request(&terminal, QuestionBody::Reach);
    let mut ticket = good.clone();
    ticket.ticket = "another".into();
    let mut garbage = good.clone();
    garbage.question = STANDARD.encode(b"age-encryption.org/v1\n nothing");
    let mut plain = good.clone();
    plain.question = "!".into();
    let mut hurried = good.clone();
    hurried.within_ms = 0;
    let mut future = good.clone();
    future.version = 99;
    for (number, (from, request, status)) in [
        (&terminal, &ticket, 403),
        (&other, &good, 403),
        (&terminal, &garbage, 400),
        (&terminal, &plain, 400),
        (&terminal, &hurried, 503),
        (&terminal, &future, 400),
        (&terminal, &good, 200),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(send(&city, from, request).await.status(), status, "case {number}");
    }
    let empty = terminal.client.post(city.url("/v1/query")).body("{}").send().await.unwrap();
    assert_eq!(described("post", "/v1/query", empty).await.status(), 400);
}
