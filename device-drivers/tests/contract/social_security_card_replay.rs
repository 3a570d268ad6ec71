//! A recorded card, played back to the true driver through the real `pcscd`: a line for the answer to reset, then one for
//! each command and each answer, in the order in which they crossed the contacts.
//!
//! `tests/recordings/social-security-card/read.jsonl` is of the virtual card, made anew with `KEEP_RECORDINGS=1`. A recording
//! holds all that a card says, in clear: made-up cards only.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use device_drivers::social_security_card::simulator::vpcd::{ReaderMessage, ReaderMessages, encode};
use device_drivers::social_security_card::simulator::{VirtualCard, made_up_person};
use device_drivers::social_security_card::{
    PcscCardReader, SocialSecurityCardError as CardError, SocialSecurityCardReader,
};
use rustix::net::sockopt::set_tcp_quickack;
use serde_json::{Value, json};

use crate::pcscd::{Pcscd, with_pcscd};

const DEVICE: &str = "social-security-card";

/// What is put into the reader instead of the simulator's card.
trait Contacts: Send {
    fn atr(&self) -> Vec<u8>;
    fn power(&mut self);
    fn answer(&mut self, command: &[u8]) -> Vec<u8>;
}

/// The virtual card, and what was said to it and by it.
struct Recorded {
    card: VirtualCard,
    rows: Vec<Value>,
}

impl Contacts for Recorded {
    fn atr(&self) -> Vec<u8> {
        self.card.atr().to_vec()
    }

    fn power(&mut self) {
        self.card.reset();
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let answer = self.card.answer(command).to_vec();
        self.rows.push(json!({ "event": "out", "bytes": hex(command) }));
        self.rows.push(json!({ "event": "in", "bytes": hex(&answer) }));
        answer
    }
}

/// A recording in the place of a card. A command that does not come as it came then is answered as no card does.
struct Replayed {
    atr: Vec<u8>,
    left: VecDeque<(Vec<u8>, Vec<u8>)>,
    strayed: bool,
}

impl Replayed {
    fn read(text: &str) -> Replayed {
        let mut rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let head = rows.next().unwrap();
        assert_eq!(head, json!({ "recording": 1, "device": DEVICE }));
        let mut bytes = |event: &str| {
            let row = rows.next()?;
            assert_eq!(row["event"], event);
            Some(unhex(row["bytes"].as_str().unwrap()))
        };
        let atr = bytes("reset").unwrap();
        let left = std::iter::from_fn(|| Some((bytes("out")?, bytes("in").unwrap()))).collect();
        Replayed { atr, left, strayed: false }
    }
}

impl Contacts for Replayed {
    fn atr(&self) -> Vec<u8> {
        self.atr.clone()
    }

    fn power(&mut self) {}

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        match self.left.pop_front() {
            Some((expected, answer)) if expected == command => answer,
            _ => {
                self.strayed = true;
                vec![0x6F, 0x00]
            }
        }
    }
}

/// Contacts in the reader's slot. Dropping it pulls them out.
struct InSlot(TcpStream, Option<JoinHandle<()>>);

impl InSlot {
    fn put<C: Contacts + 'static>(pcscd: &Pcscd, contacts: &Arc<Mutex<C>>) -> InSlot {
        let stream = TcpStream::connect(pcscd.reader()).unwrap();
        stream.set_nodelay(true).unwrap();
        let (line, contacts) = (stream.try_clone().unwrap(), Arc::clone(contacts));
        InSlot(stream, Some(std::thread::spawn(move || converse(line, &contacts))))
    }
}

impl Drop for InSlot {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
        let _ = self.1.take().map(JoinHandle::join);
    }
}

fn converse<C: Contacts>(mut line: TcpStream, contacts: &Mutex<C>) {
    let mut messages = ReaderMessages::default();
    let mut buffer = [0; 512];
    loop {
        // The reader's second packet waits for word of its first.
        let _ = set_tcp_quickack(&line, true);
        let Ok(count @ 1..) = line.read(&mut buffer) else { return };
        messages.push(&buffer[..count]);
        while let Some(message) = messages.next_message() {
            let mut contacts = contacts.lock().unwrap();
            let answer = match message {
                ReaderMessage::PowerOff | ReaderMessage::PowerOn | ReaderMessage::Reset => {
                    contacts.power();
                    continue;
                }
                ReaderMessage::TellAtr => contacts.atr(),
                ReaderMessage::Command(command) => contacts.answer(&command),
                ReaderMessage::Other => continue,
            };
            if line.write_all(&encode(&answer)).is_err() {
                return;
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/social-security-card/read.jsonl")
}

fn wait_for_card(reader: &mut PcscCardReader, there: bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while reader.is_card_in() != Ok(there) {
        assert!(Instant::now() < deadline, "card in: not {there}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_recorded_card_is_read_again_as_it_was() {
    with_pcscd("social_security_card_replay::a_recorded_card_is_read_again_as_it_was", |pcscd| {
        let mut reader = PcscCardReader::new("Virtual PCD");
        wait_for_card(&mut reader, false);
        if std::env::var_os("KEEP_RECORDINGS").is_some() {
            let card = VirtualCard::of(&made_up_person("2.00")).unwrap();
            let recorded = Arc::new(Mutex::new(Recorded { card, rows: Vec::new() }));
            let slot = InSlot::put(pcscd, &recorded);
            wait_for_card(&mut reader, true);
            assert!(reader.read().is_ok());
            drop(slot);
            wait_for_card(&mut reader, false);
            let recorded = recorded.lock().unwrap();
            let reset = json!({ "event": "reset", "bytes": hex(&recorded.atr()) });
            let head = [json!({ "recording": 1, "device": DEVICE }), reset];
            let text: String = head.iter().chain(&recorded.rows).map(|row| format!("{row}\n")).collect();
            std::fs::create_dir_all(file().parent().unwrap()).unwrap();
            std::fs::write(file(), text).unwrap();
        }
        let text = std::fs::read_to_string(file()).unwrap();
        let replayed = Arc::new(Mutex::new(Replayed::read(&text)));
        let slot = InSlot::put(pcscd, &replayed);
        wait_for_card(&mut reader, true);
        assert!(reader.read() == Ok(made_up_person("2.00")), "the recorded card is that person's");
        {
            let replayed = replayed.lock().unwrap();
            assert!(!replayed.strayed, "the driver asked for something else than then");
            assert!(replayed.left.is_empty(), "the driver stopped {} commands early", replayed.left.len());
        }
        // It was recorded once: a second reading is another session, and finds no such card.
        assert_eq!(reader.read().unwrap_err(), CardError::Refused(0x6F00));
        drop(slot);
        wait_for_card(&mut reader, false);
    });
}
