//! The reader's protocol against every vector.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::frame::encode_frame;
use super::*;
use crate::id_card_reader::card::CardText;
use crate::vectors::{hex, list, load, text};

pub(super) type Outcome = Result<Vec<u8>, FrameError>;

/// Frames and errors in `chunks`, and whether a frame is left unfinished.
pub(super) fn decode<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Outcome>, bool) {
    let mut decoder = FrameDecoder::for_answers();
    let mut outcomes = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        while let Some(outcome) = decoder.next_frame() {
            outcomes.push(outcome.map(|frame| frame.bytes().to_vec()));
        }
    }
    (outcomes, decoder.is_mid_frame())
}

fn one_frame(bytes: &[u8]) -> Frame {
    let mut decoder = FrameDecoder::for_answers();
    decoder.push(bytes);
    let frame = decoder.next_frame().expect("a frame").expect("a good frame");
    assert!(decoder.next_frame().is_none());
    frame
}

pub(super) fn by<'a>(items: &'a [Value], key: &str, value: &str) -> &'a Value {
    items.iter().find(|item| item[key] == value).unwrap_or_else(|| panic!("no {value}"))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Builds a vector's frame by the file's compose rule.
fn compose(vectors: &Value, entry: &Value) -> Vec<u8> {
    if let Some(written) = entry["hex"].as_str() {
        return hex(written);
    }
    let mut bytes = match entry["base"].as_str() {
        Some(base) => compose(vectors, by(list(vectors, "complete_answers"), "id", base)),
        None => {
            let block = by(list(vectors, "text_blocks"), "id", text(entry, "text_block"));
            let photo = &vectors["photo"];
            let mut file = hex(text(photo, "head"));
            file.resize(photo["bytes"].as_u64().unwrap() as usize, 0);
            let mut bytes = [hex(text(entry, "head_hex")), hex(text(block, "hex")), file].concat();
            bytes.resize(bytes.len() + entry["fingerprint_bytes"].as_u64().unwrap_or(0) as usize, 0);
            bytes.extend(hex(text(entry, "checksum")));
            bytes
        }
    };
    for patch in entry["patches"].as_array().into_iter().flatten() {
        let (at, new) = (patch["offset"].as_u64().unwrap() as usize, hex(text(patch, "hex")));
        bytes[at..at + new.len()].copy_from_slice(&new);
    }
    match entry["keep_first_bytes"].as_u64() {
        Some(keep) => bytes.truncate(keep as usize),
        None => *bytes.last_mut().unwrap() = hex(text(entry, "checksum"))[0],
    }
    bytes
}

fn all_requests() -> Vec<(&'static str, Request)> {
    vec![
        ("reset_sam", Request::ResetSam),
        ("sam_status", Request::SamStatus),
        ("sam_id", Request::SamId),
        ("find_card", Request::Find),
        ("select_card", Request::Select),
        ("read_text_photo", Request::ReadTextPhoto),
        ("read_additional_address", Request::ReadAdditionalAddress),
        ("read_card_management_number", Request::ReadManagementNumber),
        ("read_text_photo_fingerprint", Request::ReadTextPhotoFingerprint),
        ("baud_115200", Request::SetBaud(BaudRate::B115200)),
        ("baud_57600", Request::SetBaud(BaudRate::B57600)),
        ("baud_38400", Request::SetBaud(BaudRate::B38400)),
        ("baud_19200", Request::SetBaud(BaudRate::B19200)),
        ("baud_9600", Request::SetBaud(BaudRate::B9600)),
        ("set_max_rf_bytes_0x50", Request::SetMaxRfBytes(0x50)),
    ]
}

#[test]
fn requests_are_the_listed_bytes() {
    let vectors = load("idcard.json");
    let listed = list(&vectors, "requests");
    let ours = all_requests();
    assert_eq!(listed.len(), ours.len());
    for (name, request) in ours {
        let vector = by(listed, "name", name);
        assert_eq!(request.encode().to_vec(), hex(text(vector, "hex")), "{name}");
        let (command, parameter) = request.code();
        assert_eq!(vec![command], hex(text(vector, "cmd")), "{name}");
        assert_eq!(vec![parameter], hex(text(vector, "para")), "{name}");
        let mut decoder = FrameDecoder::for_requests();
        decoder.push(&hex(text(vector, "hex")));
        let frame = decoder.next_frame().unwrap().unwrap();
        assert_eq!(Request::from_frame(&frame), Some(request), "{name}");
    }
}

