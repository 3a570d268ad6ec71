//! Codes in pictures: what we draw is what zbarimg reads in it, and what our reader reads in a camera's frame.

use std::path::Path;
use std::process::Command;

use device_drivers::camera::simulator::{CameraProfile, Laid, Scene, serve};
use device_drivers::camera::{Camera, Picture, SocketCamera};
use device_drivers::code_scanner::{CodeRules, code_in};
use rxing::{BarcodeFormat, Writer};

const SIZE: (u32, u32) = (1280, 720);
const INSURANCE: &str = "4240000000000000001234400000";

/// A QR code with its quiet zone of four modules, eight pixels a module.
fn qr(text: &str) -> Picture {
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).unwrap();
    let (width, scale) = (code.width() as u32 + 8, 8);
    let dark = code.to_colors();
    drawn(width * scale, width * scale, |x, y| {
        let (x, y) = ((x / scale).wrapping_sub(4) as usize, (y / scale).wrapping_sub(4) as usize);
        x < code.width() && y < code.width() && dark[y * code.width() + x] == qrcode::Color::Dark
    })
}

/// A barcode with its quiet zone, drawn by the encoder of the library whose decoder reads it: zbarimg keeps it honest.
fn barcode(text: &str, format: BarcodeFormat) -> Picture {
    let bars = match format {
        BarcodeFormat::CODE_39 => rxing::oned::Code39Writer.encode(text, &format, 0, 1),
        BarcodeFormat::EAN_13 => rxing::oned::EAN13Writer.encode(text, &format, 0, 1),
        _ => rxing::oned::Code128Writer.encode(text, &format, 0, 1),
    }
    .unwrap();
    let scale = 4;
    let width = (bars.getWidth() + 20) * scale;
    drawn(width, 240, |x, y| {
        let bar = (x / scale).wrapping_sub(10);
        (20..220).contains(&y) && bar < bars.getWidth() && bars.get(bar, 0)
    })
}

fn drawn(width: u32, height: u32, dark: impl Fn(u32, u32) -> bool) -> Picture {
    let mut picture = Picture::filled(width, height, [235; 3]);
    for y in 0..height {
        for x in 0..width {
            if dark(x, y) {
                picture.set(x, y, [20; 3]);
            }
        }
    }
    picture
}

/// What zbarimg reads in a picture.
fn zbar(picture: &Picture, folder: &Path) -> String {
    let path = folder.join("code.png");
    let file = std::fs::File::create(&path).unwrap();
    let mut encoder = png::Encoder::new(file, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(picture.rgb()).unwrap();
    let output = Command::new("zbarimg").args(["--quiet", "--raw"]).arg(&path).output();
    let output = output.expect("zbarimg (Debian package zbar-tools) reads codes");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Every code of the tests and a picture of it.
fn codes() -> Vec<(&'static str, Picture)> {
    vec![
        (INSURANCE, qr(INSURANCE)),
        (
            "https://example.invalid/v?c=DG0001-7K3M9QXF-B",
            qr("https://example.invalid/v?c=DG0001-7K3M9QXF-B"),
        ),
        ("东莞市 测试样本", qr("东莞市 测试样本")),
        ("DG0001-7K3M9QXF-B", barcode("DG0001-7K3M9QXF-B", BarcodeFormat::CODE_128)),
        ("ABC 123", barcode("ABC 123", BarcodeFormat::CODE_39)),
        ("6901234567892", barcode("6901234567892", BarcodeFormat::EAN_13)),
    ]
}

#[test]
fn our_drawn_codes_are_what_zbarimg_reads() {
    let dir = tempfile::tempdir().unwrap();
    for (text, picture) in codes() {
        assert_eq!(zbar(&picture, dir.path()), text);
    }
}

#[test]
fn codes_before_a_camera_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("camera");
    let simulator = serve(&path, CameraProfile::default(), Scene::empty(SIZE.0, SIZE.1)).unwrap();
    let mut camera = Camera::new(SocketCamera::new(&path));
    for (text, picture) in codes() {
        for turned in [0.0, 7.0, 90.0] {
            simulator.show(Scene::with(
                SIZE.0,
                SIZE.1,
                Laid { turned, ..Laid::straight(picture.clone(), SIZE, 480.0) },
            ));
            // Drawing takes a while, and frames of before may still be on the way.
            let read = (0..20).find_map(|_| {
                let code = code_in(&camera.picture().ok()?.luma()).unwrap();
                code.filter(|code| code.as_str() == text)
            });
            let read = read.unwrap_or_else(|| panic!("{text} turned by {turned} was not read"));
            let kind = (text == INSURANCE).then_some(CodeRules::MEDICAL_INSURANCE);
            assert_eq!(CodeRules::default().kind_of(&read), kind);
        }
    }
}

#[test]
fn where_no_code_is_none_is_read() {
    assert_eq!(code_in(&Picture::filled(640, 480, [128; 3]).luma()), Ok(None));
    let sheet = device_drivers::camera::simulator::paper(800);
    assert_eq!(code_in(&sheet.luma()), Ok(None));
    for (width, height) in [(1, 1), (1, 300), (300, 1), (7, 5)] {
        assert_eq!(code_in(&Picture::filled(width, height, [0; 3]).luma()), Ok(None), "{width}x{height}");
    }
}
