//! The counter on a true TPM 2.0 (swtpm): made, counted up, kept over a loss of power; and what happens when the TPM was
//! cleared, locked, taken over, or used by somebody else. Also: one round, killed after every one of its steps.

use std::io;

use enrolment_tests::Machine;
use kiosk_store::{StoreError, TpmMemory};
use sync_agent::tpm::{
    DEFAULT_INDEX, Device, Doubt, Look, Memory, Note, NvCounter, Port, TpmError, round, wire,
};
use tpm2_protocol::TpmWriter;
use tpm2_protocol::basic::{TpmHandle, TpmUint16, TpmUint32};
use tpm2_protocol::data::{
    Tpm2bAuth, Tpm2bDigest, Tpm2bNvPublic, TpmAlgId, TpmRh, TpmSt, TpmaNv, TpmsAuthCommand, TpmsNvPublic,
};
use tpm2_protocol::frame::{
    TpmClearCommand, TpmDictionaryAttackParametersCommand, TpmFrame, TpmHierarchyChangeAuthCommand,
    TpmNvDefineSpaceCommand, TpmNvReadCommand, TpmNvUndefineSpaceCommand, tpm_marshal_command,
};

/// A command with one password.
fn command<C: TpmFrame>(body: &C, password: &str) -> Vec<u8> {
    let session = TpmsAuthCommand {
        session_handle: TpmHandle::new(TpmRh::Pw.value()),
        hmac: Tpm2bAuth::try_from(password.as_bytes()).unwrap(),
        ..TpmsAuthCommand::default()
    };
    let mut buffer = [0; 256];
    let mut writer = TpmWriter::new(&mut buffer);
    tpm_marshal_command(body, TpmSt::Sessions, &[session], &mut writer).unwrap();
    writer.as_bytes().to_vec()
}

fn handle(of: TpmRh) -> TpmHandle {
    TpmHandle::new(of.value())
}

/// An index as somebody else makes it.
fn define(index: u32, attributes: u32, bytes: u16, password: &str, owner: &str) -> Vec<u8> {
    let inner = TpmsNvPublic {
        nv_index: TpmHandle::new(index),
        name_alg: TpmAlgId::Sha256,
        attributes: TpmaNv::from_bits_truncate(attributes),
        auth_policy: Tpm2bDigest::new(),
        data_size: TpmUint16::from(bytes),
    };
    let define = TpmNvDefineSpaceCommand {
        handles: [handle(TpmRh::Owner)],
        auth: Tpm2bAuth::try_from(password.as_bytes()).unwrap(),
        public_info: Tpm2bNvPublic { inner },
    };
    command(&define, owner)
}

