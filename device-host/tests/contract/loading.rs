//! Libraries that cannot be used: why is said in words that help whoever installs them.

use device_drivers::vendor_library::{Happening, LoadFault, Loss, Misbehaviour, Refusal, VendorError};
use device_drivers::{Fault, Remedy};

use crate::workshop::{BRIEF, Installed, compile, wait_until};

/// What an attempt to start gives.
fn start(installed: &Installed) -> VendorError {
    installed.library().tend().unwrap_err()
}

#[track_caller]
fn assert_unusable(error: VendorError, expected: LoadFault, words: &str) {
    assert_eq!(error.remedy(), Remedy::CallOperator(Fault::VendorGone));
    let VendorError::Unusable { fault, detail } = error else { panic!("{error:?}") };
    assert_eq!(fault, expected);
    assert!(detail.contains(words), "{detail}");
}

fn faulty(fault: &str) -> Installed {
    Installed::new("faulty", &[fault])
}

#[test]
fn a_faultless_library_starts() {
    let installed = Installed::new("faulty", &[]);
    let mut library = installed.library();
    assert_eq!(library.tend(), Ok(()));
    assert_eq!(library.identity(), Some("faultless"));
}

#[test]
fn no_file_and_no_library() {
    let mut installed = faulty("X");
    std::fs::write(&installed.config.library, "not a library\n".repeat(100)).unwrap();
    assert_unusable(start(&installed), LoadFault::NotALibrary, "invalid ELF header");
    installed.config.library = installed.folder.path().join("nothing.so");
    assert_unusable(start(&installed), LoadFault::NotALibrary, "nothing.so");
}

#[test]
fn a_library_that_needs_another() {
    let word = "function_of_a_library_that_is_not_installed";
    assert_unusable(start(&faulty("UNRESOLVED")), LoadFault::NotALibrary, word);
}

#[test]
fn a_missing_function_is_named() {
    assert_unusable(start(&faulty("LACKS_CALL")), LoadFault::MissingFunction, "kiosk_vendor_call");
}

#[test]
fn another_interface() {
    assert_unusable(start(&faulty("OTHER_ABI")), LoadFault::OtherAbi, "version 2");
}

#[test]
fn an_identity_that_is_none() {
    for fault in ["IDENTITY_EMPTY", "IDENTITY_OF_TWO_LINES", "IDENTITY_NOT_UTF8"] {
        assert_unusable(start(&faulty(fault)), LoadFault::BadIdentity, "");
    }
    let loss = Loss::Misbehaved(Misbehaviour::LengthBeyondRoom);
    assert_eq!(start(&faulty("IDENTITY_TOO_LONG")), VendorError::Lost { loss, failures_in_a_row: 1 });
}

#[test]
fn a_library_that_is_lost_while_it_is_loaded() {
    for (fault, loss) in [
        ("CRASHES_AT_LOAD", Loss::Crashed(11)),
        ("EXITS_AT_LOAD", Loss::Exited(9)),
        ("HANGS_AT_LOAD", Loss::Hung),
    ] {
        let mut installed = faulty(fault);
        if loss == Loss::Hung {
            installed.config.start_within = BRIEF;
        }
        assert_eq!(start(&installed), VendorError::Lost { loss, failures_in_a_row: 1 }, "{fault}");
    }
}

#[test]
fn a_library_whose_device_is_not_there_is_tried_again() {
    let mut installed = Installed::misbehaving();
    installed.config.settings = b"r".to_vec().into();
    let mut library = installed.library();
    assert_eq!(library.tend(), Err(VendorError::Refused(Refusal::NotConnected)));
    let happening = library.health().recent().last().map(|(_, what)| *what);
    assert_eq!(happening, Some(Happening::NotOpened(Refusal::NotConnected)));
    wait_until("the second try", || matches!(library.tend(), Err(VendorError::Refused(_))));
}

#[test]
fn a_library_that_hangs_while_it_opens() {
    let mut installed = Installed::misbehaving();
    installed.config.settings = b"h".to_vec().into();
    installed.config.start_within = BRIEF;
    assert_eq!(start(&installed), VendorError::Lost { loss: Loss::Hung, failures_in_a_row: 1 });
}

#[test]
fn a_library_that_was_mended_is_found() {
    let installed = faulty("OTHER_ABI");
    let mut library = installed.library();
    assert!(library.tend().is_err());
    compile(installed.folder.path(), "faulty", &[]);
    wait_until("the mended library runs", || library.tend().is_ok());
    assert_eq!(library.identity(), Some("faultless"));
}

#[test]
fn a_host_that_is_not_there_or_is_another_program() {
    let mut installed = Installed::misbehaving();
    installed.config.host = installed.folder.path().join("device-host");
    let error = start(&installed);
    assert_eq!(error, VendorError::NoHost(std::io::ErrorKind::NotFound));
    assert_eq!(error.remedy(), Remedy::CallOperator(Fault::VendorGone));
    // It prints what it is called with, which is no frame, and ends, perhaps before it was asked.
    installed.config.host = "/bin/echo".into();
    let error = start(&installed);
    let VendorError::Lost { loss: Loss::Garbled | Loss::Exited(0), .. } = error else { panic!("{error:?}") };
    installed.config.host = "/bin/false".into();
    assert_eq!(start(&installed), VendorError::Lost { loss: Loss::Exited(1), failures_in_a_row: 1 });
}

#[test]
fn a_failed_start_leaves_no_process() {
    let installed = faulty("LACKS_CALL");
    let mut library = installed.library();
    assert!(library.tend().is_err());
    let name = installed.config.library.to_str().unwrap();
    let running = std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(name)
    });
    assert!(!running);
}
