//! The printer's protocol against every vector, and against splits and noise.

use proptest::prelude::*;
use serde_json::Value;

use super::encode::{self, ProcessId, encode_receipt, raster_header};
use super::*;
use crate::receipt_printer::{Bitmap, Paper, PrinterFault, PrinterStatus};
use crate::vectors::{hex, list, load, text};

fn words(pairs: &[(bool, &str)]) -> Vec<String> {
    pairs.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned()).collect()
}

fn listed(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// What a DLE EOT answer means, in the words of the vectors, and the byte written back.
fn meaning(n: u64, byte: u8) -> (Vec<String>, u8) {
    match n {
        1 => {
            let bits = PrinterBits::from_byte(byte).unwrap();
            let meaning = words(&[
                (bits.drawer_pin_high, "drawer pin 3 high"),
                (bits.offline, "offline"),
                (bits.waiting_recovery, "waiting for online recovery"),
                (bits.feed_button, "feed button pressed"),
            ]);
            (meaning, bits.byte())
        }
        2 => {
            let bits = OfflineCause::from_byte(byte).unwrap();
            let meaning = words(&[
                (bits.cover_open, "cover open"),
                (bits.fed_by_button, "paper fed by button"),
                (bits.paper_end, "stopped: paper end"),
                (bits.error, "error"),
            ]);
            (meaning, bits.byte())
        }
        3 => {
            let bits = ErrorCause::from_byte(byte).unwrap();
            let meaning = words(&[
                (bits.mechanical, "recoverable or mechanical error (undefined on some models)"),
                (bits.cutter, "autocutter error"),
                (bits.unrecoverable, "unrecoverable error"),
                (bits.auto_recoverable, "auto-recoverable error (print head hot)"),
            ]);
            (meaning, bits.byte())
        }
        _ => {
            let bits = RollPaper::from_byte(byte).unwrap();
            (words(&[(bits.near_end, "paper near end"), (bits.end, "paper end")]), bits.byte())
        }
    }
}

/// "paper near end, only one of bits …" counts as "paper near end".
fn without_note(words: &[String]) -> Vec<String> {
    words.iter().map(|word| word.split(", only").next().unwrap().to_owned()).collect()
}

#[test]
fn all_real_time_answers_are_understood() {
    let vectors = load("escpos.json");
    let mut count = 0;
    for group in list(&vectors, "dle_eot") {
        let n = group["n"].as_u64().unwrap();
        assert_eq!(encode::realtime_status(n as u8).to_vec(), hex(text(group, "request")));
        for answer in list(group, "answers") {
            let byte = hex(text(answer, "byte"))[0];
            let expected = listed(&answer["meaning"]);
            let (ours, written) = meaning(n, byte);
            assert_eq!(ours, without_note(&expected), "n {n} byte {byte:02X}");
            let one_of_two_bits = expected != without_note(&expected);
            if !one_of_two_bits {
                assert_eq!(written, byte, "n {n}");
            }
            count += 1;
        }
    }
    assert_eq!(count, 64);
}

#[test]
fn everything_else_is_no_real_time_answer() {
    let vectors = load("escpos.json");
    let refused: Vec<u8> = (0..=255).filter(|byte| PrinterBits::from_byte(*byte).is_none()).collect();
    assert_eq!(refused.len() as u64, vectors["dle_eot_invalid"]["count"].as_u64().unwrap());
    for sample in list(&vectors["dle_eot_invalid"], "samples") {
        let byte = hex(sample.as_str().unwrap())[0];
        assert!(refused.contains(&byte));
        assert!(OfflineCause::from_byte(byte).is_none());
        assert!(ErrorCause::from_byte(byte).is_none());
        assert!(RollPaper::from_byte(byte).is_none());
    }
}

#[test]
fn the_published_cases_give_the_right_state() {
    let vectors = load("escpos.json");
    for case in list(&vectors, "dle_eot_cases") {
        let byte = |n: &str| hex(text(&case["answers"], n))[0];
        let state = status::from_realtime(
            PrinterBits::from_byte(byte("1")).unwrap(),
            OfflineCause::from_byte(byte("2")).unwrap(),
            ErrorCause::from_byte(byte("3")).unwrap(),
            RollPaper::from_byte(byte("4")).unwrap(),
        );
        for n in 1..=4u64 {
            let decoded = case["decoded"].get(n.to_string()).map(listed).unwrap_or_default();
            assert_eq!(meaning(n, byte(&n.to_string())).0, decoded, "{case}");
        }
        let ready = PrinterStatus { online: true, ..PrinterStatus::default() };
        let off = PrinterStatus::default();
        let expected = match text(case, "case") {
            "ready" => ready,
            "ready, drawer pin high" => PrinterStatus { drawer_pin_high: true, ..ready },
            "paper near end" => PrinterStatus { paper: Paper::NearEnd, ..ready },
            "paper end" => PrinterStatus { paper: Paper::End, ..off },
            "cover open" => PrinterStatus { cover_open: true, ..off },
            "cutter jam" => PrinterStatus { error: Some(PrinterFault::Cutter), ..off },
            "head hot" => PrinterStatus { error: Some(PrinterFault::HeadHot), ..off },
            "unrecoverable" => PrinterStatus { error: Some(PrinterFault::Unrecoverable), ..off },
            other => panic!("a case nobody tests: {other}"),
        };
        assert_eq!(state, expected, "{case}");
    }
}

#[test]
fn automatic_status_is_read_and_written() {
    let vectors = load("escpos.json");
    for sample in list(&vectors["asb"], "samples") {
        let bytes: [u8; 4] = hex(text(sample, "bytes")).try_into().unwrap();
        let asb = Asb::from_bytes(bytes).unwrap();
        let ours = words(&[
            (asb.drawer_pin_high, "drawer pin 3 high"),
            (asb.offline, "offline"),
            (asb.cover_open, "cover open"),
            (asb.feeding, "feeding by button"),
            (asb.waiting_recovery, "waiting for recovery"),
            (asb.feed_button, "feed button pressed"),
            (asb.error.mechanical, "mechanical error"),
            (asb.error.cutter, "cutter error"),
            (asb.error.unrecoverable, "unrecoverable error"),
            (asb.error.auto_recoverable, "auto-recoverable error"),
            (asb.paper.near_end, "paper near end"),
            (asb.paper.end, "paper end"),
        ]);
        assert_eq!(ours, listed(&sample["meaning"]), "{sample}");
        let mut written = asb.bytes();
        written[3] = bytes[3];
        assert_eq!(written, bytes);
        // The kiosk's picture of the state leaves no bit out but those of several errors at once.
        let state = asb.status();
        assert_eq!(state.online, !asb.offline);
        assert_eq!((state.cover_open, state.feeding), (asb.cover_open, asb.feeding));
        assert_eq!((state.feed_button, state.waiting_recovery), (asb.feed_button, asb.waiting_recovery));
        assert_eq!((state.drawer_pin_high, state.error), (asb.drawer_pin_high, asb.error.fault()));
    }
    for rejected in list(&vectors["asb"], "rejected") {
        let bytes: [u8; 4] = hex(text(rejected, "bytes")).try_into().unwrap();
        assert_eq!(Asb::from_bytes(bytes), None, "{rejected}");
    }
    assert_eq!(Asb::default().bytes().to_vec(), hex(text(&vectors["asb"], "clear")));
}

#[test]
fn queued_status_and_process_id_follow_the_vectors() {
    let vectors = load("escpos.json");
    for sample in list(&vectors, "gs_r_1") {
        let byte = hex(text(sample, "byte"))[0];
        let paper = RollPaper::from_queued(byte).unwrap();
        let ours = words(&[(paper.near_end, "paper near end"), (paper.end, "paper end")]);
        assert_eq!(ours, listed(&sample["meaning"]));
        assert_eq!(paper.queued_byte(), byte);
    }
    for sample in list(&vectors["process_id"], "samples") {
        let characters: [u8; 4] = text(sample, "id").as_bytes().try_into().unwrap();
        let id = ProcessId::new(characters).unwrap();
        assert_eq!(id.request().to_vec(), hex(text(sample, "request")));
        assert_eq!(id.answer().to_vec(), hex(text(sample, "answer")));
        assert_eq!(replies(&[&id.answer()]), [Reply::ProcessId(id)]);
    }
    assert_eq!(ProcessId::from_number(42), ProcessId::new(*b"0042").unwrap());
    assert_eq!(ProcessId::from_number(9999).characters(), *b"9999");
    assert_eq!(ProcessId::new([0x1F, 0x20, 0x20, 0x20]), None);
    assert_eq!(ProcessId::new([0x7F, 0x20, 0x20, 0x20]), None);
}

#[test]
fn commands_are_the_listed_bytes() {
    let vectors = load("escpos.json");
    let example = |name: &str| {
        let all = list(&vectors, "commands");
        hex(text(all.iter().find(|command| command["name"] == name).unwrap(), "example"))
    };
    assert_eq!(encode::INITIALISE.to_vec(), example("initialise"));
    assert_eq!(encode::FEED_AND_CUT.to_vec(), example("cut_feed_partial"));
    assert_eq!(encode::RECOVER_AND_CLEAR.to_vec(), example("recover_from_error"));
    assert_eq!(encode::QUEUED_STATUS.to_vec(), example("queued_status"));
    assert_eq!(encode::ENABLE_ASB[..2], example("enable_asb")[..2]);
    assert_eq!(encode::realtime_status(1).to_vec(), example("realtime_status"));
    assert_eq!(encode::feed(0x20), example("feed_dots"));
    assert_eq!(encode::feed(300), hex("1B 4A FF 1B 4A 2D"));
    for header in list(&vectors, "raster_headers") {
        let bytes = header["dots"].as_u64().unwrap().div_ceil(8) as u16;
        let rows = header["rows"].as_u64().unwrap() as u16;
        assert_eq!(raster_header(bytes, rows).to_vec(), hex(text(header, "header")));
    }
    // 8 × 2 dots, top left and bottom right: our whole receipt is the example, then the cut.
    let mut bitmap = Bitmap::blank(8, 2);
    bitmap.set_black(0, 0);
    bitmap.set_black(7, 1);
    assert_eq!(encode_receipt(&bitmap).to_vec(), [example("raster"), example("cut_feed_partial")].concat());
}

#[test]
fn the_printable_width_is_that_of_the_rolls() {
    let vectors = load("escpos.json");
    for roll in list(&vectors, "geometry") {
        let dots = roll["dots"].as_u64().unwrap() as u32;
        let bitmap = Bitmap::blank(dots, 1);
        assert!(bitmap.check(dots).is_ok() && bitmap.check(dots - 1).is_err());
        if let Some(bytes) = roll["raster_bytes_per_row"].as_u64() {
            assert_eq!(bitmap.bytes_per_row() as u64, bytes);
        }
    }
}

/// Replies in `chunks`.
fn replies(chunks: &[&[u8]]) -> Vec<Reply> {
    let mut decoder = ReplyDecoder::new();
    let mut replies = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        replies.extend(std::iter::from_fn(|| decoder.next_reply()));
    }
    replies
}