fn on<T>(machine: &Machine, work: impl FnOnce(&mut NvCounter<'_>) -> T) -> T {
    let mut device = machine.device();
    work(&mut NvCounter::at(DEFAULT_INDEX, &mut device))
}

#[test]
fn it_is_made_counts_up_and_outlives_the_power() {
    let mut machine = Machine::new();
    on(&machine, |counter| {
        assert_eq!(counter.look().unwrap(), Look::Missing);
        counter.make().unwrap();
        assert_eq!(counter.look().unwrap(), Look::Unwritten);
        assert_eq!(counter.advance().unwrap(), 1);
        for value in 2..=300 {
            assert_eq!(counter.advance().unwrap(), value);
        }
        assert_eq!(counter.look().unwrap(), Look::Value(300));
        let again = counter.make().unwrap_err();
        assert!(matches!(again, TpmError::Refused { .. }), "{again}");
    });
    for _ in 0..3 {
        machine.switch_off();
        machine.switch_on();
        assert_eq!(machine.counter(), Some(300));
    }
    assert_eq!(on(&machine, |counter| counter.advance().unwrap()), 301);
}

#[test]
fn a_counter_that_was_removed_or_cleared_away_begins_above_all_that_ever_were() {
    let machine = Machine::new();
    machine.has_counted_to(10);
    let handles = [handle(TpmRh::Owner), TpmHandle::new(DEFAULT_INDEX)];
    assert_eq!(machine.send(&command(&TpmNvUndefineSpaceCommand { handles }, "")), 0);
    on(&machine, |counter| {
        assert_eq!(counter.look().unwrap(), Look::Missing);
        counter.make().unwrap();
        assert_eq!(counter.advance().unwrap(), 11);
    });
    let clear = TpmClearCommand { handles: [handle(TpmRh::Lockout)] };
    assert_eq!(machine.send(&command(&clear, "")), 0);
    on(&machine, |counter| {
        assert_eq!(counter.look().unwrap(), Look::Missing);
        counter.make().unwrap();
        assert_eq!(counter.advance().unwrap(), 12);
    });
}

#[test]
fn an_index_of_somebody_else_is_left_alone() {
    const COUNTER: u32 = wire::ATTRIBUTES;
    for (attributes, bytes) in [
        // An ordinary index with eight octets; a counter that may jump; one that wants the owner's password.
        (COUNTER & !0x10, 8),
        (COUNTER | 0x0400_0000, 8),
        (0x0002_0012, 8),
        (COUNTER & !0x10, 64),
    ] {
        let machine = Machine::new();
        assert_eq!(machine.send(&define(DEFAULT_INDEX, attributes, bytes, "", "")), 0);
        let error = on(&machine, |counter| counter.look().unwrap_err());
        assert!(matches!(error, TpmError::Foreign { index: DEFAULT_INDEX, .. }), "{attributes:#x}: {error}");
        assert!(error.remedy().contains("tpm.index"));
        let mut memory = Remembered::default();
        let mut device = machine.device();
        assert!(round(&mut NvCounter::at(DEFAULT_INDEX, &mut device), &mut memory, "b", true).is_err());
        assert_eq!(memory.memory, None);
    }
}

#[test]
fn an_owner_with_a_password_makes_the_index_by_hand() {
    let machine = Machine::new();
    let new_auth = Tpm2bAuth::try_from(&b"secret"[..]).unwrap();
    let change = TpmHierarchyChangeAuthCommand { handles: [handle(TpmRh::Owner)], new_auth };
    assert_eq!(machine.send(&command(&change, "")), 0);
    let error = on(&machine, |counter| counter.make().unwrap_err());
    assert!(error.remedy().contains("tpm2_nvdefine"), "{error}: {}", error.remedy());
    let by_hand = define(DEFAULT_INDEX, wire::ATTRIBUTES, 8, "", "secret");
    assert_eq!(machine.send(&by_hand), 0);
    assert_eq!(on(&machine, |counter| counter.advance().unwrap()), 1);
    // One with a password of its own cannot be ours.
    let other = define(DEFAULT_INDEX + 1, wire::ATTRIBUTES, 8, "own", "secret");
    assert_eq!(machine.send(&other), 0);
    let mut device = machine.device();
    let error = NvCounter::at(DEFAULT_INDEX + 1, &mut device).advance().unwrap_err();
    assert!(error.remedy().contains("tpm.index"), "{error}: {}", error.remedy());
}

/// Locks the TPM by a wrong password for somebody's index.
fn lock_out(machine: &Machine) {
    const OTHERS: u32 = DEFAULT_INDEX + 7;
    let once = TpmUint32::from(1);
    let strict = TpmDictionaryAttackParametersCommand {
        handles: [handle(TpmRh::Lockout)],
        new_max_tries: once,
        new_recovery_time: TpmUint32::from(10_000),
        lockout_recovery: TpmUint32::from(10_000),
    };
    assert_eq!(machine.send(&command(&strict, "")), 0);
    // AUTHREAD and AUTHWRITE, and no NO_DA: wrong passwords count.
    assert_eq!(machine.send(&define(OTHERS, 0x0004_0004, 8, "right", "")), 0);
    let handles = [TpmHandle::new(OTHERS); 2];
    let read = TpmNvReadCommand { handles, size: TpmUint16::from(8), offset: TpmUint16::from(0) };
    assert_ne!(machine.send(&command(&read, "wrong")), 0);
    assert_eq!(machine.send(&command(&read, "right")), 0x921, "TPM_RC_LOCKOUT");
}

#[test]
fn a_tpm_that_locked_itself_still_counts_for_us() {
    let machine = Machine::new();
    machine.has_counted_to(3);
    lock_out(&machine);
    on(&machine, |counter| {
        assert_eq!(counter.look().unwrap(), Look::Value(3));
        assert_eq!(counter.advance().unwrap(), 4);
    });
}

#[test]
fn a_counter_that_somebody_made_without_no_da_is_locked_with_the_tpm() {
    let machine = Machine::new();
    let without = wire::ATTRIBUTES & !0x0200_0000;
    assert_eq!(machine.send(&define(DEFAULT_INDEX, without, 8, "", "")), 0);
    assert_eq!(machine.send(&wire::increment(DEFAULT_INDEX)), 0);
    lock_out(&machine);
    let error = on(&machine, |counter| counter.look().unwrap_err());
    assert!(error.remedy().contains("tpm2_dictionarylockout"), "{error}: {}", error.remedy());
}

#[test]
fn a_memory_that_is_full_is_said() {
    let machine = Machine::new();
    let mut index = DEFAULT_INDEX + 1;
    // Ordinary indices of the largest size, then of the smallest; the rest is kept for counters.
    for (attributes, bytes) in [(0x0004_0004, 2048), (0x0004_0004, 8), (wire::ATTRIBUTES, 8)] {
        while machine.send(&define(index, attributes, bytes, "", "")) == 0 {
            index += 1;
        }
    }
    let error = on(&machine, |counter| counter.make().unwrap_err());
    assert!(error.remedy().contains("memory is full"), "{error}: {}", error.remedy());
}

/// A disk, and a limit on the steps until somebody kills the agent.
#[derive(Default)]
struct Remembered {
    memory: Option<TpmMemory>,
    left: Option<String>,
    doubts: Vec<Doubt>,
    /// Notes that reach the disk before the kill; nothing for all.
    notes: Option<u32>,
}

impl Memory for Remembered {
    fn recall(&self) -> Result<Option<TpmMemory>, StoreError> {
        Ok(self.memory.clone())
    }

    fn newest_life(&self) -> Result<Option<String>, StoreError> {
        Ok(Some("life".into()))
    }

    fn note(&mut self, note: Note) -> bool {
        if let Some(left) = &mut self.notes {
            let Some(fewer) = left.checked_sub(1) else { return false };
            *left = fewer;
        }
        self.memory = note.memory;
        self.doubts.extend(note.doubt);
        self.left = note.leave.or(self.left.take());
        true
    }
}

/// A device that dies after so many commands: the last one is carried out, its answer is heard by nobody.
struct Dying {
    device: Device,
    commands: u32,
}

impl Port for Dying {
    fn transmit(&mut self, command: &[u8]) -> io::Result<Vec<u8>> {
        let Some(fewer) = self.commands.checked_sub(1) else { return Err(io::ErrorKind::BrokenPipe.into()) };
        self.commands = fewer;
        let answer = self.device.transmit(command)?;
        if fewer == 0 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(answer) }
    }
}

