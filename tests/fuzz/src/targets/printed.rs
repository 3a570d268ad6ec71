//! Print-outs: between the kiosk and the program that draws them.

use kiosk_documents::{Bitmap, GuideRequest, Part, RenderRequest, Rendering, TextLine, qr};

use crate::Target;
use crate::privacy::{assert_error_quiet, assert_quiet};

use super::as_text;

pub(super) fn targets() -> Vec<Target> {
    vec![
        Target {
            name: "printed-bitmap",
            decodes: "what render-document writes to its output: Bitmap::from_pbm",
            inputs: 5000,
            seeds: bitmap_seeds,
            run: bitmap,
        },
        Target {
            name: "printed-rendering",
            decodes: "what render-document writes of a receipt in lines: Rendering::read",
            inputs: 5000,
            seeds: rendering_seeds,
            run: rendering,
        },
        Target {
            name: "printed-request",
            decodes: "what render-document reads from its input: RenderRequest, GuideRequest",
            inputs: 5000,
            seeds: request_seeds,
            run: request,
        },
        Target {
            name: "printed-qr",
            decodes: "any text that becomes a QR code: qr::modules",
            inputs: 300,
            seeds: || vec![b"https://localhost/v/Q7W4E9R2".to_vec(), "校验码".repeat(40).into_bytes()],
            run: qr_code,
        },
    ]
}

fn bitmap_seeds() -> Vec<Vec<u8>> {
    let picture = Bitmap { width: 10, height: 2, rows: vec![0b1000_0000, 0b0100_0000, 0, 0b1000_0000] };
    let mut bytes = Vec::new();
    picture.write_pbm(&mut bytes).expect("memory takes every byte");
    vec![bytes, b"P4\n4294967295 4294967295\n".to_vec(), b"P4\n8 1\n\xff".to_vec()]
}

fn bitmap(bytes: &[u8]) {
    match Bitmap::from_pbm(bytes) {
        Ok(picture) => {
            assert_eq!(picture.rows.len(), picture.width.div_ceil(8) as usize * picture.height as usize);
            let mut again = Vec::new();
            picture.write_pbm(&mut again).expect("memory takes every byte");
            assert!(Bitmap::from_pbm(&again).is_ok_and(|again| again.rows == picture.rows));
        }
        Err(error) => assert_error_quiet(&error),
    }
}

fn rendering_seeds() -> Vec<Vec<u8>> {
    let picture = Bitmap { width: 10, height: 2, rows: vec![0b1000_0000, 0b0100_0000, 0, 0b1000_0000] };
    let text = TextLine { text: "申请人 𬱖㛃".into(), times_wide: 1, times_high: 2, bold: true };
    let parts = vec![Part { rows: 1, text: Some(text) }, Part { rows: 1, text: None }];
    let mut bytes = Vec::new();
    Rendering { picture, parts }.write(&mut bytes).expect("memory takes every byte");
    vec![bytes, b"[]\nP4\n8 1\n\xff".to_vec()]
}

fn rendering(bytes: &[u8]) {
    match Rendering::read(bytes) {
        Ok(read) => {
            let rows: u64 = read.parts.iter().map(|part| u64::from(part.rows)).sum();
            assert!(read.parts.is_empty() || rows == u64::from(read.picture.height));
            let mut again = Vec::new();
            read.write(&mut again).expect("memory takes every byte");
            assert!(Rendering::read(&again).is_ok_and(|again| again == read));
            assert_quiet(&format!("{read:?}"));
        }
        Err(error) => assert_error_quiet(&error),
    }
}

fn request_seeds() -> Vec<Vec<u8>> {
    let whole = r#"{"receipt":{"language":"zh-Hant","demo":true,"place":"p","terminal":"DG0001",
        "case_number":"DG0001-7K3M9Q-5","item_title":"t","applicant_name":"𬱖㛃","finalised_at":"2026-11-22 14:05",
        "verification":"S3CR","verification_url":"u","remarks":["路灯不亮"],"reprint":true}}"#;
    let lines = format!(
        r#"{{"receipt_in_lines":{{"grid":{{"columns":48,"cell_width":12,"cell_height":24}},{}}}"#,
        &whole[1..]
    );
    let guide = r#"{"guide":{"language":"en","demo":true,"place":"p","terminal":"DG0001","title":"t","summary":"s",
        "what":"w","bring":["b"],"by_card":true,"by_number":false,"accepts_expired_card":true,"time":"t",
        "department":"d","fee":"f","printed_on":"2026-11-22"}}"#;
    vec![whole.into(), lines.into_bytes(), guide.into()]
}

fn request(bytes: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<GuideRequest>(bytes) {
        let written = serde_json::to_vec(&read).expect("a request becomes JSON");
        assert!(serde_json::from_slice(&written).is_ok_and(|again: GuideRequest| again == read));
    }
    let Ok(read) = serde_json::from_slice::<RenderRequest>(bytes) else { return };
    let Some(receipt) = read.receipt() else { return };
    let again: RenderRequest =
        serde_json::from_slice(&serde_json::to_vec(&read).expect("a request becomes JSON"))
            .expect("and is one");
    assert!(again.receipt() == Some(receipt), "a receipt is read as it was written");
    let mut shown = receipt.clone();
    shown.case_number = String::new();
    assert_quiet(&format!("{shown:?}"));
}

fn qr_code(bytes: &[u8]) {
    match qr::modules(&as_text(bytes)) {
        Ok(code) => {
            assert_eq!(code.dark.len(), code.size * code.size);
            assert!((21..=177).contains(&code.size) && code.is_dark(0, 0) && !code.is_dark(code.size, 0));
        }
        Err(error) => assert_error_quiet(&error),
    }
}
