//! The lights of the simulated board, with their leases.

use std::time::Instant;

use crate::cabinet::LightPattern;
use crate::cabinet_board::protocol::LightOrder;

/// All lights of one board.
#[derive(Debug)]
pub(super) struct Lights {
    orders: Vec<Option<LightOrder>>,
    /// When the host was last understood: each lease runs from there.
    heard: Option<Instant>,
}

impl Lights {
    pub(super) fn new(count: u8) -> Lights {
        Lights { orders: vec![None; usize::from(count)], heard: None }
    }

    pub(super) fn heard_the_host(&mut self, now: Instant) {
        // A lease that has run out is over: its light stays safe until it is ordered anew.
        for light in 0..self.orders.len() {
            if let Some(order) = self.orders[light].filter(|order| self.has_run_out(order, now)) {
                self.orders[light] = Some(LightOrder { pattern: order.safe, ..order });
            }
        }
        self.heard = Some(now);
    }

    pub(super) fn has(&self, light: u8) -> bool {
        usize::from(light) < self.orders.len()
    }

    /// An order of a light that is there.
    pub(super) fn obey(&mut self, order: LightOrder) {
        self.orders[usize::from(order.light)] = Some(order);
    }

    /// What a light shows now; a light that was never ordered is dark.
    pub(super) fn shows(&self, light: u8, now: Instant) -> Option<LightPattern> {
        let order = self.orders.get(usize::from(light))?;
        Some(match order {
            Some(order) if self.has_run_out(order, now) => order.safe,
            Some(order) => order.pattern,
            None => LightPattern::Off,
        })
    }

    /// When the next lease runs out.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let heard = self.heard?;
        self.orders.iter().flatten().map(|order| heard + order.lease()).filter(|at| *at > now).min()
    }

    fn has_run_out(&self, order: &LightOrder, now: Instant) -> bool {
        self.heard.is_none_or(|heard| heard + order.lease() <= now)
    }
}
