//! A library that is lost in the middle of a call: a typed error in time, and it comes back.

use std::time::{Duration, Instant};

use device_drivers::vendor_library::{Happening, Loss, Misbehaviour, Rests, VendorError};
use device_drivers::{Fault, Remedy};

use crate::workshop::{
    ANSWER_TWICE, BRIEF, CLOSE_ALL, CLOSE_ALL_AND_HANG, CRASH, ECHO, EXIT, HANG, HELPER, Installed, LEAK,
    LENGTH_BEYOND, PATIENCE, PID, SCRIBBLE, THROW_AWAY_STACK, WRITE_BEYOND, ask, ask_number,
    assert_comes_back, is_gone, wait_until,
};

const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

/// Calls `verb`, sees the library lost and its process gone, and gets it back.
#[track_caller]
fn assert_lost(verb: u32, input: &[u8], expected: &[Loss]) {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    let pid = ask_number(&mut library, PID);
    let within = if verb == HANG { BRIEF } else { PATIENCE };
    let error = library.call(verb, input, 64, within).unwrap_err();
    let VendorError::Lost { loss, failures_in_a_row: 1 } = error else { panic!("{error:?}") };
    assert!(expected.contains(&loss), "{loss:?}");
    assert_eq!(error.remedy(), Remedy::Retry);
    assert!(is_gone(pid));
    let last = library.health().recent().last().map(|(_, what)| *what);
    assert_eq!(last, Some(Happening::Lost(loss)));
    assert_comes_back(&mut library);
    assert_ne!(ask_number(&mut library, PID), pid);
    let health = library.health();
    assert_eq!((health.starts(), health.losses(), health.failures_in_a_row()), (2, 1, 0));
}

#[test]
fn a_crash() {
    assert_lost(CRASH, &[], &[Loss::Crashed(SIGSEGV)]);
}

#[test]
fn a_stack_that_is_used_up() {
    // Rust's handler recognises the guard page and aborts.
    assert_lost(THROW_AWAY_STACK, &[], &[Loss::Crashed(SIGABRT), Loss::Crashed(SIGSEGV)]);
}

#[test]
fn a_hang() {
    let begun = Instant::now();
    assert_lost(HANG, &[], &[Loss::Hung]);
    assert!(begun.elapsed() >= BRIEF, "its deadline is its own");
}

#[test]
fn an_exit() {
    assert_lost(EXIT, &[0], &[Loss::Exited(0)]);
    assert_lost(EXIT, &[7], &[Loss::Exited(7)]);
}

#[test]
fn a_length_beyond_the_room() {
    assert_lost(LENGTH_BEYOND, &[], &[Loss::Misbehaved(Misbehaviour::LengthBeyondRoom)]);
}

#[test]
fn bytes_beyond_the_room() {
    assert_lost(WRITE_BEYOND, &[], &[Loss::Misbehaved(Misbehaviour::WroteBeyondRoom)]);
}

#[test]
fn every_descriptor_closed() {
    // The host cannot answer any more, and ends with its code for that; on a busy machine, later than is waited for.
    assert_lost(CLOSE_ALL, &[], &[Loss::Exited(3), Loss::Mute]);
}

#[test]
fn every_descriptor_closed_and_then_a_hang() {
    assert_lost(CLOSE_ALL_AND_HANG, &[], &[Loss::Mute]);
}

#[test]
fn nonsense_on_every_descriptor() {
    assert_lost(SCRIBBLE, &[], &[Loss::Garbled]);
}

#[test]
fn a_leak_ends_at_the_limit_and_takes_nobody_with_it() {
    let mut installed = Installed::misbehaving();
    installed.config.limits.address_space_bytes = 512 << 20;
    let mut library = installed.library();
    // 64 MiB each: eight do not fit beside the program.
    let lost = (0..8).find_map(|_| ask(&mut library, LEAK, &[]).err());
    let Some(VendorError::Lost { loss: Loss::Crashed(SIGSEGV | SIGABRT), .. }) = lost else {
        panic!("{lost:?}")
    };
    assert_comes_back(&mut library);
}

#[test]
fn a_library_that_answers_twice_gives_nobody_the_answer_of_another() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    assert_eq!(ask(&mut library, ANSWER_TWICE, b"first resident").unwrap(), b"first resident");
    // Its double answers the same request some time, and competes for the next ones. Whatever comes first, the second
    // resident gets the own answer or none.
    let until = Instant::now() + PATIENCE;
    let error = loop {
        match ask(&mut library, ECHO, b"second resident") {
            Ok(output) => assert_eq!(output, b"second resident"),
            Err(error) => break error,
        }
        assert!(Instant::now() < until, "the double never answered");
    };
    assert_eq!(error, VendorError::Lost { loss: Loss::Garbled, failures_in_a_row: 1 });
    assert_comes_back(&mut library);
}

#[test]
fn what_the_library_started_ends_with_it_and_hides_nothing() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    let helper = ask_number(&mut library, HELPER);
    assert!(!is_gone(helper));
    // The helper holds copies of the line: only the process itself tells of its end.
    let error = ask(&mut library, EXIT, &[0]).unwrap_err();
    assert_eq!(error, VendorError::Lost { loss: Loss::Exited(0), failures_in_a_row: 1 });
    wait_until("the helper is gone", || is_gone(helper));
}

#[test]
fn rests_grow_and_are_bounded_and_the_operator_is_called() {
    let mut installed = Installed::misbehaving();
    let rests = Rests { first: Duration::from_millis(40), longest: Duration::from_millis(160) };
    installed.config.rests = rests;
    let mut library = installed.library();
    for failures in 1..=5 {
        let begun = Instant::now();
        let error = loop {
            match ask(&mut library, CRASH, &[]).unwrap_err() {
                VendorError::Resting { left, .. } => std::thread::sleep(left),
                error => break error,
            }
        };
        let loss = Loss::Crashed(SIGSEGV);
        assert_eq!(error, VendorError::Lost { loss, failures_in_a_row: failures });
        let rested = if failures == 1 { Duration::ZERO } else { rests.after(failures - 1, 0) / 2 };
        assert!(begun.elapsed() >= rested, "it was started before its rest was over");
        let expected = if failures < 3 { Remedy::Retry } else { Remedy::CallOperator(Fault::VendorLost) };
        assert_eq!(error.remedy(), expected);
    }
    assert_comes_back(&mut library);
}

#[test]
fn while_it_rests_nobody_waits() {
    let mut installed = Installed::misbehaving();
    let hour = Duration::from_secs(3600);
    installed.config.rests = Rests { first: hour, longest: hour };
    let mut library = installed.library();
    ask(&mut library, CRASH, &[]).unwrap_err();
    let begun = Instant::now();
    let error = ask(&mut library, ECHO, &[]).unwrap_err();
    let VendorError::Resting { left, remedy: Remedy::Retry } = error else { panic!("{error:?}") };
    assert!(left > hour / 4 && left <= hour);
    assert!(begun.elapsed() < hour / 60);
    assert_eq!(library.health().starts(), 1);
}

#[test]
fn no_error_quotes_what_a_library_was_given() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    let secret = b"990001199001011008";
    for verb in [CRASH, LENGTH_BEYOND, WRITE_BEYOND, SCRIBBLE, 0x7777] {
        let error = ask(&mut library, verb, secret).unwrap_err();
        let said = format!("{error} {error:?} {:?}", library.health());
        assert!(!said.contains("990001") && !said.contains("57, 57"), "{said}");
        assert_comes_back(&mut library);
    }
}
