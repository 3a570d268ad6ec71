//! The agent's clocks: a monotonic one for waits, the wall clock for evidence only.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use sync_protocol::ClockEvidence;

/// Started once with the process.
#[derive(Clone)]
pub(crate) struct Clock {
    start: Instant,
    boot_id: String,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self { start: Instant::now(), boot_id: boot_id.trim().to_owned() }
    }

    /// Milliseconds since the process started; never goes back.
    pub(crate) fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// Wall clock, milliseconds since 1970.
    pub(crate) fn wall_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_millis() as i64,
            Err(before) => -(before.duration().as_millis() as i64),
        }
    }

    /// What the terminal's clock is worth, for the city to judge.
    pub(crate) fn evidence(&self, last_sync_ms: Option<i64>) -> ClockEvidence {
        let wall_ms = self.wall_ms();
        ClockEvidence {
            wall_ms,
            monotonic_ms: since_boot_ms().unwrap_or_else(|| self.now_ms()),
            boot_id: self.boot_id.clone(),
            // A clock that was set back since gives no age rather than a wrong one.
            last_sync_age_s: last_sync_ms.and_then(|then| u64::try_from((wall_ms - then) / 1000).ok()),
        }
    }
}

fn since_boot_ms() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some((seconds * 1000.0) as u64)
}
