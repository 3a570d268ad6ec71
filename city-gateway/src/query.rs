//! `POST /v1/query`: a sealed question, answered while somebody waits.
//!
//! A thread of its own holds the city's key for this, so that a question never stands behind a batch of records; it
//! opens, and looks no further. The answer is sealed to the key of the session that asked. Deliberately absent: any
//! trace of a question or an answer, in the store, in a log or in an error; but for calls for a keeper and
//! numbers of windows, which have to be kept and hold nothing of a resident. Of a fetch the store learns that it was,
//! and never about whom.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use sync_protocol::limits::{MAX_FIELD, MAX_QUERY, MAX_QUERY_MS};
use sync_protocol::{
    AgeSealer, Answer, AnswerBody, Opener as Seal, QueryReply, QueryRequest, Question, QuestionBody, Sealer,
    understands,
};
use tokio::sync::oneshot;

use crate::budgets::Bucket;
use crate::calls::Calls;
use crate::fetch::Fetcher;
use crate::numbers::Numbers;
use crate::progress::ProgressSource;
use crate::refusal::Refusal;
use crate::terminals::now_ms;

/// Wrong codes a terminal may say at once; then one a minute. A code has more than 10¹² values.
const GUESSES: f64 = 20.0;
const GUESSES_PER_SECOND: f64 = 1.0 / 60.0;

/// Terminals whose guesses are counted.
const COUNTED: usize = 16 * 1024;

struct Job {
    question: Vec<u8>,
    until: Instant,
    answer: oneshot::Sender<Option<Question>>,
}

/// Answers live questions.
pub(crate) struct Questions {
    jobs: mpsc::SyncSender<Job>,
    progress: Arc<dyn ProgressSource>,
    calls: Calls,
    numbers: Numbers,
    guesses: Mutex<HashMap<String, Bucket>>,
    /// Absent where nothing is fetched.
    fetcher: Option<Fetcher>,
}

impl Questions {
    /// Starts the thread that opens questions.
    pub(crate) fn new<S>(
        seal: S,
        progress: Arc<dyn ProgressSource>,
        calls: Calls,
        numbers: Numbers,
        waiting: usize,
    ) -> std::io::Result<Self>
    where
        S: Seal + Send + 'static,
    {
        let (jobs, list) = mpsc::sync_channel::<Job>(waiting.max(1));
        thread::Builder::new().name("questions".into()).spawn(move || work(&seal, &list))?;
        Ok(Self { jobs, progress, calls, numbers, guesses: Mutex::default(), fetcher: None })
    }

    /// The same, answering what is fetched as well.
    pub(crate) fn fetching(self, fetcher: Option<Fetcher>) -> Self {
        Self { fetcher, ..self }
    }

    /// Answers one question of a terminal, or gives up when it would come too late.
    pub(crate) async fn answer(&self, terminal: &str, request: QueryRequest) -> Result<QueryReply, Refusal> {
        if !understands(request.version) || request.ticket.is_empty() || request.ticket.len() > MAX_FIELD {
            return Err(Refusal::BadRequest("not a question this gateway understands".into()));
        }
        let within = Duration::from_millis(u64::from(request.within_ms.min(MAX_QUERY_MS)));
        tokio::time::timeout(within, self.answer_in_time(terminal, request, Instant::now() + within))
            .await
            .unwrap_or(Err(Refusal::Later { seconds: 1, why: "the answer would have come too late" }))
    }

