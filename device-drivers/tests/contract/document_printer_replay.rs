//! Recordings of a document printer, replayed through the true driver: one JSON line an exchange, with the operation
//! asked for and the answer's bytes.
//!
//! `tests/recordings/ippeveprinter.jsonl` was recorded from `ippeveprinter` by the last test below, which stands between
//! driver and printer. It records a real printer whose address is in `KIOSK_RECORD_PRINTER`, and keeps what it recorded
//! in the file that `KIOSK_RECORD_TO` names.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use device_drivers::document_printer::{DocumentPrinter, Failure, Go, IppDocumentPrinter, PrintOut, Printed};
use serde_json::{Value, json};

use crate::document_printer::{driver, error, pdf, print};
use crate::ippeveprinter::Eve;

/// Answers each HTTP request of any number of connections with what `answer` makes of its body, or hangs up.
fn serve(mut answer: impl FnMut(&[u8]) -> Option<Vec<u8>> + Send + 'static) -> String {
    let listener = TcpListener::bind(("localhost", 0)).unwrap();
    let uri = format!("ipp://{}/ipp/print", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let Some(body) = read_body(&connection).and_then(|body| answer(&body)) else { continue };
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = connection.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    uri
}

fn read_body(connection: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            return Some(body);
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
}

fn operation(message: &[u8]) -> String {
    format!("{:02X}{:02X}", message[2], message[3])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn ippeveprinter() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/ippeveprinter.jsonl")
}

/// A printer that says what was recorded: for each operation its answers in their order, the last one for ever. An
/// answer carries the number of the request that it answers now. `cut` answers are given; then it hangs up.
fn replay(recording: &Path, cut: Option<usize>) -> String {
    let text = std::fs::read_to_string(recording).unwrap();
    let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut given = 0;
    serve(move |request| {
        if cut == Some(given) {
            return None;
        }
        given += 1;
        let asked = operation(request);
        let at = lines.iter().position(|line| line["operation"] == asked.as_str())?;
        let last = lines.iter().filter(|line| line["operation"] == asked.as_str()).count() == 1;
        let line = if last { lines[at].clone() } else { lines.remove(at) };
        let mut answer = bytes(line["answer"].as_str()?);
        answer[4..8].copy_from_slice(&request[4..8]);
        Some(answer)
    })
}

#[test]
fn a_recorded_print_out_is_understood_as_it_was() {
    let mut printer = driver(&replay(&ippeveprinter(), None), "DG0001");
    let status = printer.status().unwrap();
    assert!(status.obstacle.is_none() && status.accepting && status.two_sided);
    assert_eq!(print(&mut printer, &pdf(2)), Ok(Printed { impressions: Some(2) }));
}

#[test]
fn a_recording_that_breaks_off_anywhere_is_told() {
    let exchanges = std::fs::read_to_string(ippeveprinter()).unwrap().lines().count();
    for cut in 0..exchanges {
        let mut printer = driver(&replay(&ippeveprinter(), Some(cut)), "DG0001");
        let outcome = print(&mut printer, &pdf(2));
        match outcome {
            // Everything that matters had been said.
            Ok(printed) => assert_eq!(printed, Printed { impressions: Some(2) }, "after {cut}"),
            Err(told) if cut < 4 => assert_eq!(told.failure, Failure::Cut, "after {cut}"),
            Err(told) => assert_eq!(told, error(Failure::Cut, true, true), "after {cut}"),
        }
    }
}

#[test]
fn a_print_out_can_be_recorded_and_replayed() {
    let eve = std::env::var("KIOSK_RECORD_PRINTER").is_err().then(Eve::start);
    let address = match &eve {
        Some(eve) => eve.uri(),
        None => std::env::var("KIOSK_RECORD_PRINTER").unwrap(),
    };
    let url = address.replacen("ipp://", "http://", 1);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let uri = serve(move |request| {
        let mut response = ureq::post(&url).header("Content-Type", "application/ipp").send(request).ok()?;
        let answer = response.body_mut().read_to_vec().ok()?;
        let line = json!({"operation": operation(request), "answer": hex(&answer)});
        kept.lock().unwrap().push(line.to_string());
        Some(answer)
    });
    // A real printer takes its time.
    let mut printer = IppDocumentPrinter::new(&uri, "DG0001").unwrap();
    printer.status().unwrap();
    let document = pdf(2);
    assert!(printer.print(&PrintOut::once(&document), Duration::from_secs(120), &mut |_| Go::On).is_ok());
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("KIOSK_RECORD_TO").map(PathBuf::from);
    let recording = kept.unwrap_or_else(|| folder.path().join("recording.jsonl"));
    std::fs::write(&recording, lines.lock().unwrap().join("\n") + "\n").unwrap();
    let mut again = driver(&replay(&recording, None), "DG0001");
    assert!(again.status().is_ok() && print(&mut again, &pdf(2)).is_ok());
}
