//! Frames that are good, broken, hostile, and cut into pieces.

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::super::simulator::paper;
use super::*;

/// A JPEG of a made-up sheet, 64 × 90 pixels.
fn jpeg() -> Vec<u8> {
    keep::encode(&paper(64), 85).unwrap().jpeg.to_vec()
}

const SIZE: (u32, u32) = (64, 90);

fn decoded(bytes: &[u8]) -> Result<Picture, FrameError> {
    mjpg::decode(bytes, SIZE.0, SIZE.1)
}

/// Where a marker stands.
fn find(jpeg: &[u8], marker: u8) -> usize {
    jpeg.windows(2).position(|pair| pair == [0xFF, marker]).unwrap()
}

fn mean_difference(a: &Picture, b: &Picture) -> f32 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    let sum: u32 = a.rgb().iter().zip(b.rgb()).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    sum as f32 / a.rgb().len() as f32
}

fn without_tables(jpeg: &[u8]) -> Vec<u8> {
    let mut bytes = jpeg.to_vec();
    while find(&bytes, 0xDA) > bytes.windows(2).position(|pair| pair == [0xFF, 0xC4]).unwrap_or(usize::MAX) {
        let at = find(&bytes, 0xC4);
        let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        bytes.drain(at..at + 2 + length);
    }
    bytes
}

#[test]
fn a_jpeg_is_decoded_to_what_it_shows() {
    let picture = decoded(&jpeg()).unwrap();
    assert!(mean_difference(&picture, &paper(64)) < 8.0);
}

#[test]
fn a_jpeg_without_tables_or_with_padding_is_the_same_picture() {
    let whole = decoded(&jpeg()).unwrap();
    let bare = without_tables(&jpeg());
    assert!(bare.len() + 400 < jpeg().len());
    assert_eq!(mjpg::header(&bare), Ok(mjpg::Header { width: 64, height: 90, has_tables: false }));
    assert!(decoded(&bare) == Ok(whole.clone()));
    assert!(decoded(&[jpeg(), vec![0; 700]].concat()) == Ok(whole));
}

#[test]
fn a_jpeg_that_ends_early_gives_no_picture() {
    let jpeg = jpeg();
    for end in 0..jpeg.len() {
        assert_eq!(decoded(&jpeg[..end]), Err(FrameError::CutShort), "after {end} of {}", jpeg.len());
    }
    // The end is there and half of the scan is not.
    let scan = find(&jpeg, 0xDA);
    let half = [&jpeg[..scan + (jpeg.len() - scan) / 2], &[0xFF, 0xD9]].concat();
    assert_eq!(decoded(&half), Err(FrameError::CutShort));
}

#[test]
fn a_jpeg_from_which_a_packet_is_missing_gives_no_picture() {
    let jpeg = jpeg();
    let scan = find(&jpeg, 0xDA) + 14;
    for (lost, nearly_all) in [(64, 0.8), (200, 0.95)] {
        let (mut tried, mut refused) = (0, 0);
        for at in (scan..jpeg.len() - 2 - lost).step_by(3) {
            let frame = [&jpeg[..at], &jpeg[at + lost..]].concat();
            tried += 1;
            refused += usize::from(decoded(&frame).is_err());
        }
        assert!(refused as f32 >= nearly_all * tried as f32, "{lost} bytes: {refused} of {tried}");
    }
}

/// A grey ramp of 16 × 16 pixels with a restart after each block, put together by hand: every block is one
/// difference (size 0 or 1) and an end of block, in tables of two codes.
fn with_restarts() -> Vec<u8> {
    let head = [
        &[0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0][..],
        &[16; 64],
        &[0xFF, 0xC0, 0, 11, 8, 0, 16, 0, 16, 1, 1, 0x11, 0],
        // Differences: code 0 is size 0, code 10 is size 6. Others: code 0 is the end of the block.
        &[0xFF, 0xC4, 0, 21, 0x00, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6],
        &[0xFF, 0xC4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0xFF, 0xDD, 0, 4, 0, 1],
        &[0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0],
    ];
    // 10 111111 0, then ones; and 0 0, then ones.
    let scan = [0b1011_1111, 0x7F, 0xFF, 0xD0, 0x3F, 0xFF, 0xD1, 0x3F, 0xFF, 0xD2, 0x3F, 0xFF, 0xD9];
    [&head.concat()[..], &scan].concat()
}

