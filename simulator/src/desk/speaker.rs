//! The voice, behind a server that speaks SSIP as Speech Dispatcher does.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use device_drivers::speaker::simulator::{SimulatedSpeaker, SpeakerFault};
use serde_json::{Value, json};

use super::at_desk::{AtDesk, Hardware, held};
use super::fault::{Known, Scale, Unit, numbered, plain};

pub(super) struct Speaker {
    socket: PathBuf,
    speaker: Mutex<SimulatedSpeaker>,
}

impl Speaker {
    pub(super) fn set_up(folder: &Path) -> io::Result<AtDesk<Self>> {
        let socket = folder.join("speaker");
        let speaker = Mutex::new(SimulatedSpeaker::start(&socket)?);
        Ok(AtDesk::new(Self { socket, speaker }))
    }

    pub(super) fn declared(&self) -> Value {
        json!({ "socket": self.socket })
    }

    fn speaker(&self) -> MutexGuard<'_, SimulatedSpeaker> {
        held(&self.speaker)
    }
}

impl Hardware for Speaker {
    const NAME: &'static str = "speaker";
    type Fault = SpeakerFault;
    const FAULTS: &'static [Known<SpeakerFault>] = &[
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

    fn is_plugged(&self) -> bool {
        self.speaker().is_plugged()
    }

    fn plug(&self) -> io::Result<()> {
        self.speaker().plug()
    }

    fn unplug(&self) -> io::Result<()> {
        self.speaker().unplug();
        Ok(())
    }

    fn set_fault(&self, fault: Option<SpeakerFault>) {
        self.speaker().set_fault(fault);
    }

    /// `said`: the latest texts, the oldest first, each with whether it is being said now and whether it was broken off.
    fn shows(&self) -> Value {
        let now = Instant::now();
        let said = self.speaker().said().into_iter().map(|text| {
            json!({
                "number": text.number,
                "language": text.language,
                "text": text.text,
                "rate": text.rate,
                "volume": text.volume,
                "speaking": text.until > now,
                "broken_off": text.broken_off,
            })
        });
        json!({ "said": said.collect::<Vec<_>>() })
    }
}
