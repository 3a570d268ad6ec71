//! Text mode on a serial line: a receipt of 40 lines within two seconds of the line, rare names as pictures, and the
//! same receipt as one picture on the fast ways.

use std::time::Duration;

use device_drivers::receipt_printer::simulator::{self, PrinterProfile};
use device_drivers::receipt_printer::{
    Connection, EscPosPrinter, Paper, PrintLevel, PrinterError, PrinterModel, Receipt, ReceiptPrinter,
};

use super::forty_lines::{LINE, forty_lines};
use super::printer_desk::{Cable, Desk, assert_good, only};

/// What a serial line may be busy with one receipt.
const WIRE_TIME_MAX: Duration = Duration::from_secs(2);

#[test]
fn forty_lines_take_less_than_two_seconds_of_every_model_s_serial_line() {
    for model in PrinterModel::built_in().into_iter().filter(|model| model.text.is_some()) {
        let dir = tempfile::tempdir().unwrap();
        let port = dir.path().join("printer");
        let profile = PrinterProfile { dots: model.dots, ..PrinterProfile::default() };
        let simulator = simulator::serve(&port, model.baud, profile).unwrap();
        simulator.set_paced(false);
        let connection = Connection::Serial { port, baud: model.baud };
        let mut printer = EscPosPrinter::open(&connection, model.clone()).unwrap();
        // What is done once after switching on is not counted.
        printer.probe().unwrap();
        let before = simulator.received_bytes();
        let (receipt, as_text) = forty_lines(&model);
        assert_eq!(printer.print(&receipt), Ok(PrintLevel::COMPLETED), "{}", model.name);
        let bytes = simulator.received_bytes() - before;
        // Start bit, eight bits, stop bit.
        let wire_time = Duration::from_secs_f64(bytes as f64 * 10.0 / f64::from(model.baud));
        println!("{}: {bytes} bytes, {wire_time:?} at {} baud", model.name, model.baud);
        assert!(wire_time <= WIRE_TIME_MAX, "{}: {bytes} bytes, {wire_time:?}", model.name);
        let printed = only(simulator.strip());
        assert_eq!(printed.text, as_text, "{}", model.name);
        assert!(printed.complete && printed.stray_bytes == 0);
        assert_eq!(
            printed.bitmap.height,
            receipt.picture().height,
            "every line has the rows it has in the picture"
        );
        // The rows of the rare names and of the code are exactly the picture's.
        for rows in [7 * LINE..8 * LINE, 21 * LINE..22 * LINE, 40 * LINE..printed.bitmap.height] {
            for row in rows {
                assert_eq!(printed.bitmap.row(row), receipt.picture().row(row), "{} row {row}", model.name);
            }
        }
        // As a picture it would have been too much.
        let picture = Receipt::from(receipt.picture().clone());
        let before = simulator.received_bytes();
        assert_eq!(printer.print(&picture), Ok(PrintLevel::COMPLETED));
        assert!(simulator.received_bytes() - before > 3 * bytes);
    }
}

#[test]
fn fast_ways_and_models_without_text_get_the_picture() {
    let model = PrinterModel::named("80mm").unwrap();
    let (receipt, _) = forty_lines(&model);
    for cable in [Cable::Usb, Cable::Tcp] {
        let mut desk = Desk::on(cable, PrinterProfile::default());
        assert_eq!(desk.printer.print(&receipt), Ok(PrintLevel::COMPLETED));
        assert_good(&only(desk.simulator.strip()), receipt.picture());
    }
    let desk = Desk::on(Cable::Serial, PrinterProfile::default());
    let silent = PrinterModel { text: None, ..model };
    let mut printer = EscPosPrinter::open(&desk.connection, silent).unwrap();
    assert_eq!(printer.print(&receipt), Ok(PrintLevel::COMPLETED));
    assert_good(&only(desk.simulator.strip()), receipt.picture());
}

#[test]
fn paper_that_ends_in_the_middle_of_text_is_noticed_and_nothing_comes_by_itself() {
    for line in [1, 20, 39] {
        let mut desk = Desk::on(Cable::Serial, PrinterProfile::default());
        let (receipt, as_text) = forty_lines(&PrinterModel::named("80mm").unwrap());
        desk.printer.probe().unwrap();
        desk.simulator.end_paper_after(line * LINE + 5);
        assert_eq!(desk.printer.print(&receipt), Err(PrinterError::PaperEnd { started: true }));
        // The answer comes behind the taking back of what was left: nobody has paper at hand faster.
        assert_eq!(desk.printer.status().unwrap().paper, Paper::End);
        desk.simulator.set_paper(true);
        assert_eq!(desk.printer.print(&receipt), Ok(PrintLevel::COMPLETED));
        let strip = desk.simulator.strip();
        assert_eq!((strip.len(), strip[0].complete, strip[0].bitmap.height), (2, false, line * LINE + 5));
        assert_eq!(strip[1].text, as_text);
        assert!(strip[1].complete && strip[1].stray_bytes == 0);
    }
}
