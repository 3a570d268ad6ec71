//! The one loop of a run: virtual time, the events in their order, and what becomes of every request between the
//! terminals and the city.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use city_gateway::simulation::{self, Caller};
use reqwest::Response;
use sync_agent::client::{Cause, Refused};
use sync_protocol::{CityReceiptKey, CityReceiptPublicKey};

use crate::chance::Chance;
use crate::city::{Answered, Asked, CityHouse};
use crate::faults::Fault;
use crate::kiosk::{Office, Visit};
use crate::mutation::Mutation;
use crate::network::{Link, Way, gives_up_after_ms, impostor_says};
use crate::process::{Answer, Call};
use crate::terminal::Terminal;
use crate::trace::Trace;
use crate::truth::Truth;

/// What all wall clocks show when a run begins: a day in 2026.
pub const MORNING_MS: i64 = 1_795_300_000_000;

/// Time between two rounds of the opener, and of a kiosk's care.
const OPENER_MS: u64 = 20_000;
const CARE_MS: u64 = 60_000;

/// Something that happens at its time.
pub(crate) enum Event {
    /// A request reaches the city.
    Arrives {
        call: u64,
        terminal: usize,
        asked: Arc<Asked>,
        again: bool,
    },
    /// The sender of a request hears something, or gives up.
    Heard {
        call: u64,
        result: Result<Answered, Refused>,
    },
    /// The disk has written what the agent noted.
    Disk {
        terminal: usize,
        life: u64,
    },
    /// A resident finishes a case.
    Visit(usize),
    /// The kiosk's regular care.
    Care(usize),
    /// The opener's and the sweep's turn.
    Opener,
    /// A process is started.
    AgentUp(usize),
    KioskUp(usize),
    CityUp,
    /// Something goes wrong.
    Fault(Fault),
}

/// Keys and connections that every run can share: making them costs time and decides nothing.
pub struct Kit {
    /// What terminals know and have.
    pub office: Office,
    /// As the city knows each terminal, by its code.
    pub callers: BTreeMap<String, Caller>,
    /// The city's signature.
    pub city_key: CityReceiptKey,
    /// As terminals know it.
    pub city: CityReceiptPublicKey,
    /// Builds requests; never connects.
    pub http: reqwest::Client,
}

/// A run under way.
pub struct World<'a> {
    pub(crate) kit: &'a Kit,
    pub(crate) now_ms: Arc<AtomicU64>,
    pub(crate) chance: Chance,
    pub(crate) trace: Trace,
    pub(crate) truth: Truth,
    pub(crate) city: CityHouse,
    pub(crate) city_wall_ms: i64,
    /// So many next answers are never sent.
    pub(crate) city_dies_at_reply: u64,
    pub(crate) terminals: Vec<Terminal>,
    pub(crate) links: Vec<Link>,
    /// Images of disks, with the terminal's code each.
    pub(crate) images: Vec<(String, PathBuf)>,
    pub(crate) folder: PathBuf,
    pub(crate) mutation: Mutation,
    /// The faults have stopped.
    pub(crate) calm: bool,
    events: BTreeMap<(u64, u64), Event>,
    numbers: u64,
    calls: BTreeMap<u64, Answer>,
    /// What each terminal last heard from the city.
    earlier: BTreeMap<usize, Answered>,
    /// Requests in the present minute of each terminal, and the most there were.
    minute: BTreeMap<usize, (u64, u64)>,
    pub(crate) most_in_a_minute: u64,
    pub(crate) requests: u64,
}

