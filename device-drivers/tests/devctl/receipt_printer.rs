//! `devctl receipt-printer` on a serial line, USB and network.

use std::time::Duration;

use device_drivers::receipt_printer::simulator::{self, PrinterProfile};

use crate::run::{Simulated, run};

#[test]
fn every_bit_of_the_state_is_told_and_an_obstacle_is_a_no() {
    let mut printer = Simulated::start("receipt-printer --listen 127.0.0.1:0");
    let status = |printer: &Simulated| run(&format!("receipt-printer {} status", printer.way));
    let told = status(&printer).good();
    for (word, value) in [
        ("online", "yes"),
        ("paper", "present"),
        ("cover-open", "no"),
        ("error", "-"),
        ("feeding", "no"),
        ("feed-button", "no"),
        ("waiting-recovery", "no"),
        ("drawer-pin-high", "no"),
    ] {
        assert_eq!(told.fact(word), value, "{word}");
    }
    for (fault, word, value, remedy) in [
        ("paper-end", "paper", "end", "printer-paper-end"),
        ("cover-open", "cover-open", "yes", "printer-cover-open"),
        ("cutter-jam", "error", "cutter", "printer-cutter"),
        ("head-hot", "error", "head-hot", "printer-fault"),
    ] {
        printer.order("fault none");
        printer.order(&format!("fault {fault}"));
        let told = status(&printer);
        assert_eq!(told.fact(word), value, "{fault}");
        if fault == "head-hot" {
            // It goes on by itself when it has cooled.
            told.refused("retry");
        } else {
            told.refused(&format!("call-operator {remedy}"));
        }
    }
    printer.order("fault none");
    printer.order("fault near-end");
    assert_eq!(status(&printer).good().fact("paper"), "near-end");
    printer.order("fault silent");
    status(&printer).refused("call-operator printer-silent");
    printer.order("fault none");
    printer.order("unplug");
    status(&printer).refused("call-operator printer-gone");
    printer.order("plug");
    status(&printer).good();
    printer.quit();
}

#[test]
fn a_test_page_comes_out_on_every_cable_and_says_how_surely() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let link = link.display();
    for place in [format!("--link {link}"), format!("--usb-link {link}"), "--listen 127.0.0.1:0".to_owned()] {
        let mut printer = Simulated::start(&format!("receipt-printer {place}"));
        let told = run(&format!("receipt-printer {} test-page", printer.way)).good();
        assert_eq!(told.fact("print-level"), "2 printed", "{place}");
        let told = run(&format!("receipt-printer {} probe", printer.way)).good();
        assert_eq!(told.fact("print-level"), "2 printed", "{place}");
        assert!(printer.answer("receipts").starts_with("done: "), "{place}");
        printer.quit();
    }
}

#[test]
fn a_printer_with_a_mouth_is_probed_higher_and_its_model_is_chosen_by_name() {
    let printer = Simulated::start("receipt-printer --listen 127.0.0.1:0 --exit-sensor");
    let told = run(&format!("receipt-printer {} --model 80mm-exit-sensor probe", printer.way)).good();
    assert_eq!(told.fact("print-level"), "4 taken");
    run(&format!("receipt-printer {} --model pencil status", printer.way)).misused();
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("models.toml");
    std::fs::write(
        &table,
        "[[model]]\nname = \"pencil\"\nroll_mm = 58\ndots = 384\ndots_per_inch = 203\nbaud = 9600\n\
         rows_per_second_min = 100\n",
    )
    .unwrap();
    let models = format!("--models {}", table.display());
    run(&format!("receipt-printer {} {models} --model pencil test-page", printer.way)).good();
    std::fs::write(&table, "[[model]]").unwrap();
    run(&format!("receipt-printer {} {models} --model pencil status", printer.way)).misused();
}

#[test]
fn what_stops_a_test_page_is_told() {
    for (fault, remedy) in [
        ("paper-ends:100", "call-operator printer-paper-end"),
        ("cover-opens:50", "call-operator printer-cover-open"),
        ("jam-at-cut", "call-operator printer-cutter"),
        ("unplugged-at:2000", "call-operator printer-gone"),
    ] {
        let printer = Simulated::start(&format!("receipt-printer --listen 127.0.0.1:0 --fault {fault}"));
        run(&format!("receipt-printer {} test-page", printer.way)).refused(remedy);
    }
}

#[test]
fn the_page_has_a_frame_and_a_code_that_zbarimg_reads() {
    let printer = simulator::serve_tcp("127.0.0.1:0".parse().unwrap(), PrinterProfile::default()).unwrap();
    printer.set_paced(false);
    run(&format!("receipt-printer --tcp {} test-page", printer.address().unwrap())).good();
    assert!(printer.wait_until(Duration::from_secs(10), |printer| !printer.strip().is_empty()));
    let strip = printer.strip();
    let page = strip.iter().map(|receipt| &receipt.bitmap).find(|bitmap| bitmap.height >= 320).unwrap();
    assert!(page.is_black(0, 0) && page.is_black(575, 319), "the frame");
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("page.pbm");
    // Netpbm's bitmap: as a printer takes it.
    let mut pbm = format!("P4\n{} {}\n", page.width, page.height).into_bytes();
    pbm.extend(&page.rows);
    std::fs::write(&picture, pbm).unwrap();
    let read =
        std::process::Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&picture).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), "devctl receipt-printer test-page");
}

#[test]
fn a_status_is_recorded_and_played_back() {
    let printer = Simulated::start("receipt-printer --listen 127.0.0.1:0 --fault near-end");
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape.jsonl");
    let tape = tape.display();
    run(&format!("receipt-printer {} --record {tape} status", printer.way)).good();
    drop(printer);
    let told = run(&format!("receipt-printer --replay {tape} status")).good();
    assert_eq!((told.fact("paper"), told.fact("replay")), ("near-end", "as recorded"));
}
