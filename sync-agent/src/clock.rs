//! The agent's clocks: a monotonic one for waits, the wall clock for evidence only.

use std::sync::Arc;

use sync_protocol::ClockEvidence;

use crate::surroundings::Surroundings;

/// The clocks of the surroundings.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Surroundings>);

impl Clock {
    pub(crate) fn of(around: &Arc<dyn Surroundings>) -> Self {
        Self(Arc::clone(around))
    }

    /// Milliseconds since the process started; never goes back.
    pub(crate) fn now_ms(&self) -> u64 {
        self.0.now_ms()
    }

    /// Wall clock, milliseconds since 1970.
    pub(crate) fn wall_ms(&self) -> i64 {
        self.0.wall_ms()
    }

    /// What the terminal's clock is worth, for the city to judge.
    pub(crate) fn evidence(&self, last_sync_ms: Option<i64>) -> ClockEvidence {
        let wall_ms = self.wall_ms();
        ClockEvidence {
            wall_ms,
            monotonic_ms: self.0.since_boot_ms().unwrap_or_else(|| self.now_ms()),
            boot_id: self.0.boot_id(),
            // A clock that was set back since gives no age rather than a wrong one.
            last_sync_age_s: last_sync_ms.and_then(|then| u64::try_from((wall_ms - then) / 1000).ok()),
        }
    }
}
