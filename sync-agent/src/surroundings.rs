//! What the agent stands on: two clocks, random numbers, tasks that run beside it, the way to the city. The program
//! stands on the [`Machine`]; the simulation brings clocks, chance and a network of its own and runs the same agent.
//!
//! Deliberately absent: the disk. The stores are the true ones everywhere.

use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::{RequestBuilder, Response};

use crate::client::{Refused, cause_of};

/// Something that is ready later.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// See the module.
pub trait Surroundings: Send + Sync {
    /// Milliseconds since the process started; never goes back.
    fn now_ms(&self) -> u64;

    /// Wall clock, milliseconds since 1970; may be wrong by years, and jump.
    fn wall_ms(&self) -> i64;

    /// Milliseconds since the machine started, when it can be told.
    fn since_boot_ms(&self) -> Option<u64>;

    /// Random name of this run of the machine.
    fn boot_id(&self) -> String;

    /// 64 random bits.
    fn random(&self) -> u64;

    /// Ready at this time of [`Surroundings::now_ms`].
    fn sleep_until(&self, at_ms: u64) -> Later<()>;

    /// Does something beside the agent. A panic in it ends it and nothing else.
    fn spawn(&self, work: Later<()>);

    /// Sends a request to the city; ready when the head of the answer is there, or when none can come any more.
    fn send(&self, call: RequestBuilder) -> Later<Result<Response, Refused>>;

    /// Reads a part of a file, where that may take its time.
    fn read(&self, path: PathBuf, range: Range<u64>) -> Later<io::Result<Vec<u8>>>;
}

/// This machine, with tokio.
pub struct Machine {
    start: Instant,
    boot_id: String,
}

impl Machine {
    /// Started once with the process.
    pub fn start() -> Arc<Self> {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Arc::new(Self { start: Instant::now(), boot_id: boot_id.trim().to_owned() })
    }
}

impl Surroundings for Machine {
    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    fn wall_ms(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_millis() as i64,
            Err(before) => -(before.duration().as_millis() as i64),
        }
    }

    fn since_boot_ms(&self) -> Option<u64> {
        let text = std::fs::read_to_string("/proc/uptime").ok()?;
        let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
        Some((seconds * 1000.0) as u64)
    }

    fn boot_id(&self) -> String {
        self.boot_id.clone()
    }

    fn random(&self) -> u64 {
        rand::random()
    }

    fn sleep_until(&self, at_ms: u64) -> Later<()> {
        Box::pin(tokio::time::sleep_until((self.start + Duration::from_millis(at_ms)).into()))
    }

    fn spawn(&self, work: Later<()>) {
        tokio::spawn(work);
    }

    fn send(&self, call: RequestBuilder) -> Later<Result<Response, Refused>> {
        Box::pin(async move { call.send().await.map_err(|error| cause_of(&error)) })
    }

    fn read(&self, path: PathBuf, range: Range<u64>) -> Later<io::Result<Vec<u8>>> {
        Box::pin(async move {
            tokio::task::spawn_blocking(move || read_part(&path, range)).await.unwrap_or_else(|_| {
                // Only a panic in the few lines below gets here.
                Err(io::ErrorKind::Other.into())
            })
        })
    }
}

/// Reads a part of a file.
pub fn read_part(path: &Path, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut file = std::fs::File::open(path)?;
    file.seek(SeekFrom::Start(range.start))?;
    let mut part = vec![0; usize::try_from(range.end - range.start).unwrap_or(0)];
    file.read_exact(&mut part)?;
    Ok(part)
}
