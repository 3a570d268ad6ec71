//! The hand on the engine, over the true program: a child for each session, which ends with it.

use super::*;
use crate::inbox::{Message, inbox};
use kiosk_core::private::Private;
use kiosk_core::session::Event;
use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use tempfile::TempDir;

/// Generous: a busy machine is no fault of the engine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The built program, above the test's own.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let built = own.ancestors().map(|folder| folder.join("chinese-input")).find(|program| program.is_file());
    built.expect("the programs are not built: run `cargo build --workspace --bins` first")
}

struct Bench {
    hand: TypingHand,
    messages: async_channel::Receiver<Message>,
    asked: u64,
    _folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new(program()).arg("deploy").arg(folder.path()).status().unwrap();
        assert!(made.success());
        Self::with(Some((program(), folder)))
    }

    fn with(engine: Option<(PathBuf, TempDir)>) -> Self {
        let (inbox, messages) = inbox();
        let (program, folder) = match engine {
            Some((program, folder)) => (Some(program), folder),
            None => (None, tempfile::tempdir().unwrap()),
        };
        let typing = program.map(|program| config::Typing {
            program,
            tables: folder.path().to_owned(),
            dictionaries: None,
            model: None,
        });
        let hand = TypingHand::spawn(typing.as_ref(), inbox).unwrap();
        Bench { hand, messages, asked: 0, _folder: folder }
    }

    /// Asks without waiting.
    fn put(&mut self, question: EngineQuestion) -> Ticket {
        self.asked += 1;
        self.hand.ask(Ticket(self.asked), question);
        Ticket(self.asked)
    }

    fn next(&self) -> EngineAnswer {
        match self.messages.recv_blocking().unwrap() {
            Message::Event(Event::Engine(answer)) => answer,
            other => panic!("no answer of the engine but {other:?}"),
        }
    }

    fn ask(&mut self, question: EngineQuestion) -> EngineAnswer {
        let ticket = self.put(question);
        let answer = self.next();
        assert_eq!(ticket_of(&answer), ticket);
        answer
    }

    fn open(&mut self, method: Method) {
        let answer = self.ask(EngineQuestion::Open(method, Script::Simplified));
        assert!(matches!(answer, EngineAnswer::Composed { .. }), "{answer:?}");
    }

    /// The candidates after these keys.
    fn type_in(&mut self, keys: &str) -> Vec<String> {
        let mut last = Vec::new();
        for key in keys.chars() {
            last = candidates(self.ask(EngineQuestion::Enter(Mark::Key(key))));
        }
        last
    }
}

fn ticket_of(answer: &EngineAnswer) -> Ticket {
    match answer {
        EngineAnswer::Composed { ticket, .. } | EngineAnswer::Lost(ticket, _) => *ticket,
    }
}

fn candidates(answer: EngineAnswer) -> Vec<String> {
    let EngineAnswer::Composed { candidates, .. } = answer else { panic!("the engine was lost") };
    candidates.iter().map(|candidate| candidate.expose().clone()).collect()
}

/// The program's processes that this one has started.
fn children() -> Vec<i32> {
    let listed = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let own = std::process::id().to_string();
    numbers
        .filter(|pid: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // PID (NAME) STATE PARENT …; a process that has ended and was not waited for has no state but Z.
            let Some((head, rest)) = stat.rsplit_once(") ") else { return false };
            head.ends_with("(chinese-input") && rest.split(' ').nth(1) == Some(&own)
        })
        .collect()
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::yield_now();
    }
}

#[test]
fn keys_and_strokes_have_candidates_and_a_choice_is_final() {
    let mut bench = Bench::new();
    bench.open(Method::Pinyin);
    assert_eq!(bench.type_in("dongguan")[0], "东莞");
    let EngineAnswer::Composed { committed, typed, .. } = bench.ask(EngineQuestion::Choose(0)) else {
        panic!("the engine was lost")
    };
    assert_eq!((committed.expose().as_str(), typed.expose().as_str()), ("东莞", ""));

    bench.open(Method::Handwriting);
    let line = |from, to| {
        let point = |(x, y)| PenPoint { x, y };
        Mark::Stroke(Private::new(vec![point(from), point(to)]))
    };
    bench.ask(EngineQuestion::Enter(line((100, 480), (900, 480))));
    let crossed = candidates(bench.ask(EngineQuestion::Enter(line((500, 80), (500, 920)))));
    assert!(crossed[..5].contains(&"十".to_owned()), "{crossed:?}");
}

