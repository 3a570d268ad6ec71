//! What can be wrong between the simulated printer and its host: noise, delay, a line that drops.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Trouble on the line; none at the start.
#[derive(Default)]
pub(super) struct Trouble {
    /// A byte of noise stands before every so many bytes of the printer's; 0 for none.
    noise_every: u32,
    since_noise: u32,
    random: u32,
    delay: Duration,
    waiting: VecDeque<(Instant, Vec<u8>)>,
    /// Bytes that the host may still send until the line drops.
    drops_after: Option<u64>,
    dropped: bool,
    /// The printer takes no more bytes and does nothing.
    pub(super) stuck: bool,
    /// The printer hears nothing and says nothing.
    pub(super) silent: bool,
}

impl Trouble {
    pub(super) fn set_noise(&mut self, every: u32) {
        (self.noise_every, self.since_noise) = (every, 0);
    }

    pub(super) fn set_delay(&mut self, delay: Duration) {
        self.delay = delay;
    }

    pub(super) fn drop_after(&mut self, bytes: u64) {
        self.drops_after = Some(bytes);
    }

    /// How many of `count` bytes arrive before the line drops.
    pub(super) fn let_in(&mut self, count: usize) -> usize {
        if self.dropped {
            return 0;
        }
        let Some(left) = self.drops_after else { return count };
        if (count as u64) < left {
            self.drops_after = Some(left - count as u64);
            return count;
        }
        self.drops_after = None;
        self.dropped = true;
        left as usize
    }

    /// Whether the line has dropped, since the power came.
    pub(super) fn has_dropped(&self) -> bool {
        self.dropped
    }

    /// What leaves the printer by `now`, given what it says now.
    pub(super) fn pass(&mut self, said: &[u8], now: Instant) -> Vec<u8> {
        if !said.is_empty() {
            let said = self.with_noise(said);
            self.waiting.push_back((now + self.delay, said));
        }
        let mut leaving = Vec::new();
        while let Some((_, bytes)) = self.waiting.pop_front_if(|(at, _)| *at <= now) {
            leaving.extend(bytes);
        }
        leaving
    }

    /// When something leaves next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.front().map(|(at, _)| *at)
    }

    /// The power is gone: what has not left is lost.
    pub(super) fn power_off(&mut self) {
        self.waiting.clear();
        self.dropped = false;
    }

    fn with_noise(&mut self, said: &[u8]) -> Vec<u8> {
        let mut noisy = Vec::with_capacity(said.len() * 2);
        for byte in said {
            self.since_noise += 1;
            if self.since_noise == self.noise_every {
                self.since_noise = 0;
                self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // The highest bit is in no answer. Without it noise could be a true answer, and nobody could tell.
                noisy.push((self.random >> 24) as u8 | 0x80);
            }
            noisy.push(*byte);
        }
        noisy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_stands_between_the_bytes_and_takes_none_away() {
        let mut trouble = Trouble::default();
        trouble.set_noise(3);
        let now = Instant::now();
        let heard = trouble.pass(&[1, 2, 3, 4, 5, 6, 7], now);
        let said: Vec<u8> = heard.iter().copied().filter(|byte| byte & 0x80 == 0).collect();
        assert_eq!((said, heard.len()), (vec![1, 2, 3, 4, 5, 6, 7], 9));
    }

    #[test]
    fn answers_are_delayed_in_order() {
        let mut trouble = Trouble::default();
        let now = Instant::now();
        let late = Duration::from_millis(70);
        trouble.set_delay(late);
        assert!(trouble.pass(&[1], now).is_empty());
        assert_eq!(trouble.next_due(), Some(now + late));
        assert_eq!(trouble.pass(&[2], now + late), [1]);
        assert_eq!(trouble.pass(&[], now + late * 2), [2]);
    }

    #[test]
    fn the_line_drops_behind_the_byte() {
        let mut trouble = Trouble::default();
        trouble.drop_after(10);
        assert_eq!((trouble.let_in(9), trouble.has_dropped()), (9, false));
        assert_eq!((trouble.let_in(9), trouble.has_dropped()), (1, true));
        assert_eq!((trouble.let_in(9), trouble.has_dropped()), (0, true));
        trouble.power_off();
        assert_eq!((trouble.let_in(9), trouble.has_dropped()), (9, false), "once");
    }
}