fn one_round(machine: &Machine, memory: &mut Remembered, boot: &str) -> Result<u64, TpmError> {
    let mut device = machine.device();
    round(&mut NvCounter::at(DEFAULT_INDEX, &mut device), memory, boot, false)
}

#[test]
fn a_boot_counts_once_and_an_hour_counts() {
    let machine = Machine::new();
    let mut memory = Remembered::default();
    assert_eq!(one_round(&machine, &mut memory, "boot-1").unwrap(), 1);
    for _ in 0..5 {
        assert_eq!(one_round(&machine, &mut memory, "boot-1").unwrap(), 1);
    }
    assert_eq!(one_round(&machine, &mut memory, "boot-2").unwrap(), 2);
    let mut device = machine.device();
    let mut counter = NvCounter::at(DEFAULT_INDEX, &mut device);
    assert_eq!(round(&mut counter, &mut memory, "boot-2", true).unwrap(), 3);
    assert_eq!(memory.memory, Some(TpmMemory { counter: 3, boot_id: "boot-2".into() }));
    assert_eq!((memory.doubts, memory.left), (vec![], None));
}

#[test]
fn a_kill_after_any_step_raises_no_doubt() {
    // How a round begins: on a new machine, on one with an index that was never counted up, on one in use.
    for beginning in ["new", "unwritten", "in use"] {
        let mut ended_by_itself = 0;
        for (commands, notes) in (0..8).flat_map(|commands| (0..4).map(move |notes| (commands, notes))) {
            let machine = Machine::new();
            let mut memory = Remembered::default();
            match beginning {
                "new" => {}
                "unwritten" => on(&machine, |counter| counter.make().unwrap()),
                _ => {
                    machine.has_counted_to(4);
                    memory.memory = Some(TpmMemory { counter: 4, boot_id: "boot-0".into() });
                }
            }
            memory.notes = Some(notes);
            let mut dying = Dying { device: machine.device(), commands };
            let killed = round(&mut NvCounter::at(DEFAULT_INDEX, &mut dying), &mut memory, "boot-1", false);
            ended_by_itself += u32::from(killed.is_ok());
            drop(dying);
            memory.notes = None;
            let value = one_round(&machine, &mut memory, "boot-2").unwrap();
            assert_eq!(machine.counter(), Some(value));
            assert_eq!(memory.doubts, [], "{beginning}: killed after {commands} commands, {notes} notes");
            assert_eq!(memory.memory.as_ref().map(|memory| memory.counter), Some(value));
        }
        assert!((1..32).contains(&ended_by_itself), "{beginning}: some ended, some were killed");
    }
}

#[test]
fn a_doubt_survives_a_kill_after_any_step() {
    // A disk in another machine with a lower counter, in one that has none, and an older image of it.
    for (found, doubt) in
        [(Some(2), Doubt::OtherMachine), (None, Doubt::CounterGone), (Some(9), Doubt::OlderImage)]
    {
        for (commands, notes) in (0..8).flat_map(|commands| (0..4).map(move |notes| (commands, notes))) {
            let machine = Machine::new();
            if let Some(value) = found {
                machine.has_counted_to(value);
            }
            let memory = Some(TpmMemory { counter: 6, boot_id: "boot-1".into() });
            let mut memory = Remembered { memory, notes: Some(notes), ..Remembered::default() };
            let mut dying = Dying { device: machine.device(), commands };
            let _ = round(&mut NvCounter::at(DEFAULT_INDEX, &mut dying), &mut memory, "boot-1", false);
            drop(dying);
            memory.notes = None;
            let value = one_round(&machine, &mut memory, "boot-1").unwrap();
            assert_eq!(
                memory.left.as_deref(),
                Some("life"),
                "killed after {commands} commands, {notes} notes"
            );
            assert_eq!(memory.doubts.first(), Some(&doubt));
            assert_eq!(machine.counter(), Some(value));
            let doubts = memory.doubts.len();
            assert_eq!(one_round(&machine, &mut memory, "boot-1").unwrap(), value);
            assert_eq!(memory.doubts.len(), doubts, "settled");
        }
    }
}
