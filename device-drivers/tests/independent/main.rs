//! The simulated printer against hosts and encoders that others wrote: receiptio prints to it over TCP and understands
//! its state; what python-escpos, the escpos crate and receiptline send becomes the right picture. Codes are read by
//! zbarimg. Text is compared with a picture that was looked at, by its hash: a picture with another hash lies in the
//! build folder, to be looked at again.

mod programs;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use device_drivers::receipt_printer::Bitmap;
use device_drivers::receipt_printer::simulator::{
    self, PrinterProfile, SimulatedPrinterHandle, SimulatedReceipt,
};
use escpos::driver::NetworkDriver;
use escpos::printer::Printer;
use escpos::utils::{
    JustifyMode, Protocol, QRCodeCorrectionLevel, QRCodeModel, QRCodeOption, RealTimeStatusRequest,
    RealTimeStatusResponse,
};
use foreign_programs::said;
use programs::{node, python};
use sha2::{Digest, Sha256};

/// What the codes say.
const CODE: &str = "https://example.invalid/q?t=DEMO0001";
/// White dots around a picture: on paper a code has them too.
const BORDER: u32 = 24;

fn printer_at(address: Ipv4Addr, port: u16) -> SimulatedPrinterHandle {
    let printer = simulator::serve_tcp(SocketAddr::from((address, port)), PrinterProfile::default()).unwrap();
    printer.set_paced(false);
    printer
}

fn printer() -> SimulatedPrinterHandle {
    printer_at(Ipv4Addr::LOCALHOST, 0)
}

/// receiptio knows no port but 9100: every test has an address of its own.
fn printer_for_receiptio(host: u8) -> SimulatedPrinterHandle {
    printer_at(Ipv4Addr::new(127, 91, 0, host), 9100)
}

/// The one receipt that has been cut.
fn printed(printer: &SimulatedPrinterHandle) -> SimulatedReceipt {
    let cut = |printer: &simulator::SimulatedPrinter| printer.strip().iter().any(|receipt| receipt.cut);
    assert!(printer.wait_until(Duration::from_secs(20), cut), "{:?}", printer.strip());
    let strip = printer.strip();
    assert_eq!(strip.len(), 1, "{strip:?}");
    let receipt = strip.into_iter().next().unwrap();
    assert!(receipt.complete && receipt.stray_bytes == 0, "{receipt:?}");
    receipt
}

/// Puts the picture into the build folder as a PNG with a white border.
fn save(name: &str, bitmap: &Bitmap) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("printed");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.png"));
    let (width, height) = (bitmap.width + 2 * BORDER, bitmap.height + 2 * BORDER);
    let lightness = |x: u32, y: u32| {
        let black = x >= BORDER && y >= BORDER && bitmap.is_black(x - BORDER, y - BORDER);
        if black { 0 } else { 255 }
    };
    let pixels: Vec<u8> = (0..height).flat_map(|y| (0..width).map(move |x| lightness(x, y))).collect();
    let mut encoder = png::Encoder::new(std::fs::File::create(&path).unwrap(), width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    path
}

/// Checks the code in a receipt's picture, its lines, and that the picture is the one that was looked at.
fn assert_shows(name: &str, receipt: &SimulatedReceipt, lines: &[&str], looked_at: &str) {
    let path = save(name, &receipt.bitmap);
    // Some hosts make an empty line of a space.
    let shown: Vec<&str> =
        receipt.text.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
    assert_eq!(shown, lines, "{name}");
    let read = said(Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&path));
    assert_eq!(String::from_utf8(read).unwrap().trim_end(), CODE, "{name}");
    let hash: String =
        Sha256::digest(&receipt.bitmap.rows).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, looked_at, "{} is another picture: look at it", path.display());
}

#[test]
fn receiptio_prints_and_takes_it_for_printed() {
    let printer = printer_for_receiptio(1);
    let receipt = format!("^^^受理回执\n\n示例市政务服务中心：测试样本\n{{code:{CODE};option:qrcode,6,m}}\n");
    let mut command = node("receiptio.cjs");
    let answer = said(command.env("PRINTER", "127.91.0.1").env("RECEIPT", receipt));
    assert_eq!(String::from_utf8(answer).unwrap().trim_end(), "success");
    let lines = ["受理回执", "示例市政务服务中心：测试样本"];
    assert_shows(
        "receiptio",
        &printed(&printer),
        &lines,
        "e0a2e45990b4f7b723be49ac9727469246d5c256503a5f93e43b9aa24153eabe",
    );
}

/// What receiptio says of a printer in some state.
fn receiptio_says(host: u8, state: impl FnOnce(&SimulatedPrinterHandle), options: &str) -> String {
    let printer = printer_for_receiptio(host);
    state(&printer);
    let mut command = node("receiptio.cjs");
    command.env("PRINTER", format!("127.91.0.{host}")).env("RECEIPT", "A\n").env("OPTIONS", options);
    let answer = String::from_utf8(said(&mut command)).unwrap().trim_end().to_owned();
    let came_out = printer.strip().iter().any(|receipt| receipt.complete);
    assert_eq!(came_out, answer == "success", "{answer}");
    answer
}

#[test]
fn receiptio_understands_the_printer_s_state() {
    assert_eq!(receiptio_says(2, |_| {}, "-q"), "online");
    assert_eq!(receiptio_says(3, |printer| printer.set_paper(false), "-q"), "paperempty");
    assert_eq!(receiptio_says(4, |printer| printer.set_cover_open(true), "-q"), "coveropen");
    assert_eq!(receiptio_says(5, |printer| printer.set_cutter_jam(true), "-q"), "error");
}

