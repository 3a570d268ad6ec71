//! `ipptool`, the IPP conformance program of CUPS: it judges the simulated printer's answers, and it is the independent
//! encoder with whose bytes the driver's are compared.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use device_drivers::document_printer::simulator::{HeardRequest, MachineProfile, serve};
use device_drivers::document_printer::{DocumentPrinter, Go, PrintOut, Sides};

use crate::document_printer::{FAST, PATIENCE, driver, pdf};

/// Where an attribute stands, and what it says: group, value tag, name, value.
type Attribute = (u8, u8, String, Vec<u8>);

/// The attributes of a message in their order (RFC 8010 §3.1), read by hand.
fn attributes(message: &[u8]) -> Vec<Attribute> {
    let mut found = Vec::new();
    let (mut at, mut group) = (8, 0);
    loop {
        let tag = message[at];
        at += 1;
        match tag {
            0x03 => return found,
            0x00..=0x0F => group = tag,
            _ => {
                let mut next = || {
                    let length = usize::from(u16::from_be_bytes([message[at], message[at + 1]]));
                    let bytes = message[at + 2..at + 2 + length].to_vec();
                    at += 2 + length;
                    bytes
                };
                let name = String::from_utf8(next()).unwrap();
                found.push((group, tag, name, next()));
            }
        }
    }
}

/// The first request of each operation: version and code, and its attributes.
fn by_operation(heard: &[HeardRequest], uri: &str) -> BTreeMap<u16, (Vec<u8>, Vec<Attribute>)> {
    let mut requests = BTreeMap::new();
    for request in heard {
        let mut attributes = attributes(&request.message);
        for (_, _, name, value) in &mut attributes {
            // Two printers have two addresses, and each its own job numbers.
            match name.as_str() {
                "printer-uri" => assert_eq!(std::mem::take(value), uri.as_bytes()),
                "job-id" => *value = vec![0; 4],
                _ => {}
            }
        }
        requests.entry(request.operation).or_insert((request.message[..4].to_vec(), attributes));
    }
    requests
}

#[test]
fn ipptool_is_content_with_our_printer_and_writes_the_drivers_bytes() {
    let slow = MachineProfile { first_page: Duration::from_secs(20), ..FAST };
    let document = pdf(2);

    let judged = serve(slow).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("print-out.pdf");
    std::fs::write(&file, &document).unwrap();
    let output = Command::new("ipptool")
        .args(["-t", "-v", "-f"])
        .arg(&file)
        .arg(judged.uri())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/ipptool.test"))
        .output()
        .expect("ipptool is installed (Debian package cups-ipp-utils; cargo xtask test installs it)");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.matches("[PASS]").count(), 7, "{said}");

    let printer = serve(slow).unwrap();
    let print_out = PrintOut { pdf: &document, copies: 2, sides: Sides::Both };
    let withdrawn = driver(&printer.uri(), "DG0001").print(&print_out, PATIENCE, &mut |_| Go::Withdraw);
    assert!(withdrawn.is_err());

    let theirs = by_operation(&judged.heard(), &judged.uri());
    let ours = by_operation(&printer.heard(), &printer.uri());
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    assert_eq!(ours.len(), 6);
    for (operation, ours) in &ours {
        assert_eq!(ours, &theirs[operation], "operation {operation:04X}");
    }
    let sent = printer.heard().into_iter().find(|request| request.operation == 0x0006).unwrap();
    assert!(sent.message.ends_with(&document), "the print-out stands behind the attributes");
}

/// Lets a test file of cups-ipp-utils judge our printer, and gives what it says.
fn judged_by(version: &str, tests: &[&str]) -> String {
    // It takes one job at a time, and the test does not wait between two.
    let at_once = MachineProfile { first_page: Duration::ZERO, next_page: Duration::ZERO, ..FAST };
    let printer = serve(at_once).unwrap();
    // The tests want print-outs beside them that Debian does not bring; what stands in for them is taken as it is.
    let folder = tempfile::tempdir().unwrap();
    for test in tests {
        std::fs::copy(Path::new("/usr/share/cups/ipptool").join(test), folder.path().join(test))
            .expect("cups-ipp-utils is installed");
    }
    for name in [
        "document-a4.pdf",
        "document-letter.pdf",
        "document-a4.ps",
        "document-letter.ps",
        "color.jpg",
        "gray.jpg",
    ] {
        std::fs::write(folder.path().join(name), pdf(2)).unwrap();
    }
    let output = Command::new("ipptool")
        .args(["-V", version, "-tf"])
        .arg(folder.path().join("document-a4.pdf"))
        .arg(printer.uri())
        .arg(folder.path().join(tests[0]))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!said.contains("[FAIL]"), "{said}");
    said
}

/// Requests of every wrong form, and every operation that IPP/1.1 demands (RFC 8011).
#[test]
fn our_printer_passes_cupss_own_test_of_ipp_printers() {
    let said = judged_by("1.1", &["ipp-1.1.test"]);
    assert!(said.matches("[PASS]").count() >= 30, "{said}");
}

/// The same as IPP/2.0, and what an IPP Everywhere printer says of itself (PWG 5100.12, 5100.14).
#[test]
fn our_printer_passes_cupss_own_test_of_ipp_everywhere_printers() {
    let said = judged_by("2.0", &["ipp-everywhere.test", "ipp-2.0.test", "ipp-1.1.test"]);
    assert!(said.matches("[PASS]").count() >= 32, "{said}");
    for part in ["PWG 5100.12 section 6.2", "PWG 5100.14 section 5.1/5.2"] {
        let line = said.lines().find(|line| line.contains(part)).unwrap_or_default();
        assert!(line.contains("[PASS]"), "{part}: {said}");
    }
}
