//! Codes as scanners send them: with every ending, cut into pieces, too long, binary, typed.

use proptest::prelude::*;

use super::keys::{EVENT_BYTES, typed};
use super::*;
use crate::code_scanner::{ScannedCode, ScannerError};

type Outcome = Result<String, ScannerError>;

fn taken(line: &mut LineDecoder) -> Vec<Outcome> {
    std::iter::from_fn(|| line.next_code()).map(|code| code.map(|code| code.as_str().to_owned())).collect()
}

fn lines<'a>(end: ScanEnd, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Outcome> {
    let mut line = LineDecoder::new(end);
    pieces.into_iter().for_each(|piece| line.push(piece));
    line.silence();
    taken(&mut line)
}

fn typed_text<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Outcome> {
    let (mut keys, mut line) = (KeyDecoder::new(), LineDecoder::new(ScanEnd::Suffix));
    for piece in pieces {
        keys.push(piece);
        while let Some(key) = keys.next_key() {
            line.push_key(key);
        }
    }
    line.silence();
    taken(&mut line)
}

fn ok(text: &str) -> Outcome {
    Ok(text.to_owned())
}

#[test]
fn every_usual_ending_ends_a_code() {
    for ending in ["\r", "\n", "\r\n", "\n\r\r\n"] {
        let stream = format!("4240001{ending}ABC{ending}{ending}");
        assert_eq!(lines(ScanEnd::Suffix, [stream.as_bytes()]), [ok("4240001"), ok("ABC")]);
    }
    assert_eq!(lines(ScanEnd::SuffixOrSilence, [&b"4240001"[..]]), [ok("4240001")]);
    assert_eq!(lines(ScanEnd::Suffix, [&b"4240001"[..]]), [Err(ScannerError::Incomplete)]);
}

#[test]
fn chinese_text_comes_in_both_encodings() {
    let gbk = [0xB6, 0xAB, 0xDD, 0xB8, 0xCA, 0xD0]; // 东莞市 in GB 2312
    let four_bytes = [0x95, 0x32, 0x82, 0x36]; // 𠀀 in GB 18030
    assert_eq!(lines(ScanEnd::Suffix, ["东莞市\r".as_bytes()]), [ok("东莞市")]);
    assert_eq!(lines(ScanEnd::Suffix, [&gbk[..], b"\r"]), [ok("东莞市")]);
    assert_eq!(lines(ScanEnd::Suffix, [&four_bytes[..], b"\r"]), [ok("𠀀")]);
}

#[test]
fn what_is_no_text_is_refused_whole_and_the_next_code_is_good() {
    for bad in
        [&b"12\x0034\r"[..], b"\xFF\xFF\r", b"\xB6\r", b"12\x1B[2J\r", b"\x7F\r", "\u{85}\r".as_bytes()]
    {
        let stream = [bad, b"NEXT\r"].concat();
        assert_eq!(
            lines(ScanEnd::Suffix, [&stream[..]]),
            [Err(ScannerError::NotText), ok("NEXT")],
            "{bad:?}"
        );
    }
    // Marks around and between the fields of a code are no part of it.
    assert_eq!(lines(ScanEnd::Suffix, [&b"\x0201\x1D10AB\x03\r"[..]]), [ok("0110AB")]);
}

#[test]
fn a_code_that_is_too_long_is_refused_whole_and_the_next_code_is_good() {
    let longest = vec![b'7'; MAX_CODE_BYTES];
    let stream = [&longest[..], b"\r", &longest, b"7\rNEXT\r"].concat();
    let found = lines(ScanEnd::Suffix, [&stream[..]]);
    assert_eq!(found[0].as_ref().map(String::len), Ok(MAX_CODE_BYTES));
    assert_eq!(found[1..], [Err(ScannerError::TooLong), ok("NEXT")]);
}

#[test]
fn only_so_many_codes_wait() {
    let stream: String = (0..20).map(|number| format!("{number}\r")).collect();
    let found = lines(ScanEnd::Suffix, [stream.as_bytes()]);
    assert_eq!(found, (12..20).map(|number| ok(&number.to_string())).collect::<Vec<_>>());
}

#[test]
fn nothing_that_is_printed_shows_a_code() {
    let mut line = LineDecoder::new(ScanEnd::Suffix);
    line.push(b"4240001\r424");
    let mut keys = KeyDecoder::new();
    keys.push(&typed(b'4').concat());
    let code = ScannedCode::new("4240001".to_owned());
    let shown = format!("{line:?} {keys:?} {:?} {code:?} {:?}", keys.next_key(), ScannerError::TooLong);
    assert!(!shown.contains("424") && !shown.contains("Byte(52)"), "{shown}");
}