#[test]
fn restarts_are_where_they_belong_or_there_is_no_picture() {
    let good = with_restarts();
    let picture = mjpg::decode(&good, 16, 16).unwrap();
    assert!(picture.pixel(0, 0)[0] > 200 && picture.pixel(15, 15)[0] == 128, "{:?}", picture.pixel(0, 0));
    let scan = good.len() - 13;
    for (at, byte, error) in [
        (scan + 3, 0xD1, FrameError::Damaged),  // another number
        (scan + 6, 0xD9, FrameError::CutShort), // the end too early
        (scan + 3, 0xC8, FrameError::Damaged),  // no restart
    ] {
        let mut jpeg = good.clone();
        jpeg[at] = byte;
        assert_eq!(mjpg::decode(&jpeg, 16, 16), Err(error), "byte {at}");
    }
    // Bytes that belong to nothing, before restarts and the end, change nothing: webcams leave them.
    for odd in
        [&[0x3F][..], &[0xFF, 0x00], &[1, 2, 0xFF, 0, 5, 6, 7, 8, 9], &[0xFF, 0xFF], &[0x00, 0x00, 0xFF]]
    {
        for at in [scan + 2, scan + 5, good.len() - 2] {
            let frame = [&good[..at], odd, &good[at..]].concat();
            assert!(mjpg::decode(&frame, 16, 16).as_ref() == Ok(&picture), "{odd:02X?} at {at}");
        }
    }
    let longer = [&good[..good.len() - 2], &[0x11; 100], &[0xFF, 0xD9]].concat();
    assert_eq!(mjpg::decode(&longer, 16, 16), Err(FrameError::Damaged), "more than a picture");
}

#[test]
fn a_jpeg_with_a_hole_gives_no_picture() {
    let mut jpeg = jpeg();
    let middle = (find(&jpeg, 0xDA) + jpeg.len()) / 2;
    jpeg[middle..middle + 2].copy_from_slice(&[0xFF, 0xC8]);
    assert_eq!(decoded(&jpeg), Err(FrameError::Damaged));
}

#[test]
fn hostile_sizes_take_no_memory() {
    let good = jpeg();
    let size = find(&good, 0xC0) + 5;
    for (width, height) in [(0xFFFF_u16, 0xFFFF_u16), (0, 0), (64, 0xFFFF), (63, 90), (64, 91)] {
        let mut jpeg = good.clone();
        jpeg[size..size + 2].copy_from_slice(&height.to_be_bytes());
        jpeg[size + 2..size + 4].copy_from_slice(&width.to_be_bytes());
        let expected = FrameError::Size { width: u32::from(width), height: u32::from(height) };
        assert_eq!(decoded(&jpeg), Err(expected));
    }
}

#[test]
fn other_kinds_of_jpeg_are_refused_before_the_decoder_sees_them() {
    let good = jpeg();
    let frame = find(&good, 0xC0);
    for (at, byte, error) in [
        (frame + 1, 0xC2, FrameError::Unsupported), // progressive
        (frame + 1, 0xC3, FrameError::Unsupported), // lossless
        (frame + 1, 0xC9, FrameError::Unsupported), // arithmetic
        (frame + 4, 12, FrameError::Unsupported),   // 12 bits
        (frame + 9, 4, FrameError::Unsupported),    // four colours
        (0, 0, FrameError::Damaged),
        (2, 0, FrameError::Damaged),
        (find(&good, 0xDB) + 1, 0xD9, FrameError::Damaged),
    ] {
        let mut jpeg = good.clone();
        jpeg[at] = byte;
        assert_eq!(decoded(&jpeg), Err(error), "byte {at} = {byte:02X}");
    }
    let segments = [&[0xFF, 0xD8][..], &[0xFF, 0xFE, 0, 2].repeat(1000)].concat();
    assert_eq!(mjpg::header(&segments), Err(FrameError::Damaged), "no end of comments");
}

#[test]
fn yuyv_has_the_colours_of_bt_601() {
    // Luma and chroma of black, white, red, green and blue as BT.601 gives them.
    for (y, u, v, rgb) in [
        (16, 128, 128, [0, 0, 0]),
        (235, 128, 128, [255, 255, 255]),
        (81, 90, 240, [255, 0, 0]),
        (145, 54, 34, [0, 255, 0]),
        (41, 240, 110, [0, 0, 255]),
    ] {
        let picture = yuyv::decode(&[y, u, y, v], 2, 1).unwrap();
        for x in 0..2 {
            let seen = picture.pixel(x, 0);
            assert!(seen.iter().zip(rgb).all(|(a, b)| a.abs_diff(b) <= 2), "{seen:?} for {rgb:?}");
        }
    }
}

#[test]
fn yuyv_frames_have_exactly_as_many_bytes_as_their_size() {
    let picture = paper(64);
    let bytes = yuyv::encode(&picture);
    assert!(mean_difference(&yuyv::decode(&bytes, 64, 90).unwrap(), &picture) < 6.0);
    assert_eq!(yuyv::decode(&bytes[..bytes.len() - 1], 64, 90), Err(FrameError::CutShort));
    assert_eq!(yuyv::decode(&[&bytes[..], &[0]].concat(), 64, 90), Err(FrameError::Damaged));
    for (width, height) in [(0, 0), (63, 90), (u32::MAX, u32::MAX), (65_536, 2)] {
        assert_eq!(yuyv::decode(&bytes, width, height), Err(FrameError::Size { width, height }));
    }
}