#[test]
fn statuses_are_the_listed_bytes_and_classes() {
    let vectors = load("idcard.json");
    for vector in list(&vectors, "statuses") {
        let frame = one_frame(&hex(text(vector, "hex")));
        let code = hex(text(vector, "sw3"))[0];
        assert_eq!(frame.sw3(), code);
        assert!(frame.data().is_empty());
        let info = status(code);
        assert_eq!(info.meaning, text(vector, "meaning"));
        let class = match info.class {
            StatusClass::Ok => "ok",
            StatusClass::OkEmpty => "ok_empty",
            StatusClass::Idle => "idle",
            StatusClass::Retry => "retry",
            StatusClass::RetryOnce => "retry_once",
            StatusClass::Refuse => "refuse",
            StatusClass::Partial => "partial",
            StatusClass::Resend => "resend",
            StatusClass::DriverBug => "driver_bug",
            StatusClass::DeviceFault => "device_fault",
            StatusClass::Unknown => "unknown",
        };
        assert_eq!(class, text(vector, "driver_class"), "{code:02X}");
    }
    // 9F stands among the responses of the vectors, everything else among the statuses.
    assert_eq!(status::STATUSES.len(), list(&vectors, "statuses").len() + 1);
    for code in list(&vectors, "dll_side_codes_never_on_the_wire") {
        assert_eq!(status(hex(code.as_str().unwrap())[0]).class, StatusClass::Unknown);
    }
}

#[test]
fn responses_are_decoded() {
    let vectors = load("idcard.json");
    for vector in list(&vectors, "responses") {
        let bytes = hex(text(vector, "hex"));
        let frame = one_frame(&bytes);
        assert_eq!(bytes.len() as u64, vector["total_bytes"].as_u64().unwrap());
        assert_eq!(frame.body()[..3], hex(text(vector, "sw")));
        match text(vector, "name") {
            "find_ok" => assert!(Request::Find.accepts(&frame) && !Request::Select.accepts(&frame)),
            "select_ok" => assert!(Request::Select.accepts(&frame) && !Request::Find.accepts(&frame)),
            "sam_id_ok" => {
                let id = SamId::from_answer(&frame).unwrap();
                let decoded = &vector["decoded"];
                assert_eq!(id.to_string(), text(decoded, "text"));
                assert_eq!(u64::from(id.a), decoded["a"].as_u64().unwrap());
                assert_eq!(u64::from(id.b), decoded["b"].as_u64().unwrap());
                assert_eq!(u64::from(id.date), decoded["date"].as_u64().unwrap());
                assert_eq!(u64::from(id.serial), decoded["serial"].as_u64().unwrap());
                assert_eq!(u64::from(id.check), decoded["check"].as_u64().unwrap());
                assert_eq!(id.encode(), frame.data());
            }
            "additional_address_ok" => {
                let address = decode_additional_address(&frame).unwrap();
                assert_eq!(address.as_str(), text(&vector["decoded"], "address"));
            }
            other => panic!("a response nobody tests: {other}"),
        }
    }
}

#[test]
fn complete_answers_are_composed_and_decoded() {
    let vectors = load("idcard.json");
    for vector in list(&vectors, "complete_answers") {
        let id = text(vector, "id");
        let bytes = compose(&vectors, vector);
        assert_eq!(sha256(&bytes), text(vector, "sha256"), "{id}");
        assert_eq!(bytes.len() as u64, vector["total_bytes"].as_u64().unwrap(), "{id}");
        let frame = one_frame(&bytes);
        let with_fingerprint = text(vector, "command") == "3010";
        let answer = ReadAnswer::from_answer(&frame, with_fingerprint).unwrap();
        assert_eq!((answer.text.len(), answer.photo.len()), (256, 1024), "{id}");
        let fingerprint = vector["fingerprint_bytes"].as_u64().unwrap_or(0) as usize;
        assert_eq!(answer.fingerprint.len(), fingerprint, "{id}");
        let card = decode_text(answer.text).unwrap();
        if let Some(name) = vector["expected_name"].as_str() {
            assert_eq!(card.name(), name);
        }
        if let Some(block) = vector["text_block"].as_str() {
            let block = by(list(&vectors, "text_blocks"), "id", block);
            assert_eq!(answer.text, hex(text(block, "hex")), "{id}");
            let at = vector["text_offset"].as_u64().unwrap() as usize;
            assert_eq!(&bytes[at..at + 256], answer.text, "{id}");
        }
        // The encoder gives the same frame back.
        assert_eq!(encode_frame(frame.body()).to_vec(), bytes, "{id}");
    }
}

