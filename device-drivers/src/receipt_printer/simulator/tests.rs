//! The simulated printer alone, without a wire: what it makes of bytes.

use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::vectors::{hex, list, load, text};
use crate::wire::WireDevice;

/// A printer that has worked off `bytes`, and what it said.
fn after(profile: PrinterProfile, bytes: &[u8]) -> (SimulatedPrinter, Vec<u8>) {
    let mut printer = SimulatedPrinter::new(profile, false);
    printer.set_paced(false);
    let now = Instant::now();
    printer.receive(bytes, now);
    let said = printer.advance(now);
    (printer, said)
}

fn printed(bytes: &[u8]) -> Vec<SimulatedReceipt> {
    after(PrinterProfile::default(), bytes).0.strip()
}

/// Black dots from the left of the leftmost to the right of the rightmost.
fn extent(receipt: &SimulatedReceipt) -> (u32, u32) {
    let bitmap = &receipt.bitmap;
    let black = |x: &u32| (0..bitmap.height).any(|y| bitmap.is_black(*x, y));
    let columns: Vec<u32> = (0..bitmap.width).filter(black).collect();
    (*columns.first().unwrap(), *columns.last().unwrap() + 1)
}

/// Two lines and a cut.
const TICKET: &[u8] = b"one\ntwo\n\x1DV\x00";

#[test]
fn what_was_to_go_wrong_and_is_taken_back_does_not() {
    let mut printer = SimulatedPrinter::new(PrinterProfile::default(), false);
    printer.set_paced(false);
    printer.end_paper_after(3);
    printer.jam_at_cut();
    printer.trouble.drop_after(5);
    printer.disarm();
    let now = Instant::now();
    printer.receive(TICKET, now);
    printer.advance(now);
    assert!(!printer.trouble.has_dropped());
    let status = printer.status();
    assert_eq!((status.paper, status.error), (crate::receipt_printer::Paper::Present, None));
    assert!(printer.strip()[0].cut && printer.strip()[0].complete);
}

#[test]
fn the_ticket_of_the_vectors_says_what_it_says() {
    let vectors = load("escpos.json");
    let sample = &vectors["text_sample"];
    let strip = printed(&hex(text(sample, "ticket")));
    assert_eq!(strip.len(), 1);
    assert_eq!(strip[0].text, [text(sample, "text")]);
    assert!(strip[0].cut && strip[0].stray_bytes == 0);
    let (left, right) = extent(&strip[0]);
    assert!(left < 6 && right > 162 && right <= 168, "seven characters of 24 dots: {left} to {right}");
    assert_eq!(strip[0].bitmap.height, 34, "one line of 1/6 inch");
}

#[test]
fn no_listed_command_comes_out_as_text_or_swallows_what_follows() {
    let vectors = load("escpos.json");
    for command in list(&vectors, "commands") {
        let Some(example) = command["example"].as_str() else { continue };
        // A picture's head stands before its data; whatever was asked for, the line behind it is printed.
        let bytes = [&hex(example)[..], b"\nOK\n", &hex("1D 56 00")].concat();
        let strip = printed(&bytes);
        let last = strip.last().unwrap();
        assert_eq!(last.text, ["OK"], "{command}");
        assert_eq!(last.stray_bytes, 0, "{command}");
    }
}

#[test]
fn answers_follow_the_vectors() {
    let vectors = load("escpos.json");
    let profile = PrinterProfile::default();
    for sample in list(&vectors["process_id"], "samples") {
        assert_eq!(after(profile, &hex(text(sample, "request"))).1, hex(text(sample, "answer")));
    }
    let clear = hex(text(&vectors["asb"], "clear"));
    assert_eq!(after(profile, &[0x1D, 0x61, 0x0F]).1, clear);
    for group in list(&vectors, "dle_eot") {
        assert_eq!(after(profile, &hex(text(group, "request"))).1, hex(text(group, "clear")));
    }
    let info = after(profile, &[0x1D, 0x49, 69]).1;
    assert_eq!(info, [&[0x5F][..], b"CHINA GB18030", &[0]].concat());
    assert_eq!(after(profile, &[0x1D, 0x72, 0x01]).1, [0x00]);
}

#[test]
fn the_sensors_answer_as_in_the_published_cases() {
    let vectors = load("escpos.json");
    for case in list(&vectors, "dle_eot_cases") {
        let mut printer = SimulatedPrinter::new(PrinterProfile::default(), false);
        let error = |change: fn(&mut ErrorCause)| {
            let mut error = ErrorCause::default();
            change(&mut error);
            error
        };
        printer.feel(|sensors| match text(case, "case") {
            "ready" => {}
            "ready, drawer pin high" => sensors.drawer_pin_high = true,
            "paper near end" => sensors.near_end = true,
            "paper end" => sensors.paper = false,
            "cover open" => sensors.cover_open = true,
            "cutter jam" => sensors.error = error(|error| error.cutter = true),
            "head hot" => sensors.error = error(|error| error.auto_recoverable = true),
            "unrecoverable" => sensors.error = error(|error| error.unrecoverable = true),
            other => panic!("a case nobody tests: {other}"),
        });
        for n in 1..=4u8 {
            let now = Instant::now();
            printer.receive(&[0x10, 0x04, n], now);
            let said = printer.advance(now);
            assert_eq!(said, hex(text(&case["answers"], &n.to_string())), "{case} {n}");
        }
    }
}

#[test]
fn a_full_line_is_broken_where_the_paper_ends() {
    let strip = printed(&[&[b'x'; 50][..], b"\n\x1DV\x00"].concat());
    assert_eq!(strip[0].text, ["x".repeat(48), "xx".to_owned()]);
}

