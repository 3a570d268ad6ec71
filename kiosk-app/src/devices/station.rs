//! What the thread of every device does alike: it opens the device, opens it again after it was lost, takes orders
//! from a bounded queue, and keeps its health known. What a device is, its [`Station`] knows.
//!
//! ```text
//! session ── order ──► Hand ──► queue ──► thread { open · turn · obey } ──► inbox
//!                       plug put in ──┘                └──► health
//! ```

use super::health::{HealthBook, Trouble};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// Orders that wait for a busy device. A resident gives one at a time.
const ORDERS_MAX: usize = 16;
/// Pauses between tries to open a device that is away. With the longest, and the time it takes to open, it is usable
/// again within two seconds of coming back, even where nobody notices the plug.
const REOPEN: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_millis(1_200)];

/// A device and what the session wants of it. Each call blocks at most as long as the driver's own deadlines.
pub trait Station: Send + 'static {
    /// What can be asked of it.
    type Order: Send + 'static;

    /// Opens the device, and makes sure that it is there: a line can be opened while nobody answers at its other end.
    fn open(&mut self) -> Result<(), Trouble>;
    /// Lets go of a device that was lost.
    fn close(&mut self);
    /// A look at the open device, or the next piece of work. An error means that the device is lost.
    fn turn(&mut self) -> Result<(), Trouble>;
    /// Takes an order, also while the device is away: then what must be answered is answered now. An error means that
    /// the device is lost.
    fn obey(&mut self, order: Self::Order) -> Result<(), Trouble>;
    /// Time between two turns.
    fn pause(&self) -> Duration;
    /// The device came, or is away; said once for each change.
    fn report(&mut self, here: bool);
}

enum Call<O> {
    Order(O),
    /// Something was plugged in or pulled out somewhere.
    Look,
}

/// The other end of a device's queue.
pub struct Hand<O>(SyncSender<Call<O>>);

impl<O> Clone for Hand<O> {
    fn clone(&self) -> Self {
        Hand(self.0.clone())
    }
}

impl<O: Send + 'static> Hand<O> {
    /// Gives an order. It comes back when the device is so busy, or hangs so long, that its queue is full.
    pub fn order(&self, order: O) -> Result<(), O> {
        self.0.try_send(Call::Order(order)).map_err(|error| match error {
            TrySendError::Full(Call::Order(order)) | TrySendError::Disconnected(Call::Order(order)) => order,
            TrySendError::Full(Call::Look) | TrySendError::Disconnected(Call::Look) => {
                unreachable!("an order was sent")
            }
        })
    }

    /// Lets the thread look at once. One look that waits is as good as two.
    pub fn look(&self) {
        let _ = self.0.try_send(Call::Look);
    }
}

/// Starts the thread of a device.
pub fn spawn<S: Station>(
    name: &'static str,
    station: S,
    health: HealthBook,
) -> std::io::Result<Hand<S::Order>> {
    let (sender, calls) = sync_channel(ORDERS_MAX);
    let supervisor = Supervisor { name, station, health, state: State::Unknown };
    std::thread::Builder::new().name(name.into()).spawn(move || supervisor.run(&calls))?;
    Ok(Hand(sender))
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Unknown,
    Here,
    /// Not there; so many tries to open it failed.
    Away(usize),
}

struct Supervisor<S> {
    name: &'static str,
    station: S,
    health: HealthBook,
    state: State,
}

