//! The voice, behind a server that speaks SSIP as Speech Dispatcher does.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use device_drivers::speaker::simulator::{SimulatedSpeaker, SpeakerFault};
use serde_json::{Value, json};

use super::device::{Control, DeskDevice, Turn};
use super::fault::{self, Fault, FaultKind, Known, Scale, Unit, numbered, plain};

const FAULTS: &[Known<SpeakerFault>] = &[
    plain("silent", |_| SpeakerFault::Silence),
    plain("hangs-up", |_| SpeakerFault::Close),
    plain("truncated", |_| SpeakerFault::CloseInside),
    plain("byte-by-byte", |_| SpeakerFault::ByteByByte),
    plain("events", |_| SpeakerFault::Events),
    plain("garbage", |_| SpeakerFault::Garbage),
    // 300: an error inside the server.
    numbered("status", Scale { unit: Unit::Code, least: 300, most: 599, usual: 300 }, |n| {
        SpeakerFault::Refuse(n as u16)
    }),
];

struct Hands {
    speaker: SimulatedSpeaker,
    fault: Option<Fault>,
}

pub(super) struct SpeakerAtDesk {
    socket: PathBuf,
    hands: Mutex<Hands>,
}

impl SpeakerAtDesk {
    pub(super) fn set_up(folder: &Path) -> io::Result<Self> {
        let socket = folder.join("speaker");
        let speaker = SimulatedSpeaker::start(&socket)?;
        Ok(Self { socket, hands: Mutex::new(Hands { speaker, fault: None }) })
    }

    pub(super) fn declared(&self) -> Value {
        json!({ "socket": self.socket })
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeskDevice for SpeakerAtDesk {
    fn name(&self) -> &'static str {
        "speaker"
    }

    fn is_plugged(&self) -> bool {
        self.hands().speaker.is_plugged()
    }

    fn plug(&self, plugged: bool) -> io::Result<()> {
        let mut hands = self.hands();
        if plugged {
            return hands.speaker.plug();
        }
        hands.speaker.unplug();
        Ok(())
    }

    fn faults(&self) -> Vec<FaultKind> {
        fault::kinds(FAULTS)
    }

    fn fault(&self) -> Option<Fault> {
        self.hands().fault
    }

    fn set_fault(&self, fault: Option<Fault>) {
        let mut hands = self.hands();
        hands.fault = fault;
        hands.speaker.set_fault(fault.and_then(|fault| fault::made(FAULTS, fault)));
    }

    fn controls(&self) -> &'static [Control] {
        &[]
    }

    fn settings(&self) -> Value {
        json!({})
    }

    fn turn(&self, control: &'static str, _turn: Turn) -> io::Result<()> {
        unreachable!("{control}: a voice has no controls")
    }

    /// `said`: the latest texts, the oldest first, each with whether it is being said now and whether it was broken off.
    fn shows(&self) -> Value {
        let now = Instant::now();
        let said = self.hands().speaker.said().into_iter().map(|text| {
            json!({
                "number": text.number,
                "language": text.language,
                "text": text.text,
                "speaking": text.until > now,
                "broken_off": text.broken_off,
            })
        });
        json!({ "said": said.collect::<Vec<_>>() })
    }
}