#[test]
fn pictures_follow_the_alignment_and_the_line_before_them() {
    // "A", a picture of 8 × 1 dots in the middle, without a line end between them.
    let bytes =
        [b"A".as_slice(), b"\x1Ba\x01", b"\n\x1Ba\x01", &hex("1D 76 30 00 01 00 01 00 FF"), b"\x1DV\x00"];
    let strip = printed(&bytes.concat());
    let bitmap = &strip[0].bitmap;
    assert_eq!((bitmap.height, strip[0].text.as_slice()), (35, &["A".to_owned()][..]));
    let black: Vec<u32> = (0..576).filter(|x| bitmap.is_black(*x, 34)).collect();
    assert_eq!(black, (284..292).collect::<Vec<_>>(), "an alignment inside a line is not heard");
    let twice = printed(&[b"A".as_slice(), &hex("1D 76 30 03 01 00 01 00 80"), b"\x1DV\x00"].concat());
    assert_eq!(twice[0].bitmap.height, 26, "the line's own rows, then the picture's");
    assert!(twice[0].bitmap.is_black(1, 25) && !twice[0].bitmap.is_black(2, 25));
}

#[test]
fn what_is_no_character_of_the_font_counts_as_stray() {
    let rare = hex("1C 26 95 34 B2 35 0A 1D 56 00");
    let strip = printed(&rare);
    assert_eq!((strip[0].text.len(), strip[0].stray_bytes), (0, 4));
    assert_eq!(printed(&hex("B6 AB 0A 1D 56 00"))[0].stray_bytes, 2, "without FS & it is no Chinese");
}

#[test]
fn a_code_is_drawn_in_its_size() {
    let vectors = load("escpos.json");
    let sample = &vectors["qr_sample"];
    let strip = printed(&[hex(text(sample, "bytes")), hex("1D 56 00")].concat());
    let module = sample["module"].as_u64().unwrap() as u32;
    let side = strip[0].bitmap.height;
    assert_eq!((side % module, extent(&strip[0])), (0, (0, side)));
    // The three corners: a dark ring of seven modules.
    for (x, y) in [(0, 0), (side - 7 * module, 0), (0, side - 7 * module)] {
        assert!((0..7 * module).all(|d| strip[0].bitmap.is_black(x + d, y)));
    }
    let edge = &vectors["qr_length_edge"];
    let count = edge["data_length"].as_u64().unwrap() as usize;
    let store =
        [hex("1D 28 6B"), hex(text(edge, "store_length")), hex("31 50 30"), vec![b'7'; count]].concat();
    let strip = printed(&[store, hex("1D 28 6B 03 00 31 51 30 1D 56 00")].concat());
    assert!(strip[0].text.is_empty() && strip[0].bitmap.height > 100);
}

#[test]
fn a_buffer_that_is_kept_comes_out_when_there_is_paper_again() {
    for (keeps_buffer, pieces) in [(true, 2), (false, 1)] {
        let profile = PrinterProfile { keeps_buffer, ..PrinterProfile::default() };
        let mut printer = SimulatedPrinter::new(profile, false);
        printer.set_paced(false);
        printer.end_paper_after(50);
        let now = Instant::now();
        printer.receive(&[b"one\ntwo\nthree\n".as_slice(), b"\x1DV\x00"].concat(), now);
        printer.advance(now);
        assert_eq!(printer.strip().len(), 1);
        printer.set_paper(true);
        printer.advance(now);
        let strip = printer.strip();
        assert_eq!(strip.len(), pieces);
        assert!(!strip[0].complete);
        assert_eq!(strip.get(1).map(|piece| piece.cut), keeps_buffer.then_some(true));
    }
}

#[test]
fn the_mouth_is_full_from_the_cut_until_somebody_takes_the_receipt() {
    let profile = PrinterProfile { exit_sensor: true, ..PrinterProfile::default() };
    let (mut printer, said) = after(profile, b"\x10\x04\x14A\n");
    assert_eq!(said, [0x10, 0x0F, 0, 0, 0, 0]);
    let now = Instant::now();
    printer.receive(b"\x1DV\x00", now);
    printer.advance(now);
    printer.receive(b"\x10\x04\x14", now);
    assert_eq!(printer.advance(now), [0x10, 0x0F, 0x20, 0, 0, 0]);
    let (_, said) = after(PrinterProfile::default(), b"\x10\x04\x14");
    assert!(said.is_empty(), "a printer without the sensor is silent");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is sent, in whatever pieces: the same paper, and no end of the printer.
    #[test]
    fn any_split_of_the_bytes_prints_the_same(
        bytes in prop::collection::vec(prop_oneof![
            Just(0x1Bu8), Just(0x1C), Just(0x1D), Just(0x28), Just(0x0A), Just(0x26), Just(b'A'), any::<u8>()
        ], 0..120),
        at in any::<u16>(),
    ) {
        // DLE ENQ throws away what was not worked off yet, which is more when more has come at once.
        let bytes: Vec<u8> = bytes.into_iter().map(|byte| if byte == 0x05 { 0x06 } else { byte }).collect();
        let whole = after(PrinterProfile::default(), &bytes).0;
        let at = usize::from(at) % (bytes.len() + 1);
        let (mut split, _) = after(PrinterProfile::default(), &bytes[..at]);
        let now = Instant::now();
        split.receive(&bytes[at..], now);
        split.advance(now);
        let shown = |printer: &SimulatedPrinter| -> Vec<_> {
            let strip = printer.strip();
            strip.into_iter().map(|piece| (piece.bitmap, piece.text, piece.cut, piece.stray_bytes)).collect()
        };
        prop_assert!(shown(&whole) == shown(&split));
    }
}
