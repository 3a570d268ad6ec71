//! A library that does as it should, or refuses politely.

use device_drivers::vendor_library::protocol::{INPUT_BYTES_MAX, OUTPUT_BYTES_MAX, SETTINGS_BYTES_MAX};
use device_drivers::vendor_library::{Happening, Refusal, VendorError};
use device_drivers::{Fault, Remedy};

use crate::workshop::{CLOSE_OWN, ECHO, Installed, PATIENCE, PRINT, REFUSE, SLOW, ask, ask_number};

#[test]
fn one_process_answers_all_calls() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    assert_eq!(library.identity(), None, "nothing is started before it is needed");
    for input in [&b""[..], b"x", &[0xFF; 1024]] {
        assert_eq!(ask(&mut library, ECHO, input).unwrap(), input);
    }
    assert_eq!(library.identity(), Some("misbehaving 捣乱 1.0"));
    let happenings: Vec<_> = library.health().recent().map(|(_, what)| *what).collect();
    assert_eq!(happenings, [Happening::Started]);
}

#[test]
fn the_largest_input_and_output_pass_and_more_is_not_even_asked() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    let input: Vec<u8> = (0..=INPUT_BYTES_MAX).map(|at| (at % 251) as u8).collect();
    assert_eq!(library.call(ECHO, &input, 1, PATIENCE).unwrap_err(), VendorError::TooLarge);
    assert_eq!(library.call(ECHO, &[], OUTPUT_BYTES_MAX + 1, PATIENCE).unwrap_err(), VendorError::TooLarge);
    assert_eq!(library.health().starts(), 0);
    let largest = &input[..INPUT_BYTES_MAX];
    let output = library.call(ECHO, largest, OUTPUT_BYTES_MAX, PATIENCE).unwrap();
    assert!(output.as_slice() == largest);
}

#[test]
fn settings_that_are_too_long_are_told_before_anything_is_started() {
    let mut installed = Installed::misbehaving();
    installed.config.settings = vec![b'x'; SETTINGS_BYTES_MAX + 1].into();
    assert_eq!(installed.library().tend(), Err(VendorError::TooLarge));
}

#[test]
fn a_refusal_is_an_answer_and_costs_no_process() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    let refused = |refusal| Err(VendorError::Refused(refusal));
    assert_eq!(ask(&mut library, 0x7777, &[]), refused(Refusal::UnknownVerb));
    assert_eq!(ask(&mut library, ECHO, &[0; 1025]), refused(Refusal::TooSmall));
    assert_eq!(ask(&mut library, REFUSE, &[4]), refused(Refusal::NotConnected));
    assert_eq!(ask(&mut library, REFUSE, &[77]), refused(Refusal::Own(77)));
    assert_eq!(ask(&mut library, REFUSE, &[5]).unwrap_err().remedy(), Remedy::Retry);
    let fault = Remedy::CallOperator(Fault::VendorFault);
    assert_eq!(ask(&mut library, REFUSE, &[4]).unwrap_err().remedy(), fault);
    assert_eq!((library.health().starts(), library.health().failures_in_a_row()), (1, 0));
}

#[test]
fn what_a_library_prints_reaches_nobody_and_it_reads_nothing_of_ours() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    for _ in 0..3 {
        assert_eq!(ask_number(&mut library, PRINT), 0, "its standard input is at its end");
        assert_eq!(ask(&mut library, ECHO, b"frame").unwrap(), b"frame");
    }
    assert_eq!(library.health().starts(), 1);
}

#[test]
fn a_library_that_closes_all_it_may_own_does_not_reach_the_line() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    assert_eq!(ask(&mut library, CLOSE_OWN, &[]).unwrap(), b"closed");
    assert_eq!(ask(&mut library, ECHO, b"still here").unwrap(), b"still here");
    assert_eq!(library.health().starts(), 1);
}

#[test]
fn slow_and_in_time_is_good() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    assert_eq!(ask(&mut library, SLOW, &[]).unwrap(), b"slow");
    assert_eq!(library.health().losses(), 0);
}