/// Events as the kernel gives them for a scanner that reads `a1B-` (little-endian, 64 bits): scan codes, keys and
/// the end of each report. Written down by hand from linux/input-event-codes.h.
#[cfg(target_endian = "little")]
#[test]
fn recorded_events_are_read() {
    fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
        let time = [0x3D, 0xC4, 0x5E, 0x69, 0, 0, 0, 0, 0x21, 0x9E, 0x0B, 0, 0, 0, 0, 0];
        [&time[..], &kind.to_le_bytes(), &code.to_le_bytes(), &value.to_le_bytes()].concat()
    }
    let msc = |usage: i32| event(4, 4, 0x70000 + usage);
    let key = |usage, code, value| [msc(usage), event(1, code, value), event(0, 0, 0)].concat();
    let recorded = [
        key(0x04, 30, 1),
        key(0x04, 30, 0),
        key(0x1E, 2, 1),
        key(0x1E, 2, 2), // held: repeats
        key(0x1E, 2, 0),
        key(0xE1, 42, 1),
        key(0x05, 48, 1),
        key(0x05, 48, 0),
        key(0xE1, 42, 0),
        key(0x2D, 12, 1),
        key(0x2D, 12, 0),
        key(0x28, 28, 1),
        key(0x28, 28, 0),
    ]
    .concat();
    assert_eq!(recorded.len() % EVENT_BYTES, 0);
    assert_eq!(typed_text([&recorded[..]]), [ok("a1B-")]);
    assert_eq!(typed_text(recorded.chunks(7)), [ok("a1B-")]);
}

fn press(code: u16, value: i32) -> Vec<u8> {
    let head = [0; 16];
    [&head[..], &1u16.to_ne_bytes(), &code.to_ne_bytes(), &value.to_ne_bytes()].concat()
}

fn stroke(code: u16) -> Vec<u8> {
    [press(code, 1), press(code, 0)].concat()
}

#[test]
fn caps_lock_turns_letters_and_only_letters() {
    let (caps, a, one, shift, enter) = (stroke(58), stroke(30), stroke(2), press(42, 1), stroke(28));
    let stream = [&caps[..], &a, &one, &shift, &a, &one, &press(42, 0), &caps, &a, &enter].concat();
    assert_eq!(typed_text([&stream[..]]), [ok("A1a!a")]);
}

#[test]
fn alt_and_digits_make_a_character_of_the_code_page() {
    // 46819 = B6E3 would be one character; B6AB = 46763 is 东.
    let digits = |text: &str| {
        text.bytes()
            .flat_map(|d| stroke([82, 79, 80, 81, 75, 76, 77, 71, 72, 73][usize::from(d - b'0')]))
            .collect::<Vec<_>>()
    };
    let stream =
        [press(56, 1), digits("46763"), press(56, 0), press(56, 1), digits("065"), press(56, 0), stroke(96)];
    assert_eq!(typed_text([&stream.concat()[..]]), [ok("东A")]);
}

#[test]
fn a_key_without_a_character_and_dropped_events_leave_no_half_code() {
    let next = [stroke(3), stroke(28)].concat();
    for hole in
        [stroke(59), stroke(125), keys::dropped().to_vec(), [press(56, 1), stroke(30), press(56, 0)].concat()]
    {
        let stream = [stroke(2), hole, stroke(2), stroke(28), next.clone()].concat();
        assert_eq!(typed_text([&stream[..]]), [Err(ScannerError::Incomplete), ok("2")]);
    }
}

#[test]
fn every_character_of_ascii_can_be_typed() {
    let text: String = (b' '..=b'~').map(char::from).collect();
    let stream: Vec<u8> = text.bytes().chain([b'\r']).flat_map(typed).flatten().collect();
    assert_eq!(typed_text([&stream[..]]), [ok(&text)]);
}

fn pieces<'a>(stream: &'a [u8], cuts: &[u16]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) % (stream.len() + 1)).collect();
    cuts.extend([0, stream.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect()
}

fn byte_of_a_line() -> impl Strategy<Value = u8> {
    prop_oneof![8 => b' '..b'~', 2 => Just(b'\r'), 1 => Just(b'\n'), 1 => any::<u8>()]
}

proptest! {
    #[test]
    fn any_split_gives_the_same_codes(stream in prop::collection::vec(byte_of_a_line(), 0..300), cuts in prop::collection::vec(any::<u16>(), 0..20)) {
        for end in [ScanEnd::Suffix, ScanEnd::SuffixOrSilence] {
            let bytewise = lines(end, stream.chunks(1));
            prop_assert_eq!(&bytewise, &lines(end, pieces(&stream, &cuts)));
        }
    }

    #[test]
    fn any_split_gives_the_same_keys(codes in prop::collection::vec((0u16..130, 0i32..3), 0..60), cuts in prop::collection::vec(any::<u16>(), 0..20)) {
        let stream: Vec<u8> = codes.iter().flat_map(|(code, value)| press(*code, *value)).collect();
        prop_assert_eq!(typed_text([&stream[..]]), typed_text(pieces(&stream, &cuts)));
    }

    #[test]
    fn what_is_typed_is_read(text in "[ -~]{1,60}") {
        let stream: Vec<u8> = text.bytes().chain([b'\r']).flat_map(typed).flatten().collect();
        prop_assert_eq!(typed_text([&stream[..]]), vec![ok(&text)]);
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..6000)) {
        fuzz_decode(&bytes);
    }
}