    async fn answer_in_time(
        &self,
        terminal: &str,
        request: QueryRequest,
        until: Instant,
    ) -> Result<QueryReply, Refusal> {
        let unfit = || Refusal::BadRequest("not a sealed question".into());
        let question = STANDARD.decode(&request.question).map_err(|_| unfit())?;
        if question.len() > MAX_QUERY {
            return Err(Refusal::TooLarge);
        }
        let (answer, wait) = oneshot::channel();
        self.jobs
            .try_send(Job { question, until, answer })
            .map_err(|_| Refusal::Later { seconds: 1, why: "too many questions are waiting" })?;
        // The thread lets go of a question that came too late.
        let late = |_| Refusal::Later { seconds: 1, why: "the answer would have come too late" };
        let question = wait.await.map_err(late)?.ok_or_else(unfit)?;
        // A question cannot be put under another ticket, nor into another terminal's mouth.
        if question.ticket != request.ticket || question.terminal != terminal {
            return Err(Refusal::Forbidden("the question belongs to another request".into()));
        }
        let reply_to = AgeSealer::from_recipients(&question.reply_to).map_err(|_| unfit())?;
        let body = self.body(terminal, question.body, until).await;
        let answer = Answer { ticket: request.ticket.clone(), server_time_ms: now_ms(), body };
        let sealed = reply_to.seal(&answer.to_plaintext()).map_err(|_| unfit())?;
        Ok(QueryReply { ticket: request.ticket, answer: STANDARD.encode(sealed) })
    }

    async fn body(&self, terminal: &str, question: QuestionBody, until: Instant) -> AnswerBody {
        match question {
            QuestionBody::Fetch(question) => match &self.fetcher {
                Some(fetcher) => fetcher.answer(terminal, question, until).await,
                None => AnswerBody::NotKnown,
            },
            QuestionBody::Reach => AnswerBody::Reached,
            QuestionBody::Unknown => AnswerBody::NotKnown,
            QuestionBody::CaseProgress { case_number, verification } => {
                self.case(terminal, &case_number, &verification).await
            }
            QuestionBody::CallKeeper(call) => self.calls.ring(terminal, call).await,
            QuestionBody::QueueTicket { request, queue } => self.numbers.take(terminal, request, queue).await,
            QuestionBody::CallKeeperState { call } => self.calls.state(terminal, &call).await,
            QuestionBody::CallKeeperCancelled { call } => self.calls.cancel(terminal, &call).await,
        }
    }

    async fn case(&self, terminal: &str, case_number: &str, verification: &str) -> AnswerBody {
        if !self.may_ask(terminal) {
            return AnswerBody::NotNow;
        }
        if case_number.len() > MAX_FIELD || verification.is_empty() || verification.len() > MAX_FIELD {
            return AnswerBody::NotFound;
        }
        let cases = match self.progress.numbered(case_number).await {
            Ok(cases) => cases,
            Err(_) => return AnswerBody::NotNow,
        };
        let mut found = None;
        // All are compared, so that the time says nothing either.
        for case in cases {
            if bool::from(case.verification.as_bytes().ct_eq(verification.as_bytes())) {
                found = Some(case.progress);
            }
        }
        match found {
            Some(progress) => AnswerBody::CaseProgress(progress),
            None => {
                self.note_guess(terminal);
                AnswerBody::NotFound
            }
        }
    }

    fn may_ask(&self, terminal: &str) -> bool {
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        guesses.get_mut(terminal).is_none_or(|bucket| bucket.wait(Instant::now()).is_none())
    }

    fn note_guess(&self, terminal: &str) {
        let now = Instant::now();
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        if guesses.len() >= COUNTED && !guesses.contains_key(terminal) {
            guesses.clear();
        }
        let bucket = guesses
            .entry(terminal.to_owned())
            .or_insert_with(|| Bucket::new(GUESSES_PER_SECOND, GUESSES, now));
        bucket.take(1.0);
        if bucket.wait(now).is_some() {
            tracing::warn!(alarm = true, %terminal, "too many wrong codes were asked about at a terminal");
        }
    }
}

/// The thread that opens questions.
fn work<S: Seal>(seal: &S, list: &mpsc::Receiver<Job>) {
    while let Ok(job) = list.recv() {
        // Nobody waits for it any more.
        if job.until <= Instant::now() || job.answer.is_closed() {
            continue;
        }
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let plaintext = seal.open(&job.question).ok()?;
            Question::from_plaintext(&plaintext).ok()
        }));
        drop(job.answer.send(opened.ok().flatten()));
    }
}