#[test]
fn malformed_input_comes_out_as_expected() {
    let vectors = load("idcard.json");
    let status_80 = hex("AAAAAA9669000400008084");
    let find_ok = hex("AAAAAA9669000800009F0000000097");
    for vector in list(&vectors, "malformed") {
        let id = text(vector, "id");
        let bytes = compose(&vectors, vector);
        assert_eq!(bytes.len() as u64, vector["bytes"].as_u64().unwrap(), "{id}");
        if let Some(sum) = vector["sha256"].as_str() {
            assert_eq!(sha256(&bytes), sum, "{id}");
        }
        let (outcomes, mid_frame) = decode([bytes.as_slice()]);
        let read = || {
            let frame = one_frame(&bytes);
            ReadAnswer::from_answer(&frame, false).map(|answer| decode_text(answer.text))
        };
        match text(vector, "expect") {
            "checksum_error" => assert_eq!(outcomes, [Err(FrameError::Checksum)], "{id}"),
            "length_error" => assert_eq!(outcomes, [Err(FrameError::Length)], "{id}"),
            "one_frame:status_80" => assert_eq!(outcomes, [Ok(status_80.clone())], "{id}"),
            "two_frames:status_80,find_ok" => {
                assert_eq!(outcomes, [Ok(status_80.clone()), Ok(find_ok.clone())], "{id}");
            }
            "incomplete_then_timeout" => assert_eq!((outcomes.len(), mid_frame), (0, true), "{id}"),
            "inner_length_error" => assert_eq!(read(), Err(FrameError::InnerLength), "{id}"),
            "one_frame:read_3001" => assert!(matches!(read(), Ok(Ok(CardText::Mainland(_)))), "{id}"),
            "one_frame:read_3001, name = 测试样本 followed by U+FFFD" => {
                assert_eq!(read().unwrap().unwrap().name(), "测试样本\u{FFFD}", "{id}");
            }
            "unknown_document_type" => assert_eq!(read(), Ok(Err(TextError::UnknownDocument)), "{id}"),
            other => panic!("an outcome nobody tests: {other}"),
        }
        if !text(vector, "expect").starts_with("incomplete") {
            assert!(!mid_frame, "{id}");
        }
    }
}

#[test]
fn after_a_quiet_line_the_next_answer_is_read() {
    let vectors = load("idcard.json");
    let cut = by(list(&vectors, "malformed"), "id", "truncated_after_600_bytes");
    let mut decoder = FrameDecoder::for_answers();
    decoder.push(&compose(&vectors, cut));
    assert!(decoder.next_frame().is_none() && decoder.is_mid_frame());
    decoder.resync();
    decoder.push(&hex("AAAAAA9669000400008084"));
    assert_eq!(decoder.next_frame().unwrap().unwrap().sw3(), 0x80);
}

#[test]
fn no_answer_can_pass_for_one_to_another_step() {
    let vectors = load("idcard.json");
    let read = by(list(&vectors, "complete_answers"), "id", "read_3001_mainland");
    let good = [
        (Request::Find, hex("AAAAAA9669000800009F0000000097")),
        (Request::Select, hex("AAAAAA9669000C00009000000000000000009C")),
        (Request::SamId, hex("AAAAAA9669001400009005000100E5D6340140E20100B168DE3A18")),
        (Request::ReadTextPhoto, compose(&vectors, read)),
    ];
    for (of, bytes) in &good {
        for (to, _) in &good {
            assert_eq!(to.accepts(&one_frame(bytes)), of == to, "answer to {of:?} for {to:?}");
        }
    }
    // "Nothing found" is left over often; and a read that says "good" brings a card.
    for code in [0x80, 0x90, 0x9F] {
        let bare = one_frame(&encode_frame(&[0, 0, code]));
        assert!(!Request::ReadTextPhoto.accepts(&bare) && !Request::ReadTextPhotoFingerprint.accepts(&bare));
    }
}