/// What the session waits for between a touch and what can be shown: through this thread, the child, and back. Printed,
/// for the goals of 10 ms after a key and 60 ms after pen up; a busy machine is no failure.
#[test]
fn how_long_candidates_take() {
    let mut bench = Bench::new();
    let mut figures = Vec::new();
    bench.open(Method::Pinyin);
    for _ in 0..20 {
        for key in "zhuhaishi".chars() {
            let begun = Instant::now();
            bench.ask(EngineQuestion::Enter(Mark::Key(key)));
            figures.push(begun.elapsed());
        }
        bench.ask(EngineQuestion::Clear);
    }
    print("after a key", figures);
    let mut figures = Vec::new();
    bench.open(Method::Handwriting);
    for _ in 0..10 {
        for row in 1..9 {
            let point = |x| PenPoint { x, y: row * 100 };
            let stroke = Private::new((100..900).step_by(10).map(point).collect());
            let begun = Instant::now();
            bench.ask(EngineQuestion::Enter(Mark::Stroke(stroke)));
            figures.push(begun.elapsed());
        }
        bench.ask(EngineQuestion::Clear);
    }
    print("after pen up", figures);
}

fn print(what: &str, mut figures: Vec<Duration>) {
    figures.sort();
    let (median, last) = (figures[figures.len() / 2], figures[figures.len() - 1]);
    println!(
        "candidates {what}: median {median:?}, of 100 the 99th {:?}, longest {last:?}",
        figures[figures.len() * 99 / 100]
    );
}

#[test]
fn the_child_and_all_it_remembers_end_with_the_session() {
    let mut bench = Bench::new();
    bench.open(Method::Pinyin);
    let before = bench.type_in("li");
    bench.ask(EngineQuestion::Choose(4));
    assert_eq!(bench.type_in("li")[0], before[4], "what was used last comes first");
    let [child] = children()[..] else { panic!("one child: {:?}", children()) };

    bench.hand.forget();
    until("the child's end", || !Path::new(&format!("/proc/{child}")).exists());
    bench.open(Method::Pinyin);
    assert_eq!(bench.type_in("li"), before, "and the next session begins afresh");
    assert_ne!(children(), [child]);
}

#[test]
fn what_an_ended_session_still_wanted_is_not_asked() {
    let mut bench = Bench::new();
    bench.open(Method::Pinyin);
    let child = children()[0];
    kill_process(Pid::from_raw(child).unwrap(), Signal::STOP).unwrap();
    // The child does not answer; behind this question others wait when the session ends.
    let hanging = bench.put(EngineQuestion::Enter(Mark::Key('n')));
    bench.put(EngineQuestion::Enter(Mark::Key('i')));
    bench.hand.forget();
    let opened = bench.put(EngineQuestion::Open(Method::Pinyin, Script::Simplified));
    let mut answered = vec![ticket_of(&bench.next())];
    if answered[0] == hanging {
        answered.push(ticket_of(&bench.next()));
    }
    assert_eq!(answered.last(), Some(&opened));
    assert!(!answered.contains(&Ticket(3)), "{answered:?}");
    assert!(!Path::new(&format!("/proc/{child}")).exists());
}

#[test]
fn a_killed_child_is_said_and_replaced() {
    let mut bench = Bench::new();
    bench.open(Method::Strokes);
    kill_process(Pid::from_raw(children()[0]).unwrap(), Signal::KILL).unwrap();
    let answer = bench.ask(EngineQuestion::Enter(Mark::Key('p')));
    assert_eq!(answer, EngineAnswer::Lost(Ticket(2), Remedy::Retry));
    bench.open(Method::Strokes);
    assert_eq!(bench.type_in("pn")[0], "人");
}

#[test]
fn without_a_program_or_its_tables_only_an_operator_can_help() {
    let gone = Remedy::CallOperator(FaultCode::Typing);
    let open = || EngineQuestion::Open(Method::Pinyin, Script::Simplified);
    assert_eq!(Bench::with(None).ask(open()), EngineAnswer::Lost(Ticket(1), gone));
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(Bench::with(Some((program(), empty))).ask(open()), EngineAnswer::Lost(Ticket(1), gone));
    let nowhere = (PathBuf::from("/nonexistent/program"), tempfile::tempdir().unwrap());
    assert_eq!(Bench::with(Some(nowhere)).ask(open()), EngineAnswer::Lost(Ticket(1), gone));
}
