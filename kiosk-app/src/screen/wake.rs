//! What wakes the event loop: the screen's side and Slint itself, each with a queue of its own, so that a
//! flood of touches can neither lose nor block the loop's own calls.

use super::Input;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// Wakes the event loop.
pub enum Wake {
    /// From the screen's side.
    Input(Input),
    /// Slint's own: futures and calls from other threads.
    Call(Box<dyn FnOnce() + Send>),
    /// The end.
    Quit,
}

/// Touches that may wait; then the screen's side does.
const INPUTS_MAX: usize = 256;
/// A future asks once until it is polled, so more than these means that the loop hangs.
const CALLS_MAX: usize = 1_024;

/// The writing end, for every thread.
#[derive(Clone)]
pub struct Waker {
    inputs: SyncSender<Input>,
    calls: SyncSender<Wake>,
    bell: SyncSender<()>,
}

/// The event loop's end.
pub struct Wakes {
    inputs: Receiver<Input>,
    calls: Receiver<Wake>,
    bell: Receiver<()>,
}

/// A way into the event loop, made before the platform so that a presenter can hold its writing end.
pub fn wake_channel() -> (Waker, Wakes) {
    let (inputs, inputs_waiting) = sync_channel(INPUTS_MAX);
    let (calls, calls_waiting) = sync_channel(CALLS_MAX);
    // One stroke is enough: the loop empties both queues each time.
    let (bell, rung) = sync_channel(1);
    (Waker { inputs, calls, bell }, Wakes { inputs: inputs_waiting, calls: calls_waiting, bell: rung })
}

impl Waker {
    /// Something came from the screen's side. Waits when the loop is far behind.
    pub fn input(&self, input: Input) -> io::Result<()> {
        self.inputs.send(input).map_err(|_| io::ErrorKind::BrokenPipe)?;
        let _ = self.bell.try_send(());
        Ok(())
    }

    /// Slint wants something done. Never waits: it may be the loop itself that asks.
    pub(super) fn call(&self, wake: Wake) -> Result<(), slint::EventLoopError> {
        self.calls.try_send(wake).map_err(|_| slint::EventLoopError::EventLoopTerminated)?;
        let _ = self.bell.try_send(());
        Ok(())
    }
}

impl Wakes {
    /// Sleeps until something waits, or for so long.
    pub(super) fn sleep(&self, longest: Duration) {
        let _ = self.bell.recv_timeout(longest);
    }

    /// The next thing to do.
    pub(super) fn next(&self) -> Option<Wake> {
        self.calls.try_recv().ok().or_else(|| Some(Wake::Input(self.inputs.try_recv().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_touches_leaves_room_for_the_loops_own_calls() {
        let (waker, wakes) = wake_channel();
        for _ in 0..INPUTS_MAX {
            waker.input(Input::Refresh).unwrap();
        }
        waker.call(Wake::Quit).unwrap();
        wakes.sleep(Duration::ZERO);
        assert!(matches!(wakes.next(), Some(Wake::Quit)));
        let touches = std::iter::from_fn(|| wakes.next()).count();
        assert_eq!(touches, INPUTS_MAX);
    }
}
