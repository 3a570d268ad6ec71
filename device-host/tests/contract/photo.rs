//! The photo of an ID card, decoded by a library in its own process.

use std::time::Duration;

use device_drivers::id_card_reader::{Photo, PhotoDecoder, PhotoError, Portrait, VendorPhotoDecoder};
use device_drivers::vendor_library::VendorLibrary;

use crate::workshop::{BRIEF, Installed, PATIENCE, wait_until};

/// A made-up photo in the made-up format of photo.c.
fn photo() -> Photo {
    let mut bytes: Vec<u8> = (0..1024u32).map(|at| (at * 7 % 253) as u8).collect();
    bytes[..3].copy_from_slice(b"WLf");
    Photo::new(&bytes)
}

/// A decoder with a fault, and what keeps it installed.
fn decoder(fault: &[u8], within: Duration) -> (Installed, VendorPhotoDecoder) {
    let mut installed = Installed::new("photo", &[]);
    installed.config.settings = fault.to_vec().into();
    let decoder = VendorPhotoDecoder::new(VendorLibrary::new(installed.config.clone())).within(within);
    (installed, decoder)
}

fn decoded(fault: &[u8]) -> Result<Portrait, PhotoError> {
    let (_installed, mut decoder) = decoder(fault, PATIENCE);
    decoder.decode(&photo())
}

#[test]
fn a_photo_becomes_pixels() {
    let portrait = decoded(b"").unwrap();
    assert_eq!((portrait.width, portrait.height, portrait.rgb.len()), (102, 126, 102 * 126 * 3));
    let bytes = photo();
    let expected = |at: usize| bytes.as_bytes()[at % 1024].wrapping_add((at / 1024) as u8);
    assert!(portrait.rgb.iter().enumerate().all(|(at, byte)| *byte == expected(at)));
    assert_eq!(format!("{portrait:?}"), "Portrait(102x126, [redacted])");
}

#[test]
fn bytes_that_are_no_photo() {
    let (_installed, mut decoder) = decoder(b"", PATIENCE);
    assert_eq!(decoder.decode(&Photo::new(b"JFIF")), Err(PhotoError::Unreadable));
    assert!(decoder.decode(&photo()).is_ok(), "the next one is decoded");
    assert_eq!(decoder.library().health().starts(), 1);
}

#[test]
fn a_picture_that_is_not_whole_is_none() {
    assert_eq!(decoded(b"s"), Err(PhotoError::Unreadable));
}

#[test]
fn a_decoder_that_crashes_is_started_again() {
    let (_installed, mut decoder) = decoder(b"c", PATIENCE);
    assert_eq!(decoder.decode(&photo()), Err(PhotoError::Lost));
    wait_until("it runs again", || decoder.library().tend().is_ok());
    assert_eq!(decoder.decode(&Photo::new(b"x")), Err(PhotoError::Unreadable));
}

#[test]
fn a_decoder_that_hangs_costs_its_deadline() {
    let (_installed, mut decoder) = decoder(b"h", BRIEF);
    decoder.library().tend().unwrap();
    assert_eq!(decoder.decode(&photo()), Err(PhotoError::Lost));
}

#[test]
fn without_a_decoder_there_is_no_picture() {
    assert_eq!(decoded(b"n"), Err(PhotoError::NoDecoder), "its dongle is not there");
    let (installed, mut decoder) = decoder(b"", PATIENCE);
    std::fs::remove_file(&installed.config.library).unwrap();
    assert_eq!(decoder.decode(&photo()), Err(PhotoError::NoDecoder));
}

#[test]
fn a_library_for_something_else_is_no_decoder() {
    let installed = Installed::misbehaving();
    let mut decoder = VendorPhotoDecoder::new(installed.library()).within(PATIENCE);
    assert_eq!(decoder.decode(&photo()), Err(PhotoError::NoDecoder));
}