#[test]
fn personal_data_is_redacted() {
    let vectors = load("idcard.json");
    let entry = by(list(&vectors, "complete_answers"), "id", "read_3001_mainland");
    let frame = one_frame(&compose(&vectors, entry));
    let card = decode_text(ReadAnswer::from_answer(&frame, false).unwrap().text).unwrap();
    let photo = crate::id_card_reader::Photo::new(frame.data());
    let all = format!("{frame:?} {card:?} {photo:?} {:?}", ReadAnswer::from_answer(&frame, false));
    let CardText::Mainland(inner) = &card else { panic!("a mainland card") };
    let all = format!("{all} {inner:?}");
    for secret in [&inner.name, &inner.number, &inner.address, &inner.birth] {
        assert!(!all.contains(secret.as_str()), "{all}");
    }
}

#[test]
fn exchanges_fit_their_requests() {
    let vectors = load("idcard.json");
    let requests = all_requests();
    for exchange in list(&vectors, "exchanges") {
        let (_, request) = requests
            .iter()
            .find(|(name, _)| *name == text(exchange, "request"))
            .unwrap_or_else(|| panic!("no {exchange}"));
        let answer = match text(exchange, "response") {
            status if status.starts_with("status_") => {
                let wanted = status.trim_start_matches("status_");
                hex(text(by(list(&vectors, "statuses"), "sw3", wanted), "hex"))
            }
            read if read.starts_with("read_") => {
                compose(&vectors, by(list(&vectors, "complete_answers"), "id", read))
            }
            other => hex(text(by(list(&vectors, "responses"), "name", other), "hex")),
        };
        assert!(request.accepts(&one_frame(&answer)), "{exchange}");
    }
}

#[test]
fn the_frame_is_as_described() {
    let vectors = load("idcard.json");
    assert_eq!(frame::PREAMBLE.to_vec(), hex(text(&vectors["frame"], "preamble")));
    let largest = hex(text(&vectors["frame"], "largest_length_seen"));
    assert_eq!((frame::MAX_LENGTH as u16).to_be_bytes().to_vec(), largest);
}

#[test]
fn four_pipes_carry_the_listed_bytes() {
    let vectors = load("idcard.json");
    let pipes = &vectors["usb_four_pipe"];
    let layout = crate::id_card_reader::PipeLayout::MINISTRY;
    for (ours, name) in [
        (layout.head_out, "out_head"),
        (layout.body_out, "out_body"),
        (layout.head_in, "in_head"),
        (layout.body_in, "in_body"),
    ] {
        assert_eq!(vec![ours], hex(text(&pipes["pipes"], name)), "{name}");
    }
    for example in list(pipes, "example") {
        let request = Request::Find.encode();
        assert_eq!(request[..frame::HEAD], hex(text(example, "out_02")));
        assert_eq!(request[frame::HEAD..], hex(text(example, "out_06")));
        let (head, body) = (hex(text(example, "in_81")), hex(text(example, "in_85")));
        assert_eq!(frame::body_length(&head), Some(body.len()));
        assert!(Request::Find.accepts(&one_frame(&[head, body].concat())));
    }
}

#[test]
fn only_a_head_at_the_end_has_a_body() {
    let head = hex("AAAAAA96690004");
    assert_eq!(frame::body_length(&head), Some(4));
    assert_eq!(frame::body_length(&hex("13 AA AAAAAA9669 0508")), Some(0x0508));
    for none in ["", "AAAAAA9669", "AAAAAA966900", "AAAAAA9669000400", "AAAAAA9669090B", "AAAAAA9668 0004"] {
        assert_eq!(frame::body_length(&hex(none)), None, "{none}");
    }
}