#[test]
fn one_stream_is_told_apart() {
    let vectors = load("escpos.json");
    let sample = &vectors["stream_sample"];
    let ours = replies(&[&hex(text(sample, "bytes"))]);
    let expected: Vec<Reply> = list(sample, "events")
        .iter()
        .map(|event| {
            let bytes = hex(text(event, "bytes"));
            match text(event, "kind") {
                "realtime_status" => Reply::Realtime(bytes[0]),
                "asb" => Reply::Asb(Asb::from_bytes(bytes.try_into().unwrap()).unwrap()),
                "process_id" => Reply::ProcessId(ProcessId::new(bytes[2..6].try_into().unwrap()).unwrap()),
                "xoff" => Reply::Xoff,
                "xon" => Reply::Xon,
                "gs_r" => Reply::QueuedStatus(bytes[0]),
                other => panic!("a kind nobody tests: {other}"),
            }
        })
        .collect();
    assert_eq!(ours, expected);
}

#[test]
fn every_first_byte_has_one_class() {
    for byte in 0..=255u8 {
        let class = replies(&[&[byte], &[0; 4]]).remove(0);
        let fits = match byte {
            0x11 => class == Reply::Xon,
            0x13 => class == Reply::Xoff,
            0x35 | 0x37 | 0x3B | 0x3D | 0x5F => class == Reply::Block(vec![byte]),
            _ if byte & 0x93 == 0x12 => class == Reply::Realtime(byte),
            _ if byte & 0x93 == 0x10 => matches!(class, Reply::Asb(_)),
            _ if byte & 0x90 == 0 => class == Reply::QueuedStatus(byte),
            _ => class == Reply::Noise(byte),
        };
        assert!(fits, "{byte:02X}: {class:?}");
    }
}

