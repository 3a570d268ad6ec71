//! The session's hand on the engine behind the keyboard on the screen: one thread, and a child process for each session.
//!
//! The thread alone speaks to the child (`chinese_input::InputClient`), one question at a time, each with a deadline. What
//! was used last lives beside it and is forgotten with the child. A session that ends skips its questions that nobody has
//! asked yet: at most the one on its way is waited for, and then the child is gone.
//!
//! Absent: a log of anything typed, a child that sees two residents.

#[cfg(test)]
mod tests;

use crate::config;
use crate::inbox::Inbox;
use chinese_input::{
    ClientConfig, Composition, InputClient, InputEngine, InputError, Key, Point, RIME_DATA, RecentFirst,
    Sources, Stroke, ZINNIA_MODEL,
};
use kiosk_core::remedy::{FaultCode, Remedy};
use kiosk_core::session::{EngineAnswer, EngineQuestion, Mark, Method, PenPoint, Script, Ticket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// More questions than a quick finger asks while one is answered.
const QUESTIONS_MAX: usize = 64;
/// How long a child may take to start and to answer. Together with the end of a session they stay within the three
/// seconds in which everything of it is wiped.
const WITHIN: Duration = Duration::from_secs(2);

/// What the thread is told.
enum Order {
    /// Of this session.
    Ask(u64, Ticket, EngineQuestion),
    /// The session is over. The number says so as well; this only wakes the thread.
    Forget,
}

/// The session's hand on the engine.
pub struct TypingHand {
    orders: SyncSender<Order>,
    /// Counts sessions, so that nothing of an older one is asked any more.
    session: Arc<AtomicU64>,
    inbox: Inbox,
}

impl TypingHand {
    /// Starts the thread; the child comes with the first question. Without a program every question has the answer that
    /// there is none.
    pub fn spawn(typing: Option<&config::Typing>, inbox: Inbox) -> std::io::Result<Self> {
        let (sender, orders) = sync_channel(QUESTIONS_MAX);
        let session = Arc::new(AtomicU64::new(0));
        let client = typing.map(|typing| InputClient::new(client(typing), FIRST.0, FIRST.1));
        let worker = Worker {
            engine: client.map(RecentFirst::new),
            drawing: false,
            inbox: inbox.clone(),
            session: session.clone(),
            served: 0,
        };
        std::thread::Builder::new().name("typing".into()).spawn(move || worker.run(&orders))?;
        Ok(TypingHand { orders: sender, session, inbox })
    }

    /// Asks; answers with this ticket.
    pub fn ask(&self, ticket: Ticket, question: EngineQuestion) {
        let session = self.session.load(Ordering::SeqCst);
        if self.orders.try_send(Order::Ask(session, ticket, question)).is_err() {
            tracing::warn!("the input engine does not keep up");
            self.inbox.engine(EngineAnswer::Lost(ticket, Remedy::Retry));
        }
    }

    /// The session is over: nothing more of it is asked, and its child ends. Never blocks.
    pub fn forget(&self) {
        self.session.fetch_add(1, Ordering::SeqCst);
        // When there is no room the thread has orders to look at, and sees by their number that they are over.
        let _ = self.orders.try_send(Order::Forget);
    }
}

/// A client has a way of typing from the beginning; each field names its own before anything is typed.
const FIRST: (chinese_input::Method, chinese_input::Script) =
    (chinese_input::Method::Pinyin, chinese_input::Script::Simplified);

fn client(typing: &config::Typing) -> ClientConfig {
    let sources = Sources {
        rime_data: typing.dictionaries.clone().unwrap_or_else(|| RIME_DATA.into()),
        deployed: typing.tables.clone(),
        model: typing.model.clone().unwrap_or_else(|| ZINNIA_MODEL.into()),
    };
    ClientConfig {
        start_within: WITHIN,
        answer_within: WITHIN,
        ..ClientConfig::new(typing.program.clone(), sources)
    }
}

struct Worker {
    engine: Option<RecentFirst<InputClient>>,
    /// Opened for handwriting.
    drawing: bool,
    inbox: Inbox,
    session: Arc<AtomicU64>,
    /// The session that the child, if there is one, belongs to.
    served: u64,
}

impl Worker {
    fn run(mut self, orders: &Receiver<Order>) {
        while let Ok(order) = orders.recv() {
            self.follow_session();
            match order {
                Order::Ask(session, ticket, question) if session == self.served => {
                    let answer = self.answer(ticket, question);
                    self.inbox.engine(answer);
                }
                Order::Ask(..) | Order::Forget => {}
            }
        }
    }

    /// The child of a session that is over ends before anything of the next one is looked at.
    fn follow_session(&mut self) {
        let session = self.session.load(Ordering::SeqCst);
        if std::mem::replace(&mut self.served, session) != session
            && let Some(engine) = &mut self.engine
        {
            // Ending a process cannot fail.
            let _ = engine.forget();
        }
    }

    fn answer(&mut self, ticket: Ticket, question: EngineQuestion) -> EngineAnswer {
        let Some(engine) = &mut self.engine else {
            return EngineAnswer::Lost(ticket, Remedy::CallOperator(FaultCode::Typing));
        };
        if let EngineQuestion::Open(method, _) = &question {
            self.drawing = *method == Method::Handwriting;
        }
        let asked = match question {
            EngineQuestion::Open(method, script) => open(engine, method, script),
            // What was used last stands before the rest for the same keys; a drawing is never quite the same.
            question if self.drawing => ask(engine.engine_mut(), question),
            question => ask(engine, question),
        };
        match asked {
            Ok(Composition { typed, candidates, committed }) => {
                EngineAnswer::Composed { ticket, typed, candidates, committed }
            }
            Err(error) => {
                // It names a file, a code or a signal, and nothing that was typed.
                tracing::warn!(error = &error as &dyn std::error::Error, "the input engine was lost");
                EngineAnswer::Lost(ticket, remedy(&error))
            }
        }
    }
}

fn open(
    engine: &mut RecentFirst<InputClient>,
    method: Method,
    script: Script,
) -> Result<Composition, InputError> {
    engine.clear()?;
    engine.engine_mut().switch(method_of(method), script_of(script))?;
    engine.engine_mut().start()?;
    Ok(Composition::empty())
}

fn ask(engine: &mut dyn InputEngine, question: EngineQuestion) -> Result<Composition, InputError> {
    match question {
        // It changes what stands behind every other question, and is done by `open`.
        EngineQuestion::Open(..) => Ok(Composition::empty()),
        EngineQuestion::Enter(mark) => match mark_of(&mark) {
            Some(mark) => engine.enter(&mark),
            // A key that no engine has a use for.
            None => Ok(Composition::empty()),
        },
        EngineQuestion::Choose(at) => engine.choose(at),
        EngineQuestion::TakeBack => engine.take_back(),
        EngineQuestion::Clear => engine.clear().map(|()| Composition::empty()),
    }
}

fn remedy(error: &InputError) -> Remedy {
    match error.remedy() {
        chinese_input::Remedy::Retry => Remedy::Retry,
        chinese_input::Remedy::Unavailable => Remedy::CallOperator(FaultCode::Typing),
    }
}

fn method_of(method: Method) -> chinese_input::Method {
    match method {
        Method::Pinyin => chinese_input::Method::Pinyin,
        Method::Jyutping => chinese_input::Method::Jyutping,
        Method::Strokes => chinese_input::Method::Strokes,
        Method::Handwriting => chinese_input::Method::Handwriting,
    }
}

fn script_of(script: Script) -> chinese_input::Script {
    match script {
        Script::Simplified => chinese_input::Script::Simplified,
        Script::Traditional => chinese_input::Script::Traditional,
    }
}

fn mark_of(mark: &Mark) -> Option<chinese_input::Mark> {
    match mark {
        Mark::Key(key) => Key::new(*key).map(chinese_input::Mark::Key),
        Mark::Stroke(points) => {
            let point = |point: &PenPoint| Point { x: point.x, y: point.y };
            let points = zeroize::Zeroizing::new(points.expose().iter().map(point).collect::<Vec<_>>());
            Stroke::new(&points).map(chinese_input::Mark::Stroke)
        }
    }
}