impl<S: Station> Supervisor<S> {
    fn run(mut self, calls: &Receiver<Call<S::Order>>) {
        loop {
            self.step();
            match calls.recv_timeout(self.pause()) {
                Ok(call) => self.take(call),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // The newest order counts: a stop must not wait behind a turn.
            while let Ok(call) = calls.try_recv() {
                self.take(call);
            }
        }
    }

    fn pause(&self) -> Duration {
        match self.state {
            State::Here => self.station.pause(),
            State::Unknown => REOPEN[0],
            State::Away(tries) => REOPEN[tries.min(REOPEN.len() - 1)],
        }
    }

    fn step(&mut self) {
        let outcome = match self.state {
            State::Here => guarded(|| self.station.turn()),
            State::Unknown | State::Away(_) => guarded(|| self.station.open()),
        };
        match outcome {
            Ok(()) => self.here(),
            Err(trouble) => self.away(trouble),
        }
    }

    fn take(&mut self, call: Call<S::Order>) {
        let outcome = match call {
            Call::Order(order) => guarded(|| self.station.obey(order)),
            Call::Look => return,
        };
        if let Err(trouble) = outcome {
            self.away(trouble);
        }
    }

    fn here(&mut self) {
        if self.state != State::Here {
            tracing::info!(device = self.name, "a device is here");
            self.state = State::Here;
            self.station.report(true);
            self.health.note(self.name, None);
        }
    }

    fn away(&mut self, trouble: Trouble) {
        self.station.close();
        let tries = match self.state {
            State::Away(tries) => tries.saturating_add(1),
            State::Unknown | State::Here => {
                tracing::warn!(device = self.name, %trouble, "a device is away");
                self.station.report(false);
                0
            }
        };
        self.state = State::Away(tries);
        self.health.note(self.name, Some(trouble));
    }
}

/// A panic in a driver is that device's trouble and nobody else's.
fn guarded(work: impl FnOnce() -> Result<(), Trouble>) -> Result<(), Trouble> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Trouble::PANIC))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(10);

    /// What the test decides about the device, and what the device tells the test.
    struct Bench {
        plugged: Arc<Mutex<bool>>,
        told: Sender<String>,
    }

    enum Order {
        Say(&'static str),
        Panic,
        Hang(Receiver<()>),
    }

    impl Station for Bench {
        type Order = Order;

        fn open(&mut self) -> Result<(), Trouble> {
            if *self.plugged.lock().unwrap() { Ok(()) } else { Err(Trouble("test-gone")) }
        }

        fn close(&mut self) {}

        fn turn(&mut self) -> Result<(), Trouble> {
            self.open()
        }

        fn obey(&mut self, order: Order) -> Result<(), Trouble> {
            match order {
                Order::Say(word) => self.told.send(word.into()).unwrap(),
                Order::Panic => panic!("a driver's own mistake"),
                Order::Hang(until) => drop(until.recv()),
            }
            Ok(())
        }

        fn pause(&self) -> Duration {
            Duration::from_millis(5)
        }

        fn report(&mut self, here: bool) {
            self.told.send(format!("here: {here}")).unwrap();
        }
    }

    fn bench(plugged: bool) -> (Hand<Order>, Arc<Mutex<bool>>, Receiver<String>) {
        let (told, said) = channel();
        let plugged = Arc::new(Mutex::new(plugged));
        let station = Bench { plugged: plugged.clone(), told };
        (spawn("test-device", station, HealthBook::forgetful()).unwrap(), plugged, said)
    }

    fn next(said: &Receiver<String>) -> String {
        said.recv_timeout(LONG).expect("the device says something")
    }

    #[test]
    fn coming_and_going_are_said_once_and_a_look_finds_it_at_once() {
        let (hand, plugged, said) = bench(false);
        assert_eq!(next(&said), "here: false");
        *plugged.lock().unwrap() = true;
        let back = Instant::now();
        hand.look();
        assert_eq!(next(&said), "here: true");
        assert!(back.elapsed() < Duration::from_secs(2), "also without the look");
        *plugged.lock().unwrap() = false;
        assert_eq!(next(&said), "here: false");
        hand.order(Order::Say("an order while it is away")).ok().unwrap();
        assert_eq!(next(&said), "an order while it is away");
    }

    #[test]
    fn a_panic_loses_the_device_and_not_its_thread() {
        let (hand, _, said) = bench(true);
        assert_eq!(next(&said), "here: true");
        hand.order(Order::Panic).ok().unwrap();
        assert_eq!(next(&said), "here: false");
        assert_eq!(next(&said), "here: true");
        hand.order(Order::Say("still working")).ok().unwrap();
        assert_eq!(next(&said), "still working");
    }

    #[test]
    fn a_device_that_hangs_gives_orders_back_and_never_blocks() {
        let (hand, _, said) = bench(true);
        assert_eq!(next(&said), "here: true");
        let (release, until) = channel();
        hand.order(Order::Hang(until)).ok().unwrap();
        let refused = (0..=2 * ORDERS_MAX).find(|_| hand.order(Order::Say("later")).is_err());
        assert!(refused.is_some_and(|at| at <= ORDERS_MAX), "{refused:?}");
        release.send(()).unwrap();
        assert_eq!(next(&said), "later");
    }
}