#[test]
fn a_broken_automatic_status_is_noise_and_the_rest_is_read() {
    assert_eq!(
        replies(&[&[0x10, 0x12, 0x00]]),
        [Reply::Noise(0x10), Reply::Realtime(0x12), Reply::QueuedStatus(0)]
    );
    assert_eq!(replies(&[&[0x37; 200]]).first(), Some(&Reply::Noise(0x37)), "a block has an end");
}

/// What a receipt's bytes draw, decoded by the commands' lengths alone.
fn draw(bytes: &[u8], width: u32) -> Bitmap {
    let mut rows: Vec<u8> = Vec::new();
    let stride = width.div_ceil(8) as usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at..] {
            [0x1B, 0x4A, n, ..] => {
                rows.resize(rows.len() + stride * usize::from(n), 0);
                at += 3;
            }
            [0x1D, 0x76, 0x30, 0, x, 0, y_low, y_high, ..] => {
                at += 8;
                for _ in 0..u16::from_le_bytes([y_low, y_high]) {
                    let row = &bytes[at..at + usize::from(x)];
                    rows.extend(row.iter().copied().chain(std::iter::repeat(0)).take(stride));
                    at += usize::from(x);
                }
            }
            [0x1D, 0x56, 0x42, 0] => at += 4,
            _ => panic!("an unexpected command at {at}"),
        }
    }
    Bitmap { width, height: (rows.len() / stride) as u32, rows }
}

