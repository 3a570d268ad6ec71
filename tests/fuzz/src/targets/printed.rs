//! Print-outs: between the kiosk and the program that draws them.

use kiosk_documents::{Bitmap, RenderRequest, qr};

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
            name: "printed-request",
            decodes: "what render-document reads from its input: RenderRequest",
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

fn request_seeds() -> Vec<Vec<u8>> {
    let whole = r#"{"receipt":{"language":"zh-Hant","demo":true,"place":"p","terminal":"DG0001",
        "case_number":"DG0001-7K3M9Q-5","item_title":"t","applicant_name":"𬱖㛃","finalised_at":"2026-11-22 14:05",
        "verification":"S3CR","verification_url":"u","remarks":["路灯不亮"],"reprint":true}}"#;
    let guide = r#"{"guide":{"language":"en","demo":true,"place":"p","terminal":"DG0001","title":"t","summary":"s",
        "what":"w","bring":["b"],"by_card":true,"by_number":false,"accepts_expired_card":true,"time":"t",
        "department":"d","fee":"f","printed_on":"2026-11-22"}}"#;
    vec![whole.into(), guide.into()]
}

fn request(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<RenderRequest>(bytes) else { return };
    let again: RenderRequest =
        serde_json::from_slice(&serde_json::to_vec(&read).expect("a request becomes JSON"))
            .expect("and is one");
    match (&read, &again) {
        (RenderRequest::Receipt(receipt), RenderRequest::Receipt(again)) => {
            assert!(again == receipt, "a receipt is read as it was written");
            let mut shown = receipt.clone();
            shown.case_number = String::new();
            assert_quiet(&format!("{shown:?}"));
        }
        (RenderRequest::Guide(guide), RenderRequest::Guide(again)) => {
            assert!(again == guide, "a guide is read as it was written");
        }
        _ => panic!("a receipt became a guide, or a guide a receipt"),
    }
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