impl<'a> World<'a> {
    pub(crate) fn new(
        kit: &'a Kit,
        seed: u64,
        folder: PathBuf,
        city: CityHouse,
        now_ms: Arc<AtomicU64>,
        mutation: Mutation,
    ) -> Self {
        Self {
            kit,
            now_ms,
            chance: Chance::new(seed, 2),
            trace: Trace::default(),
            truth: Truth::default(),
            city,
            city_wall_ms: MORNING_MS,
            city_dies_at_reply: 0,
            terminals: Vec::new(),
            links: Vec::new(),
            images: Vec::new(),
            folder,
            mutation,
            calm: false,
            events: BTreeMap::new(),
            numbers: 0,
            calls: BTreeMap::new(),
            earlier: BTreeMap::new(),
            minute: BTreeMap::new(),
            most_in_a_minute: 0,
            requests: 0,
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn say(&mut self, who: &str, what: impl std::fmt::Display) {
        let now = self.now();
        self.trace.say(now, who, what);
    }

    /// Puts an event on the list.
    pub(crate) fn at(&mut self, at_ms: u64, event: Event) {
        let number = self.number();
        self.events.insert((at_ms.max(self.now()), number), event);
    }

    pub(crate) fn after(&mut self, ms: u64, event: Event) {
        let now = self.now();
        self.at(now + ms, event);
    }

    /// Goes on until a time.
    pub(crate) fn run_until(&mut self, end_ms: u64) -> Result<()> {
        loop {
            for at in 0..self.terminals.len() {
                self.run_terminal(at)?;
            }
            let event = self.events.first_key_value().map(|((at, _), _)| *at);
            let timer = self.terminals.iter().filter_map(Terminal::next_ms).min();
            let Some(next) = event.into_iter().chain(timer).min().filter(|next| *next < end_ms) else {
                self.set_time(end_ms);
                return Ok(());
            };
            self.set_time(next);
            if event == Some(next)
                && let Some((_, event)) = self.events.pop_first()
            {
                self.happens(event)?;
            }
        }
    }

    fn set_time(&mut self, now_ms: u64) {
        let now_ms = now_ms.max(self.now());
        self.now_ms.store(now_ms, Ordering::Relaxed);
        simulation::it_is(now_ms, self.city_wall_ms + now_ms as i64);
    }

    fn run_terminal(&mut self, at: usize) -> Result<()> {
        let name = self.terminals[at].name.clone();
        for call in self.terminals[at].run().with_context(|| format!("{name}'s agent"))? {
            self.send(at, call)?;
        }
        let terminal = &mut self.terminals[at];
        let most = terminal.disk_ms;
        if let Some(agent) = &mut terminal.agent
            && !agent.disk_due
            && agent.journal.is_waiting()
        {
            agent.disk_due = true;
            let life = agent.life;
            let took = self.chance.between(1, most.max(1));
            self.after(took, Event::Disk { terminal: at, life });
        }
        Ok(())
    }

    /// A terminal asks something: its fate is drawn at once.
    fn send(&mut self, at: usize, call: Call) -> Result<()> {
        let Call { request, answer } = call;
        let number = self.number();
        self.calls.insert(number, answer);
        let path = match request.url().query() {
            Some(query) => format!("{}?{query}", request.url().path()),
            None => request.url().path().to_owned(),
        };
        let body = request.body().map(|body| body.as_bytes().context("a body in pieces")).transpose()?;
        let asked = Arc::new(Asked {
            method: request.method().clone(),
            path,
            headers: request.headers().clone(),
            body: body.unwrap_or_default().to_vec(),
        });
        self.count(at);
        self.after(gives_up_after_ms(), Event::Heard { call: number, result: Err(Cause::Timeout.into()) });
        match self.links[at].way(&mut self.chance) {
            Way::Arrives(after, again) => {
                let event =
                    |again| Event::Arrives { call: number, terminal: at, asked: Arc::clone(&asked), again };
                self.after(after, event(false));
                if let Some(later) = again {
                    self.after(after + later, event(true));
                }
            }
            Way::Fails(after, cause) => {
                let result = self.mutation.heard(self.kit, &asked, Err(cause.into()));
                self.after(after, Event::Heard { call: number, result });
            }
            Way::Impostor(after, impostor) => {
                let said = impostor_says(impostor, self.earlier.get(&at), &mut self.chance);
                let result = self.mutation.heard(self.kit, &asked, said);
                self.after(after, Event::Heard { call: number, result });
            }
        }
        Ok(())
    }

    /// Counts requests: a terminal that floods the city is a violation of its own.
    fn count(&mut self, at: usize) {
        self.requests += 1;
        let now_minute = self.now() / 60_000;
        let (minute, count) = self.minute.entry(at).or_default();
        if *minute != now_minute {
            (*minute, *count) = (now_minute, 0);
        }
        *count += 1;
        self.most_in_a_minute = self.most_in_a_minute.max(*count);
    }

    fn happens(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Arrives { call, terminal, asked, again } => self.arrives(call, terminal, &asked, again),
            Event::Heard { call, result } => {
                if let Some(answer) = self.calls.remove(&call) {
                    // Nobody may be there any more to hear it.
                    let _ = answer.send(result.map(response));
                }
                Ok(())
            }
            Event::Disk { terminal, life } => self.disk_writes(terminal, life),
            Event::Visit(at) => self.visit(at),
            Event::Care(at) => {
                self.after(CARE_MS, Event::Care(at));
                if self.now() < self.terminals[at].paused_until_ms {
                    return Ok(());
                }
                let name = self.terminals[at].name.clone();
                for done in self.terminals[at].care().with_context(|| format!("{name}'s care"))? {
                    self.say(&name, done);
                }
                // A delivery log that was damaged just now cannot be asked.
                let _ = self.only_receipts_are_believed(at);
                Ok(())
            }
            Event::Opener => {
                self.after(OPENER_MS, Event::Opener);
                let judged = self.city.open_records(&mut self.truth)?;
                if judged > 0 {
                    self.say("city", format!("opens {judged}"));
                }
                self.city.sweep()
            }
            Event::AgentUp(at) => self.agent_up(at),
            Event::KioskUp(at) => self.kiosk_up(at),
            Event::CityUp => self.city_up(),
            Event::Fault(fault) => self.goes_wrong(fault),
        }
    }

    fn visit(&mut self, at: usize) -> Result<()> {
        let at = at % self.terminals.len();
        let terminal = &mut self.terminals[at];
        let name = terminal.name.clone();
        let visit = terminal.visit(&self.kit.office, &mut self.truth)?;
        self.say(
            &name,
            match visit {
                Visit::Promised(number, seq) => format!("promises #{number} at place {seq}"),
                Visit::Closed => "takes no cases".to_owned(),
                Visit::NoRoom => "has no room and promises nothing".to_owned(),
            },
        );
        Ok(())
    }

    fn disk_writes(&mut self, at: usize, life: u64) -> Result<()> {
        let (now, until) = (self.now(), self.terminals[at].paused_until_ms);
        let Some(agent) = self.terminals[at].agent.as_mut().filter(|agent| agent.life == life) else {
            return Ok(());
        };
        if now < until {
            self.at(until, Event::Disk { terminal: at, life });
            return Ok(());
        }
        agent.disk_due = false;
        agent.journal.write_batch();
        Ok(())
    }

    /// A request reaches the city, which answers at once; what becomes of the answer is drawn then.
    fn arrives(&mut self, call: u64, at: usize, asked: &Asked, again: bool) -> Result<()> {
        let terminal = &self.terminals[at];
        let (name, code) = (terminal.name.clone(), terminal.code.clone());
        let caller = self.kit.callers.get(&code).context("a terminal without a certificate")?;
        let described = self.describe(asked);
        let answered = self.city.answer(caller, asked, &mut self.truth)?;
        let Some(answered) = answered else {
            if !again {
                self.after(1, Event::Heard { call, result: Err(Cause::Connect.into()) });
            }
            return Ok(());
        };
        let outcome = self.describe_answer(&answered);
        let twice = if again { " again" } else { "" };
        self.say(&name, format!("{described}{twice} → {outcome}"));
        let answered = match self.mutation.heard(self.kit, asked, Ok(answered)) {
            Ok(answered) => answered,
            Err(_) => return Ok(()),
        };
        // A city with a defect signs what it says all the same.
        if let Some(receipt) = self.mutation.signed_by_the_city(&answered) {
            self.truth.receipts.insert(receipt);
        }
        if self.city_dies_at_reply > 0 {
            self.city_dies_at_reply -= 1;
            self.say("city", "dies before it answers");
            self.city.stop()?;
            let down = self.chance.below(60_000);
            self.after(down, Event::CityUp);
            self.after(1, Event::Heard { call, result: Err(Cause::Broken.into()) });
            return Ok(());
        }
        let link = self.links[at].clone();
        if again || self.chance.permille(link.loses_back) {
            return Ok(());
        }
        self.earlier.insert(at, answered.clone());
        let mut answered = answered;
        if self.chance.permille(link.flips) && !answered.body.is_empty() {
            let byte = self.chance.below(answered.body.len() as u64) as usize;
            answered.body[byte] ^= 1 << self.chance.below(8);
        }
        let back = self.chance.between(1, link.slow_ms.max(2));
        self.after(back, Event::Heard { call, result: Ok(answered) });
        Ok(())
    }

    pub(crate) fn agent_up(&mut self, at: usize) -> Result<()> {
        let life = self.number();
        let terminal = &mut self.terminals[at];
        if terminal.agent.is_none() {
            let name = terminal.name.clone();
            terminal.start_agent(&self.kit.http, &self.kit.city, life)?;
            self.say(&name, "agent starts");
        }
        Ok(())
    }

    pub(crate) fn kiosk_up(&mut self, at: usize) -> Result<()> {
        let terminal = &mut self.terminals[at];
        let name = terminal.name.clone();
        if let Some((closed, new_life)) = terminal.start_kiosk(&self.kit.office, &mut self.truth)? {
            let life = if new_life { ", goes on in a new life" } else { "" };
            self.say(&name, format!("kiosk starts, closes {closed:?}{life}"));
        }
        Ok(())
    }

    pub(crate) fn city_up(&mut self) -> Result<()> {
        if !self.city.is_up() {
            self.city.start()?;
            self.say("city", "is up");
        }
        Ok(())
    }
}

fn response(answered: Answered) -> Response {
    let mut made = axum::http::Response::new(answered.body);
    *made.status_mut() = axum::http::StatusCode::from_u16(answered.status).unwrap_or_default();
    *made.headers_mut() = answered.headers;
    made.into()
}