#[test]
fn white_costs_next_to_nothing() {
    let mut bitmap = Bitmap::blank(576, 1000);
    for x in 0..40 {
        bitmap.set_black(x, 10);
        bitmap.set_black(x, 900);
    }
    let bytes = encode_receipt(&bitmap);
    assert_eq!(draw(&bytes, 576), bitmap);
    assert!(bytes.len() < 100, "{} bytes", bytes.len());
    assert_eq!(encode_receipt(&Bitmap::blank(576, 3)).to_vec(), hex("1B 4A 03 1D 56 42 00"));
}

#[test]
fn a_picture_holds_no_real_time_command() {
    for sequence in [[0x10, 0x04, 0x01], [0x10, 0x05, 0x02], [0x10, 0x14, 0x01]] {
        let bitmap = Bitmap { width: 24, height: 1, rows: sequence.to_vec() };
        let bytes = encode_receipt(&bitmap).to_vec();
        assert!(!bytes.windows(2).any(|pair| pair == &sequence[..2]), "{bytes:02X?}");
        let drawn = draw(&bytes, 24);
        let added: u32 = drawn.rows.iter().zip(&bitmap.rows).map(|(new, old)| (new ^ old).count_ones()).sum();
        assert_eq!(added, 1, "one dot more");
    }
}

proptest! {
    #[test]
    fn any_split_gives_the_same_replies(stream in prop::collection::vec(prop_oneof![
        Just(0x10u8), Just(0x00), Just(0x12), Just(0x37), Just(0x22), Just(0x0F), any::<u8>()
    ], 0..300), cut in any::<u16>()) {
        let cut = usize::from(cut) % (stream.len() + 1);
        let whole = replies(&[&stream]);
        prop_assert_eq!(&whole, &replies(&[&stream[..cut], &stream[cut..]]));
        let bytewise: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&whole, &replies(&bytewise));
        fuzz_decode(&stream);
    }

    #[test]
    fn a_receipt_draws_its_bitmap_and_no_command(width in 1u32..200, dots in prop::collection::vec((any::<u16>(), 0u32..300), 0..400), height in 1u32..300) {
        let mut bitmap = Bitmap::blank(width, height);
        for (x, y) in dots {
            bitmap.set_black(u32::from(x) % width, y);
        }
let bytes = encode_receipt(&bitmap);
        let drawn = draw(&bytes, width);
        prop_assert_eq!((drawn.width, drawn.height), (width, height));
        // Dot by dot the same, but for the one more dot that takes a real-time command apart.
        let same = |(new, old): (&u8, &u8)| new == old || (*old == 0x10 && *new == 0x18);
        prop_assert!(drawn.rows.iter().zip(&bitmap.rows).all(same));
        prop_assert!(!bytes.windows(3).any(|w| w[0] == 0x10 && matches!(w[1], 4 | 5 | 0x14) && w[2] <= 8));
    }

    #[test]
    fn bits_beyond_the_width_are_not_printed(width in 1u32..64) {
        let mut bitmap = Bitmap::blank(width, 4);
        bitmap.rows.fill(0xFF);
        let drawn = draw(&encode_receipt(&bitmap), width);
        let beyond = (width..width.div_ceil(8) * 8).any(|x| drawn.row(0)[x as usize / 8] & (0x80 >> (x % 8)) != 0);
        prop_assert!(!beyond);
        prop_assert!((0..width).all(|x| drawn.is_black(x, 3)));
    }
}
