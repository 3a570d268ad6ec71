//! What a TPM answers, or whatever stands in its place: a broken chip, a driver of another kind, a virtual machine.

use std::io;

use kiosk_store::{StoreError, TpmMemory};
use sync_agent::tpm::{DEFAULT_INDEX, Memory, Note, NvCounter, Port, TpmError, round};

use crate::Target;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "agent-tpm",
        decodes: "a TPM's answers to one round of the counter (public area, define, increment, read): NvCounter",
        inputs: 20_000,
        seeds,
        run,
    }]
}

/// Most commands that one round may send: look (2), make, advance (2).
const MOST_COMMANDS: usize = 5;

/// Answers that swtpm gave: public area, before and after the first step; define and increment; read.
const UNWRITTEN: &str = "80010000003e00000000000e0180474a000b02040014000000080022000b\
                         164c9b941f316d4651450b0be2955d345cc65be0678346b720f9a97244ce0dfa";
const WRITTEN: &str = "80010000003e00000000000e0180474a000b22040014000000080022000b\
                       21f722ed3dfcbcdfdb93fa430e0843230fade03d7acfca56aff484daf28083fa";
const DONE: &str = "80020000001300000000000000000000010000";
const READ: &str = "80020000001d000000000000000a000800000000000000020000010000";
const MISSING: &str = "80010000000a0000018b";
const LOCKED: &str = "80010000000a00000921";

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..hex.len()).step_by(2).map(|at| digit(at).expect("hexadecimal")).collect()
}

/// The first byte is what the disk remembers; then each answer behind its length (two bytes).
fn seeds() -> Vec<Vec<u8>> {
    let dialogue = |remembered: u8, answers: &[&str]| {
        let mut input = vec![remembered];
        for answer in answers.iter().map(|answer| bytes(answer)) {
            input.extend(u16::try_from(answer.len()).expect("short").to_be_bytes());
            input.extend(answer);
        }
        input
    };
    vec![
        dialogue(0, &[MISSING, DONE, DONE, READ]),
        dialogue(0, &[UNWRITTEN, DONE, READ]),
        dialogue(2, &[WRITTEN, READ, DONE, READ]),
        dialogue(9, &[WRITTEN, READ, DONE, READ]),
        dialogue(9, &[MISSING, DONE, DONE, READ]),
        dialogue(2, &[WRITTEN, LOCKED]),
    ]
}

/// Gives the answers one after the other, then none.
struct Answers<'a> {
    left: &'a [u8],
    last: &'a [u8],
    asked: usize,
}

impl Port for Answers<'_> {
    fn transmit(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        assert_eq!(command.get(2..6), Some(&(command.len() as u32).to_be_bytes()[..]), "a whole command");
        self.asked += 1;
        let Some((length, left)) = self.left.split_first_chunk() else {
            return Err(io::ErrorKind::TimedOut.into());
        };
        let length = usize::from(u16::from_be_bytes(*length)).min(left.len());
        (self.last, self.left) = left.split_at(length);
        Ok(self.last.to_vec())
    }
}

#[derive(Default)]
struct Remembered(Option<TpmMemory>, Vec<Note>);

impl Memory for Remembered {
    fn recall(&self) -> Result<Option<TpmMemory>, StoreError> {
        Ok(self.0.clone())
    }

    fn newest_life(&self) -> Result<Option<String>, StoreError> {
        Ok(Some("life".into()))
    }

    fn note(&mut self, note: Note) -> bool {
        self.0.clone_from(&note.memory);
        self.1.push(note);
        true
    }
}

pub(super) fn reaches() {
    let values: Vec<_> = seeds().iter().map(|seed| outcome(seed)).collect();
    // The last one is a TPM that locked itself.
    assert_eq!(values, [Some(2), Some(2), Some(2), Some(2), Some(2), None]);
}

fn run(input: &[u8]) {
    outcome(input);
}

/// The counter's value after one round, when there is one.
fn outcome(input: &[u8]) -> Option<u64> {
    let (&remembered, left) = input.split_first()?;
    let remembered = u64::from(remembered);
    let memory = TpmMemory { counter: remembered, boot_id: "an earlier run".into() };
    let mut memory = Remembered((remembered > 0).then_some(memory), Vec::new());
    let mut answers = Answers { left, last: &[], asked: 0 };
    let looked = round(&mut NvCounter::at(DEFAULT_INDEX, &mut answers), &mut memory, "this run", false);
    assert!(answers.asked <= MOST_COMMANDS, "asked {} times", answers.asked);
    for note in &memory.1 {
        assert_eq!(note.doubt.is_some(), note.leave.is_some(), "whoever doubts a disk ends its queue's life");
    }
    match looked {
        Ok(value) => {
            let said = value.to_be_bytes();
            assert!(answers.last.windows(8).any(|octets| octets == said), "a value that nobody said");
            assert_eq!(memory.0.map(|memory| memory.counter), Some(value), "and the disk remembers it");
            Some(value)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.remedy().is_empty());
            assert!(!matches!(error, TpmError::NotNoted | TpmError::Memory(_)), "the disk is whole");
            None
        }
    }
}
