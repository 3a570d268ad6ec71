//! What cameras and code scanners send.

use device_drivers::camera::protocol::{FrameStream, decode as decode_frame, mjpg, stream, yuyv};
use device_drivers::camera::simulator::paper;
use device_drivers::camera::{FrameFormat, Judge, Picture, RawFrame, keep};
use device_drivers::code_scanner::protocol::{KeyDecoder, LineDecoder, ScanEnd, keys};
use device_drivers::code_scanner::{MAX_CODE_BYTES, ScannerError, code_in};

use crate::Target;
use crate::privacy::{assert_error_quiet, assert_quiet};

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "device-camera-frames",
            decodes: "frames of a camera on a socket and what is made of them: FrameStream, MJPG, YUYV, Judge",
            inputs: 2000,
            seeds: camera_seeds,
            run: camera,
        },
        Target {
            name: "device-camera-codes",
            decodes: "QR codes and barcodes in a small picture: code_in",
            inputs: 600,
            seeds: picture_seeds,
            run: picture,
        },
        Target {
            name: "device-scanner-codes",
            decodes: "what a code scanner sends or types: LineDecoder, KeyDecoder",
            inputs: 5000,
            seeds: scanner_seeds,
            run: scanner,
        },
    ]
}

/// Size of the frames that are decoded by themselves.
const FRAME: (u32, u32) = (64, 90);

fn camera_seeds() -> Vec<Vec<u8>> {
    let sheet = paper(FRAME.0);
    let jpeg = keep(&sheet, usize::MAX).expect("a small sheet is kept").jpeg;
    let frame =
        |format, bytes| stream::encode(&RawFrame { format, width: FRAME.0, height: FRAME.1, bytes }).to_vec();
    let mjpg = frame(FrameFormat::Mjpg, jpeg.clone());
    let yuyv = frame(FrameFormat::Yuyv, yuyv::encode(&sheet).into());
    vec![jpeg.to_vec(), [&mjpg[..], b"KCF", &mjpg].concat(), yuyv]
}

fn camera(bytes: &[u8]) {
    let whole = frames_of([bytes]);
    let third = bytes.len() / 3;
    assert_eq!(whole, frames_of([&bytes[..third], &bytes[third..]]), "a split changes nothing");
    let mut judge = Judge::default();
    for frame in &whole {
        assert_quiet(&format!("{frame:?}"));
        // A size that was agreed on with a camera is one that a camera has.
        if frame.width <= 640 && frame.height <= 480 {
            match decode_frame(frame) {
                Ok(picture) => {
                    let _ = judge.look(&picture);
                }
                Err(error) => assert_error_quiet(&error),
            }
        }
    }
    if let Ok(picture) = mjpg::decode(bytes, FRAME.0, FRAME.1) {
        assert_eq!((picture.width(), picture.height()), FRAME);
        assert_quiet(&format!("{picture:?}"));
    }
}

fn frames_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<RawFrame> {
    let mut stream = FrameStream::new();
    let mut found = Vec::new();
    for piece in pieces {
        stream.push(piece);
        found.extend(std::iter::from_fn(|| stream.next_frame()));
    }
    assert_quiet(&format!("{stream:?}"));
    found
}

/// A picture as a row's length, in pixels, and the brightness of every pixel.
fn picture_seeds() -> Vec<Vec<u8>> {
    let code = |text: &str, scale: usize| {
        let code = qrcode::QrCode::new(text).expect("a short text fits a code");
        let (side, dark) = (code.width() + 8, code.to_colors());
        let pixel = |at: usize| {
            let place = |at: usize| (at / scale).checked_sub(4).filter(|place| *place < code.width());
            let (x, y) = (place(at % (side * scale)), place(at / (side * scale)));
            let module = x.zip(y).map(|(x, y)| dark[y * code.width() + x]);
            if module == Some(qrcode::Color::Dark) { 20 } else { 235 }
        };
        let pixels = (0..side * scale * side * scale).map(pixel);
        std::iter::once((side * scale) as u8).chain(pixels).collect::<Vec<u8>>()
    };
    // Stripes of one to four pixels, as barcodes have them.
    let stripes =
        (0..12_000_usize).map(|at| if (at % 240).is_multiple_of(7) || at % 5 < 2 { 20 } else { 235 });
    vec![
        code("4240000000000000001234400000", 3),
        code("东莞市", 4),
        [240].into_iter().chain(stripes).collect(),
    ]
}

fn picture(bytes: &[u8]) {
    let Some((&width, pixels)) = bytes.split_first() else { return };
    let height = pixels.len() / usize::from(width).max(1);
    let rgb = pixels.iter().take(usize::from(width) * height).flat_map(|value| [*value; 3]).collect();
    let Some(picture) = Picture::from_rgb(width.into(), height as u32, rgb) else { return };
    match code_in(&picture.luma()) {
        Ok(Some(code)) => {
            assert!(!code.as_str().is_empty() && code.as_str().len() <= MAX_CODE_BYTES);
            assert_quiet(&format!("{code:?}"));
        }
        Ok(None) => {}
        Err(error) => assert_error_quiet(&error),
    }
}

/// Shows that the pictures above hold codes that are read.
pub(super) fn reaches() {
    for (seed, text) in picture_seeds().iter().zip(["4240000000000000001234400000", "东莞市"]) {
        let rgb = seed[1..].iter().flat_map(|value| [*value; 3]).collect();
        let picture = Picture::from_rgb(seed[0].into(), seed[0].into(), rgb).expect("a square");
        let code = code_in(&picture.luma()).expect("a code of ours").expect("a code");
        assert!(code.as_str() == text, "another code than was drawn");
    }
}

fn scanner_seeds() -> Vec<Vec<u8>> {
    let typed = |text: &str| text.bytes().flat_map(keys::typed).flatten().collect::<Vec<u8>>();
    let dropped = [&typed("AB")[..], &keys::dropped(), &typed("C\r")].concat();
    let gbk = vec![0xB6, 0xAB, 0xDD, 0xB8, 0xCA, 0xD0, b'\r'];
    let lines = b"4240000000000000001234400000\r\n\x02AB\x1DC\x03\r990001199001011008".to_vec();
    vec![lines, gbk, vec![b'7'; 5000], typed("990001199001011008\rAa!\r"), typed("\u{80}\r"), dropped]
}

fn scanner(bytes: &[u8]) {
    for end in [ScanEnd::Suffix, ScanEnd::SuffixOrSilence] {
        let whole = codes_of(end, [bytes]);
        assert_eq!(whole, codes_of(end, bytes.chunks(7)), "pieces change nothing");
    }
    assert_eq!(typed_of([bytes]), typed_of(bytes.chunks(5)), "pieces change nothing");
}

/// A code, as far as it can be compared.
type Code = Result<String, ScannerError>;

fn codes_of<'a>(end: ScanEnd, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Code> {
    let mut line = LineDecoder::new(end);
    pieces.into_iter().for_each(|piece| line.push(piece));
    taken(line)
}

fn typed_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Code> {
    let (mut keys, mut line) = (KeyDecoder::new(), LineDecoder::new(ScanEnd::Suffix));
    for piece in pieces {
        keys.push(piece);
        while let Some(key) = keys.next_key() {
            line.push_key(key);
        }
    }
    taken(line)
}

fn taken(mut line: LineDecoder) -> Vec<Code> {
    line.silence();
    assert_quiet(&format!("{line:?}"));
    let codes = std::iter::from_fn(|| line.next_code());
    codes
        .map(|code| code.map(|code| code.as_str().to_owned()).inspect_err(|error| assert_error_quiet(error)))
        .collect()
}