#[test]
fn what_is_kept_fits_its_limit_and_says_nothing_but_the_picture() {
    let picture = paper(600);
    let large = keep(&picture, usize::MAX).unwrap();
    assert_eq!((large.width, large.height), (600, 848));
    for limit in [80_000, 40_000, 15_000] {
        let kept = keep(&picture, limit).unwrap();
        assert!(kept.jpeg.len() <= limit && kept.jpeg.len() > limit / 4, "{kept:?} for {limit}");
        let again = mjpg::decode(&kept.jpeg, kept.width, kept.height).unwrap();
        assert_eq!((again.width(), again.height()), (kept.width, kept.height));
        let (mut at, mut markers) = (2, Vec::new());
        while kept.jpeg[at + 1] != 0xDA {
            markers.push(kept.jpeg[at + 1]);
            at += 2 + usize::from(u16::from_be_bytes([kept.jpeg[at + 2], kept.jpeg[at + 3]]));
        }
        assert_eq!(markers, [0xE0, 0xC0, 0xDB, 0xDB, 0xC4, 0xC4, 0xC4, 0xC4]);
        assert_eq!(&kept.jpeg[6..11], b"JFIF\0");
        assert_eq!(kept.jpeg[2..20], jpeg()[2..20], "the same header as any other picture's");
    }
    assert_eq!(keep(&picture, 500), Err(KeepError::TooSmall { limit: 500 }));
}

#[test]
fn what_a_camera_writes_beside_the_picture_is_not_kept() {
    let exif = b"\xFF\xE1\x00\x12Exif\0\0SERIAL0042";
    let mut frame = jpeg();
    frame.splice(2..2, exif.iter().copied());
    let picture = decoded(&frame).unwrap();
    let kept = keep(&picture, 100_000).unwrap();
    assert!(!kept.jpeg.windows(6).any(|bytes| bytes == b"SERIAL"));
}

fn a_frame(size: usize) -> RawFrame {
    let bytes = (0..size).map(|at| (at * 7) as u8).collect();
    RawFrame { format: FrameFormat::Yuyv, width: 4, height: 2, bytes: Zeroizing::new(bytes) }
}

/// The frames of a stream that comes in these pieces, and the bytes that were skipped.
fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<RawFrame>, u64) {
    let mut stream = FrameStream::new();
    let mut found = Vec::new();
    for piece in pieces {
        stream.push(piece);
        found.extend(std::iter::from_fn(|| stream.next_frame()));
    }
    (found, stream.skipped())
}

#[test]
fn a_frame_is_found_behind_noise_and_false_headers() {
    let good = stream::encode(&a_frame(40));
    let huge = [b"KCF1MJPG\x00\x10\x00\x10".as_slice(), &u32::MAX.to_be_bytes()].concat();
    let other = [b"KCF1H264\x00\x10\x00\x10".as_slice(), &[0; 4]].concat();
    let noise = [&b"KCFKC"[..], &huge, &other, b"KCF"].concat();
    let (found, skipped) = frames([&noise[..], &good, &good]);
    assert_eq!(found, [a_frame(40), a_frame(40)]);
    assert_eq!(skipped, noise.len() as u64);
    assert_eq!(format!("{:?}", found[0]), "RawFrame(Yuyv 4x2, 40 bytes, [redacted])");
}

fn arbitrary_stream() -> impl Strategy<Value = Vec<u8>> {
    let frame = (0usize..80).prop_map(|size| stream::encode(&a_frame(size)).to_vec());
    let noise = prop::collection::vec(
        prop_oneof![Just(b'K'), Just(b'C'), Just(b'F'), Just(b'1'), any::<u8>()],
        0..24,
    );
    let broken = prop::collection::vec(any::<u8>(), 12).prop_map(|rest| [&b"KCF1"[..], &rest].concat());
    prop::collection::vec(prop_oneof![4 => frame, 2 => noise, 1 => broken], 0..8)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(stream in arbitrary_stream(), cuts in prop::collection::vec(any::<u16>(), 0..20)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) % (stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let whole = frames([stream.as_slice()]);
        prop_assert_eq!(&whole, &frames(pieces));
        prop_assert_eq!(&whole, &frames(stream.chunks(1)));
    }

    #[test]
    fn no_byte_of_a_jpeg_can_make_the_decoder_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut jpeg = jpeg();
        let at = at.index(jpeg.len());
        jpeg[at] = byte;
        let _ = decoded(&jpeg);
        let _ = decoded(&without_tables(&self::jpeg())[..cut.index(200)]);
        fuzz_decode(&jpeg);
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        fuzz_decode(&bytes);
        fuzz_decode(&[&[0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8, 0, 48, 0, 64, 3][..], &bytes].concat());
    }
}