#[test]
fn receiptio_does_not_take_a_receipt_for_printed_that_was_not() {
    assert_eq!(receiptio_says(6, |printer| printer.set_paper(false), ""), "paperempty");
    assert_eq!(receiptio_says(7, |printer| printer.end_paper_after(10), ""), "paperempty");
    assert_eq!(receiptio_says(8, |printer| printer.open_cover_after(10), ""), "coveropen");
    assert_eq!(receiptio_says(9, |printer| printer.jam_at_cut(), ""), "error");
}

#[test]
fn receiptline_s_bytes_become_the_right_picture() {
    let receipt = format!("^^^受理回执\n\n示例市政务服务中心：测试样本\n{{code:{CODE};option:qrcode,6,m}}\n");
    let bytes = said(node("receiptline.cjs").env("RECEIPT", receipt));
    let printer = printer();
    let mut line = TcpStream::connect(printer.address().unwrap()).unwrap();
    line.write_all(&bytes).unwrap();
    // An orderly end right behind the bytes: everything is printed all the same.
    drop(line);
    let lines = ["受理回执", "示例市政务服务中心：测试样本"];
    assert_shows(
        "receiptline",
        &printed(&printer),
        &lines,
        "1cb2312a1e14fd45ef6736afbd14d0199c29b37af26fd28c6bcb43b8542090ce",
    );
}

fn python_escpos(printer: &SimulatedPrinterHandle, verb: &str) -> String {
    let address = printer.address().unwrap();
    let mut command = python("python_escpos.py");
    command.arg(verb).env("PRINTER", address.ip().to_string()).env("PORT", address.port().to_string());
    String::from_utf8(said(command.env("CODE", CODE))).unwrap().trim_end().to_owned()
}

#[test]
fn python_escpos_bytes_become_the_right_picture() {
    let lines = ["DEMO RECEIPT", "示例市政务服务中心：受理回执"];
    for (verb, looked_at) in [
        ("native", "2556b928f73aaa37271856ad1987cc663818c211612adb69d9dbabd81d96d14a"),
        ("picture", "b0bc2712e92b10f38453f35a1743dca7378409e5fdfe881e686565a9611aca1e"),
    ] {
        let printer = printer();
        python_escpos(&printer, verb);
        assert_shows(&format!("python-escpos-{verb}"), &printed(&printer), &lines, looked_at);
    }
}

#[test]
fn python_escpos_understands_the_printer_s_state() {
    let printer = printer();
    assert_eq!(python_escpos(&printer, "status"), "True 2");
    printer.set_near_end(true);
    assert_eq!(python_escpos(&printer, "status"), "True 1");
    printer.set_paper(false);
    assert_eq!(python_escpos(&printer, "status"), "False 0");
}

#[test]
fn the_escpos_crate_s_bytes_become_the_right_picture() {
    let printer = printer();
    let address = printer.address().unwrap();
    let driver = NetworkDriver::open(&address.ip().to_string(), address.port(), None).unwrap();
    let code = QRCodeOption::new(QRCodeModel::Model2, 6, QRCodeCorrectionLevel::M);
    let chinese = "示例市政务服务中心：受理回执";
    let (encoded, _, _) = encoding_rs::GB18030.encode(chinese);
    let sent = Printer::new(driver, Protocol::default(), None)
        .init()
        .and_then(|printer| printer.justify(JustifyMode::CENTER))
        .and_then(|printer| printer.size(2, 2)?.bold(true)?.writeln("DEMO RECEIPT"))
        .and_then(|printer| printer.size(1, 1)?.bold(false)?.justify(JustifyMode::LEFT))
        .and_then(|printer| printer.custom(&[0x1C, 0x26])?.custom(&encoded)?.feed()?.custom(&[0x1C, 0x2E]))
        .and_then(|printer| {
            printer.justify(JustifyMode::CENTER)?.qrcode_option(CODE, code)?.feed()?.print_cut()
        })
        .map(|_| ());
    assert!(sent.is_ok(), "{sent:?}");
    assert_shows(
        "escpos-crate",
        &printed(&printer),
        &["DEMO RECEIPT", chinese],
        "92dd8655cee0a9af5d3ea832b3ae4cc93c05354aaad2b5d4851a4a4285c81109",
    );
}

#[test]
fn the_escpos_crate_understands_the_printer_s_state() {
    use escpos::driver::Driver;
    let printer = printer();
    printer.set_near_end(true);
    let address = printer.address().unwrap();
    let driver = NetworkDriver::open(&address.ip().to_string(), address.port(), None).unwrap();
    Printer::new(driver.clone(), Protocol::default(), None)
        .real_time_status(RealTimeStatusRequest::Printer)
        .and_then(|printer| printer.real_time_status(RealTimeStatusRequest::RollPaperSensor)?.send_status())
        .map(|_| ())
        .unwrap();
    let mut answers = [0u8; 2];
    let mut got = 0;
    while got < answers.len() {
        got += driver.read(&mut answers[got..]).unwrap();
    }
    let state = RealTimeStatusResponse::parse(RealTimeStatusRequest::Printer, answers[0]).unwrap();
    assert_eq!(state.get(&RealTimeStatusResponse::Online), Some(&true));
    let roll = RealTimeStatusResponse::parse(RealTimeStatusRequest::RollPaperSensor, answers[1]).unwrap();
    assert_eq!(roll.get(&RealTimeStatusResponse::RollPaperNearEndSensorPaperAdequate), Some(&false));
}
