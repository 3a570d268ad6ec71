//! What a library finds around itself, and what it cannot do.

use std::fs::File;

use device_drivers::vendor_library::{Limits, Loss, VendorError};

use crate::workshop::{
    COUNT_OPEN, Installed, OPEN_MANY, SURROUNDINGS, WRITE_FILE, ask, ask_number, assert_comes_back,
};

const SIGXFSZ: i32 = 25;

#[test]
fn the_surroundings_are_empty_and_bounded() {
    let mut installed = Installed::misbehaving();
    installed.config.limits = Limits { address_space_bytes: 300 << 20, descriptors: 40, file_bytes: 12345 };
    let mut library = installed.library();
    let said = String::from_utf8(ask(&mut library, SURROUNDINGS, &[]).unwrap()).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        ["environment 0", "folder /", "dumpable 0", "core 0", "file 12345", "open 40", "address 314572800"]
    );
}

#[test]
fn what_the_kiosk_has_open_is_closed() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    let ours = File::create(installed.folder.path().join("outbox.db")).unwrap();
    // As C libraries in the kiosk open files: without the mark that keeps them from children.
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::empty()).unwrap();
    assert_eq!(ask_number(&mut library, COUNT_OPEN), 3);
}

#[test]
fn descriptors_run_out_for_the_library_alone() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    let opened = ask_number(&mut library, OPEN_MANY);
    assert!(opened > 30 && opened <= 61, "{opened} beside the three standard ones");
    assert_comes_back(&mut library);
    assert_eq!(library.health().starts(), 1);
}

#[test]
fn a_photo_does_not_get_onto_the_disk() {
    let installed = Installed::misbehaving();
    let mut library = installed.library();
    let file = installed.folder.path().join("zp.bmp");
    let path = file.to_str().unwrap().as_bytes();
    let error = ask(&mut library, WRITE_FILE, path).unwrap_err();
    assert_eq!(error, VendorError::Lost { loss: Loss::Crashed(SIGXFSZ), failures_in_a_row: 1 });
    assert_eq!(std::fs::read(&file).unwrap(), b"", "the file is there and empty");
}

#[test]
fn a_library_that_may_write_files_can() {
    let mut installed = Installed::misbehaving();
    installed.config.limits.file_bytes = 4096;
    let mut library = installed.library();
    let file = installed.folder.path().join("state");
    ask(&mut library, WRITE_FILE, file.to_str().unwrap().as_bytes()).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), b"a photo");
}
