//! Recording what passes between a driver and its device, and playing it back to the driver: for tests, and for
//! looking at a model's habits. Works at the [`crate::transport::Transport`], so every kind of device can use it.
//!
//! A recording is a small JSONL file: a head line, then one line for each thing that happened at the transport, in
//! the driver's order:
//!
//! ```text
//! {"recording":1,"device":"id-card-reader"}
//! {"at_ms":0,"event":"opened"}
//! {"at_ms":0,"event":"out","bytes":"aaaaaa96690003200122"}
//! {"at_ms":27,"event":"in","bytes":"aaaaaa9669000400008084"}
//! {"at_ms":29,"event":"quiet"}
//! ```
//!
//! `opened` and `still-open` are what `ready` found, `out` what was written, `in` what came, `quiet` a read that
//! brought nothing before its time was over, `dropped` output that was thrown away, `gone` and `stuck` how a call
//! failed. **It holds every byte in clear: record made-up cards only.** For that reason this module is a cargo
//! feature, and no release has it.

mod recorder;
mod replay;
mod row;

pub use recorder::Recorder;
pub use replay::{Replay, ReplayError};
pub use row::RecordingError;
