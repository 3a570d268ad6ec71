//! A process of the simulation: the surroundings that the true agent stands on, and the tasks it started. One thread
//! polls them in one order; what they wait for is in the hands of the simulation.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use reqwest::{Request, RequestBuilder, Response};
use sync_agent::client::{Cause, Refused};
use sync_agent::surroundings::{Later, Surroundings, read_part};
use tokio::sync::oneshot;

use crate::chance::Chance;

/// Where the answer to a request goes.
pub type Answer = oneshot::Sender<Result<Response, Refused>>;

/// A request that the process made.
pub struct Call {
    /// What it asks.
    pub request: Request,
    /// Where the answer goes.
    pub answer: Answer,
}

/// The clocks of one machine, which all its processes see.
#[derive(Clone)]
pub struct Clocks {
    /// The simulation's time in milliseconds.
    pub now_ms: Arc<AtomicU64>,
    /// What the machine's wall clock shows when the simulation begins; jumps.
    pub wall_offset_ms: Arc<AtomicI64>,
    /// Name of the boot, and its time.
    pub boot: (String, u64),
}

impl Clocks {
    /// The wall clock of this machine.
    pub fn wall_ms(&self) -> i64 {
        self.wall_offset_ms.load(Ordering::Relaxed) + self.now_ms.load(Ordering::Relaxed) as i64
    }

    /// The simulation's time.
    pub fn now(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }
}

/// See the module.
pub struct Process {
    clocks: Clocks,
    born_ms: u64,
    inner: Mutex<Inner>,
}

struct Inner {
    chance: Chance,
    timers: BTreeMap<(u64, u64), Waker>,
    timers_made: u64,
    spawned: Vec<Later<()>>,
    calls: Vec<Call>,
}

impl Process {
    /// A process that begins now.
    pub fn new(clocks: Clocks, chance: Chance) -> Arc<Self> {
        let inner =
            Inner { chance, timers: BTreeMap::new(), timers_made: 0, spawned: Vec::new(), calls: Vec::new() };
        Arc::new(Self { born_ms: clocks.now(), clocks, inner: Mutex::new(inner) })
    }

    /// What it asked since the last time.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.inner().calls)
    }

    /// When something in it wants to go on.
    pub fn next_timer_ms(&self) -> Option<u64> {
        self.inner().timers.keys().next().map(|(at, _)| *at)
    }

    /// Wakes what has waited long enough.
    fn ring(&self) {
        let now = self.clocks.now();
        let later = self.inner().timers.split_off(&(now + 1, 0));
        let due = std::mem::replace(&mut self.inner().timers, later);
        due.into_values().for_each(Waker::wake);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The surroundings of one process; shared by everything in it.
pub struct Around(pub Arc<Process>);

impl Surroundings for Around {
    fn now_ms(&self) -> u64 {
        self.0.clocks.now() - self.0.born_ms
    }

    fn wall_ms(&self) -> i64 {
        self.0.clocks.wall_ms()
    }

    fn since_boot_ms(&self) -> Option<u64> {
        Some(self.0.clocks.now() - self.0.clocks.boot.1)
    }

    fn boot_id(&self) -> String {
        self.0.clocks.boot.0.clone()
    }

    fn random(&self) -> u64 {
        self.0.inner().chance.next()
    }

    fn sleep_until(&self, at_ms: u64) -> Later<()> {
        let mut inner = self.0.inner();
        inner.timers_made += 1;
        let key = (self.0.born_ms.saturating_add(at_ms), inner.timers_made);
        Box::pin(Sleep { process: Arc::clone(&self.0), key })
    }

    fn spawn(&self, work: Later<()>) {
        self.0.inner().spawned.push(work);
    }

    fn send(&self, call: RequestBuilder) -> Later<Result<Response, Refused>> {
        let (answer, wait) = oneshot::channel();
        let request = call.build().expect("the agent makes whole requests");
        self.0.inner().calls.push(Call { request, answer });
        Box::pin(async { wait.await.unwrap_or_else(|_| Err(Cause::Broken.into())) })
    }

    fn read(&self, path: PathBuf, range: Range<u64>) -> Later<io::Result<Vec<u8>>> {
        let read = read_part(&path, range);
        Box::pin(async { read })
    }
}

struct Sleep {
    process: Arc<Process>,
    key: (u64, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.process.clocks.now() >= self.key.0 {
            return Poll::Ready(());
        }
        self.process.inner().timers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.process.inner().timers.remove(&self.key);
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type Task = (Pin<Box<dyn Future<Output = ()>>>, Arc<Flag>);

/// The tasks of one process.
#[derive(Default)]
pub struct Tasks(Vec<Task>);

impl Tasks {
    /// Adds a task.
    pub fn add(&mut self, work: Pin<Box<dyn Future<Output = ()>>>) {
        self.0.push((work, Arc::new(Flag(AtomicBool::new(true)))));
    }

    /// Polls until nothing goes on. `false` when the first task, which is the process itself, has ended.
    pub fn run(&mut self, process: &Process) -> bool {
        process.ring();
        loop {
            let mut went_on = false;
            let mut ended = Vec::new();
            for (at, (work, flag)) in self.0.iter_mut().enumerate() {
                if flag.0.swap(false, Ordering::Relaxed) {
                    went_on = true;
                    let waker = Waker::from(Arc::clone(flag));
                    if work.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                        ended.push(at);
                    }
                }
            }
            if ended.first() == Some(&0) {
                return false;
            }
            for at in ended.into_iter().rev() {
                drop(self.0.remove(at));
            }
            let spawned = std::mem::take(&mut process.inner().spawned);
            for work in spawned {
                went_on = true;
                self.add(work);
            }
            if !went_on {
                return true;
            }
        }
    }
}
